"""AD structures as rules ask for them: one value per run of octets, decoded once.

Core Specification Supplement Part A clause 1 through `protocols.ble.advertising.read_run`. UUIDs are in the shortest
form (4, 8 or 8-4-4-4-12 digits, lower case). No clock, no IO.
"""

from __future__ import annotations

import functools
import re

import msgspec

from protocols.ble.advertising import read_run
from protocols.errors import UsageError
from protocols.layout import Walk

__all__ = ["Ad", "ad_of", "check_uuid", "is_uuid", "uuid_key"]

_BASE_TAIL = "-0000-1000-8000-00805f9b34fb"
_HEXADECIMAL = re.compile("[0-9a-fA-F]+")
_FRAMING = ("ad_length_overrun", "early_termination_nonzero")
_SERVICE_DATA_UUID = {0x16: 2, 0x20: 4, 0x21: 16}
_MANUFACTURER, _FLAGS = 0xFF, 0x01


def uuid_key(text: str) -> str:
    """A UUID in its shortest form: "0000FEAA-0000-1000-8000-00805F9B34FB" -> "feaa"."""
    digits = text.lower().replace("-", "")
    if len(digits) == 32:
        full = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
        if not full.endswith(_BASE_TAIL):
            return full
        digits = digits[:8]
    return digits[4:] if len(digits) == 8 and digits.startswith("0000") else digits


def is_uuid(text: str) -> bool:
    """Whether `text` is a UUID of 4, 8 or 32 hex digits (dashes allowed)."""
    digits = text.replace("-", "")
    return len(digits) in (4, 8, 32) and _HEXADECIMAL.fullmatch(digits) is not None


def check_uuid(text: str, where: str) -> str:
    """`text` in its shortest form. Raises UsageError that names `where` when it is no UUID."""
    if not is_uuid(text):
        raise UsageError(
            f"{where}: {text!r} is no UUID; write 4, 8 or 32 hex digits, for example '180d'"
        )
    return uuid_key(text)


class Ad(msgspec.Struct, frozen=True, kw_only=True):
    """A run of AD structures."""

    octets: int
    types: tuple[int, ...] = ()
    flags: int | None = None
    service_uuids: tuple[str, ...] = ()
    solicited: tuple[str, ...] = ()
    name: str = ""
    tx_power_dbm: int | None = None
    service_data: tuple[tuple[str, bytes], ...] = ()
    manufacturer: tuple[tuple[str, bytes], ...] = ()
    """company identifier (4 hex digits), octets after it."""
    framing: str = ""
    """what is wrong with the lengths; nothing after that place can be trusted."""
    values: str = ""
    """what is wrong inside a structure whose length is right."""

    @property
    def has_flags(self) -> bool:
        """Whether a Flags structure is there."""
        return _FLAGS in self.types

    @property
    def data_uuids(self) -> tuple[str, ...]:
        """UUIDs of the service data."""
        return tuple(uuid for uuid, _ in self.service_data)


@functools.lru_cache(maxsize=20_000)
def ad_of(data: bytes) -> Ad:
    """The structures in `data`; faults are in `framing` and `values`, never raised."""
    walk = Walk(strict=False)
    structures, named = read_run(walk, data)
    framing = values = ""
    for doubt in walk.doubts:
        words = f"{doubt.code} at octet {doubt.offset}: {doubt.message}"
        if doubt.code in _FRAMING:
            framing = framing or words
        else:
            values = values or words
    service_data: list[tuple[str, bytes]] = []
    manufacturer: list[tuple[str, bytes]] = []
    for one in structures:
        octets = bytes.fromhex(one.data)
        size = _SERVICE_DATA_UUID.get(one.type)
        if size is not None and len(octets) >= size:
            service_data.append((uuid_key(octets[:size][::-1].hex()), octets[size:]))
        elif one.type == _MANUFACTURER and len(octets) >= 2:
            manufacturer.append((octets[1::-1].hex(), octets[2:]))
    return Ad(
        octets=len(data),
        types=tuple(one.type for one in structures),
        flags=named.get("flags"),
        service_uuids=tuple(uuid_key(uuid) for uuid in named.get("service_uuids", ())),
        solicited=tuple(uuid_key(uuid) for uuid in named.get("solicitation_uuids", ())),
        name=named.get("local_name", ""),
        tx_power_dbm=named.get("tx_power_dbm"),
        service_data=tuple(service_data),
        manufacturer=tuple(manufacturer),
        framing=framing,
        values=values,
    )
