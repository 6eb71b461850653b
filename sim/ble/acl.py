"""ACL data of one link on its way to the air: bounded buffers, cut to the data length in force, acknowledged.

Bluetooth Core specification 5.4, Vol 4 Part E, 4.1 (flow control) and 5.4.2 (ACL packets); Vol 6 Part B, 2.4.1.
Rules of the file:
* One HCI packet becomes one or more LL data PDUs: LLID 2 starts an L2CAP PDU, LLID 1 continues it.
* A packet is completed, and its buffer free, when the peer has acknowledged its last PDU; never before.
* The other way each LL data PDU is one HCI packet; the HCI port cuts it to the host's buffers.
"""

from __future__ import annotations

from collections import deque

__all__ = ["LLID_CONTINUE", "LLID_CONTROL", "LLID_START", "PB_CONTINUE", "PB_START", "AclOutbox"]

LLID_CONTINUE, LLID_START, LLID_CONTROL = 1, 2, 3
PB_CONTINUE, PB_START = 1, 2  # towards the host; from it, start is 0 (or 2)


class AclOutbox:
    """The HCI packets of one link that the controller holds; who puts them bounds their number."""

    __slots__ = ("_offset", "_packets", "completed", "held")

    def __init__(self) -> None:
        self.held = 0
        """Packets not yet completed."""
        self.completed = 0
        """Completed packets that the host has not been told of."""
        self._packets: deque[tuple[bytes, bool]] = deque()
        self._offset = 0

    def put(self, pb: int, data: bytes) -> None:
        """Take an HCI packet; an empty one is completed at once."""
        self.held += 1
        if data:
            self._packets.append((data, pb != PB_CONTINUE))
        else:
            self.acknowledged()

    def __bool__(self) -> bool:
        return bool(self._packets)

    def next_pdu(self, octets: int) -> tuple[int, bytes, bool]:
        """LLID, at most `octets` of payload, and whether this ends its HCI packet; call it only when not empty."""
        data, start = self._packets[0]
        offset = self._offset
        end = offset + octets
        llid = LLID_START if start and not offset else LLID_CONTINUE
        if end >= len(data):
            self._packets.popleft()
            self._offset = 0
            return llid, data[offset:] if offset else data, True
        self._offset = end
        return llid, data[offset:end], False

    def acknowledged(self) -> None:
        """The last PDU of a packet has arrived."""
        self.held -= 1
        self.completed += 1

    def take_completed(self) -> int:
        """Completed packets to tell the host of now."""
        completed, self.completed = self.completed, 0
        return completed
