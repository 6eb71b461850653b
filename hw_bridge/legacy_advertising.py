"""Advertising sets on a controller that knows none: one set, turned into the commands of Bluetooth 4.

Core Specification 5.4 Vol 4 Part E clauses 7.8.4 to 7.8.9 (legacy), 7.8.52 to 7.8.60 (sets), 7.7.65.18 (set
terminated). Rules of the file: packets in, packets out; a set other than the first, and extended PDUs, are refused as a
controller would; that a connection ends advertising is said as for a set, before the connection is told. No IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from protocols.hci.framing import COMMAND, EVENT
from protocols.hci.replies import RESET, command, failure, opcode_of, reply_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["LegacyAdvertising"]

_SET_ADDRESS, _SET_PARAMETERS, _SET_DATA, _SET_RESPONSE, _ENABLE = (
    *(0x2035, 0x2036, 0x2037),
    *(0x2038, 0x2039),
)
_DATA_LENGTH, _SETS, _REMOVE, _CLEAR = 0x203A, 0x203B, 0x203C, 0x203D
_TYPES: Final = {0x13: 0, 0x1D: 1, 0x12: 2, 0x10: 3, 0x15: 4}
"""Properties of legacy PDUs (7.8.53, table of legacy PDUs) -> advertising type (7.8.5)."""
_MEMORY, _UNSUPPORTED, _INVALID, _UNKNOWN_SET = 0x07, 0x11, 0x12, 0x42
_LEGACY_OCTETS: Final = 31
_WHOLE, _UNCHANGED = 3, 4
_LE_META, _SET_TERMINATED = 0x3E, 0x12
_CONNECTED: Final = {0x01: 7, 0x0A: 7, 0x29: 7}
"""LE subevent of a new connection -> where the role stands in the packet."""
_PERIPHERAL: Final = 1
_HIGHEST_INTERVAL: Final = 0x4000


class LegacyAdvertising:
    """Between a host and its controller; `to_controller` and `to_host` take one packet each."""

    def __init__(self) -> None:
        self._handle: int | None = None
        self._pending: dict[int, int] = {}  # opcode that was sent -> opcode that the host waits for
        # opcode -> (least octets of its parameters, what becomes of it)
        self._commands: dict[int, tuple[int, Callable[[bytes], bytes | int]]] = {
            _SET_ADDRESS: (7, self._address),
            _SET_PARAMETERS: (25, self._parameters),
            _SET_DATA: (4, self._data),
            _SET_RESPONSE: (4, self._response),
            _ENABLE: (2, self._enable),
            _DATA_LENGTH: (0, self._largest),
            _SETS: (0, self._count),
            _REMOVE: (1, self._remove),
            _CLEAR: (0, self._clear),
        }

    def to_controller(self, packet: bytes) -> tuple[bytes | None, bytes | None]:
        """(what the controller is to get, what the host is to get) for a packet of the host."""
        if packet[0] != COMMAND:
            return packet, None
        opcode = opcode_of(packet)
        if opcode == RESET:
            self._handle = None
            self._pending.clear()
        if opcode not in self._commands:
            return packet, None
        least, made = self._commands[opcode]
        out = made(packet[4:]) if len(packet) >= 4 + least else _INVALID
        if isinstance(out, int):
            return None, failure(opcode, out)
        if out[0] == EVENT:
            return None, out
        self._pending[opcode_of(out)] = opcode
        return out, None

    def to_host(self, packet: bytes) -> list[bytes]:
        """What the host is to get for a packet of the controller."""
        if packet[0] != EVENT:
            return [packet]
        reply = reply_of(packet)
        if reply is not None:
            asked = self._pending.pop(reply.opcode, None)
            return [packet] if asked is None else [failure(asked, reply.status)]
        at = _CONNECTED.get(packet[3]) if packet[1] == _LE_META and len(packet) > 8 else None
        if at is None or self._handle is None or (packet[4] == 0 and packet[at] != _PERIPHERAL):
            return [packet]
        ended = bytes((_SET_TERMINATED, packet[4], self._handle)) + packet[5:7] + b"\0"
        return [bytes((EVENT, _LE_META, len(ended))) + ended, packet]

    # One command each: the legacy command, the reply, or an error code

    def _is_other(self, handle: int) -> bool:
        return self._handle is not None and handle != self._handle

    def _address(self, p: bytes) -> bytes | int:
        return _UNKNOWN_SET if self._is_other(p[0]) else command(0x2005, p[1:7])

    def _parameters(self, p: bytes) -> bytes | int:
        if self._is_other(p[0]):
            return _MEMORY
        kind = _TYPES.get(int.from_bytes(p[1:3], "little"))
        if kind is None:
            return _UNSUPPORTED
        self._handle = p[0]
        intervals = b"".join(
            min(int.from_bytes(p[at : at + 3], "little"), _HIGHEST_INTERVAL).to_bytes(2, "little")
            for at in (3, 6)
        )
        return command(0x2006, intervals + bytes((kind,)) + p[10:18] + p[9:10] + p[18:19])

    def _data(self, p: bytes) -> bytes | int:
        return self._octets(0x2008, _SET_DATA, p)

    def _response(self, p: bytes) -> bytes | int:
        return self._octets(0x2009, _SET_RESPONSE, p)

    def _octets(self, legacy: int, opcode: int, p: bytes) -> bytes | int:
        if self._handle is None or p[0] != self._handle:
            return _UNKNOWN_SET
        if p[1] == _UNCHANGED:
            return failure(opcode, 0)
        if p[1] != _WHOLE or p[3] > _LEGACY_OCTETS:
            return _MEMORY
        return command(legacy, p[3:4] + p[4 : 4 + p[3]].ljust(_LEGACY_OCTETS, b"\0"))

    def _enable(self, p: bytes) -> bytes | int:
        if p[1] and (self._handle is None or p[1] != 1 or p[2:3] != bytes((self._handle,))):
            return _UNKNOWN_SET
        return command(0x200A, p[:1])

    def _remove(self, p: bytes) -> bytes | int:
        if self._handle is None or p[0] != self._handle:
            return _UNKNOWN_SET
        self._handle = None
        return failure(_REMOVE, 0)

    def _clear(self, p: bytes) -> bytes | int:
        self._handle = None
        return failure(_CLEAR, 0)

    def _largest(self, p: bytes) -> bytes | int:
        return failure(_DATA_LENGTH, 0)[:7] + _LEGACY_OCTETS.to_bytes(2, "little")

    def _count(self, p: bytes) -> bytes | int:
        return failure(_SETS, 0)[:7] + b"\1"
