"""Element Container (0x1D): 802.11 elements of one map or of all.

Wi-Fi Aware 4.0, Element Container attribute; as in hostap src/common/nan_defs.h and Wireshark packet-wifi-nan.c. An
element has one octet of length, an attribute two. The map ID stands in bits 1 to 4 behind its flag. A NAN element has
no place inside (it could hold a container again): it is the fault `element_nested`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.errors import EncodeError
from protocols.format import Example, Reader, converted, to_plain
from protocols.layout import U8, Flags, Record, build
from protocols.wifi_aware import elements, parts
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.elements import Element
from protocols.wifi_aware.schedule import ONE_MAP
from protocols.wifi_aware.vocabulary import Body, Int3, Int4

if TYPE_CHECKING:
    from collections.abc import Mapping

ID = 0x1D


class _Map(Body, frozen=True, kw_only=True):
    """The first octet."""

    one_map: bool
    """the elements are of the map `map_id` only."""
    map_id: Int4
    reserved_5: Int3 = 0


class ElementContainer(_Map, frozen=True, kw_only=True):
    """Elements, none of them decoded."""

    elements: tuple[Element, ...]

    def as_plain(self) -> dict[str, Any]:
        """As a JSON-like dict."""
        first = _Map(one_map=self.one_map, map_id=self.map_id, reserved_5=self.reserved_5)
        return {**to_plain(first), "elements": [one.as_plain() for one in self.elements]}

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> ElementContainer:
        """The inverse of `as_plain`. Raises EncodeError."""
        if "elements" not in plain:
            raise EncodeError("elements", "is missing")
        first = converted(_Map, {key: plain[key] for key in plain if key != "elements"})
        found = [
            Element.of_plain(one, at) for at, one in parts.listed(plain["elements"], "elements")
        ]
        return cls(
            one_map=first.one_map,
            map_id=first.map_id,
            reserved_5=first.reserved_5,
            elements=tuple(found),
        )


MAP = Record(Flags(U8, one_map=(0, 1, ONE_MAP), map_id=(1, 4), reserved_5=(5, 3)))


def decode(reader: Reader) -> ElementContainer:
    """The first octet, then elements to the end. Codes: `element_length`, `element_nested`, those of the elements."""
    first = reader.read(MAP, reader.data[:1])
    run = elements.scan(reader.data, 1, len(reader.data))
    for index, one in enumerate(run.found):
        if one.id == elements.VENDOR and one.octets.startswith(elements.WFA_NAN):
            where = f"elements[{index}]"
            reader.fatal("element_nested", run.starts[index], "a NAN element stands here", where)
    found, nodes = elements.trees(reader.data, 1, len(reader.data), reader.walk, reader.keys)
    reader.walk.nodes.extend(nodes)
    return ElementContainer(**first, elements=found)


def encode(fields: ElementContainer) -> bytes:
    """Octets."""
    return build(MAP, fields) + b"".join(one.written() for one in fields.elements)


def strategy() -> Any:
    """Elements that no file describes."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    def drawn(number: int) -> Any:
        return draw.hexes().map(lambda text: Element(number, bytes.fromhex(text)))

    ids = draw.integers(8).filter(lambda number: number != elements.FRAGMENT)
    one = ids.flatmap(drawn).filter(lambda element: element.part is None)
    return draw.fields_of(ElementContainer, elements=draw.lists(one, max_size=4).map(tuple))


ATTRIBUTE = Attribute(
    id=ID,
    name="element_container",
    title="Element Container",
    source="Wi-Fi Aware 4.0, Element Container attribute",
    fields=ElementContainer,
    decode=decode,
    encode=encode,
    minimum=1,
    multiple=True,
    keyed=True,
    strategy=strategy,
    examples=(
        Example("00" + "dd05506f9a0900", note="all maps: a vendor element"),
        Example("03" + "7f020102" + "dd03000102", note="map 1 only: two elements"),
    ),
)
