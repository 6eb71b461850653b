"""One connection of the computer: its GATT table whole, pairing, and the bond's encryption.

Bluetooth Core 5.4, Vol 3 Part G 4.4 to 4.12, Part H 2. On the world's loop. Rules of the file: the phone's link does
the transport; what bleak shows and a phone does not need is here (descriptors, MTU, cached values, pairing). Pairing
has an end: bumble 0.0.236 has no 30 s timer (Part H 3.4) and swallows what a delegate raises, so both are done here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import msgspec
from bumble import core, hci
from bumble.pairing import PairingConfig, PairingDelegate

from protocols.data.gatt_names import reason_name
from sim.ble.central import AirCentral, AirLink
from sim.ble.host import uuid_text
from sim.gatt import AttError, LinkError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.phones.computer import Computer

__all__ = [
    "FoundCharacteristic",
    "FoundDescriptor",
    "FoundService",
    "HostCentral",
    "HostLink",
    "PairingError",
    "pairing_config",
]

PAIRING_TIMEOUT_S = 30.0
_AUTHENTICATION_FAILURE = 0x05
_KEY_MISSING = 0x06
_ADDRESS_TYPES = {
    "public": hci.AddressType.PUBLIC_DEVICE,
    "random": hci.AddressType.RANDOM_DEVICE,
    "public_identity": hci.AddressType.PUBLIC_IDENTITY,
    "random_identity": hci.AddressType.RANDOM_IDENTITY,
}
_IO = {
    "none": PairingDelegate.NO_OUTPUT_NO_INPUT,
    "display": PairingDelegate.DISPLAY_OUTPUT_ONLY,
    "yes_no": PairingDelegate.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
    "keyboard": PairingDelegate.KEYBOARD_INPUT_ONLY,
    "keyboard_display": PairingDelegate.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
}


class FoundDescriptor(msgspec.Struct, frozen=True):
    """A descriptor found by discovery."""

    handle: int
    uuid: str
    """4, 8 or 8-4-4-4-12 digits, as in the rest of the file."""


class FoundCharacteristic(msgspec.Struct, frozen=True):
    """A characteristic found by discovery."""

    handle: int
    """of the declaration; the systems' APIs name characteristics by it."""
    value_handle: int
    uuid: str
    properties: int
    """the bits of the declaration."""
    descriptors: tuple[FoundDescriptor, ...]


class FoundService(msgspec.Struct, frozen=True):
    """A primary service found by discovery."""

    handle: int
    uuid: str
    characteristics: tuple[FoundCharacteristic, ...]


class PairingError(LinkError):
    """Pairing ended without keys; `kind` is failed, timeout or gone."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


class HostCentral(AirCentral):
    """The computer's central; its connections are `HostLink`s."""

    async def connect(
        self, address: str, address_type: str, timeout_us: int, on_disconnect: Callable[[int], None]
    ) -> HostLink:
        """Connect. Raises TimeoutError when nobody connectable answered in time, LinkError."""
        loop = self._stack.place.loop
        end_us = loop.now_us + timeout_us
        peer = hci.Address(address, _ADDRESS_TYPES.get(address_type, hci.AddressType.RANDOM_DEVICE))
        while (left_us := end_us - loop.now_us) > 0:
            connection = await self._connection(peer, left_us)
            link = HostLink(self._stack, connection, on_disconnect)
            if await link.establish():
                return link
        raise TimeoutError

    @property
    def device(self) -> Any:
        """bumble's Device. Raises UsageError while the computer is off."""
        return self._device


