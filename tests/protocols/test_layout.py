"""The layout vocabulary: parse and build agree, spans are right, faults have a code and a place, nothing escapes."""

from __future__ import annotations

import string

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols import layout
from protocols.errors import DecodeError, EncodeError
from protocols.layout import (
    OMIT,
    REST,
    S8,
    S16BE,
    S16LE,
    S24LE,
    S32BE,
    S32LE,
    U8,
    U16BE,
    U16LE,
    U24BE,
    U24LE,
    U32BE,
    U32LE,
    U64BE,
    U64LE,
    Body,
    Choice,
    Coded,
    Const,
    Fault,
    Flags,
    Hex,
    Mac,
    MacLE,
    Mapped,
    Named,
    Nullable,
    Octets,
    Optional,
    Record,
    Records,
    Reserved,
    Scaled,
    Sized,
    Text,
    Uuid16LE,
    Uuid32LE,
    Uuid128,
    Uuid128LE,
    Walk,
    When,
    build,
    unit_of,
)


def read(codec, text, *, strict=True, base=0):
    """(values, walk)."""
    walk = Walk(strict=strict)
    return layout.parse(codec, bytes.fromhex(text), walk, base=base), walk


def value(codec, text):
    return read(codec, text)[0]


def spans(nodes):
    return [(node.name, node.start, node.end, spans(node.children)) for node in nodes]


def fault(codec, text, *, base=0):
    """(code, offset, path) of the strict walk."""
    with pytest.raises(DecodeError) as caught:
        read(codec, text, base=base)
    return caught.value.code, caught.value.offset, caught.value.path


def refused(codec, fields):
    """Path of the EncodeError, whose text must begin with it."""
    with pytest.raises(EncodeError) as caught:
        build(codec, fields)
    assert str(caught.value).startswith(caught.value.path)
    assert caught.value.message
    return caught.value.path


def both_ways(codec, text, fields):
    assert value(codec, text) == fields
    assert build(codec, fields).hex() == text


# --- numbers and octets ---------------------------------------------------------------------------

NUMBERS = {
    "U8": (U8, 1, False, "big"), "S8": (S8, 1, True, "big"),
    "U16BE": (U16BE, 2, False, "big"), "U16LE": (U16LE, 2, False, "little"),
    "S16BE": (S16BE, 2, True, "big"), "S16LE": (S16LE, 2, True, "little"),
    "U24BE": (U24BE, 3, False, "big"), "U24LE": (U24LE, 3, False, "little"), "S24LE": (S24LE, 3, True, "little"),
    "U32BE": (U32BE, 4, False, "big"), "U32LE": (U32LE, 4, False, "little"),
    "S32BE": (S32BE, 4, True, "big"), "S32LE": (S32LE, 4, True, "little"),
    "U64BE": (U64BE, 8, False, "big"), "U64LE": (U64LE, 8, False, "little"),
}  # fmt: skip


@pytest.mark.parametrize("name", NUMBERS)
@given(seed=st.binary(min_size=8, max_size=8))
def test_numbers(name, seed):
    """Width, sign and order are those of the name; judged by int.from_bytes."""
    codec, size, signed, order = NUMBERS[name]
    data = seed[:size]
    both_ways(Record("n" / codec), data.hex(), {"n": int.from_bytes(data, order, signed=signed)})


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_out_of_range(name):
    codec, size, signed, _ = NUMBERS[name]
    low, high = (
        (-(1 << 8 * size - 1), (1 << 8 * size - 1) - 1) if signed else (0, (1 << 8 * size) - 1)
    )
    assert (
        len(build(Record("n" / codec), {"n": low}) + build(Record("n" / codec), {"n": high}))
        == 2 * size
    )
    for wrong in (low - 1, high + 1, 1.5, "1", None, b"", [1]):
        assert refused(Record("n" / codec), {"n": wrong}) == "n"


TEXTUAL = [
    (Octets(2), "0a0b", b"\x0a\x0b", [b"\x0a", "0a0b", None]),
    (Hex(2), "0a0b", "0a0b", ["0a", "0a0b0c", "zzzz", None, 5, b"\0\0"]),
    (Mac, "0102030405ff", "01:02:03:04:05:ff", ["01:02", "xx:02:03:04:05:ff", None, 7]),
    (MacLE, "0102030405ff", "ff:05:04:03:02:01", ["01:02"]),
    (Uuid16LE, "aafe", "feaa", ["fe", "feaa00", None]),
    (Uuid32LE, "04030201", "01020304", ["0102"]),
    (Uuid128, bytes(range(16)).hex(), "00010203-0405-0607-0809-0a0b0c0d0e0f", ["00010203", None]),
    (Uuid128LE, bytes(range(15, -1, -1)).hex(), "00010203-0405-0607-0809-0a0b0c0d0e0f", ["x"]),
    (Text(4, pad=b"\0"), "61620000", "ab", ["abcde", "ééé", None, 5]),
]


