"""What holds for every vendor frame: lengths, spans, round trips, nothing but the named errors."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from protocols.ble import payloads
from protocols.dissect import Block, dissect, encode
from protocols.errors import DecodeError, EncodeError
from protocols.format import Format, Keys, run, to_plain

if TYPE_CHECKING:
    from protocols.layout import Node

NAMES = (
    "ibeacon", "altbeacon", "apple-continuity", "homekit-ble", "homekit-ble-encrypted", "apple-findmy",
    "fast-pair", "swift-pair", "ms-cdp", "exposure-notification", "dult", "matter", "feasycom", "kegtron",
)  # fmt: skip
FORMATS = {name: payloads.FORMATS.get(name) for name in NAMES}
CASES = [(name, index) for name, form in FORMATS.items() for index in range(len(form.examples))]
LENGTHS = {  # section 5.4
    "ibeacon": {23},
    "altbeacon": {24},
    "apple-continuity": {0},
    "homekit-ble": {15, 19},
    "homekit-ble-encrypted": {24},
    "apple-findmy": {27},
    "ms-cdp": {27},
    "exposure-notification": {20},
    "dult": set(range(2, 28)),
    "matter": {8},
    "feasycom": {11},
    "kegtron": {27},
}


def block(form: Format, data: bytes) -> Block:
    kind, selector = form.keys[0].split("/")[:2]
    if kind == "service_data":
        return Block(kind=kind, data=data, service_uuid=selector)
    return Block(kind=kind, data=data, company_id=selector)


def uncovered(nodes: tuple[Node, ...], start: int, end: int) -> list[int]:
    """Octets of start..end that no node covers; every node and child must lie inside."""
    left = set(range(start, end))
    for node in nodes:
        assert start <= node.start <= node.end <= end, node
        left -= set(range(node.start, node.end))
        uncovered(node.children, node.start, node.end)
    return sorted(left)


@pytest.mark.parametrize(("name", "index"), CASES)
def test_example_is_found_by_its_key_and_every_octet_is_in_the_tree(name: str, index: int) -> None:
    form = FORMATS[name]
    example = form.examples[index]
    data = bytes.fromhex(example.hex)
    found = dissect(block(form, data), example.context)
    assert (found.format, found.error) == (name, None)
    assert uncovered(found.tree, 0, len(data)) == []


@pytest.mark.parametrize(("name", "index"), CASES)
def test_example_rebuilds(name: str, index: int) -> None:
    example = FORMATS[name].examples[index]
    found = dissect(block(FORMATS[name], bytes.fromhex(example.hex)), example.context)
    assert encode(name, found.plain, example.context).hex() == example.hex


@pytest.mark.parametrize("name", sorted(LENGTHS))
def test_every_other_length_is_frame_length_without_offset(name: str) -> None:
    """The first example, cut and padded; a first octet alone already chooses these layouts."""
    data = max((bytes.fromhex(e.hex) for e in FORMATS[name].examples), key=len)
    if name == "apple-continuity":
        assert dissect(Block(kind="manufacturer_data"), form=name).plain == {"messages": []}
        return
    for size in range(40):
        cut = data[:size].ljust(size, b"\0")
        error = dissect(Block(kind="manufacturer_data", data=cut), form=name).error
        if size in LENGTHS[name]:
            assert error is None or error.code == "subtype_length", (size, error)
        else:
            assert error is not None, size
            assert (error.code, error.offset) == ("frame_length", None), size


@pytest.mark.parametrize("name", NAMES)
def test_damaged_input_is_read_or_refused_and_what_is_read_can_be_sent(name: str) -> None:
    """Whatever a strict decoder takes, an encoder can send again, and it reads the same.

    Left out: text that was not UTF-8 may outgrow its field, and a fast-pair frame may say one thing twice.
    """
    form, chance = FORMATS[name], random.Random(name)
    for example in form.examples:
        keys, data = Keys(example.context), bytes.fromhex(example.hex)
        for damaged in _damaged(data, chance):
            fields, _, error = run(form, damaged, keys, strict=True)
            if fields is None:
                assert isinstance(error, DecodeError)
                run(form, damaged, keys, strict=False)
                continue
            plain = to_plain(fields)
            if "\ufffd" in str(plain) or (name == "fast-pair" and _says_twice(damaged)):
                continue
            again = dissect(block(form, encode(name, plain, keys)), keys, form=form)
            assert (again.plain, again.error) == (plain, None), damaged.hex()


def _damaged(data: bytes, chance: random.Random) -> list[bytes]:
    out = [data[:size] for size in range(len(data))] + [data + b"\0", data + b"\xff\xff"]
    for _ in range(150):
        octets = bytearray(data or b"\0")
        for _ in range(chance.choice((1, 1, 2))):
            octets[chance.randrange(len(octets))] = chance.randrange(256)
        out.append(bytes(octets))
    return out


def _says_twice(data: bytes) -> bool:
    """A second filter, salt or battery: the last counts, and without the first the frame may be 3 octets."""
    kinds: list[int] = []
    at = 1
    while at < len(data) and len(data) != 3:
        kinds.append({0: 0, 2: 0, 1: 1, 3: 3, 4: 3}[data[at] & 15])
        at += 1 + (data[at] >> 4)
    return len(set(kinds)) < len(kinds)


@pytest.mark.parametrize("name", NAMES)
def test_missing_fields_are_named(name: str) -> None:
    """Nothing given: EncodeError, never KeyError; one field taken away: a word about it or a valid frame."""
    form = FORMATS[name]
    with pytest.raises(EncodeError):
        encode(name, {})
    for example in form.examples:
        plain = dissect(block(form, bytes.fromhex(example.hex)), example.context).plain
        for field in plain:
            rest = {key: value for key, value in plain.items() if key != field}
            problem, data = _encoded(name, rest, example.context)
            assert problem is None or field in problem
            assert data is None or dissect(block(form, data), example.context).error is None


def _encoded(
    name: str, fields: dict[str, Any], context: dict[str, Any]
) -> tuple[str | None, bytes | None]:
    try:
        return None, encode(name, fields, context)
    except EncodeError as exc:
        return str(exc), None


@pytest.mark.parametrize("name", NAMES)
def test_unknown_fields_are_refused(name: str) -> None:
    form = FORMATS[name]
    plain = dissect(block(form, bytes.fromhex(form.examples[0].hex))).plain
    with pytest.raises(EncodeError, match="nonsense"):
        encode(name, {**plain, "nonsense": 1})


@pytest.mark.parametrize(
    ("company", "hex_", "name"),
    [
        ("004c", "0215" + "00" * 21, "ibeacon"),
        ("004c", "02", "ibeacon"),
        ("004c", "06", "homekit-ble"),
        ("004c", "11", "homekit-ble-encrypted"),
        ("004c", "1219" + "00" * 25, "apple-findmy"),
        ("004c", "1219" + "00" * 24, "apple-continuity"),
        ("004c", "1218" + "00" * 25, "apple-continuity"),
        ("004c", "12020000", "apple-continuity"),
        ("004c", "", "apple-continuity"),
        ("004c", "beac" + "00" * 22, "apple-continuity"),
        ("0006", "030080", "swift-pair"),
        ("0006", "01" + "00" * 26, "ms-cdp"),
        ("0006", "02", None),
        ("0006", "beac" + "00" * 22, "altbeacon"),
        ("0118", "beac" + "00" * 22, "altbeacon"),
        ("0118", "00", "altbeacon"),
        ("ffff", "beac" + "00" * 22, "altbeacon"),
        ("ffff", "beac" + "00" * 25, "altbeacon"),
        ("ffff", "00" * 27, "kegtron"),
        ("ffff", "00" * 26, None),
        ("1234", "beac" + "00" * 22, "altbeacon"),
        ("1234", "be", None),
    ],
)
def test_which_format(company: str, hex_: str, name: str | None) -> None:
    """Rows of section 5.3, first that fits."""
    data = bytes.fromhex(hex_)
    assert dissect(Block(kind="manufacturer_data", data=data, company_id=company)).format == name
