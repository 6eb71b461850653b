"""Several blocks of one device: its name, service data and manufacturer data, each read by its own format.

The blocks come from `also` of the context, or out of a run of AD structures when octets are given. The rules of a
block are those of its format; offsets count from the block's first octet. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from protocols.ble import payloads
from protocols.ble.advertising import (
    NamedValues,
    Piece,
    Structure,
    ad_run,
    manufacturer,
    name,
    pieces_of,
    raw,
    read_run,
    service_data,
)
from protocols.errors import DecodeError, EncodeError, UsageError
from protocols.format import (
    UNSET,
    Example,
    Fields,
    Format,
    Keys,
    Reader,
    UnsetType,
    as_fields,
    converted,
    run,
    to_plain,
)
from protocols.layout import REST, Hex, Node, Walk, build

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

KEYS = ("advertisement/",)

_MAKERS = {"service_data": service_data, "manufacturer_data": manufacturer}
_SELECTORS = {"uuid": "service_data", "company_id": "manufacturer_data"}


class Advertisement(Fields, frozen=True, kw_only=True):
    """The name, and under the UUID or company identifier of each block its fields.

    A block no format claims has its octets as `data`, and its `kind`. Where a UUID and a company identifier are the
    same digits, the manufacturer block is called `manufacturer_data/` and the digits.
    """

    local_name: str | UnsetType = UNSET
    local_name_type: Literal["shortened"] | UnsetType = UNSET
    structures: list[Structure] | UnsetType = UNSET
    """of a run: what is neither the name nor a block (flags, UUID lists, an earlier block of the same key)."""
    blocks: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict[str, dict[str, Any]])

    def as_plain(self) -> dict[str, Any]:
        """The blocks at the level of the name, as the vector files have them."""
        plain = cast("dict[str, Any]", msgspec.to_builtins(self))
        blocks = cast("dict[str, Any]", plain.pop("blocks"))
        return {**plain, **blocks}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> Advertisement:
        """The inverse of `as_plain`. Raises EncodeError for a block that is no object."""
        own = {key: plain[key] for key in cls.__struct_fields__ if key in plain and key != "blocks"}
        blocks = {key: value for key, value in plain.items() if key not in own}
        for key, value in blocks.items():
            if not isinstance(value, dict):
                raise EncodeError(
                    key, f"expected an object with the fields of the block, got {value!r}"
                )
        return cast("Advertisement", converted(cls, {**own, "blocks": blocks}))


def decode(reader: Reader) -> Fields:
    """Codes: the first of the blocks (of the run, when octets are given). Lenient: blocks without a fault."""
    also = reader.keys.get("also")
    given, own = _of_run(reader) if also is None else (_of_context(also), {})
    blocks: dict[str, dict[str, Any]] = {}
    nodes: dict[tuple[str, str], Node] = {}
    for kind, key, data in _blocks(given):
        plain, nodes[kind, key] = _block(reader, kind, key, data)
        if plain is not None:
            blocks[f"{kind}/{key}" if key in blocks else key] = plain
    if also is None:
        reader.walk.nodes[:] = [_graft(node, nodes, "") for node in reader.walk.nodes]
    else:
        reader.walk.nodes.extend(nodes.values())
    return Advertisement(local_name=given.get("local_name", UNSET), blocks=blocks, **own)


def _graft(node: Node, blocks: Mapping[tuple[str, str], Node], selector: str) -> Node:
    """The tree of a run with the nodes of each block in place of its octets."""
    if node.name == "data":
        for (kind, key), block in blocks.items():
            if f"{kind}/{key}" == selector and block.end == node.end - node.start:
                moved = tuple(_moved(child, node.start) for child in block.children)
                value = None if moved else node.value
                return msgspec.structs.replace(
                    node, value=value, children=moved, meaning=block.meaning
                )
        return node
    kids: list[Node] = []
    for child in node.children:
        kids.append(_graft(child, blocks, selector))
        if child.name in _SELECTORS:
            selector = f"{_SELECTORS[child.name]}/{child.value}"
    return msgspec.structs.replace(node, children=tuple(kids))


def _moved(node: Node, by: int) -> Node:
    kids = tuple(_moved(child, by) for child in node.children)
    return msgspec.structs.replace(node, start=node.start + by, end=node.end + by, children=kids)


def _of_run(reader: Reader) -> tuple[dict[str, Any], dict[str, Any]]:
    """(name and blocks as in `also`, the members that say the rest of the run)."""
    structures, named = read_run(reader.walk, reader.data)
    said = pieces_of(
        NamedValues(
            **{
                key: named[key]
                for key in ("local_name", "local_name_type", *_MAKERS)
                if key in named
            }
        )
    )
    rest = structures[::-1]
    for piece in said:
        sent = Structure(type=piece.type, data=piece.data.hex())
        if sent in rest:  # a name that is not UTF-8 cannot be said in text and stays as sent
            rest.remove(sent)
    own: dict[str, Any] = {"structures": rest[::-1]} if rest else {}
    if named.get("local_name_type") == "shortened":
        own["local_name_type"] = "shortened"
    return named, own


def _of_context(also: Any) -> dict[str, Any]:
    if not isinstance(also, dict):
        raise UsageError(f"also: expected an object, got {also!r}")
    known = {"local_name", *_MAKERS}
    if unknown := sorted(set(cast("dict[str, Any]", also)) - known):
        raise UsageError(f"also: {unknown[0]!r} is none of {', '.join(sorted(known))}")
    given = cast("dict[str, Any]", also)
    for key, value in given.items():
        kind, word = (str, "text") if key == "local_name" else (dict, "an object of hex by key")
        if not isinstance(value, kind):
            raise UsageError(f"also: {key}: expected {word}, got {value!r}")
    return given


def _blocks(given: Mapping[str, Any]) -> Iterator[tuple[str, str, bytes]]:
    """(kind, UUID or company, octets): service data first, each kind in its own order."""
    for kind in _MAKERS:
        for key, text in given.get(kind, {}).items():
            try:
                yield kind, str(key).lower(), bytes.fromhex(text)
            except (TypeError, ValueError):
                raise UsageError(f"also: {kind} {key}: {text!r} is not hexadecimal") from None


def _block(reader: Reader, kind: str, key: str, data: bytes) -> tuple[dict[str, Any] | None, Node]:
    """(fields, None when a fault was passed over; node, its offsets from the block's first octet)."""
    path = f"{kind}/{key}"
    bare = Node(path, data.hex(), None, 0, len(data), ())
    form = payloads.find(kind, key, data, reader.keys)
    if form is None:
        return {"kind": kind, "data": data.hex()}, bare
    fields, inner, error = run(form, data, reader.keys, strict=reader.walk.strict)
    fault = error or _first(inner.walk)
    if fault is not None:
        reader.fault(fault.code, fault.offset, fault.message, f"{path}.{fault.path}".rstrip("."))
        return None, msgspec.structs.replace(bare, meaning=form.title, doubts=(fault.code,))
    kids = tuple(inner.walk.nodes)
    node = msgspec.structs.replace(bare, value=None, meaning=form.title, children=kids)
    return to_plain(cast("Fields", fields)), node


def _first(walk: Walk) -> DecodeError | None:
    for doubt in walk.doubts:
        return DecodeError(doubt.code, doubt.offset, doubt.message, path=doubt.path)
    return None


def encode(fields: Any, keys: Keys) -> bytes:
    """A run of AD structures that says all of it, without limit of length.

    In this order: `structures`, service data, manufacturer data, name. For a key that is both a UUID and a company
    identifier the format that takes the fields decides.
    """
    given = () if fields.structures is UNSET else fields.structures
    pieces = [raw(one.type, build(Hex(REST), one.data)) for one in given]
    blocks = [_piece(key, plain, keys) for key, plain in fields.blocks.items()]
    # service data before manufacturer data, as they are read
    blocks.sort(key=lambda piece: piece.type == _MANUFACTURER)
    _, said = read_run(Walk(strict=False), ad_run(pieces, limit=None))
    if fields.local_name not in (UNSET, said.get("local_name")):
        blocks.append(name(fields.local_name, complete=fields.local_name_type is UNSET))
    return ad_run([*pieces, *blocks], limit=None)


_MANUFACTURER = 0xFF


def _piece(key: str, plain: Mapping[str, Any], keys: Keys) -> Piece:
    kind, _, selector = key.rpartition("/")
    if (given := plain.get("kind")) in _MAKERS and set(plain) == {"kind", "data"}:
        return _MAKERS[given](selector, build(Hex(REST), plain["data"]))
    kinds = [kind] if kind else list(_MAKERS)
    why: EncodeError | None = None
    for kind, form in _candidates(kinds, selector):
        if form.encode is None:
            continue
        try:
            return _MAKERS[kind](selector, form.encode(as_fields(form.fields, plain), keys))
        except EncodeError as exc:
            why = why or exc
    if why is not None:
        raise EncodeError(f"{key}.{why.path}".rstrip("."), why.message)
    raise EncodeError(
        key,
        'no format writes this block: give its octets as {"kind": "service_data", "data": hex}',
    )


def _candidates(kinds: Sequence[str], selector: str) -> Iterator[tuple[str, Format]]:
    """(kind, format) of every format whose keys name the selector, then of those that take any."""
    rows = [
        (kind, wanted, file.stem)
        for file in payloads.FORMATS.files()
        for kind, wanted, *_ in (key.split("/") for key in payloads.keys_of(file))
        if kind in kinds and wanted in (selector, "*")
    ]
    for wanted in (selector, "*"):
        for kind, asked, stem in rows:
            if asked == wanted:
                yield kind, payloads.FORMATS.get(stem)


FORMAT = Format(
    name="advertisement",
    title="Several blocks of one device",
    source="keys and formats of the single blocks; capture of a FeasyBeacon",
    fields=Advertisement,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example(
            "1116aafe20000be680000339ffa229bbce8a1aff4c000215112233445566778899aabbccddeeff0000010002c5",
            note="the blocks of a run; without octets they come from `also` of the context",
        ),
        Example(
            "1116aafe20000be680000339ffa229bbce8a0e16f0ff36021892dc0d3015aeb1640b094653432d42503130354e",
            note="Eddystone TLM beside a vendor frame, and the name",
        ),
    ),
)
