"""What a session does once in a while: explain silence, ask whether a controller restarted, leave it tidy.

Digest 8.3 (NOP, shutdown), 2.3 (what to report). Rules of the file: each of these ends in bounded time.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final, Protocol

from hw_bridge.errors import MuteError, NotFoundError
from hw_bridge.recognise import is_text
from hw_bridge.states import SERVING, State, Trigger
from protocols.hci.h4 import H4Framer
from protocols.hci.h5 import H5Framer
from protocols.hci.replies import RESET, command

if TYPE_CHECKING:
    from collections import deque

    from hw_bridge.channel import Channel
    from hw_bridge.lifecycle import Lifecycle
    from protocols.errors import NearbenchError
    from protocols.hci.framing import Skipped

__all__ = ["ECHOES", "ask_restart", "hints", "why_not", "wind_down"]

ECHOES: Final = (
    "it echoes: what is sent comes back as it is; TX and RX are connected to each other, or this is a loopback "
    "and no controller"
)
_EXCERPT_OCTETS: Final = 32
_NOT_THERE: Final = frozenset((State.ABSENT, State.BACKOFF))
_UNKNOWN_CONNECTION: Final = 0x02
_DISCONNECT, _READ_CHANNEL_MAP = 0x0406, 0x2015
_ENDED_BY_USER: Final = 0x13
_SWITCHES_OFF: Final = {
    "advertising": (0x200A, b"\0"),
    "extended advertising": (0x2039, b"\0\0"),
    "scanning": (0x200C, b"\0\0"),
    "extended scanning": (0x2042, bytes(6)),
}
_PARTING_S: Final = 0.3
_STEP_US: Final = (300_000,)


class _Listening(Protocol):
    skipped: deque[Skipped]


def hints(heard: _Listening, channel: Channel) -> str:
    """Why no Reset is answered, as far as what was heard tells."""
    if not isinstance(channel.framer, H4Framer | H5Framer):
        return (
            "it answers no Reset: it may need firmware, be claimed by another driver, or need to be "
            "unplugged and plugged in"
        )
    if not channel.counts["octets received"]:
        return (
            "not one octet came in answer to Reset: check power, that TX and RX are crossed, baud, "
            "RTS/CTS wiring, and that the firmware is an HCI one"
        )
    if not heard.skipped:
        return "it sends packets and answers no Reset: switch it off and on"
    everything = b"".join(each.octets for each in heard.skipped)
    if not everything.replace(command(RESET), b""):
        return ECHOES
    octets = everything[-_EXCERPT_OCTETS:]
    if is_text(octets):
        text = octets.decode("ascii", "replace")
        shown = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        return f"it sends text and no HCI packets: this is a console, or the wrong port ({shown!r})"
    return f"it sends octets that are no HCI packets: wrong baud or parity, or no HCI ({octets.hex(' ')})"


def why_not(life: Lifecycle) -> NearbenchError:
    """What keeps a controller from being in use, as something to raise."""
    if life.error is not None:
        return life.error
    if life.state in _NOT_THERE:
        return NotFoundError(
            f"{life.name} is not there; plug it in, `nearbench bridge list` shows what is"
        )
    early = "" if life.state is State.MUTE else f"not in use yet ({life.state.value}): "
    return MuteError(f"{life.name}: {early}{life.reason}")


async def ask_restart(life: Lifecycle, channel: Channel, reason: str) -> None:
    """Find out whether an unasked NOP means that the controller lost its state, and act on it."""
    handles = channel.traffic.activity.handles
    handle = next((each for each, kind in handles.items() if kind == "le"), None)
    if handle is not None:
        reply = await life.command(_READ_CHANNEL_MAP, handle.to_bytes(2, "little"))
        if reply is not None and reply.status != _UNKNOWN_CONNECTION:
            return
    if life.channel is channel and life.state in SERVING:
        life.move(Trigger.RESTARTED, f"{reason}; its connections are gone")


async def wind_down(life: Lifecycle, timeout_s: float) -> None:
    """Stop advertising and scanning, disconnect, Reset; what does not go in time is left."""
    channel = life.channel
    if channel is None:
        return
    channel.traffic.disown()
    channel.release()
    activity = channel.traffic.activity
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(timeout_s):
            for name in sorted(activity.on & _SWITCHES_OFF.keys()):
                await life.command(*_SWITCHES_OFF[name], attempts_us=_STEP_US)
            for handle in [each for each, kind in activity.handles.items() if kind in ("le", "br")]:
                parameters = handle.to_bytes(2, "little") + bytes((_ENDED_BY_USER,))
                await life.command(_DISCONNECT, parameters, attempts_us=_STEP_US)
            await _until_disconnected(channel)
            await life.command(RESET, attempts_us=_STEP_US)


async def _until_disconnected(channel: Channel) -> None:
    """Give the peers a moment to hear of it."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_PARTING_S):
            while channel.traffic.activity.handles:
                channel.heard.clear()
                await channel.heard.wait()
