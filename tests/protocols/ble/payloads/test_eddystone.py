"""Eddystone frames: order of checks, codes, lenient results, nulls, encoding, and the tree."""

from __future__ import annotations

import subprocess
import sys

import pytest

from protocols.ble.payloads import FORMATS
from protocols.ble.payloads.eddystone import tlm_frame, uid_frame, url_frame
from protocols.ble.payloads.eddystone_url import compress
from protocols.dissect import Block, Dissection, dissect, encode
from protocols.errors import EncodeError, UsageError

NAMES = [
    "eddystone", "eddystone-uid", "eddystone-url", "eddystone-tlm", "eddystone-etlm", "eddystone-eid",
    "eddystone-find-hub", "eddystone-config",
]  # fmt: skip
UID = "00e31234567890123467890100000000000100"
TLM = "20000b1847110000146700002ac4"
ETLM = "2001de5cba521b3904116b42db73a55a5745"
ETLM_KEYS = {
    "identity_key": "000102030405060708090a0b0c0d0e0f",
    "rotation_exponent": 9,
    "beacon_time_s": 123456789,
}
EID = "30efcd012db1d321f609"
EID_KEYS = {
    "identity_key": "589417b0324b1b71d7a6751852867ae8",
    "rotation_exponent": 10,
    "beacon_time_s": 65280,
}


def frame(octets: str, form: str | None = None, keys: dict | None = None) -> Dissection:
    block = Block(kind="service_data", service_uuid="feaa", data=bytes.fromhex(octets))
    return dissect(block, keys, form=form)


# (octets, code, offset, what a tolerant decoder still gives): section 5 of the payload rules
FAULTS = [
    ("", "frame_length", None, {}),
    # UID
    ("00", "frame_length", None, {}),
    ("00" * 17, "frame_length", None, {}),
    ("00" * 19, "frame_length", None, {}),
    ("00" * 21, "frame_length", None, {}),
    ("05" + "00" * 17, "reserved_nonzero", 0, {}),
    ("05" + "00" * 18, "frame_length", None, {}),
    (
        "00e3" + "11" * 10 + "22" * 6 + "0001", "reserved_nonzero", 18,
        {"frame": "uid", "tx_power_0m_dbm": -29, "namespace": "11" * 10, "instance": "22" * 6, "rfu_present": True},
    ),
    ("01e3" + "11" * 16 + "0100", "reserved_nonzero", 0, {}),
    # URL
    ("10", "frame_length", None, {}),
    ("10ec", "frame_length", None, {}),
    ("1fec", "frame_length", None, {}),
    ("10ec03", "url_empty", None, {"frame": "url", "tx_power_0m_dbm": -20}),
    ("10ec09", "url_empty", None, {"frame": "url", "tx_power_0m_dbm": -20}),
    ("1fec03", "url_empty", None, {}),
    ("1fec0361", "reserved_nonzero", 0, {}),
    ("1fec0961", "reserved_nonzero", 0, {}),
    ("10ec0461", "url_scheme", 2, {"frame": "url", "tx_power_0m_dbm": -20}),
    ("10ecff0e", "url_scheme", 2, {"frame": "url", "tx_power_0m_dbm": -20}),
    ("10ec0361200e", "url_code", 4, {"frame": "url", "tx_power_0m_dbm": -20, "url": "https://a\ufffd\ufffd"}),
    ("10ec030e", "url_code", 3, {"frame": "url", "tx_power_0m_dbm": -20, "url": "https://\ufffd"}),
    ("10ec037f61", "url_code", 3, {"frame": "url", "tx_power_0m_dbm": -20, "url": "https://\ufffda"}),
    ("10ec03ff", "url_code", 3, {"frame": "url", "tx_power_0m_dbm": -20, "url": "https://\ufffd"}),
    (
        "10ec03" + "61" * 18, "url_too_long", None,
        {"frame": "url", "tx_power_0m_dbm": -20, "url": "https://" + "a" * 18},
    ),
    ("10ec09" + "61" * 18, "url_too_long", None, {"frame": "url", "tx_power_0m_dbm": -20}),
    # TLM
    ("20", "frame_length", None, {}),
    ("2f", "frame_length", None, {}),
    ("2002", "tlm_version", 1, {"frame": "tlm", "version": 2}),
    ("2f02", "tlm_version", 1, {"frame": "tlm", "version": 2}),
    ("20ff" + "00" * 40, "tlm_version", 1, {"frame": "tlm", "version": 255}),
    (TLM[:-2], "frame_length", None, {}),
    (TLM + "00", "frame_length", None, {}),
    ("21" + TLM[2:], "reserved_nonzero", 0, {}),
    (ETLM[:-2], "frame_length", None, {}),
    (ETLM + "00", "frame_length", None, {}),
    ("28" + ETLM[2:], "reserved_nonzero", 0, {}),
    # EID
    ("30", "frame_length", None, {}),
    (EID[:-2], "frame_length", None, {}),
    (EID + "00", "frame_length", None, {}),
    ("31" + EID[2:], "reserved_nonzero", 0, {}),
    # Find Hub and unassigned types
    ("40", "frame_length", None, {}),
    ("40" + "00" * 19, "frame_length", None, {}),
    ("41" + "00" * 22, "frame_length", None, {}),
    ("41" + "00" * 31, "frame_length", None, {}),
    ("41" + "00" * 34, "frame_length", None, {}),
    ("42", "frame_type", 0, {}),
    ("4f" + "00" * 20, "frame_type", 0, {}),
    ("50", "frame_type", 0, {}),
    ("ff" + "00" * 20, "frame_type", 0, {}),
]  # fmt: skip


