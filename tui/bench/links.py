"""A dongle that the interface, or its run, has open: its session and what is read off it for the screen.

Rules of the file: looking changes nothing and may be done from any thread, because what is read is copied at once;
whatever acts on the session is carried out on the session's own loop.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

import msgspec

from hw_bridge.firmware import needs_firmware
from hw_bridge.pulled import PullablePort
from hw_bridge.session import Session
from hw_bridge.states import SERVING
from hw_bridge.threads import call_in_loop
from hw_bridge.transports import port_for
from protocols.hci.replies import RESET, opcode_of, reply_of
from tui.models.bridges import BridgeView, Happening

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hw_bridge.client import Tap
    from hw_bridge.session import SessionSettings
    from hw_bridge.states import Transition
    from tui.models.bridges import Use

__all__ = ["BridgeLink"]

_COMMAND: Final = 1
_NEW_US: Final = 10_000_000
"""How long a loss counts as new."""
_EVENT: Final = 4


class BridgeLink:
    """One session. Raises BadMonikerError, UnknownNameError, NoBackendError when it is made."""

    def __init__(
        self, moniker: str, *, settings: SessionSettings | None = None, use: Use = "open"
    ) -> None:
        self.moniker = moniker
        self.use: Use = use
        self.role = ""
        self.port = PullablePort(moniker, port_for(moniker))
        self.session = Session(moniker, settings=settings, port=self.port)
        self.round_trip_us: int | None = None
        """of the latest command; -1 when it had no reply."""
        self.loop: asyncio.AbstractEventLoop | None = None
        """where the session lives, once it does."""
        self._lost = (0, 0)  # losses at the last look, and when they grew
        tap: Tap = _RoundTrips(self)
        self.session.tap(tap)

    # Acting

    def toggle_cable(self) -> bool:
        """Pull the cable, or put it in again; whether it is to be out."""
        out = not self.port.is_out
        self._call(self.port.pull if out else self.port.plug)
        return out

    def reset(self) -> None:
        """Reset the controller while it has no host of its own."""
        channel = self.session.life.channel
        if channel is not None and self.session.state in SERVING:
            self._call(lambda: asyncio.ensure_future(self.session.life.command(RESET)))

    def _call(self, function: Callable[[], object]) -> None:
        if self.loop is not None:
            call_in_loop(self.loop, function)

    # Looking

    @property
    def away(self) -> str:
        """Why the controller is not in use; empty while it is."""
        return "" if self.session.state in SERVING else self.session.life.reason

    def happenings(self) -> tuple[Happening, ...]:
        """States, notes, and octets that were no packet, in the order of their times."""
        session = self.session
        found = [
            Happening(t_us=one.t_us, kind=one.state.value, text=one.reason)
            for one in tuple(session.life.transitions)
        ]
        found += [
            Happening(t_us=t_us, kind=kind, text=text) for t_us, kind, text in tuple(session.notes)
        ]
        return tuple(sorted(found, key=lambda one: one.t_us))

    def view(self, before: BridgeView) -> BridgeView:
        """`before`, what was known of the port, with what the session says."""
        life = self.session.life
        state, facts, quirk = life.state, life.facts, life.quirk
        error = life.error if state not in SERVING else None
        now_us = 0 if self.loop is None else round(self.loop.time() * 1e6)
        counts = dict(self.session.counters())
        happenings = self.happenings()
        next_s = life.next_try_s
        view = msgspec.structs.replace(
            before,
            use=self.use,
            role=self.role,
            is_out=self.port.is_out,
            state=state.value,
            reason=str(error) if error is not None else life.reason,
            error_kind=str(getattr(error, "kind", "")),
            needs_firmware=facts is not None and needs_firmware(quirk, facts),
            retry_s=None if next_s is None else next_s - now_us / 1e6,
            tries=life.tries,
            up_s=_up_s(tuple(life.transitions), now_us),
            generation=life.generation,
            round_trip_us=self.round_trip_us if state in SERVING else None,
            octets_sent=counts.get("octets sent", 0),
            octets_received=counts.get("octets received", 0),
            resyncs=len(self.session.skipped),
            counters=tuple(sorted(counts.items())),
            quirk="" if quirk is None else f"{quirk.name}: {quirk.note}".rstrip(": "),
            happenings=happenings,
            now_us=now_us,
            queue_most=self.session.settings.outbox_packets,
            **self._waiting(),
            **_who(facts),
        )
        return msgspec.structs.replace(view, has_new_losses=self._has_new_losses(view))

    def _waiting(self) -> dict[str, int]:
        channel = self.session.life.channel
        if channel is None:
            return {}
        traffic = channel.traffic
        waiting = len(traffic.gate.queue) + traffic.data.waiting_packets
        return {"credits": traffic.gate.credits, "queue": waiting}

    def _has_new_losses(self, view: BridgeView) -> bool:
        drops, since_us = self._lost
        if view.drops != drops:
            is_first = not drops and not since_us and view.state not in ("ready", "degraded")
            since_us = 0 if is_first else view.now_us
            self._lost = (view.drops, since_us)
        return bool(since_us) and view.now_us - since_us < _NEW_US


class _RoundTrips:
    """Takes the time from a command of the host to its reply."""

    def __init__(self, link: BridgeLink) -> None:
        self._link = link
        self._sent: tuple[int, int] | None = None

    def on_packet(self, packet: bytes, *, sent: bool, t_us: int) -> None:
        """One packet."""
        if sent and packet[0] == _COMMAND:
            self._sent = (opcode_of(packet), t_us)
        elif not sent and self._sent is not None and packet[0] == _EVENT:
            reply = reply_of(packet)
            if reply is not None and reply.opcode == self._sent[0]:
                self._link.round_trip_us = t_us - self._sent[1]
                self._sent = None

    def on_octets(self, octets: bytes, *, sent: bool, t_us: int) -> None:
        """Packets are enough."""

    def on_transition(self, transition: Transition) -> None:
        """What was measured before is over."""
        if transition.state not in SERVING:
            self._link.round_trip_us, self._sent = None, None


def _up_s(transitions: Sequence[Transition], now_us: int) -> float:
    """Seconds in use without a break."""
    since_us: int | None = None
    for one in transitions:
        if one.state not in SERVING:
            since_us = None
        elif since_us is None:
            since_us = one.t_us
    return 0.0 if since_us is None else max(0, now_us - since_us) / 1e6


def _who(facts: Any) -> dict[str, str]:
    """Maker, version and address of a controller that answered."""
    if facts is None:
        return {}
    from hw_bridge.identify import verdict
    from protocols.data.companies import company_name
    from tui.commands._bridge_probe import CORE_VERSIONS

    maker = company_name(facts.manufacturer) or f"company {facts.manufacturer:#06x}"
    core = CORE_VERSIONS.get(facts.hci_version)
    return {
        "maker": maker,
        "version": f"Bluetooth {core}" if core else f"HCI version {facts.hci_version}",
        "address": facts.address if facts.has_address else "",
        "verdict": verdict(facts),
    }
