"""What each walker policy keeps, drops and reports; the table is section 1.8 of the digest, row by row."""

from __future__ import annotations

import pytest

from protocols.dissect import Block, dissect
from protocols.errors import DecodeError, UnknownNameError
from protocols.wifi_aware.walker import POLICIES, table, walk

MASTER = bytes.fromhex("000200804d")
OTHER_MASTER = bytes.fromhex("0002000102")
SDA = bytes.fromhex("030900f51b9c480c52050000")
UNKNOWN = bytes.fromhex("c80100ff")
EMPTY = bytes.fromhex("c80000")
SHORT_CLUSTER = bytes.fromhex("010300aabbcc")
PAST_END = bytes.fromhex("2c0500010000")
TAIL = b"\x2c\x05"


def seen(data, policy):
    """(IDs kept, [(code, offset, action)]) or the error's (code, offset)."""
    try:
        walked = walk(data, policy)
    except DecodeError as exc:
        return exc.code, exc.offset
    return [attr.id for attr in walked.kept], [(n.code, n.offset, n.action) for n in walked.notes]


@pytest.mark.parametrize("policy", POLICIES)
def test_an_orderly_list_is_the_same_to_all(policy):
    assert seen(MASTER + SDA + SDA, policy) == ([0, 3, 3], [])
    assert walk(MASTER + SDA, policy).starts == (0, 5)
    assert walk(MASTER + SDA, policy).kept[1].octets == SDA[3:]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("strict", ("attribute_length", 5)),
        ("hostap_de", ([0], [("attribute_length", 5, "stopped")])),
        ("hostap_nan", ([], [("attribute_length", 5, "discarded")])),
        ("wireshark", ([0], [("attribute_length", 5, "reported")])),
    ],
)
@pytest.mark.parametrize(
    "broken", [PAST_END, TAIL, b"\x2c"], ids=["past-end", "two-left", "one-left"]
)
def test_a_broken_end(policy, expected, broken):
    assert seen(MASTER + broken, policy) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (
            "strict",
            ([0, 200], [("attribute_empty", 5, "reported"), ("attribute_unknown", 5, "reported")]),
        ),
        ("hostap_de", ([0], [("attribute_unknown", 5, "dropped")])),
        ("hostap_nan", ([], [("attribute_empty", 5, "discarded")])),
        ("wireshark", ([0, 200], [("attribute_unknown", 5, "reported")])),
    ],
)
def test_an_empty_attribute_at_the_end(policy, expected):
    assert seen(MASTER + EMPTY, policy) == expected


def test_an_empty_attribute_elsewhere_harms_nobody():
    assert seen(EMPTY + MASTER, "hostap_nan") == ([0], [("attribute_unknown", 0, "dropped")])


@pytest.mark.parametrize(
    ("policy", "values", "notes"),
    [
        ("strict", ["804d", "0102"], [("attribute_duplicate", 5, "reported")]),
        ("hostap_de", ["804d"], [("attribute_duplicate", 5, "dropped")]),
        ("hostap_nan", ["0102"], [("attribute_duplicate", 0, "dropped")]),
        ("wireshark", ["804d", "0102"], []),
    ],
)
def test_a_repeated_single_attribute(policy, values, notes):
    walked = walk(MASTER + OTHER_MASTER, policy)
    assert [attr.octets.hex() for attr in walked.kept] == values
    assert [(n.code, n.offset, n.action) for n in walked.notes] == notes


def test_the_last_of_three_is_left():
    walked = walk(MASTER + OTHER_MASTER + MASTER, "hostap_nan")
    assert walked.starts == (10,)
    assert [n.offset for n in walked.notes] == [0, 5]


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("strict", ([1, 0], [("attribute_length", 0, "reported")])),
        ("hostap_de", ([1, 0], [])),
        ("hostap_nan", ([0], [("attribute_length", 0, "dropped")])),
        ("wireshark", ([1, 0], [("attribute_length", 0, "reported")])),
    ],
)
def test_a_known_attribute_that_is_too_short(policy, expected):
    assert seen(SHORT_CLUSTER + MASTER, policy) == expected


@pytest.mark.parametrize(
    ("policy", "kept"),
    [("strict", True), ("hostap_de", False), ("hostap_nan", False), ("wireshark", True)],
)
def test_an_unknown_attribute(policy, kept):
    assert seen(UNKNOWN + MASTER, policy)[0] == ([200, 0] if kept else [0])


