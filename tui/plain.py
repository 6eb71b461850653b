"""Line by line in place of a screen, as screen readers want it: what happens as sentences, questions as prompts.

The same session, control and models as the screens. `Plain` is told lines that were typed and gives lines to print;
only `run` reads and writes. An end of the input leaves the people to answer by themselves. Wall time paces the run alone.
"""

from __future__ import annotations

import queue
import re
import sys
import threading
from typing import TYPE_CHECKING, Any, TextIO

from protocols.errors import NearbenchError
from sim.redaction import HIDDEN
from tui.diagnosis import reason_of
from tui.models.rungs import words_of
from tui.people import People, paired_words
from tui.signs import ASCII
from tui.text import clean

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

    from sim.control import Asking, Control, State
    from sim.trace import TraceEvent
    from tui.models.outcomes import Outcome
    from tui.session import Session

__all__ = ["Plain", "run"]

_LAYERS = frozenset(("ble", "aware", "phone", "accessory"))
_DIGITS = 6
_TURN_S = 0.05
_DISPLAY_US = 1_000_000
"""Simulated time in which a display shows the PIN that is asked for; some have none, and ask all the same."""
_YES = {"y": True, "yes": True, "n": False, "no": False}


class Plain:
    """One run, told and asked in lines; the stage of `tui.people` where nothing is opened or closed."""

    signs = ASCII

    def __init__(self, session: Session, say: Callable[[str], None]) -> None:
        if session.control is None:
            raise ValueError("a capture has nothing to ask")
        self.session = session
        self._control: Control = session.control
        self._say = say
        self._asked: Asking | None = None
        self._answered: set[tuple[str, int]] = set()
        self._people = People(self)
        self._pins: dict[str, str] = {}
        self._told: dict[frozenset[str], int] = {}
        self._late: list[Outcome] = []
        self._closed = False  # whether the verdict was told
        self._offered = False  # whether another try was
        self._left = False
        self._seen = 0  # position of the first event that was not told
        self._trouble = ""  # with a file of the run, as it was told

    # What `tui.people` wants of a stage

    def say(self, text: str, style: str = "", *, seconds: float = 0.0) -> None:
        """Print a sentence."""
        self._say(clean(text))

    def watch_command(self, done: Future[Any], what: str) -> None:
        """Tell what becomes of a command: the trace does."""

    def open_question(self, asking: Asking) -> None:
        """Questions are asked by `turn`."""

    def open_display(self, node: str) -> None:
        """Displays are told by `turn`."""

    def open_outcome(self, outcome: Outcome) -> None:
        """Ends are told by `turn`."""

    def close_questions(self, nodes: set[str]) -> None:
        """Nothing is open."""

    # Lines

    def begin(self) -> None:
        """What runs, and what may be typed."""
        title = "" if self.session.scenario is None else self.session.scenario.title
        self._say(f"{clean(self.session.title)}: {clean(title)}. Seed {self.session.seed}.")
        self._say(
            "Questions end with a colon; answer with a line. r pairs once more, q ends the run."
        )

    def turn(self) -> bool:
        """Tell what has come, ask what is asked; whether the run goes on."""
        control = self._control
        state = control.state
        outcomes = self._pull()
        self._note_trouble()
        for outcome in outcomes:
            self._end(outcome)
        self._look_at_displays()
        if state == "running" and outcomes and self._closed:
            control.pause()  # after the end of the scenario nothing else holds the clock
        if state in ("ended", "stopped", "died"):
            return self._over(state)
        self._late = [one for one in self._late if not self._explain(one)]
        self._ask()
        return True

    def _pull(self) -> list[Outcome]:
        session = self.session
        outcomes = session.pull()
        for event in session.source.span(self._seen, session.source.end):
            if _is_told(event):
                self._say(_sentence(event))
        self._seen = session.source.end
        return outcomes

    def _note_trouble(self) -> None:
        """A file that cannot be written any more, once; the run goes on."""
        trouble = self.session.trouble
        if trouble != self._trouble:
            self._say(f"{clean(trouble)}; the run goes on.")
        self._trouble = trouble

    def _look_at_displays(self) -> None:
        for node in self._control.world.devices:
            face = self._control.face(node)
            pin = "" if face is None else face.pin
            if pin and self._pins.get(node) != pin:
                self._say(f"{node} displays the PIN {pin[:3]} {pin[3:]}.".replace("  ", " "))
            self._pins[node] = pin

    # Endings

    def _end(self, outcome: Outcome) -> None:
        pair = frozenset((outcome.node, outcome.peer))
        if outcome.begun <= self._told.get(pair, -1):
            return  # the other side of a pairing whose end was told
        if outcome.good:
            self._paired(pair, outcome)
            return
        self._told[pair] = outcome.seq
        self._say(f"Pairing failed, {outcome.kind}: {outcome.words}.")
        self._late.append(outcome)

    def _paired(self, pair: frozenset[str], outcome: Outcome) -> None:
        """Once for both sides; a side that is alone with it so far may still be given up by the other."""
        if self.session.given_up(outcome) is not None:
            return  # that is told
        if not self.session.outcomes.is_open(outcome):
            self._told[pair] = outcome.seq
        self._say(f"{paired_words(self._control, self.session, outcome)}: {outcome.words}.")

    def _explain(self, outcome: Outcome, *, last: bool = False) -> bool:
        """Name the rule, once the other side has had time to hear of the end; whether that is done."""
        if not last and self._control.now_us - outcome.t_us < 500_000:
            return False
        told = self.session.outcomes.told_of(outcome)
        reason = reason_of(list(self._control.world.trace), told)
        rule = told.rule or ("" if reason is None else reason.rule)
        remedy = told.remedy or ("" if reason is None else reason.remedy)
        if rule:
            self._say(f"Rule {rule}{'' if reason is None else f': {reason.title}'}.")
        if remedy:
            self._say(f"What to do: {remedy.rstrip('.')}.")
        return True

    def _over(self, state: State) -> bool:
        """Tell the verdict once; whether a failed pairing may still be tried again."""
        for outcome in self._late:
            self._explain(outcome, last=True)
        self._late.clear()
        if not self._closed:
            self._closed = True
            self._verdict()
        if self._left or state != "ended" or not self._may_retry():
            return False
        if not self._offered:
            self._offered = True
            self._say("r pairs once more, an empty line ends the run:")
        return True

    def _may_retry(self) -> bool:
        ends = self.session.outcomes.all
        return (
            bool(ends)
            and not ends[-1].good
            and any(self._control.is_played(node) for node in (ends[-1].node, ends[-1].peer))
            and self._people.may_retry(ends[-1])
        )

    def _verdict(self) -> None:
        result = self._control.result
        if self._control.error:
            self._say(f"The run ended: {clean(self._control.error)}")
        elif result is not None:
            for one in result.expectations:
                if not one.held:
                    self._say(f"Not held: {one.expected}; {one.seen} seen. {one.why}".rstrip())
            self._say("Passed." if result.passed else "Failed.")

    # Questions

    def _ask(self) -> None:
        questions = self._control.questions()
        if self._asked is not None and self._asked not in questions:
            self._say(f"{self._asked.node} is not asked any more.")
            self._asked = None
        open_ones = [
            one
            for one in questions
            if (one.node, one.asked_us) not in self._answered and not self._is_early(one)
        ]
        if self._asked is None and open_ones:
            self._asked = min(open_ones, key=lambda one: one.asked_us)
            self._say(_prompt(self._asked))

    def _is_early(self, asking: Asking) -> bool:
        """Whether a PIN is asked for that the other side will display in a moment: whoever answers now, guesses."""
        peer, control = asking.question.peer, self._control
        return (
            asking.question.kind == "pin"
            and peer in control.world.devices
            and not self._pins.get(peer)
            and control.state == "running"
            and control.now_us - asking.asked_us < _DISPLAY_US
        )

    def typed(self, line: str | None) -> bool:
        """A line of the person, or None for the end of the input; False when it ends the run."""
        if line is None:
            for node in self._control.world.devices:
                if self._control.is_played(node):
                    self._control.let(node, auto=True)
            self._asked, self._left = None, True
            return True
        text = clean(line.strip())
        if text.lower() in ("q", "quit"):
            return False
        if self._asked is None:
            if text.lower() == "r":
                self._retry()
            elif self._offered:
                self._left = True
            elif text:
                self._say("Nobody is asked for anything now.")
            return True
        self._answer(self._asked, text.lower())
        return True

    def _retry(self) -> None:
        self._offered = False
        for outcome in self._late:
            self._explain(outcome, last=True)
        self._late.clear()
        try:
            self._control.resume()
            self._control.sync()
            self._people.retry()
        except NearbenchError as exc:
            self._say(str(exc))

    def _answer(self, asking: Asking, text: str) -> None:
        value: str | bool | None
        if asking.question.kind == "pin":
            digits = re.sub(r"[^0-9]", "", text)
            if text in ("", "c", "cancel"):
                value = None
            elif len(digits) == _DIGITS and not re.search(r"[^0-9 \-]", text):
                value = digits
            else:
                self._say(f"A PIN has {_DIGITS} digits; an empty line refuses. {_prompt(asking)}")
                return
        elif text in _YES:
            value = _YES[text]
        else:
            self._say(f"Answer y or n. {_prompt(asking)}")
            return
        self._asked = None
        self._answered.add((asking.node, asking.asked_us))
        try:
            self._control.answer(asking.node, value)
        except NearbenchError as exc:
            self._say(str(exc))


