"""GATT tables of `sim.gatt` as bumble's, and the checks of Vol 3 Part G 3.3.1.1 and 3.3.3.3 that bumble leaves out.

A read or write callback of the device raises AttError to refuse; anything else it raises ends the run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from bumble import att, core, gatt

from protocols.errors import UnknownNameError, UsageError
from sim.ble.att_trace import CCCD, EXECUTE, PREPARE, READ, READ_BLOB, WRITE, WRITE_COMMAND
from sim.ble.host import uuid_text
from sim.gatt import AttError, Characteristic, Peer, Service

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.ble.host import AirDevice
    from sim.ble.stack import Stack

__all__ = ["GattTable"]

READ_NOT_PERMITTED, WRITE_NOT_PERMITTED, INVALID_LENGTH, UNLIKELY, NOT_ALLOWED = (
    0x02,
    0x03,
    0x0D,
    0x0E,
    0x13,
)
INSUFFICIENT_AUTHENTICATION, INSUFFICIENT_AUTHORIZATION, INSUFFICIENT_ENCRYPTION = 0x05, 0x08, 0x0F
_BITS = {
    "read": 0x02,
    "write_without_response": 0x04,
    "write": 0x08,
    "notify": 0x10,
    "indicate": 0x20,
}
_NEEDED = {READ: 0x02, READ_BLOB: 0x02, WRITE: 0x08, PREPARE: 0x08, WRITE_COMMAND: 0x04}
_READS = (READ, READ_BLOB)


class GattTable:
    """The served table of one accessory; find characteristics by "uuid" or "service/characteristic"."""

    def __init__(self, stack: Stack, device: AirDevice, services: tuple[Service, ...]) -> None:
        self._stack = stack
        self._found: dict[str, Any] = {}
        self._allowed: dict[int, int] = {}
        """attribute handle -> property bits."""
        self._cccd: dict[int, int] = {}
        """handle of a CCCD -> the bits it may have."""
        self._given: dict[int, Characteristic] = {}
        """id of bumble's characteristic -> ours."""
        self._protected: dict[int, Characteristic] = {}
        """value handle -> a characteristic that is not open to all."""
        self._described: dict[int, Characteristic] = {}
        """handle of a CCCD -> its characteristic."""
        for service in services:
            device.add_service(self._service(service))
        server: Any = device.gatt_server
        self._index(server.attributes)
        device.refuse = self.refuse

    def characteristic(self, name: str) -> Any:
        """bumble's characteristic. Raises UnknownNameError."""
        found = self._found.get(name.lower())
        if found is None:
            raise UnknownNameError(f"characteristic of {self._stack.node}", name, self._found)
        return found

    def refuse(self, connection: Any, opcode: int, handle: int, value: bytes) -> int:
        """ATT error code for a request that the attribute's properties or security do not allow, else 0."""
        if opcode == EXECUTE or opcode not in _NEEDED:
            return 0
        if handle in self._protected:
            one = self._protected[handle]
            if code := self.secured(connection, one, write=opcode not in _READS):
                return code
        if handle in self._cccd and opcode == WRITE:
            if code := self.secured(connection, self._described.get(handle), write=False):
                return code
            if len(value) != 2:
                return INVALID_LENGTH
            return NOT_ALLOWED if int.from_bytes(value, "little") & ~self._cccd[handle] else 0
        allowed = self._allowed.get(handle)
        if allowed is None or allowed & _NEEDED[opcode]:
            return 0
        return READ_NOT_PERMITTED if opcode in _READS else WRITE_NOT_PERMITTED

    def secured(self, connection: Any, one: Characteristic | None, *, write: bool) -> int:
        """ATT error code when the link is not as secure as `one` asks, else 0 (Vol 3 Part C 10.3.1)."""
        wanted = "open" if one is None else one.write_security if write else one.read_security
        if one is None or wanted == "open":
            return 0
        peer = self.peer(connection)
        if not peer.encrypted:
            return INSUFFICIENT_ENCRYPTION if peer.bonded else INSUFFICIENT_AUTHENTICATION
        if wanted == "authenticated" and not peer.authenticated:
            return INSUFFICIENT_AUTHENTICATION
        if wanted == "authorized":
            owner: Any = self._stack.owner
            kind = "write" if write else "read"
            said = self._stack.attempt("authorize()", lambda: owner.authorize(peer, one.uuid, kind))
            return 0 if said else INSUFFICIENT_AUTHORIZATION
        return 0

    def peer(self, connection: Any) -> Peer:
        """The other end of a connection as devices see it."""
        return self._stack.peer_of(connection)

    def _index(self, attributes: list[Any]) -> None:
        trace = self._stack.trace
        last: Any = None
        for attribute in attributes:
            if isinstance(attribute, gatt.Characteristic):
                last = cast(Any, attribute)
                trace.local[attribute.handle] = uuid_text(attribute.uuid.uuid_bytes)
                self._allowed[attribute.handle] = int(attribute.properties)
                given = self._given.get(id(last))
                if given and (given.read_security, given.write_security) != ("open", "open"):
                    self._protected[attribute.handle] = given
            elif isinstance(attribute, gatt.Descriptor):
                uuid = uuid_text(attribute.type.uuid_bytes)
                trace.local[attribute.handle] = uuid
                self._allowed[attribute.handle] = 0x0A if uuid == CCCD else 0x02
                if uuid == CCCD:
                    self._cccd[attribute.handle] = int(last.properties) >> 4 & 3
                    if id(last) in self._given:
                        self._described[attribute.handle] = self._given[id(last)]
            else:
                self._allowed[attribute.handle] = 0x02

    def _service(self, service: Service) -> Any:
        characteristics: list[Any] = []
        for one in service.characteristics:
            made = self._characteristic(one)
            characteristics.append(made)
            self._given[id(made)] = one
            self._found.setdefault(_plain(one.uuid), made)
            self._found.setdefault(f"{_plain(service.uuid)}/{_plain(one.uuid)}", made)
        return gatt.Service(_uuid(service.uuid), characteristics, primary=service.primary)

    def _characteristic(self, one: Characteristic) -> Any:
        permissions = att.Attribute.Permissions.READABLE | att.Attribute.Permissions.WRITEABLE
        value = _Value(self, one)
        descriptors = [
            gatt.Descriptor(_uuid(each.uuid), att.Attribute.Permissions.READABLE, each.value)
            for each in one.descriptors
        ]
        return gatt.Characteristic(
            _uuid(one.uuid),
            gatt.Characteristic.Properties(
                sum(_BITS[name] for name in dict.fromkeys(one.properties))
            ),
            permissions,
            att.AttributeValueV2(read=value.read, write=value.write),
            descriptors,
        )

    def answer(self, what: str, call: Callable[[], Any]) -> Any:
        """What a device's callback gives. Raises ATT_Error: what it refused with, or 0x0E when it failed."""

        def attempt() -> Any:
            try:
                return call()
            except AttError as exc:
                return exc

        result = self._stack.attempt(what, attempt)
        if isinstance(result, AttError):
            raise att.ATT_Error(result.code)
        if result is None:
            raise att.ATT_Error(UNLIKELY)
        return result


