"""Advertising data: reading a run of AD structures (`read_run`) and writing one from pieces (`ad_run`).

The layouts are in `protocols.ble.ad_layout`. Core Specification Supplement Part A clause 1; the 31 octets of a legacy PDU are Core Vol 6 Part B 2.3.1.
`ad_run([flags(), service_data("feaa", frame), name("Desk")])` is the whole use. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.ble.ad_layout import (
    COMPLETE_NAME,
    LEGACY_LIMIT,
    RUN,
    SHORTENED_NAME,
    VALUES,
    NamedValues,
    Structure,
    ad_node,
    flag_words,
    read_run,
)
from protocols.data.ad_types import SERVICE_DATA, SERVICE_UUIDS, SOLICITATION_UUIDS, type_name
from protocols.data.companies import company_name
from protocols.data.service_uuids import service_name
from protocols.errors import EncodeError
from protocols.layout import Walk, build

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "LEGACY_LIMIT",
    "RUN",
    "NamedValues",
    "Piece",
    "Structure",
    "ad_node",
    "ad_run",
    "ad_words",
    "appearance",
    "check_size",
    "connection_interval",
    "flag_words",
    "flags",
    "manufacturer",
    "name",
    "pieces_of",
    "raw",
    "read_run",
    "service_data",
    "solicit",
    "tx_power",
    "uri",
    "uuids",
    "uuids16",
    "uuids32",
    "uuids128",
]

_MAX_DATA = 254
_SHORT_INTERVAL_MS = 0xFFFF * 0.625


class Piece(msgspec.Struct, frozen=True, gc=False):
    """One AD structure to be sent."""

    type: int
    data: bytes
    """octets after the type."""

    @property
    def size(self) -> int:
        """Octets it costs: length, type and data."""
        return 2 + len(self.data)


def raw(ad_type: int, data: bytes) -> Piece:
    """Any AD type with any data. Raises EncodeError when no length octet can say it."""
    if not 0 <= ad_type <= 0xFF:
        raise EncodeError("type", f"{ad_type} is no AD type (0 to 255)")
    if len(data) > _MAX_DATA:
        raise EncodeError(
            "data", f"{type_name(ad_type)}: {len(data)} octets, one structure holds {_MAX_DATA}"
        )
    return Piece(ad_type, data)


def flags(bits: int = 0x06) -> Piece:
    """Flags; the default is general discoverable, BR/EDR not supported."""
    return _typed(0x01, flags=bits)


def uuids(listed: Iterable[str | int], *, complete: bool = True) -> list[Piece]:
    """Lists of service UUIDs, one piece per UUID size in use (16, 32, 128 bits in this order)."""
    return _by_size(
        {size: t if complete else t - 1 for size, t in SERVICE_UUIDS.items()},
        "service_uuids",
        listed,
    )


def uuids16(listed: Iterable[str | int], *, complete: bool = True) -> Piece:
    """List of 16-bit service UUIDs, given as numbers or 4 hex digits; may be empty."""
    return _uuid_list(0x03 if complete else 0x02, "service_uuids", map(_uuid_text, listed))


def uuids32(listed: Iterable[str], *, complete: bool = True) -> Piece:
    """List of 32-bit service UUIDs, given as 8 hex digits; may be empty."""
    return _uuid_list(0x05 if complete else 0x04, "service_uuids", listed)


def uuids128(listed: Iterable[str], *, complete: bool = True) -> Piece:
    """List of 128-bit service UUIDs; may be empty."""
    return _uuid_list(0x07 if complete else 0x06, "service_uuids", listed)


def solicit(listed: Iterable[str | int]) -> list[Piece]:
    """Lists of solicited service UUIDs, one piece per UUID size in use."""
    return _by_size(SOLICITATION_UUIDS, "solicitation_uuids", listed)


def service_data(uuid: str | int, data: bytes) -> Piece:
    """Service data of a 16-bit (number or 4 hex digits), 32-bit or 128-bit UUID."""
    text = _uuid_text(uuid)
    return _typed(SERVICE_DATA[_uuid_size(text)], uuid=text, data=data.hex())


def manufacturer(company: str | int, data: bytes) -> Piece:
    """Manufacturer specific data of a company (number or 4 hex digits)."""
    text = f"{company:04x}" if isinstance(company, int) else company
    return _typed(0xFF, company_id=text, data=data.hex())


def name(text: str, *, complete: bool = True) -> Piece:
    """The local name, or the leading part of it."""
    return _typed(COMPLETE_NAME if complete else SHORTENED_NAME, local_name=text)


def tx_power(dbm: int) -> Piece:
    """TX power level, -127 to 127 dBm."""
    return _typed(0x0A, tx_power_dbm=dbm)


def appearance(value: int) -> Piece:
    """Appearance: category x 64 + sub-category."""
    return _typed(0x19, appearance=value)


def connection_interval(min_ms: float | None, max_ms: float | None) -> Piece:
    """Preferred connection interval range in steps of 1.25 ms; None is "no value"."""
    return _typed(0x12, conn_interval_min_ms=min_ms, conn_interval_max_ms=max_ms)


def uri(text: str | None) -> Piece:
    """A URI, its scheme shortened where a code point for it is assigned."""
    return _typed(0x24, uri=text)


def ad_run(pieces: Iterable[Piece | Iterable[Piece]], *, limit: int | None = LEGACY_LIMIT) -> bytes:
    """The octets of the pieces (and lists of pieces) in their order.

    Raises EncodeError when they are more than `limit` (None: no limit), saying what each one costs.
    """
    flat = [one for item in pieces for one in ([item] if isinstance(item, Piece) else item)]
    check_size(flat, limit)
    return build(RUN, [{"type": piece.type, "data": piece.data.hex()} for piece in flat])


def check_size(pieces: Iterable[Piece], limit: int | None) -> None:
    """Raise EncodeError when the pieces take more than `limit` octets (None: no limit)."""
    flat = list(pieces)
    total = sum(piece.size for piece in flat)
    if limit is None or total <= limit:
        return
    costs = ", ".join(f"{type_name(piece.type)} {piece.size}" for piece in flat)
    raise EncodeError(
        "",
        f"{total} octets, {total - limit} more than the {limit} that fit ({costs}); leave something out, "
        "move it to the scan response, or use extended advertising",
    )


def pieces_of(fields: NamedValues) -> list[Piece]:
    """The pieces that say `fields`, in the order they are sent.

    Flags, service UUIDs, solicited UUIDs, TX power, class of device, appearance, connection interval,
    advertising interval, address, role, URI, broadcast name, service data, manufacturer data, local name.
    Raises EncodeError with the path of what cannot be sent.
    """
    given = {
        key: value
        for key, value in msgspec.structs.asdict(fields).items()
        if value is not msgspec.UNSET
    }
    out = [flags(given["flags"])] if "flags" in given else []
    listed = given.get("service_uuids")
    out += [uuids16([])] if listed == [] else uuids(listed or ())
    out += solicit(given.get("solicitation_uuids", ()))
    for ad_type, members in _SINGLE:
        if some := {key: given[key] for key in members if key in given}:
            out.append(_typed(_wide_enough(ad_type, some), **some))
    out += _keyed(given, "service_data", service_data)
    out += _keyed(given, "manufacturer_data", manufacturer)
    if "local_name" in given:
        out.append(name(given["local_name"], complete=given.get("local_name_type") != "shortened"))
    elif "local_name_type" in given:
        raise EncodeError("local_name", "is missing")
    return out


# in the order they are sent
_SINGLE = (
    (0x0A, ("tx_power_dbm",)),
    (0x0D, ("class_of_device",)),
    (0x19, ("appearance",)),
    (0x12, ("conn_interval_min_ms", "conn_interval_max_ms")),
    (0x1A, ("adv_interval_ms",)),
    (0x1B, ("le_address", "le_address_type")),
    (0x1C, ("le_role",)),
    (0x24, ("uri",)),
    (0x30, ("broadcast_name",)),
)


def _wide_enough(ad_type: int, values: Mapping[str, Any]) -> int:
    """The AD type, or the long form of the advertising interval when the value needs it."""
    too_long = values.get("adv_interval_ms", 0) > _SHORT_INTERVAL_MS
    return 0x2F if too_long else ad_type


def _keyed(given: Mapping[str, Any], field: str, make: Any) -> list[Piece]:
    """One piece per item of the mapping `field` (UUID or company -> hex)."""
    out: list[Piece] = []
    for key, text in given.get(field, {}).items():
        try:
            out.append(make(key, bytes.fromhex(text)))
        except ValueError:
            raise EncodeError(f"{field}.{key}", f"{text!r} is not hexadecimal") from None
        except EncodeError as exc:
            raise EncodeError(f"{field}.{key}", exc.message) from None
    return out


def _typed(ad_type: int, **values: Any) -> Piece:
    data = build(VALUES[ad_type], values)
    try:
        return raw(ad_type, data)
    except EncodeError as exc:
        raise EncodeError(next(iter(values)), exc.message) from None


def _by_size(types: Mapping[int, int], member: str, listed: Iterable[str | int]) -> list[Piece]:
    """One list of UUIDs for each size that occurs; `types` gives the AD type of a size."""
    texts = [_uuid_text(uuid) for uuid in listed]
    sizes = [_uuid_size(text, f"{member}[{index}]") for index, text in enumerate(texts)]
    return [
        _uuid_list(ad_type, member, [t for t, s in zip(texts, sizes, strict=True) if s == size])
        for size, ad_type in types.items()
        if size in sizes
    ]


def _uuid_list(ad_type: int, member: str, listed: Iterable[str]) -> Piece:
    return _typed(ad_type, **{member: list(listed)})


def _uuid_text(uuid: str | int) -> str:
    return f"{uuid:04x}" if isinstance(uuid, int) else uuid


def _uuid_size(text: str, path: str = "uuid") -> int:
    """Octets of a UUID. Raises EncodeError when it has the digits of none."""
    digits = text.replace("-", "")
    if len(digits) not in (4, 8, 32):
        raise EncodeError(path, f"{text!r} is no UUID: give 4, 8 or 32 hex digits")
    return len(digits) // 2


def ad_words(data: bytes) -> str:
    """A run in a few words: name, services, whose data is in it, TX power."""
    _, named = read_run(Walk(strict=False), data)
    out = [f'"{named["local_name"]}"'] if "local_name" in named else []
    uuids_in_data = named.get("service_data", {})
    listed = [uuid for uuid in named.get("service_uuids", ()) if uuid not in uuids_in_data]
    if listed:
        out.append("services " + " ".join(_short(uuid) for uuid in listed))
    if uuids_in_data:
        out.append("service data " + " ".join(_short(uuid) for uuid in uuids_in_data))
    out += [f"data of {_company(key)}" for key in named.get("manufacturer_data", ())]
    if "tx_power_dbm" in named:
        out.append(f"TX {named['tx_power_dbm']} dBm")
    return ", ".join(out) or f"{len(data)} octets"


def _short(uuid: str) -> str:
    known = service_name(uuid)
    return f"{uuid} ({known})" if known else uuid


def _company(key: str) -> str:
    return company_name(int(key, 16)) or f"company {key}"
