"""Open Drone ID: what opendroneid-core-c built, section 5.4, nulls, packs, encode errors."""

from __future__ import annotations

import pytest

from protocols.ble.payloads.open_drone_id import FORMAT
from protocols.dissect import Block, dissect, encode
from protocols.errors import EncodeError

# opendroneid-core-c, output of its test_inout program (version 2 of the protocol), one message a line.
BASIC = "02223132333435363738393031323334353637383930000000"
LOCATION = "122624160a42bf241b6ed1b4b69808ac0870086b53150e0200"
AUTH_0 = "22100128003fab013132333435363738393031323334353637"
AUTH_1 = "22113132333435363738393031323334353637383930313233"
SELF = "320044726f6e65735255533a205265616c2045737461746500"
SYSTEM = "4204a6bf241bd2d1b4b62300073109230824f907003fab0100"
OPERATOR = "52003938373635343332313030313233343536373839000000"
PACK = "f21907" + BASIC + LOCATION + AUTH_0 + AUTH_1 + SELF + SYSTEM + OPERATOR

FIELDS = {
    BASIC: {"message_type": 0, "id_type": 2, "ua_type": 2, "uas_id": "12345678901234567890"},
    LOCATION: {
        "message_type": 1, "status": 2, "height_ref_ground": True, "direction_deg": 216, "speed_h_m_s": 5.5,
        "speed_v_m_s": 5.0, "latitude": 45.539309, "longitude": -122.966389, "altitude_baro_m": 100.0,
        "altitude_geo_m": 110.0, "height_m": 80.0, "horiz_acc": 11, "vert_acc": 6, "baro_acc": 5, "speed_acc": 3,
        "timestamp_s": 360.5, "timestamp_acc": 2,
    },
    AUTH_0: {
        "message_type": 2, "auth_type": 1, "page": 0, "last_page": 1, "auth_length": 40,
        "auth_timestamp_s": 28000000, "auth_data": b"12345678901234567".hex(),
    },
    AUTH_1: {"message_type": 2, "auth_type": 1, "page": 1, "auth_data": b"12345678901234567890123".hex()},
    SELF: {"message_type": 3, "desc_type": 0, "desc": "DronesRUS: Real Estate"},
    SYSTEM: {
        "message_type": 4, "operator_location_type": 0, "classification_type": 1,
        "operator_latitude": 45.539319, "operator_longitude": -122.966379, "area_count": 35, "area_radius_m": 70,
        "area_ceiling_m": 176.5, "area_floor_m": 41.5, "category_eu": 2, "class_eu": 4,
        "operator_altitude_m": 20.5, "system_timestamp_s": 28000000,
    },
    OPERATOR: {"message_type": 5, "operator_id_type": 0, "operator_id": "98765432100123456789"},
}  # fmt: skip
"""What the same program printed after decoding."""


def look(text, *, lenient=False):
    return dissect(
        Block(kind="service_data", data=bytes.fromhex(text), service_uuid="fffa"), lenient=lenient
    )


def fault(text):
    found = look(text)
    assert found.error is not None
    return found.error.code, found.error.offset, found.plain


@pytest.mark.parametrize("message", FIELDS)
def test_each_message(message):
    found = look("0d07" + message)
    assert found.error is None
    assert found.plain == {"app_code": 13, "counter": 7, "protocol_version": 2} | FIELDS[message]
    assert encode("open-drone-id", found.plain).hex() == "0d07" + message


def test_pack_of_all_messages():
    found = look("0d01" + PACK)
    assert found.error is None
    assert found.plain == {
        "app_code": 13, "counter": 1, "message_type": 15, "protocol_version": 2,
        "messages": [{"protocol_version": 2} | fields for fields in FIELDS.values()],
    }  # fmt: skip
    assert encode("open-drone-id", found.plain).hex() == "0d01" + PACK
    messages = next(node for node in found.tree if node.name == "messages")
    assert [(node.start, node.end) for node in messages.children] == [
        (5 + 25 * n, 30 + 25 * n) for n in range(7)
    ]


# --- lengths and selectors ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", range(6))
def test_length_of_a_single_message(kind):
    for size in range(60):
        text = ("0d00" + f"{kind:x}2" + "00" * 57)[: 2 * size]
        found = look(text)
        if size == 27:
            assert found.error is None
        else:
            assert fault(text) == ("frame_length", None, {})


