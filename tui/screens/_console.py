"""A console: the lines of one device, and the prompt at which its commands are typed.

What is typed is given through the control and traced as a command, so that a repeat of the run repeats it. `help` and
mistakes stay on the screen: nothing happened in the world.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any

from protocols.errors import NearbenchError, UsageError
from sim.accessories import Accessory
from sim.console import given, parse
from sim.redaction import HIDDEN, masked_line
from tui.models.accessory_console import History, completed, help_of
from tui.models.accessory_log import LEVELS, DeviceLog, Line, Notes
from tui.models.accessory_state import button_of
from tui.screens._base import BenchScreen
from tui.text import clean
from tui.widgets.console_rows import ConsoleRows
from tui.widgets.prompt import Prompt, PromptInput

if TYPE_CHECKING:
    from concurrent.futures import Future

    from textual.widgets import Input

    from sim.control import Asking, Control
    from sim.device import Device

__all__ = ["CAPTURE", "ConsoleScreen"]

_DIGITS = 6
CAPTURE = "no device in a capture: Packets has what was sent"


class ConsoleScreen(BenchScreen):
    """A screen with `ConsoleRows` and a `Prompt`."""

    def __init__(self) -> None:
        super().__init__()
        self.chosen = ""
        self.level = "info"
        self.history = History()
        self.notes = Notes()
        self.log_: DeviceLog | None = None
        self.search = ""
        self._done: deque[tuple[str, Future[Any]]] = deque()

    # Parts

    @property
    def rows(self) -> ConsoleRows:
        """The console."""
        return self.query_one(ConsoleRows)

    @property
    def prompt(self) -> Prompt:
        """The prompt."""
        return self.query_one(Prompt)

    def devices(self) -> list[str]:
        """Names of the devices, accessories first."""
        control = self.session.control
        if control is None:
            return []
        devices = control.world.devices
        return sorted(devices, key=lambda name: not isinstance(devices[name], Accessory))

    def device(self) -> Device | None:
        """The chosen device; None where there is none."""
        control = self.session.control
        return None if control is None else control.world.devices.get(self.chosen)

    def selected_owner(self) -> str:
        """The chosen device: it is what `pair` pairs."""
        return self.chosen

    def renew(self) -> None:
        """Another run: the same device, when there is one of that name; history stays."""
        self.notes = Notes()
        self._done.clear()
        self.log_ = None
        if self.is_mounted and self.query(ConsoleRows):
            self.rows.show(None)

    # Turns

    def read_log(self, device: Device) -> None:
        """New lines, and what commands gave back."""
        self._take_results()
        if self.log_ is None or self.log_.width != self._width:
            self._open_log(device)
        if self.log_ is not None and self.log_.read():
            self.rows.sync()

    def choose_first(self) -> None:
        names = self.devices()
        if self.chosen not in names:
            self.chosen = names[0] if names else ""
            self.log_ = None

    @property
    def _width(self) -> int:
        return max(20, self.rows.inner_width - 2)

    def _open_log(self, device: Device) -> None:
        self.log_ = DeviceLog(
            self.session.source,
            self.notes,
            self.chosen,
            level=self.level,
            signs=self.signs,
            button=button_of(device),
            width=self._width,
        )
        self.log_.read()
        self.rows.empty = "nothing yet: enter types a command, ? has the keys"
        self.rows.show(self.log_)

    def show_titles(self, control: Control) -> None:
        names = self.devices()
        more = f"{names.index(self.chosen) + 1} of {len(names)}  " if len(names) > 1 else ""
        gone = self.log_.gone if self.log_ is not None else 0
        lost = f"{gone} older lines gone  " if gone else ""
        follow = "" if self.rows.follow else "follow off  "
        title = f"Console {self.signs['dot']} {clean(self.chosen)}"
        self.rows.say(title, f"{follow}{lost}{more}log: {self.level}")
        asking = self._asked(control)
        asked = "" if asking is None else self._question(control, asking)
        self.prompt.say(asked, f"history {len(self.history.lines)}")

    def _question(self, control: Control, asking: Asking) -> str:
        """What is asked, and how much time is left for it."""
        peer = asking.question.peer
        timer = self.session.values.timers.get(frozenset((asking.node, peer)))
        left = ""
        if timer is not None and timer.stopped_us is None:
            left = f", {timer.left_us(control.now_us) / 1e6:.1f} s left"
        sign = self.signs["enters"]
        return f"{sign} PIN of {clean(peer)}: type its six digits{left}"

    # Questions

    def _asked(self, control: Control) -> Asking | None:
        """The PIN that the chosen accessory asks somebody at the screen for."""
        return next((one for one in control.questions() if self._is_for_console(one)), None)

    def _is_for_console(self, asking: Asking) -> bool:
        is_pin = asking.question.kind == "pin" and asking.node == self.chosen
        return is_pin and isinstance(self.device(), Accessory)

    def takes(self, asking: Asking) -> bool:
        """A PIN that is typed at the chosen accessory is typed at the prompt."""
        if not self._is_for_console(asking):
            return False
        self.prompt.input.focus()
        return True

    # Typing

    def say(self, text: str, style: str = "") -> None:
        """A line that is in no trace."""
        if not self.is_mounted:
            return
        line = Line(self.session.now_us, clean(text), style)
        self.notes.add(self.chosen, self.session.source.end, line)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """A line was typed."""
        event.stop()
        line = event.value.strip()
        self.prompt.input.put("")
        if not line:
            return
        self.rows.follow = True
        self.history.add(line)
        try:
            self._run_line(line)
        except NearbenchError as exc:
            self.say(f"> {masked_line(line, lambda _: HIDDEN)}", "key")
            self._fail(str(exc))
        self.tick()

    def _fail(self, text: str) -> None:
        self.say(f"{self.signs['failed']} {text}", "bad")

    def _run_line(self, line: str) -> None:
        device = self.device()
        if device is None:
            raise UsageError(CAPTURE if self.session.control is None else "there is no device")
        words = line.split()
        if words[0] == "help" and len(words) <= 2:
            self._help(device, *words[1:])
            return
        if words == ["log"] and isinstance(device, Accessory):
            self._give("console", line="log")
            return
        if line.isdecimal() and line.isascii():
            self._type_pin(line)
            return
        found = parse(device.name, line, lambda _: HIDDEN)
        if found is not None:
            name, arguments = found
            plain = given(device, name, arguments)
            if name == "enter_pin":
                self.bench.people.typed[device.name] = str(plain["pin"])
            self._give(name, **plain)

    def _type_pin(self, digits: str) -> None:
        """Digits alone answer the question that is open."""
        device: Any = self.device()
        question = getattr(getattr(device, "person", None), "question", None)
        if question is None or question.kind != "pin":
            raise UsageError(
                f"{self.chosen} asks for no PIN now; enter_pin pin= waits until it does"
            )
        if len(digits) != _DIGITS:
            raise UsageError(f"a PIN has six digits, and these are {len(digits)}")
        self.bench.people.send(self.chosen, digits)

    def _help(self, device: Device, command: str = "") -> None:
        found = help_of(device, command)
        self.say(f"> help {command}".rstrip(), "key")
        if not found:
            self._fail(f"{device.name} has no command {command!r}; help lists them")
        for typed, about in found:
            self.say(f"  {typed}: {about}")

    def _give(self, command: str, **arguments: Any) -> None:
        """Give the chosen device a command. What becomes of it is seen in the trace, or told by the next tick."""
        control = self.session.control
        if control is None:
            raise UsageError(CAPTURE)
        self._done.append((self.chosen, control.do(self.chosen, command, **arguments)))

    def attempt(self, command: str) -> None:
        """Give a command by a key; what goes wrong at once becomes a sentence."""
        try:
            self._give(command)
        except NearbenchError as exc:
            self._fail(str(exc))
            self.bench.say(str(exc), "bad")
        self.rows.follow = True

    def _take_results(self) -> None:
        """What commands gave back; what went wrong with them is in the trace, unless the run is over."""
        for _ in range(len(self._done)):
            node, done = self._done.popleft()
            if not done.done():
                self._done.append((node, done))
            elif done.exception() is None and done.result() is not None and node == self.chosen:
                self.say(f"  {done.result()}")

    def on_prompt_input_wanted(self, event: PromptInput.Wanted) -> None:
        """Completion, history, and the way out of the prompt."""
        line = self.prompt.input
        if event.what == "leave":
            self.rows.focus()
        elif event.what == "back":
            line.put(self.history.back(line.value))
        elif event.what == "forth":
            line.put(self.history.forth(line.value))
        elif (device := self.device()) is not None:
            text, choices = completed(device, self.devices(), line.value)
            line.put(text)
            if choices:
                self.say("  ".join(choices), "dim")
                self.rows.follow = True
                self.tick()

    # Keys

    def action_device(self) -> None:
        """The next device."""
        names = self.devices()
        if not names:
            self.bench.say(CAPTURE)
            return
        self.chosen = names[(names.index(self.chosen) + 1) % len(names)]
        self.log_ = None
        self.tick()

    def action_level(self) -> None:
        """More or less in the log."""
        self.level = LEVELS[(LEVELS.index(self.level) + 1) % len(LEVELS)]
        self.log_ = None
        self.bench.say(f"log: {self.level}")
        self.tick()

    def action_follow(self) -> None:
        """Follow the newest line of the console."""
        self.rows.follow = not self.rows.follow
        self.rows.sync()

    def action_filter(self) -> None:
        """Search for words in the console."""
        from tui.modals.filter import FilterInput

        def begin(text: str | None) -> None:
            if text is not None:
                self.search = text
                self.action_find(-1)

        about = "Words of a line, in any case; n and N go to the next and the previous one."
        self.bench.push_screen(
            FilterInput(self.search, lambda text: f"search for {text!r}", about, "Search"), begin
        )

    def action_find(self, step: int) -> None:
        """The next line with the words."""
        lines, wanted = self.rows.lines, self.search.casefold()
        for distance in range(1, len(lines) + 1 if wanted else 1):
            at = (self.rows.cursor + step * distance) % len(lines)
            if wanted in lines[at].text.casefold():
                self.rows.follow = False
                self.rows.go(at)
                return
        self.bench.say(
            f"no line says {self.search!r}" if wanted else "nothing is searched for: / searches"
        )