@pytest.mark.parametrize(
    ("codec", "text", "shown", "wrong"), TEXTUAL, ids=lambda x: x if isinstance(x, str) else None
)
def test_octets_shown_as_text(codec, text, shown, wrong):
    both_ways(Record("x" / codec), text, {"x": shown})
    for item in wrong:
        assert refused(Record("x" / codec), {"x": item}) == "x"


def test_rest_takes_all():
    assert value(Record("a" / U8, "b" / Hex(REST)), "01020304") == {"a": 1, "b": "020304"}
    assert value(Record("a" / U8, "b" / Hex(REST)), "01") == {"a": 1, "b": ""}


def test_text_that_is_not_utf8():
    """Without a code it reads as U+FFFD; with one it is that fault, and lenient leaves it out."""
    assert value(Record("t" / Text()), "61c328") == {"t": "a\ufffd("}
    assert fault(Record("n" / U8, "t" / Text(code="utf8")), "0061c328") == ("utf8", 1, "t")
    fields, walk = read(Record("n" / U8, "t" / Text(code="utf8")), "0061c328", strict=False)
    assert fields == {"n": 0}
    assert [(d.code, d.offset, d.path) for d in walk.doubts] == [("utf8", 1, "t")]
    both_ways(Record("t" / Text(code="utf8")), "c3a9", {"t": "é"})


SCALES = [
    (U8, 8, False, 0.5, 0, None), (U8, 8, False, 10, 0, 255), (S8, 8, True, 0.35, 0, None), (S8, 8, True, 0.5, 0, 126),
    (U16BE, 16, False, 0.0025, 0, 0xFFFF), (S16BE, 16, True, 0.005, 0, -0x8000), (S16BE, 16, True, 1 / 256, 0, -0x8000),
    (U16LE, 16, False, 0.5, -1000, 0), (U16BE, 16, False, 1, 50000, 0xFFFF), (U24LE, 24, False, 0.01, 0, 0xFFFFFF),
    (U32LE, 32, False, 0.001, 0, None), (S32LE, 32, True, 1e-6, 0, None), (S32LE, 32, True, 1e-7, 0, -(1 << 31)),
]  # fmt: skip


@pytest.mark.parametrize("scale", SCALES, ids=str)
@given(data=st.data())
def test_scaled_numbers_return_to_their_raw_value(scale, data):
    """build(parse(x)) == x for every raw value, the null code included."""
    base, bits, signed, factor, offset, null = scale
    low, high = (-(1 << bits - 1), (1 << bits - 1) - 1) if signed else (0, (1 << bits) - 1)
    limits = [low, high, 0, 1, *([] if null is None else [null])]
    raw = data.draw(st.one_of(st.sampled_from(limits), st.integers(low, high)))
    codec = Record("x" / Scaled(base, factor, offset=offset, null=null))
    octets = build(Record("x" / base), {"x": raw})
    found = value(codec, octets.hex())["x"]
    if raw == null:
        assert found is None
    else:
        assert found == pytest.approx(raw * factor + offset, abs=1e-9)
    assert build(codec, {"x": found}) == octets


def test_scaled_shows_no_binary_noise():
    """0.1 x 3 is 0.3, not 0.30000000000000004; a whole factor gives an int."""
    assert str(value(Record("x" / Scaled(U8, 0.1)), "03")["x"]) == "0.3"
    assert type(value(Record("x" / Scaled(U8, 10)), "03")["x"]) is int


@pytest.mark.parametrize("wrong", [26.0, -0.1, float("nan"), float("inf"), "1", None, [1]])
def test_scaled_refuses(wrong):
    assert refused(Record("a" / U8, "x" / Scaled(U8, 0.1)), {"a": 0, "x": wrong}) == "x"


def test_nullable():
    codec = Record("x" / Nullable(U8, 0xFF))
    both_ways(codec, "ff", {"x": None})
    both_ways(codec, "fe", {"x": 0xFE})
    assert refused(codec, {"x": 256}) == "x"


