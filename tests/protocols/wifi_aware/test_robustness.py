"""Damaged frames: accepted and rebuilt exactly, or a DecodeError with code, path and offset; in bounded time and memory."""

from __future__ import annotations

import json
import random
import time
import tracemalloc
from typing import Any

import pytest

from protocols.dissect import Block, dissect, encode, summary
from protocols.errors import DecodeError
from protocols.wifi_aware.frame import read
from protocols.wifi_aware.summary import summary as line
from tests.protocols.wifi_aware.recordings import MALFORMED, distinct, frames, secrets

FLIPS, MUTATIONS = 1500, 1500
PARTS = 10
"""Pieces that the slow tests come in."""
HEADER = "d0000000516f9a01000002005e10a001506f9a014d211000"
SPECIAL = (
    0,
    1,
    2,
    4,
    7,
    0x0F,
    0x10,
    0x18,
    0x22,
    0x24,
    0x29,
    0x2C,
    0x4C,
    0x7F,
    0x80,
    0xDD,
    0xF2,
    0xFF,
)


def by_shape():
    """One frame of each kind and list of attributes and elements."""
    found = {}
    for frame in frames():
        if (frame.file, frame.n) in MALFORMED:
            continue
        typed: Any = read(frame.data)
        items = (*getattr(typed, "elements", ()), *typed.nan_attributes)
        found.setdefault((frame.kind, tuple(item.name for item in items)), frame.data)
    return list(found.values())


def check_table(data):
    """Header and attribute table."""
    try:
        read(data)
    except DecodeError as exc:
        check_fault(exc, data)


def check_fault(fault, data):
    assert type(fault) is DecodeError
    assert fault.code
    assert isinstance(fault.path, str)
    assert fault.offset is not None, fault
    assert 0 <= fault.offset <= len(data), fault


def check(data, keys=None):
    """Everything: all bodies, the lenient reading, the rebuild, the line."""
    found = dissect(Block(kind="frame", data=data), keys)
    if found.error is None:
        assert found.fields is not None
        assert encode("frame", json.loads(json.dumps(found.plain)), keys) == data
    else:
        check_fault(found.error, data)
    if found.fields is not None:
        assert summary("frame", found.fields)


