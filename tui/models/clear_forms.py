"""The clear form of encrypted packets, where a run knows it: what the receiver's host was given, or what a key opens.

Bluetooth: the HCI ACL packet that the packet on the air led to, 4 octets (the MIC) shorter (Core 5.4 Vol 6 Part B 2.4); of
control PDUs, which no host sees, what the run says of them.
Wi-Fi: temporal keys that the run has derived (IEEE 802.11-2020 12.5.3, 12.5.5); key data inside stay closed, and keys
in HCI and SMP are zeros unless the run reveals them. Pure.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, cast

from protocols.dissect import Block, dissect, summary
from protocols.errors import NearbenchError
from protocols.wifi_aware.frame import clear_octets
from protocols.wifi_aware.protection import TK_NAMES, UNOPENED
from sim.redaction import Secret
from tui.models.decoding import Decoded, decoded_link
from tui.text import clean

if TYPE_CHECKING:
    from sim.trace import TraceEvent
    from tui.feed import Source

__all__ = ["ClearForms"]

_MIC, _LL_HEADER, _ACL_HEADER, _ACL = 4, 2, 5, 2
_KEYS = 16
_NEAR = 12
"""Events behind a packet among which its receiver's host is."""


class ClearForms:
    """What a run knows of encrypted packets."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._keys: deque[str] = deque(maxlen=_KEYS)

    def learn(self, event: TraceEvent) -> None:
        """Take in one event: a key that was derived."""
        value = event.fields.get("value")
        if event.event != "derived" or event.fields.get("name") not in TK_NAMES:
            return
        key = value.value if isinstance(value, Secret) else value
        if isinstance(key, str) and key not in self._keys:
            self._keys.append(key)

    def of(self, event: TraceEvent) -> Decoded | None:
        """The clear form of a packet; None where it is not encrypted, or not known."""
        if event.layer == "air" and event.event == "ll_data":
            return self._of_link(event)
        if event.layer == "air" and event.event == "ll_control":
            clear = event.fields.get("clear")
            return _in_clear(event, bytes.fromhex(clear)) if isinstance(clear, str) else None
        if event.event.startswith("protected") or event.fields.get("phy") == "wifi":
            return self._of_frame(event)
        return None

    def _of_link(self, event: TraceEvent) -> Decoded | None:
        pdu = event.data or b""
        position = self._source.position_of(event.seq)
        if position is None or "link_type" in event.fields:
            return None
        end = min(self._source.end, position + _NEAR)
        for near in self._source.span(position + 1, end):
            data = near.data or b""
            if near.layer != "hci" or near.cause != event.seq or data[:1] != bytes((_ACL,)):
                continue
            payload = data[_ACL_HEADER:]
            if len(payload) == len(pdu) - _LL_HEADER - _MIC:
                return _in_clear(event, payload)
        return None

    def _of_frame(self, event: TraceEvent) -> Decoded | None:
        data = event.data or b""
        if not self._keys or len(data) < 2 or not data[1] & 0x40:  # Protected
            return None
        context = {UNOPENED: True, "tk": ",".join(self._keys)}
        try:
            found = dissect(Block(kind="frame", data=data), context)
        except NearbenchError:
            return None
        if found.fields is None:
            return None
        opened = clear_octets(cast(Any, found.fields), data)
        if opened == data:
            return None
        text = clean(summary("frame", found.fields))
        wrong = "" if found.error is None else clean(str(found.error))
        return Decoded(opened, found.tree, text, wrong, tuple(d.message for d in found.doubts))


def _in_clear(event: TraceEvent, payload: bytes) -> Decoded:
    """The PDU as it would be without encryption: its first header octet, its length, the payload."""
    return decoded_link((event.data or b"")[:1] + bytes((len(payload),)) + payload)