def test_mapped_named_and_meaning():
    codec = Record(
        "x" / Mapped(U8, lambda n: n + 1, lambda n: n - 1, lambda n: f"is {n}"),
        "y" / Named(U8, {1: "one"}),
    )
    both_ways(codec, "0401", {"x": 5, "y": 1})
    assert [node.meaning for node in read(codec, "0401")[1].nodes] == ["is 5", "one"]
    assert read(codec, "0402")[1].nodes[1].meaning is None


def test_coded():
    """With a code an unknown value is a fault at the field; without it stays a number, both ways."""
    strict = Record("n" / U8, "x" / Coded(U8, {0: None, 1: "one", 2: "two"}, code="event"))
    for raw, name in ((0, None), (1, "one"), (2, "two")):
        both_ways(strict, f"07{raw:02x}", {"n": 7, "x": name})
    assert fault(strict, "0703") == ("event", 1, "x")
    fields, walk = read(strict, "0703", strict=False)
    assert fields == {"n": 7}
    assert [(d.code, d.offset) for d in walk.doubts] == [("event", 1)]
    assert refused(strict, {"n": 7, "x": "three"}) == "x"
    assert refused(strict, {"n": 7, "x": 1}) == "x"
    assert refused(strict, {"n": 7, "x": []}) == "x"
    open_ended = Record("x" / Coded(U8, {1: "one"}))
    both_ways(open_ended, "09", {"x": 9})
    assert refused(open_ended, {"x": 256}) == "x"


def test_const():
    """Fatal in either mode unless told otherwise; built by itself."""
    codec = Record("_magic" / Const(b"\xbe\xac", "magic"), "n" / U8)
    both_ways(codec, "beac07", {"n": 7})
    assert fault(codec, "beae07") == ("magic", 0, "_magic")
    with pytest.raises(DecodeError):
        read(codec, "beae07", strict=False)
    gentle = Record("n" / U8, "_size" / Const(b"\x19", "size", fatal=False))
    fields, walk = read(gentle, "0718", strict=False)
    assert fields == {"n": 7}
    assert [(d.code, d.offset) for d in walk.doubts] == [("size", 1)]


def test_reserved():
    """Shown in the tree, kept out of the fields, zero when built; a fault only with a code."""
    codec = Record("n" / U8, "_rfu" / Reserved(2))
    assert value(codec, "07ffff") == {"n": 7}
    assert read(codec, "07ffff")[1].nodes[1] == layout.Node("rfu", "ffff", None, 1, 3, ())
    assert build(codec, {"n": 7}) == b"\x07\0\0"
    assert build(codec, {"n": 7, "_rfu": "0102"}) == b"\x07\1\2"
    for wrong in ("01", "zz", 5):
        assert refused(codec, {"n": 7, "_rfu": wrong}) == "_rfu"
    guarded = Record("n" / U8, "_rfu" / Reserved(2, "reserved"))
    assert fault(guarded, "070001") == ("reserved", 1, "_rfu")
    assert read(guarded, "070001", strict=False)[0] == {"n": 7}


# --- flags ----------------------------------------------------------------------------------------


def test_flags():
    codec = Record(Flags(U16BE, first=0, last=15, middle=(4, 3)))
    both_ways(codec, "8031", {"first": True, "last": True, "middle": 3})
    both_ways(codec, "0040", {"first": False, "last": False, "middle": 4})
    assert [(n.name, n.bits, n.start, n.end) for n in read(codec, "8031", base=5)[1].nodes] == [
        ("first", (0, 1), 5, 7),
        ("last", (15, 1), 5, 7),
        ("middle", (4, 3), 5, 7),
    ]


def test_flags_with_whole():
    """The number itself; bits without a name live in it. A named bit given beside it wins."""
    codec = Record(Flags(U8, whole="status", unpaired=0))
    both_ways(codec, "f1", {"status": 0xF1, "unpaired": True})
    assert build(codec, {"status": 0xF1}) == b"\xf1"
    assert build(codec, {"status": 0xF1, "unpaired": False}) == b"\xf0"
    assert build(codec, {"unpaired": True}) == b"\x01"
    assert refused(codec, {}) == "unpaired"
    assert refused(codec, {"status": 256}) == "status"
    assert refused(codec, {"status": "x"}) == "status"


def test_flags_underscore_and_fixed():
    """An underscore bit is in the tree only, and zero unless given; `fixed` are bits always sent."""
    codec = Record(Flags(U8, a=0, _rfu=(1, 3)))
    assert value(codec, "0f") == {"a": True}
    assert [(n.name, n.value) for n in read(codec, "0f")[1].nodes] == [("a", True), ("rfu", 7)]
    assert build(codec, {"a": True}) == b"\x01"
    assert build(codec, {"a": True, "_rfu": 7}) == b"\x0f"
    assert build(Record(Flags(U8, fixed={4: 2}, a=0)), {"a": True}) == b"\x21"


