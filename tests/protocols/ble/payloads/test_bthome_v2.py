"""BTHome v2: section 5.4 row by row, the object table, encryption, encode errors, the duplicate filter."""

from __future__ import annotations

import pytest

from protocols.ble.payloads.bthome_v2 import is_new_packet
from protocols.data.bthome import BUTTON, DIMMER, OBJECTS
from protocols.dissect import Block, dissect, encode
from protocols.errors import EncodeError, UsageError

KEY = {"bindkey": "231d39c1d7cc1ab1aee224cd096db932", "mac": "5448e68f80a5"}
SEALED = "41a47266c95f730011223378237214"  # bthome-ble, tests/test_v2_encryption.py
SIZES = {
    "u8": 1,
    "s8": 1,
    "bool": 1,
    "button": 1,
    "u16": 2,
    "s16": 2,
    "dimmer": 2,
    "u24": 3,
    "u32": 4,
    "s32": 4,
}


def look(text, context=None, *, lenient=False):
    data = bytes.fromhex(text)
    return dissect(
        Block(kind="service_data", data=data, service_uuid="fcd2"), context, lenient=lenient
    )


def fault(text, context=None):
    """(code, offset, fields of the lenient walk) of the first fault."""
    found = look(text, context)
    assert found.error is not None
    return found.error.code, found.error.offset, found.plain


def values(text, context=None):
    return [item["value"] for item in look(text, context).plain["objects"]]


def sealed(objects, info="41"):
    """An encrypted packet around any octets, made by another path than the encoder."""
    from cryptography.hazmat.primitives.ciphers.aead import AESCCM

    counter = bytes.fromhex("00112233")
    nonce = bytes.fromhex(KEY["mac"]) + b"\xd2\xfc" + bytes.fromhex(info) + counter
    out = AESCCM(bytes.fromhex(KEY["bindkey"]), tag_length=4).encrypt(
        nonce, bytes.fromhex(objects), None
    )
    return info + (out[:-4] + counter + out[-4:]).hex()


@pytest.mark.parametrize(
    ("text", "name", "value"),
    [
        # bthome-ble, tests/test_parser_v2.py
        ("40065e1f", "mass_kg", 80.3),
        ("40073e1d", "mass_lb", 74.86),
        ("4008ca06", "dew_point_c", 17.38),
        ("400960", "count", 96),
        ("4005138a14", "illuminance_lux", 13460.67),
        ("400a138a14", "energy_kwh", 1346.067),
        ("400b021b00", "power_w", 69.14),
        ("400c020c", "voltage_v", 3.074),
        ("400d120c", "pm2_5_ug_m3", 3090),
        ("4012e204", "co2_ppm", 1250),
        ("40133301", "tvoc_ug_m3", 307),
        ("4014020c", "moisture_pct", 30.74),
        ("40400c00", "distance_mm", 12),
        ("40414e00", "distance_m", 7.8),
        ("40424e3400", "duration_s", 13.39),
        ("40434e34", "current_a", 13.39),
        ("40444e34", "speed_m_s", 133.9),
        ("40451101", "temperature_c", 27.3),
        ("404632", "uv_index", 5.0),
        ("40478756", "volume_l", 2215.1),
        ("4048dc87", "volume_ml", 34780),
        ("4049dc87", "volume_flow_rate_m3_h", 34.78),
        ("404a020c", "voltage_v", 307.4),
        ("404b138a14", "gas_m3", 1346.067),
        ("404c41018a01", "gas_m3", 25821.505),
        ("404d12138a14", "energy_kwh", 344593.17),
        ("404e87562a01", "volume_l", 19551.879),
        ("404f87562a01", "water_l", 19551.879),
        ("40518756", "acceleration_m_s2", 22.151),
        ("40528756", "gyroscope_deg_s", 22.151),
        ("40540c48656c6c6f20576f726c6421", "raw", "48656c6c6f20576f726c6421"),
        ("405587562a01", "volume_storage_l", 19551.879),
        ("4056e803", "conductivity_us_cm", 1000),
        ("4057ea", "temperature_c", -22),
        ("4058ea", "temperature_c", -7.7),
        ("4059ea", "count", -22),
        ("405aeaea", "count", -5398),
        ("405bea0234ea", "count", -365690134),
        ("405c02fbffff", "power_w", -12.78),
        ("405d02ea", "current_a", -5.63),
        ("405e3f75", "direction_deg", 300.15),
        ("405f11d5", "precipitation_mm", 5454.5),
        ("406001", "channel", 1),
        ("4061ac0d", "rotational_speed_rpm", 3500),
        ("40624099dfff", "speed_m_s", -2.123456),
        ("406402", "light_level", 2),
        # the Kaitai description, which alone has these; and an empty text
        ("40f00102", "device_type_id", 0x0201),
        ("40f101020304", "firmware_version", 0x04030201),
        ("40f2010203", "firmware_version", 0x030201),
        ("405300", "text", ""),
    ],
)
def test_value(text, name, value):
    """Scaled, signed and unscaled objects, and back; whole factors give integers."""
    found = look(text).plain["objects"][0]
    assert found["name"] == name
    assert (
        found["value"] == pytest.approx(value, rel=1e-9)
        if isinstance(value, float)
        else found["value"] == value
    )
    assert type(found["value"]) is type(value)
    assert encode("bthome-v2", look(text).plain).hex() == text


