"""A device of the user's own, described in the scenario: what it advertises and its GATT table.

Advertising data comes from one of three places: `advertising_hex` (with `scan_response_hex`), `advertising` (with
`scan_response`): fields of any format, or `clone`: a capture. For more than this can say, a scenario may name a
Python file with an accessory instead. Everything is checked when the scenario is loaded.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import msgspec

from protocols.ble.advertising import LEGACY_LIMIT, Piece
from protocols.errors import EncodeError, NearbenchError, UsageError
from sim.accessories import Accessory, AccessorySettings
from sim.adverts import advert_data, pieces_of_format
from sim.clone import Clone, read_clone
from sim.gatt import Advert, Characteristic, Property, Service

if TYPE_CHECKING:
    from sim.device import Place, Settings

_EXTENDED_LIMIT = 1650


class Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One block of advertising data: `fields` of `format`, with keys and clocks in `context`."""

    format: str
    fields: dict[str, Any] = {}
    context: dict[str, Any] = {}


class CharacteristicSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A characteristic with a constant value, or one that keeps what was last written."""

    uuid: str
    properties: tuple[Property, ...] = ("read",)
    value_hex: str = ""
    text: str = ""
    name: str = ""

    def __post_init__(self) -> None:
        _uuid(self.uuid)
        if self.value_hex and self.text:
            raise ValueError(f"characteristic {self.uuid}: give value_hex or text, not both")
        _octets(f"characteristic {self.uuid}: value_hex", self.value_hex)


class ServiceSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service of the GATT table."""

    uuid: str
    characteristics: tuple[CharacteristicSpec, ...] = ()

    def __post_init__(self) -> None:
        _uuid(self.uuid)


class CustomSettings(AccessorySettings, frozen=True, kw_only=True):
    """Settings of the device of your own."""

    advertising_hex: str = ""
    """advertising data as hex, sent as it is, right or wrong."""
    scan_response_hex: str = ""
    """scan response data as hex."""
    advertising: tuple[Part, ...] = ()
    """advertising data as a list of {format, fields, context}."""
    scan_response: tuple[Part, ...] = ()
    """scan response data as a list of {format, fields, context}."""
    flags: bool = True
    """whether `advertising` begins with the flags 06 (general discoverable, no BR/EDR)."""
    clone: str = ""
    """capture file to take an advertiser from, beside the scenario; its address too, unless `address` is given."""
    clone_address: str = ""
    """which advertiser of the capture, when it has several."""
    sort: Literal["", "connectable", "scannable", "non_connectable"] = ""
    """kind of advert; when empty that of the clone, else connectable."""
    interval_ms: float = 0.0
    """advertising interval, ms; when 0 that of the clone, else 100."""
    extended: bool = False
    """whether to use extended advertising PDUs (up to 1650 octets)."""
    services: tuple[ServiceSpec, ...] = ()
    """GATT table: a list of {uuid, characteristics = [{uuid, properties, value_hex or text}]}."""
    local_name: str = ""
    """Device Name in GAP; the node's name when empty."""

    def __post_init__(self) -> None:
        super().__post_init__()
        sources = {
            "advertising_hex": self.advertising_hex,
            "advertising": self.advertising,
            "clone": self.clone,
        }
        given = [key for key, value in sources.items() if value]
        if len(given) > 1:
            raise ValueError(f"{given[1]}: the advertising data is given by {given[0]} already")
        if self.scan_response_hex and self.scan_response:
            raise ValueError(
                "scan_response: the scan response is given by scan_response_hex already"
            )
        if self.clone_address and not self.clone:
            raise ValueError("clone_address: there is no clone")
        _octets("advertising_hex", self.advertising_hex)
        _octets("scan_response_hex", self.scan_response_hex)
        if self.interval_ms and not 20 <= self.interval_ms <= 10240:
            raise ValueError(f"interval_ms {self.interval_ms:g}: allowed are 20 to 10240 ms")


def _octets(key: str, text: str) -> bytes:
    try:
        return bytes.fromhex(text.replace(":", ""))
    except ValueError:
        raise ValueError(f"{key}: {text!r} is not hexadecimal") from None


def _uuid(text: str) -> None:
    digits = text.replace("-", "")
    if len(digits) not in (4, 8, 32) or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise ValueError(f"uuid: {text!r} is no UUID: give 4, 8 or 32 hex digits")