class HostLink(AirLink):
    """A connection as an operating system's Bluetooth stack uses it."""

    @property
    def mtu(self) -> int:
        """ATT MTU in force, octets."""
        return int(self._client.mtu)

    @property
    def encrypted(self) -> bool:
        """Whether the link layer encrypts."""
        return bool(self._connection.is_encrypted)

    @property
    def reason(self) -> int | None:
        """HCI reason of its end, None while it stands."""
        return self._reason

    def cached(self, handle: int) -> bytes | None:
        """Last value read from or sent for `handle` on this connection."""
        entry = self._client.cached_values.get(handle)
        return None if entry is None else bytes(entry[1])

    async def table(self, wanted: frozenset[str] | None = None) -> tuple[FoundService, ...]:
        """Services in handle order; with `wanted` (UUIDs as `uuid_text` gives them) no others. Raises AttError, LinkError."""
        self._stack.emit("discover", direction="tx", peer=self.name, label="discover services")
        found = [
            await self._service(proxy)
            for proxy in await self._await(self._client.discover_services())
            if wanted is None or uuid_text(proxy.uuid.uuid_bytes) in wanted
        ]
        count = sum(len(one.characteristics) for one in found)
        uuids = [one.uuid for one in found]
        note = f"{len(found)} services, {count} characteristics"
        self._stack.emit("discovered", peer=self.name, note=note, services=uuids)
        return tuple(found)

    async def _service(self, proxy: Any) -> FoundService:
        await self._await(self._client.discover_characteristics([], proxy))
        characteristics = [await self._characteristic(one) for one in proxy.characteristics]
        return FoundService(proxy.handle, uuid_text(proxy.uuid.uuid_bytes), tuple(characteristics))

    async def _characteristic(self, proxy: Any) -> FoundCharacteristic:
        names = self._stack.trace.remote.setdefault(self._connection.handle, {})
        uuid = names[proxy.handle] = uuid_text(proxy.uuid.uuid_bytes)
        self._proxies[proxy.handle] = proxy
        descriptors: list[FoundDescriptor] = []
        if proxy.end_group_handle > proxy.handle:
            for one in await self._await(self._client.discover_descriptors(proxy)):
                kind = names[one.handle] = uuid_text(one.type.uuid_bytes)
                descriptors.append(FoundDescriptor(one.handle, kind))
        properties = int(proxy.properties)
        return FoundCharacteristic(proxy.handle - 1, proxy.handle, uuid, properties, tuple(descriptors))

    async def command(self, handle: int, value: bytes) -> None:
        """Write without response; the stack takes it and nobody answers. Raises LinkError."""
        await self.write(handle, value, response=False)

    # Security

    async def encrypt(self) -> bool:
        """Encrypt with the bond's key; False when the other side has it no more. Raises LinkError."""
        try:
            await self._await(self._connection.encrypt())
        except hci.HCI_Error as exc:
            words = reason_name(exc.error_code)
            note = f"{exc.error_code:#04x} {words}"
            self._stack.emit("encryption_failed", peer=self.name, note=note, reason=exc.error_code)
            return False
        self._stack.emit("encrypted", peer=self.name, note="with the key of the bond")
        return True

    async def drop(self) -> None:
        """Disconnect for the reason that authentication failed."""
        if self.connected:
            await self._connection.disconnect(_AUTHENTICATION_FAILURE)

    async def pair(self, extra_s: float) -> None:
        """Pair, in at most 30 s beside the `extra_s` a person takes. Raises PairingError, LinkError."""
        self._stack.emit("pair", direction="tx", peer=self.name, label="pairing request")
        try:
            async with asyncio.timeout(PAIRING_TIMEOUT_S + extra_s):
                await self._await(self._connection.pair())
        except TimeoutError:
            self._tell("no end in 30 s (Security Manager timeout)")
            await self.drop()
            raise PairingError("timeout", f"pairing with {self.name} timed out") from None
        except (core.ProtocolError, AttError) as exc:
            self._tell(str(exc))
            raise PairingError("failed", f"pairing with {self.name} failed: {exc}") from None
        except LinkError as exc:
            self._tell("the connection ended")
            raise PairingError("gone", str(exc)) from None
        self._stack.emit("paired", peer=self.name, note="keys are stored")

    def _tell(self, note: str) -> None:
        self._stack.emit("pairing_failed", peer=self.name, note=note)


class _Person(PairingDelegate):  # type: ignore[misc]  # bumble is untyped here
    """The computer's person, as bumble asks; an error of a scenario's own computer ends the run."""

    def __init__(self, computer: Computer, peer: str, io: str) -> None:
        super().__init__(_IO[io])
        self._computer = computer
        self._peer = peer

    async def confirm(self, auto: bool = False) -> bool:
        """Just Works needs nobody's answer: the program asked for it."""
        return True

    async def compare_numbers(self, number: int, digits: int) -> bool:
        """Ask whether both screens show the same."""
        return await self._computer.answer(self._peer, "the numbers are the same")

    async def get_number(self) -> int | None:
        """Have the passkey typed."""
        return await self._computer.type_passkey(self._peer)

    async def display_number(self, number: int, digits: int) -> None:
        """Show the passkey."""
        self._computer.show_passkey(self._peer)


def pairing_config(computer: Computer, peer: str, *, just_works: bool) -> PairingConfig:
    """How the computer pairs with `peer`: as its settings say, without numbers when `just_works`."""
    io = "none" if just_works else computer.settings.io_capability
    return PairingConfig(
        sc=True,
        mitm=io != "none",
        bonding=True,
        delegate=_Person(computer, peer, io),
    )
