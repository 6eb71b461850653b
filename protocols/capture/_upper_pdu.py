"""Text that stands between packets: link type 252 (Wireshark upper PDU) for the dissector `syslog`.

Source: Wireshark epan/exported_pdu.h (tags of two octets and lengths of two, big endian; 12 names the dissector, 0 ends
them) and RFC 3164 4.1.1 (a priority in angle brackets before the text). Recordings of the bridge say so what its state is.
"""

from __future__ import annotations

import re
import struct
from typing import Final

__all__ = ["UPPER_PDU", "text_of"]

UPPER_PDU: Final = 252
_TAG = struct.Struct(">HH")
_END, _DISSECTOR = 0, 12
_SYSLOG = b"syslog"
_PRIORITY = re.compile(rb"<\d{1,3}>")


def text_of(link_type: int, data: bytes) -> str:
    """The text of such a packet, nothing in it that a terminal would obey; empty for any other, and for one that is cut."""
    if link_type != UPPER_PDU:
        return ""
    at, dissector = 0, b""
    while at + _TAG.size <= len(data):
        tag, length = _TAG.unpack_from(data, at)
        at += _TAG.size
        if tag == _END:
            if dissector != _SYSLOG:
                return ""
            rest = data[at + length :]
            priority = _PRIORITY.match(rest)
            text = rest[priority.end() if priority else 0 :].decode("utf-8", "replace")
            return "".join(each if each.isprintable() else " " for each in text).strip()
        if tag == _DISSECTOR:
            dissector = data[at : at + length].rstrip(b"\0")
        at += length
    return ""