@pytest.mark.parametrize("count", range(256))
def test_length_of_a_pack(count):
    """5 + 25 n for n = 1 to 9, n as stated."""
    text = f"0d00f219{count:02x}" + BASIC * min(count, 10)
    if 1 <= count <= 9:
        assert len(look(text).plain["messages"]) == count
        for wrong in (text[:-2], text + "00", text + BASIC):
            assert fault(wrong) == ("frame_length", None, {})
    else:
        assert fault(text) == ("frame_length", None, {})


@pytest.mark.parametrize("size", [3, 4])
def test_pack_without_its_head(size):
    assert fault("0d00f21901"[: 2 * size]) == ("frame_length", None, {})


@pytest.mark.parametrize("app_code", [0x00, 0x0C, 0x0E, 0xFF])
def test_application_code(app_code):
    """Before the message type and before the length."""
    for rest in ("00" + BASIC, "0072", "0002"):
        assert fault(f"{app_code:02x}" + rest) == ("app_code", 0, {})


@pytest.mark.parametrize("kind", range(6, 15))
def test_undefined_message_type(kind):
    """Before the length."""
    for rest in ("", "00" * 24):
        assert fault(f"0d00{kind:x}2" + rest) == ("frame_type", 2, {})


@pytest.mark.parametrize("version", [0, 1, 15])
def test_any_protocol_version_is_kept(version):
    text = f"0d000{version:x}" + BASIC[2:]
    assert look(text).plain["protocol_version"] == version
    assert encode("open-drone-id", look(text).plain).hex() == text


def test_reserved_octets_and_bits_are_ignored():
    for text, marked in (
        (BASIC, BASIC[:-6] + "010203"),
        (LOCATION, LOCATION[:2] + "2e" + LOCATION[4:-4] + "f2ff"),
    ):
        assert look("0d00" + marked).plain == look("0d00" + text).plain


def test_text_that_is_not_utf8():
    found = look("0d003201" + "c328" + "41" * 21)
    assert found.error is None
    assert found.plain["desc"] == "\ufffd(" + "A" * 21


# --- packs ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 24, 26, 255])
def test_message_size_of_a_pack(size):
    """Lenient: decoded by the total length."""
    code, offset, lenient = fault(f"0d00f2{size:02x}02" + BASIC + SELF)
    assert (code, offset) == ("subtype_length", 3)
    assert [m["message_type"] for m in lenient["messages"]] == [0, 3]


@pytest.mark.parametrize("kind", range(6, 16))
def test_message_that_cannot_stand_in_a_pack(kind):
    """Reserved types, and a pack within a pack; lenient: the messages before it."""
    text = "0d00f21903" + BASIC + f"{kind:x}2" + "00" * 24 + SELF
    code, offset, lenient = fault(text)
    assert (code, offset) == ("frame_type", 30)
    assert [m["message_type"] for m in lenient["messages"]] == [0]


def test_order_of_pack_faults():
    """Total length, then the size octet, then the messages; lenient notes all that it passed over."""
    bad = "0d00f21802" + "72" + "00" * 24 + BASIC
    assert fault(bad[:-2])[:2] == ("frame_length", None)
    assert fault(bad)[:2] == ("subtype_length", 3)
    assert [(d.code, d.offset) for d in look(bad, lenient=True).doubts] == [
        ("subtype_length", 3),
        ("frame_type", 5),
    ]
    assert look(bad, lenient=True).plain["messages"] == []


# --- not available, and the two ranges ------------------------------------------------------------


def location(**change):
    return {"app_code": 13, "counter": 0, "protocol_version": 2} | FIELDS[LOCATION] | change


def test_location_of_a_drone_that_knows_nothing():
    text = "0d001207b5ff7e" + "00" * 8 + "0000" * 3 + "0000" + "ffff" + "0000"
    found = look(text).plain
    names = (
        "direction_deg",
        "speed_h_m_s",
        "speed_v_m_s",
        "altitude_baro_m",
        "altitude_geo_m",
        "height_m",
        "timestamp_s",
    )
    assert all(found[name] is None for name in names)
    assert (found["latitude"], found["longitude"]) == (0.0, 0.0)
    assert encode("open-drone-id", found).hex() == text


@pytest.mark.parametrize(
    ("octets", "direction", "speed"),
    [
        ("200000", 0, 0.0),
        ("20b3ff", 179, 63.75),
        ("220000", 180, 0.0),
        ("22b3ff", 359, 63.75),
        ("210001", 0, 64.5),
        ("2100fe", 0, 254.25),
        ("2100ff", 0, None),
        ("20ff00", 255, 0.0),
        ("22b500", None, 0.0),
        ("22ff00", 435, 0.0),
    ],
)
def test_direction_and_speed(octets, direction, speed):
    """Bit 1 adds 180, bit 0 selects the coarse step; 255 is a speed in the fine one."""
    found = look("0d0012" + octets + LOCATION[8:]).plain
    assert (found["direction_deg"], found["speed_h_m_s"]) == (direction, speed)


