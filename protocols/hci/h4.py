"""H4 with resynchronisation: HCI packets in a stream that has no start mark, no checksum and no escape.

Core Specification 5.4 Vol 4 Part A clause 2 (packet types), Part E clause 5.4 (headers), clause 7.7 (events);
digest 2.1. Rules of the file:
* A packet is taken only if its header is plausible for its direction. After octets were rejected it is taken only if
  what follows it begins a packet too, or nothing follows yet.
* Octets of a candidate that stays incomplete while the line is idle are given up.
* Every octet comes out, in a packet or as `Skipped`; no more is kept than the largest packet that is accepted.
No clock, no chance, no IO.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec

from protocols.hci.framing import ACL, COMMAND, EVENT, ISO, SCO, PlainFramer, Received, Skipped

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

__all__ = ["IDLE_US", "H4Framer", "Limits"]

IDLE_US: Final = 100_000
"""How long an incomplete packet may wait for its next octet at 115,200 baud and above."""

_HIGHEST_HANDLE: Final = 0x0EFF
_COMMAND_GROUPS: Final = frozenset((1, 2, 3, 4, 5, 6, 8, 0x3F))
_EXACT: Final[Mapping[int, int]] = {0x01: 1, 0x03: 11, 0x04: 10, 0x05: 4, 0x0F: 4, 0x10: 1}
"""Event code -> octets of its parameters. Codes 1 to 5 are what a doubled or stray type octet looks like."""
_AT_LEAST: Final[Mapping[int, int]] = {0x02: 15, 0x0E: 3, 0x13: 1, 0x3E: 1}
_HIGHEST_CODE: Final = 0x59
_OTHER_CODES: Final = frozenset((0xFE, 0xFF))
_REPORTED_OCTETS: Final = 256  # of skipped octets in one event
_INCOMPLETE, _NONE = 0, -1


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """Largest payloads in octets that are believed; a header that says more is no header."""

    acl: int = 1024
    """What the controller reported where that is more."""
    iso: int = 4100
    """Largest SDU (4095) with its header fields that can stand in one packet."""


def _event(data: bytes | bytearray, at: int, end: int, limits: Limits) -> int:
    if at >= end:
        return _INCOMPLETE
    code = data[at]
    if not 0 < code <= _HIGHEST_CODE and code not in _OTHER_CODES:
        return _NONE
    if at + 1 >= end:
        return _INCOMPLETE
    length = data[at + 1]
    if _EXACT.get(code, length) != length or length < _AT_LEAST.get(code, 0):
        return _NONE
    return 2 + length


def _command(data: bytes | bytearray, at: int, end: int, limits: Limits) -> int:
    if at + 2 > end:
        return _INCOMPLETE
    if data[at + 1] >> 2 not in _COMMAND_GROUPS:
        return _NONE
    return 3 + data[at + 2] if at + 3 <= end else _INCOMPLETE


def _acl(boundaries: frozenset[int]) -> Callable[[bytes | bytearray, int, int, Limits], int]:
    """Judge of ACL headers whose packet boundary flag is one of `boundaries`."""

    def judge(data: bytes | bytearray, at: int, end: int, limits: Limits) -> int:
        if at + 2 > end:
            return _INCOMPLETE
        word = data[at] | data[at + 1] << 8
        if word & 0x0FFF > _HIGHEST_HANDLE or word >> 12 not in boundaries:
            return _NONE
        if at + 4 > end:
            return _INCOMPLETE
        length = data[at + 2] | data[at + 3] << 8
        return 4 + length if length <= limits.acl else _NONE

    return judge


def _sco(data: bytes | bytearray, at: int, end: int, limits: Limits) -> int:
    if at + 2 > end:
        return _INCOMPLETE
    word = data[at] | data[at + 1] << 8
    if word & 0x0FFF > _HIGHEST_HANDLE or word >> 14:
        return _NONE
    return 3 + data[at + 2] if at + 3 <= end else _INCOMPLETE


def _iso(data: bytes | bytearray, at: int, end: int, limits: Limits) -> int:
    if at + 2 > end:
        return _INCOMPLETE
    word = data[at] | data[at + 1] << 8
    if word & 0x0FFF > _HIGHEST_HANDLE or word >> 15:
        return _NONE
    if at + 4 > end:
        return _INCOMPLETE
    length = data[at + 2] | data[at + 3] << 8
    return 4 + length if length <= limits.iso else _NONE


# Vol 4 Part E 5.4.2: boundary 3 is for AMP only; 0 to the host only in loopback mode. Broadcast bits are 0.
_TO_HOST: Final = {ACL: _acl(frozenset((1, 2))), SCO: _sco, EVENT: _event, ISO: _iso}
_TO_CONTROLLER: Final = {COMMAND: _command, ACL: _acl(frozenset((0, 1, 2))), SCO: _sco, ISO: _iso}


class H4Framer(PlainFramer):
    """Packets in one stream; `to_host` is the way that its octets go.

    With `endpoint` the stream carries packets of that type only and no type octets, as a USB endpoint does; packets
    come out with the type in front.
    """

    def __init__(
        self,
        *,
        to_host: bool = True,
        limits: Limits | None = None,
        idle_us: int = IDLE_US,
        endpoint: int | None = None,
    ) -> None:
        super().__init__()
        self.limits = limits or Limits()
        self.idle_us = idle_us
        self.skipped_octets = 0
        self._judges = _TO_HOST if to_host else _TO_CONTROLLER
        self._types = re.compile(b"[" + bytes(sorted(self._judges)) + b"]")
        self._endpoint = endpoint
        self._head = 0 if endpoint else 1
        self._prefix = bytes((endpoint,)) if endpoint else b""
        self._tail = bytearray()
        self._in_sync = True
        self._heard_us = 0
        self._skipped = bytearray()

    def to_send(self, now: int) -> bytes:
        """Octets for the line."""
        if not self._out:
            return b""
        octets = self._out[0] if len(self._out) == 1 else b"".join(self._out)
        self._out.clear()
        return octets

    def receive(self, data: bytes, now: int) -> None:
        """Take octets of the line; without octets it only says that the line was not listened to until `now`."""
        self._heard_us = now
        buffer: bytes | bytearray = data
        if self._tail:
            self._tail += data
            buffer = self._tail
        at = self._scan(buffer, 0, now)
        self._tail = bytearray(buffer[at:])
        self._report(now, "no packet begins here")

    def next_timer(self) -> int | None:
        """When an incomplete packet is given up."""
        return self._heard_us + self.idle_us if self._tail else None

    def handle_timer(self, now: int) -> None:
        """Give up what stayed incomplete, and look for packets inside it."""
        if not self._tail or now < self._heard_us + self.idle_us:
            return
        tail, at = bytes(self._tail), 0
        while at < len(tail):
            self._skip(tail, at, at + 1, now, "incomplete when the line fell silent")
            at = self._scan(tail, at + 1, now)
        self._tail.clear()
        self._report(now, "incomplete when the line fell silent")

    def _scan(self, data: bytes | bytearray, at: int, now: int) -> int:
        """Take the packets of `data` from `at`; where the first incomplete one begins."""
        end, head = len(data), self._head
        while at < end:
            size = self._size(data, at, end)
            if size == _INCOMPLETE or (size > 0 and at + head + size > end):
                return at
            after = at + head + size
            if size < 0 or not (self._in_sync or self._may_begin(data, after, end)):
                after = self._next_candidate(data, at + 1, end)
                self._skip(data, at, after, now, "no packet begins here")
            else:
                if self._skipped:
                    self._report(now, "no packet begins here")
                self._in_sync = True
                self._events.append(Received(self._prefix + bytes(data[at:after]), now))
            at = after
        return at

    def _size(self, data: bytes | bytearray, at: int, end: int) -> int:
        """Octets behind the type octet of the packet at `at`; 0 when that cannot be told yet, -1 when it is none."""
        judge = self._judges.get(self._endpoint or data[at])
        return _NONE if judge is None else judge(data, at + self._head, end, self.limits)

    def _may_begin(self, data: bytes | bytearray, at: int, end: int) -> bool:
        if self._endpoint:
            return self._size(data, at, end) >= 0
        return at >= end or data[at] in self._judges

    def _next_candidate(self, data: bytes | bytearray, at: int, end: int) -> int:
        if self._endpoint:
            return at
        found = self._types.search(data, at, end)
        return end if found is None else found.start()

    def _skip(self, data: bytes | bytearray, start: int, end: int, now: int, reason: str) -> None:
        self._in_sync = False
        self.skipped_octets += end - start
        self._skipped += data[start:end]
        if len(self._skipped) > _REPORTED_OCTETS:
            self._report(now, reason)

    def _report(self, now: int, reason: str) -> None:
        for start in range(0, len(self._skipped), _REPORTED_OCTETS):
            part = bytes(self._skipped[start : start + _REPORTED_OCTETS])
            self._events.append(Skipped(part, now, reason))
        self._skipped.clear()
