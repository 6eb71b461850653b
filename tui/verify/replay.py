"""Our engines in the place of one device of a recorded exchange: its commands, its chance, its peer's frames.

What the device has to send, end in, tell and refuse is compared with the recording. Time is that of the recording,
but timers run by the engines' own clock: one that is due much earlier or later than the recorded frame is a
difference. No IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.errors import NearbenchError
from protocols.wifi_aware.bootstrapping_settings import BootstrappingSettings
from protocols.wifi_aware.device import AwareDevice, DeviceSettings
from protocols.wifi_aware.pairing_settings import HOSTAP
from protocols.wifi_aware.station import RefusedError
from protocols.wifi_aware.station_settings import StationSettings
from tui.verify.check import Check, check
from tui.verify.replay_commands import COMMANDS
from tui.verify.replay_events import outcome_of, recorded_form
from tui.verify.words import words_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protocols.wifi_aware.events import Event
    from protocols.wifi_aware.heard import Outgoing

__all__ = ["NOT_REPLAYED", "Replay", "can_be_replayed", "replay_checks"]

NOT_REPLAYED = (
    "our engines in the place of either device: there is no timeline, or no draws or devices",
)

_TIMER_SLACK_US = 30_000
"""Recorded times are good to about 10 ms, and timers fired up to 8 ms late."""
_TRANSMIT_US = 1_000
_SIDES = ("A", "B")
_UNUSABLE = (
    NearbenchError,
    KeyError,
    ValueError,
    TypeError,
    IndexError,
    AttributeError,
    msgspec.ValidationError,
)
"""What a recording of another form leads to."""


class _Draws:
    """The recorded random values, in order; one that is asked for out of order is remembered as a difference."""

    def __init__(self, recorded: list[dict[str, Any]]) -> None:
        self.left = list(recorded)
        self.wrong: list[str] = []

    def __call__(self, purpose: str, length: int) -> bytes:
        expected = self.left[0] if self.left else None
        value = bytes.fromhex(expected["hex"]) if expected else b""
        if expected is None or expected["purpose"] != purpose or len(value) != length:
            due = (
                "none is left"
                if expected is None
                else f"{expected['purpose']}, {len(value)} octets"
            )
            self.wrong.append(f"{purpose}, {length} octets; recorded: {due}")
            return bytes(length)
        del self.left[0]
        return value


class Replay:
    """One device of an exchange, played by our engines."""

    def __init__(self, plain: dict[str, Any], side: str) -> None:
        self.side = side
        self.plain = plain
        self.timeline: list[dict[str, Any]] = plain["timeline"]
        self.frames: list[dict[str, Any]] = plain["frames"]
        self.draws = _Draws(plain["draws"][side])
        self.device = AwareDevice(settings_of(plain, side), self.draws)
        self.now = 0
        self.queue: list[Outgoing] = []
        self.events: list[Event] = []
        self.refused = 0
        self.places: dict[int, int] = {}
        """number of a recorded frame -> number of ours."""
        self._collect()

    def checks(self) -> Iterator[Check]:
        """One check per frame sent, per command's result, per event and per outcome, and those of the draws."""
        held: dict[int, list[int]] = {}
        for index, entry in enumerate(self.timeline):
            wait = entry.get("processed_after")
            if wait is not None and self._is_mine(wait):
                held.setdefault(wait, []).append(index)
                continue
            yield from self._step(index, entry)
            for waiting in held.pop(entry.get("n", -1), ()):
                yield from self._step(waiting, self.timeline[waiting])
        yield from self._closing_checks()

    def _is_mine(self, number: int) -> bool:
        return bool(self.frames[number]["dir"].startswith(self.side))

    def _step(self, index: int, entry: dict[str, Any]) -> Iterator[Check]:
        self._pass_time(entry)
        match entry["type"]:
            case "cmd" if entry["dev"] == self.side:
                yield self._command(index, entry)
            case "frame":
                yield from self._frame(index, entry)
            case _:
                pass
        self._collect()

    def _pass_time(self, entry: dict[str, Any]) -> None:
        """Go to the entry's time; timers that should have run long before it do, and show as frames too many."""
        at = int(entry["t_ms"]) * 1000
        while (due := self.device.next_timer()) is not None and due < at - _TIMER_SLACK_US:
            self.now = max(self.now, due)
            self.device.handle_timer(self.now)
            self._collect()
        self.now = max(self.now, at)

    def _collect(self) -> None:
        self.queue.extend(self.device.to_send(self.now))
        while (event := self.device.next_event()) is not None:
            self.events.append(event)

    # Commands

    def _command(self, index: int, entry: dict[str, Any]) -> Check:
        name = f"{self.side}: {entry['cmd']} (entry {index})"
        run = COMMANDS.get(entry["cmd"])
        if run is None:
            return check(name, f"one of {', '.join(COMMANDS)}", entry["cmd"], ok=False)
        wanted = self._result_of(index)
        try:
            run(self.device, entry, self.now)
            got = "ok"
        except RefusedError as exc:
            self.refused += 1
            got = f"refused: {exc}"
        except _UNUSABLE as exc:
            got = f"the command cannot be used: {words_of(exc)}"
        return check(name, wanted, got, ok=got.split(":")[0] == wanted)

    def _result_of(self, index: int) -> str:
        for entry in self.timeline[index + 1 :]:
            if entry["type"] == "result" and entry.get("dev") == self.side:
                return "ok" if entry["ok"] else "refused"
        return "ok"

    # Frames

    def _frame(self, index: int, entry: dict[str, Any]) -> Iterator[Check]:
        number = int(entry["n"])
        recorded = self.frames[number]
        if recorded.get("injected") and self._is_mine(number):
            return
        if not self._is_mine(number):
            if recorded.get("delivered", True):
                self.device.receive(bytes.fromhex(recorded["hex"]), self.now)
            return
        yield from self._sent_checks(index, entry, recorded)

    def _sent_checks(
        self, index: int, entry: dict[str, Any], recorded: dict[str, Any]
    ) -> Iterator[Check]:
        name = f"{self.side} sends frame {entry['n']} ({recorded['kind']})"
        self._collect()
        if entry.get("cause") == "timer" and not self.queue:
            yield self._run_timer(name, entry)
        expected = recorded.get("original_hex", recorded["hex"])
        if not self.queue:
            yield check(name, expected, None, ok=False)
            return
        ours = self.queue.pop(0)
        got = ours.octets.hex()
        yield check(name, expected, got, ok=got == expected)
        self.device.sent(ours.number, acked=True, now=self.now + _TRANSMIT_US)

    def _run_timer(self, name: str, entry: dict[str, Any]) -> Check:
        due = self.device.next_timer()
        recorded = int(entry["t_ms"]) * 1000
        near = due is not None and abs(due - recorded) <= _TIMER_SLACK_US
        if due is not None and near:
            self.now = max(self.now, due)
            self.device.handle_timer(self.now)
            self._collect()
        told = f"{entry.get('timer')} at {recorded // 1000} ms"
        return check(f"{name}: timer", told, None if due is None else f"{due // 1000} ms", ok=near)

    # In the end

    def _closing_checks(self) -> Iterator[Check]:
        side = self.side
        more = [one.name for one in self.queue]
        yield check(f"{side}: frames beyond the recording", [], more, ok=not more)
        left = [one["purpose"] for one in self.draws.left]
        wrong = [*self.draws.wrong, *(f"{one} was not drawn" for one in left)]
        yield check(f"{side}: draws", [], wrong, ok=not wrong)
        yield from self._outcome_checks()
        yield from self._event_checks()

    def _outcome_checks(self) -> Iterator[Check]:
        recorded = dict(self.plain.get("outcome", {}).get(self.side, {}))
        ours = outcome_of(self.events, self.refused)
        for key in sorted({*recorded, *ours}):
            name = f"{self.side}: outcome {key}"
            yield check(
                name, recorded.get(key), ours.get(key), ok=recorded.get(key) == ours.get(key)
            )

    def _event_checks(self) -> Iterator[Check]:
        recorded = [
            entry
            for entry in self.timeline
            if entry["type"] == "event" and entry["dev"] == self.side
        ]
        ours = [form for event in self.events if (form := recorded_form(event)) is not None]
        for kind in dict.fromkeys(entry["ev"] for entry in (*recorded, *ours)):
            wanted = [entry for entry in recorded if entry["ev"] == kind]
            got = [form for form in ours if form["ev"] == kind]
            yield check(
                f"{self.side}: events {kind}", len(wanted), len(got), ok=len(wanted) == len(got)
            )
            for number, (want, have) in enumerate(zip(wanted, got, strict=False)):
                shown = {key: want[key] for key in have if key in want}
                alike = {key: value for key, value in have.items() if key in want}
                yield check(f"{self.side}: event {kind} {number}", shown, alike, ok=shown == alike)