def test_flags_through_a_codec():
    codec = Record(
        Flags(
            U16BE,
            battery_mv=(5, 11, Scaled(U16BE, 1, offset=1600, null=2047)),
            kind=(0, 5, Named(U8, {3: "c"})),
        )
    )
    both_ways(codec, "ac43", {"battery_mv": 2978, "kind": 3})
    both_ways(codec, "ffe0", {"battery_mv": None, "kind": 0})
    battery, kind = read(codec, "ac43")[1].nodes
    assert (battery.value, battery.unit, battery.bits) == (2978, "mV", (5, 11))
    assert kind.meaning == "c"
    assert refused(codec, {"battery_mv": 3648, "kind": 0}) == "battery_mv"
    assert refused(codec, {"battery_mv": "x", "kind": 0}) == "battery_mv"


@pytest.mark.parametrize("wrong", [8, -1, None, "1", 1.5, [], float("nan")])
def test_flags_refuse(wrong):
    inside = Record("n" / U8, "part" / Record(Flags(U8, a=0, b=(1, 3))))
    assert refused(inside, {"n": 0, "part": {"a": False, "b": wrong}}) == "part.b"
    if wrong is not None:
        assert refused(inside, {"n": 0, "part": {"a": wrong, "b": 1}}) == "part.a"
    assert refused(inside, {"n": 0, "part": {"b": 1}}) == "part.a"


# --- records, conditions, choices -----------------------------------------------------------------


def test_record_nests_with_spans():
    codec = Record(
        "a" / U8, "in" / Record("b" / U16BE, "_c" / U8), Record("d" / U8), "e" / Octets(1)
    )
    fields, walk = read(codec, "010203040506", base=10)
    assert fields == {"a": 1, "in": {"b": 0x0203}, "d": 5, "e": b"\x06"}
    assert spans(walk.nodes) == [
        ("a", 10, 11, []),
        ("in", 11, 14, [("b", 11, 13, []), ("c", 13, 14, [])]),
        ("d", 14, 15, []),
        ("e", 15, 16, []),
    ]
    assert [n.value for n in walk.nodes] == [1, None, 5, "06"]


def test_record_takes_structs_and_mappings():
    class Pair(msgspec.Struct):
        a: int
        b: int | msgspec.UnsetType = msgspec.UNSET

    codec = Record("a" / U8, "b" / U8)
    assert build(codec, Pair(1, 2)) == build(codec, {"a": 1, "b": 2}) == b"\1\2"
    assert refused(codec, Pair(1)) == "b"
    assert refused(codec, {"a": 1, "b": OMIT}) == "b"
    assert refused(codec, {"b": 1}) == "a"
    assert refused(codec, None) == "a"


@pytest.mark.parametrize("size", range(3))
def test_too_few_octets(size):
    assert fault(Record("a" / U8, "b" / U16BE), "00" * size) == ("frame_length", None, "")


def test_octets_left_over():
    assert fault(Record("a" / U8), "0102")[:2] == ("frame_length", None)
    with pytest.raises(DecodeError):
        read(Record("a" / U8), "0102", strict=False)


def test_when():
    """Fields before it decide in parsing, all that are given in building."""
    codec = Record(
        Flags(U8, has=0), "x" / When(lambda f: f.has, U8), When(lambda f: f.has, Record("y" / U8))
    )
    both_ways(codec, "010203", {"has": True, "x": 2, "y": 3})
    both_ways(codec, "00", {"has": False})
    assert spans(read(codec, "010203")[1].nodes) == [
        ("has", 0, 1, []),
        ("x", 1, 2, []),
        ("y", 2, 3, []),
    ]
    assert refused(codec, {"has": True, "y": 1}) == "x"
    assert fault(codec, "0002")[0] == "frame_length"
    assert fault(codec, "01")[0] == "frame_length"


def test_when_may_ask_for_what_is_not_given():
    codec = Record("x" / When(lambda f: f.kind == 1, U8), "kind" / U8)
    assert build(codec, {"kind": 1, "x": 5}) == b"\5\1"
    assert build(Record("x" / When(lambda f: f.nothing is None, U8)), {"x": 5}) == b"\5"


