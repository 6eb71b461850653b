"""Who is in the air: one row per address, from the packets of the air and the reports that hosts get.

The strength is that at the listener who heard it best; intervals are the median of the last gaps. Rules of the file: an
update costs microseconds and decodes nothing; what a row says is made when it is shown. Pure; time is the trace's.
"""

from __future__ import annotations

from collections import deque
from statistics import median, pstdev
from typing import TYPE_CHECKING, Any, cast

from tui.models.adverts import advert_of
from tui.models.decoding import info_of
from tui.models.packet_words import rssi_of
from tui.models.packets import pdu_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.trace import TraceEvent

__all__ = ["SECONDS", "Advertiser", "Advertisers"]

SECONDS = 20
"""How far back the strength of a signal is kept."""
_SECOND_US = 1_000_000
_GAPS = 32
_SAME_EVENT_US = 10_000
"""PDUs of one advertising event on 37, 38 and 39 lie closer together."""
_STALE_INTERVALS, _STALE_US = 5, 10 * _SECOND_US
_OLD_LEVEL_US = 3 * _SECOND_US
_REPORT, _EXTENDED_REPORT = b"\x04\x3e", 0x0D
_TX_POWER = 0x0A
"""AD type (Assigned Numbers 2.3)."""
_CONNECT = 5
_LEGACY = frozenset((0, 1, 2, 4, 6))
_DIRECT, _RESPONSE, _EXTENDED = 1, 4, 7
_NAMES = {
    0: "ADV_IND", 1: "ADV_DIRECT_IND", 2: "ADV_NONCONN_IND", 4: "SCAN_RSP", 6: "ADV_SCAN_IND", 7: "ADV_EXT_IND",
}  # fmt: skip


class Advertiser:
    """One address."""

    __slots__ = (
        "_first_us", "_gaps", "address", "channels", "data", "event", "heard", "kind", "last_us", "level_us", "levels", "lost",
        "nan", "owner", "pdu", "response", "rssi_dbm", "sent", "taken_by",
    )  # fmt: skip

    def __init__(self, address: str, kind: str) -> None:
        self.address = address
        self.kind = kind
        """rand, RPA, NRPA, pub or NAN."""
        self.owner = ""
        self.pdu = ""
        self.data = b""
        """AD structures of the latest advert."""
        self.response = b""
        """those of the latest scan response."""
        self.event: TraceEvent | None = None
        """the latest packet."""
        self.nan: TraceEvent | None = None
        """the latest service discovery frame."""
        self.rssi_dbm: int | None = None
        self.level_us = -1
        """when it was heard at that strength."""
        self.levels: deque[tuple[int, int]] = deque(maxlen=SECONDS + 1)
        """(second, best dBm in it)."""
        self.channels: set[int] = set()
        self.taken_by = ""
        """address of who asked it for a connection after its latest advert."""
        self.sent = self.heard = self.lost = 0
        self.last_us = self._first_us = -1
        self._gaps: deque[int] = deque(maxlen=_GAPS)

    def note(self, t_us: int) -> None:
        """A packet at `t_us`."""
        gap = t_us - self.last_us
        if self.last_us < 0 or gap > _SAME_EVENT_US:
            if self._first_us >= 0:
                self._gaps.append(t_us - self._first_us)
            self._first_us = t_us
        self.last_us = t_us

    def level(self, t_us: int, rssi_dbm: int) -> None:
        """Heard at this strength."""
        self.rssi_dbm, self.level_us = rssi_dbm, t_us
        second = t_us // _SECOND_US
        if self.levels and self.levels[-1][0] == second:
            rssi_dbm = max(rssi_dbm, self.levels.pop()[1])
        self.levels.append((second, rssi_dbm))

    @property
    def interval_us(self) -> int | None:
        """Median gap between advertising events; None before there are two."""
        return int(median(self._gaps)) if self._gaps else None

    def is_stale(self, now_us: int) -> bool:
        """Whether it has not been there for five of its intervals (ten seconds when they are not known)."""
        interval_us = self.interval_us
        limit_us = (
            _STALE_US if interval_us is None else max(_STALE_INTERVALS * interval_us, _SECOND_US)
        )
        return now_us - self.last_us > limit_us

    def trend(self, now_us: int, seconds: int) -> list[int | None]:
        """Best dBm of each of the last `seconds` whole seconds, None where nothing was heard."""
        known = dict(self.levels)
        now = now_us // _SECOND_US
        return [known.get(second) for second in range(now - seconds, now)]

    def spread(self) -> tuple[int, int, int, float] | None:
        """(least, median, most dBm, standard deviation) of the last seconds; None without any."""
        found = [level for _, level in self.levels]
        if not found:
            return None
        return min(found), int(median(found)), max(found), pstdev(found)

    @property
    def tx_dbm(self) -> int | None:
        """The power that it says it sends with (TX Power Level); None where it says nothing."""
        for one in advert_of(self.data).structures + advert_of(self.response).structures:
            if one.type == _TX_POWER and len(one.value) == 1:
                return int.from_bytes(one.value, "little", signed=True)
        return None

    @property
    def listened(self) -> int:
        """Packets that somebody listened to, heard or lost."""
        return self.heard + self.lost

    @property
    def has_old_level(self) -> bool:
        """Whether its strength is that of a packet long before its latest one: nobody has told of it since."""
        return self.rssi_dbm is not None and self.last_us - self.level_us > _OLD_LEVEL_US

    @property
    def lost_part(self) -> float | None:
        """Part of its packets that nobody heard, of those that somebody listened to; None without any."""
        return self.lost / self.listened if self.listened else None

    @property
    def wrong(self) -> str:
        """Why its octets are malformed; empty when nothing is."""
        return "" if self.kind == "NAN" else advert_of(self.data).wrong

    @property
    def name(self) -> str:
        """Local name; empty without one."""
        return advert_of(self.data).name or advert_of(self.response).name

    @property
    def words(self) -> str:
        """What it says, in one line."""
        if self.kind == "NAN":
            found = self.nan or self.event
            return "" if found is None else info_of(found)
        told = advert_of(self.data)
        more = advert_of(self.response).words if self.response else ""
        if told.wrong:
            return told.wrong
        return f"{told.words}; {more}" if more and more != told.words else told.words


