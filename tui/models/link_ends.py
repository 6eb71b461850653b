"""Between whom the packets of a capture's connections go, as far as the capture tells.

Who opened a connection under which access address says its CONNECT_IND or AUX_CONNECT_REQ (Core 5.4 Vol 6 Part B 2.3.3.1);
who sends a packet says the header that LINKTYPE 256 puts before it. A request with a wrong CRC tells nothing; where a
direction is not told, neither is an end: nothing is guessed from times. Pure.
"""

from __future__ import annotations

from protocols.ble.ll_radio import crc24
from tui.models.packets import (
    ACCESS_OCTETS,
    ADVERTISING,
    CRC_OCTETS,
    PHDR_OCTETS,
    pdu_start,
)

__all__ = ["UNKNOWN_LINK", "LinkEnds"]

UNKNOWN_LINK = 0
"""Number of all connections whose beginning is not in the capture."""
_CONNECT, _CONNECT_OCTETS = 5, 36
_FLAGS = slice(8, 10)
_CRC_CHECKED, _CRC_VALID = 0x0400, 0x0800
_KIND_SHIFT, _KIND_MASK = 7, 7
_FROM_CENTRAL = {2: True, 3: False, 4: True, 5: False}
"""Kind of a packet in the header (data, isochronous data) -> whether the central sends it."""


class LinkEnds:
    """The connections of one capture; packets are given in order, the numbers stay good."""

    def __init__(self) -> None:
        self._numbers: dict[bytes, int] = {}
        self._ends = [("central", "peripheral")]

    def link_of(self, kind: str, data: bytes) -> int:
        """Number of the connection that a packet (`kind` as `LINK_TYPES` names it) belongs to; UNKNOWN_LINK for others."""
        if kind not in ("ll", "ll_phdr"):
            return UNKNOWN_LINK
        at = PHDR_OCTETS if kind == "ll_phdr" else 0
        access = data[at : at + ACCESS_OCTETS]
        if access != ADVERTISING:
            return self._numbers.get(access, UNKNOWN_LINK)
        pdu = data[pdu_start(kind, data) : -CRC_OCTETS]
        if len(pdu) == _CONNECT_OCTETS and pdu[0] & 0x0F == _CONNECT and _is_whole(kind, data, pdu):
            self._numbers[pdu[14:18]] = len(self._ends)
            self._ends.append((_address(pdu[2:8]), _address(pdu[8:14])))
        return UNKNOWN_LINK

    def of(self, link: int, kind: str, data: bytes) -> tuple[str, str]:
        """(sender, receiver) of a packet of connection `link`: addresses, else roles, empty where nothing tells."""
        if kind != "ll_phdr":
            return "", ""
        number = int.from_bytes(data[_FLAGS], "little") >> _KIND_SHIFT & _KIND_MASK
        from_central = _FROM_CENTRAL.get(number)
        if from_central is None:
            return "", ""
        central, peripheral = self._ends[link]
        return (central, peripheral) if from_central else (peripheral, central)


def _is_whole(kind: str, data: bytes, pdu: bytes) -> bool:
    """Whether the CRC is right: what the recorder says, else what is computed."""
    flags = int.from_bytes(data[_FLAGS], "little") if kind == "ll_phdr" else 0
    if flags & _CRC_CHECKED:
        return bool(flags & _CRC_VALID)
    return data[-CRC_OCTETS:] == crc24(pdu)


def _address(octets: bytes) -> str:
    return octets[::-1].hex(":")
