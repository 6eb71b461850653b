"""What comes with every registered attribute: its ID in the text, examples, exact rebuilds, valid values, a fuzz."""

from __future__ import annotations

import functools
import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from protocols.errors import DecodeError, EncodeError
from protocols.wifi_aware import strategies, walker
from protocols.wifi_aware.attributes import ATTRIBUTES, Attr, find, id_of, ids, make

PARTS = dict(iter(ATTRIBUTES))
VECTORS = Path(__file__).parents[2] / "vectors"
FUZZ_INPUTS = 300


@functools.cache
def recorded():
    """ID -> bodies of the recorded exchanges (those of service discovery and action frames)."""
    out: dict[int, set[bytes]] = {}
    for file in sorted(VECTORS.glob("wifi-aware-*.json")):
        for frame in json.loads(file.read_text()).get("frames", []):
            body = bytes.fromhex(frame["hex"])[24:]
            skip = {b"\x13": 6, b"\x18": 7}.get(body[5:6])
            if skip and body[1:5].hex() == "09506f9a":
                for attr in walker.table(body, skip):
                    out.setdefault(attr.id, set()).add(attr.octets)
    return out


def seeds(part):
    """Bodies of the examples, and the first recorded ones."""
    return [bytes.fromhex(e.hex) for e in part.examples] + sorted(recorded().get(part.id, ()))[:20]


def looked_at(attr):
    """(fields, None) or (None, the error)."""
    try:
        return attr.fields, None
    except DecodeError as exc:
        return None, exc


def refusal_of(plain):
    """The error of the encoder, None when it takes the fields."""
    try:
        Attr.of_plain(plain, "it")
    except EncodeError as exc:
        return exc
    return None


def check_exact(part, octets):
    """Strict accepts: the plain form rebuilds every octet. Else a DecodeError with code and offset."""
    attr = Attr(part.id, octets)
    fields, fault = looked_at(attr)
    if fault is not None:
        assert fault.code
        assert fault.offset is not None
        assert 0 <= fault.offset <= len(octets)
        assert attr.as_plain() == {"attribute": part.id, "octets": octets.hex()}
        return None
    plain = json.loads(json.dumps(attr.as_plain()))
    assert plain.pop("attribute") == part.name
    assert Attr.of_plain({"attribute": part.name, **plain}, "it") == attr
    assert make(fields) == attr
    return fields


def walk_nodes(nodes):
    for node in nodes:
        yield node
        yield from walk_nodes(node.children)


@pytest.mark.parametrize("name", sorted(PARTS))
def test_id_stands_in_the_file_as_text(name):
    """Octets find their file without importing the others."""
    part = PARTS[name]
    assert part.name == name
    assert id_of(ATTRIBUTES.path / f"{name}.py") == part.id
    assert find(part.id) is part
    assert part.title
    assert part.source
    assert part.examples or part.minimum == 0


def test_no_id_is_claimed_twice():
    assert len(ids()) == len(PARTS)


@pytest.mark.parametrize("name", sorted(PARTS))
def test_examples_and_recordings_are_accepted_and_exact(name):
    for octets in seeds(PARTS[name]):
        assert check_exact(PARTS[name], octets) is not None, octets.hex()


@pytest.mark.parametrize("name", sorted(PARTS))
def test_tree_names_every_octet_and_its_source(name):
    """Every octet, lengths and counts too, is in a node without children, and each node says where it is defined."""
    for octets in seeds(PARTS[name]):
        node = Attr(PARTS[name].id, octets).tree(10, _strict())
        covered = {
            at
            for leaf in walk_nodes([node])
            if not leaf.children
            for at in range(leaf.start, leaf.end)
        }
        gaps = set(range(10, 13 + len(octets))) - covered
        assert not gaps, (octets.hex(), sorted(gaps))
        assert all(n.source for n in walk_nodes([node]))
        assert all(10 <= n.start <= n.end <= 13 + len(octets) for n in walk_nodes([node]))


def _strict():
    from protocols.layout import Walk

    return Walk()


@pytest.mark.parametrize("name", sorted(PARTS))
def test_valid_values_build_and_read_back(name):
    """Build, decode, build: the same fields and the same octets."""
    part = PARTS[name]

    @settings(
        max_examples=60,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
    @given(strategies.bodies(part))
    def holds(fields):
        attr = make(fields)
        assert attr.fields == fields
        assert check_exact(part, attr.octets) == fields

    holds()


@pytest.mark.parametrize("name", sorted(PARTS))
def test_every_truncation_and_bit_flip_is_exact_or_named(name):
    for octets in seeds(PARTS[name])[:8]:
        for size in range(len(octets)):
            check_exact(PARTS[name], octets[:size])
        for bit in range(8 * min(len(octets), 96)):
            flipped = bytearray(octets)
            flipped[bit // 8] ^= 1 << bit % 8
            check_exact(PARTS[name], bytes(flipped))


@pytest.mark.parametrize("name", sorted(PARTS))
def test_fuzz_is_exact_or_named(name):
    """Seeded mutations: what strict accepts rebuilds octet for octet, whatever bits are reserved."""
    rng = random.Random(f"attribute {name}")
    pool = seeds(PARTS[name]) or [b""]
    for _ in range(FUZZ_INPUTS):
        data = bytearray(rng.choice(pool))
        for _ in range(rng.randint(1, 4)):
            act = rng.randrange(4)
            if act == 0:
                data = data[: rng.randint(0, len(data))]
            elif act == 1:
                data += rng.randbytes(rng.randint(1, 8))
            elif act == 2 and data:
                data[rng.randrange(len(data))] = rng.choice((0, 1, 0x0F, 0x7F, 0x80, 0xFF))
            else:
                at = rng.randint(0, len(data))
                data[at:at] = rng.randbytes(rng.randint(1, 6))
        check_exact(PARTS[name], bytes(data))


@pytest.mark.parametrize("name", sorted(PARTS))
def test_wrong_plain_fields_are_refused_by_path(name):
    """A field removed, of another type or out of range is an EncodeError whose path starts where it stands."""
    part = PARTS[name]
    for octets in seeds(part)[:6]:
        plain = Attr(part.id, octets).as_plain()
        for key in [k for k in plain if k != "attribute"]:
            for value in (None, -1, 10**9, 1.5, "", "zz", [], {}, [{}]):
                refused = refusal_of({**plain, key: value})
                assert refused is None or refused.path.startswith("it")
        with pytest.raises(EncodeError, match="no_such_field"):
            Attr.of_plain({**plain, "no_such_field": 1}, "it")