class Custom(Accessory):
    """Advertises what it is told and serves a constant GATT table."""

    Settings: ClassVar[type[Settings]] = CustomSettings
    about = "The scenario says what it is. confidence: yours"
    settings: CustomSettings

    def __init__(self, name: str, settings: CustomSettings, place: Place) -> None:
        self._clone = (
            read_clone(place.base / settings.clone, settings.clone_address)
            if settings.clone
            else None
        )
        super().__init__(name, _with_address(settings, self._clone), place)
        extended = settings.extended or (self._clone is not None and self._clone.extended)
        limit = _EXTENDED_LIMIT if extended else LEGACY_LIMIT
        self._frames = self._clone.frames if self._clone else (self._data("advertising", limit),)
        response = self._data("scan_response", limit)
        if self._clone is not None and not response:
            response = self._clone.scan_response
        self._advert = Advert(
            data=self._frames[0],
            scan_response=response,
            sort=settings.sort or (self._clone.sort if self._clone else "connectable"),
            interval_ms=settings.interval_ms
            or (self._clone.interval_us / 1000 if self._clone else 100.0),
            extended=extended,
            set_address=_private_address(settings, self._clone),
        )
        self._check(limit)

    def _data(self, key: str, limit: int) -> bytes:
        """Octets of `advertising` or `scan_response`. Raises UsageError that names the key."""
        settings = self.settings
        octets = _octets(f"{key}_hex", getattr(settings, f"{key}_hex"))
        parts: tuple[Part, ...] = getattr(settings, key)
        if octets or not parts:
            return octets
        pieces: list[list[Piece]] = []
        for index, part in enumerate(parts):
            try:
                pieces.append(
                    pieces_of_format(part.format, part.fields, part.context, self.place.base)
                )
            except NearbenchError as exc:
                raise UsageError(f"{key}[{index}] ({part.format}): {exc}") from None
        try:
            return advert_data(
                pieces, with_flags=settings.flags and key == "advertising", limit=limit
            )
        except EncodeError as exc:
            raise UsageError(f"{key}: {exc}") from None

    def _check(self, limit: int) -> None:
        for key, data in (
            ("advertising_hex", self._advert.data),
            ("scan_response_hex", self._advert.scan_response),
        ):
            if len(data) > limit:
                more = "" if self._advert.extended else "; shorten it or set extended = true"
                raise UsageError(
                    f"{key}: {len(data)} octets, {len(data) - limit} more than the {limit} that fit{more}"
                )
        if self._advert.scan_response and self._advert.sort == "non_connectable":
            raise UsageError(
                'sort: a non_connectable advert has no scan response; set sort = "scannable"'
            )
        if (
            self._advert.scan_response
            and self._advert.extended
            and self._advert.sort == "connectable"
        ):
            raise UsageError("extended: an extended connectable advert has no scan response")
        if self._advert.data and self._advert.extended and self._advert.sort == "scannable":
            raise UsageError(
                "extended: a scannable extended advert has all its data in the scan response"
            )

    def local_name(self) -> str:
        """Device Name."""
        return self.settings.local_name or self.name

    def services(self) -> tuple[Service, ...]:
        """The table of the scenario."""
        return tuple(
            Service(
                uuid=service.uuid,
                characteristics=tuple(
                    Characteristic(
                        uuid=one.uuid,
                        properties=one.properties,
                        value=bytes.fromhex(one.value_hex.replace(":", "")) or one.text.encode(),
                        name=one.name,
                    )
                    for one in service.characteristics
                ),
            )
            for service in self.settings.services
        )

    async def start(self) -> None:
        """Advertise; a clone of several frames sends them in turn."""
        await self.ble.advertise(self._advert)
        if len(self._frames) > 1 and self._clone is not None:
            self.background(self._interleave(self._clone.frame_us))

    async def _interleave(self, frame_us: int) -> None:
        turn = 0
        while True:
            await asyncio.sleep(frame_us / 1e6)
            turn += 1
            await self.ble.set_data(self._frames[turn % len(self._frames)])


def _is_static(clone: Clone) -> bool:
    return clone.address_type != "random" or clone.address[0] in "cdef"


def _with_address(settings: CustomSettings, clone: Clone | None) -> CustomSettings:
    """The settings with the clone's address, when that can be the address of a device."""
    if clone is None or settings.address or not _is_static(clone):
        return settings
    return msgspec.structs.replace(settings, address=f"{clone.address} {clone.address_type}")


def _private_address(settings: CustomSettings, clone: Clone | None) -> str | None:
    """The clone's address when it is a private one, which only an advertising set can have."""
    if clone is None or settings.address or _is_static(clone):
        return None
    return clone.address


ACCESSORY = Custom
