"""The life of one port: looked for, opened, asked who it is, used, lost, opened again.

Digest 8.1, 8.3. Rules of the file: one task goes through the states of `hw_bridge.states`, one handler per state; a
change that comes from elsewhere (loss, crash, trouble) is made at once by `move`, and stops the handler at work.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter, deque
from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from hw_bridge.backoff import Backoff
from hw_bridge.channel import Channel, Keeper
from hw_bridge.command_gate import Timeouts
from hw_bridge.errors import (
    AccessError,
    BridgeError,
    BusyError,
    FirmwareError,
    MuteError,
    NotFoundError,
    RefusedError,
    opening_error,
)
from hw_bridge.firmware import load_firmware, needs_firmware
from hw_bridge.identify import RETURNING, Facts, identify
from hw_bridge.link import OPEN_S, LinkInfo
from hw_bridge.quirks import Quirk, quirk_for, quirk_of_version
from hw_bridge.states import SERVING, State, Transition, Trigger, next_state
from hw_bridge.traffic import Traffic
from protocols.errors import NearbenchError, UsageError
from protocols.hci.h4 import H4Framer, Limits
from protocols.hci.replies import NO_REPLY, RESET
from protocols.hci.usb import UsbFramer

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from hw_bridge.link import Port
    from protocols.hci.replies import Reply

__all__ = ["Lifecycle", "Listener", "SessionSettings"]

_Step = tuple[Trigger, str]
_KEPT_TRANSITIONS: Final = 256
_ACCESS_PAUSE_S: Final = 0.1
_SETTLE_S: Final = 0.1
_NO_BR_EDR: Final = 1 << 37
"""LMP feature: BR/EDR is not supported (Vol 2 Part C 3.3)."""
_LARGEST_LE_DATA, _LARGEST_BR_DATA = 251, 1021


class SessionSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times and sizes of a session; the defaults are those of digest 8."""

    timeouts: Timeouts = Timeouts()
    listen_ms: int = 300
    """before the first Reset: banners and other protocols talk first."""
    listen_again_ms: int = 50
    """the same, for a device that was known before."""
    backoff_ms: int = 50
    backoff_most_ms: int = 1000
    blocked_ms: int = 5000
    """Between two tries at a port that is busy or forbidden."""
    access_grace_ms: int = 2000
    """How long permissions of a device that just appeared may be missing: udev sets them later."""
    mute_ms: int = 2000
    mute_most_ms: int = 30_000
    stall_ms: int = 5000
    """Without a report of completed packets, before that is called a stall."""
    slow_client_ms: int = 2000
    """How long a client may take nothing while its queue is full."""
    outbox_packets: int = 64
    outbox_octets: int = 65536
    close_ms: int = 1500
    """For leaving the controller as it was found."""
    load_firmware: bool = True


class Listener(Keeper, Protocol):
    """Who follows the life of a port, and keeps its channel."""

    counts: Counter[str]
    """Of what was dropped, skipped, sent and received."""

    def on_state(self, before: State, transition: Transition) -> None:
        """The state changed."""
        ...

    def hints(self, channel: Channel) -> str:
        """Why a controller may be mute."""
        ...


