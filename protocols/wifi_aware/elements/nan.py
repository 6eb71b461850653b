"""NAN element (221, 50-6F-9A type 0x13): NAN attributes in beacons and Authentication frames.

Wi-Fi Aware 4.0, NAN IE. Its attributes are walked as anywhere else. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.errors import EncodeError
from protocols.format import Example, Reader
from protocols.wifi_aware import walker
from protocols.wifi_aware.attributes import Attr  # noqa: TC001  # msgspec reads it
from protocols.wifi_aware.elements import VENDOR, WFA_NAN, ElementPart, attributes_of
from protocols.wifi_aware.vocabulary import Body

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "dd506f9a13"


class NanElement(Body, frozen=True, kw_only=True):
    """NAN attributes in a beacon or an Authentication frame."""

    attributes: tuple[Attr, ...] = ()

    def as_plain(self) -> dict[str, Any]:
        """As a JSON-like dict."""
        return {"attributes": [attr.as_plain() for attr in self.attributes]}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> NanElement:
        """The inverse of `as_plain`. Raises EncodeError."""
        if unknown := set(plain) - {"attributes"}:
            raise EncodeError(min(unknown), "is no field of a NAN element")
        return cls(attributes=attributes_of(plain.get("attributes", []), "attributes"))


def decode(reader: Reader) -> NanElement:
    """Attributes with their nodes."""
    attributes, nodes = walker.trees(reader.data, 0, len(reader.data), reader.walk, reader.keys)
    reader.walk.nodes.extend(nodes)
    return NanElement(attributes=attributes)


def strategy() -> Any:
    """Valid values."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    return draw.lists(draw.attributes(), max_size=3).map(
        lambda found: NanElement(attributes=tuple(found))
    )


ELEMENT = ElementPart(
    id=VENDOR,
    prefix=WFA_NAN,
    name="nan",
    title="NAN element",
    source="Wi-Fi Aware 4.0, NAN IE",
    fields=NanElement,
    decode=decode,
    encode=lambda fields: b"".join(attr.written() for attr in fields.attributes),
    multiple=True,
    keyed=True,
    strategy=strategy,
    examples=(Example("000200804d", note="one Master Indication attribute"),),
)
