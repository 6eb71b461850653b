"""Country Code (0x0B): where the sender takes itself to be.

Wi-Fi Aware 4.0, Country Code attribute: the condensed country string, two ASCII characters. No clock, no randomness,
no IO.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta

from protocols.format import Example, Reader
from protocols.layout import Mapped, Octets, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body

ID = 0x0B
CountryText = Annotated[str, Meta(pattern=r"^[ -~]{2}$")]


class CountryCode(Body, frozen=True, kw_only=True):
    """A country."""

    country: CountryText
    """"US"; printable ASCII."""


LAYOUT = Record("country" / Mapped(Octets(2), lambda b: b.decode("latin-1"), str.encode))


def decode(reader: Reader) -> dict[str, Any]:
    """The text. Code: `country_code` when it is not printable ASCII."""
    if not all(0x20 <= octet < 0x7F for octet in reader.data):
        reader.fatal("country_code", 0, f"{reader.data.hex()} is no printable ASCII", "country")
    return reader.read(LAYOUT)


ATTRIBUTE = Attribute(
    id=ID,
    name="country_code",
    title="Country Code",
    source="Wi-Fi Aware 4.0, Country Code attribute",
    fields=CountryCode,
    layout=LAYOUT,
    decode=decode,
    minimum=2,
    maximum=2,
    examples=(Example("5553", note="US"),),
)
