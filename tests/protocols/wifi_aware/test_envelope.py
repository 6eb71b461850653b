"""What is around a frame and what its reader is told: FCS, radiotap header, keys of the context, data that names files."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.dissect import Block, dissect, encode, format_of, registered_format, summary
from protocols.dissect import unknown_context as unknown
from protocols.errors import EncodeError, UnknownNameError, UsageError
from protocols.wifi_aware.context import CONTEXT
from protocols.wifi_aware.walker import POLICIES
from tests.protocols.wifi_aware.recordings import frames, secrets

# Discovery beacon with its FCS, captured from the air: OpenNAN tests/test_crc32.cpp
BEACON = bytes.fromhex(
    "80000000ffffffffffff025f5a1ae301506f9a017f01d023973e4c060000000064002004"
    "dd22506f9a130002000" + "1bc010d00025f5a1ae301bc010000000000280600" + "44774db10160"
)
FCS = bytes.fromhex("57e148ff")
ENCRYPTED = "wifi-aware-pair-sae-gcmp256-encrypted-followup"
SDF = {
    "frame": "sdf", "destination": "51:6f:9a:01:00:00", "source": "02:00:5e:10:a0:01",
    "bssid": "50:6f:9a:01:4d:21", "sequence_number": 0, "category": 4, "attributes": [],
}  # fmt: skip


def look(data, keys=None, kind="frame") -> Any:
    return dissect(Block(kind=kind, data=data), keys)


def nodes_of(nodes):
    for node in nodes:
        yield node
        yield from nodes_of(node.children)


def named(found, name):
    return next(node for node in nodes_of(found.tree) if node.name == name)


def uncovered(found, data):
    leaves = [node for node in nodes_of(found.tree) if not node.children]
    return set(range(len(data))) - {at for n in leaves for at in range(n.start, n.end)}


# --- frame check sequence -------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["true", "yes", "1", "TRUE", True])
def test_words_that_say_an_fcs_is_there(word):
    found = look(BEACON + FCS, {"fcs": word})
    assert found.error is None
    assert found.plain["fcs"] == "computed"


@pytest.mark.parametrize("word", ["false", "no", "0", "off", False])
def test_words_that_say_there_is_none(word):
    found = look(BEACON, {"fcs": word})
    assert found.error is None
    assert "fcs" not in found.plain


def test_another_word_is_refused():
    with pytest.raises(UsageError, match="context fcs: 'maybe' is neither true nor false"):
        look(BEACON, {"fcs": "maybe"})


def test_a_wrong_fcs_is_in_the_summary_and_what_is_right_in_the_tree():
    found = look(BEACON + b"\1\2\3\4", {"fcs": True})
    assert summary("frame", found.fields).endswith("> broadcast  wrong FCS")
    assert named(found, "fcs").meaning == "wrong, 57e148ff is right"
    right = look(BEACON + FCS, {"fcs": True})
    assert "FCS" not in summary("frame", right.fields)
    assert named(right, "fcs").meaning == "right"


def test_an_fcs_that_nobody_announced_is_guessed_in_the_error():
    error = look(BEACON + FCS).error
    assert (error.code, error.offset) == ("element_length", len(BEACON))
    assert "say so with fcs=true" in error.message
    assert "fcs=true" not in look(BEACON + b"\1\xff\3\4").error.message


# --- radiotap -------------------------------------------------------------------------------------


def test_radiotap_fields_have_names_units_and_octets():
    """radiotap.org, defined fields: rate counts 500 kb/s, channel is MHz and flags, alignment is from the start."""
    head = bytes.fromhex(
        "0000"
        + "1800"
        + "6f000000"
        + "0102030405060708"
        + "12"
        + "0c"
        + "6c09"
        + "a000"
        + "c3"
        + "a1"
    )
    found = look(head + BEACON + FCS, kind="frame_radiotap")
    assert found.error is None
    assert named(found, "tsft_us").value == 0x0807060504030201
    flags = named(found, "flags")
    assert (flags.value, flags.meaning) == (0x12, "short preamble, FCS at the end")
    rate = named(found, "rate_mbit_s")
    assert (rate.value, rate.unit) == (6.0, "Mbit/s")
    assert (named(found, "channel_mhz").value, named(found, "channel_mhz").unit) == (2412, "MHz")
    assert named(found, "channel_flags").meaning == "CCK, 2.4 GHz"
    assert (named(found, "signal_dbm").value, named(found, "noise_dbm").value) == (-61, -95)
    assert uncovered(found, head + BEACON + FCS) == set()


def test_padding_and_fields_behind_keep_their_octets():
    """Flags, then a channel on the next even octet, then a field that is not read (antenna)."""
    head = bytes.fromhex("0000" + "0f00" + "0a080000" + "00" + "ee" + "6c09" + "a000" + "07")
    found = look(head + BEACON, kind="frame_radiotap")
    assert found.error is None
    assert (named(found, "padding").value, named(found, "further_fields").value) == ("ee", "07")
    assert uncovered(found, head + BEACON) == set()
    assert encode("frame_radiotap", found.plain) == head + BEACON


def test_every_octet_of_every_recorded_frame_is_in_a_leaf():
    """With the keys, too: the tree then speaks of the octets in clear."""
    for frame in frames():
        keys = {
            name: secrets(frame.file, name)
            for name in ("nm_tk", "ndp_tk", "nm_kek", "ndp_kek")
            if secrets(frame.file, name)
        }
        for given in ({}, keys | {"unopened": True}):
            found = look(frame.data, given)
            if found.error is None:
                assert uncovered(found, frame.data) == set(), (frame.file, frame.n)


# --- keys -----------------------------------------------------------------------------------------


def sealed():
    return [frame.data for frame in frames() if frame.file == ENCRYPTED and frame.data[1] & 0x40]


@pytest.mark.parametrize("name", ["tk", "nm_tk", "ndp_tk"])
def test_names_of_temporal_keys(name):
    data = sealed()[0]
    found = look(data, {name: secrets(ENCRYPTED, "nm_tk")})
    assert found.plain["frame"] == "sdf"
    assert encode("frame", found.plain, {name: secrets(ENCRYPTED, "nm_tk")}) == data


@pytest.mark.parametrize("name", ["kek", "nm_kek", "ndp_kek"])
def test_names_of_key_encryption_keys(name):
    keys = {"tk": secrets(ENCRYPTED, "nm_tk"), name: secrets(ENCRYPTED, "nm_kek")}
    assert any("unwrapped" in (n.meaning or "") for n in nodes_of(look(sealed()[0], keys).tree))


def test_a_single_frame_that_no_key_opens_is_malformed():
    assert look(sealed()[0], {"tk": "00" * 32}).error.code == "mic"


def test_among_frames_of_others_it_stays_protected_with_a_doubt():
    """The flag that the reader of a capture sets."""
    found = look(sealed()[0], {"tk": "00" * 32, "unopened": True})
    assert found.error is None
    assert found.plain["frame"] == "protected"
    assert named(found, "octets").doubts == ("no key of the context opens this frame",)
    opened = {"tk": secrets(ENCRYPTED, "nm_tk"), "kek": "00" * 32, "unopened": True}
    inside = look(sealed()[0], opened)
    assert inside.error is None
    assert named(inside, "key_data").doubts == ("no KEK of the context opens it",)


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"tk": "0011"}, "context tk: 2 octets given, 16 or 32 needed"),
        ({"nm_tk": "0011"}, "context nm_tk: 2 octets"),
        ({"tk": "zz"}, "give an even number of hex digits"),
        ({"tk": 7}, "context tk: 7 is neither hexadecimal nor a list of it"),
    ],
)
def test_keys_that_are_none(keys, message):
    with pytest.raises(UsageError, match=message):
        look(sealed()[0], keys)


def test_the_table_of_the_context_is_the_formats():
    assert format_of("frame").context == format_of("frame_radiotap").context == CONTEXT
    assert all(name in CONTEXT["policy"] for name in POLICIES)
    assert unknown("frame", {"tk": "", "pin": "1", "fsc": "1"}) == ["fsc", "pin"]
    assert unknown("hci", {"pin": "1"}) == []


# --- names in data --------------------------------------------------------------------------------


@pytest.fixture
def evil(tmp_path):
    """A Python file that leaves a trace when it is run."""
    file = tmp_path / "evil.py"
    file.write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\n")
    yield file
    assert not (tmp_path / "ran").exists()


def test_a_path_as_the_name_of_an_attribute_or_element_runs_nothing(evil):
    with pytest.raises(EncodeError, match="unknown attribute") as caught:
        encode("frame", SDF | {"attributes": [{"attribute": str(evil)}]})
    assert caught.value.path == "attributes[0].attribute"
    with pytest.raises(EncodeError, match="unknown element") as caught:
        encode("frame", SDF | {"elements": [{"element": str(evil)}]})
    assert caught.value.path == "elements[0].element"


def test_a_path_as_the_format_of_a_line_runs_nothing(evil):
    with pytest.raises(UnknownNameError):
        registered_format(str(evil))
    assert registered_format("frame").name == "frame"
    assert registered_format("ibeacon").name == "ibeacon"


@pytest.mark.parametrize("name", ["a" * 300, "a" * 5000, "\ud800", "", "..", "a/b", "a\0b"])
def test_names_that_no_file_can_have(name):
    with pytest.raises(EncodeError):
        encode("frame", SDF | {"attributes": [{"attribute": name}]})


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"source": "\ud800"}, "source"),
        ({"\ud800": 1}, ""),
        ({"attributes": [{"attribute": "country_code", "country": "\ud800"}]}, "attributes[0].country"),
        ({"attributes": [{"attribute": "country_code", "\ud800": 1}]}, "attributes[0]"),
    ],
)  # fmt: skip
def test_half_a_surrogate_pair_is_refused(change, path):
    with pytest.raises(EncodeError) as caught:
        encode("frame", SDF | change)
    assert caught.value.path == path


# --- sizes ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["scalar", "element_x", "element_y"])
@pytest.mark.parametrize("octets", [0, 31, 33, 300, 70000])
def test_parts_of_a_commit_have_the_size_of_their_group(name, octets):
    auth2 = next(f.data for f in frames() if f.kind.startswith("PASN") and f.entry["n"] == 8)
    plain = look(auth2).plain
    wrapped = next(e for e in plain["elements"] if e["element"] == "wrapped_data")
    at = plain["elements"].index(wrapped)
    wrapped["messages"][0][name] = "aa" * octets
    with pytest.raises(EncodeError, match=f"has {octets} octets, group 19 needs 32") as caught:
        encode("frame", plain)
    assert caught.value.path == f"elements[{at}].messages[0].{name}"


def test_a_message_longer_than_its_length_can_say():
    auth2 = next(f.data for f in frames() if f.kind.startswith("PASN") and f.entry["n"] == 8)
    plain = look(auth2).plain
    wrapped = next(e for e in plain["elements"] if e["element"] == "wrapped_data")
    wrapped["messages"][1]["confirm"] = "aa" * 70000
    with pytest.raises(EncodeError, match="takes 70008 octets, 65535 at most") as caught:
        encode("frame", plain)
    assert caught.value.path.endswith(".messages[1]")