class Lifecycle:
    """Goes through the states; `channel` is there while the port is open."""

    def __init__(
        self, name: str, port: Port, settings: SessionSettings, listener: Listener
    ) -> None:
        self.name = name
        self.port = port
        self.settings = settings
        self._seen_away = not port.present()
        """It was looked for and not seen; some ports only tell when they are opened."""
        self.state = State.ABSENT if self._seen_away else State.OPENING
        self.reason = "not opened yet"
        self.error: NearbenchError | None = None
        """Why it is not in use, as an exception to raise; None while it is."""
        self.generation = 0
        self.tries = 0
        """Waits for it since it was in use."""
        self.next_try_s: float | None = None
        """When it is tried again, by the loop's clock; None while nothing waits for that."""
        self.transitions: deque[Transition] = deque(maxlen=_KEPT_TRANSITIONS)
        self.facts: Facts | None = None
        self._latest: Facts | None = None
        self.info = LinkInfo(node=name)
        self.quirk: Quirk | None = None
        self.channel: Channel | None = None
        self._listener = listener
        self._first: Facts | None = None
        """Who answered first: whoever comes back must be that one."""
        self._backoff = Backoff(settings.backoff_ms, settings.backoff_most_ms)
        self._mute = Backoff(settings.mute_ms, settings.mute_most_ms)
        self._fresh = True
        self._was_plugged = False
        """It was not there and now is: its permissions may still be on their way."""
        self._loaded = -1  # generation in which firmware was loaded: once per opening
        self._moves = 0
        self._doing: asyncio.Task[_Step] | None = None
        self._closing: asyncio.Task[None] | None = None

    # States

    def move(self, trigger: Trigger, reason: str) -> bool:
        """Change the state at once; whether `trigger` means anything in this one."""
        after = next_state(self.state, trigger)
        if after is None:
            return False
        before, self.state, self.reason = self.state, after, reason
        self._moves += 1
        self.next_try_s = None
        if after in SERVING:
            self.error, self.tries = None, 0
        transition = Transition(
            t_us=round(asyncio.get_running_loop().time() * 1e6),
            state=after,
            reason=reason,
            generation=self.generation,
        )
        self.transitions.append(transition)
        if self._doing is not None and not self._doing.done():
            self._doing.cancel()
        self._listener.on_state(before, transition)
        return True

    async def run(self) -> None:
        """Go through the states until CLOSED."""
        steps: dict[State, Callable[[], Awaitable[_Step]]] = {
            State.ABSENT: self._absent,
            State.OPENING: self._opening,
            State.BLOCKED: self._blocked,
            State.PROBING: self._probing,
            State.FIRMWARE: self._loading,
            State.MUTE: self._muted,
            State.READY: self._serving,
            State.DEGRADED: self._serving,
            State.LOST: self._lost,
            State.BACKOFF: self._waiting,
        }
        try:
            while self.state is not State.CLOSED:
                moves = self._moves
                self._doing = asyncio.ensure_future(self._step(steps[self.state]))
                await asyncio.wait((self._doing,))
                if self._moves == moves:
                    self.move(*self._doing.result())
        except asyncio.CancelledError:
            if self._doing is not None:
                self._doing.cancel()
            raise

    async def _step(self, step: Callable[[], Awaitable[_Step]]) -> _Step:
        return await step()

    async def stop(self) -> None:
        """End in whatever state; gives everything back."""
        self.move(Trigger.CLOSE, "closed")
        if self._doing is not None:
            self._doing.cancel()
            await asyncio.wait((self._doing,))
        await self._drop_channel()
        await self.port.close()

    # One handler per state

    async def _absent(self) -> _Step:
        while True:
            await asyncio.sleep(self._pause_s(self._backoff.delay_s()))
            if self.port.present():
                self._was_plugged = True
                return self._appeared()
            self._seen_away = True

    def _appeared(self) -> _Step:
        words = f"{self.name} is there" if self._seen_away else f"{self.name}: tried again"
        return Trigger.APPEARED, words

    async def _opening(self) -> _Step:
        await self._drop_channel()
        loop = asyncio.get_running_loop()
        appeared, self._was_plugged = self._was_plugged or self.generation > 0, False
        grace = loop.time() + self.settings.access_grace_ms / 1000
        while True:
            channel = Channel(self._listener, self.port.framer(), self._new_traffic())
            try:
                async with asyncio.timeout(OPEN_S + 1):
                    link = await self.port.open(channel)
                break
            except AccessError as exc:
                if not appeared or loop.time() >= grace:
                    return self._refused(Trigger.BLOCKED, exc)
                await asyncio.sleep(_ACCESS_PAUSE_S)
            except (NotFoundError, RefusedError) as exc:
                return self._refused(Trigger.NOT_FOUND, exc)
            except (BridgeError, UsageError) as exc:
                return self._refused(Trigger.BLOCKED, exc)
            except TimeoutError:
                slow = BusyError(
                    f"{self.name}: opening took more than {OPEN_S:g} s; unplug and plug it"
                )
                return self._refused(Trigger.BLOCKED, slow)
            except Exception as exc:  # noqa: BLE001 # a transport of a user's own may raise anything
                return self._refused(Trigger.BLOCKED, opening_error(exc, self.name))
        self.channel, self._fresh, self._seen_away = channel, True, False
        if self.info.identity and link.info.identity != self.info.identity:
            channel.link = link
            return self._refused(Trigger.BLOCKED, self._stranger("its USB identity differs"))
        self.generation += 1
        self.info, self.quirk = link.info, quirk_for(link.info)
        channel.start(link)
        return Trigger.OPENED, f"{self.name} is open"

    def _refused(self, trigger: Trigger, error: NearbenchError) -> _Step:
        self.error = error
        return trigger, str(error)

    def _stranger(self, why: str) -> RefusedError:
        return RefusedError(
            f"{self.name}: another device than before is there ({why}); "
            "open it in a new session if it is the right one"
        )

    async def _blocked(self) -> _Step:
        await self._drop_channel()
        await asyncio.sleep(self._pause_s(self.settings.blocked_ms / 1000))
        return Trigger.RETRY, f"{self.name}: tried again"

    async def _probing(self) -> _Step:
        channel = self._open_channel()
        if not self.port.needs_probe:
            return Trigger.IDENTIFIED, f"{self.name}: nobody to ask"
        if self._fresh:
            known = self.facts is not None
            listen_ms = self.settings.listen_again_ms if known else self.settings.listen_ms
            await asyncio.sleep(listen_ms / 1000)
        self._fresh = False
        channel.replace_traffic(self._new_traffic())
        only = RETURNING if self.facts else None
        try:
            facts = await identify(self, reset_us=self._resets(), only=only, moniker=self.name)
        except FirmwareError as exc:
            return self._refused(Trigger.NO_ANSWER, FirmwareError(f"{self.name}: {exc}"))
        except MuteError as exc:
            return self._refused(Trigger.NO_ANSWER, MuteError(f"{self.name}: {exc}"))
        if facts is None:
            hint = self._listener.hints(channel)
            return self._refused(Trigger.NO_ANSWER, MuteError(f"{self.name}: {hint}"))
        if self._first is not None and not facts.may_be(self._first):
            why = f"{facts.address or facts.manufacturer} answers"
            return self._refused(Trigger.STRANGER, self._stranger(why))
        return self._known(channel, facts)

    def _known(self, channel: Channel, facts: Facts) -> _Step:
        """Take note of who it is."""
        first, self.facts = self.facts, facts if self.facts is None else self.facts
        self._latest = facts
        self._first = self._first or facts
        if self.quirk is None:
            self.quirk = quirk_of_version(facts.manufacturer, facts.lmp_subversion)
            channel.traffic.gate.no_reply = self._no_reply()
        channel.traffic.data.set_buffers(facts.buffers if first is None else first.buffers)
        if isinstance(channel.framer, H4Framer | UsbFramer):
            channel.framer.limits = _limits(self.facts)
        self._backoff.reset()
        self._mute.reset()
        if (
            self.settings.load_firmware
            and self._loaded != self.generation
            and needs_firmware(self.quirk, facts)
        ):
            self._loaded = self.generation
            return Trigger.NEEDS_FIRMWARE, f"{self.name}: runs on its ROM and needs its firmware"
        return Trigger.IDENTIFIED, f"{self.name}: answers"

    async def _loading(self) -> _Step:
        try:
            words = "" if self._latest is None else await load_firmware(self, self._latest)
        except FirmwareError as exc:
            if await self.command(RESET) is None:
                return self._refused(Trigger.NO_ANSWER, exc)
            return Trigger.NO_FIRMWARE, f"{exc}; it runs on its ROM"
        self.facts = self._first = None  # both may change with the firmware
        return Trigger.LOADED, words

    async def _muted(self) -> _Step:
        channel = self._open_channel()
        channel.heard.clear()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._pause_s(self._mute.delay_s())):
                await channel.heard.wait()
        await asyncio.sleep(_SETTLE_S)
        return Trigger.RETRY, f"{self.name}: asked again"

    async def _serving(self) -> _Step:
        forever: asyncio.Future[_Step] = asyncio.get_running_loop().create_future()
        return await forever

    async def _lost(self) -> _Step:
        await self._drop_channel()
        return Trigger.WAIT, self.reason

    async def _waiting(self) -> _Step:
        await asyncio.sleep(self._pause_s(self._backoff.delay_s()))
        if self.port.present():
            return self._appeared()
        self._seen_away = True
        self.error = NotFoundError(f"{self.name} is gone; plug it in again")
        return Trigger.NOT_FOUND, f"{self.name} is gone"

    # Means

    def _pause_s(self, delay_s: float) -> float:
        """The delay, taken note of for whoever looks on."""
        self.tries += 1
        self.next_try_s = asyncio.get_running_loop().time() + delay_s
        return delay_s

    def _open_channel(self) -> Channel:
        if self.channel is None:  # the states with a channel follow OPENING
            raise MuteError(f"{self.name} is not open")
        return self.channel

    async def _drop_channel(self) -> None:
        """Close it; that goes on when whoever waits for it is stopped."""
        channel, self.channel = self.channel, None
        if channel is not None:
            self._closing = asyncio.ensure_future(channel.close())
        if self._closing is not None:
            await asyncio.shield(self._closing)

    def _new_traffic(self) -> Traffic:
        stall_us = self.settings.stall_ms * 1000
        return Traffic(self.settings.timeouts, self._no_reply(), stall_us, self._listener.counts)

    def _no_reply(self) -> frozenset[int]:
        """Commands that this controller does not answer."""
        return NO_REPLY | frozenset(self.quirk.no_reply_opcodes if self.quirk else ())

    def _resets(self) -> tuple[int, ...]:
        times = self.settings.timeouts.reset
        wanted = self.quirk.reset_count if self.quirk else 0
        return times + times[-1:] * (wanted - len(times))

    async def command(
        self, opcode: int, parameters: bytes = b"", *, attempts_us: tuple[int, ...] = ()
    ) -> Reply | None:
        """The reply to a command of the bridge's own; None when there is none in time."""
        if self.channel is None:
            return None
        return await self.channel.command(opcode, parameters, attempts_us=attempts_us)


def _limits(facts: Facts) -> Limits:
    """Largest data packets that this controller may send."""
    iso = Limits().iso if facts.buffers.iso[0] else 0
    if facts.features & _NO_BR_EDR:
        return Limits(acl=max(_LARGEST_LE_DATA, facts.buffers.le[1]), iso=iso)
    return Limits(acl=max(_LARGEST_BR_DATA, facts.buffers.br[1], facts.buffers.le[1]), iso=iso)
