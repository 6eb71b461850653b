"""Advertising data from what users write in scenarios: fields of formats placed into the right AD structures.

`{format = "ibeacon", fields = {...}, context = {...}}` becomes the structure that the format's key names:
service data of a UUID, manufacturer data of a company, or an AD type of its own. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from protocols.ble import payloads
from protocols.ble.ad_layout import read_run
from protocols.ble.advertising import (
    LEGACY_LIMIT,
    Piece,
    ad_run,
    flags,
    manufacturer,
    raw,
    service_data,
    uuids,
)
from protocols.ble.advertising import (
    name as name_piece,
)
from protocols.dissect import encode
from protocols.errors import EncodeError
from protocols.layout import Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["advert_data", "pieces_of_format", "service_and_name"]

_LISTED = ("feaa",)
"""UUIDs whose service data must come with a list of service UUIDs (Eddystone protocol, "Common elements")."""


def pieces_of_format(
    name: str, fields: Mapping[str, Any], context: Mapping[str, Any], base: Path | None = None
) -> list[Piece]:
    """AD structures that carry `fields` as format `name`; a context `company_id` or `service_uuid` says where
    when the format fits several; the path of a user's format is looked up in `base`. Raises EncodeError, UnknownNameError, UsageError.
    """
    form = payloads.FORMATS.get(str(base / name) if base and name.endswith(".py") else name)
    octets = encode(form, with_nulls(fields), context)
    kind, selector = _place(form.keys or _keys_of(name), context)
    if kind == "service_data":
        listed = uuids([selector]) if selector in _LISTED else []
        return [*listed, service_data(selector, octets)]
    if kind == "manufacturer_data":
        return [manufacturer(selector, octets)]
    if kind == "ad_value":
        return [raw(int(selector), octets)]
    if kind == "ad":
        structures, _ = read_run(Walk(strict=False), octets)
        return [raw(one.type, bytes.fromhex(one.data)) for one in structures]
    raise EncodeError("", f"format {name} is no advertised one ({kind or 'no key'})")


NOT_AVAILABLE = "not available"
"""How TOML, which has no null, says that a field is sent as "not available"."""


def with_nulls(fields: Any) -> Any:
    """The fields with None where they say "not available"."""
    if isinstance(fields, dict):
        return {key: with_nulls(value) for key, value in cast("dict[str, Any]", fields).items()}
    if isinstance(fields, list):
        return [with_nulls(value) for value in cast("list[object]", fields)]
    return None if fields == NOT_AVAILABLE else fields


def _keys_of(name: str) -> tuple[str, ...]:
    """Keys of a format; those of `eddystone` for `eddystone-url`, which is one frame of it."""
    known = payloads.FORMATS.names()
    while name in known or "-" in name:
        keys = payloads.FORMATS.get(name).keys if name in known else ()
        if keys:
            return keys
        name = name.rpartition("-")[0]
    return ()


def _place(keys: tuple[str, ...], context: Mapping[str, Any]) -> tuple[str, str]:
    """(kind, selector) of the first key that names a place; a "*" is filled from the context."""
    for key in keys:
        kind, selector = (*key.split("/"), "", "")[:2]
        given = context.get("company_id" if kind == "manufacturer_data" else "service_uuid")
        if given is not None and kind in ("manufacturer_data", "service_data"):
            return kind, str(given).lower()
        if selector != "*":
            return kind, selector
    return "", ""


def advert_data(
    parts: Iterable[Piece | Iterable[Piece]], *, with_flags: bool, limit: int | None
) -> bytes:
    """The run of `parts`: flags first, each list of service UUIDs once. Raises EncodeError when over `limit`."""
    seen: set[tuple[int, bytes]] = set()
    flat: list[Piece] = [flags()] if with_flags else []
    for part in parts:
        for piece in [part] if isinstance(part, Piece) else part:
            key = (piece.type, piece.data)
            if key not in seen:
                seen.add(key)
                flat.append(piece)
    if with_flags and sum(piece.type == 0x01 for piece in flat) > 1:
        flat = flat[1:]
    return ad_run(flat, limit=limit)


def service_and_name(service: str, local_name: str) -> tuple[bytes, bytes]:
    """(advert, scan response) with Flags, a service UUID and a name; the name goes where there is room for it.

    Raises EncodeError when the name does not fit into the scan response either.
    """
    first, last = [flags(), *uuids([service])], name_piece(local_name)
    fits = sum(piece.size for piece in (*first, last)) <= LEGACY_LIMIT
    return (ad_run([*first, last]), b"") if fits else (ad_run(first), ad_run([last]))
