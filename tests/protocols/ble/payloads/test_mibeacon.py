"""MiBeacon: recordings, section 5.4, optional header parts, encryption, encode errors."""

from __future__ import annotations

import pytest

from protocols.dissect import Block, dissect, encode
from protocols.errors import EncodeError

KEY = {"bindkey": "e9ea895fac7cca6d30532432a516f3a8", "mac": "a4c1380283f4"}
SEALED = (
    "58585b0550f4830238c1a495ef58763c26000097e2abb5"  # xiaomi-ble, LYWSD03MMC, MAC in the frame
)


def look(text, context=None, *, lenient=False):
    data = bytes.fromhex(text)
    return dissect(
        Block(kind="service_data", data=data, service_uuid="fe95"), context, lenient=lenient
    )


def fault(text, context=None):
    found = look(text, context)
    assert found.error is not None
    return found.error.code, found.error.offset, found.plain


@pytest.mark.parametrize(
    ("text", "objects"),
    [
        # xiaomi-ble, tests/test_parser.py
        ("5020aa01a3bf2e3b342d580d1004b40095020a10013b", [(0x100D, "b4009502"), (0x100A, "3b")]),
        ("7120980012f34f6b8d7cc40d041002c400", [(0x1004, "c400")]),
        ("50305b05034c94b438c1a40d10041001ea01", [(0x100D, "1001ea01")]),
        ("4030dd032403000101", [(3, "01")]),
        ("5040d60301d6030a38c1a419100100", [(0x1019, "00")]),
        ("7022db006fc16fddf9810009002005c60d630d51", [(0x2000, "c60d630d51")]),
        ("5059db780df4f80238c1a40d1004eb00e701", [(0x100D, "eb00e701")]),
    ],
)
def test_recorded_objects_in_clear(text, objects):
    found = look(text)
    assert found.error is None
    assert [(item["id"], item["data"]) for item in found.plain["objects"]] == objects
    control = int.from_bytes(bytes.fromhex(text[:4]), "little")
    rebuilt = (control & ~7).to_bytes(2, "little").hex() + text[4:]  # bits 0 to 2 are not kept
    assert encode("mibeacon", found.plain).hex() == rebuilt


@pytest.mark.parametrize(
    ("text", "key", "mac", "clear"),
    [
        # xiaomi-ble, tests/test_parser.py: with and without the address in the frame, versions 5
        ("5858480b685f12342d585a0b1841e2aa000e00a4964fb5", "814aac74c4f17b6c1581e1ab87816b99", "5a582d34125f", "0610025402"),
        ("58586f0607892012342d585f176dd54f0200002fa453fa", "a3bfe9853dd85a620debe3620caaa351", "582d34122089", "041002e200"),
        ("4858594fef546f0e7450729321010038d74333", "872ea1bb02ba9713e885cb054c537368", "582d3487940c", "0148046666be41"),
        ("5858e4162c84535638c1a42b6ef2e91200006c884d9e", "a115210eed7a88e50ad52662e732a9fb", "a4c138565384", "024c013a"),
        ("48590312a41b776e7c96add7000000f2bf545b", "b2cf9a553d53571b5657defd582d676e", "2c1165257004", "084c0400003442"),
        ("5859bb3804adb9a538c1a4dc10b50400002c122fb6", "a74510b40386d35ae6227a7451efc76e", "a4c138a5b9ad", "0c4a00"),
    ],
)  # fmt: skip
def test_recorded_encrypted_frames(text, key, mac, clear):
    """Opened, and sealed again from the objects in clear with the extended counter of the frame."""
    context = {"bindkey": key, "mac": mac}
    found = look(text, context)
    assert found.error is None
    assert found.plain["decrypted_payload"] == clear
    assert "objects" not in found.plain
    assert encode("mibeacon", found.plain, context).hex() == text
    fields = {k: v for k, v in found.plain.items() if k != "encrypted_payload"}
    assert encode("mibeacon", fields, context | {"extended_counter": text[-14:-8]}).hex() == text


