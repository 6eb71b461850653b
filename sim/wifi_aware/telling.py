"""Events and frames of Wi-Fi Aware engines as trace events: phase, message, what is said, keys derived, who failed where.

One table row per kind of event. Keys and PINs go through `place.secret`. No clock, no chance.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from protocols.wifi_aware import events as ev
from protocols.wifi_aware import frames
from protocols.wifi_aware.attributes.cipher_suite_information import SUITES
from protocols.wifi_aware.heard import NETWORK_ID, hear, is_group
from protocols.wifi_aware.summary import said
from protocols.wifi_aware.vocabulary import REASONS
from sim.wifi_aware.firmware import method_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.heard import Outgoing
    from sim.trace import TraceEvent
    from sim.world import RadioPlace

__all__ = ["PHASES", "Telling", "phase_of"]

PHASES = {
    "discovery": "discovery",
    "bootstrapping": "bootstrapping",
    "pairing": "pairing",
    "data_path": "data path",
}
"""Engine -> phase, as ladders say it."""
_LONG = ("idle", "quiet", "lifetime")
_SHORT_US = 100_000
_SECRETS = (
    "kck",
    "nm_tk",
    "nm_kdk",
    "nd_pmk",
    "nik",
    "npk",
    "nd_tk",
    "key",
    "local_gtk",
    "peer_gtk",
)
_NULL = (4, 12)
"""Subtypes of data frames without data."""
_OFTEN = ("publish", "subscribe", "sync_beacon", "discovery_beacon")


def _status(event: ev.PairingResult) -> str:
    if event.status == 0:
        return f"{event.akm.upper()}, {event.cipher.replace('_', '-').upper()}, as {event.role}"
    return f"status {event.status}{f': {event.cause}' if event.cause else ''}, as {event.role}"


def _ended(event: ev.DataPathEnded) -> str:
    who = "by this side" if event.local else "by the other side"
    never = ", it was never up" if event.failure else ""
    cause = f": {event.cause}" if event.cause else ""
    return f"NDP {event.ndp_id} {who}{never}, reason {event.reason} ({REASONS.get(event.reason, 'unknown')}){cause}"


def _reason(event: ev.BootstrapCompleted) -> str:
    return f"reason {event.reason} ({REASONS.get(event.reason, 'unknown')})"


def _suite(csid: int) -> str:
    return SUITES.get(csid, f"suite {csid}") if csid else "open"


_ROWS: dict[type[ev.Event], tuple[str, Callable[[Any], str]]] = {
    ev.Discovered: ("discovered", lambda e: f"instance {e.publish_id}, pairing {_offer(e)}"),
    ev.Replied: ("answered a subscribe", lambda e: f"of instance {e.subscribe_id}"),
    ev.MatchExpired: ("not heard any more", lambda e: f"instance {e.publish_id}"),
    ev.DataPathCountered: ("schedule countered", lambda e: f"NDP {e.ndp_id}, reason {e.reason}"),
    ev.ServiceEnded: ("service ended", lambda e: e.reason),
    ev.FollowUp: (
        "follow-up",
        lambda e: "" if e.consumed else f"{len(e.service_info) // 2} octets",
    ),
    ev.BootstrapRequested: ("bootstrapping asked for", lambda e: method_name(e.method)),
    ev.BootstrapCompleted: (
        "bootstrapping done",
        lambda e: method_name(e.method) if e.success else e.cause or f"refused, {_reason(e)}",
    ),
    ev.PairingRequested: ("pairing asked for", lambda e: f"{e.akm.upper()}, {_suite(e.csid)}"),
    ev.PairingResult: ("pairing result", _status),
    ev.NikReceived: (
        "identity key received",
        lambda e: (
            f"cipher version {e.cipher_version}, "
            + ("no lifetime" if e.lifetime_s is None else f"good for {e.lifetime_s} s")
        ),
    ),
    ev.NikMissing: (
        "no identity key",
        lambda e: f"{e.cause}; its link keys {'stay' if e.paired else 'are gone'}",
    ),
    ev.NiraResolved: ("recognised", lambda e: f"by its NIRA, pairing {e.id}"),
    ev.NiraUnknown: ("not recognised", lambda _: "its NIRA belongs to no pairing in the store"),
    ev.DataPathRequested: ("data path asked for", lambda e: f"NDP {e.ndp_id}, {_suite(e.csid)}"),
    ev.DataPathConnected: ("data path up", lambda e: f"NDP {e.ndp_id}, {_suite(e.csid)}"),
    ev.DataPathEnded: ("data path ended", _ended),
    ev.GroupKeySet: ("group key", lambda e: f"{e.key_type.upper()} {e.key_id}"),
    ev.Dropped: ("dropped", lambda e: f"{e.frame}: {e.reason}"),
    ev.Stepped: ("step", lambda e: f"{e.engine}: {e.before} → {e.after} ({e.cause})"),
}
"""Kind -> label, and note from the event."""
_QUIET = (
    ev.Stepped,
    ev.KeepAliveWanted,
    ev.Transmitted,
    ev.Tuned,
    ev.AuthReceived,
    ev.AuthSent,
    ev.NafReceived,
)
"""Kinds that go into the trace for machines, and into no ladder."""
_SHOWN_KEYS = ("nm_tk", "nm_kek", "nd_pmk_from_kdk", "nd_pmk_from_passphrase", "ndp_tk")
"""Keys that a ladder shows; those they are made of are in the trace."""


def _label(kind: str) -> str:
    return "key" if kind == "derived" else kind.replace("_", " ")


def _offer(event: ev.Discovered) -> str:
    if not event.methods:
        return "not offered"
    bits = (1 << bit for bit in range(16) if event.methods >> bit & 1)
    return "by " + ", ".join(map(method_name, bits))


def phase_of(event: ev.Event) -> str:
    """The phase that an event belongs to."""
    match event:
        case ev.Stepped():
            return PHASES.get(event.engine, event.engine)
        case ev.Discovered() | ev.Replied() | ev.ServiceEnded() | ev.FollowUp():
            return "discovery"
        case ev.BootstrapRequested() | ev.BootstrapCompleted():
            return "bootstrapping"
        case (
            ev.DataPathRequested() | ev.DataPathConnected() | ev.DataPathEnded() | ev.NafReceived()
        ):
            return "data path"
        case _:
            return "pairing"


class Telling:
    """The trace of one node's engines."""

    def __init__(self, node: str, place: RadioPlace) -> None:
        self._node = node
        self._place = place

    def name(self, address: str) -> str:
        """Node of an address; "everybody" for a group."""
        if address == NETWORK_ID or (address and is_group(address)):
            return "everybody"
        return self._place.name_of(address)

    def sent(self, out: Outgoing, frame: frames.Header) -> TraceEvent:
        """A frame leaves: one message of the ladder."""
        details: dict[str, Any] = {"often": True} if out.name in _OFTEN else {}
        return self._place.trace.emit(
            self._node,
            "aware",
            out.name,
            direction="tx",
            peer=self.name(out.destination),
            data=out.octets,
            label=said(frame),
            phase=PHASES.get(out.engine, out.engine),
            number=out.number,
            **details,
        )

    def told(self, event: ev.Event) -> TraceEvent:
        """An event of an engine."""
        row = _ROWS.get(type(event))
        fields = event.as_plain()
        kind = fields.pop("kind")
        peer = self.name(str(fields.pop("peer", "")))
        fields["because"] = fields.pop("cause", "")  # `cause` of a trace event is another event
        for key in _SECRETS:
            if fields.get(key):
                fields[key] = self._place.secret(fields[key])
        if isinstance(event, ev.Derived):
            fields["value"] = self._place.secret(event.value)
        note = row[1](event) if row else ""
        if isinstance(event, ev.Derived):
            note = f"{event.name} = {fields['value']}"
        if self._is_quiet(event):
            fields["quiet"] = True
        return self._place.trace.emit(
            self._node,
            "aware",
            kind,
            peer=peer,
            note=note,
            label=row[0] if row else _label(kind),
            phase=phase_of(event),
            **{key: value for key, value in fields.items() if value not in (None, "", ())},
        )

    def _is_quiet(self, event: ev.Event) -> bool:
        """Whether the event is for machines: steps, inner results, keys from which others are made."""
        if isinstance(event, ev.Derived):
            return event.name not in _SHOWN_KEYS
        return isinstance(event, _QUIET) or (isinstance(event, ev.FollowUp) and event.consumed)

    def waits(self, what: str, for_us: int) -> None:
        """A timer of an engine began to run; those of idle links and keys are for machines."""
        text = self._named(what)
        details: dict[str, Any] = (
            {"quiet": True} if text.startswith(_LONG) or for_us < _SHORT_US else {}
        )
        seconds = f"{for_us / 1e6:.3f}".rstrip("0").rstrip(".")
        self._place.trace.emit(
            self._node,
            "aware",
            "timer",
            label="timer",
            note=f"{text}: {seconds} s",
            for_us=for_us,
            **details,
        )

    def waits_no_more(self, what: str) -> None:
        """A timer of an engine was stopped before it ran out; of interest to screens that show what runs."""
        self._place.trace.emit(
            self._node, "aware", "timer_stopped", note=f"{self._named(what)}: stopped", quiet=True
        )

    def _named(self, what: str) -> str:
        """A text with names in place of the addresses that have one."""
        return re.sub(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}", lambda found: self.name(found[0]), what)

    def not_acknowledged(self, out: Outgoing) -> None:
        """A unicast frame was given up: nobody has acknowledged it."""
        if is_group(out.destination):
            return
        frame = hear(out.clear).frame
        what = out.name.replace("_", " ") if frame is None else said(frame)
        phase = PHASES.get(out.engine, out.engine)
        self._in_vain(out.destination, what, phase=phase, number=out.number)

    def data_not_acknowledged(self, nmi: str, octets: bytes, tries: int) -> None:
        """A data frame to the peer `nmi` was given up after so many tries."""
        what = "null frame that keeps the data path" if octets[0] >> 4 in _NULL else "data frame"
        self._in_vain(nmi, f"{what}, {tries} tries", phase="data path", often=True)

    def _in_vain(self, address: str, what: str, **details: Any) -> None:
        self._place.trace.emit(
            self._node,
            "aware",
            "not_acknowledged",
            peer=self.name(address),
            label="not acknowledged",
            note=f"{what}; lost, or nobody listens",
            **details,
        )