@pytest.mark.parametrize(("octets", "code", "offset", "kept"), FAULTS)
def test_first_fault_and_lenient_result(octets, code, offset, kept):
    found = frame(octets)
    assert found.format == "eddystone"
    assert found.error is not None
    assert (found.error.code, found.error.offset) == (code, offset)
    assert found.plain == kept


# (form, octets, code, offset, lenient): a named format judges foreign frames itself
NAMED = [
    ("eddystone-uid", EID, "frame_type", 0, {}),
    ("eddystone-uid", "", "frame_length", None, {}),
    ("eddystone-url", TLM, "frame_type", 0, {}),
    ("eddystone-tlm", UID, "frame_type", 0, {}),
    ("eddystone-tlm", ETLM, "tlm_version", 1, {"frame": "tlm", "version": 1}),
    ("eddystone-tlm", "20", "frame_length", None, {}),
    ("eddystone-etlm", "20", "frame_length", None, {}),
    ("eddystone-etlm", "3001", "frame_type", 0, {}),
    ("eddystone-etlm", TLM, "tlm_version", 1, {}),
    ("eddystone-etlm", "2f02", "tlm_version", 1, {}),
    ("eddystone-etlm", "2f01", "frame_length", None, {}),
    ("eddystone-etlm", "2f" + ETLM[2:], "reserved_nonzero", 0, {}),
    ("eddystone-eid", "", "frame_length", None, {}),
    ("eddystone-eid", UID, "frame_type", 0, {}),
    ("eddystone-eid", "3f", "frame_length", None, {}),
    ("eddystone-eid", "3f" + EID[2:], "reserved_nonzero", 0, {}),
    ("eddystone-find-hub", "42" + "00" * 20, "frame_type", 0, {}),
    ("eddystone-find-hub", TLM, "frame_type", 0, {}),
]


@pytest.mark.parametrize(("form", "octets", "code", "offset", "kept"), NAMED)
@pytest.mark.parametrize("keys", [{}, ETLM_KEYS], ids=["no key", "key"])
def test_named_format_judges_foreign_frames(form, octets, code, offset, kept, keys):
    found = frame(octets, form, keys)
    assert found.error is not None
    assert (found.error.code, found.error.offset) == (code, offset)
    assert found.plain == kept


@pytest.mark.parametrize(
    ("octets", "keys", "form"),
    [
        (EID, {}, "eddystone"),
        (EID, EID_KEYS, "eddystone-eid"),
        ("31", EID_KEYS, "eddystone"),  # the key fits on the whole first octet
        (ETLM, {}, "eddystone"),
        (ETLM, ETLM_KEYS, "eddystone-etlm"),
        (TLM, ETLM_KEYS, "eddystone"),
        ("2101", ETLM_KEYS, "eddystone"),
        (UID, EID_KEYS, "eddystone"),
        ("41" + "00" * 20, EID_KEYS, "eddystone"),
    ],
)
def test_format_is_found_by_first_octets_and_key(octets, keys, form):
    assert frame(octets, keys=keys).format == form


def test_shortest_and_longest_url():
    assert frame("10ec0361").plain["url"] == "https://a"
    longest = frame("10ec03" + "61" * 17)
    assert longest.error is None
    assert longest.plain["url"] == "https://" + "a" * 17