def test_an_edited_clear_payload_is_sealed_anew():
    fields = look(SEALED, KEY).plain | {"decrypted_payload": "0610020000"}
    again = encode("mibeacon", fields, KEY).hex()
    assert again != SEALED
    assert look(again, KEY).plain["decrypted_payload"] == "0610020000"


def test_header_parts_by_flag():
    """MAC, capability and IO capability are there when the frame control, then the capability, say so."""
    assert (
        look("0000980001")
        .plain.keys()
        .isdisjoint({"mac", "capability", "io_capability", "objects"})
    )
    assert look("1000980001665544332211").plain["mac"] == "11:22:33:44:55:66"
    assert look("200098000117").plain["capability"] == 0x17
    assert "io_capability" not in look("200098000117").plain
    both = look("20009800012001").plain
    assert (both["capability"], both["io_capability"]) == (0x20, 1)
    assert look("0000980001").plain["product_id"] == 0x98


def test_frame_control_bits():
    """One flag at a time; version and authentication mode are numbers."""
    names = {5: "capability_included", 7: "mesh", 8: "registered", 9: "solicited"}
    for bit, name in names.items():
        found = look((1 << bit).to_bytes(2, "little").hex() + "98000100").plain
        assert [k for k, v in found.items() if v is True] == [name]
    found = look("009c980001").plain
    assert (found["version"], found["auth_mode"]) == (9, 3)
    assert look("0700980001").plain == look("0000980001").plain  # bits 0 to 2 are ignored


@pytest.mark.parametrize(
    ("control", "size"),
    [
        ("0000", 5),
        ("1000", 11),
        ("2000", 6),
        ("3000", 12),
        ("4000", 5),
        ("0800", 12),
        ("1850", 18),
        ("3800", 19),
    ],
)
def test_shortest_frame(control, size):
    """5, + 6 MAC, + 1 capability, + 7 when encrypted; one octet less is `frame_length`."""
    text = control + "00" * (size - 2)
    assert look(text).error is None
    for shorter in range(size):
        assert fault(text[: 2 * shorter]) == ("frame_length", None, {})


def test_io_capability_lengthens_the_header():
    assert fault("200098000120") == ("frame_length", None, {})
    assert fault("280098000120" + "00" * 7) == ("frame_length", None, {})
    assert look("280098000120" + "00" * 8).error is None


def test_octets_without_the_object_bit_are_ignored():
    found = look("00009800010410")
    assert found.error is None
    assert "objects" not in found.plain
    assert (found.tree[-1].name, found.tree[-1].value, found.tree[-1].start) == (
        "ignored",
        "0410",
        5,
    )


def test_object_bit_without_objects():
    assert look("4000980001").plain["objects"] == []


@pytest.mark.parametrize("rest", ["04", "0410", "041002", "041002f6"])
def test_object_past_the_end(rest):
    """At the first octet of the object, whichever of its octets is missing."""
    first = "06100301c202"
    code, offset, lenient = fault("4020980001" + first + rest)
    assert (code, offset) == ("tlv_length_overrun", 11)
    assert lenient["objects"] == [{"id": 0x1006, "data": "01c202"}]


@pytest.mark.parametrize("place", [4, 11, 13, 15, 19, 22])
def test_a_changed_octet_is_a_mic_fault(place):
    """Frame counter, ciphertext, extended counter and MIC."""
    data = bytearray.fromhex(SEALED)
    data[place] ^= 1
    assert fault(data.hex(), KEY) == ("mic", None, {})


def test_wrong_key():
    assert fault(SEALED, KEY | {"bindkey": "00" * 16}) == ("mic", None, {})


@pytest.mark.parametrize("context", [None, {"mac": KEY["mac"]}])
def test_without_key(context):
    found = look(SEALED, context)
    assert found.error is None
    assert found.plain["encrypted_payload"] == "95ef58763c26000097e2abb5"
    assert "decrypted_payload" not in found.plain
    assert encode("mibeacon", found.plain, context).hex() == SEALED


