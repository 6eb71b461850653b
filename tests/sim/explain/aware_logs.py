"""Wi-Fi Aware captures written frame by frame, octets by hand: what a monitor would hold, without any engine of ours.

Layouts: digest of frames 1 and 2, digest of pairing 2 and 7. A is the accessory, B the phone.
"""

from __future__ import annotations

import struct
from typing import Any

from protocols.wifi_aware.matching import service_id
from tests.sim.explain.logs import Log

A, B, C = "02:aa:00:00:00:01", "02:bb:00:00:00:01", "02:cc:00:00:00:01"
A_NDI, B_NDI = "02:aa:00:00:00:11", "02:bb:00:00:00:11"
CLUSTER, OTHER_CLUSTER = "50:6f:9a:01:11:22", "50:6f:9a:01:33:44"
NETWORK, EVERYBODY = "51:6f:9a:01:00:00", "ff:ff:ff:ff:ff:ff"
NAME = "_lamp._udp"
WFA = bytes.fromhex("506f9a")
PIN_DISPLAY, PIN_KEYPAD, OPPORTUNISTIC = 0x0002, 0x0020, 0x0001
SAE, PASN = 8, 21


def mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def attribute(number: int, body: bytes) -> bytes:
    return bytes((number,)) + struct.pack("<H", len(body)) + body


def texts(info: tuple[str, str, str]) -> bytes:
    """Pairing info as text strings (RFC 6763)."""
    keys = zip(("vendorName", "modelName", "pairingName"), info, strict=True)
    return b"".join(bytes((len(one),)) + one for one in (f"{k}={v}".encode() for k, v in keys))


def availability(period_code: int = 3) -> bytes:
    """Channel 6 in all slots but the first; period 64 TU << code."""
    control = period_code << 3
    bitmap = struct.pack("<HB", control, 4) + bytes.fromhex("feffffff")
    entry = struct.pack("<H", 0x1201) + bitmap + bytes.fromhex("1151200000")
    return attribute(0x12, bytes.fromhex("013100") + struct.pack("<H", len(entry)) + entry)


def nira(number: int) -> bytes:
    return attribute(0x2B, b"\0" + bytes((number,)) * 16)


MME = bytes((76, 16)) + bytes(16)


