"""Valid frames, attributes and elements for property-based tests, drawn from the types of their fields.

Only imported by tests and by `sim/testing.py`: hypothesis comes with the test extra. No clock, no IO.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import msgspec
from hypothesis import strategies as st

from protocols.ip.packet import build
from protocols.ip.strategies import packets
from protocols.wifi_aware import frames as kinds
from protocols.wifi_aware import parts
from protocols.wifi_aware.attributes import ATTRIBUTES, Attr
from protocols.wifi_aware.data_frame import IPV6 as _IPV6
from protocols.wifi_aware.data_frame import LLC_SNAP
from protocols.wifi_aware.elements import ELEMENTS, Element
from protocols.wifi_aware.kinds import PASN as _PASN
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from protocols.wifi_aware.parts import Part

__all__ = [
    "attributes",
    "bodies",
    "elements",
    "fields_of",
    "frames",
    "hexes",
    "integers",
    "just",
    "lists",
    "macs",
    "members_of",
    "one_of",
]

_INT64 = 2**64 - 1
_LLC_SNAP = LLC_SNAP.hex()


just = st.just
lists = st.lists
one_of = st.one_of


def integers(bits: int) -> st.SearchStrategy[int]:
    """Numbers of that many bits."""
    return st.integers(min_value=0, max_value=(1 << bits) - 1)


def hexes(least: int = 0, most: int = 24) -> st.SearchStrategy[str]:
    """`least` to `most` octets as hex."""
    return st.binary(min_size=least, max_size=most).map(bytes.hex)


def macs() -> st.SearchStrategy[str]:
    """Addresses."""
    return st.binary(min_size=6, max_size=6).map(lambda octets: octets.hex(":"))


def fields_of(kind: Any, **given: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Values of a Fields struct: members of `given` as told, the others from their types and ranges."""
    drawn = {field.name: _member(field) for field in _fields(kind) if field.name not in given}
    return st.builds(kind, **drawn, **given)


def members_of(kind: Any) -> dict[str, st.SearchStrategy[Any]]:
    """Values of each member of a Fields struct, UNSET not among them."""
    return {field.name: _of(field.type) for field in _fields(kind)}


def _fields(kind: Any) -> tuple[msgspec.inspect.Field, ...]:
    info = msgspec.inspect.type_info(kind)
    if not isinstance(info, msgspec.inspect.StructType):
        raise TypeError(f"{kind} is no struct")
    return info.fields


def _member(field: msgspec.inspect.Field) -> st.SearchStrategy[Any]:
    """Values of one field; one that may be UNSET has no default that msgspec would tell."""
    values = _of(field.type)
    may_be_unset = not field.required and field.default is msgspec.NODEFAULT
    return st.one_of(st.just(UNSET), values) if may_be_unset else values


@functools.cache
def bodies(part: Part) -> st.SearchStrategy[Any]:
    """Valid fields of one attribute or element."""
    found: st.SearchStrategy[Any] = part.strategy() if part.strategy else fields_of(part.fields)
    return found


def attributes(name: str | None = None) -> st.SearchStrategy[Attr]:
    """A registered attribute (any, or that of the name) with a valid body."""
    chosen = [ATTRIBUTES.get(name)] if name else [part for _, part in ATTRIBUTES]
    return st.sampled_from(chosen).flatmap(
        lambda part: bodies(part).map(lambda fields: Attr(part.id, parts.written(part, fields)))
    )


def elements(name: str | None = None) -> st.SearchStrategy[Element]:
    """A registered element (any, or that of the name) with a valid body."""
    chosen = [ELEMENTS.get(name)] if name else [part for _, part in ELEMENTS]
    return st.sampled_from(chosen).flatmap(
        lambda part: bodies(part).map(
            lambda fields: Element(part.id, part.prefix + parts.written(part, fields))
        )
    )


