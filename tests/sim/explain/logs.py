"""Captures written packet by packet: what a phone's HCI log or a sniffer would hold, without any stack of ours."""

from __future__ import annotations

import io
import struct
from typing import Any

from protocols.ble.ll_capture import captured_packet
from protocols.ble.ll_radio import air_time_us
from protocols.capture import Packet, open_reader, writer_for
from protocols.dissect import encode
from sim.explain import Finding, explain, view_of
from sim.explain.reading import scene_of_capture

ACCESSORY, CENTRAL = "c0:11:22:33:44:55", "5a:01:02:03:04:05"
SEAT = "070953535365617406FFC504028380020AD4"
"""A real advert (nordicsemi/IOS-nRF-Connect #54): name, manufacturer data, TX power, and no Flags."""
ADDRESS = 0xAF9A1C6C
HANDLE = 0x0040


class Log:
    """Packets in order; time goes on by itself, or as told."""

    def __init__(self) -> None:
        self.packets: list[Packet] = []
        self.t_us = 1_000_000

    def put(self, link_type: int, data: bytes, direction: Any = None, comment: str = "") -> int:
        """Add a packet now; its frame number."""
        number = len(self.packets) + 1
        self.packets.append(
            Packet(number, self.t_us, link_type, data, len(data), direction, "", comment)
        )
        return number

    def octets(self, suffix: str) -> bytes:
        """The capture file."""
        stream = io.BytesIO()
        writer = writer_for(suffix)(stream)
        for packet in self.packets:
            writer.write(packet)
        writer.finish()
        return stream.getvalue()

    def scene(self, suffix: str):
        """The scene that reading the file gives; nothing may be wrong with the file."""
        scene, damage = scene_of_capture(
            open_reader(io.BytesIO(self.octets(suffix)), f"log{suffix}")
        )
        assert damage == ""
        return scene

    def findings(self, *phones: str) -> list[Finding]:
        """What explain finds."""
        return explain(self.scene(self.suffix), [view for name in phones for view in view_of(name)])

    suffix = ".btsnoop"


class Hci(Log):
    """The log of a host that is central."""

    def event(
        self, code: int, body: Any = None, *, subevent: int | None = None, hexa: str = ""
    ) -> int:
        fields: dict[str, Any] = {"packet": "event", "code": code}
        if subevent is not None:
            fields["subevent"] = subevent
        fields |= {"body": body} if body is not None else {"parameters": hexa}
        return self.put(187, encode("hci", fields), "received")

    def command(self, opcode: int, body: Any = None, hexa: str = "") -> int:
        fields: dict[str, Any] = {"packet": "command", "opcode": opcode}
        fields |= {"body": body} if body is not None else {"parameters": hexa}
        return self.put(187, encode("hci", fields), "sent")

    def advert(
        self, data: str, *, address: str = ACCESSORY, kind: int = 0, times: int = 1, every_ms: float = 152.5
    ) -> int:  # fmt: skip
        """Legacy reports; kind 0 ADV_IND, 2 ADV_SCAN_IND, 3 ADV_NONCONN_IND, 4 SCAN_RSP."""
        frame = 0
        for _ in range(times):
            report = {
                "event_type": kind,
                "address_type": "random",
                "address": address,
                "data": data.lower(),
                "rssi_dbm": -60,
            }
            frame = self.event(0x3E, {"reports": [report]}, subevent=2)
            self.t_us += round(every_ms * 1000)
        return frame

    def connect(self, *, role: int = 0, interval_ms: float = 30.0, timeout_ms: int = 720) -> int:
        peer = ACCESSORY if role == 0 else CENTRAL
        body = {
            "status": 0, "handle": HANDLE, "role": role, "peer_address_type": "random", "peer_address": peer,
            "interval_ms": interval_ms, "latency": 0, "timeout_ms": timeout_ms, "clock_accuracy": 0,
        }  # fmt: skip
        return self.event(0x3E, body, subevent=1)

    def disconnect(self, reason: int) -> int:
        self.t_us += 10_000
        return self.event(0x05, {"status": 0, "handle": HANDLE, "reason": reason})

    def l2cap(self, cid: int, payload: str, *, sent: bool, part: int = 1000) -> int:
        """An L2CAP packet, in ACL packets of `part` octets."""
        self.t_us += 10_000
        data = bytes.fromhex(payload)
        whole = struct.pack("<HH", len(data), cid) + data
        frame = 0
        for at in range(0, len(whole), part):
            boundary = (0 if sent else 2) if at == 0 else 1
            fields = {
                "packet": "acl",
                "handle": HANDLE,
                "boundary": boundary,
                "data": whole[at : at + part].hex(),
            }
            frame = self.put(187, encode("hci", fields), "sent" if sent else "received")
        return frame

    def att(self, payload: str, *, sent: bool) -> int:
        return self.l2cap(4, payload, sent=sent)

    def smp(self, payload: str, *, sent: bool) -> int:
        return self.l2cap(6, payload, sent=sent)

    def wish(
        self, low: int, high: int, latency: int, timeout: int, *, sent: bool = False, key: int = 1
    ) -> int:
        """L2CAP Connection Parameter Update Request, in units of 1.25 ms and 10 ms."""
        body = struct.pack("<BBHHHHH", 0x12, key, 8, low, high, latency, timeout)
        return self.l2cap(5, body.hex(), sent=sent)

    def answer(self, *, accepted: bool, sent: bool = True, key: int = 1) -> int:
        return self.l2cap(5, struct.pack("<BBHH", 0x13, key, 2, not accepted).hex(), sent=sent)

    def updated(self, interval_ms: float, latency: int, timeout_ms: int) -> int:
        self.t_us += 50_000
        body = {
            "status": 0,
            "handle": HANDLE,
            "interval_ms": interval_ms,
            "latency": latency,
            "timeout_ms": timeout_ms,
        }
        return self.event(0x3E, body, subevent=3)

    def encryption(self, status: int) -> int:
        self.t_us += 30_000
        return self.event(0x08, {"status": status, "handle": HANDLE, "enabled": int(status == 0)})

    def served(self) -> int:
        """A read that was answered: the exchange works."""
        self.att("0a0300", sent=True)
        return self.att("0b2a", sent=False)


