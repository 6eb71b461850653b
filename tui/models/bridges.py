"""Dongles as a screen tells of them: health as a word first, then figures, then the remedy in one sentence.

Rules of the file: values in, words out; no session, no thread, no screen. A state has a sign and a word of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

import msgspec

from tui.text import count

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["BridgeView", "Happening", "Health", "figures", "health_of", "remedy_of", "worst"]

Use = Literal["", "open", "run"]
"""Nobody, this interface, the run that is shown."""

_MILLI: Final = 1000
_UNWANTED: Final = ("octets sent", "octets received", "packets without a client")
"""Counts that are no loss."""


class Happening(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the log of a link."""

    t_us: int
    """by the clock of the link."""
    kind: str
    """a state, or the kind of a note."""
    text: str


class BridgeView(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a dongle at one moment."""

    moniker: str
    is_found: bool = False
    """whether it is plugged in, as far as that can be seen without opening it."""
    product: str = ""
    node: str = ""
    ids: str = ""
    """VID:PID."""
    protocols: tuple[str, ...] = ("hci",)
    """what it may speak."""
    holders: tuple[str, ...] = ()
    """processes that have it open."""
    may_open: bool = True
    note: str = ""
    quirk: str = ""
    use: Use = ""
    role: str = ""
    """what the run has on it, in words."""
    busy: str = ""
    """what is being done to it: `testing`, `leaving`."""
    told: str = ""
    """what the test that runs said last."""
    is_out: bool = False
    """whether its cable is pulled in software."""
    state: str = ""
    """of the link, by `hw_bridge.states`; empty while there is none."""
    reason: str = ""
    error_kind: str = ""
    """`kind` of the error that keeps it from being used."""
    needs_firmware: bool = False
    retry_s: float | None = None
    """seconds to the next try."""
    tries: int = 0
    up_s: float = 0.0
    """seconds in use."""
    generation: int = 0
    round_trip_us: int | None = None
    credits: int = 0
    queue: int = 0
    """packets for the controller that wait."""
    queue_most: int = 64
    octets_sent: int = 0
    octets_received: int = 0
    resyncs: int = 0
    counters: tuple[tuple[str, int], ...] = ()
    """what was dropped or went wrong, by reason."""
    has_new_losses: bool = False
    """whether something was lost in the last seconds."""
    maker: str = ""
    version: str = ""
    address: str = ""
    verdict: str = ""
    """of the last test."""
    happenings: tuple[Happening, ...] = ()
    now_us: int = 0
    """by the clock of the link."""

    @property
    def losses(self) -> tuple[tuple[str, int], ...]:
        """What was lost, the most first."""
        found = [
            (reason, number)
            for reason, number in self.counters
            if reason not in _UNWANTED and not reason.endswith(" notes")
        ]
        return tuple(sorted(found, key=lambda one: (-one[1], one[0])))

    @property
    def drops(self) -> int:
        """How much was lost, all reasons together."""
        return sum(number for _, number in self.losses)


class Health(msgspec.Struct, frozen=True):
    """A word with its sign."""

    word: str
    sign: str
    """key of `tui.signs`."""
    style: str
    """of the line: empty, `good`, `warn`, `bad`, `dim`."""
    rank: int
    """of the trouble: 0 none."""


_HEALTH: Final[dict[str, Health]] = {
    one.word: one
    for one in (
        Health("ok", "rec", "good", 0),
        Health("found", "dot", "", 0),
        Health("not open", "dot", "", 0),
        Health("connecting", "run", "", 0),
        Health("testing", "run", "", 0),
        Health("leaving", "run", "", 0),
        Health("sniffer", "dot", "", 0),
        Health("degraded", "degraded", "warn", 3),
        Health("down", "failed", "bad", 4),
        Health("pulled out", "failed", "warn", 2),
        Health("no permission", "failed", "bad", 5),
        Health("in use", "failed", "bad", 5),
        Health("no driver", "failed", "bad", 5),
        Health("refused", "failed", "bad", 5),
        Health("needs firmware", "malformed", "warn", 4),
        Health("wrong firmware", "failed", "bad", 2),
        Health("mute", "failed", "bad", 5),
    )
}
_BLOCKED: Final = {
    "no-permission": "no permission", "busy": "in use", "no-backend": "no driver", "refused": "refused",
    "not-found": "down", "lost": "down", "mute": "mute", "firmware": "needs firmware",
}  # fmt: skip
_STATES: Final = {
    "absent": "down", "opening": "connecting", "probing": "connecting", "firmware": "needs firmware",
    "mute": "mute", "ready": "ok", "degraded": "degraded", "lost": "down", "backoff": "down", "closed": "down",
}  # fmt: skip
_SNIFFERS: Final = frozenset(("nrf-sniffer", "sniffle"))
_FULL: Final = 0.75
"""Part of the queue from which on it counts as trouble."""


def health_of(view: BridgeView) -> Health:
    """How it is."""
    return _HEALTH[_word_of(view)]


def _word_of(view: BridgeView) -> str:
    if view.busy in _HEALTH:
        return view.busy
    if view.is_out:
        return "pulled out"
    if view.state == "blocked":
        return _BLOCKED.get(view.error_kind, "refused")
    if view.state == "degraded" and view.needs_firmware:
        return "needs firmware"
    if view.state == "ready":
        is_full = view.queue >= _FULL * view.queue_most
        return "degraded" if view.has_new_losses or is_full else "ok"
    if view.tries and view.state == "opening":  # as it was, until this try succeeds
        return {**_BLOCKED, "refused": "down"}.get(view.error_kind, "connecting")
    if view.tries and view.state == "probing" and view.error_kind == "mute":
        return "mute"
    return _STATES[view.state] if view.state else _word_of_unopened(view)


def _word_of_unopened(view: BridgeView) -> str:
    if not view.may_open:
        return "no permission"
    if view.holders:
        return "in use"
    if not {"hci", "h5"} & set(view.protocols):
        return "sniffer" if _SNIFFERS & set(view.protocols) else "wrong firmware"
    return "found" if view.is_found else "not open"


_REMEDIES: Final = {
    "ok": "No problem found. T tests it: who it is, what it lacks, how fast it answers.",
    "found": "c connects it: it is reset and asked who it is. r gives it a role.",
    "not open": "c connects it: it is reset and asked who it is. r gives it a role.",
    "sniffer": "It listens only: `nearbench bridge record MONIKER FILE --sniffer NAME` writes what it hears.",
    "connecting": "It is opened, listened to, reset and asked who it is.",
    "testing": "It is listened to, reset, and asked what it can do.",
    "leaving": "It is reset and given back.",
    "pulled out": "u plugs it in again.",
    "no permission": "Run `nearbench bridge list --udev` for the rules that let you open it, or join the group of the port.",
    "in use": "Close the other program; ModemManager lets new ports go after some seconds.",
    "wrong firmware": "Flash an HCI firmware; docs/hardware.md says which and how.",
    "down": "Plug it in again, or start the other side.",
    "mute": "Check power, wiring and baud; T tries other bauds and says what was heard.",
    "degraded": "c resets it; l shows what happened.",
}
_LOSS_REMEDIES: Final = (
    ("advertising reports", "the host reads too slowly: raise the baud, or scan less"),
    ("octets skipped", "octets get lost on the line: check baud, RTS/CTS and the cable"),
    ("without a reply", "it leaves commands unanswered: T tests it"),
)


def remedy_of(view: BridgeView) -> str:
    """What is wrong and what to do about it, in one sentence; also where nothing is."""
    word = _word_of(view)
    if word == "degraded" and view.state == "ready":
        return _of_losses(view)
    if word == "testing" and view.told:
        return view.told.removeprefix(f"{view.moniker}: ")
    told = view.reason if view.state and word not in ("ok", "pulled out", "connecting") else ""
    told = told.removeprefix(f"{view.moniker}: ").replace("a Reset is due", "c resets it")
    if word == "in use" and view.holders:
        told = f"{', '.join(view.holders)} has it open"
    if not view.state and word in ("wrong firmware", "needs firmware") and view.note:
        return view.note
    remedy = _REMEDIES.get(word, "l shows what happened")
    if not told or told == "closed":
        return remedy
    return told if ";" in told or ": " in told else f"{told}; {remedy[:1].lower()}{remedy[1:]}"


def _of_losses(view: BridgeView) -> str:
    if not view.losses:
        return f"{count(view.queue)} packets wait for it: it takes them too slowly"
    reason, number = view.losses[0]
    advice = next(
        (text for part, text in _LOSS_REMEDIES if part in reason), "l shows what was lost"
    )
    return f"{count(number)} {reason}: {advice}"


def figures(view: BridgeView) -> tuple[str, str, str]:
    """What stands behind the word: round trip or next try, queue, losses."""
    if view.state in ("ready", "degraded"):
        drops = f"{count(view.drops)} lost"
        return round_trip(view), f"q {view.queue}/{view.queue_most}", drops
    if view.busy:
        return "", "", ""
    if view.retry_s is not None and view.retry_s > 0:
        return f"retry in {_seconds(view.retry_s)} ({_ordinal(view.tries)})", "", ""
    if view.state == "closed":
        return "ended", "", ""
    return view.product, "", ""


def round_trip(view: BridgeView) -> str:
    """The time of a command and its reply, in words."""
    if view.round_trip_us is None:
        return "rtt -"
    return f"rtt {view.round_trip_us / _MILLI:.1f} ms" if view.round_trip_us >= 0 else "no reply"


def _seconds(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds >= 1 else "1 s"


def _ordinal(number: int) -> str:
    teens = 10 < number % 100 < 20
    return f"{number}{'th' if teens else {1: 'st', 2: 'nd', 3: 'rd'}.get(number % 10, 'th')}"


def worst(views: Iterable[BridgeView]) -> BridgeView | None:
    """The one that needs somebody most, of those that are used; None when all is well."""
    used = [view for view in views if view.use and health_of(view).rank]
    return max(used, key=lambda view: health_of(view).rank, default=None)
