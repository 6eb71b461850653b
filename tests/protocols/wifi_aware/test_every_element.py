"""What comes with every registered element: its key in the text, examples, exact rebuilds, valid values, a fuzz."""

from __future__ import annotations

import functools
import json
import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from protocols.errors import DecodeError, EncodeError
from protocols.layout import Walk
from protocols.wifi_aware import elements, strategies
from protocols.wifi_aware.elements import ELEMENTS, Element, find, key_of, make, trees
from protocols.wifi_aware.frame import read

PARTS = dict(iter(ELEMENTS))
VECTORS = Path(__file__).parents[2] / "vectors"
FUZZ_INPUTS = 300


@functools.cache
def recorded():
    """Name -> bodies (behind the prefix) of the recorded Authentication frames."""
    out: dict[str, set[bytes]] = {}
    for file in sorted(VECTORS.glob("wifi-aware-*.json")):
        for frame in json.loads(file.read_text()).get("frames", []):
            if frame["kind"].startswith("PASN") and "modified_in_flight" not in frame:
                for element in read(bytes.fromhex(frame["hex"])).elements:
                    out.setdefault(element.name, set()).add(
                        element.octets[len(element.part.prefix) :]
                    )
    return out


def seeds(part):
    return [bytes.fromhex(e.hex) for e in part.examples] + sorted(recorded().get(part.name, ()))[
        :20
    ]


def refusal_of(plain):
    try:
        Element.of_plain(plain, "it")
    except EncodeError as exc:
        return exc
    return None


def looked_at(element):
    """(fields, None) or (None, the error)."""
    try:
        return element.fields, None
    except DecodeError as exc:
        return None, exc


def check_exact(part, octets):
    """Strict accepts: the plain form rebuilds every octet. Else a DecodeError with code and offset."""
    element = Element(part.id, part.prefix + octets)
    if element.part is not part:
        return None
    fields, fault = looked_at(element)
    if fault is not None:
        assert fault.code
        assert 0 <= fault.offset <= len(octets)
        assert element.as_plain() == {"element": part.id, "octets": element.octets.hex()}
        return None
    plain = json.loads(json.dumps(element.as_plain()))
    assert plain["element"] == part.name
    assert Element.of_plain(plain, "it") == element
    assert make(fields) == element
    return fields


def tree_of(element):
    data = b"\xff" * 7 + element.written()
    found, (node,) = trees(data, 7, len(data), Walk(), None)
    assert found == (element,)
    return node, len(data)


def walk_nodes(nodes):
    for node in nodes:
        yield node
        yield from walk_nodes(node.children)


@pytest.mark.parametrize("name", sorted(PARTS))
def test_key_stands_in_the_file_as_text(name):
    """Octets find their file without importing the others."""
    part = PARTS[name]
    assert part.name == name
    assert key_of(ELEMENTS.path / f"{name}.py") == (part.id, part.prefix)
    assert find(part.id, part.prefix + b"\x00" * 40) is part
    assert part.title
    assert part.source
    assert part.examples


def test_no_key_is_claimed_twice():
    assert len({(part.id, part.prefix) for part in PARTS.values()}) == len(PARTS)


def test_every_element_of_the_recordings_has_a_file():
    assert set(recorded()) <= set(PARTS)


@pytest.mark.parametrize("name", sorted(PARTS))
def test_examples_and_recordings_are_accepted_and_exact(name):
    for octets in seeds(PARTS[name]):
        assert check_exact(PARTS[name], octets) is not None, octets.hex()


@pytest.mark.parametrize("name", sorted(PARTS))
def test_tree_names_every_octet_and_its_source(name):
    part = PARTS[name]
    for octets in seeds(part):
        node, end = tree_of(Element(part.id, part.prefix + octets))
        assert (node.name, node.start, node.end) == (name, 7, end)
        leaves = [leaf for leaf in walk_nodes([node]) if not leaf.children]
        covered = {at for n in leaves for at in range(n.start, n.end)}
        assert covered == set(range(7, end)), (octets.hex(), set(range(7, end)) - covered)
        assert all(n.source for n in walk_nodes([node]))
        assert all(7 <= n.start <= n.end <= end for n in walk_nodes([node]))


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
        element = make(fields)
        assert element.fields == fields
        assert check_exact(part, element.octets[len(part.prefix) :]) == fields

    holds()


@pytest.mark.parametrize("name", sorted(PARTS))
def test_every_truncation_and_bit_flip_is_exact_or_named(name):
    for octets in seeds(PARTS[name])[:6]:
        for size in range(len(octets)):
            check_exact(PARTS[name], octets[:size])
        for bit in range(8 * min(len(octets), 64)):
            flipped = bytearray(octets)
            flipped[bit // 8] ^= 1 << bit % 8
            check_exact(PARTS[name], bytes(flipped))


@pytest.mark.parametrize("name", sorted(PARTS))
def test_fuzz_is_exact_or_named(name):
    rng = random.Random(f"element {name}")
    pool = seeds(PARTS[name])
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
    part = PARTS[name]
    for octets in seeds(part)[:4]:
        plain = Element(part.id, part.prefix + octets).as_plain()
        for key in [k for k in plain if k != "element"]:
            for value in (None, -1, 10**9, 1.5, "", "zz", [], {}, [{}]):
                refused = refusal_of({**plain, key: value})
                assert refused is None or refused.path.startswith("it")
        with pytest.raises(EncodeError, match="no_such_field"):
            Element.of_plain({**plain, "no_such_field": 1}, "it")


def test_a_new_element_is_one_file(monkeypatch, tmp_path):
    """A file in the folder is all it takes."""
    text = (ELEMENTS.path / "mic.py").read_text()
    file = tmp_path / "private_mic.py"
    file.write_text(text.replace('KEY = "8c"', 'KEY = "93"').replace("id=140", "id=147"))
    assert key_of(file) == (147, b"")
    monkeypatch.setattr(ELEMENTS, "files", lambda: [file])
    elements._names.cache_clear()
    try:
        assert Element(147, b"").name == "private_mic"
        assert Element(140, b"").name == "element_8c"
    finally:
        elements._names.cache_clear()
