"""Security Context Information, SCIA (0x23): which keys the sender already shares for a service.

Wi-Fi Aware 4.0, Security Context Information attribute; as in hostap src/nan/nan_sec.c. A length counts the
identifier alone, not the type and Publish ID before it. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example
from protocols.layout import REST, U8, U16LE, Hex, Mapped, Record, Records
from protocols.layout import Body as Prefixed
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body, HexText, Int8, Words

ID = 0x23
BEFORE_IDENTIFIER = 2
"""octets of type and Publish ID."""


class SecurityContext(Body, frozen=True, kw_only=True):
    """One key, by its identifier."""

    type: Int8
    publish_id: Int8
    """0: not said."""
    identifier: HexText
    """of 16 octets for an ND-PMKID."""


class SecurityContextInformation(Body, frozen=True, kw_only=True):
    """Keys that are there."""

    contexts: list[SecurityContext]
    """one or more."""


def strategy() -> Any:
    """Valid values: one context or more."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    some = draw.lists(draw.fields_of(SecurityContext), min_size=1, max_size=4)
    return draw.fields_of(SecurityContextInformation, contexts=some)


def _octets_behind(length: int) -> int:
    return length + BEFORE_IDENTIFIER


def _length_of(octets: int) -> int:
    return octets - BEFORE_IDENTIFIER


CONTEXT = Prefixed(
    Mapped(U16LE, _octets_behind, _length_of),
    Record(
        "type" / Words(U8, {1: "ND-PMKID"}),
        "publish_id" / Words(U8, {0: "not said"}, "service of that instance"),
        "identifier" / Hex(REST),
    ),
)
ATTRIBUTE = Attribute(
    id=ID,
    name="security_context_information",
    title="Security Context Information (SCIA)",
    source="Wi-Fi Aware 4.0, Security Context Information attribute",
    fields=SecurityContextInformation,
    layout=Record("contexts" / Records(CONTEXT, "attribute_length")),
    minimum=4,
    strategy=strategy,
    examples=(
        Example("1000" + "01" + "01" + "23a7e8a6cf8e20166eb4f27a0f929d59", note="an ND-PMKID"),
    ),
)
