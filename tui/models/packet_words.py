"""What a filter may say about packets: protocols and states as words, ends, numbers and decoded fields as keys.

`ble` and `wifi` (the same: `aware`) mean radios, with the layers above them; a layer of the trace is `layer:ble`.
A dotted name is a path through the decoded tree: its last part names the field, those before it are on the way there
or name the protocol (`smp.smp_code==5`, `pairing_bootstrapping.reason!=0`). Decoded fields are looked at last, because
they cost most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from tui.filters import Vocabulary
from tui.models.decoding import decoded, info_of, walk
from tui.models.packets import EMPTY, PROTOCOLS, pdu_of, protocol_of

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from protocols.layout import Node
    from sim.trace import TraceEvent
    from tui.filters import Predicate
    from tui.models.packets import Ends

__all__ = ["packet_vocabulary"]

_ALIASES = {"nan.attr": "nan.id", "smp.code": "smp.smp_code"}
_WIFI_ADDRESSES = (slice(4, 10), slice(10, 16), slice(16, 22))
_LAYERS = ("air", "hci")
_WITH_TWO_ADDRESSES = (1, 3, 5)
"""ADV_DIRECT_IND, SCAN_REQ, CONNECT_IND (Core 5.4 Vol 6 Part B 2.3)."""


def packet_vocabulary(ends: Ends, marked: Container[int]) -> Vocabulary[TraceEvent]:
    """Words and keys; `marked` holds the sequence numbers of marked packets."""
    words: dict[str, Predicate[TraceEvent]] = {
        **{name.lower(): _of_protocol(name) for name in PROTOCOLS},
        **{layer: _of_layer(layer) for layer in _LAYERS},
        "ble": is_ble,
        "wifi": is_wifi,
        "aware": is_wifi,
        "empty": lambda event: event.event in EMPTY,
        "message": lambda event: event.layer in ("ble", "aware"),
        "encrypted": lambda event: bool(event.fields.get("encrypted")),
        "again": lambda event: bool(event.fields.get("again")),
        "often": lambda event: bool(event.fields.get("often")),
        "beacon": lambda event: event.event.endswith("beacon"),
        "malformed": lambda event: bool(decoded(event).wrong),
        "doubtful": lambda event: bool(decoded(event).doubts),
        "marked": lambda event: event.seq in marked,
        "tx": lambda event: event.direction == "tx",
        "rx": lambda event: event.direction == "rx",
    }
    keys: dict[str, Callable[[TraceEvent], Any]] = {
        "number": lambda event: event.seq,
        "t": lambda event: event.t_us / 1e6,
        "len": lambda event: len(event.data or b""),
        "channel": lambda event: event.fields.get("channel"),
        "rssi": rssi_of,
        "addr": addresses_of,
        "from": lambda event: ends.of(event)[0],
        "to": lambda event: ends.of(event)[1],
        "node": lambda event: (event.node, event.peer),
        "event": lambda event: event.event,
        "layer": lambda event: event.layer,
        "proto": protocol_of,
        "rule": lambda event: event.rule or None,
        "phase": lambda event: event.fields.get("phase"),
        "note": lambda event: event.note or None,
        "cause": lambda event: event.cause,
        "data": lambda event: (event.data or b"").hex(),
        "text": info_of,
    }
    return Vocabulary(words, keys, _path)


def _of_protocol(name: str) -> Predicate[TraceEvent]:
    return lambda event: protocol_of(event) == name


def _of_layer(layer: str) -> Predicate[TraceEvent]:
    return lambda event: event.layer == layer


def is_wifi(event: TraceEvent) -> bool:
    """Whether it is of the Wi-Fi radio: a frame, or a message of Wi-Fi Aware."""
    return event.layer == "aware" or event.fields.get("phy") == "wifi"


def is_ble(event: TraceEvent) -> bool:
    """Whether it is of the Bluetooth LE radio: on the air, between it and its host, or a message of the host."""
    fields = event.fields
    of_air = event.layer == "air" and ("link_type" not in fields or "pdu_at" in fields)
    return event.layer in ("ble", "hci") or (of_air and fields.get("phy") != "wifi")


def rssi_of(event: TraceEvent) -> int | None:
    """Signal at the best listener, of those that heard it if any did, dBm; None where nothing is known."""
    fields = event.fields
    known = fields.get("rssi_dbm")
    if known is None:
        levels = cast("dict[str, int]", fields.get("signal_dbm") or {})
        outcomes = cast("dict[str, str]", fields.get("outcomes") or {})
        heard = [level for name, level in levels.items() if outcomes.get(name) == "heard"]
        known = max(heard or levels.values(), default=None)
    return known


def addresses_of(event: TraceEvent) -> tuple[str, ...]:
    """Radio addresses in a packet's header, in a capture also those of its connection, as text in small letters."""
    data, fields = event.data or b"", event.fields
    if fields.get("phy") == "wifi" or event.layer == "aware":
        start = fields.get("pdu_from", 0)
        found = (data[start:][span] for span in _WIFI_ADDRESSES)
        return tuple(octets.hex(":") for octets in found if len(octets) == 6)
    if protocol_of(event) == "ADV":
        pdu = pdu_of(event)
        has_two = pdu[:1] and pdu[0] & 0x0F in _WITH_TWO_ADDRESSES
        spans = (pdu[2:8], pdu[8:14] if has_two else b"")
        return tuple(octets[::-1].hex(":") for octets in spans if octets)
    if "link_type" in fields and event.event.startswith("ll_"):
        return tuple(end for end in (event.node, event.peer) if ":" in end)
    address = fields.get("address")
    return (address.lower(),) if isinstance(address, str) else ()


def _path(name: str) -> Callable[[TraceEvent], Any] | None:
    if "." not in name.strip("."):
        return None
    parts = _ALIASES.get(name.lower(), name.lower()).split(".")
    protocol = parts[0].upper()
    of_protocol = protocol in PROTOCOLS
    wanted = parts[1:] if of_protocol else parts

    def values(event: TraceEvent) -> tuple[Any, ...] | None:
        if of_protocol and protocol_of(event) != protocol:
            return None
        found = [
            value
            for path, node in walk(decoded(event).tree)
            if _leads(path, wanted)
            for value in _values(node)
        ]
        return tuple(found) or None

    return values


def _leads(path: tuple[str, ...], wanted: list[str]) -> bool:
    """Whether `wanted` are names on the path in their order, the last one at its end."""
    if not _is_named(path[-1], wanted[-1]):
        return False
    rest = iter(path[:-1])
    return all(any(_is_named(name, part) for name in rest) for part in wanted[:-1])


def _is_named(name: str, wanted: str) -> bool:
    return name == wanted or name.endswith(f"_{wanted}")


def _values(node: Node) -> list[Any]:
    """What a field can be compared with: its value, and what that means."""
    return [value for value in (node.value, node.meaning) if value is not None]
