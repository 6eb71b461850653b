"""Events that carry octets as packets: which protocol, between whom, and what a filter can ask without decoding them.

The same for a run and for a capture file (whose events say `link_type`, and `pdu_at` where their octets have a header
of the capture). Cheap: filters ask by the hundred thousand. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from sim.wifi_aware.on_air import frame_name

if TYPE_CHECKING:
    from sim.trace import TraceEvent

__all__ = [
    "EMPTY",
    "PROTOCOLS",
    "SMP_EVENTS",
    "Ends",
    "capture_event",
    "is_packet",
    "pdu_of",
    "pdu_start",
    "protocol_of",
]

PROTOCOLS = ("ADV", "LL", "SMP", "ATT", "HCI", "NAN", "PASN", "NDP", "802.11", "L2CAP")
EMPTY = ("ll_empty", "ack", "null_data")
"""Events of packets that carry nothing."""
_LAYERS = frozenset(("air", "hci", "ble", "aware"))
SMP_EVENTS = frozenset((
    "pairing_request", "pairing_response", "pairing_confirm", "pairing_random", "pairing_failed", "encryption_key",
    "encryption_id", "identity_key", "identity_address", "signing_key", "security_request", "public_key",
    "dhkey_check", "keypress", "smp",
))  # fmt: skip
_WIFI = {
    "sync_beacon": "NAN", "discovery_beacon": "NAN", "beacon": "NAN", "sdf": "NAN", "naf": "NAN",
    "protected_action": "NAN", "action": "NAN", "authentication": "PASN", "data": "NDP", "protected_data": "NDP",
}  # fmt: skip
_CHANNELS = {4: "ATT", 5: "L2CAP", 6: "SMP"}
_ACL, _HCI_HEADER, _L2CAP_HEADER = 2, 5, 4
ADVERTISING = bytes.fromhex("d6be898e")
"""Access address of advertising, as on the air."""
PHDR_OCTETS, ACCESS_OCTETS, CRC_OCTETS = 10, 4, 3
_START, _LL_CONTROL = 2, 3
_FLAGS_HIGH = 9
_CODED, _AUXILIARY, _ISOCHRONOUS = 2, 1, (4, 5, 6)
"""PHY and kinds of packets in the header of LINKTYPE 256."""
_DIRECTED = ("connect_ind", "scan_req", "scan_rsp")
_ADDRESS_1, _ADDRESS_2 = slice(4, 10), slice(10, 16)


def is_packet(event: TraceEvent) -> bool:
    """Whether the event is a packet, or a message as a protocol sees it."""
    return event.data is not None and event.layer in _LAYERS


def protocol_of(event: TraceEvent) -> str:
    """One of PROTOCOLS; empty for what is no packet."""
    layer, data = event.layer, event.data
    if data is None:
        return ""
    if layer == "air":
        return _on_air(event, data)
    if layer == "ble":
        return "SMP" if event.event in SMP_EVENTS else "ATT"
    if layer == "aware":
        return (
            "PASN"
            if event.event.startswith("auth")
            else "NDP"
            if event.event.startswith(("ndp", "naf"))
            else "NAN"
        )
    return _of_hci(data) if layer == "hci" else ""


def _on_air(event: TraceEvent, data: bytes) -> str:
    fields = event.fields
    if fields.get("phy") == "wifi":
        return _WIFI.get(event.event, "802.11")
    if event.event.startswith("ll_"):
        is_open = event.event == "ll_data" and not fields.get("encrypted")
        return of_link(pdu_of(event)) if is_open else "LL"
    return "ADV"


def pdu_of(event: TraceEvent) -> bytes:
    """The PDU of a link-layer packet, without what a capture puts around it."""
    data, at = event.data or b"", event.fields.get("pdu_at")
    return data if at is None else data[at:-CRC_OCTETS]


def of_link(pdu: bytes) -> str:
    """Protocol of a data PDU that begins an L2CAP frame in clear; encrypted ones and fragments are LL."""
    if len(pdu) < 2 + _L2CAP_HEADER or pdu[0] & 3 != _START:
        return "LL"
    whole = int.from_bytes(pdu[2:4], "little") + _L2CAP_HEADER == pdu[1]
    return _CHANNELS.get(int.from_bytes(pdu[4:6], "little"), "L2CAP") if whole else "LL"


def _of_hci(packet: bytes) -> str:
    start = _HCI_HEADER + _L2CAP_HEADER
    if len(packet) < start or packet[0] != _ACL or packet[2] >> 4 & 3 == 1:
        return "HCI"
    return _CHANNELS.get(int.from_bytes(packet[start - 2 : start], "little"), "HCI")


class Ends:
    """Who sends packets to whom; learns which node has which Wi-Fi address from what the nodes send."""

    def __init__(self) -> None:
        self._names: dict[bytes, str] = {}

    def learn(self, event: TraceEvent) -> None:
        """Take in one event."""
        fields, data = event.fields, event.data
        is_own = event.layer == "air" and event.node and "link_type" not in fields
        if is_own and data is not None and fields.get("phy") == "wifi":
            self._names[data[_ADDRESS_2]] = event.node

    def of(self, event: TraceEvent) -> tuple[str, str]:
        """(sender, receiver) by name or address, "*" for everybody; empty where nobody is known."""
        node, peer = event.node, event.peer
        if event.layer == "air":
            return node, peer or self._addressee(event)
        if event.layer == "hci":
            host, controller = node or "host", "controller"
            return (host, controller) if event.direction == "tx" else (controller, host)
        peer = "*" if peer == "everybody" else peer
        return (peer, node) if event.direction == "rx" else (node, peer)

    def _addressee(self, event: TraceEvent) -> str:
        """To whom a packet of the air goes, as far as the event says."""
        if "link_type" in event.fields and event.event.startswith("ll_"):
            return ""  # of a connection whose ends the capture does not tell
        if event.fields.get("phy") == "wifi":
            address = (event.data or b"")[_ADDRESS_1]
            return (
                "*" if not address or address[0] & 1 else self._names.get(address, address.hex(":"))
            )
        if event.event.startswith("ll_") or event.event in _DIRECTED:
            outcomes = cast("dict[str, Any]", event.fields.get("outcomes") or {})
            return next(iter(outcomes)) if len(outcomes) == 1 else "*"
        return "*"


def pdu_start(name: str, data: bytes) -> int:
    """Where the PDU of a link-layer packet begins; `name` is the kind of its link type. LE Coded has an octet more."""
    if name != "ll_phdr":
        return ACCESS_OCTETS
    is_coded = len(data) > _FLAGS_HIGH and data[_FLAGS_HIGH] >> 6 == _CODED
    return PHDR_OCTETS + ACCESS_OCTETS + is_coded


def capture_event(name: str, data: bytes) -> str:
    """Name of the event that a packet of a capture is; `name` is the kind of its link type."""
    if name == "hci":
        return "packet"
    if name.startswith("frame"):
        start = int.from_bytes(data[2:4], "little") if name == "frame_radiotap" else 0
        return frame_name(data[start:]) if len(data) > start else "frame"
    start = PHDR_OCTETS if name == "ll_phdr" else 0
    kind = int.from_bytes(data[8:10], "little") >> 7 & 7 if start else 0
    if data[start : start + ACCESS_OCTETS] == ADVERTISING or kind == _AUXILIARY:
        return "adv"
    if kind in _ISOCHRONOUS:
        return "ll_iso"
    pdu = data[pdu_start(name, data) : -CRC_OCTETS]
    llid = pdu[0] & 3 if pdu else 0
    return "ll_control" if llid == _LL_CONTROL else "ll_data" if len(pdu) > 2 else "ll_empty"