def settings_of(plain: dict[str, Any], side: str) -> DeviceSettings:
    """The recorded device's configuration."""
    device = plain["devices"][side]
    config = device.get("config", {})
    station = StationSettings(
        nmi=device["nmi"],
        ndi=device["ndi"],
        cluster_id=plain["cluster_id"],
        security_capabilities=int(config.get("security_capab", 0)),
        ndpe=bool(config.get("ndpe", 1)),
        nik=config.get("nik", ""),
        link_protection=bool(config.get("prot", 0)),
        **device.get("static_attributes", {}),
    )
    comeback_tu = int(config.get("comeback_tu", 100))
    settings = DeviceSettings(
        station=station, bootstrapping=BootstrappingSettings(comeback_tu=comeback_tu)
    )
    return as_recorded(settings)


def as_recorded(settings: DeviceSettings) -> DeviceSettings:
    """With every switch as the implementation that made the recordings has it."""
    return msgspec.structs.replace(settings, pairing=HOSTAP)


def can_be_replayed(plain: dict[str, Any]) -> bool:
    """Whether the file says what each device was told, drew and was made of."""
    both = (
        isinstance(plain.get(name), dict)
        and all(plain[name].get(side) is not None for side in _SIDES)
        for name in ("draws", "devices")
    )
    return bool(plain.get("timeline")) and all(both)


def replay_checks(plain: dict[str, Any]) -> Iterator[Check]:
    """All checks of both roles; what a file lacks for it is one failing check that says so."""
    for side in _SIDES:
        try:
            replay = Replay(plain, side)
        except _UNUSABLE as exc:
            yield _unusable(side, "an exchange that can be replayed", exc)
            continue
        yield from _guarded(replay)


def _guarded(replay: Replay) -> Iterator[Check]:
    try:
        yield from replay.checks()
    except _UNUSABLE as exc:
        yield _unusable(replay.side, "a timeline that can be followed", exc)


def _unusable(side: str, expected: str, exc: Exception) -> Check:
    got = f"the configuration or timeline cannot be used: {words_of(exc)}"
    return check(f"{side}: replay", expected, got, ok=False)
