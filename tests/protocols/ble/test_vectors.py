"""Every vector of ble-adverts.json: the stated fields or error, and the stated bytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocols.ble.payloads import FORMATS
from protocols.dissect import Block, dissect, encode
from tui.verify.adverts import same

VECTORS = json.loads((Path(__file__).parents[2] / "vectors" / "ble-adverts.json").read_text())[
    "vectors"
]


def named(vector):
    return vector["name"]


def block_of(vector):
    keys = ("ad_type", "service_uuid", "company_id", "pdu", "also")
    return Block(
        kind=vector["kind"],
        data=bytes.fromhex(vector.get("hex", "")),
        **{k: vector.get(k) for k in keys},
    )


@pytest.mark.parametrize("by_name", [True, False], ids=["by-name", "by-key"])
@pytest.mark.parametrize("vector", VECTORS, ids=named)
def test_decodes_to_the_stated_fields_or_error(vector, by_name):
    form = vector["format"] if by_name else None
    found = dissect(block_of(vector), vector.get("context"), form=form)
    assert found.format == vector["format"]
    if "error" in vector:
        assert found.error is not None
        assert (found.error.code, found.error.offset) == (
            vector["error"]["code"],
            vector["error"]["offset"],
        )
        lenient = vector["error"].get("lenient_result")
        assert same(lenient, found.plain) if lenient else found.plain == {}
    else:
        assert found.error is None
        assert same(vector["expected"], found.plain)


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.get("encode")], ids=named)
def test_encodes_to_the_stated_bytes(vector):
    assert (
        encode(vector["format"], vector["expected"], vector.get("context")).hex() == vector["hex"]
    )


@pytest.mark.parametrize("vector", [v for v in VECTORS if v.get("encode")], ids=named)
def test_what_was_decoded_encodes_again(vector):
    """The encoder needs nothing but the decoded fields and the keys."""
    found = dissect(block_of(vector), vector.get("context"), form=vector["format"])
    assert encode(vector["format"], found.plain, vector.get("context")).hex() == vector["hex"]


def test_comparison_is_not_blind():
    """`same` tells null from absent, bool from int, and 1e-6 from more."""
    assert same({"a": 1.0}, {"a": 1.0000005, "b": 2})
    assert not same({"a": None}, {})
    assert not same({"a": True}, {"a": 1})
    assert not same({"a": 1.0}, {"a": 1.00001})
    assert not same([1], [1, 2])


def test_every_vector_format_is_registered():
    assert {vector["format"] for vector in VECTORS} <= set(FORMATS.names())