def test_optional():
    codec = Record("a" / U8, "b" / Optional(U16BE))
    both_ways(codec, "010203", {"a": 1, "b": 0x0203})
    both_ways(codec, "01", {"a": 1})
    assert fault(codec, "0102")[0] == "frame_length"
    assert refused(codec, {"a": 1, "b": 1 << 16}) == "b"
    null = Record("a" / U8, "b" / Optional(U8, absent=None))
    both_ways(null, "01", {"a": 1, "b": None})
    both_ways(null, "0102", {"a": 1, "b": 2})


def test_choice():
    codec = Record("kind" / U8, "x" / Choice(lambda f: f.kind, {1: U8, 2: U16BE}, Hex(REST)))
    both_ways(codec, "0105", {"kind": 1, "x": 5})
    both_ways(codec, "020005", {"kind": 2, "x": 5})
    both_ways(codec, "03aabb", {"kind": 3, "x": "aabb"})
    assert refused(codec, {"kind": 1, "x": 256}) == "x"
    assert refused(codec, {"kind": 3, "x": 256}) == "x"


def test_choice_of_records_is_merged():
    codec = Record(
        "kind" / U8,
        Choice(lambda f: f.kind, {1: Record("a" / U8), 2: Record(Flags(U8, b=0))}, Record()),
    )
    both_ways(codec, "0107", {"kind": 1, "a": 7})
    both_ways(codec, "0201", {"kind": 2, "b": True})
    both_ways(codec, "03", {"kind": 3})
    assert spans(read(codec, "0107")[1].nodes) == [("kind", 0, 1, []), ("a", 1, 2, [])]
    assert refused(codec, {"kind": 1}) == "a"


def test_named_by_a_table_or_a_function():
    """Only the tree gets the words; a number without words is no fault."""
    codec = Record(
        "x" / Named(U8, {5: "five"}), "y" / Named(U8, lambda n: "odd" if n % 2 else None)
    )
    both_ways(codec, "0503", {"x": 5, "y": 3})
    both_ways(codec, "0602", {"x": 6, "y": 2})
    assert [n.meaning for n in read(codec, "0503")[1].nodes] == ["five", "odd"]
    assert [n.meaning for n in read(codec, "0602")[1].nodes] == [None, None]


def test_choice_of_flags_and_of_words():
    """The tree is drawn by the case that was chosen."""
    words = Record("kind" / U8, "x" / Choice(lambda f: f.kind, {1: Named(U8, {5: "five"})}, U8))
    assert [n.meaning for n in read(words, "0105")[1].nodes] == [None, "five"]
    assert [n.meaning for n in read(words, "0205")[1].nodes] == [None, None]
    flags = Record(
        "kind" / U8, Choice(lambda f: f.kind, {1: Flags(U8, a=0), 2: Flags(U8, b=7)}, Record())
    )
    both_ways(flags, "0101", {"kind": 1, "a": True})
    both_ways(flags, "0280", {"kind": 2, "b": True})
    both_ways(flags, "03", {"kind": 3})
    assert [(n.name, n.bits) for n in read(flags, "0280")[1].nodes] == [
        ("kind", None),
        ("b", (7, 1)),
    ]


def test_choice_inside_its_own_case():
    """The tree is drawn by the case that was chosen outside, not by the one chosen last."""
    cases = {}
    choice = Choice(lambda f: f.kind, cases, U8)
    inner = Record("kind" / U8, "x" / choice)
    cases[1] = Mapped(
        Body(lambda _: 2, inner),
        lambda v: v["x"],
        lambda v: {"kind": 0, "x": v},
        lambda _: "outside",
    )
    fields, walk = read(Record("kind" / U8, "x" / choice, "end" / U8), "01000709")
    assert fields == {"kind": 1, "x": 7, "end": 9}
    assert walk.nodes[1].meaning == "outside"
    assert spans(walk.nodes) == [
        ("kind", 0, 1, []),
        ("x", 1, 3, [("kind", 1, 2, []), ("x", 2, 3, [])]),
        ("end", 3, 4, []),
    ]


def test_fault_as_a_case():
    codec = Record(
        "kind" / U8, Choice(lambda f: f.kind, {0: Record()}, Fault("kind", "is unknown"))
    )
    assert value(codec, "00") == {"kind": 0}
    assert fault(codec, "0105")[:2] == ("kind", 1)
    fields, walk = read(codec, "0105", strict=False)
    assert fields == {"kind": 1}
    assert [d.code for d in walk.doubts] == ["kind"]
    with pytest.raises(EncodeError, match="is unknown"):
        build(codec, {"kind": 1})


