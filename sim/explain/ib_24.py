"""IB-24: accepted, then overwritten, again and again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case
    from sim.explain.observations import Connection, ParameterRequest, Update

_SOON_US = 30_000_000
_LOOP = 2
_LOST = (0x08, 0x22, 0x3E)
"""reasons of a connection that broke: supervision timeout, LL response timeout, failed to be established."""


def rounds(connection: Connection) -> list[tuple[ParameterRequest, Update]]:
    """Each request that was granted, with the update that took it back within 30 s."""
    found: list[tuple[ParameterRequest, Update]] = []
    for request in connection.requests:
        if not request.accepted:
            continue
        later = [
            update
            for update in connection.updates
            if request.t_us <= update.t_us <= request.t_us + _SOON_US
        ]
        granted = next((i for i, one in enumerate(later) if request.admits(one.parameters)), None)
        if granted is None:
            continue
        taken_back = [one for one in later[granted + 1 :] if not request.admits(one.parameters)]
        if taken_back:
            found.append((request, taken_back[0]))
    return found


def _judge(case: Case) -> Iterator[Verdict]:
    for connection in case.device.connections:
        found = rounds(connection)
        if not found:
            continue
        request, update = found[0]
        end = connection.disconnection
        is_broken = len(found) >= _LOOP and end is not None and end.reason in _LOST
        times = "once" if len(found) == 1 else f"{len(found)} times"
        after_ms = (update.t_us - request.t_us) / 1000
        yield Verdict(
            severity="error" if is_broken else "warning",
            evidence=f"{request} was accepted, and {after_ms:.0f} ms later the central went back to "
            f"{update.parameters}; {times}"
            + (
                f", until the connection was lost (reason {end.reason:#04x})"
                if end and is_broken
                else ""
            ),
            short=f"accepted parameters overwritten {times}",
            frames=tuple(frame for a, b in found[:4] for frame in (a.frame, b.frame)),
        )


RULE = Rule(
    id="IB-24",
    title="connection parameters do not stick",
    statement="A request that keeps the rules was accepted and at once overwritten with the phone's defaults; an "
    "accessory that asks again makes an endless loop and loses the connection. The central decides.",
    source="Apple Developer Forums, thread 822187",
    confidence="O",
    profiles=("ios-ble",),
    stories=("US-19",),
    remedy="Ask once, take what the phone gives, and ask again only after minutes.",
    default=False,
    switch="off in the simulated phone: reported once, and IB-20 promises otherwise; on, it goes back to its defaults",
    on="link",
    judge=_judge,
)