@pytest.mark.parametrize(
    ("number", "row"), OBJECTS.items(), ids=lambda x: f"{x:02x}" if isinstance(x, int) else x[0]
)
def test_every_object_has_its_width(number, row):
    """All of it decodes, one octet less is truncated, at the object."""
    kind = row[1]
    body = "03414243" if kind in ("text", "raw") else "01" * SIZES[kind]
    text = f"400001{number:02x}{body}"
    assert look(text).error is None
    assert len(values(text)) == 2
    assert encode("bthome-v2", look(text).plain).hex() == text
    code, offset, lenient = fault(text[:-2])
    assert (code, offset) == ("object_truncated", 3)
    assert [item["id"] for item in lenient["objects"]] == [0]


@pytest.mark.parametrize(
    "number", [number for number, row in OBJECTS.items() if row[1][1:].isdigit()]
)
def test_every_number_at_its_limits(number):
    """The smallest and the largest raw value survive decode and encode; one step more is refused."""
    name, kind, factor = OBJECTS[number]
    bits = 8 * SIZES[kind]
    limits = (-(1 << bits - 1), (1 << bits - 1) - 1) if kind[0] == "s" else (0, (1 << bits) - 1)
    for raw in limits:
        octets = (raw & ((1 << bits) - 1)).to_bytes(bits // 8, "little")
        text = f"40{number:02x}{octets.hex()}"
        assert values(text) == [pytest.approx(raw * factor)]
        assert encode("bthome-v2", look(text).plain).hex() == text
    for raw in (limits[0] - 1, limits[1] + 1):
        item = {"id": number, "name": name, "value": raw * factor}
        with pytest.raises(EncodeError) as caught:
            encode("bthome-v2", plain(objects=[item]))
        assert caught.value.path == "objects[0].value"


@pytest.mark.parametrize("info", ["00", "20", "60", "80", "a0", "e0"])
def test_another_version(info):
    assert fault(f"{info}0201ff") == ("version", 0, {})


def test_version_comes_before_length():
    """Step 3 before step 4: an encrypted packet of two octets with a wrong version."""
    assert fault("6101")[:2] == ("version", 0)


@pytest.mark.parametrize("text", ["", "42", "42b2188d38c1", "41" + "00" * 7, "43" + "00" * 13])
def test_too_short(text):
    assert fault(text, KEY) == ("frame_length", None, {})


def test_shortest_of_each_kind():
    """Plain 1, with address 7, encrypted 9 and 15."""
    assert look("40").plain["objects"] == []
    assert look("42b2188d38c1a4").plain["objects"] == []
    assert look("41" + "00" * 8).plain["ciphertext"] == ""
    assert look("43" + "00" * 14).plain["counter"] == 0


def test_info_bits_3_and_4_are_ignored():
    found = look("5c0109")
    assert found.error is None
    assert found.plain == {
        "version": 2, "encrypted": False, "trigger_based": True,
        "objects": [{"id": 1, "name": "battery_pct", "value": 9}],
    }  # fmt: skip


def test_order_and_repetition_are_accepted():
    assert values("400109000501090109") == [9, 5, 9, 9]


@pytest.mark.parametrize("number", sorted(set(range(256)) - OBJECTS.keys()))
def test_unknown_object(number):
    """Its length is unknown: reported even as the last octet, and the walk ends."""
    for tail in ("", "00", "010902ca09"):
        code, offset, lenient = fault(f"400109{number:02x}{tail}")
        assert (code, offset) == ("unknown_object", 3)
        assert lenient["objects"] == [{"id": 1, "name": "battery_pct", "value": 9}]


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("400f02", []),
        ("402dff0109", [1]),
        ("403a070109", [1]),
        ("403a81", []),
        ("4001093c0305", [1]),
        ("40010a3c03050109", [1, 1]),
    ],
)
def test_undefined_event(text, kept):
    """Binary sensor above 1, button and dimmer outside their tables: left out, the others stay."""
    code, offset, lenient = fault(text)
    assert code == "event_code"
    assert offset == (1 if text[2:4] != "01" else 3)
    assert [item["id"] for item in lenient["objects"]] == kept