# --- bodies ---------------------------------------------------------------------------------------


def test_body_with_a_length_octet():
    codec = Record("a" / U8, "b" / Body(U8, Record("x" / U8, "y" / Hex(REST))), "c" / U8)
    both_ways(codec, "010302aabb09", {"a": 1, "b": {"x": 2, "y": "aabb"}, "c": 9})
    assert spans(read(codec, "010302aabb09", base=100)[1].nodes) == [
        ("a", 100, 101, []),
        (
            "b",
            101,
            105,
            [("length", 101, 102, []), ("x", 102, 103, []), ("y", 103, 105, [])],
        ),
        ("c", 105, 106, []),
    ]
    assert refused(codec, {"a": 1, "b": {"x": 2, "y": "00" * 255}, "c": 9}) == "b"


def test_every_length_is_a_node_of_its_own():
    """Before a plain value with its name, inside a group or a list item as the first child; in its own unit."""
    half = Mapped(U8, lambda number: 2 * number, lambda octets: octets // 2)
    codec = Record(
        "a" / Body(U8, Hex(REST)),
        "b" / Body(half, Records(Hex(2)), called="count"),
        "c" / Records(Body(U8, Hex(REST))),
    )
    nodes = read(codec, "02aabb02010203040155")[1].nodes
    assert spans(nodes) == [
        ("a_length", 0, 1, []),
        ("a", 1, 3, []),
        ("b", 3, 8, [("count", 3, 4, []), ("[0]", 4, 6, []), ("[1]", 6, 8, [])]),
        ("c", 8, 10, [("[0]", 8, 10, [("length", 8, 9, []), ("value", 9, 10, [])])]),
    ]
    assert (nodes[1].value, nodes[2].children[0].value) == ("aabb", 2)


def test_body_past_the_end():
    """At the length octet, or at the first octet of the body when the length is a function; in either mode."""
    assert fault(Record("a" / U8, "b" / Body(U8, Hex(REST), "overrun")), "0103aabb") == (
        "overrun",
        1,
        "b",
    )
    sized = Record("n" / U8, "b" / Body(lambda f: f.n, Hex(REST), "overrun"))
    assert fault(sized, "03aabb", base=7) == ("overrun", 8, "b")
    with pytest.raises(DecodeError):
        read(sized, "03aabb", strict=False)
    both_ways(sized, "02aabb", {"n": 2, "b": "aabb"})


def test_body_of_negative_length():
    """A length that a function works out below zero does not take everything."""
    codec = Record("n" / U8, "b" / Body(lambda f: f.n - 4, Hex(REST), "overrun"))
    assert fault(codec, "03aabb") == ("overrun", 1, "b")
    assert value(codec, "04") == {"n": 4, "b": ""}


def test_body_left_over():
    """A fault at the first octet left over, when named; lenient keeps what was read."""
    codec = Record("b" / Body(U8, Record("x" / U8), leftover="extra"), "c" / U8)
    assert fault(codec, "02010209", base=3) == ("extra", 5, "b")
    fields, walk = read(codec, "02010209", strict=False, base=3)
    assert fields == {"b": {"x": 1}, "c": 9}
    assert [(d.code, d.offset) for d in walk.doubts] == [("extra", 5)]
    assert value(Record("b" / Body(U8, Record("x" / U8)), "c" / U8), "02010209") == {
        "b": {"x": 1},
        "c": 9,
    }


def test_body_too_short_for_its_content():
    """What is inside may not read past the body, even when octets follow."""
    assert (
        fault(Record("b" / Body(U8, Record("x" / U16BE)), "c" / U16BE), "01020304")[0]
        == "frame_length"
    )


def test_offsets_inside_nested_bodies():
    inner = Body(U8, Record("_m" / Const(b"\xaa", "magic")))
    codec = Record("a" / Body(U8, Record("n" / U8, "b" / inner)), "c" / U8)
    assert fault(codec, "030101ab09", base=50)[:2] == ("magic", 53)
    fields, walk = read(codec, "030101aa09", base=50)
    assert spans(walk.nodes)[0] == (
        "a",
        50,
        54,
        [
            ("length", 50, 51, []),
            ("n", 51, 52, []),
            ("b", 52, 54, [("length", 52, 53, []), ("m", 53, 54, [])]),
        ],
    )
    assert fields["c"] == 9


# --- lists of records -----------------------------------------------------------------------------

ITEM = Record(
    "kind" / Coded(U8, {1: "a", 2: "b", 9: "z"}, code="kind"),
    "body" / Body(U8, Hex(REST), "overrun"),
)
LIST = Record("n" / U8, "items" / Records(ITEM, "overrun"))


def test_records():
    both_ways(
        LIST,
        "000101aa0200",
        {"n": 0, "items": [{"kind": "a", "body": "aa"}, {"kind": "b", "body": ""}]},
    )
    both_ways(LIST, "00", {"n": 0, "items": []})
    assert spans(read(LIST, "000101aa0200", base=9)[1].nodes)[1] == (
        "items", 10, 15,
        [
            ("[0]", 10, 13, [("kind", 10, 11, []), ("body_length", 11, 12, []), ("body", 12, 13, [])]),
            ("[1]", 13, 15, [("kind", 13, 14, []), ("body_length", 14, 15, []), ("body", 15, 15, [])]),
        ],
    )  # fmt: skip


@pytest.mark.parametrize("tail", ["02", "0201", "0202aa"])
def test_records_past_the_end(tail):
    """At the first octet of the element, whichever is missing; lenient keeps those before."""
    assert fault(LIST, "000101aa" + tail, base=20)[:2] == ("overrun", 24)
    fields, walk = read(LIST, "000101aa" + tail, strict=False, base=20)
    assert fields == {"n": 0, "items": [{"kind": "a", "body": "aa"}]}
    assert [(d.code, d.offset) for d in walk.doubts] == [("overrun", 24)]


def test_records_pin_the_fault_to_their_first_octet():
    inner = Record("n" / U8, "x" / Coded(U8, {0: False, 1: True}, code="state"))
    assert fault(Record("l" / Records(inner)), "00010002")[:2] == ("state", 2)
    assert fault(Record("l" / Records(inner, pin=False)), "00010002")[:2] == ("state", 3)
    for pin, offset in ((True, 2), (False, 3)):
        fields, walk = read(Record("l" / Records(inner, pin=pin)), "000100020301", strict=False)
        assert fields == {"l": [{"n": 0, "x": True}, {"n": 3, "x": True}]}
        assert [(d.code, d.offset) for d in walk.doubts] == [("state", offset)]


def test_records_keep():
    """An element all of whose faults are named in `keep` stays, without the member at fault."""
    inner = Record("n" / U8, "x" / Coded(U8, {0: False}, code="state"))
    fields, _ = read(Record("l" / Records(inner, keep=("state",))), "00000107", strict=False)
    assert fields == {"l": [{"n": 0, "x": False}, {"n": 1}]}


def test_records_stop():
    """After a fault named in `stop` nothing is read; the walk still ends at the end."""
    codec = Record(
        "l" / Records(Record("kind" / Coded(U8, {1: 1}, code="kind"), "x" / U8), stop=("kind",))
    )
    assert fault(codec, "010502050106")[:2] == ("kind", 2)
    fields, walk = read(codec, "010502050106", strict=False)
    assert fields == {"l": [{"kind": 1, "x": 5}]}
    assert [(d.code, d.offset) for d in walk.doubts] == [("kind", 2)]


def test_records_of_nothing_do_not_run_forever():
    assert fault(Record("l" / Records(Record(), "empty")), "0000")[:2] == ("empty", 0)


def test_records_with_padding():
    codec = Record("l" / Records(Record("n" / U8, "x" / U8), pad=(0, "after_end")))
    fields, walk = read(codec, "01050000")
    assert fields == {"l": [{"n": 1, "x": 5}]}
    assert spans(walk.nodes[0].children)[1] == ("padding", 2, 4, [])
    assert fault(codec, "010500000206")[:2] == ("after_end", 2)
    fields, walk = read(codec, "010500000206", strict=False)
    assert fields["l"][1] == {"n": 2, "x": 6}


def test_records_refuse():
    assert refused(LIST, {"n": 0, "items": 5}) == "items"
    assert refused(LIST, {"n": 0, "items": None}) == "items"
    assert (
        refused(LIST, {"n": 0, "items": [{"kind": "a", "body": ""}, {"kind": "c", "body": ""}]})
        == "items[1].kind"
    )
    assert refused(LIST, {"n": 0, "items": [{"kind": "a"}]}) == "items[0].body"
    assert refused(LIST, {"n": 0, "items": [None]}) == "items[0].kind"
    nested = Record("a" / Records(Record("b" / Records(Record("c" / U8)))))
    assert refused(nested, {"a": [{"b": []}, {"b": [{"c": 1}, {"c": 256}]}]}) == "a[1].b[1].c"


def test_sized():
    codec = Record("n" / U8, "x" / Sized(Hex(REST), "size", 2, 4))
    assert value(codec, "00aabb") == {"n": 0, "x": "aabb"}
    assert fault(codec, "00aabbcc") == ("size", 1, "x")
    fields, walk = read(codec, "00aabbcc", strict=False)
    assert fields == {"n": 0}
    assert [(d.code, d.offset) for d in walk.doubts] == [("size", 1)]
    steps = Record("x" / Sized(Hex(REST), "size", at_least=2, step=2))
    assert [value(steps, "00" * size)["x"] for size in (2, 4)] == ["0000", "00000000"]
    assert [fault(steps, "00" * size)[0] for size in (0, 1, 3)] == ["size"] * 3
    soft = Record("x" / Sized(U16BE, None, 2, otherwise=Hex(REST)))
    assert (value(soft, "0102"), value(soft, "010203")) == ({"x": 0x0102}, {"x": "010203"})


# --- the whole ------------------------------------------------------------------------------------

EVERYTHING = Record(
    Flags(U8, whole="head", has_mac=0, kind=(1, 2)),
    "mac" / When(lambda f: f.has_mac, Mac),
    "_gap" / Reserved(1, "reserved"),
    Choice(
        lambda f: f.kind,
        {
            0: Record("temperature_c" / Scaled(S16BE, 0.005, null=-0x8000)),
            1: Record("text" / Body(U8, Text(code="utf8"), "overrun")),
            2: Record("items" / Records(ITEM, "overrun", stop=("kind",))),
        },
        Record("rest" / Hex(REST)),
    ),
    "tail" / Optional(U8),
)


def attempt(call, *args, kind, **kwargs):
    """(result, None) or (None, error of that kind); any other exception escapes."""
    try:
        return call(*args, **kwargs), None
    except kind as exc:
        return None, exc


@given(data=st.binary(max_size=24), strict=st.booleans())
def test_parsing_gives_values_or_a_decode_error(data, strict):
    """Any octets, either mode; what is accepted builds again, and its spans cover every octet."""
    walk = Walk(strict=strict)
    fields, error = attempt(layout.parse, EVERYTHING, data, walk, base=1000, kind=DecodeError)
    assert walk.base == 0
    if error is not None:
        assert error.code in ("frame_length", "reserved", "overrun", "utf8", "kind")
        assert error.offset is None or 1000 <= error.offset < 1000 + len(data)
    elif not walk.doubts:
        assert build(EVERYTHING, fields) == data
        covered = {place for node in walk.nodes for place in range(node.start, node.end)}
        assert covered == set(range(1000, 1000 + len(data)))


JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-300, 70000), st.floats(), st.text(string.printable, max_size=8),
    st.lists(st.one_of(st.none(), st.dictionaries(st.sampled_from(["kind", "body"]), st.integers())), max_size=3),
)  # fmt: skip
NAMES = ["head", "has_mac", "kind", "mac", "temperature_c", "text", "items", "rest", "tail", "_gap"]


