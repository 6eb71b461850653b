"""NB-02: a connection was lost or never came up, whatever the phone; an ID of our own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim.explain import BLE_PROFILES, Rule, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain import Case

_LOSSES = {
    0x08: (
        "supervision timeout: nothing was heard from the other side any more",
        "Look at distance and disturbance, at resets of the accessory, and at tasks that keep its radio from the "
        "connection events; a longer supervision timeout bridges short gaps.",
    ),
    0x3D: (
        "MIC failure: an encrypted packet did not check",
        "The two sides encrypt with different keys, or somebody sends into the connection: forget the bond on both "
        "sides, pair again, and correct the firmware if it stays.",
    ),
    0x3E: (
        "failed to be established: no answer to the first packets",
        "The accessory did not hear the request or was not listening: look at distance, at its sleep clock, and at "
        "whether it stopped advertising at this moment; then connect again.",
    ),
}
"""Reason of a disconnection -> what it says, what to do."""


def _judge(case: Case) -> Iterator[Verdict]:
    connections = case.device.connections
    for place, connection in enumerate(connections):
        end = connection.disconnection
        if end is None or end.reason not in _LOSSES:
            continue
        if not end.frame and connection.encrypted:
            continue  # silence after encryption: its end may be a packet nobody can read
        words, remedy = _LOSSES[end.reason]
        later = any(
            one.works or one.encrypted or one.disconnection is None or one.disconnection.reason not in _LOSSES
            for one in connections[place + 1 :]
        )  # fmt: skip
        if not end.frame:
            words = "the capture has nothing more of it, longer than its supervision timeout"
        yield Verdict(
            severity="note" if later else "error" if end.frame else "warning",
            evidence=f"the connection of frame {connection.frame} was lost after "
            f"{(end.t_us - connection.t_us) / 1e6:.1f} s: {words} ({end.reason:#04x})"
            + ("; a later connection succeeded" if later else ""),
            frames=tuple(number for number in (connection.frame, end.frame) if number),
            remedy=remedy,
        )


RULE = Rule(
    id="NB-02",
    title="connection lost",
    statement="A connection that neither side closed ends by supervision timeout (0x08), by a failed integrity check "
    "(0x3D), or before its first answer (0x3E).",
    source="Core Specification 5.4 Vol 1 Part F 2.8, 2.59, 2.60; Vol 6 Part B 4.5.2",
    confidence="D",
    profiles=BLE_PROFILES,
    remedy="Look at distance, disturbance and resets.",
    on="link",
    judge=_judge,
)
