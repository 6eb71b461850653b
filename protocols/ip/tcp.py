"""TCP: the header with its options.

RFC 9293 3.1 and 3.2 (header, options 0 to 2), RFC 7323 (window scale, timestamps), RFC 2018 (SACK), RFC 9768 (the AE
bit). Options are kept one by one; an End of Option List is one of them, so that padding is built again as it was. The
data offset is what the options say, so it is no field. The state of a connection is in `stream.py`. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.ip.vocabulary import (
    COMPUTED,
    REST_OCTETS,
    UNSET,
    Body,
    ChecksumText,
    HexText,
    Int4,
    Int8,
    Int16,
    Int32,
    UnsetType,
)
from protocols.layout import U8, U16BE, U32BE, Flags, Mapped, Named, Record, Records, When
from protocols.layout import Body as Prefixed

__all__ = [
    "END",
    "HEADER",
    "LAYOUT",
    "MSS",
    "NO_OPERATION",
    "OPTIONS",
    "WINDOW_SCALE",
    "Option",
    "Tcp",
    "option",
]

HEADER = 20
"""octets without options."""
END, NO_OPERATION, MSS, WINDOW_SCALE = 0, 1, 2, 3
_NAMES = {
    END: "end of options",
    NO_OPERATION: "no operation",
    MSS: "maximum segment size",
    WINDOW_SCALE: "window scale",
    4: "SACK permitted",
    5: "SACK",
    8: "timestamps",
}


class Option(Body, frozen=True, kw_only=True):
    """One option; kinds 0 and 1 are a single octet and have no value."""

    kind: Int8
    value: HexText | UnsetType = UNSET


class Tcp(Body, frozen=True, kw_only=True):
    """A segment."""

    source_port: Int16
    destination_port: Int16
    sequence_number: Int32
    acknowledgement_number: Int32 = 0
    """counts with `ack`."""
    reserved: Int4 = 0
    """the lowest one is AE of accurate ECN."""
    cwr: bool = False
    ece: bool = False
    urg: bool = False
    ack: bool = False
    psh: bool = False
    rst: bool = False
    syn: bool = False
    fin: bool = False
    window: Int16 = 0
    checksum: ChecksumText = COMPUTED
    urgent_pointer: Int16 = 0
    options: tuple[Option, ...] = ()
    data: HexText = ""


LAYOUT = Record(
    "source_port" / U16BE,
    "destination_port" / U16BE,
    "sequence_number" / U32BE,
    "acknowledgement_number" / U32BE,
    Flags(
        U16BE,
        _data_offset=(12, 4),
        reserved=(8, 4),
        cwr=7,
        ece=6,
        urg=5,
        ack=4,
        psh=3,
        rst=2,
        syn=1,
        fin=0,
    ),
    "window" / U16BE,
    "checksum" / U16BE,
    "urgent_pointer" / U16BE,
)
"""Of the header without options."""
_WHOLE = Mapped(U8, lambda whole: whole - 2, lambda value: value + 2)
"""An option's length, which counts kind and length too."""
OPTIONS = Record(
    "options"
    / Records(
        Record(
            "kind" / Named(U8, _NAMES),
            "value"
            / When(lambda fields: fields.kind > NO_OPERATION, Prefixed(_WHOLE, REST_OCTETS)),
        ),
        pin=False,
    )
)


def option(segment: Any, kind: int) -> int | None:
    """The number that is the value of the first option of that kind, None without one."""
    values = (one.value for one in segment.options if one.kind == kind and one.value is not UNSET)
    found = next(values, None)
    return None if not found else int(found, 16)
