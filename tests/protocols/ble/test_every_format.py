"""What comes with every registered format: keys that stand in its text, examples, a rebuild, a seeded fuzz."""

from __future__ import annotations

import contextlib
import json
import random
from pathlib import Path

import pytest

from protocols.ble.payloads import FORMATS, keys_of, kind_of
from protocols.dissect import Block, dissect, encode
from protocols.errors import DecodeError, EncodeError, NearbenchError

FORMS = dict(iter(FORMATS))
VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "ble-adverts.json").read_text())[
    "vectors"
]
FUZZ_INPUTS = 200


def block(name, data):
    return Block(kind=kind_of(FORMS[name]), data=data)


def seeds(name):
    """(octets, context) of every example and vector of a format."""
    out = [(bytes.fromhex(e.hex), e.context) for e in FORMS[name].examples]
    out += [
        (bytes.fromhex(v["hex"]), v.get("context") or {})
        for v in VECTORS
        if v["format"] == name and "hex" in v
    ]
    return out


def mutations(name, rng, count):
    """Mutated seeds: cut, grown, bits flipped, octets replaced, runs repeated; and plain noise."""
    pool = seeds(name) or [(b"", {})]
    for _ in range(count):
        data, context = rng.choice(pool)
        data = bytearray(data)
        for _ in range(rng.randint(1, 4)):
            act = rng.randrange(6)
            if act == 0:
                data = data[: rng.randint(0, len(data))]
            elif act == 1:
                data += rng.randbytes(rng.randint(1, 8))
            elif act == 2 and data:
                data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
            elif act == 3 and data:
                data[rng.randrange(len(data))] = rng.choice((0, 1, 0x7F, 0x80, 0xFF))
            elif act == 4 and data:
                at = rng.randrange(len(data))
                data[at:at] = data[at : at + rng.randint(1, 6)]
            else:
                data = bytearray(rng.randbytes(rng.randint(0, 40)))
        yield bytes(data), context


def check_one(name, data, context):
    """Accepted, or a DecodeError that names code and offset; in either mode never anything else."""
    strict = dissect(block(name, data), context, form=name)
    if strict.error is not None:
        assert type(strict.error) is DecodeError
        assert strict.error.code
        assert strict.error.offset is None or 0 <= strict.error.offset <= len(data)
    lenient = dissect(block(name, data), context, form=name, lenient=True)
    if strict.error is None:
        assert not lenient.doubts
        assert lenient.plain == strict.plain
        check_spans(strict.tree, len(data))
        json.dumps(strict.plain)
    else:
        assert lenient.error is not None or lenient.doubts
    return strict


def check_spans(nodes, size):
    for node in nodes:
        assert 0 <= node.start <= node.end <= size
        check_spans(node.children, size)


@pytest.mark.parametrize("name", sorted(FORMS))
def test_keys_stand_in_the_file_as_text(name):
    """Octets find their format without importing the others."""
    file = FORMATS.path / f"{name.replace('-', '_')}.py"
    assert keys_of(file) == FORMS[name].keys


@pytest.mark.parametrize("name", sorted(FORMS))
def test_is_described_and_has_examples(name):
    form = FORMS[name]
    assert form.name == name
    assert form.title
    assert form.source
    assert form.confidence.split(":")[0] in ("verified", "documented", "unverified")
    assert form.examples or name == "advertisement"


@pytest.mark.parametrize("name", sorted(FORMS))
def test_examples_are_accepted_and_rebuilt(name):
    form = FORMS[name]
    for example in form.examples:
        found = check_one(name, bytes.fromhex(example.hex), example.context)
        assert found.error is None, f"{example.hex}: {found.error}"
        if form.encode is not None:
            rebuilt = encode(name, found.plain, example.context)
            again = dissect(block(name, rebuilt), example.context, form=name)
            assert again.plain == found.plain


@pytest.mark.parametrize("name", sorted(FORMS))
def test_fuzz_accepts_or_names_the_fault(name):
    """Seeded: what is accepted is encodable again to the same fields; what is not names code and offset."""
    rng = random.Random(f"fuzz {name}")
    for data, context in mutations(name, rng, FUZZ_INPUTS):
        found = check_one(name, data, context)
        if found.error is None and found.fields is not None and FORMS[name].encode is not None:
            check_again(name, found, context)


def check_again(name, found, context):
    try:
        rebuilt = encode(name, found.plain, context)
    except EncodeError:
        return  # decodable, but nothing a sender may build (reserved values)
    again = dissect(block(name, rebuilt), context, form=name)
    assert again.error is None
    assert again.plain == found.plain


@pytest.mark.parametrize("name", sorted(FORMS))
def test_every_truncation_is_accepted_or_named(name):
    for data, context in seeds(name):
        for size in range(len(data)):
            check_one(name, data[:size], context)


@pytest.mark.parametrize("name", sorted(n for n, f in FORMS.items() if f.encode))
def test_fuzzed_fields_are_encoded_or_refused_by_path(name):
    """A field removed, renamed or of another type is an EncodeError (or fine), never anything else."""
    rng = random.Random(f"fields {name}")
    for data, context in seeds(name):
        fields = dissect(block(name, data), context, form=name).plain
        for key in list(fields):
            for value in (None, -1, 10**9, 1.5, "", "zz", [], {}, True, [{}], rng.random()):
                with contextlib.suppress(NearbenchError):
                    encode(name, {**fields, key: value}, context)
            without = {k: v for k, v in fields.items() if k != key}
            with contextlib.suppress(NearbenchError):
                encode(name, without, context)
        with pytest.raises(EncodeError):
            encode(name, {**fields, "no_such_field": 1}, context)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(FORMS))
def test_long_fuzz(name):
    rng = random.Random(f"long fuzz {name}")
    for data, context in mutations(name, rng, 5000):
        check_one(name, data, context)