class _Value:
    """The value of one characteristic: constant, last written, or made by the device's callbacks."""

    def __init__(self, table: GattTable, one: Characteristic) -> None:
        self._table = table
        self._one = one
        self._value = one.value
        self._what = one.name or one.uuid

    def read(self, connection: Any) -> bytes:
        """Called by bumble."""
        if "read" not in self._one.properties:
            raise att.ATT_Error(READ_NOT_PERMITTED)
        self._check(connection, write=False)
        call = self._one.read
        if call is None:
            return self._value
        peer = self._table.peer(connection)
        value: bytes = self._table.answer(f"reading {self._what}", lambda: _octets(call(peer)))
        return value

    def _check(self, connection: Any, *, write: bool) -> None:
        """Whatever the request was: by handle, by type, several at once, a queue that is executed."""
        if code := self._table.secured(connection, self._one, write=write):
            raise att.ATT_Error(code)

    def write(self, connection: Any, value: bytes) -> None:
        """Called by bumble."""
        self._check(connection, write=True)
        call = self._one.write
        if call is None:
            self._value = value
            return
        peer = self._table.peer(connection)
        self._table.answer(f"writing {self._what}", lambda: (call(peer, value),))


def _octets(value: Any) -> bytes:
    if not isinstance(value, bytes | bytearray):
        raise TypeError(f"a read callback must return bytes, not {type(value).__name__}")
    return bytes(value)


def _plain(uuid: str) -> str:
    return uuid_text(_uuid(uuid).uuid_bytes)


def _uuid(text: str) -> Any:
    digits = text.replace("-", "")
    if len(digits) not in (4, 8, 32) or not all(c in "0123456789abcdefABCDEF" for c in digits):
        raise UsageError(f"{text!r} is no UUID: give 4, 8 or 32 hex digits")
    return core.UUID(digits)