class Advertisers:
    """Everybody that was heard or sent something."""

    def __init__(self) -> None:
        self.all: dict[str, Advertiser] = {}
        self.now_us = 0
        self.links: dict[str, list[str]] = {}
        """node -> who it is connected with over Bluetooth."""
        self._own: dict[str, Advertiser] = {}  # node -> the last that it used with Bluetooth

    def feed(self, events: Iterable[TraceEvent]) -> None:
        """Take in events of the trace, or packets of a capture."""
        for event in events:
            if event.t_us > self.now_us:
                self.now_us = event.t_us
            data = event.data
            if data is None or len(data) < 2:
                if event.layer == "ble":
                    self._link(event)
                continue
            if event.layer == "hci":
                if data[:2] == _REPORT and event.direction == "rx":
                    self._report(event, data)
            elif event.layer == "air" and not event.event.startswith("ll_"):
                if event.fields.get("phy") == "wifi":
                    self._wifi(event, data)
                else:
                    self._advert(event, pdu_of(event))

    def _row(self, address: str, kind: str) -> Advertiser:
        row = self.all.get(address)
        if row is None:
            row = self.all[address] = Advertiser(address, kind)
        return row

    def connected_to(self, one: Advertiser) -> tuple[str, ...]:
        """Who a device is connected with: nodes of a run; in a capture the address that asked for it last."""
        if one.kind == "NAN":
            return ()
        if one.owner:
            return tuple(self.links.get(one.owner, ()))
        return (one.taken_by,) if one.taken_by else ()

    def is_stale(self, one: Advertiser) -> bool:
        """Whether a device is no longer there; one that is connected has a reason to be silent."""
        return one.is_stale(self.now_us) and not self.connected_to(one)

    def _link(self, event: TraceEvent) -> None:
        peers = self.links.setdefault(event.node, [])
        if event.event == "connected" and event.peer not in peers:
            peers.append(event.peer)
        elif event.event == "disconnected" and event.peer in peers:
            peers.remove(event.peer)
        elif event.event == "disconnected" and not event.peer:
            peers.clear()

    # Bluetooth on the air

    def _advert(self, event: TraceEvent, pdu: bytes) -> None:
        if len(pdu) < 2:
            return
        kind = pdu[0] & 0x0F
        if kind in _LEGACY and len(pdu) >= 8:
            row = self._row(_text(pdu[2:8]), _address_kind(pdu[7], random=bool(pdu[0] & 0x40)))
            payload = b"" if kind == _DIRECT else pdu[8:]
        elif kind == _EXTENDED:
            found = self._extended(event, pdu)
            if found is None:
                return
            row, payload = found
        elif kind == _CONNECT and len(pdu) >= 14:
            known = self.all.get(_text(pdu[8:14]))
            if known is not None:
                known.taken_by = _text(pdu[2:8])
            return
        else:
            return
        row.taken_by = ""
        if kind == _RESPONSE:
            row.response = payload
        else:
            if kind != _EXTENDED or payload:
                row.data = payload
            row.pdu = _NAMES[kind]
        self._sent(row, event)

    def _sent(self, row: Advertiser, event: TraceEvent) -> None:
        if event.node and ":" not in event.node:
            row.owner = event.node
            self._own[event.node] = row
        row.event = event
        row.sent += 1
        row.note(event.t_us)
        fields = event.fields
        channel: Any = fields.get("channel")
        if isinstance(channel, int):
            row.channels.add(channel)
        outcomes = cast("dict[str, str] | None", fields.get("outcomes"))
        if outcomes:
            if "heard" in outcomes.values():
                row.heard += 1
            else:
                row.lost += 1
        if "rssi_dbm" in fields or "heard" in (outcomes or {}).values():
            level = rssi_of(event)
            if level is not None:
                row.level(event.t_us, level)

    def _extended(self, event: TraceEvent, pdu: bytes) -> tuple[Advertiser, bytes] | None:
        """Row and AD structures of a PDU with the common extended header (Vol 6 Part B 2.3.4)."""
        if len(pdu) < 3:
            return None
        size = pdu[2] & 0x3F
        header, payload = pdu[3 : 3 + size], pdu[3 + size :]
        if header and header[0] & 1 and len(header) >= 7:
            row = self._row(
                _text(header[1:7]), _address_kind(header[6], random=bool(pdu[0] & 0x40))
            )
            return row, payload
        known = self._own.get(event.node)
        return None if known is None else (known, payload)

    # Wi-Fi

    def _wifi(self, event: TraceEvent, frame: bytes) -> None:
        start = event.fields.get("pdu_from", 0)
        sender = frame[start + 10 : start + 16]
        if len(sender) < 6 or event.event in (
            "ack",
            "data",
            "protected_data",
            "null_data",
            "frame",
        ):
            return
        row = self._row(sender.hex(":"), "NAN")
        if event.event == "sdf" and (
            row.nan is None or frame[start + 4] & 1
        ):  # to everybody says more
            row.nan = event
        row.pdu = event.event.replace("_", " ")
        self._sent(row, event)

    # Reports of a host

    def _report(self, event: TraceEvent, packet: bytes) -> None:
        """LE Advertising Report and LE Extended Advertising Report (Vol 4 Part E 7.7.65.2 and .13), one report each."""
        if len(packet) < 15 or packet[4] != 1:
            return
        if packet[3] == 2:  # subevent
            kind, address, rssi, payload = packet[6], packet[7:13], packet[-1], packet[14:-1]
            is_response, random = packet[5] == 4, kind == 1  # event type
        elif packet[3] == _EXTENDED_REPORT and len(packet) >= 29:  # its fixed part
            address, rssi, payload = packet[8:14], packet[18], packet[29:]
            is_response, random = bool(packet[5] & 8), packet[7] == 1
        else:
            return
        row = self._row(_text(address), _address_kind(address[5], random=random))
        level = rssi - 256 if rssi > 127 else rssi  # signed octet
        if level != 127:  # not available
            row.level(event.t_us, level)
        if row.sent:
            return  # the packet itself was seen
        row.heard += 1
        row.note(event.t_us)
        row.event = event
        if is_response:
            row.response = payload
        else:
            row.data = payload
            row.pdu = row.pdu or "report"


def _text(octets: bytes) -> str:
    return octets[::-1].hex(":")


def _address_kind(top: int, *, random: bool) -> str:
    """Kind of a device address by its most significant octet (Vol 6 Part B 1.3)."""
    if not random:
        return "pub"
    return {3: "rand", 1: "RPA", 0: "NRPA"}.get(top >> 6, "rand?")
