"""The ladder's rows: events for people as rungs, repetitions folded, the state of each party behind each.

Rules of the file: a rung is made once and never decoded again; the twenty rounds of a passkey and what happens often
are one rung that counts; the oldest rungs leave, counted. Pure; no screen, no clock.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from sim.redaction import HIDDEN, Secret
from sim.trace import told
from tui.models.states import sign_of, states_of
from tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sim.trace import TraceEvent

__all__ = ["Rung", "Rungs", "secrets_of", "words_of"]

_KEPT = 10_000
_MEMBERS = 500
_TAIL = 60
_ROUNDS = 20
_LAYERS = frozenset(("ble", "aware", "phone", "accessory", "control", "world"))
_WORLD = ("start", "end")
_BOUNDS = ("pairing_request", "pairing_failed", "not_paired")


class Rung:
    """One row: an event, or several that were folded; `members` are those, the latest last."""

    __slots__ = ("count", "event", "is_message", "members", "open", "sign", "states", "title")

    def __init__(self, event: TraceEvent, states: dict[str, str]) -> None:
        self.event = event
        self.sign = sign_of(event)
        self.states = states
        """party -> state that changed here."""
        self.is_message = bool(event.direction and event.peer)
        self.count = 1
        self.members: Sequence[TraceEvent] = ()
        self.open = False
        """whether the members are shown."""
        self.title = ""
        """of folded rounds; else the event says it."""

    @property
    def bit(self) -> int:
        """Round of the passkey, 1 to 20; 0 for what is none."""
        bit: Any = self.event.fields.get("bit")
        return bit if isinstance(bit, int) and not self.title else 0

    def fold(self, event: TraceEvent) -> None:
        """Take one more event in."""
        if not isinstance(
            self.members, deque
        ):  # most rungs stand for one event: they need no room for more
            self.members = deque((self.event,), maxlen=_MEMBERS)
        self.members.append(event)
        self.count += 1


class Rungs:
    """All rungs of a run."""

    def __init__(self, parties: Iterable[str]) -> None:
        self.parties = list(parties)
        self.rows: list[Rung] = []
        self.dropped = 0
        """rungs that have left."""
        self.states: dict[str, str] = {}
        """party -> its latest state."""
        self.talks: dict[tuple[str, str], int] = {}
        """parties that exchanged messages, in the order of `parties` -> seq of the last one."""
        self.version = 0
        """changes whenever rows do."""
        self._often: dict[tuple[str, ...], Rung] = {}

    def feed(self, events: Iterable[TraceEvent]) -> None:
        """Take in events of the trace."""
        for event in events:
            if event.layer in _LAYERS:
                self._feed(event)
        if len(self.rows) > _KEPT * 11 // 10:
            gone = len(self.rows) - _KEPT
            del self.rows[:gone]
            self.dropped += gone
            self._often = {
                key: rung for key, rung in self._often.items() if rung in self.rows[:_KEPT]
            }

    def _feed(self, event: TraceEvent) -> None:
        states = {
            party: state
            for party, state in states_of(event).items()
            if self.states.get(party) != state
        }
        self.states.update(states)
        fields = event.fields
        if fields.get("quiet") or event.event == "clock":
            if states and self.rows:
                self.rows[-1].states = self.rows[-1].states | states
                self.version += 1
            return
        if not event.node and event.event not in _WORLD and event.layer != "control":
            return
        self.version += 1
        if event.direction and event.peer in self.parties:
            self._note_talk(event)
        if fields.get("often") and not fields.get("bit"):
            key = (event.node, event.peer, event.event, str(fields.get("label", "")))
            known = self._often.get(key)
            if known is not None:
                known.fold(event)
                return
            self._often[key] = rung = Rung(event, states)
            self.rows.append(rung)
            return
        rung = Rung(event, states)
        if rung.bit > 1 or event.event == "dhkey_check":
            self._fold_rounds(rung.bit or _ROUNDS + 1)
        self.rows.append(rung)

    def _note_talk(self, event: TraceEvent) -> None:
        if event.node not in self.parties or event.layer not in ("ble", "aware"):
            return
        first, second = sorted((event.node, event.peer), key=self.parties.index)
        self.talks.pop((first, second), None)
        self.talks[(first, second)] = event.seq

    def _fold_rounds(self, current: int) -> None:
        """Put the rounds before `current` into one rung."""
        tail = self._of_this_pairing()
        done = [rung for rung in tail if 0 < rung.bit < current]
        if not done:
            return
        head = next((rung for rung in tail if rung.title), None)
        if head is None:
            head = done.pop(0)
            head.members = deque((head.event,), maxlen=_MEMBERS)
        for rung in done:
            head.fold(rung.event)
            head.states = rung.states
        last = head.members[-1].fields["bit"]
        head.title = f"rounds 1-{last} of {_ROUNDS}: confirm and random match"
        gone = set(map(id, done))
        if tail:
            self.rows[-len(tail) :] = [rung for rung in tail if id(rung) not in gone]

    def _of_this_pairing(self) -> list[Rung]:
        """The last rungs, as far back as the pairing goes that is on."""
        tail = self.rows[-_TAIL:]
        for at in range(len(tail) - 1, -1, -1):
            if tail[at].event.event in _BOUNDS:
                return tail[at + 1 :]
        return tail

    # Views

    def between(self, parties: tuple[str, ...]) -> list[Rung]:
        """Rungs that concern these parties: what they say to each other, and what happens at one of them."""
        wanted = {"", *parties}
        others = set(self.parties) - wanted
        return [
            rung
            for rung in self.rows
            if rung.event.node in wanted and (not others or rung.event.peer not in others)
        ]

    def busiest(self, lanes: int) -> tuple[str, ...]:
        """The parties that spoke to each other last, and others up to `lanes`, in their order."""
        chosen: list[str] = []
        for pair in sorted(self.talks, key=self.talks.__getitem__, reverse=True):
            new = [party for party in pair if party not in chosen]
            if len(chosen) + len(new) <= lanes:
                chosen += new
        chosen += [party for party in self.parties if party not in chosen][
            : max(0, 2 - len(chosen))
        ]
        return tuple(sorted(chosen[:lanes], key=self.parties.index))


def secrets_of(event: TraceEvent) -> list[str]:
    """What the event hides, in the order of its fields."""
    return [value.value for value in event.fields.values() if isinstance(value, Secret)]


def words_of(event: TraceEvent, *, reveal: bool = False) -> str:
    """Label and note of an event, clean; PINs and keys as dots unless `reveal`."""
    text = told(event)
    if bit := event.fields.get("bit"):
        label = str(event.fields.get("label") or event.event.replace("_", " "))
        label = f"{label.partition(',')[0]}, round {bit} of {_ROUNDS}"
        text = f"{label}: {event.note}" if event.note else label
    if reveal:
        for secret in secrets_of(event):
            text = text.replace(HIDDEN, secret, 1)
    return clean(text)
