"""Named streams: the same for a seed and a name, whatever else happens."""

from __future__ import annotations

import hashlib
import os
import random
import statistics
import subprocess
import sys

from sim.rng import Streams


def test_a_stream_is_seeded_by_sha256_of_seed_and_name():
    expected = random.Random(int.from_bytes(hashlib.sha256(b"7\0air.loss/phone").digest(), "big"))
    stream = Streams(7).stream("air.loss/phone")
    assert [stream.random() for _ in range(5)] == [expected.random() for _ in range(5)]


def test_same_name_is_the_same_object_and_order_does_not_matter():
    one, two = Streams(1), Streams(1)
    a, b = one.stream("a"), one.stream("b")
    assert one.stream("a") is a
    b.random()
    other = two.stream("b")
    other.random()
    assert a.random() == two.stream("a").random()
    assert b.random() == other.random()


def test_seeds_and_names_differ():
    draws = {
        Streams(seed).stream(name).random()
        for seed in range(-3, 4)
        for name in ("", "a", "b", "1", "a1")
    }
    assert len(draws) == 35
    assert Streams(1).stream("1\0a").random() != Streams(11).stream("a").random()


def test_bytes_go_on_in_the_stream():
    streams = Streams(3)
    first, second = streams.bytes("key", 16), streams.bytes("key", 16)
    assert len(first) == 16
    assert first != second
    assert Streams(3).bytes("key", 16) == first


def test_normal_is_standard_and_keeps_nothing():
    streams = Streams(9)
    values = [streams.normal(f"link {i}") for i in range(4000)]
    assert values[17] == streams.normal("link 17")
    assert abs(statistics.fmean(values)) < 5 / 4000**0.5
    assert abs(statistics.pstdev(values) - 1) < 5 / 8000**0.5
    assert streams._streams == {}  # pyright: ignore[reportPrivateUsage]  # memory is the point


def test_hash_seed_has_no_influence():
    program = (
        "from sim.rng import Streams; s = Streams(5); print(s.bytes('x', 8).hex(), s.normal('y'))"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
            text=True,
        ).stdout
        for seed in ("0", "1", "4242")
    }
    assert len(outputs) == 1