def frames() -> st.SearchStrategy[kinds.Frame]:
    """A valid frame of any kind that NAN sends; none is encrypted with a key."""
    found = st.lists(attributes(), max_size=4).map(tuple)
    carried = st.lists(elements(), max_size=4).map(tuple)
    category, plain = st.sampled_from((4, 9)), _header(protected=False)
    one = st.sampled_from(("02:00:5e:20:b0:01", "06:11:22:33:a0:77"))
    group = st.sampled_from(("51:6f:9a:01:00:00", "ff:ff:ff:ff:ff:ff"))
    mic = elements("mme").map(lambda element: (element,))
    to_one = {"destination": one, "elements": st.just(()), "attributes": found}
    to_all = {"destination": group, "elements": mic, "attributes": found}
    action = {"category": category, **plain}
    return st.one_of(
        fields_of(kinds.Sdf, **action, **to_one),
        fields_of(kinds.Sdf, **action, **to_all),
        fields_of(kinds.Naf, **action, **to_one),
        fields_of(kinds.Naf, **action, **to_all),
        fields_of(kinds.Beacon, elements=carried, **plain),
        fields_of(kinds.Authentication, algorithm=st.just(_PASN), elements=carried, octets=st.just(UNSET), **plain),
        _data(),
        fields_of(
            kinds.ProtectedData, data_subtype=st.just(0), qos=st.just(UNSET), octets=hexes(), **_header(protected=True, direct=True),
        ),
        fields_of(
            kinds.Protected, management_subtype=st.sampled_from((10, 12, 13, 14)), octets=hexes(), **_header(protected=True),
        ),
    )  # fmt: skip


def _data() -> st.SearchStrategy[kinds.Data]:
    """A data frame in clear: an IPv6 packet, another one, a body without LLC/SNAP, or a null frame."""
    plain = _header(protected=False, direct=True)
    unset, any_qos = st.just(UNSET), fields_of(kinds.QosControl)
    no_ht = {**plain, "ht_control": unset}
    ipv6, other = packets().map(lambda packet: build(packet).hex()), hexes()
    bare = hexes().filter(lambda text: not text.startswith(_LLC_SNAP))
    return st.one_of(
        fields_of(kinds.Data, data_subtype=st.just(8), qos=any_qos, ethertype=st.just(_IPV6), payload=ipv6, **plain),
        fields_of(kinds.Data, data_subtype=st.just(0), qos=unset, ethertype=st.just(0x0800), payload=other, **no_ht),
        fields_of(kinds.Data, data_subtype=st.just(0), qos=unset, ethertype=unset, payload=bare, **no_ht),
        fields_of(kinds.Data, data_subtype=st.just(12), qos=any_qos, ethertype=unset, payload=st.just(""), **plain),
        fields_of(kinds.Data, data_subtype=st.just(4), qos=unset, ethertype=unset, payload=st.just(""), **no_ht),
    )  # fmt: skip


def _header(*, protected: bool, direct: bool = False) -> dict[str, st.SearchStrategy[Any]]:
    """Members of a header that go together; `direct`: of a data frame from NDI to NDI."""
    fcs = st.sampled_from((UNSET, kinds.COMPUTED))
    given: dict[str, st.SearchStrategy[Any]] = {"protected": st.just(protected), "fcs": fcs}
    given |= {"radiotap": st.just(UNSET), "cipher": st.just(UNSET), "tk_number": st.just(0)}
    if direct:
        no = st.sampled_from((False,))
        given |= {"to_ds": no, "from_ds": no}
    if direct and protected:
        given |= {"ht_control": st.just(UNSET)}
    if protected:
        given |= {"packet_number": integers(48), "key_id": integers(2)}
    else:
        given |= {"packet_number": st.just(UNSET), "key_id": st.just(UNSET)}
        given |= {"reserved_octet": st.just(0), "reserved_bits": st.just(0)}
    return given


def _of(info: Any) -> st.SearchStrategy[Any]:
    """Values of a msgspec type."""
    types = msgspec.inspect
    match info:
        case types.Metadata():
            return _of(info.type)
        case types.IntType():
            most = _INT64 if info.le is None else info.le
            return st.integers(min_value=info.ge, max_value=most)
        case types.BoolType():
            return st.booleans()
        case types.StrType():
            return _text(info.pattern)
        case types.LiteralType():
            return st.sampled_from(info.values)
        case types.UnionType():
            return st.one_of(*(_of(one) for one in info.types))
        case types.ListType() | types.VarTupleType():
            items = st.lists(_of(info.item_type), max_size=4)
            return items.map(tuple) if isinstance(info, types.VarTupleType) else items
        case types.StructType():
            return fields_of(info.cls)
        case _:
            raise TypeError(f"no values known for {info}: give the attribute a strategy")


def _text(pattern: str | None) -> st.SearchStrategy[str]:
    if pattern is None:
        raise TypeError("text without pattern: give the attribute a strategy")
    if pattern.startswith("^([0-9a-f]{2}:)"):
        return macs()
    if pattern.endswith(")*$"):
        return hexes()
    return st.from_regex(pattern, fullmatch=True)
