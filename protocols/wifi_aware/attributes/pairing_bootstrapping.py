"""NAN Pairing Bootstrapping, NPBA (0x2C): which way of agreeing on a password, asked and answered.

Wi-Fi Aware 4.0, NAN Pairing Bootstrapping attribute; as in hostap src/nan/nan_bootstrap.c. The methods are always
the last two octets; what stands between them and the reason depends on type and status. A comeback without
cookie (which Wireshark takes) is accepted. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.format import Example, Reader
from protocols.layout import REST, U8, U16LE, Flags, Hex, Optional, Record, When, build
from protocols.layout import Body as Prefixed
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import (
    REASONS,
    UNSET,
    Bitmap,
    Body,
    HexText,
    Int4,
    Int8,
    Int16,
    UnsetType,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

ID = 0x2C
ADVERTISE, REQUEST, RESPONSE = range(3)
ACCEPTED, REJECTED, COMEBACK = range(3)
METHODS = {
    0: "opportunistic",
    1: "PIN display",
    2: "passphrase display",
    3: "QR display",
    4: "NFC tag",
    5: "PIN keypad",
    6: "passphrase keypad",
    7: "QR scan",
    8: "NFC reader",
    14: "service managed",
    15: "handshake skipped",
}


class PairingBootstrapping(Body, frozen=True, kw_only=True):
    """One step of a bootstrapping handshake, or the methods on offer."""

    dialog_token: Int8
    """0 in an advertisement."""
    type: Int4
    status: Int4
    reason: Int8
    comeback_after_tu: Int16 | UnsetType = UNSET
    """only in a response with status comeback."""
    cookie: HexText | UnsetType = UNSET
    """only with status comeback."""
    methods: Int16
    """bit mask; a request has one bit."""


def _comes_back(fields: Any) -> bool:
    return bool(fields.status == COMEBACK)


HEAD = Record(
    "dialog_token" / U8,
    Flags(
        U8,
        type=(0, 4, Words(U8, {ADVERTISE: "advertise", REQUEST: "request", RESPONSE: "response"})),
        status=(
            4,
            4,
            Words(U8, {ACCEPTED: "accepted", REJECTED: "rejected", COMEBACK: "comeback"}),
        ),
    ),
    "reason" / Words(U8, REASONS),
    "comeback_after_tu"
    / When(lambda fields: _comes_back(fields) and fields.type == RESPONSE, U16LE),
    "cookie" / When(_comes_back, Optional(Prefixed(U8, Hex(REST)))),
)
TAIL = Record("methods" / Bitmap(U16LE, METHODS))


def decode(reader: Reader) -> dict[str, Any]:
    """The methods are read from the end, the rest from what remains."""
    size = len(reader.data) - 2
    return reader.read(HEAD, reader.data[:size]) | reader.read(TAIL, reader.data[size:], base=size)


def encode(fields: PairingBootstrapping) -> bytes:
    """Octets; `comeback_after_tu` and `cookie` go out only with status comeback."""
    return build(HEAD, fields) + build(TAIL, fields)


def doubts(fields: PairingBootstrapping) -> Iterator[tuple[str, str]]:
    """Combinations that no step has (digest 2.27)."""
    if fields.type == ADVERTISE and fields.dialog_token:
        yield "dialog_token", "0 in an advertisement"
    if fields.type == ADVERTISE and fields.status != ACCEPTED:
        yield "status", "an advertisement has status 0"
    if fields.type == REQUEST and fields.status == REJECTED:
        yield "status", "a request cannot reject"
    if fields.type == REQUEST and fields.methods.bit_count() != 1:
        yield "methods", "a request has one method"


def strategy() -> Any:
    """Valid values: what goes with type and status is there, nothing else."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    def one(type_: int, status: int) -> Any:
        tu = draw.integers(16) if (type_, status) == (RESPONSE, COMEBACK) else draw.just(UNSET)
        cookie = (
            draw.one_of(draw.just(UNSET), draw.hexes()) if status == COMEBACK else draw.just(UNSET)
        )
        given = {"type": draw.just(type_), "status": draw.just(status)}
        return draw.fields_of(PairingBootstrapping, comeback_after_tu=tu, cookie=cookie, **given)

    return draw.one_of(*(one(type_, status) for type_ in range(4) for status in range(4)))


ATTRIBUTE = Attribute(
    id=ID,
    name="pairing_bootstrapping",
    title="NAN Pairing Bootstrapping (NPBA)",
    source="Wi-Fi Aware 4.0, NAN Pairing Bootstrapping attribute",
    fields=PairingBootstrapping,
    decode=decode,
    encode=encode,
    minimum=5,
    doubts=doubts,
    strategy=strategy,
    examples=(
        Example("0000000300", note="advertise opportunistic and PIN display"),
        Example("0101004000", note="request: passphrase keypad"),
        Example(
            "01220000" + "0404deadbeef0000", note="response: come back in 1024 TU, with a cookie"
        ),
        Example("01210004deadbeef4000", note="request after the comeback"),
        Example("01120d0000", note="response: rejected, reason 13"),
    ),
)