def test_offsets_count_from_the_frame():
    """The list stands somewhere inside the frame; nothing outside it is looked at."""
    frame = b"\xff" * 30 + MASTER + PAST_END + b"\xff" * 9
    with pytest.raises(DecodeError) as caught:
        table(frame, 30, 41)
    assert caught.value.offset == 35
    assert [attr.id for attr in table(frame, 30, 35)] == [0]


def test_an_unknown_policy_names_the_known():
    with pytest.raises(UnknownNameError, match="hostap_nan"):
        walk(b"", "hostap_nam")


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("number", [0x11, 0x16, 0x18, 0x19, 0x25, 0x26, 0x2F, 0xDC])
def test_reserved_ids_are_known_to_nobody(policy, number):
    """Digest 2.0, although files describe what older documents had there."""
    notes = walk(bytes((number, 1, 0, 7)) + MASTER, policy).notes
    assert [n.code for n in notes] == ["attribute_unknown"]


@pytest.mark.parametrize("number", [0x2D, 0x2E])
def test_wireshark_does_not_know_s3_and_tpea(number):
    """Digest 8.2, row 20."""
    data = bytes((number, 1, 0, 7)) + MASTER
    assert [n.code for n in walk(data, "wireshark").notes] == ["attribute_unknown"]
    assert all(not walk(data, policy).notes for policy in POLICIES if policy != "wireshark")


def test_wireshark_wants_eight_octets_of_availability():
    """Digest 2.0: 3 elsewhere."""
    data = bytes.fromhex("120300010000") + MASTER
    notes = {policy: [n.code for n in walk(data, policy).notes] for policy in POLICIES}
    assert notes == {
        "strict": [],
        "hostap_de": [],
        "hostap_nan": [],
        "wireshark": ["attribute_length"],
    }


# --- in frames ------------------------------------------------------------------------------------

HEAD = "d0000000516f9a01000002005e10a001506f9a014d210000" + "0409506f9a13"


def tree_of(attributes, **keys):
    found = dissect(Block(kind="frame", data=bytes.fromhex(HEAD) + attributes), keys)
    return found, [n for n in found.tree if n.start >= 30 or n.end > 30]


def test_an_empty_attribute_at_the_end_is_a_doubt():
    found, nodes = tree_of(MASTER + bytes.fromhex("1c0000"))
    assert found.error is None
    assert nodes[-1].doubts == ("empty at the end: hostap discards all attributes",)
    assert tree_of(bytes.fromhex("1c0000") + MASTER)[1][0].doubts == ()


@pytest.mark.parametrize(
    ("policy", "kept", "remarks"),
    [
        ("strict", "keeps 2 of 2 attributes", {1: "strict: Master Indication is here for the second time; reported"}),
        ("hostap_de", "keeps 1 of 2 attributes", {1: "hostap_de: Master Indication is here for the second time; dropped"}),
        ("hostap_nan", "keeps 1 of 2 attributes", {0: "hostap_nan: Master Indication is here for the second time; dropped"}),
        ("wireshark", "keeps 2 of 2 attributes", {}),
    ],
)  # fmt: skip
def test_a_policy_of_the_context_is_noted_in_the_tree(policy, kept, remarks):
    found, nodes = tree_of(MASTER + OTHER_MASTER, policy=policy)
    assert found.error is None
    assert (nodes[-1].name, nodes[-1].value, nodes[-1].meaning) == ("policy", policy, kept)
    said = {n: d for n, node in enumerate(nodes[:2]) for d in node.doubts if d.startswith(policy)}
    assert said == remarks


def test_a_policy_says_what_becomes_of_a_broken_list():
    """Strict has its error; the tree of what can be read tells the rest."""
    found, nodes = tree_of(MASTER + PAST_END, policy="hostap_nan")
    assert (found.error.code, found.error.offset) == ("attribute_length", 35)
    assert nodes[-1].meaning == "keeps 0 of 1 attributes"
    assert nodes[-1].doubts == ("attribute 0x2c has length 5, 3 octets remain",)


def test_a_policy_nobody_knows():
    with pytest.raises(UnknownNameError, match="hostap_nan"):
        tree_of(MASTER, policy="hostap")