def flipped(data, bit):
    out = bytearray(data)
    out[bit // 8] ^= 1 << bit % 8
    return bytes(out)


def mutated(rng, pool):
    data = bytearray(rng.choice(pool))
    for _ in range(rng.randint(1, 5)):
        act = rng.randrange(5)
        at = rng.randrange(len(data)) if data else 0
        if act == 0:
            del data[at : at + rng.randint(1, 9)]
        elif act == 1:
            data[at:at] = rng.randbytes(rng.randint(1, 6))
        elif act == 2 and data:
            data[at] = rng.choice(SPECIAL)
        elif act == 3:
            other = rng.choice(pool)
            cut = rng.randrange(len(other))
            data[at:at] = other[cut : cut + rng.randint(1, 40)]
        else:
            data[at:] = b""
    return bytes(data)


def test_every_truncation_of_every_frame_has_a_table_or_a_fault():
    for data in distinct():
        for size in range(len(data)):
            check_table(data[:size])


def test_every_truncation_of_each_shape_is_exact_or_named():
    shapes = by_shape()
    for data in shapes[:: max(1, len(shapes) // 12)]:
        for size in range(len(data)):
            check(data[:size])


def test_sampled_bit_flips_are_exact_or_named():
    rng = random.Random("flips")
    pool = distinct()
    for _ in range(FLIPS):
        data = rng.choice(pool)
        check(flipped(data, rng.randrange(8 * len(data))))


def test_seeded_mutations_are_exact_or_named():
    rng = random.Random("mutations")
    pool = distinct()
    for _ in range(MUTATIONS):
        check(mutated(rng, pool))


def test_seeded_mutations_of_encrypted_frames():
    """With the keys in hand: what opens rebuilds, anything else is `mic` or another fault."""
    sealed = [f for f in frames() if f.kind == "ACTION-ENCRYPTED"]
    keys = {"tk": list(dict.fromkeys(k for f in sealed for k in secrets(f.file, "nm_tk")))}
    rng = random.Random("sealed")
    for _ in range(100):
        check(mutated(rng, [f.data for f in sealed]), keys)
    for frame in sealed[:4]:
        for size in range(0, len(frame.data), 7):
            check(frame.data[:size], keys)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_truncation_is_exact_or_named(part):
    for data in by_shape()[part::PARTS]:
        for size in range(len(data)):
            check(data[:size])


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_bit_flip_of_each_shape_is_exact_or_named(part):
    for data in by_shape()[part::PARTS]:
        for bit in range(8 * len(data)):
            check(flipped(data, bit))


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
def test_every_bit_flip_of_every_frame_has_a_table_or_a_fault(part):
    for data in distinct()[part::PARTS]:
        for bit in range(8 * len(data)):
            check_table(flipped(data, bit))


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(PARTS))
def test_long_fuzz_is_exact_or_named(seed):
    rng = random.Random(f"long fuzz {seed}")
    pool = distinct()
    for _ in range(4000):
        check(mutated(rng, pool))


def sdf(body):
    return bytes.fromhex(HEADER + "0409506f9a13") + body


def auth(body):
    return bytes.fromhex("b0000000" + HEADER[8:] + "070001000000") + body


SKDA = bytes.fromhex("0102" + "0008" + "00" * 74)
HOSTILE = {
    "empty attributes": lambda n: sdf(b"\xc8\x00\x00" * (n // 3)),
    "short known attributes": lambda n: sdf(b"\x2c\x00\x00" * (n // 3)),
    "one long attribute": lambda n: sdf(b"\xc8" + n.to_bytes(2, "little") + bytes(n)),
    "many entries": lambda n: sdf(b"\x12" + (n // 7 * 7 + 3).to_bytes(2, "little") + b"\0\0\0" + bytes.fromhex("05000000000000") * (n // 7)),
    "matching filter": lambda n: sdf((bytes.fromhex("030b01") + bytes(8) + b"\x04\xff" + bytes(257)) * (n // 270)),
    "empty elements": lambda n: auth(b"\x00\x00" * (n // 2)),
    "fragments": lambda n: auth((b"\xff\xff\x08" + bytes(254)) + (b"\xf2\xff" + bytes(255)) * (n // 257)),
    "empty fragments": lambda n: auth(b"\xf2\x00" * (n // 2)),
    "nested NAN elements": lambda n: auth(bytes.fromhex("dd09506f9a13000200804d") * (n // 11)),
    "pmkids": lambda n: auth((bytes.fromhex("30f60100000fac040000" + "0000c0000e00") + bytes(232)) * (n // 248)),
    "kdes": lambda n: sdf(
        b"\x24" + (80 + n // 6 * 6).to_bytes(2, "little") + SKDA + (n // 6 * 6).to_bytes(2, "big") + bytes.fromhex("dd04000fac63") * (n // 6)
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_frames_cost_in_proportion(name):
    """Nothing is quadratic, and a node costs no more than some kilobytes per octet of input."""
    make = HOSTILE[name]
    costs = []
    for size in (6000, 48000):
        data = make(size)
        dissect(Block(kind="frame", data=data))  # imports and tables are there in real use
        begin = time.process_time()
        found = dissect(Block(kind="frame", data=data))
        costs.append(time.process_time() - begin)
        assert found.error is None or found.error.code
        if found.fields is not None:
            line(found.fields)
    assert costs[1] < 40 * costs[0] + 0.2
    data = make(6000)
    tracemalloc.start()
    try:
        dissect(Block(kind="frame", data=data))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 2500 * len(data)
