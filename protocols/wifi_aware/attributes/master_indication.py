"""Master Indication (0x00): how much the sender wants to be master.

Wi-Fi Aware 4.0, Master Indication attribute. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.format import Example
from protocols.layout import U8, Mapped, Record
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body, Int8

ID = 0x00


class MasterIndication(Body, frozen=True, kw_only=True):
    """Rank of the sender, without its address."""

    master_preference: Int8
    """0 during start-up; 1 and 255 only in certification."""
    random_factor: Int8


def _meaning(preference: int) -> str | None:
    return {0: "starting up", 1: "for certification", 255: "for certification"}.get(preference)


ATTRIBUTE = Attribute(
    id=ID,
    name="master_indication",
    title="Master Indication",
    source="Wi-Fi Aware 4.0, Master Indication attribute",
    fields=MasterIndication,
    layout=Record(
        "master_preference" / Mapped(U8, lambda raw: raw, lambda value: value, _meaning),
        "random_factor" / U8,
    ),
    minimum=2,
    maximum=2,
    examples=(Example("804d", note="preference 128, factor 77"),),
)
