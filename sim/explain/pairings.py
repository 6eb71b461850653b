"""Pairings on a connection as their messages tell them: who ended one, at which step, and what came of it later.

Core Specification 5.4 Vol 3 Part H 2.3 (phases), 3.4 (30 s without a message end it), 3.5.5 (Pairing Failed). A
capture may begin in the middle: what has no Pairing Request is still judged by its Pairing Failed. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.data.hci_names import error_name
from protocols.data.smp_names import (
    IO_CAPABILITIES,
    STEPS,
    choose_method,
    reason_remedy,
    reason_words,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sim.explain.observations import Connection, Device, Smp

__all__ = ["FailedPairing", "encrypted_after", "failed_pairings"]

_REQUEST, _RESPONSE, _FAILED, _SECURITY_REQUEST, _PUBLIC_KEY = 0x01, 0x02, 0x05, 0x0B, 0x0C
_MITM = 0x04
_KEY_MISSING = 0x06
_SILENCE_US = 30_000_000
_SIDES = {True: "the phone", False: "the accessory"}
_FIRST_STEP = "feature exchange"


class FailedPairing(msgspec.Struct, frozen=True, kw_only=True):
    """A pairing that came to nothing."""

    t_us: int
    frames: tuple[int, ...]
    what: str
    """who, at which step, why."""
    remedy: str


def failed_pairings(device: Device, end_us: int) -> Iterator[FailedPairing]:
    """The pairings with a device that failed, in order; the capture ends at `end_us`."""
    for connection in device.connections:
        messages = [one for one in connection.smp if one.code != _SECURITY_REQUEST]
        run: list[Smp] = []
        for message in messages:
            if message.code == _REQUEST and run:
                yield from _unfinished(connection, run, message.t_us)
                run = []
            run.append(message)
            if message.code == _FAILED:
                yield _refused(run)
                run = []
        if run:
            yield from _unfinished(connection, run, end_us)


def encrypted_after(device: Device, t_us: int) -> bool:
    """Whether a connection to the device was encrypted later."""
    return any(
        one.status == 0 and one.t_us > t_us
        for connection in device.connections
        for one in connection.encryptions
    )


def _step(run: list[Smp]) -> str:
    return next((STEPS[one.code] for one in reversed(run) if one.code in STEPS), _FIRST_STEP)


def _refused(run: list[Smp]) -> FailedPairing:
    last = run[-1]
    code = last.data[0] if last.data else None
    words = "no reason" if code is None else f"{reason_words(code)} ({code:#04x})"
    remedy = "look at the log of the side that refused" if code is None else reason_remedy(code)
    return FailedPairing(
        t_us=last.t_us,
        frames=_frames(run),
        what=f"{_SIDES[last.from_central]} ended it at {_step(run)}: {words}",
        remedy=_sentence(remedy),
    )


def _unfinished(connection: Connection, run: list[Smp], end_us: int) -> Iterator[FailedPairing]:
    """The pairing `run` has no Pairing Failed: nothing when it was encrypted, or nobody can tell."""
    if run[0].code != _REQUEST:
        return
    last, end = run[-1], connection.disconnection
    tried = [one for one in connection.encryptions if run[0].t_us <= one.t_us <= end_us]
    refused = next((one for one in tried if one.status not in (0, None, _KEY_MISSING)), None)
    if any(one.status in (0, _KEY_MISSING) for one in tried):
        return
    closed_us = min(end_us, end.t_us) if end is not None else end_us
    if refused is not None and refused.status is not None:
        what = f"encryption failed with {error_name(refused.status)} ({refused.status:#04x})"
        remedy = "Pair again; when it stays, compare the keys that the two sides computed."
        yield FailedPairing(
            t_us=refused.t_us, frames=(*_frames(run), refused.frame), what=what, remedy=remedy
        )
    elif closed_us - last.t_us >= _SILENCE_US:
        awaited = last.from_central if _same_side_goes_on(run) else not last.from_central
        what = (
            f"{_SIDES[awaited]} stayed silent at {_step(run)}: no message for "
            f"{(closed_us - last.t_us) / 1e6:.0f} s after the last one of {_SIDES[last.from_central]}"
        )
        remedy = (
            "Find out what the silent side waits for (a person, a PIN, a crashed task); after 30 s pairing needs a new "
            "connection."
        )
        yield FailedPairing(t_us=closed_us, frames=_frames(run), what=what, remedy=remedy)
    elif end is not None and end.t_us <= end_us:
        what = f"the connection ended at {_step(run)}: {error_name(end.reason)} ({end.reason:#04x})"
        remedy = "Keep the connection up until pairing has ended: look at who closed it, and at range and resets."
        yield FailedPairing(
            t_us=end.t_us, frames=(*_frames(run), end.frame), what=what, remedy=remedy
        )


def _same_side_goes_on(run: list[Smp]) -> bool:
    """Whether the sender of the last message has to send the next: after its public key, unless a PIN is typed."""
    last = run[-1]
    said = {one.code: one.data for one in run if one.code in (_REQUEST, _RESPONSE)}
    if (
        last.code != _PUBLIC_KEY
        or last.from_central
        or len(said) < 2
        or min(map(len, said.values())) < 3
    ):
        return False
    (io, oob, auth), (their_io, their_oob, their_auth) = said[_REQUEST][:3], said[_RESPONSE][:3]
    if io not in IO_CAPABILITIES or their_io not in IO_CAPABILITIES:
        return False
    choice = choose_method(
        IO_CAPABILITIES[io],
        IO_CAPABILITIES[their_io],
        secure_connections=True,
        mitm=(bool(auth & _MITM), bool(their_auth & _MITM)),
        oob=(bool(oob), bool(their_oob)),
    )
    return choice.method in ("just_works", "numeric_comparison")


def _frames(run: list[Smp]) -> tuple[int, ...]:
    return tuple(dict.fromkeys((run[0].frame, run[-1].frame)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}."
