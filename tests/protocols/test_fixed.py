"""The fast reader of fixed records gives the values of the definition it is made from."""

from __future__ import annotations

import random

import pytest

from protocols.fixed import fixed
from protocols.layout import (
    U8,
    U16BE,
    U16LE,
    U32LE,
    Const,
    Flags,
    Hex,
    Mac,
    Mapped,
    Octets,
    Optional,
    Record,
    Walk,
    parse,
)
from protocols.wifi_aware import header, kinds

RECORDS = {
    "header": header.FIXED_HEADER,
    "cipher": header.CIPHER,
    **{kind.title: kind.fixed for kind in kinds.BY_FIELDS.values()},
    "mixed": Record(
        "a" / U8,
        "_hidden" / U16LE,
        Flags(U16LE, bit=3, _kept_out=4, number=(5, 7), mapped=(12, 2, Mapped(U8, lambda n: n * 10, lambda n: n // 10))),
        "twice" / Mapped(Mapped(U32LE, lambda n: n + 1, lambda n: n - 1), str, int),
        "mac" / Mac,
        "raw" / Octets(3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", RECORDS)
def test_values_equal_those_of_the_definition(name):
    record = RECORDS[name]
    fast = fixed(record)
    assert fast is not None
    rng = random.Random(name)
    for _ in range(200):
        data = bytearray(rng.randbytes(fast.size))
        if name.startswith("NAN"):
            data[1:6] = bytes.fromhex("09506f9a") + (b"\x18" if "action" in name else b"\x13")
        expected = parse(record, bytes(data), Walk())
        assert fast.read(b"\xaa\xbb" + bytes(data) + b"\xcc", 2) == expected


@pytest.mark.parametrize(
    "record",
    [
        header.HEADER,
        Record("may_be_missing" / Optional(U8)),
        Record("big" / U16BE),
        Record("rest" / Hex(-1)),
        Record(Flags(U8, whole="all", bit=0)),
        U8,
    ],
    ids=["flagged", "optional", "big-endian", "rest", "whole", "no-record"],
)
def test_what_it_does_not_know_it_leaves(record):
    assert fixed(record) is None


def test_constants_are_passed_over():
    fast = fixed(Record("_fixed" / Const(b"\x01\x02"), "x" / U8))
    assert fast is not None
    assert (fast.size, fast.read(b"\xff\xff\x07", 0)) == (3, {"x": 7})