def _prompt(asking: Asking) -> str:
    node, question = asking.node, asking.question
    if question.kind == "pin":
        return f"{node} asks for the PIN of {question.peer}, six digits; an empty line refuses:"
    if question.kind == "consent":
        return f"{node} asks whether to pair with {question.peer}, y or n:"
    number = f"{question.number[:3]} {question.number[3:]}"
    return f"{node} shows {number}; does {question.peer} show the same, y or n:"


def _is_told(event: TraceEvent) -> bool:
    fields = event.fields
    return event.layer in _LAYERS and not (
        fields.get("often") or fields.get("quiet") or fields.get("bit")
    )


def _sentence(event: TraceEvent) -> str:
    """An event as a sentence without signs: when, who, to whom, what."""
    peer = f" to {event.peer}" if event.direction == "tx" and event.peer else ""
    peer = f" from {event.peer}" if event.direction == "rx" and event.peer else peer
    return f"{event.t_us / 1e6:.3f} seconds, {clean(event.node)}{clean(peer)}: {words_of(event).replace(HIDDEN, 'hidden')}."


def run(session: Session, stream: TextIO | None = None) -> int:
    """Run a session to its end, line by line: 0, or 1 when it did not hold what it was to."""
    control = session.control
    if control is None:
        raise ValueError("a capture has nothing to ask")
    lines: queue.Queue[str | None] = queue.Queue()
    reader = threading.Thread(
        target=_read, args=(stream or sys.stdin, lines), name="lines", daemon=True
    )
    plain = Plain(session, lambda text: print(text, flush=True))  # noqa: T201  # it is what it is for
    plain.begin()
    control.start()
    reader.start()
    try:
        while plain.turn():
            try:
                line = lines.get(timeout=_TURN_S)
            except queue.Empty:
                continue
            if not plain.typed(line):
                break
    except KeyboardInterrupt:
        pass
    finally:
        written = session.close()
    for file, packets in written.items():
        print(f"Wrote {file}: {packets} packets.")  # noqa: T201  # likewise
    if session.trouble:
        print(f"{clean(session.trouble)}.")  # noqa: T201  # likewise
    failed = control.state == "died" or control.result is None or not control.result.passed
    return int(failed or bool(session.trouble))


def _read(stream: TextIO, lines: queue.Queue[str | None]) -> None:
    """On the thread: every line, then None."""
    try:
        for line in stream:
            lines.put(line)
    except (OSError, ValueError):  # closed, or not of the terminal's encoding
        pass
    lines.put(None)