class Air(Log):
    """The log of a sniffer, link type 256."""

    suffix = ".pcapng"

    def __init__(self) -> None:
        super().__init__()
        self._sn = {True: 0, False: 0}

    def pdu(
        self, pdu: bytes, *, channel: int = 37, access: int = 0x8E89BED6, kind: int = 0, decrypted: bool = False
    ) -> int:  # fmt: skip
        data = captured_packet(
            pdu, channel=channel, rssi_dbm=-55, access_address=access, crc_init=0x555555, kind=kind, decrypted=decrypted
        )  # fmt: skip
        frame = self.put(256, data)
        self.t_us += air_time_us(len(pdu))
        return frame

    def advert(
        self, data: str, *, kind: int = 0, channel: int = 37, address: str = ACCESSORY
    ) -> int:
        octets = bytes.fromhex(data)
        head = bytes((0x40 | kind, 6 + len(octets))) + bytes.fromhex(address.replace(":", ""))[::-1]
        return self.pdu(head + octets, channel=channel)

    def scanned(self, data: str, t_ifs_us: int, *, response: str = "") -> int:
        """An advert, the request of a scanner, and the response `t_ifs_us` after its end; a pause."""
        self.advert(data)
        self.t_us += 150
        peer = bytes.fromhex(ACCESSORY.replace(":", ""))[::-1]
        self.pdu(b"\xc3\x0c" + bytes.fromhex(CENTRAL.replace(":", ""))[::-1] + peer)
        self.t_us += t_ifs_us
        frame = self.advert(response, kind=4)
        self.t_us += 100_000
        return frame

    def connect(self, *, timeout_ms: int = 720) -> int:
        both = (
            bytes.fromhex(CENTRAL.replace(":", ""))[::-1]
            + bytes.fromhex(ACCESSORY.replace(":", ""))[::-1]
        )
        ll = struct.pack("<IBBBBHHHH", ADDRESS, 0x55, 0x55, 0x55, 2, 12, 24, 0, timeout_ms // 10)
        return self.pdu(b"\xc5\x22" + both + ll + bytes.fromhex("ffffffff1f") + b"\xa9")

    def data(
        self, payload: bytes, *, central: bool, llid: int = 2, known: bool = True, again: bool = False, decrypted: bool = False
    ) -> int:  # fmt: skip
        """A packet of the connection; `known`: the capture says who sent it."""
        if not again:
            self._sn[central] ^= 1
        head = bytes((llid | self._sn[central] << 3, len(payload)))
        kind = (2 if central else 3) if known else 0
        return self.pdu(head + payload, channel=5, access=ADDRESS, kind=kind, decrypted=decrypted)

    def control(self, opcode: int, payload: bytes = b"", *, central: bool, **how: Any) -> int:
        self.t_us += 30_000
        if not central:  # a peripheral only answers
            self.data(b"", central=True, llid=1, **how)
            self.t_us += 150
        return self.data(bytes((opcode,)) + payload, central=central, llid=3, **how)


def rules(findings: list[Finding], *severities: str) -> set[str]:
    """IDs of the findings (of these severities)."""
    return {one.rule for one in findings if not severities or one.severity in severities}


def the(findings: list[Finding], rule: str, phone: str = "") -> Finding:
    """The one finding of a rule (for a phone)."""
    found = [one for one in findings if one.rule == rule and phone in ("", one.phone)]
    assert len(found) == 1, [one.evidence for one in found]
    return found[0]