class Wifi(Log):
    """What a monitor hears (link type 105)."""

    suffix = ".pcap"
    interface = ""

    def __init__(self) -> None:
        super().__init__()
        self.sequence = 0
        self.cluster = CLUSTER
        self.gap_us = 2000

    def wait(self, seconds: float) -> Wifi:
        self.t_us += round(seconds * 1e6)
        return self

    def frame(
        self, control: int, to: str, sender: str, body: bytes, *, retry: bool = False, again: bool = False
    ) -> int:  # fmt: skip
        """A management frame; `again`: with the sequence number of the one before."""
        self.sequence += not again
        head = struct.pack("<HH", control | (0x0800 if retry else 0), 0)
        head += (
            mac(to) + mac(sender) + mac(self.cluster) + struct.pack("<H", self.sequence % 4096 << 4)
        )
        number = self.put(105, head + body)
        self.t_us += self.gap_us
        self.last = (control, to, sender, body)
        return number

    def again(self, times: int) -> Wifi:
        """The last frame with the Retry bit, so many times."""
        control, to, sender, body = self.last
        for _ in range(times):
            self.frame(control, to, sender, body, retry=True, again=True)
        return self

    def ack(self, to: str = "") -> Wifi:
        """An Ack for the sender of the last frame, or for `to`."""
        self.put(105, b"\xd4\0\0\0" + mac(to or self.last[2]))
        self.t_us += self.gap_us
        return self

    # Beacons and discovery

    def beacon(self, sender: str = A, *, mme: bool = False) -> int:
        inner = attribute(0x00, b"\x80\x4d") + attribute(0x01, mac(sender) + bytes(7))
        element = WFA + b"\x13" + inner
        body = struct.pack("<QHH", self.t_us, 512, 0x0420) + bytes((0xDD, len(element))) + element
        return self.frame(0x0080, EVERYBODY, sender, body + (MME if mme else b""))

    def sdf(
        self, sender: str, to: str, attributes: bytes, *, category: int = 4, **options: Any
    ) -> int:
        return self.frame(
            0x00D0, to, sender, bytes((category, 9)) + WFA + b"\x13" + attributes, **options
        )

    def service(
        self, kind: int, sender: str, *, name: str = NAME, instance: int = 1, to: str = NETWORK,
        dcea: int | None = 0x0300, methods: int | None = PIN_DISPLAY, suites: tuple[int, ...] | None = (7,),
        groups: int = 2, info: tuple[str, str, str] | bytes | None = ("Acme", "M1", "Lamp"), period: int = 3,
        identity: int | None = None, wakes: tuple[int, int] = (1, 1), mme: bool = False, extra: bytes = b"",
    ) -> int:  # fmt: skip
        out = attribute(0x03, bytes.fromhex(service_id(name)) + bytes((instance, 0, kind)))
        if info is not None:
            strings = texts(info) if isinstance(info, tuple) else info
            said = WFA + b"\x02" + attribute(0x04, strings)
            out += attribute(0x0E, struct.pack("<BHH", instance, 0x0044, len(said)) + said)
        if methods is not None:
            out += attribute(0x2C, struct.pack("<BBBH", 0, 0, 0, methods))
        wake = wakes[0] | wakes[1] << 3
        out += attribute(0x0F, b"\0" + struct.pack("<H", wake) + bytes.fromhex("140422000008"[:12]))
        out += availability(period)
        out += b"" if dcea is None else attribute(0x2A, struct.pack("<H", dcea))
        out += b"" if identity is None else nira(identity)
        if suites is not None:
            rows = b"".join(bytes((suite, instance)) for suite in suites)
            out += attribute(0x22, bytes((groups << 1,)) + rows)
        return self.sdf(sender, to, out + extra + (MME if mme else b""))

    def publish(self, sender: str = A, **options: Any) -> int:
        return self.service(0, sender, **options)

    def subscribe(self, sender: str = B, **options: Any) -> int:
        return self.service(1, sender, **{"methods": None, "suites": None, "info": None} | options)

    def follow_up(self, sender: str, to: str, more: bytes, *, category: int = 4) -> int:
        head = attribute(0x03, bytes.fromhex(service_id(NAME)) + bytes((1, 1, 2)))
        return self.sdf(sender, to, head + more, category=category)

    def message(self, sender: str, to: str, octets: bytes = b"hello") -> int:
        said = WFA + b"\x02" + attribute(0xDD, octets)
        return self.follow_up(
            sender, to, attribute(0x0E, struct.pack("<BHH", 1, 0, len(said)) + said)
        )

    # Bootstrapping and pairing

    def request(
        self, sender: str = B, to: str = A, *, methods: int = PIN_KEYPAD, token: int = 1, cookie: bool = False,
        info: tuple[str, str, str] | None = ("Maker", "Phone", "Mine"),
    ) -> int:  # fmt: skip
        out = b""
        if info is not None:
            said = WFA + b"\x02" + attribute(0x04, texts(info))
            out += attribute(0x0E, struct.pack("<BHH", 1, 0, len(said)) + said)
        middle = b"\x04\xde\xad\xbe\xef" if cookie else b""
        step = bytes((token, 0x21 if cookie else 0x01, 0)) + middle + struct.pack("<H", methods)
        return self.follow_up(sender, to, out + attribute(0x2C, step))

    def response(
        self, sender: str = A, to: str = B, *, methods: int = PIN_DISPLAY, status: int = 0, reason: int = 0, token: int = 1,
    ) -> int:  # fmt: skip
        middle = struct.pack("<H", 100) + b"\x04\xde\xad\xbe\xef" if status == 2 else b""
        step = bytes((token, 0x02 | status << 4, reason)) + middle + struct.pack("<H", methods)
        return self.follow_up(sender, to, attribute(0x2C, step))

    def auth(
        self, number: int, sender: str, to: str, *, status: int = 0, key: int = 1, akm: int = SAE, cipher: int = 4,
        group: int = 19, pmkid: bool = False, rsne: bool = True, mfp: int = 0xC0, mic: bool = True, nan: bool = True,
        suites: tuple[int, ...] | None = (7,), dcea: int | None = 0x0300, groups: tuple[int, ...] | None = None,
        cut: int = 0,
    ) -> int:  # fmt: skip
        out = struct.pack("<HHH", 7, number, status)
        if status == 0 and number < 3 and rsne:
            ids = struct.pack("<H", 1) + bytes(16) if pmkid else struct.pack("<H", 0)
            ie = b"\0\x0f\xac"
            body = b"\1\0" + ie + b"\7\1\0" + ie + bytes((cipher,)) + b"\1\0" + ie + bytes((akm,))
            body += struct.pack("<H", mfp) + ids + ie + b"\7"
            out += bytes((48, len(body))) + body
        if akm == SAE and not pmkid and status == 0:
            out += bytes((255, 9, 8)) + b"\xaa" * 8
        if number < 3 and status == 0:
            point = b"\2" + bytes((key,)) * 32
            body = b"\x64\2\3" + struct.pack("<H", group) + bytes((len(point),)) + point
            out += bytes((255, len(body))) + body
        if nan:
            inner = (
                b""
                if suites is None
                else attribute(0x22, b"\4" + b"".join(bytes((one, 1)) for one in suites))
            )
            inner += b"" if dcea is None else attribute(0x2A, struct.pack("<H", dcea))
            out += bytes((0xDD, 4 + len(inner))) + WFA + b"\x13" + inner
        if groups is not None:
            body = b"\xa1" + b"".join(struct.pack("<H", one) for one in groups)
            out += bytes((255, len(body))) + body
        if mic and number > 1 and status == 0:
            out += bytes((140, 16)) + bytes(16)
        return self.frame(0x00B0, to, sender, out[: len(out) - cut])

    def identity(
        self, sender: str, to: str, *, protected: bool = True, with_nira: bool = True, mic: bool = False,
        lifetime: bool | None = None,
    ) -> int:  # fmt: skip
        """The follow-up with the identity key; `lifetime`: key data in the clear, with or without the lifetime."""
        nik = bytes.fromhex("dd15506f9a2400") + bytes(16)
        life = bytes.fromhex("dd0a506f9a2508000000a8c0")
        data = b"\x11" * 48 if lifetime is None else nik + (life if lifetime else b"")
        info = 0x0088 | (0x1000 if lifetime is None else 0) | (0x0100 if mic else 0)
        body = b"\1\2" + struct.pack(">HH", info, 16) + bytes(74 - 2)
        body += bytes(16) if mic else b""
        body += struct.pack(">H", len(data)) + data
        out = nira(mac(sender)[1]) if with_nira else b""
        return self.follow_up(
            sender, to, out + attribute(0x24, body), category=9 if protected else 4
        )

    def sealed(self, sender: str, to: str, number: int = 1) -> int:
        """An encrypted action frame."""
        head = struct.pack("<HBBI", number, 0, 0x20, 0)
        return self.frame(0x40D0, to, sender, head + b"\x5a" * 60)

    # Data paths

    def ndp(
        self, kind: int, sender: str, to: str, *, status: int = 0, reason: int = 0, secure: bool = True, number: int = 1,
        suites: tuple[int, ...] | None = (1,), context: bool = True, key: bool = True, nonce: int = 1, replay: int = 1,
        ndl: int | None = None, ndl_reason: int = 0, port: bytes | None = None, category: int = 4, token: int = 1,
    ) -> int:  # fmt: skip
        """Request, response, confirm, key installment, termination (0 to 4)."""
        control = 0x01 | (0x04 if secure else 0) | (0x08 if kind == 0 else 0)
        accepting = kind == 1 and status != 2
        control |= 0x10 if accepting else 0
        body = bytes((token, kind | status << 4, reason)) + mac(B_NDI) + bytes((number, control))
        body += b"\1" if kind == 0 else b""
        body += mac(A_NDI) if accepting else b""
        if port is not None:
            said = WFA + b"\x02" + attribute(0x00, port)
            body += attribute(0x01, said)
        out = attribute(0x29, body)
        if secure and kind < 2 and suites is not None:
            out += attribute(0x22, b"\0" + b"".join(bytes((one, 1)) for one in suites))
        if secure and kind < 2 and context:
            out += attribute(0x23, struct.pack("<HBB", 16, 1, 1) + bytes(16))
        if secure and kind < 4 and key and status != 2:
            skda = (
                b"\1\2" + struct.pack(">HHQ", 0x0088, 0, replay) + bytes((nonce,)) * 32 + bytes(32)
            )
            out += attribute(0x24, skda + bytes(16) + b"\0\0")
        if ndl is not None:
            out += attribute(0x14, bytes((token, min(kind, 2) | ndl << 4, ndl_reason, 0)))
        naf = bytes((category, 9)) + WFA + b"\x18" + bytes((kind + 5,)) + out
        return self.frame(0x00D0, to, sender, naf)

    def data(self, sender: str, to: str, *, empty: bool = False) -> int:
        """A data frame between two interfaces."""
        head = struct.pack("<HH", 0x4048 if empty else 0x4088, 0)
        head += mac(to) + mac(sender) + mac(self.cluster) + b"\0\0"
        number = self.put(105, head + bytes(2 if empty else 60))
        self.t_us += self.gap_us
        return number

    # Whole ceremonies

    def discovery(self, *, times: int = 3, **publish: Any) -> Wifi:
        """A publishes, B looks for it."""
        for _ in range(times):
            self.publish(**publish)
            self.subscribe()
        return self

    def bootstrap(self) -> Wifi:
        self.request()
        self.response()
        return self

    def pasn(self, initiator: str = B, responder: str = A, key: int = 1, **options: Any) -> Wifi:
        """Three messages."""
        self.auth(1, initiator, responder, key=key, **options)
        self.auth(2, responder, initiator, key=key + 100, **options)
        self.auth(3, initiator, responder, **options)
        return self

    def keys(self, *, delay_s: float = 0.03) -> Wifi:
        """Both identity keys."""
        self.wait(delay_s)
        self.identity(B, A)
        self.identity(A, B)
        return self

    def path(self, **options: Any) -> Wifi:
        """A whole data path that B asks for."""
        self.ndp(0, B, A, **options)
        self.ndp(1, A, B, nonce=2, **options)
        self.ndp(2, B, A, replay=2, **options)
        self.ndp(3, A, B, status=1, nonce=2, replay=2, **options)
        return self

    def paired(self, **publish: Any) -> Wifi:
        """From discovery to identity keys."""
        return self.discovery(**publish).bootstrap().pasn().keys()
