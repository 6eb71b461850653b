"""Valid packets for property-based tests. Only imported by tests and by other strategies: hypothesis is in the test extra."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from protocols.ip import icmpv6, ipv6
from protocols.ip.icmpv6 import Echo, Icmpv6, Neighbour
from protocols.ip.packet import Packet
from protocols.ip.tcp import END, NO_OPERATION, Option, Tcp
from protocols.ip.udp import Udp
from protocols.ip.vocabulary import COMPUTED, UNSET, text_of

__all__ = ["packets"]

_BIT = st.booleans()


def _number(bits: int) -> st.SearchStrategy[int]:
    return st.integers(min_value=0, max_value=(1 << bits) - 1)


def _hexes(most: int = 24) -> st.SearchStrategy[str]:
    return st.binary(max_size=most).map(bytes.hex)


_ADDRESS = st.binary(min_size=16, max_size=16).map(text_of)
_PORT = _number(16)
_UDP = st.builds(
    Udp, source_port=_PORT, destination_port=_PORT, checksum=st.just(COMPUTED), data=_hexes()
)
_OPTION = st.one_of(
    st.builds(Option, kind=st.sampled_from((END, NO_OPERATION)), value=st.just(UNSET)),
    st.builds(Option, kind=st.integers(2, 255), value=_hexes(10)),
)


def _filled(options: list[Option]) -> tuple[Option, ...]:
    """Options up to a multiple of four octets, of those that fit the header."""
    kept: list[Option] = []
    size = 0
    for one in options:
        octets = 1 if one.value is UNSET else 2 + len(one.value) // 2
        if size + octets > 40:
            break
        kept.append(one)
        size += octets
    return (*kept, *(Option(kind=NO_OPERATION) for _ in range(-size % 4)))


_TCP = st.builds(
    Tcp,
    source_port=_PORT, destination_port=_PORT, sequence_number=_number(32), acknowledgement_number=_number(32),
    reserved=_number(4), cwr=_BIT, ece=_BIT, urg=_BIT, ack=_BIT, psh=_BIT, rst=_BIT, syn=_BIT, fin=_BIT,
    window=_number(16), checksum=st.just(COMPUTED), urgent_pointer=_number(16),
    options=st.lists(_OPTION, max_size=6).map(_filled), data=_hexes(),
)  # fmt: skip
_ECHO = st.builds(
    Icmpv6,
    type=st.sampled_from((icmpv6.ECHO_REQUEST, icmpv6.ECHO_REPLY)),
    code=_number(8),
    echo=st.builds(Echo, identifier=_number(16), sequence_number=_number(16), data=_hexes()),
)
_ND_OPTION = st.builds(
    icmpv6.Option,
    type=_number(8),
    value=st.sampled_from((6, 14, 22)).flatmap(
        lambda size: st.binary(min_size=size, max_size=size).map(bytes.hex)
    ),
)
_NEIGHBOUR = st.builds(
    Icmpv6,
    type=st.sampled_from((icmpv6.SOLICITATION, icmpv6.ADVERTISEMENT)),
    code=_number(8),
    neighbour=st.builds(
        Neighbour,
        router=_BIT,
        solicited=_BIT,
        override=_BIT,
        reserved=_number(29),
        target=_ADDRESS,
        options=st.lists(_ND_OPTION, max_size=3).map(tuple),
    ),
)
_OTHER_MESSAGE = st.builds(
    Icmpv6, type=st.integers(0, 127), code=_number(8), checksum=st.just(COMPUTED), body=_hexes()
)
_KNOWN = (ipv6.TCP, ipv6.UDP, ipv6.ICMPV6)


def packets() -> st.SearchStrategy[Packet]:
    """A valid packet of any kind, checksums right; some have octets behind their payload."""
    upper: tuple[tuple[str, st.SearchStrategy[int], st.SearchStrategy[Any]], ...] = (
        ("udp", st.just(ipv6.UDP), _UDP),
        ("tcp", st.just(ipv6.TCP), _TCP),
        ("icmpv6", st.just(ipv6.ICMPV6), st.one_of(_ECHO, _NEIGHBOUR, _OTHER_MESSAGE)),
        ("payload", _number(8).filter(lambda number: number not in _KNOWN), _hexes()),
    )
    return st.one_of(
        *(
            st.builds(
                Packet,
                traffic_class=_number(8), flow_label=_number(20), hop_limit=_number(8),
                source=_ADDRESS, destination=_ADDRESS, next_header=number,
                trailing=st.one_of(st.just(UNSET), st.binary(min_size=1, max_size=4).map(bytes.hex)),
                **{name: value},
            )
            for name, number, value in upper
        )
    )  # fmt: skip
