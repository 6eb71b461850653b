"""What is told of one dongle in full: the lines of its pane, and its log.

Rules of the file: values in, lines out; a line is pieces of (text, style). Text of devices is cleaned before it is shown.
"""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

from tui.models.bridges import health_of, remedy_of, round_trip
from tui.text import clean, count, cut

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.models.bridges import BridgeView, Happening
    from tui.models.lanes import Piece

__all__ = ["detail_lines", "log_lines", "report_lines"]

_COLUMN: Final = 10
_LOSSES_SHOWN: Final = 3
_REPORT_COLUMN: Final = 14
"""Where the values of a report stand."""


def detail_lines(view: BridgeView, width: int, height: int) -> list[list[Piece] | str]:
    """The pane of the dongle under the cursor: who it is, its link, what is lost, its role, what to do.

    Long rows are broken where there is room for that, and else cut; what to do is never cut.
    """
    rows = [(name, clean(text)) for name, text in (*_who(view), *_link(view)) if text]
    style = health_of(view).style if health_of(view).rank else ""
    advice: list[list[Piece] | str] = [[(text, style)] for text in _wrapped(remedy_of(view), width)]
    room = max(1, width - _COLUMN)
    broken = [(name, _wrapped(text, room)) for name, text in rows]
    if sum(len(parts) for _, parts in broken) + 1 + len(advice) > height:
        broken = [(name, [cut(text, room)]) for name, text in rows]
    lines: list[list[Piece] | str] = [
        [((name if at == 0 else "").ljust(_COLUMN), "head"), (part, "")]
        for name, parts in broken
        for at, part in enumerate(parts)
    ]
    if len(lines) + 1 + len(advice) > height:
        return [*lines[: max(0, height - len(advice))], *advice]
    return [*lines, "", *advice]


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(clean(text), max(20, width), break_on_hyphens=False) or [""]


def _who(view: BridgeView) -> list[tuple[str, str]]:
    device = "  ".join(filter(None, (view.product, view.ids, view.node)))
    who = view.maker if view.verdict.startswith("controller of company") else view.verdict
    firmware = "  ".join(filter(None, (who or view.maker, view.version, view.address)))
    speaks = ", ".join(view.protocols) if not view.state and view.protocols else ""
    return [
        ("device", device),
        ("may speak", speaks if device else ""),
        ("in use by", ", ".join(view.holders)),
        ("firmware", firmware),
        ("quirks", view.quirk if view.state or not view.note else ""),
        ("note", "" if view.state else view.note),
    ]


def _link(view: BridgeView) -> list[tuple[str, str]]:
    if not view.state:
        return []
    last = view.happenings[-1] if view.happenings else None
    up = f"   in use {_clock(view.up_s)}" if view.up_s else ""
    flow = f"rx {count(view.octets_received)}   tx {count(view.octets_sent)}"
    if view.state in ("ready", "degraded"):
        now = f"{round_trip(view)}   credits {view.credits}   queue {view.queue}/{view.queue_most}"
        flow = f"{now}   {flow}"
    return [
        ("state", f"{view.state}{up}   generation {view.generation}   transitions {_states(view)}"),
        ("link", flow),
        ("lost", f"{_losses(view)}   resyncs {view.resyncs}"),
        ("role", view.role),
        ("last", "" if last is None else f"{_ago(view, last.t_us)} ago: {_told(view, last)}"),
    ]


def _told(view: BridgeView, one: Happening) -> str:
    """What happened, without the name that stands above."""
    return one.text.removeprefix(f"{view.moniker}: ").removeprefix(f"{view.moniker} ")


def _states(view: BridgeView) -> int:
    """How often the state changed."""
    return sum(one.kind in _STATES for one in view.happenings)


_STATES: Final = frozenset(
    ("absent", "opening", "blocked", "probing", "firmware", "mute", "ready", "degraded", "lost", "backoff", "closed")
)  # fmt: skip


def _losses(view: BridgeView) -> str:
    if not view.losses:
        return "nothing"
    shown = [f"{count(number)} {reason}" for reason, number in view.losses[:_LOSSES_SHOWN]]
    more = len(view.losses) - len(shown)
    return ", ".join(shown) + (f", and {more} more reasons (l)" if more else "")


def _clock(seconds: float) -> str:
    whole = int(seconds)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def _ago(view: BridgeView, t_us: int) -> str:
    seconds = max(0, view.now_us - t_us) / 1e6
    return f"{seconds:.1f} s" if seconds < 10 else _clock(seconds)


def log_lines(view: BridgeView, width: int) -> list[list[Piece] | str]:
    """Everything that happened to the link, the newest last, then what was lost."""
    lines: list[list[Piece] | str] = []
    for one in view.happenings:
        head = f"{_ago(view, one.t_us):>9} ago  {one.kind:<9} "
        room = width - len(head)
        parts = _wrapped(_told(view, one), room)
        lines.append([(head, "head"), (parts[0], "")])
        lines += [f"{' ' * len(head)}{part}" for part in parts[1:]]
    if not lines:
        lines.append("nothing has happened on it yet: it is not open (c opens it)")
    lines += ["", [("lost, and counted", "head")]]
    lines += [cut(f"{count(number):>9}  {reason}", width) for reason, number in view.losses] or [
        "        0"
    ]
    return lines


def report_lines(told: Sequence[str], width: int) -> list[list[Piece] | str]:
    """A report of `nearbench bridge probe` (a name, and its value from column 14 on) in lines of another width."""
    rows: list[list[str]] = []
    for line in told:
        name, value = line[:_REPORT_COLUMN].strip(), line[_REPORT_COLUMN:].strip()
        if name or not rows:
            rows.append([name, value])
        else:
            rows[-1][1] += f" {value}"
    lines: list[list[Piece] | str] = []
    for name, value in rows:
        parts = _wrapped(value, width - _REPORT_COLUMN)
        lines.append([(clean(name).ljust(_REPORT_COLUMN), "head"), (parts[0], "")])
        lines += [f"{' ' * _REPORT_COLUMN}{part}" for part in parts[1:]]
    return lines