@pytest.mark.parametrize("octet", [0x21, 0x7E])
def test_ends_of_the_literal_range(octet):
    assert frame(f"10ec03{octet:02x}").plain["url"] == "https://" + chr(octet)


def test_every_expansion_code_as_the_specification_lists_them():
    names = [".com", ".org", ".edu", ".net", ".info", ".biz", ".gov"]
    for code, name in enumerate(names):
        assert frame(f"10000361{code:02x}").plain["url"] == f"https://a{name}/"
        assert frame(f"10000361{code + 7:02x}").plain["url"] == f"https://a{name}"


@pytest.mark.parametrize("power", [-128, -100, 20, 127])
def test_every_tx_power_is_kept(power):
    octet = f"{power & 0xFF:02x}"
    for octets in ("00" + octet + "00" * 18, "10" + octet + "0361", "30" + octet + "00" * 8):
        found = frame(octets)
        assert found.error is None
        assert found.plain["tx_power_0m_dbm"] == power


def test_find_hub_lengths_say_whether_flags_are_sent():
    for octets, flags in (("40" + "a1" * 20, None), ("40" + "a1" * 20 + "7f", 0x7F)):
        assert frame(octets).plain == {
            "frame": "find_hub",
            "unwanted_tracking_protection": False,
            "ephemeral_id": "a1" * 20,
            "hashed_flags": flags,
        }
    wide = frame("41" + "b2" * 32 + "ff").plain
    assert (wide["ephemeral_id"], wide["hashed_flags"]) == ("b2" * 32, 0xFF)
    assert wide["unwanted_tracking_protection"] is True
    assert frame("41" + "b2" * 32).plain["hashed_flags"] is None


# --- keys -----------------------------------------------------------------------------------------


def test_eid_of_another_key_is_no_fault_and_derives_from_the_context():
    found = frame("30ef" + "00" * 8, keys=EID_KEYS)
    assert found.error is None
    assert found.plain["eid"] == "00" * 8
    assert found.plain["temporary_key"] == "e247923c018676946fa1315aa19a4048"
    assert next(n for n in found.tree if n.name == "eid").meaning.startswith("is not")
    right = frame(EID, keys=EID_KEYS)
    assert next(n for n in right.tree if n.name == "eid").meaning.startswith("is the id")


@pytest.mark.parametrize(
    "change",
    [
        {"identity_key": "ff" * 16},
        {"rotation_exponent": 8},
        {"beacon_time_s": 123456789 + 512},
    ],
)
def test_etlm_with_a_wrong_key_exponent_or_time_is_mic(change):
    found = frame(ETLM, keys=ETLM_KEYS | change)
    assert found.error is not None
    assert (found.error.code, found.error.offset) == ("mic", None)
    assert found.plain == {}


@pytest.mark.parametrize("at", range(2, 18))
def test_etlm_with_any_octet_changed_is_mic(at):
    octets = bytearray.fromhex(ETLM)
    octets[at] ^= 1
    found = frame(octets.hex(), keys=ETLM_KEYS)
    assert found.error is not None
    assert found.error.code == "mic"


@pytest.mark.parametrize("missing", ["identity_key", "rotation_exponent", "beacon_time_s"])
def test_without_a_complete_key_the_fields_are_those_of_eddystone(missing):
    keys = {name: value for name, value in ETLM_KEYS.items() if name != missing}
    assert frame(ETLM, "eddystone-etlm", keys).plain == frame(ETLM, "eddystone").plain
    assert frame(EID, "eddystone-eid", keys).plain == frame(EID, "eddystone").plain


@pytest.mark.parametrize(
    "change",
    [
        {"identity_key": "00"},
        {"identity_key": "zz" * 16},
        {"rotation_exponent": 16},
        {"rotation_exponent": -1},
        {"beacon_time_s": 1 << 32},
        {"beacon_time_s": "soon"},
    ],
)
def test_malformed_context_is_a_usage_error_that_names_it(change):
    with pytest.raises(UsageError, match=next(iter(change))):
        frame(EID, keys=EID_KEYS | change)


def test_tree_of_an_opened_frame_shows_telemetry_at_the_place_of_the_ciphertext():
    tlm = next(node for node in frame(ETLM, keys=ETLM_KEYS).tree if node.name == "tlm")
    assert [(n.name, n.start, n.end) for n in tlm.children] == [
        ("battery_mv", 2, 4), ("temperature_c", 4, 6), ("adv_count", 6, 10), ("uptime_s", 10, 14),
    ]  # fmt: skip