def test_the_frame_carries_the_address_or_the_context_does():
    assert look(SEALED, {"bindkey": KEY["bindkey"]}).plain["decrypted_payload"] == "061002d301"
    without = "4858594fef546f0e7450729321010038d74333"
    assert (
        "decrypted_payload"
        not in look(without, {"bindkey": "872ea1bb02ba9713e885cb054c537368"}).plain
    )


def test_older_versions_stay_closed():
    """xiaomi-ble, YLKG07YL: version 3 has another cipher, so nothing is checked."""
    found = look("5830b603d28b98c54124f8c3491476757e00000099", KEY)
    assert found.error is None
    assert found.plain["version"] == 3
    assert "decrypted_payload" not in found.plain


def test_fault_in_the_plaintext():
    """Checked after the tag, at the same octet of the frame; the clear payload is kept."""
    fields = look(SEALED, KEY).plain | {"decrypted_payload": "0610010709100407"}
    text = encode("mibeacon", fields, KEY).hex()
    code, offset, lenient = fault(text, KEY)
    assert (code, offset) == ("tlv_length_overrun", 15)
    assert lenient["decrypted_payload"] == "0610010709100407"
    assert fault(text[:-2] + "00", KEY)[0] == "mic"


def test_tree_of_an_opened_frame():
    tree = {node.name: node for node in look(SEALED, KEY).tree}
    first = tree["objects"].children[0]
    assert (tree["objects"].start, tree["objects"].end) == (11, 16)
    assert [(n.name, n.start, n.end) for n in first.children] == [
        ("id", 11, 13),
        ("data_length", 13, 14),
        ("data", 14, 16),
    ]
    assert first.children[0].meaning == "humidity, u16 0.1 %"
    assert (tree["extended_counter"].start, tree["mic"].start) == (16, 19)


BASE = look("0000980001").plain


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"mac": "11:22:33:44:55:66"}, "mac"),
        ({"mac_included": True}, "mac"),
        ({"mac_included": True, "mac": "11:22"}, "mac"),
        ({"capability": 1}, "capability"),
        ({"capability_included": True}, "capability"),
        ({"capability_included": True, "capability": 0x20}, "io_capability"),
        ({"capability_included": True, "capability": 1, "io_capability": 1}, "io_capability"),
        ({"objects": []}, "objects"),
        ({"object_included": True}, "objects"),
        ({"object_included": True, "objects": [{"id": 1 << 16, "data": ""}]}, "objects[0].id"),
        ({"object_included": True, "objects": [{"id": 1, "data": "0"}]}, "objects[0].data"),
        ({"object_included": True, "objects": [{"id": 1, "data": "00" * 256}]}, "objects[0].data"),
        ({"decrypted_payload": ""}, "decrypted_payload"),
        ({"encrypted": True}, "encrypted_payload"),
        ({"encrypted": True, "encrypted_payload": "00" * 6}, "encrypted_payload"),
        ({"encrypted": True, "decrypted_payload": "", "version": 3}, "version"),
        ({"encrypted": True, "decrypted_payload": "", "version": 5}, "mac"),
        ({"version": 16}, "version"),
        ({"product_id": -1}, "product_id"),
        ({"frame_counter": 256}, "frame_counter"),
    ],
)
def test_encode_error_names_the_field(change, path):
    with pytest.raises(EncodeError) as caught:
        encode("mibeacon", BASE | change)
    assert caught.value.path == path


def test_sealing_needs_key_and_counter():
    fields = look(SEALED, KEY).plain
    del fields["encrypted_payload"]
    for context, path in (
        (None, "context.extended_counter"),
        ({"extended_counter": "000000"}, "context.bindkey"),
    ):
        with pytest.raises(EncodeError) as caught:
            encode("mibeacon", fields, context)
        assert caught.value.path == path
