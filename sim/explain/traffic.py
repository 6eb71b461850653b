"""What rides on a connection, read for the rules: L2CAP put together, signalling, ATT and SMP noted.

Core Specification 5.4 Vol 3 Part A 3.1 and 4 (L2CAP), Part F 3.4 (ATT), Part H 3.3 (SMP). Octets that make no sense
are passed over: a capture may begin anywhere and may be encrypted. No clock, no IO.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import msgspec

from sim.explain.observations import AttError, ParameterRequest, Smp

if TYPE_CHECKING:
    from sim.explain.observations import Connection

__all__ = ["Traffic"]

_ATT, _SIGNALLING, _SMP = 0x0004, 0x0005, 0x0006
_COMMAND_REJECT, _UPDATE_REQUEST, _UPDATE_RESPONSE = 0x01, 0x12, 0x13
_ERROR, _MTU_REQUEST, _MTU_RESPONSE = 0x01, 0x02, 0x03
_READ_BY_TYPE, _READ_BY_TYPE_RESPONSE, _READ, _READ_RESPONSE = 0x08, 0x09, 0x0A, 0x0B
_FIND = (0x04, 0x06, 0x10)
_DECLARATIONS = (0x2800, 0x2801, 0x2802, 0x2803)
_CHARACTERISTIC = 0x2803
_NOT_FOUND = 0x0A
_KEPT_VALUES = {0x2A00: "2a00", 0x2A04: "2a04"}
_REQUEST = struct.Struct("<4H")
_LONGEST = 65_539


class Traffic:
    """L2CAP of one connection, both directions."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self._parts: dict[bool, bytearray] = {}
        self._asked: tuple[int, int, int] = (0, 0, 0)  # opcode, handle, type
        self._mtu: int | None = None
        self._uuids: dict[int, str] = {}  # value handle -> characteristic
        self._pending: dict[int, int] = {}  # identifier of a request -> its place in the list

    def fragment(
        self, t_us: int, frame: int, data: bytes, *, from_central: bool, is_start: bool
    ) -> None:
        """Take a first or a further part of an L2CAP packet."""
        if is_start:
            self._parts[from_central] = bytearray(data)
        elif from_central in self._parts:
            self._parts[from_central] += data
        part = self._parts.get(from_central, bytearray())
        if len(part) < 4 or len(part) > _LONGEST:
            return
        size, channel = struct.unpack_from("<HH", part)
        if len(part) < 4 + size:
            return
        pdu = bytes(part[4 : 4 + size])
        del self._parts[from_central]
        if channel == _ATT and pdu:
            self._att(t_us, frame, pdu, from_central=from_central)
        elif channel == _SIGNALLING:
            self._signalling(t_us, frame, pdu)
        elif channel == _SMP and pdu:
            self.connection.smp.append(Smp(t_us, frame, pdu[0], pdu[1:], from_central))

    # Parameters

    def asked(self, t_us: int, frame: int, wish: tuple[int, int, int, int], key: int = -1) -> None:
        """The peripheral asks for parameters (units of 1.25 ms and 10 ms); `key` tells the answer's request."""
        low, high, latency, timeout = wish
        request = ParameterRequest(
            t_us=t_us,
            frame=frame,
            interval_min_ms=low * 1.25,
            interval_max_ms=high * 1.25,
            latency=latency,
            timeout_ms=timeout * 10,
        )
        self._pending[key] = len(self.connection.requests)
        self.connection.requests.append(request)

    def answered(self, frame: int, *, accepted: bool, key: int = -1) -> None:
        """The answer to the request `key`; nothing when none is open."""
        place = self._pending.pop(key, None)
        if place is not None:
            requests = self.connection.requests
            requests[place] = msgspec.structs.replace(
                requests[place], accepted=accepted, answer_frame=frame
            )

    def _signalling(self, t_us: int, frame: int, pdu: bytes) -> None:
        if len(pdu) < 4:
            return
        code, identifier = pdu[0], pdu[1]
        if code == _UPDATE_REQUEST and len(pdu) >= 4 + _REQUEST.size:
            low, high, latency, timeout = _REQUEST.unpack_from(pdu, 4)
            self.asked(t_us, frame, (low, high, latency, timeout), identifier)
        elif code == _UPDATE_RESPONSE and len(pdu) >= 6:
            self.answered(frame, accepted=pdu[4:6] == b"\0\0", key=identifier)
        elif code == _COMMAND_REJECT:
            self.answered(frame, accepted=False, key=identifier)

    # ATT

    def _att(self, t_us: int, frame: int, pdu: bytes, *, from_central: bool) -> None:
        opcode = pdu[0]
        number = int.from_bytes(pdu[1:3], "little")
        if from_central:
            if opcode == _MTU_REQUEST:
                self._mtu = number
            elif not opcode & 1:
                kind = int.from_bytes(pdu[5:7], "little") if opcode == _READ_BY_TYPE else 0
                self._asked = (opcode, number, kind)
            return
        if opcode == _ERROR and len(pdu) >= 5:
            self._error(t_us, frame, pdu)
        elif opcode == _MTU_RESPONSE:
            if self._mtu is not None:
                self.connection.mtu = (frame, self._mtu, number)
        elif opcode & 1:
            self.connection.answers += 1
            self._values(frame, opcode, pdu)

    def _error(self, t_us: int, frame: int, pdu: bytes) -> None:
        request, handle, code = pdu[1], int.from_bytes(pdu[2:4], "little"), pdu[4]
        if code == _NOT_FOUND:
            return  # how discovery ends
        asked, _, kind = self._asked
        is_discovery = request in _FIND or (
            request == asked == _READ_BY_TYPE and kind in _DECLARATIONS
        )
        self.connection.att_errors.append(
            AttError(t_us, frame, request, handle, code, is_discovery)
        )

    def _values(self, frame: int, opcode: int, pdu: bytes) -> None:
        asked, handle, kind = self._asked
        if opcode == _READ_BY_TYPE_RESPONSE and asked == _READ_BY_TYPE and len(pdu) > 2:
            size = pdu[1]
            if kind == _CHARACTERISTIC and size == 7:
                for at in range(2, len(pdu) - 6, 7):
                    value_handle, uuid = struct.unpack_from("<HH", pdu, at + 3)
                    self._uuids[value_handle] = _KEPT_VALUES.get(uuid, "")
            elif kind in _KEPT_VALUES:
                self.connection.values[_KEPT_VALUES[kind]] = (frame, pdu[4 : 2 + size])
        elif opcode == _READ_RESPONSE and asked == _READ and self._uuids.get(handle):
            self.connection.values[self._uuids[handle]] = (frame, pdu[1:])