def test_defined_events():
    for code, name in BUTTON.items():
        assert values(f"403a{code:02x}") == [name]
    for code, name in DIMMER.items():
        assert look(f"403c{code:02x}ff").plain["objects"] == [
            {"id": 0x3C, "name": "dimmer", "value": name, "steps": 255}
        ]


def test_text_that_is_not_utf8():
    code, offset, lenient = fault("4001095302c3280005")
    assert (code, offset) == ("text_utf8", 3)
    assert [item["id"] for item in lenient["objects"]] == [1, 0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("403c07", "object_truncated"),  # undefined code, but the steps are missing
        ("405305c328", "object_truncated"),  # not UTF-8, but cut off
        ("4053", "object_truncated"),
        ("4054", "object_truncated"),
        ("40fe", "unknown_object"),
    ],
)
def test_precedence_within_an_object(text, code):
    """Does it fit, is it known, is its value defined."""
    assert fault(text)[:2] == (code, 1)


def test_the_first_fault_in_order_wins():
    """A bad value in an early object is reported before a truncated later one; the lenient walk notes both."""
    assert fault("403a0702ca")[:2] == ("event_code", 1)
    found = look("403a07010902ca", lenient=True)
    assert [(doubt.code, doubt.offset) for doubt in found.doubts] == [
        ("event_code", 1),
        ("object_truncated", 5),
    ]
    assert [item["id"] for item in found.plain["objects"]] == [1]


# --- encryption -----------------------------------------------------------------------------------


def test_without_the_key_the_objects_are_absent():
    """Counter, ciphertext and MIC are what the octets tell; they encode back."""
    for context in (None, {"bindkey": KEY["bindkey"]}, {"mac": KEY["mac"]}):
        found = look(SEALED, context).plain
        assert found == {
            "version": 2, "encrypted": True, "trigger_based": False,
            "counter": 857870592, "ciphertext": "a47266c95f73", "mic": "78237214",
        }  # fmt: skip
        assert encode("bthome-v2", found).hex() == SEALED


@pytest.mark.parametrize("place", range(1, 15))
def test_any_changed_octet_is_a_mic_fault(place):
    data = bytearray.fromhex(SEALED)
    data[place] ^= 1
    assert fault(data.hex(), KEY) == ("mic", None, {})


@pytest.mark.parametrize("change", [{"bindkey": "00" * 16}, {"mac": "5448e68f80a6"}])
def test_another_key_or_address(change):
    assert fault(SEALED, KEY | change) == ("mic", None, {})


def test_the_info_octet_is_authenticated():
    """Bits 2 to 4 are part of the nonce as they were sent."""
    assert fault("45" + SEALED[2:], KEY)[0] == "mic"
    assert look(sealed("0109", "59"), KEY).plain["objects"][0]["value"] == 9


def test_address_in_the_packet_serves_as_nonce():
    found = look("43a5808fe64854f196c06ffb4900112233f08ecbde", {"bindkey": KEY["bindkey"]})
    assert [item["value"] for item in found.plain["objects"]] == [25.06, 50.55]
    assert found.plain["mac"] == "54:48:e6:8f:80:a5"


@pytest.mark.parametrize(
    ("objects", "code", "offset"),
    [
        ("0109fe", "unknown_object", 3),
        ("0109020a", "object_truncated", 3),
        ("01093a07", "event_code", 3),
    ],
)
def test_fault_in_the_plaintext(objects, code, offset):
    """Checked after the tag, at the same octet of the packet."""
    found = fault(sealed(objects), KEY)
    assert found[:2] == (code, offset)
    assert [item["id"] for item in found[2]["objects"]] == [1]
    assert found[2]["counter"] == 0x33221100
    tampered = sealed(objects)[:-2] + "00"
    assert fault(tampered, KEY)[0] == "mic"


