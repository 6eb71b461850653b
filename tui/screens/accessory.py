"""Accessory: the console of one device, its state and its settings; button, power, reboot, factory reset."""

from __future__ import annotations

import functools
import textwrap
from typing import TYPE_CHECKING, Any, ClassVar

from textual.containers import Container

from sim.accessories import Accessory
from tui.bindings import bindings
from tui.keys import keys_of
from tui.models.accessory_state import Fact, button_of, facts_of, settings_of
from tui.screens._console import CAPTURE, ConsoleScreen
from tui.text import cut, fit
from tui.widgets.console_rows import ConsoleRows
from tui.widgets.lines import LinesPane
from tui.widgets.prompt import Prompt
from tui.widgets.setting_rows import SettingRows

if TYPE_CHECKING:
    from textual.app import ComposeResult

    from sim.control import Control
    from sim.device import Device
    from tui.keys import Key
    from tui.models.lanes import Piece

__all__ = ["AccessoryScreen"]

_NAME = 9
_COMMANDS = {
    "accessory.power": ("switch_off",),
    "accessory.reboot": ("reboot", "restart"),
    "accessory.erase": ("factory_reset",),
}
"""Key -> commands of which the device must have one."""


class AccessoryScreen(ConsoleScreen):
    """Console, state and settings above, the prompt below."""

    NAME = "accessory"
    BINDINGS: ClassVar[list[Any]] = bindings("accessory")
    AUTO_FOCUS: ClassVar[str | None] = "#console"
    WITHOUT: ClassVar[frozenset[str]] = frozenset(("mark", "mark.next", "time.style"))
    DEFAULT_CSS = """
    AccessoryScreen #above { height: 1fr; layout: horizontal; }
    AccessoryScreen #console { width: 1fr; height: 100%; }
    AccessoryScreen #side { width: 26; height: 100%; layout: vertical; }
    AccessoryScreen.-wide #side { width: 42; }
    AccessoryScreen #state { height: 1fr; }
    AccessoryScreen #settings { height: 1fr; display: none; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.shows_settings = False
        """in a terminal that has no room for both."""
        self._seen: tuple[Any, ...] = ()

    def panes(self) -> ComposeResult:
        """Console, state, settings, prompt."""
        with Container(id="above"):
            yield ConsoleRows()
            with Container(id="side"):
                yield LinesPane(id="state")
                yield SettingRows()
        yield Prompt()

    @property
    def settings(self) -> SettingRows:
        """The settings."""
        return self.query_one(SettingRows)

    def renew(self) -> None:
        """Another run."""
        super().renew()
        self._seen = ()

    def lay_out(self) -> None:
        """State beside the console where there is room, settings below it or in its place."""
        side, state, settings = self.query_one("#side"), self.query_one("#state"), self.settings
        full, narrow, swapped = self.maximised, self.has_class("-small"), self.shows_settings
        both = self.has_class("-tall") and full is None
        alone = narrow and swapped and full is None
        self.rows.display = full is self.rows or (full is None and not alone)
        side.display = full in (state, settings) or (full is None and (alone or not narrow))
        side.styles.width = "1fr" if full is not None or alone else (None, 42, 60)[self._split()]
        state.display = full is state or both or (full is None and not swapped)
        settings.display = full is settings or both or (full is None and swapped)
        self.prompt.display = True

    def _split(self) -> int:
        return self.split if self.bench.size.width >= 100 or self.split < 2 else 1

    # Turns

    def tick(self) -> None:
        """New lines, new state."""
        if not self.is_mounted or not self.query(ConsoleRows):
            return
        self.choose_first()
        control, device = self.session.control, self.device()
        if control is None or device is None:
            self._show_nothing()
            return
        self.read_log(device)
        self.show_titles(control)
        self._state(control)
        self._show_settings(device)

    def _show_settings(self, device: Device) -> None:
        seen = (device.settings, set(getattr(device, "changed", ())))
        if seen != self._seen:
            self._seen = seen
            self.settings.show(settings_of(device))
        note = "enter changes" if isinstance(device, Accessory) else "fixed"
        self.settings.say("Settings", note if self.has_class("-wide") else "")

    def _show_nothing(self) -> None:
        is_capture = self.session.control is None
        self.rows.empty = CAPTURE if is_capture else "no device"
        self.rows.say("Console")
        self.query_one("#state", LinesPane).fill("State", ["no device"])
        self._seen = ()
        self.settings.show([])
        self.prompt.say("")

    def _state(self, control: Control) -> None:
        if self.log_ is None:
            return
        pane = self.query_one("#state", LinesPane)
        lines: list[list[Piece] | str] = []
        wide = self.has_class("-wide")
        for fact in facts_of(self.session, control, self.chosen, self.log_, wide=wide):
            lines += _fact_lines(fact, pane.inner_width)
        if self.log_.presses and self.has_class("-tall"):
            times = "  ".join(f"{t_us / 1e6:.3f}" for t_us in self.log_.presses)
            lines += _fact_lines(Fact("pressed", times), pane.inner_width)
        pane.fill("State", lines, "more" if len(lines) > pane.inner_height else "")

    def status(self) -> tuple[str, str]:
        """A line that does not fit, or what a setting means."""
        if self.bench.message[0]:
            return "", ""  # it is new, and is taken away after a while
        if self.settings.has_focus and (setting := self.settings.selected()) is not None:
            return f"{setting.name}: {setting.about}", ""
        line = self.rows.selected()
        if self.rows.has_focus and not self.rows.follow and line is not None:
            return line.text.strip(), ""
        return "", ""

    # Keys

    def works(self, key: Key) -> bool:
        """Keys for what the device has."""
        device = self.device()
        if not key.id.startswith("accessory."):
            return super().works(key)
        if device is None:
            return False
        if key.id == "accessory.button":
            return bool(button_of(device))
        commands = type(device).commands()
        wanted = _COMMANDS.get(key.id)
        return wanted is None or any(one in commands for one in wanted)

    def keys_here(self) -> list[Key]:
        """Of the prompt while it is typed at, else as everywhere."""
        if self.prompt.input.has_focus:
            return keys_of("accessory:prompt")
        return super().keys_here()

    def action_choose(self) -> None:
        """To the prompt; on a setting, with the command that changes it."""
        setting = self.settings.selected() if self.settings.has_focus else None
        if setting is not None:
            if not isinstance(self.device(), Accessory):
                self.bench.say("the settings of a phone are those of the scenario")
                return
            self.prompt.input.put(f"change setting={setting.name} value={setting.typed}")
        self.prompt.input.focus()

    def action_settings(self) -> None:
        """To the settings, and back."""
        if self.maximised is not None:
            self.action_pane_maximise()
        back = self.settings.has_focus
        self.shows_settings = not back
        self.lay_out()
        (self.rows if back else self.settings).focus()

    def action_move(self, delta: int) -> None:
        """One line; of the state, when that has the focus."""
        if isinstance(self.focused, LinesPane):
            self.focused.scroll(delta)
        else:
            super().action_move(delta)

    def action_copy(self) -> None:
        """The line, or the setting."""
        setting = self.settings.selected()
        line = self.rows.selected()
        if self.settings.has_focus and setting is not None:
            self.bench.copy_text(f"{setting.name} = {setting.text}")
        elif line is not None:
            self.bench.copy_text(line.text.strip())

    def action_button(self) -> None:
        """Press the button."""
        device = self.device()
        button = "" if device is None else button_of(device)
        if button:
            self.attempt(button)
        else:
            self.bench.say(f"{self.chosen or 'a capture'} has no button")

    def action_power(self) -> None:
        """Off or on, after asking."""
        device = self.device()
        if not isinstance(device, Accessory):
            self._say_none("no power switch")
        elif device.is_off:
            self._ask(f"Switch {device.name} on?", "switch_on")
        else:
            self._ask(
                f"Switch {device.name} off? Its connections drop, nobody is told.", "switch_off"
            )

    def action_reboot(self) -> None:
        """Restart, after asking."""
        self._ask_for("accessory.reboot", "Restart {}? Its connections drop, nobody is told.")

    def action_erase(self) -> None:
        """Factory reset, after asking."""
        self._ask_for("accessory.erase", "Erase {}? Bonds, stored values and changed settings go.")

    def _ask_for(self, key: str, question: str) -> None:
        device = self.device()
        commands = {} if device is None else type(device).commands()
        found = next((one for one in _COMMANDS[key] if one in commands), "")
        if found:
            self._ask(question.format(self.chosen), found)
        else:
            self._say_none("no command for that")

    def _say_none(self, what: str) -> None:
        self.bench.say(f"{self.chosen} has {what}" if self.chosen else CAPTURE)

    def _ask(self, question: str, command: str) -> None:
        self.bench.ask(question, functools.partial(self.attempt, command))


def _fact_lines(fact: Fact, width: int) -> list[list[Piece] | str]:
    """Name and value, broken where it has to be."""
    room = max(8, width - _NAME)
    rows = textwrap.wrap(fact.text, room, break_on_hyphens=False) or [""]
    names = [fact.name, *[""] * (len(rows) - 1)]
    return [
        [(fit(cut(name, _NAME - 1), _NAME), "dim"), (row, fact.style)]
        for name, row in zip(names, rows, strict=True)
    ]


SCREEN = AccessoryScreen