# --- encoding -------------------------------------------------------------------------------------

_TLM = {"frame": "tlm", "battery_mv": 1, "temperature_c": 0.0, "adv_count": 0, "uptime_s": 0.0}
_UID = {"frame": "uid", "tx_power_0m_dbm": 0, "namespace": "11" * 10, "instance": "22" * 6}
ENCODE_ERRORS = [
    ("eddystone", {}, "frame"),
    ("eddystone", {"frame": "beacon"}, "frame"),
    ("eddystone", _UID | {"namespace": "11" * 9}, "namespace"),
    ("eddystone", _UID | {"instance": "x" * 12}, "instance"),
    ("eddystone", _UID | {"tx_power_0m_dbm": 128}, "tx_power_0m_dbm"),
    ("eddystone", _UID | {"tx_power_0m_dbm": "0"}, "tx_power_0m_dbm"),
    ("eddystone", {"frame": "uid", "tx_power_0m_dbm": 0, "namespace": "11" * 10}, "instance"),
    ("eddystone", _UID | {"colour": 1}, "colour"),
    ("eddystone", {"frame": "url", "tx_power_0m_dbm": 0}, "url"),
    ("eddystone", {"frame": "url", "tx_power_0m_dbm": 0, "url": "ftp://a"}, "url"),
    ("eddystone", {"frame": "url", "tx_power_0m_dbm": 0, "url": "https://"}, "url"),
    ("eddystone", {"frame": "url", "tx_power_0m_dbm": 0, "url": "https://a b"}, "url"),
    ("eddystone", {"frame": "url", "tx_power_0m_dbm": 0, "url": "https://\ufffd"}, "url"),
    ("eddystone", _TLM | {"version": 1}, "version"),
    ("eddystone", _TLM | {"battery_mv": 0}, "battery_mv"),
    ("eddystone", _TLM | {"battery_mv": 65536}, "battery_mv"),
    ("eddystone", _TLM | {"temperature_c": -128.0}, "temperature_c"),
    ("eddystone", _TLM | {"temperature_c": 128.0}, "temperature_c"),
    ("eddystone", _TLM | {"temperature_c": float("nan")}, "temperature_c"),
    ("eddystone", _TLM | {"adv_count": -1}, "adv_count"),
    ("eddystone", _TLM | {"uptime_s": 429496729.6}, "uptime_s"),
    ("eddystone", {"frame": "tlm"}, "battery_mv"),
    ("eddystone", {"frame": "etlm", "ciphertext": "41" * 12, "salt": 1, "mic": "0102"}, "mic"),
    ("eddystone", {"frame": "etlm", "ciphertext": "41" * 12, "salt": 65536, "mic": 1}, "salt"),
    ("eddystone", {"frame": "etlm", "salt": 1, "mic": 1}, "ciphertext"),
    ("eddystone", {"frame": "eid", "tx_power_0m_dbm": 0}, "eid"),
    ("eddystone-eid", {"frame": "eid", "tx_power_0m_dbm": 0}, "context.identity_key"),
    ("eddystone-etlm", {"frame": "etlm"}, "plaintext"),
    ("eddystone-etlm", {"frame": "etlm", "plaintext": "00" * 11}, "plaintext"),
    ("eddystone-etlm", {"frame": "etlm", "plaintext": "00" * 12}, "context.identity_key"),
    (
        "eddystone",
        {"frame": "find_hub", "unwanted_tracking_protection": False, "ephemeral_id": "00" * 21}, "ephemeral_id",
    ),
    (
        "eddystone",
        {
            "frame": "find_hub", "unwanted_tracking_protection": True, "ephemeral_id": "00" * 20,
            "hashed_flags": 256,
        },
        "hashed_flags",
    ),
]  # fmt: skip


@pytest.mark.parametrize(("form", "fields", "path"), ENCODE_ERRORS)
def test_fields_that_cannot_be_sent_are_named(form, fields, path):
    with pytest.raises(EncodeError) as caught:
        encode(form, fields)
    assert path in f"{caught.value.path} {caught.value.message}"


def test_incomplete_clock_is_named_when_an_id_must_be_computed():
    keys = {"identity_key": EID_KEYS["identity_key"], "rotation_exponent": 10}
    with pytest.raises(EncodeError, match="beacon_time_s"):
        encode("eddystone-eid", {"frame": "eid", "tx_power_0m_dbm": 0}, keys)
    with pytest.raises(EncodeError, match="beacon_time_s"):
        encode("eddystone-etlm", {"frame": "etlm", "plaintext": "00" * 12}, keys | {"salt": "0000"})
    with pytest.raises(EncodeError, match="salt"):
        encode("eddystone-etlm", {"frame": "etlm", "plaintext": "00" * 12}, keys)