@given(fields=st.dictionaries(st.sampled_from(NAMES), JUNK))
def test_building_gives_octets_or_an_encode_error(fields):
    data, error = attempt(build, EVERYTHING, fields, kind=EncodeError)
    if error is None:
        assert isinstance(data, bytes)
    else:
        assert error.path.split(".")[0].split("[")[0] in NAMES


def test_an_error_leaves_the_tree_of_the_caller_alone():
    """The walk is the reader's: after an error it holds what was found, at the top level."""
    walk = Walk()
    layout.parse(Record("a" / U8), b"\1", walk)
    with pytest.raises(DecodeError):
        layout.parse(Records(ITEM, "overrun"), bytes.fromhex("0101aa05"), walk)
    assert [node.name for node in walk.nodes] == ["a", "[0]"]


@pytest.mark.parametrize(
    ("name", "unit"),
    [
        ("battery_mv", "mV"), ("accel_x_mg", "mg"), ("pm2_5_ug_m3", "µg/m³"), ("tx_power_dbm", "dBm"),
        ("volume_flow_rate_m3_h", "m³/h"), ("acceleration_m_s2", "m/s²"), ("timestamp_unix_s", "s since 1970"),
        ("speed_v_m_s", "m/s"), ("product_id", None), ("c", None), ("m", None), ("temperature_c", "°C"),
    ],
)  # fmt: skip
def test_unit_of_a_name(name, unit):
    assert unit_of(name) == unit
