"""What a controller is busy with, read off the packets that pass: connections, advertising, scanning.

Core Specification 5.4 Vol 4 Part E clauses 7.7 (events) and 7.8 (LE commands). When the controller is lost its host
is told about each of these (digest 8.2). No IO, no loop.
"""

from __future__ import annotations

from typing import Final, Literal

from protocols.hci.framing import EVENT
from protocols.hci.replies import RESET

__all__ = ["CONNECTING", "Activity", "Kind"]

Kind = Literal["le", "br", "sco", "cis", "bis"]

_LE_META: Final = 0x3E
_DISCONNECTED: Final = 0x05
_CONNECTION_COMPLETE, _SCO_COMPLETE = 0x03, 0x2C
_ACL_LINK: Final = 1
_LE_CONNECTED: Final[dict[int, Kind]] = {
    0x01: "le",
    0x0A: "le",
    0x29: "le",
    0x19: "cis",
    0x2A: "cis",
}
_SYNCS: Final = frozenset((0x0E, 0x24))
_SYNC_LOST: Final = 0x10
_BIG_UP: Final = {0x1B: 21, 0x1D: 17}
"""LE subevent -> where in the packet the number of its BIS handles stands."""
_BIG_DOWN: Final = frozenset((0x1C, 0x1E))
_REPORTS: Final = frozenset((0x02, 0x0B, 0x0D, 0x0F, 0x25))
# opcode -> what it switches, by its first parameter
_SWITCHES: Final[dict[int, str]] = {
    0x200A: "advertising",
    0x2039: "extended advertising",
    0x2040: "periodic advertising",
    0x200C: "scanning",
    0x2042: "extended scanning",
}
_CONNECTS: Final = frozenset((0x200D, 0x2043, 0x2085))
"""LE Create Connection, and the extended ones; over with the event that tells of a connection or of none."""
CONNECTING: Final = "connecting"


class Activity:
    """Connections by handle, and the names of what else is on."""

    def __init__(self) -> None:
        self.handles: dict[int, Kind] = {}
        self.on: set[str] = set()
        self._bigs: dict[int, list[int]] = {}

    def clear(self) -> None:
        """As after a Reset."""
        self.handles.clear()
        self.on.clear()
        self._bigs.clear()

    def on_event(self, packet: bytes) -> tuple[list[int], list[int]]:
        """(handles that came up, handles that went down) with an event."""
        code = packet[1]
        if code == _LE_META and len(packet) > 5:
            return self._on_le_event(packet)
        if code == _DISCONNECTED and len(packet) == 7 and packet[3] == 0:
            handle = (packet[4] | packet[5] << 8) & 0x0FFF
            return [], [handle] if self.handles.pop(handle, None) else []
        if code not in (_CONNECTION_COMPLETE, _SCO_COMPLETE) or len(packet) < 14 or packet[3]:
            return [], []
        is_acl = code == _CONNECTION_COMPLETE and packet[12] == _ACL_LINK
        return [self._up(packet, 4, "br" if is_acl else "sco")], []

    def _on_le_event(self, packet: bytes) -> tuple[list[int], list[int]]:
        subevent, status = packet[3], packet[4]
        if _LE_CONNECTED.get(subevent) == "le":
            self.on.discard(CONNECTING)
        if subevent == _SYNC_LOST:
            self.on.discard("periodic advertising sync")
        elif subevent in _BIG_DOWN:
            gone = self._bigs.pop(packet[4], [])
            return [], [handle for handle in gone if self.handles.pop(handle, None)]
        elif status:
            pass
        elif subevent in _SYNCS:
            self.on.add("periodic advertising sync")
        elif subevent in _BIG_UP:
            self._bigs[packet[5]] = up = self._big_handles(packet, _BIG_UP[subevent])
            return up, []
        elif (kind := _LE_CONNECTED.get(subevent)) is not None and len(packet) > 6:
            return [self._up(packet, 5, kind)], []
        return [], []

    def _big_handles(self, packet: bytes, at: int) -> list[int]:
        """Handles behind a count at `at`."""
        count = min(packet[at] if len(packet) > at else 0, max(0, len(packet) - at - 1) // 2)
        return [self._up(packet, at + 1 + 2 * number, "bis") for number in range(count)]

    def _up(self, packet: bytes, at: int, kind: Kind) -> int:
        handle = (packet[at] | packet[at + 1] << 8) & 0x0FFF
        self.handles[handle] = kind
        return handle

    def on_done(self, packet: bytes, opcode: int) -> None:
        """A command was carried out; `packet` is the command."""
        if opcode == RESET:
            self.clear()
        elif opcode in _CONNECTS:
            self.on.add(CONNECTING)
        elif opcode in _SWITCHES and len(packet) > 4:
            (self.on.add if packet[4] else self.on.discard)(_SWITCHES[opcode])

    def is_report(self, packet: bytes) -> bool:
        """Whether a packet is an advertising report, the one kind that may be dropped for a slow client."""
        return (
            len(packet) > 3
            and packet[0] == EVENT
            and packet[1] == _LE_META
            and packet[3] in _REPORTS
        )