def test_eid_is_computed_when_the_fields_lack_it():
    assert encode("eddystone-eid", {"frame": "eid", "tx_power_0m_dbm": -17}, EID_KEYS).hex() == EID


def test_opened_telemetry_is_sealed_again_without_context_salt_or_time():
    plain = frame(ETLM, keys=ETLM_KEYS).plain
    keys = {"identity_key": ETLM_KEYS["identity_key"]}
    assert encode("eddystone-etlm", plain, keys).hex() == ETLM
    del plain["tlm"]
    assert encode("eddystone-etlm", plain, keys).hex() == ETLM


@pytest.mark.parametrize(
    ("url", "scheme", "encoded"),
    [
        ("http://www.a.com", "http://www.", b"a\x07"),  # longest prefix, not http:// + www.
        ("https://a.com/b.com/", "https://", b"a\x00b\x00"),  # expansions in the path, too
        ("https://a.company", "https://", b"a\x07pany"),
        ("https://a.information", "https://", b"a\x0brmation"),  # .info, then the rest
        ("https://.com", "https://", b"\x07"),
        ("https://www.", None, None),
    ],
)
def test_url_compression(url, scheme, encoded):
    if scheme is None:
        with pytest.raises(EncodeError, match="nothing follows"):
            compress(url)
    else:
        assert compress(url) == (scheme, encoded)


@pytest.mark.parametrize(("extra", "words"), [(1, "1 octet too long"), (5, "5 octets too long")])
def test_over_long_url_says_by_how_much(extra, words):
    assert len(url_frame("https://" + "a" * 17, 0)) == 20
    with pytest.raises(EncodeError, match=words):
        url_frame("https://" + "a" * (17 + extra), 0)


def test_tlm_counters_wrap_at_32_bits():
    """2^32 advertisements and 2^32 tenths of a second (13.6 years) start over."""
    assert tlm_frame(3000, 20.5, (1 << 32) + 7, 429496729.6 + 1.5).hex() == (
        "2000" + "0bb8" + "1480" + "00000007" + "0000000f"
    )
    assert (
        tlm_frame(None, None, 0xFFFFFFFF, 0).hex()
        == "2000" + "0000" + "8000" + "ffffffff" + "0" * 8
    )


def test_coldest_and_warmest_temperature():
    """0x8001 is a valid -127.996 °C, beside 0x8000 for "not supported"."""
    assert frame("2000000080010000000100000001").plain["temperature_c"] == -127.99609375
    assert tlm_frame(None, -127.99609375, 0, 0).hex()[8:12] == "8001"
    assert tlm_frame(None, 127.99609375, 0, 0).hex()[8:12] == "7fff"


def test_uid_frame_has_rfu_octets():
    assert uid_frame(b"\x11" * 10, b"\x22" * 6, -29).hex() == "00e3" + "11" * 10 + "22" * 6 + "0000"


# --- everything with examples ---------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES)
def test_examples_are_valid_rebuild_and_their_tree_covers_every_octet(name):
    form = FORMATS.get(name)
    assert form.examples
    for example in form.examples:
        data = bytes.fromhex(example.hex)
        found = dissect(Block(kind="service_data", data=data), example.context, form=form)
        assert found.error is None, example
        covers(found.tree, 0, len(data))
        if example.hex != "00":  # an empty slot has two forms, the shorter is built
            assert encode(form, found.plain, example.context).hex() == example.hex


def covers(nodes, start, end):
    """The nodes follow one another from `start` to `end`; bit fields share their octets."""
    at = start
    for index, node in enumerate(nodes):
        shared = (
            index and node.bits and nodes[index - 1].bits and node.start == nodes[index - 1].start
        )
        assert node.start == at or shared, node
        at = node.end
        if node.children:
            covers(node.children, node.start, node.end)
    assert at == end


def test_decoding_without_a_key_does_not_import_cryptography():
    code = (
        "import sys\n"
        "from protocols.dissect import Block, dissect\n"
        f"for octets in ({EID!r}, {ETLM!r}, {TLM!r}, '10ec0361'):\n"
        "    block = Block(kind='service_data', service_uuid='feaa', data=bytes.fromhex(octets))\n"
        "    assert dissect(block).fields is not None\n"
        "assert 'cryptography' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
