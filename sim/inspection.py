"""The decoded tree of a trace event's bytes, made when somebody asks. No clock, no IO."""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.ble.ll_capture import captured_packet
from protocols.dissect import Block, Dissection, dissect

if TYPE_CHECKING:
    from sim.trace import TraceEvent

__all__ = ["dissection_of"]


def dissection_of(event: TraceEvent) -> Dissection | None:
    """Fields and tree of what an event carries; None when it carries nothing, or packets of another kind.

    hci: the H4 packet. air: the advertising PDU as a capture has it (pseudo-header, address and CRC included).
    phone and accessory: the AD structures that were heard.
    """
    if event.data is None:
        return None
    if event.layer == "hci":
        return dissect(Block(kind="hci", data=event.data))
    if event.layer == "air":
        channel = event.fields.get("channel")
        if not isinstance(channel, int) or event.event.startswith("ll_"):
            return None
        data = captured_packet(event.data, channel=channel, rssi_dbm=0)
        return dissect(Block(kind="ll_phdr", data=data))
    return dissect(Block(kind="ad", data=event.data)) if event.event == "heard" else None