def test_malformed_key_is_a_usage_error():
    with pytest.raises(UsageError, match="bindkey"):
        look(SEALED, {"bindkey": "12", "mac": KEY["mac"]})


def test_objects_of_an_encrypted_packet_have_spans_in_the_packet():
    tree = {node.name: node for node in look(SEALED, KEY).tree}
    assert (tree["objects"].start, tree["objects"].end) == (1, 7)
    first = tree["objects"].children[0]
    assert [(n.name, n.value, n.unit, n.start, n.end) for n in first.children] == [
        ("id", 2, None, 1, 2),
        ("temperature_c", 25.06, "°C", 2, 4),
    ]
    assert (tree["counter"].start, tree["mic"].start) == (7, 11)


# --- encode ---------------------------------------------------------------------------------------


def plain(**more):
    return {"version": 2, "encrypted": False, "trigger_based": False, "objects": []} | more


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        (plain(version=1), "version"),
        (plain(counter=1), "counter"),
        (plain(mic="00000000"), "mic"),
        (plain(mac="a4:c1:38"), "mac"),
        ({"version": 2, "encrypted": False, "trigger_based": False}, "objects"),
        (plain(encrypted=True), "counter"),
        (plain(encrypted=True, counter=1 << 32), "counter"),
        (plain(encrypted=True, counter=1, ciphertext="00"), "ciphertext"),
        (plain(objects=[{"id": 0xFE, "name": "x", "value": 1}]), "objects[0].id"),
        (plain(objects=[{"id": 1, "name": "battery", "value": 1}]), "objects[0].name"),
        (plain(objects=[{"id": 1, "name": "battery_pct", "value": True}]), "objects[0].value"),
        (plain(objects=[{"id": 1, "name": "battery_pct", "value": "9"}]), "objects[0].value"),
        (plain(objects=[{"id": 1, "name": "battery_pct", "value": None}]), "objects[0].value"),
        (plain(objects=[{"id": 1, "name": "battery_pct", "value": 1.5}]), "objects[0].value"),
        (
            plain(objects=[{"id": 1, "name": "battery_pct", "value": 1, "steps": 1}]),
            "objects[0].steps",
        ),
        (plain(objects=[{"id": 0x0F, "name": "generic", "value": 1}]), "objects[0].value"),
        (plain(objects=[{"id": 0x3A, "name": "button", "value": "twice"}]), "objects[0].value"),
        (plain(objects=[{"id": 0x3C, "name": "dimmer", "value": None}]), "objects[0].steps"),
        (plain(objects=[{"id": 0x53, "name": "text", "value": "x" * 256}]), "objects[0].value"),
        (plain(objects=[{"id": 0x54, "name": "raw", "value": "0g"}]), "objects[0].value"),
        (plain(objects=[{"id": 1}]), "objects[0]"),
        (plain(objects=5), "objects"),
    ],
)
def test_encode_error_names_the_field(fields, path):
    with pytest.raises(EncodeError) as caught:
        encode("bthome-v2", fields)
    assert caught.value.path == path


def test_encrypting_needs_key_and_address():
    fields = look(SEALED, KEY).plain
    for missing, path in (("bindkey", "context.bindkey"), ("mac", "mac")):
        with pytest.raises(EncodeError) as caught:
            encode("bthome-v2", fields, {k: v for k, v in KEY.items() if k != missing})
        assert caught.value.path == path


def test_whole_floats_are_integers():
    """Other programs may write 9.0 for 9."""
    fields = plain(version=2.0, objects=[{"id": 1.0, "name": "battery_pct", "value": 9.0}])
    assert encode("bthome-v2", fields).hex() == "400109"


# --- the duplicate filter -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet", "last", "since_us", "new"),
    [
        (7, None, 0, True),
        (7, 7, 0, False),
        (8, 7, 0, True),
        (70, 7, 0, True),  # 63 ahead
        (71, 7, 0, False),  # 64 ahead: taken for an old one
        (6, 7, 0, False),
        (0, 255, 0, True),
        (62, 255, 0, True),  # 63 ahead over the wrap
        (63, 255, 0, False),
        (7, 7, 4_000_000, False),
        (7, 7, 4_000_001, True),
        (6, 7, 4_000_001, True),
    ],
)
def test_duplicate_filter(packet, last, since_us, new):
    assert is_new_packet(packet, last, since_us) is new
