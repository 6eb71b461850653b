"""From the HCI of a phone or any host to observations: adverts it heard (or sent), connections it had.

Bluetooth Core 5.4 Vol 4 Part E 7. The host may be either end: as central its peers are the devices, as peripheral it
is the device itself, and its adverts are what it told its controller. Advertising reports are unpacked with `struct`,
because there are tens of thousands of them; the rest goes through `protocols.hci`. No clock, no IO.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

from protocols.hci.packets import decode_packet
from sim.explain.observations import (
    Advert,
    Connection,
    Disconnection,
    Encryption,
    Parameters,
    Update,
)
from sim.explain.own_adverts import OwnAdverts
from sim.explain.traffic import Traffic

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.explain.observations import Device, Scene

__all__ = ["HostSource"]

_COMMAND, _ACL, _EVENT = 1, 2, 4
_DISCONNECTED, _ENCRYPTION, _ENCRYPTION_V2, _REFRESHED, _LE = 0x05, 0x08, 0x59, 0x30, 0x3E
_REPORTS, _UPDATED, _WISH, _EXTENDED_REPORTS = 0x02, 0x03, 0x06, 0x0D
_CONNECTED = (0x01, 0x0A, 0x29)
_UPDATE, _LTK_REFUSED, _WISH_GRANTED, _WISH_REFUSED = 0x2013, 0x201B, 0x2020, 0x2021
_KEY_MISSING = 0x06
_NO_RSSI = 127
_TYPES = {0: "public", 1: "random", 2: "public", 3: "random", 0xFF: "anonymous"}
_LEGACY = {
    0: ("ADV_IND", True, True, False),
    1: ("ADV_DIRECT_IND", True, False, True),
    2: ("ADV_SCAN_IND", False, True, False),
    3: ("ADV_NONCONN_IND", False, False, False),
    4: ("SCAN_RSP", False, False, False),
}
_LEGACY_OF_EXTENDED = {0x13: 0, 0x15: 1, 0x12: 2, 0x10: 3, 0x1A: 4, 0x1B: 4}
_EXTENDED = struct.Struct("<HB6sBBBbbHB6sB")


class _Link:
    """One connection of the host."""

    def __init__(self, device: Device, connection: Connection, *, is_central: bool) -> None:
        self.device = device
        self.connection = connection
        self.traffic = Traffic(connection)
        self.is_central = is_central
        self.wished = False


class HostSource:
    """Reads the H4 packets of one host into a scene."""

    def __init__(self, scene: Scene, own: str = "this host") -> None:
        self._scene = scene
        self._own = OwnAdverts(scene, own)
        self._links: dict[int, _Link] = {}
        self._parts: dict[tuple[bytes, int], bytes] = {}

    def packet(self, frame: int, t_us: int, data: bytes, *, sent: bool) -> None:
        """Take one packet; `sent`: from the host. What is too short for its header is counted and passed over."""
        kind = data[0] if data else 0
        try:
            if kind == _EVENT:
                self._event(frame, t_us, data)
            elif kind == _ACL:
                self._acl(frame, t_us, data, sent=sent)
            elif kind == _COMMAND:
                self._command(frame, t_us, data)
        except (IndexError, struct.error):
            self._scene.skip("HCI packet cut short")

    # Events

    def _event(self, frame: int, t_us: int, data: bytes) -> None:
        code = data[1]
        if code == _LE:
            self._le_event(frame, t_us, data)
        elif code == _DISCONNECTED:
            status, handle, reason = struct.unpack_from("<BHB", data, 3)
            link = self._links.pop(handle, None) if status == 0 else None
            if link is not None:
                link.connection.disconnection = Disconnection(t_us, frame, reason)
        elif code in (_ENCRYPTION, _ENCRYPTION_V2, _REFRESHED):
            status, handle = struct.unpack_from("<BH", data, 3)
            link = self._links.get(handle)
            if link is not None:
                link.connection.encryptions.append(Encryption(t_us, frame, status))

    def _le_event(self, frame: int, t_us: int, data: bytes) -> None:
        sub = data[3]
        if sub == _REPORTS:
            self._legacy_reports(frame, t_us, data)
        elif sub == _EXTENDED_REPORTS:
            self._extended_reports(frame, t_us, data)
        elif sub in _CONNECTED:
            self._connected(frame, t_us, data)
        elif sub == _UPDATED:
            self._updated(frame, t_us, data)
        elif sub == _WISH:
            handle, *wish = struct.unpack_from("<5H", data, 4)
            link = self._links.get(handle)
            if link is not None:
                low, high, latency, timeout = wish
                link.traffic.asked(t_us, frame, (low, high, latency, timeout))

    def _legacy_reports(self, frame: int, t_us: int, data: bytes) -> None:
        at = 5
        for _ in range(data[4]):
            kind, address_type, size = data[at], data[at + 1], data[at + 8]
            address, octets = data[at + 2 : at + 8], data[at + 9 : at + 9 + size]
            rssi = data[at + 9 + size]
            at += 10 + size
            self._heard(frame, t_us, kind, address_type, address, octets, rssi - (rssi & 0x80) * 2)

    def _extended_reports(self, frame: int, t_us: int, data: bytes) -> None:
        at = 5
        for _ in range(data[4]):
            kind, address_type, address, _, _, sid, _, rssi, _, _, _, size = _EXTENDED.unpack_from(
                data, at
            )
            at += _EXTENDED.size
            octets = data[at : at + size]
            at += size
            if kind & 0x10:
                legacy = _LEGACY_OF_EXTENDED.get(kind & 0x1F)
                if legacy is not None:
                    self._heard(frame, t_us, legacy, address_type, address, octets, rssi)
                continue
            key, status = (address, sid), kind >> 5 & 3
            octets = self._parts.pop(key, b"") + octets
            if status == 1:  # more to come
                self._parts[key] = octets
                continue
            self._extended(frame, t_us, kind, _address(address), address_type, octets, rssi)

    def _heard(
        self, frame: int, t_us: int, kind: int, address_type: int, address: bytes, octets: bytes, rssi: int
    ) -> None:  # fmt: skip
        if kind not in _LEGACY:
            self._scene.skip("advertising report of an unknown type")
            return
        pdu, connectable, scannable, directed = _LEGACY[kind]
        device = self._scene.device(_address(address), _TYPES.get(address_type, ""))
        advert = Advert(pdu, octets, connectable, scannable, directed)
        device.add(advert, frame, t_us, None if rssi == _NO_RSSI else rssi)

    def _extended(
        self, frame: int, t_us: int, kind: int, address: str, address_type: int, octets: bytes, rssi: int
    ) -> None:  # fmt: skip
        pdu = "SCAN_RSP" if kind & 8 else "extended"
        whole = kind >> 5 & 3 == 0
        advert = Advert(pdu, octets, bool(kind & 1), bool(kind & 2), bool(kind & 4), whole)
        if address_type == 0xFF:
            address = "anonymous"
        device = self._scene.device(address, _TYPES.get(address_type, ""))
        device.add(advert, frame, t_us, None if rssi == _NO_RSSI else rssi)

    def _connected(self, frame: int, t_us: int, data: bytes) -> None:
        fields: Any = decode_packet(data).fields
        body: Any = getattr(fields, "body", None)
        if not hasattr(body, "interval_ms"):
            self._scene.skip("connection event that does not decode")
            return
        if body.status:
            return
        is_central = body.role == 0
        peer = self._scene.device(body.peer_address, _plain(body.peer_address_type))
        device = peer if is_central else self._own.device()
        peer.is_central = not is_central
        connection = Connection(
            t_us, frame, Parameters(body.interval_ms, body.latency, body.timeout_ms)
        )
        device.connections.append(connection)
        self._links[body.handle] = _Link(device, connection, is_central=is_central)

    def _updated(self, frame: int, t_us: int, data: bytes) -> None:
        status, handle, interval, latency, timeout = struct.unpack_from("<BHHHH", data, 4)
        link = self._links.get(handle)
        if link is None:
            return
        if link.wished:
            link.wished = False
            link.traffic.answered(frame, accepted=status == 0)
        if status == 0:
            parameters = Parameters(interval * 1.25, latency, timeout * 10)
            link.connection.updates.append(Update(t_us, frame, parameters))

    # Commands and data

    def _command(self, frame: int, t_us: int, data: bytes) -> None:
        opcode = data[1] | data[2] << 8
        actions: dict[int, Callable[[int, int, _Link, bytes], None]] = {
            _UPDATE: self._wish,
            _LTK_REFUSED: self._refused_key,
            _WISH_GRANTED: self._granted,
            _WISH_REFUSED: self._refused,
        }
        action = actions.get(opcode)
        if action is None:
            self._own.command(frame, t_us, opcode, data)
            return
        link = self._links.get(data[4] | data[5] << 8)
        if link is not None:
            action(frame, t_us, link, data)

    def _wish(self, frame: int, t_us: int, link: _Link, data: bytes) -> None:
        """LE Connection Update: the central's decision, or a peripheral's wish by LL_CONNECTION_PARAM_REQ."""
        if not link.is_central:
            low, high, latency, timeout = struct.unpack_from("<4H", data, 6)
            link.wished = True
            link.traffic.asked(t_us, frame, (low, high, latency, timeout))

    def _refused_key(
        self, frame: int, t_us: int, link: _Link, data: bytes
    ) -> None:  # one shape for all
        link.connection.encryptions.append(Encryption(t_us, frame, _KEY_MISSING))

    def _granted(self, frame: int, t_us: int, link: _Link, data: bytes) -> None:  # likewise
        link.traffic.answered(frame, accepted=True)

    def _refused(self, frame: int, t_us: int, link: _Link, data: bytes) -> None:  # likewise
        link.traffic.answered(frame, accepted=False)

    def _acl(self, frame: int, t_us: int, data: bytes, *, sent: bool) -> None:
        head = data[1] | data[2] << 8
        link = self._links.get(head & 0x0FFF)
        if link is not None:
            is_start = head >> 12 & 3 != 1
            from_central = sent == link.is_central
            link.traffic.fragment(
                t_us, frame, data[5:], from_central=from_central, is_start=is_start
            )


def _address(octets: bytes) -> str:
    return octets[::-1].hex(":")


def _plain(address_type: Any) -> str:
    return str(address_type).removesuffix("_identity")
