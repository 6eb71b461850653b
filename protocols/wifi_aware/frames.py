"""Wi-Fi Aware frames as typed values: beacons, service discovery and action frames, authentication, data, protected ones.

IEEE 802.11-2020 9.3.2 (data frames) and 9.3.3 (management frames); Wi-Fi Aware 4.0, NAN frame formats. Rule 1: a
frame holds its attributes and elements as octets (`Attr`, `Element`), which are decoded when looked at, and so with
the packet of a data frame. Rule 2: every octet is in a field, so that `build` gives the octets again; a frame that is
none of these kinds keeps its body as octets. Reading and building are in `frame.py`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, cast

import msgspec
from msgspec import UNSET, Meta, UnsetType

from protocols.errors import EncodeError
from protocols.format import Fields, as_fields
from protocols.wifi_aware import parts
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.elements import Element, attributes_of, nan_attributes
from protocols.wifi_aware.vocabulary import (
    Body,
    HexText,
    Int2,
    Int4,
    Int5,
    Int8,
    Int12,
    Int16,
    Int48,
    Int64,
    MacText,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "COMPUTED",
    "KINDS",
    "Action",
    "AnyFrame",
    "Authentication",
    "Beacon",
    "Data",
    "Frame",
    "Header",
    "Management",
    "Naf",
    "Other",
    "Protected",
    "ProtectedData",
    "QosControl",
    "Sdf",
]

COMPUTED = "computed"
Hex4 = Annotated[str, Meta(pattern=r"^[0-9a-f]{8}$")]
FcsText = Annotated[str, Meta(pattern=r"^(computed|[0-9a-f]{8})$")]


class Frame(Fields, frozen=True, kw_only=True, omit_defaults=True, tag_field="frame"):
    """Base of all frames."""

    LISTS: ClassVar[tuple[str, ...]] = ()

    radiotap: HexText | UnsetType = UNSET
    """the radiotap header in front, as it is."""
    fcs: FcsText | UnsetType = UNSET
    """frame check sequence behind: "computed" when it is (or shall be) right, else its octets."""

    def as_plain(self) -> dict[str, Any]:
        """As a JSON-like dict; attributes and elements are decoded for it."""
        shell = msgspec.structs.replace(self, **dict.fromkeys(self.LISTS, ()))
        plain = cast("dict[str, Any]", msgspec.to_builtins(shell))
        for name in self.LISTS:
            items = [item.as_plain() for item in getattr(self, name)]
            if items or name == self.LISTS[0]:
                plain[name] = items
        return plain

    @property
    def nan_attributes(self) -> tuple[Attr, ...]:
        """Its NAN attributes, none of them decoded; empty for a frame that carries none."""
        return ()

    def all(self, name: str) -> Iterator[Any]:
        """Typed fields of the attributes called `name`, in order; only these are decoded. Raises DecodeError."""
        return (attr.fields for attr in self.nan_attributes if attr.name == name)

    def first(self, name: str) -> Any:
        """Typed fields of the first attribute called `name`, None when there is none. Raises DecodeError."""
        return next(self.all(name), None)


class Header(Frame, frozen=True, kw_only=True):
    """The header of a management or data frame."""

    destination: MacText
    source: MacText
    bssid: MacText
    """the Cluster ID inside a cluster."""
    sequence_number: Int12
    fragment_number: Int4 = 0
    duration_us: Int16 = 0
    to_ds: bool = False
    from_ds: bool = False
    more_fragments: bool = False
    retry: bool = False
    power_management: bool = False
    more_data: bool = False
    protected: bool = False
    ht_control: Hex4 | UnsetType = UNSET
    packet_number: Int48 | UnsetType = UNSET
    """of an encrypted frame; in any kind but the protected ones the body was opened by a key of the context."""
    key_id: Int2 | UnsetType = UNSET
    cipher: Literal["ccmp_128", "gcmp_256", "gcmp_128", "ccmp_256"] | UnsetType = UNSET
    """what it was opened with, and is sealed with."""
    tk_number: Int8 = 0
    """which of the keys of the context (`tk`) it is sealed with."""
    reserved_octet: Int8 = 0
    """of the cipher header."""
    reserved_bits: Int5 = 0

    def shown_octets(self, data: bytes) -> bytes:
        """The octets that its tree speaks of: `data`, the body in clear when a key opened it."""
        from protocols.wifi_aware.frame import clear_octets  # which builds on this file

        return clear_octets(self, data)


class _WithAttributes(Header, frozen=True, kw_only=True):
    """Attributes directly in the body."""

    LISTS: ClassVar[tuple[str, ...]] = ("attributes", "elements")

    category: Int8
    """4 public action, 9 protected dual of public action."""
    attributes: tuple[Attr, ...] = ()
    elements: tuple[Element, ...] = ()
    """the Management MIC element at the end of a group-addressed frame."""

    @property
    def nan_attributes(self) -> tuple[Attr, ...]:
        """Its attributes, none of them decoded."""
        return self.attributes


class _WithElements(Header, frozen=True, kw_only=True):
    """Attributes in NAN elements."""

    LISTS: ClassVar[tuple[str, ...]] = ("elements",)

    elements: tuple[Element, ...] = ()

    @property
    def nan_attributes(self) -> tuple[Attr, ...]:
        """Attributes of all its NAN elements, none of them decoded. Raises DecodeError: `attribute_length`."""
        return nan_attributes(self.elements)


class Beacon(_WithElements, frozen=True, kw_only=True, tag="beacon"):
    """Synchronisation beacon (interval 512 TU), discovery beacon (100 TU), or a beacon of another network."""

    timestamp_us: Int64
    beacon_interval_tu: Int16
    capability: Int16


class Sdf(_WithAttributes, frozen=True, kw_only=True, tag="sdf"):
    """Service discovery frame."""


class Naf(_WithAttributes, frozen=True, kw_only=True, tag="naf"):
    """NAN action frame."""

    subtype: Int8


class Authentication(_WithElements, frozen=True, kw_only=True, tag="authentication"):
    """Authentication frame; elements with algorithm PASN, octets with any other."""

    algorithm: Int16
    transaction: Int16
    status: Int16
    octets: HexText | UnsetType = UNSET


class Action(Header, frozen=True, kw_only=True, tag="action"):
    """Any other action frame."""

    octets: HexText


class Protected(Header, frozen=True, kw_only=True, tag="protected"):
    """An encrypted management frame that no key opened; `octets` are ciphertext and tag."""

    protected: bool = True
    management_subtype: Int4
    octets: HexText


class Management(Header, frozen=True, kw_only=True, tag="management"):
    """Any other management frame."""

    management_subtype: Int4
    octets: HexText


class QosControl(Body, frozen=True, kw_only=True):
    """QoS Control of a data frame (IEEE 802.11-2020 9.2.4.5)."""

    tid: Int4 = 0
    """traffic identifier; 0 to 7 are user priorities."""
    end_of_service_period: bool = False
    ack_policy: Int2 = 0
    """0 normal, 1 none, 2 no explicit one, 3 block."""
    a_msdu: bool = False
    """the body is an aggregate."""
    txop_or_queue: Int8 = 0
    """TXOP asked for, or length of the queue, by bit 4."""


class _DataHeader(Header, frozen=True, kw_only=True):
    """What data frames begin with."""

    data_subtype: Int4
    """0 data, 4 null, 8 QoS data, 12 QoS null."""
    qos: QosControl | UnsetType = UNSET
    """with the subtypes from 8 on."""


class Data(_DataHeader, frozen=True, kw_only=True, tag="data"):
    """A data frame in clear, or one that a key opened; null ones have no payload."""

    ethertype: Int16 | UnsetType = UNSET
    """behind LLC/SNAP; UNSET: the body is something else."""
    payload: HexText = ""
    """the packet behind LLC/SNAP, otherwise the whole body; in plain fields a well-formed IPv6 packet is `ipv6`."""

    def as_plain(self) -> dict[str, Any]:
        """As a JSON-like dict; its packet is decoded for it."""
        from protocols.wifi_aware.data_frame import plain_of  # which builds on this file

        return plain_of(self)

    @staticmethod
    def of_plain(plain: Mapping[str, Any]) -> Data:
        """The inverse of `as_plain`. Raises EncodeError with the path of the field."""
        from protocols.wifi_aware.data_frame import of_plain  # as above

        return of_plain(plain)


class ProtectedData(_DataHeader, frozen=True, kw_only=True, tag="protected_data"):
    """An encrypted data frame that no key opened; `octets` are ciphertext and tag."""

    protected: bool = True
    octets: HexText


class Other(Frame, frozen=True, kw_only=True, tag="other"):
    """A frame that is neither a management frame nor a data frame between two NDIs, as it is."""

    octets: HexText


KINDS: dict[str, type[Frame]] = {
    str(kind.__struct_config__.tag): kind
    for kind in (
        Beacon,
        Sdf,
        Naf,
        Authentication,
        Action,
        Protected,
        Management,
        Data,
        ProtectedData,
        Other,
    )
}
"""The kinds of frames, by the value of "frame" in plain fields."""


class AnyFrame:
    """What a frame format encodes: a frame of the kind that "frame" names."""

    __args__ = tuple(KINDS.values())

    @staticmethod
    def of_plain(plain: Mapping[str, Any]) -> Frame:
        """The inverse of `as_plain`. Raises EncodeError with the path of the field."""
        kind = KINDS.get(str(plain.get("frame")))
        if kind is None:
            raise EncodeError("frame", f"{plain.get('frame')!r} is not one of {', '.join(KINDS)}")
        shell = as_fields(kind, {k: v for k, v in plain.items() if k not in kind.LISTS})
        lists = {name: _LIST_OF[name](plain.get(name, []), name) for name in kind.LISTS}
        return msgspec.structs.replace(cast("Frame", shell), **lists)


def _elements_of(plain: Any, path: str) -> tuple[Element, ...]:
    return tuple(Element.of_plain(item, where) for where, item in parts.listed(plain, path))


_LIST_OF: dict[str, Any] = {"attributes": attributes_of, "elements": _elements_of}