@pytest.mark.parametrize(
    ("direction", "speed", "octets"),
    [
        (0, 0, "200000"),
        (179, 63.75, "20b3ff"),
        (180, 63.76, "230000"),
        (359, 64.5, "23b301"),
        (255, 254.25, "234bfe"),
        (None, None, "23b5ff"),
    ],
)
def test_encoder_chooses_the_range(direction, speed, octets):
    fields = location(direction_deg=direction, speed_h_m_s=speed, height_ref_ground=False)
    assert encode("open-drone-id", fields).hex()[6:12] == octets


@pytest.mark.parametrize(
    ("name", "raw"), [("altitude_baro_m", 13), ("altitude_geo_m", 15), ("height_m", 17)]
)
def test_altitudes(name, raw):
    """u16 x 0.5 - 1000; 0 is not available, 1 is -999.5."""
    start = 4 + 2 * raw
    for octets, value in (("0000", None), ("0100", -999.5), ("d007", 0.0), ("ffff", 31767.5)):
        text = "0d00" + LOCATION
        text = text[:start] + octets + text[start + 4 :]
        assert look(text).plain[name] == value
        assert encode("open-drone-id", look(text).plain).hex() == text


# --- encode ---------------------------------------------------------------------------------------


def pack(*messages):
    return {
        "app_code": 13,
        "counter": 0,
        "message_type": 15,
        "protocol_version": 2,
        "messages": list(messages),
    }


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        (location(app_code=12), "app_code"),
        (location(counter=256), "counter"),
        (location(protocol_version=16), "protocol_version"),
        (location(status=16), "status"),
        (location(direction_deg=-1), "direction_deg"),
        (location(direction_deg=436), "direction_deg"),
        (location(speed_h_m_s=-1), "speed_h_m_s"),
        (location(speed_h_m_s=256), "speed_h_m_s"),
        (location(speed_v_m_s=64.5), "speed_v_m_s"),
        (location(latitude=215), "latitude"),
        (location(latitude=None), "latitude"),
        (location(altitude_geo_m=-1001), "altitude_geo_m"),
        (location(timestamp_s=6554), "timestamp_s"),
        (location(horiz_acc=-1), "horiz_acc"),
        ({k: v for k, v in location().items() if k != "counter"}, "counter"),
        ({k: v for k, v in location().items() if k != "app_code"}, "app_code"),
        (location(message_type=6), "message_type"),
        (look("0d00" + BASIC).plain | {"uas_id": "x" * 21}, "uas_id"),
        (look("0d00" + SELF).plain | {"desc": "ü" * 12}, "desc"),
        (look("0d00" + SYSTEM).plain | {"operator_location_type": 4}, "operator_location_type"),
        (look("0d00" + SYSTEM).plain | {"classification_type": 8}, "classification_type"),
        (look("0d00" + SYSTEM).plain | {"area_radius_m": 2560}, "area_radius_m"),
        (look("0d00" + AUTH_1).plain | {"last_page": 1}, "last_page"),
        (look("0d00" + AUTH_1).plain | {"auth_data": "00" * 17}, "auth_data"),
        (look("0d00" + AUTH_1).plain | {"page": 0}, "last_page"),
        (pack(), "messages"),
        (pack(*[{"protocol_version": 2} | FIELDS[BASIC]] * 10), "messages"),
        (pack({"protocol_version": 2, "counter": 0} | FIELDS[BASIC]), "messages[0].counter"),
        (pack({"protocol_version": 2} | FIELDS[BASIC], {"protocol_version": 2} | FIELDS[LOCATION] | {"status": 99}), "messages[1].status"),
        (pack({"protocol_version": 2} | FIELDS[AUTH_1] | {"auth_length": 1}), "messages[0].auth_length"),
        (pack(pack()), "messages[0].message_type"),
    ],
)  # fmt: skip
def test_encode_error_names_the_field(fields, path):
    with pytest.raises(EncodeError) as caught:
        encode("open-drone-id", fields)
    assert caught.value.path == path


def test_examples_show_every_message_type():
    found = [
        dissect(Block(kind="service_data", data=bytes.fromhex(e.hex)), form=FORMAT)
        for e in FORMAT.examples
    ]
    assert {one.plain["message_type"] for one in found} == {0, 1, 2, 3, 4, 5, 15}
