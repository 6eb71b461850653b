"""Worlds of Androids for tests: a publisher `tablet` and a subscriber `phone`, 2 m apart, and what they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.wifi_aware import frame
from tests.sim.worlds import Ran, run

if TYPE_CHECKING:
    from pathlib import Path

    from protocols.wifi_aware import frames
    from sim.trace import TraceEvent

SERVICE = 'service = "_lamp._udp"'
SHOWS = f'{SERVICE}, pairing = {{ methods = ["pin_display"] }}'
ASKS = f'{SERVICE}, pairing = {{ methods = ["pin_keypad"] }}'
PUBLISH, SUBSCRIBE = f"tablet aware_publish {SHOWS}", f"phone aware_subscribe {ASKS}"


def scenario(
    steps: str, tablet: str = "", phone: str = "", *, duration: str = "60s", more: str = ""
) -> str:
    """`steps` are lines "node command arguments", "?" behind one that may fail, "@5s" before the node for not before.

    `tablet` and `phone` are settings; `more` is TOML of further nodes.
    """
    blocks = [
        f'title = "t"\nduration = "{duration}"\nstop_when_done = true\n',
        f'[[node]]\nname = "tablet"\nphone = "android"\nat = [2.0, 0.0]\nset = {{ {tablet} }}\n',
        f'[[node]]\nname = "phone"\nphone = "android"\nset = {{ {phone} }}\n',
        more,
    ]
    for line in filter(None, map(str.strip, steps.splitlines())):
        at = ""
        words = line.rstrip("?").strip()
        if words.startswith("@"):
            at, words = words[1:].split(maxsplit=1)
        node, command, arguments = (*words.split(maxsplit=2), "")[:3]
        begin = f'at = "{at}"\n' if at else ""
        fails = str(line.endswith("?")).lower()
        blocks.append(
            f'[[step]]\nnode = "{node}"\ndo = "{command}"\n{begin}set = {{ {arguments} }}\nmay_fail = {fails}\n'
        )
    return "\n".join(blocks)


def androids(
    steps: str, tablet: str = "", phone: str = "", base: Path | None = None, **how: Any
) -> Ran:
    """The finished run of two Androids; `how` is that of `scenario`, and sources of accessories."""
    known = {key: how.pop(key) for key in ("duration", "more") if key in how}
    return run(scenario(steps, tablet, phone, **known), base, **how)


def rules(ran: Ran, event: str, node: str = "") -> list[str]:
    """Rules of the events of that name."""
    return [one.rule for one in ran.of(event, node)]


def told(event: TraceEvent) -> frames.Frame:
    """The frame of a trace event."""
    assert event.data is not None
    found = frame.read(event.data)
    assert found is not None
    return found


def names(event: TraceEvent) -> set[str]:
    """Names of the attributes in the frame of a trace event."""
    return {one.name for one in told(event).nan_attributes}
