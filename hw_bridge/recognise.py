"""What speaks on a line, told from what it says unasked or to a harmless question.

Digest 1.8 (order), 2.2, 2.5 (nRF Sniffer), 2.6 (Sniffle). Rules of the file: a name is given only for what is
self-evident; everything else is empty. No IO.
"""

from __future__ import annotations

import base64
import binascii
from typing import Final

from protocols.hci.framing import Received
from protocols.hci.h4 import H4Framer
from protocols.hci.h5_packets import read
from protocols.hci.slip import SlipReader

__all__ = ["CONSOLE", "NRF_PING", "SNIFFLE_MARKER", "is_text", "recognise"]

CONSOLE: Final = "console"
NRF_PING: Final = bytes.fromhex("ab060001 0000 0dbc".replace(" ", ""))
"""Ping request of the nRF Sniffer, version 1 header, counter 0."""
SNIFFLE_MARKER: Final = b"@@@@@@@@\r\n" + base64.b64encode(b"\x02\x18nb01") + b"\r\n"
"""Octets that end a command cut short, then a marker."""
_ENOUGH_TEXT: Final = 8
_MOSTLY: Final = 0.95


def recognise(octets: bytes) -> str:
    """`nrf-sniffer`, `sniffle`, `h5`, `hci`, `console`, or empty."""
    for name, fits in _TESTS:
        if fits(octets):
            return name
    return ""


def _nrf_sniffer(octets: bytes) -> bool:
    """A frame AB .. BC whose header has a length that fits (6 octets; v1: length, version; v2, v3: 16-bit length)."""
    for frame in octets.split(b"\xab")[1:]:
        body, end, _ = frame.partition(b"\xbc")
        body = body.replace(b"\xcd\xac", b"\xab").replace(b"\xcd\xbd", b"\xbc")
        body = body.replace(b"\xcd\xce", b"\xcd")
        if not end or len(body) < 6:
            continue
        version = body[2]
        length = body[1] if body[0] == 6 and version == 1 else body[0] | body[1] << 8
        if version in (1, 2, 3) and len(body) == 6 + length:
            return True
    return False


def _sniffle(octets: bytes) -> bool:
    """A whole line of base64 whose first octet counts its groups of four characters."""
    for line in octets.split(b"\r\n")[:-1]:
        try:
            body = base64.b64decode(line, validate=True)
        except binascii.Error:
            continue
        if len(body) > 1 and body[0] == len(line) // 4 and 0x10 <= body[1] <= 0x14:
            return True
    return False


def _h5(octets: bytes) -> bool:
    """A SLIP frame with a header that adds up."""
    return octets.count(b"\xc0") > 1 and any(
        frame is not None and not isinstance(read(frame), str)
        for _, frame in SlipReader(4101).receive(octets)
    )


def _hci(octets: bytes) -> bool:
    """More octets in plausible events than outside."""
    framer, inside = H4Framer(), 0
    framer.receive(octets, 0)
    while (event := framer.next_event()) is not None:
        if isinstance(event, Received):
            inside += len(event.packet)
    return inside > len(octets) // 2


def is_text(octets: bytes) -> bool:
    """Mostly printable ASCII, colours of a terminal included; what a wrong baud makes of octets is not."""
    text = sum(each in b"\t\r\n\x1b" or 0x20 <= each < 0x7F for each in octets)
    return text >= _MOSTLY * len(octets)


def _console(octets: bytes) -> bool:
    return len(octets) >= _ENOUGH_TEXT and is_text(octets)


_TESTS: Final = (
    ("nrf-sniffer", _nrf_sniffer),
    ("sniffle", _sniffle),
    ("h5", _h5),
    ("hci", _hci),
    (CONSOLE, _console),
)
