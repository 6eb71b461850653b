"""What the lists of published and of wanted services share: service IDs until the body ends.

Wi-Fi Aware 4.0, Service ID List and Subscribe Service ID List attributes. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.layout import Codec, Hex, Record, Records
from protocols.wifi_aware.vocabulary import Body, Hex6

__all__ = ["MINIMUM", "SERVICE_LIST", "ServiceList", "some_of"]

MINIMUM = 6
"""Octets of a list of one."""
SERVICE_LIST: Codec = Record("service_ids" / Records(Hex(6), "attribute_length"))


class ServiceList(Body, frozen=True, kw_only=True):
    """Services by the first octets of the hashes of their names."""

    service_ids: list[Hex6]
    """one or more."""


def some_of(fields: type[ServiceList]) -> Any:
    """Strategy of valid values: one service or more."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    return draw.fields_of(fields, service_ids=draw.lists(draw.hexes(6, 6), min_size=1, max_size=4))
