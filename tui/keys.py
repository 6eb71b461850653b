"""The key table: from it come the bindings, the key line, the help, the palette and the table of the documents.

Rules of the table: an id is for good (a user's `keys.toml` names it); lower case never destroys, capitals ask; no
screen takes a key from "everywhere"; nothing needs alt, a function key, or what browsers, tmux and screen keep. No
screen library here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

__all__ = ["EVERYWHERE", "KEYS", "SCREENS", "Key", "as_markdown", "keys_of", "shown", "user_keys"]

EVERYWHERE = "everywhere"
SCREENS = ("air", "ladder", "packets", "accessory", "scenarios", "bridges")
"""The screens in the order of their digits; one more is a file in `tui/screens/`."""


class Key(msgspec.Struct, frozen=True):
    """One binding."""

    id: str
    key: str
    """as Textual calls it; several with commas."""
    label: str
    """in the key line: one or two words."""
    tooltip: str
    """in help and palette: what it does, as a sentence without a full stop."""
    scope: str = EVERYWHERE
    """`everywhere`, a screen, or a modal as "modal:NAME"."""
    action: str = ""
    """Textual action; the id with "_" for "." when empty."""
    rank: int = 5
    """place in the key line, where there is room: 1 first, 0 never."""
    needs: str = ""
    """a modal or screen without whose file the key does nothing, and is not shown."""

    @property
    def does(self) -> str:
        """The action."""
        return self.action or self.id.replace(".", "_")


def _screen_keys() -> tuple[Key, ...]:
    return tuple(
        Key(
            f"screen.{name}", str(number), name.title(), f"show the screen {name.title()}",
            action=f"app.show('{name}')", rank=0, needs=name,
        )
        for number, name in enumerate(SCREENS, 1)
    )  # fmt: skip


KEYS: tuple[Key, ...] = (
    *_screen_keys(),
    Key("pane.next", "tab", "pane", "go to the next pane", action="app.focus_next", rank=4),
    Key("pane.previous", "shift+tab", "pane back", "go to the previous pane", action="app.focus_previous", rank=0),
    Key("move.up", "up,k", "up", "one line up", action="move(-1)", rank=0),
    Key("move.down", "down,j", "down", "one line down", action="move(1)", rank=0),
    Key("move.page_up", "pageup", "page up", "one page up", action="page(-1)", rank=0),
    Key("move.page_down", "pagedown", "page down", "one page down", action="page(1)", rank=0),
    Key("move.home", "home,g", "first", "go to the first line", action="home", rank=0),
    Key("move.end", "end,G", "last", "go to the last line, and follow", action="end", rank=0),
    Key("open", "enter", "open", "open or choose what the cursor is on", action="choose", rank=3),
    Key("back", "escape", "back", "back; close; clear the filter", action="back", rank=0),
    Key("filter", "slash", "filter", "filter the list (on Ladder: search)", action="filter", rank=3),
    Key("find.next", "n", "next match", "go to the next match", action="find(1)", rank=0),
    Key("find.previous", "N", "previous match", "go to the previous match", action="find(-1)", rank=0),
    Key("clock.pause", "space", "pause", "pause or go on with simulated time", action="app.pause", rank=1),
    Key("clock.step", "full_stop", "step", "run to the next event", action="app.step", rank=4),
    Key("clock.message", "comma", "message", "run to the next message", action="app.message", rank=5),
    Key("clock.second", "greater_than_sign", "second", "run for one second of simulated time", action="app.second", rank=0),
    Key("clock.faster", "plus", "faster", "simulated time runs faster", action="app.faster(1)", rank=6),
    Key("clock.slower", "minus", "slower", "simulated time runs slower", action="app.faster(-1)", rank=6),
    Key("clock.normal", "equals_sign", "1.0x", "simulated time runs like real time", action="app.normal_speed", rank=0),
    Key("follow", "f", "follow", "follow the newest line, or stop following", rank=6),
    Key("mark", "m", "mark", "mark the line, or take the mark away", rank=6),
    Key("mark.next", "apostrophe", "next mark", "go to the next mark", rank=0),
    Key("time.style", "t", "time", "show times as simulated, since the line before, since the mark", rank=7),
    Key("copy", "y", "copy", "copy the line; again: its octets, JSON, a filter for it", rank=7),
    Key("export", "e", "export", "save what is shown", action="app.modal('export')", needs="export", rank=6),
    Key("pane.maximise", "backslash", "maximise", "give the pane all the room, or give it back", rank=7),
    Key("pane.split", "vertical_line", "split", "move the line between the panes", rank=8),
    Key("pair", "p", "pair", "pair the selected accessory with the phone", action="app.pair", rank=3),
    Key("pin", "i", "PIN", "answer what a device asks now", action="app.answer", rank=2),
    Key("person", "a", "auto-answer", "let the people answer by themselves, or play them again", action="app.auto_answer", rank=6),
    Key("faults", "x", "faults", "let something go wrong", action="app.modal('faults')", needs="faults", rank=5),
    Key("restart", "R", "restart", "restart the scenario (asks when the run is not saved)", action="app.restart", rank=7),
    Key("palette", "colon,ctrl+p", "palette", "find any action, fault or scenario by its name", action="app.palette", rank=7),
    Key("help", "question_mark", "help", "the keys of this place", action="app.help", rank=1),
    Key("quit", "q,ctrl+q", "quit", "quit (asks when the run is not saved)", action="app.leave", rank=8),
    # Air
    Key("air.sort", "s", "sort", "sort by another column", "air", "sort", 3),
    Key("air.star", "asterisk", "star", "put a star on the device; starred ones come first", "air", "star", 4),
    Key("air.owners", "o", "owners", "one line per device, or per address", "air", "owners", 5),
    Key("air.columns", "c", "columns", "show the columns for the air, for the radio, or little but the words", "air", "columns", 5),
    # Ladder
    Key("ladder.fold", "z", "fold", "fold repetitions, or show them one by one", "ladder", "fold", 2),
    Key("ladder.values", "v", "values", "show values and keys, or the parties and timers", "ladder", "values", 2),
    Key("ladder.reveal", "V", "reveal", "show keys and PINs as they are, or as dots", "ladder", "reveal", 7),
    Key("ladder.retry", "r", "retry", "pair once more", "ladder", "app.retry", 3),
    Key("ladder.parties", "c", "parties", "draw the conversation of other parties", "ladder", "parties", 5),
    # Packets
    Key("packets.conversation", "c", "conversation", "only packets between the same two, or all again", "packets", "conversation", 5),
    Key("packets.clear", "d", "decrypted", "show encrypted packets as on the air, or in clear where the run knows how", "packets", "clear", 4),
    Key("packets.search", "s", "search", "search: n and N go from match to match, all packets stay", "packets", "search", 5),
    Key("packets.cause", "less_than_sign", "cause", "go to the packet that led to this one", "packets", "cause", 5),
    Key("packets.right", "right,l", "open", "open the field; the next octet", "packets", "sideways(1)", 0),
    Key("packets.left", "left,h", "fold", "fold the field; the octet before", "packets", "sideways(-1)", 0),
    # Bridges
    Key("bridges.connect", "c", "connect", "open the dongle; reset one that is degraded", "bridges", "connect", 1),
    Key("bridges.disconnect", "D", "disconnect", "give the dongle back (asks)", "bridges", "disconnect", 1),
    Key("bridges.test", "T", "test", "find out what it is and can do (asks: it is reset)", "bridges", "test", 1),
    Key("bridges.role", "r", "role", "put an accessory, a phone or an observer on it, as the run that is shown", "bridges", "role", 1),
    Key("bridges.log", "l", "log", "states, notes and losses of the link", "bridges", "log", 1),
    Key("bridges.unplug", "u", "unplug", "pull its cable in software, or put it in again", "bridges", "unplug", 1),
    Key("bridges.add", "A", "add", "name a dongle yourself (asks for its moniker)", "bridges", "add", 1),
    # Modals of Bridges
    Key("bridge_add.add", "enter", "add", "add it to the list", "modal:bridge_add", "add", 1),
    Key("bridge_add.cancel", "escape", "cancel", "add nothing", "modal:bridge_add", "cancel", 1),
    Key("bridge_role.start", "enter", "start", "start the run", "modal:bridge_role", "start", 1),
    Key("bridge_role.up", "up", "up", "the role before", "modal:bridge_role", "turn(-1)", 2),
    Key("bridge_role.down", "down", "down", "the next role", "modal:bridge_role", "turn(1)", 2),
    Key("bridge_role.cancel", "escape", "cancel", "leave it as it is", "modal:bridge_role", "cancel", 1),
    Key("bridge_text.up", "up,k", "up", "one line up", "modal:bridge_text", "scroll(-1)", 2),
    Key("bridge_text.down", "down,j", "down", "one line down", "modal:bridge_text", "scroll(1)", 2),
    Key("bridge_text.page_up", "pageup", "page up", "one page up", "modal:bridge_text", "scroll(-10)", 0),
    Key("bridge_text.page_down", "pagedown", "page down", "one page down", "modal:bridge_text", "scroll(10)", 0),
    Key("bridge_text.copy", "y", "copy", "copy all of it", "modal:bridge_text", "copy", 3),
    Key("bridge_text.close", "escape,enter,l", "close", "close", "modal:bridge_text", "close", 1),
    # Scenarios
    Key("scenarios.run", "o", "full speed", "run the selected scenario at full speed in the background", "scenarios", "run_one", 2),
    Key("scenarios.run_all", "O", "run all", "run all that are shown in the background (asks)", "scenarios", "run_all", 3),
    Key("scenarios.stop", "c", "stop", "stop what runs in the background", "scenarios", "stop", 2),
    Key("scenarios.toggle", "u", "use fault", "choose the fault, or leave it out", "scenarios", "use_fault", 3),
    Key("scenarios.seed", "s", "new seed", "the next seed for the selected scenario", "scenarios", "seed", 4),
    Key("scenarios.view", "v", "view", "below: parameters and faults, the last result, the file", "scenarios", "view", 3),
    # Accessory
    Key("accessory.device", "c", "device", "the console of another device", "accessory", "device", 2),
    Key("accessory.button", "b", "button", "press its button", "accessory", "button", 1),
    Key("accessory.settings", "s", "settings", "go to its settings, or back to the console", "accessory", "settings", 3),
    Key("accessory.level", "l", "log level", "more or less in the log: quiet, info, all", "accessory", "level", 4),
    Key("accessory.power", "P", "power", "switch it off or on (asks)", "accessory", "power", 2),
    Key("accessory.reboot", "Z", "reboot", "restart it (asks)", "accessory", "reboot", 2),
    Key("accessory.erase", "F", "erase", "factory reset: bonds and settings are erased (asks)", "accessory", "erase", 2),
    # Accessory, while its prompt is typed at
    Key("prompt.run", "enter", "run", "run the line", "accessory:prompt", "submit", 1),
    Key("prompt.complete", "tab", "complete", "complete the word; without a line, the next pane", "accessory:prompt", "prompt_complete", 1),
    Key("prompt.back", "up", "before", "the line before", "accessory:prompt", "prompt('back')", 2),
    Key("prompt.forth", "down", "after", "the line after", "accessory:prompt", "prompt('forth')", 2),
    Key("prompt.leave", "escape", "keys", "back to the keys", "accessory:prompt", "prompt('leave')", 1),
    # Modals
    Key("pin.send", "enter", "send", "send what was typed", "modal:pin_entry", "send", 1),
    Key("pin.wrong", "w", "wrong one", "send a wrong PIN on purpose", "modal:pin_entry", "wrong", 2),
    Key("pin.hide", "h", "hide", "hide the digits, or show them", "modal:pin_entry", "hide", 3),
    Key("pin.pause", "space", "pause", "pause or go on with simulated time", "modal:pin_entry", "app.pause", 4),
    Key("pin.faults", "x", "faults", "let something go wrong", "modal:pin_entry", "app.modal('faults')", 5, "faults"),
    Key("pin.help", "question_mark", "help", "the keys of this sheet", "modal:pin_entry", "app.help", 6),
    Key("pin.cancel", "escape", "cancel", "refuse; the pairing ends", "modal:pin_entry", "cancel", 1),
    Key("display.hide", "h", "hide", "hide the digits, or show them", "modal:pin_display", "hide", 2),
    Key("display.copy", "c", "copy", "copy the PIN", "modal:pin_display", "copy", 3),
    Key("display.faults", "x", "faults", "let something go wrong", "modal:pin_display", "app.modal('faults')", 4, "faults"),
    Key("display.help", "question_mark", "help", "the keys of this sheet", "modal:pin_display", "app.help", 5),
    Key("display.close", "escape,enter", "close", "close the display; the pairing goes on", "modal:pin_display", "close", 1),
    Key("compare.yes", "y", "same", "say that both show the same", "modal:comparison", "say(True)", 1),
    Key("compare.no", "n", "different", "say that they differ; the pairing ends", "modal:comparison", "say(False)", 1),
    Key("compare.faults", "x", "faults", "let something go wrong", "modal:comparison", "app.modal('faults')", 3, "faults"),
    Key("compare.help", "question_mark", "help", "the keys of this sheet", "modal:comparison", "app.help", 5),
    Key("compare.later", "escape", "later", "close; the question stays open (i opens it again)", "modal:comparison", "close", 2),
    Key("outcome.retry", "r", "retry", "pair once more", "modal:outcome", "retry", 1),
    Key("outcome.open", "o", "message", "show the message that ended it", "modal:outcome", "open_message", 1),
    Key("outcome.up", "up,k", "up", "one line up, where not all of it fits", "modal:outcome", "scroll(-1)", 0),
    Key("outcome.down", "down,j", "down", "one line down", "modal:outcome", "scroll(1)", 0),
    Key("outcome.page_up", "pageup", "page up", "some lines up", "modal:outcome", "scroll(-8)", 0),
    Key("outcome.page_down", "pagedown", "page down", "some lines down", "modal:outcome", "scroll(8)", 0),
    Key("outcome.help", "question_mark", "help", "the keys of this sheet", "modal:outcome", "app.help", 5),
    Key("outcome.close", "escape,enter", "close", "close", "modal:outcome", "close", 1),
    Key("confirm.yes", "y", "yes", "do it", "modal:confirm", "say(True)", 1),
    Key("confirm.no", "n,escape", "no", "leave it as it is", "modal:confirm", "say(False)", 1),
    Key("help.close", "escape,question_mark,q", "close", "close the help", "modal:help", "close", 1),
    Key("palette.run", "enter", "run", "do what is chosen", "modal:palette", "run", 1),
    Key("palette.up", "up", "up", "the line before", "modal:palette", "turn(-1)", 2),
    Key("palette.down", "down", "down", "the next line", "modal:palette", "turn(1)", 2),
    Key("palette.close", "escape", "close", "close the palette", "modal:palette", "close", 1),
    Key("parameters.take", "enter", "take", "take what was typed", "modal:parameters", "take", 1),
    Key("parameters.cancel", "escape", "cancel", "leave it as it was", "modal:parameters", "cancel", 1),
    Key("faults.choose", "enter", "choose", "set the fault now, after its parameters", "modal:faults", "choose", 1),
    Key("faults.clear", "c", "take back", "take the fault back", "modal:faults", "clear", 2),
    Key("faults.up", "up,k", "up", "the fault before", "modal:faults", "turn(-1)", 0),
    Key("faults.down", "down,j", "down", "the next fault", "modal:faults", "turn(1)", 0),
    Key("faults.page_up", "pageup", "page up", "some faults up", "modal:faults", "turn(-8)", 0),
    Key("faults.page_down", "pagedown", "page down", "some faults down", "modal:faults", "turn(8)", 0),
    Key("faults.home", "home,g", "first", "the first fault", "modal:faults", "turn(-1000)", 0),
    Key("faults.end", "end,G", "last", "the last fault", "modal:faults", "turn(1000)", 0),
    Key("faults.help", "question_mark", "help", "the keys of this sheet", "modal:faults", "app.help", 5),
    Key("faults.close", "escape,x", "close", "close", "modal:faults", "close", 1),
    # Modal export
    Key("export.next", "tab,down", "field", "the next field", "modal:export", "field(1)", 2),
    Key("export.previous", "shift+tab,up", "field back", "the field before", "modal:export", "field(-1)", 0),
    Key("export.choose", "space,right", "choose", "the next value of the field", "modal:export", "choose(1)", 2),
    Key("export.choose_back", "left", "choose back", "the value before", "modal:export", "choose(-1)", 0),
    Key("export.save", "enter", "save", "write the file", "modal:export", "save", 1),
    Key("export.cancel", "escape", "cancel", "stop writing; close", "modal:export", "cancel", 1),
    Key("filter.apply", "enter", "apply", "apply the filter", "modal:filter", "apply", 1),
    Key("filter.cancel", "escape", "cancel", "leave the filter as it was", "modal:filter", "cancel", 1),
)  # fmt: skip

_SHOWN = {
    "slash": "/", "full_stop": ".", "comma": ",", "greater_than_sign": ">", "less_than_sign": "<", "plus": "+",
    "minus": "-", "equals_sign": "=", "apostrophe": "'", "backslash": "\\", "vertical_line": "|", "colon": ":",
    "question_mark": "?", "asterisk": "*", "escape": "esc", "pageup": "pgup", "pagedown": "pgdn", "up": "↑", "down": "↓",
    "left": "←", "right": "→",
}  # fmt: skip

_MOST_OCTETS = 100_000
"""Of a file with keys; devices that never end are files, too."""
_ARROWS = ("up", "down", "left", "right")


def shown(key: str, *, ascii_only: bool = False) -> str:
    """Keys as people write them: "/", "esc", "↑ k"."""
    names = (
        one if ascii_only and one in _ARROWS else _SHOWN.get(one, one) for one in key.split(",")
    )
    return " ".join(names)


def keys_of(scope: str, keys: Iterable[Key] = KEYS) -> list[Key]:
    """The keys of one scope, in the order of the table."""
    return [key for key in keys if key.scope == scope]


def as_markdown(scope: str) -> str:
    """The keys of one scope as a table for the documents, with the ids that `keys.toml` names."""
    rows = ["| key | does | id |", "|---|---|---|"]
    for key in keys_of(scope):
        names = shown(key.key).replace("|", "\\|")
        rows.append(f"| `{names}` | {key.tooltip} | `{key.id}` |")
    return "\n".join(rows)


def user_keys(path: Path) -> Mapping[str, str]:
    """id -> key of a user's `keys.toml` (`"clock.pause" = "S"`). Raises UsageError."""
    import tomllib

    try:
        with path.open("rb") as file:
            octets = file.read(_MOST_OCTETS + 1)
        if len(octets) > _MOST_OCTETS:
            raise UsageError(
                f"{path}: longer than a table of keys is ({_MOST_OCTETS} octets); name another file"
            )
        plain = tomllib.loads(octets.decode())
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise UsageError(f"{path}: {exc}") from None
    known = {key.id for key in KEYS}
    for name, value in plain.items():
        if name not in known:
            raise UsageError(f"{path}: no key is called {name!r}; `?` lists them")
        if not isinstance(value, str) or not value:
            raise UsageError(f'{path}: {name}: write the key as text, as in {name!r} = "S"')
    for changed in plain:
        _refuse_clash(path, changed, plain)
    return plain


def _refuse_clash(path: Path, changed: str, keymap: Mapping[str, str]) -> None:
    """Two actions on one key where both work: one of them could not be reached. Raises UsageError."""
    mine = next(key for key in KEYS if key.id == changed)
    strokes = _strokes(keymap[changed])
    for other in KEYS:
        both = strokes & _strokes(keymap.get(other.id, other.key))
        if other.id != changed and both and _meet(mine.scope, other.scope):
            raise UsageError(
                f"{path}: {changed}: the key {min(both)} is that of {other.id} ({other.tooltip}); "
                f"choose another one, or give {other.id} another one in this file"
            )


def _strokes(key: str) -> set[str]:
    """Keys as people write them, however the file writes them."""
    if len(key) == 1:
        return {key}
    return {_SHOWN.get(one.strip(), one.strip()) for one in key.split(",")}


def _meet(scope: str, other: str) -> bool:
    """Whether keys of both scopes work at the same place. Modals and fields have theirs to themselves."""
    return scope == other or {scope, other} - set(SCREENS) == {EVERYWHERE}
