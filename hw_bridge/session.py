"""A controller that is opened, lost and opened again, and its one client, who always gets an answer.

Digest 8: loss contract, generations, back-pressure. Rules of the file: nothing waits for ever; nothing is dropped
without being counted; while the controller is not in use the client is refused at once, in the form that the command
has; old state is never replayed to a controller that came back.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, Any, Final

from hw_bridge.client import Client, Notice, NoticeKind, Tap
from hw_bridge.errors import BusyError, MuteError
from hw_bridge.lifecycle import Lifecycle, SessionSettings
from hw_bridge.outbox import Outbox
from hw_bridge.session_steps import ask_restart, hints, why_not, wind_down
from hw_bridge.states import SERVING, State, Transition, Trigger
from hw_bridge.transports import port_for
from protocols.hci.framing import COMMAND, EVENT, Skipped, is_whole
from protocols.hci.replies import (
    NO_REPLY,
    RESET,
    Reply,
    command,
    failure,
    hardware_error,
    opcode_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from hw_bridge.channel import Channel
    from hw_bridge.errors import LostError
    from hw_bridge.link import Port
    from hw_bridge.traffic import Note
    from protocols.errors import NearbenchError

__all__ = ["Client", "Notice", "Session", "SessionSettings", "Tap"]

_KEPT_NOTES: Final = 200
_KEPT_SKIPS: Final = 64
_MOVES: Final = {
    "reset": (Trigger.RESET_DONE, ""),
    "crash": (Trigger.NO_ANSWER, "; only a hardware reset helps"),
    "restarted": (Trigger.RESTARTED, ""),
    "degrade": (Trigger.TROUBLE, "; a Reset is due"),
    "hardware-error": (Trigger.TROUBLE, "; a Reset is due"),
}
"""What a note does to the state by itself, and what is added to its words."""


class Session:
    """One controller by moniker (or port); `start` it, `attach` a client, `send` packets, `close` it."""

    def __init__(
        self, moniker: str, *, settings: SessionSettings | None = None, port: Port | None = None
    ) -> None:
        self.settings = settings or SessionSettings()
        self.counts: Counter[str] = Counter()
        """What was dropped, skipped or went wrong, by reason."""
        self.notes: deque[tuple[int, str, str]] = deque(maxlen=_KEPT_NOTES)
        """(t_us, kind, text) of what happened lately; repetitions are in `counts`."""
        self.skipped: deque[Skipped] = deque(maxlen=_KEPT_SKIPS)
        """Octets that were no packet, lately."""
        self.life = Lifecycle(moniker, port or port_for(moniker), self.settings, self)
        self._outbox = Outbox(self.settings.outbox_packets, self.settings.outbox_octets)
        self._client: Client | None = None
        self._taps: list[Tap] = []
        self._awaiting_reset = False
        self._owes_return = False
        self.began_us = 0
        """What its times are told from, by the loop's clock: its start, or the beginning of the world it is in."""
        self.was_in_use = False
        """Whether it was READY or DEGRADED at any time."""
        self._crowded = False
        """The client was told to wait for `on_room` because it does not read."""
        self._slow: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._asking = False
        self._tasks: set[asyncio.Task[None]] = set()

    # Life

    @property
    def state(self) -> State:
        """Where the session is."""
        return self.life.state

    @property
    def generation(self) -> int:
        """Grows with every opening and every Reset of the client."""
        return self.life.generation

    def start(self) -> None:
        """Begin to look for the controller; returns at once."""
        self.began_us = round(asyncio.get_running_loop().time() * 1e6)
        self._in_background(self.life.run())

    async def ready(self, timeout_s: float = 10.0) -> None:
        """Wait until it is in use. Raises what keeps it from that: BusyError, AccessError, MuteError, ..."""
        hopeless = (State.BLOCKED, State.MUTE, State.CLOSED)
        await self.wait_for(*SERVING, *hopeless, timeout_s=timeout_s)
        if self.state not in SERVING:
            raise self.why_not()

    def why_not(self) -> NearbenchError:
        """What keeps it from being in use, as something to raise."""
        return why_not(self.life)

    async def wait_for(self, *states: State, timeout_s: float = 10.0) -> State:
        """Wait for one of `states`; without one in time, or once closed, the state it is in."""
        try:
            async with asyncio.timeout(timeout_s):
                while self.state not in states and self.state is not State.CLOSED:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            pass
        return self.state

    async def close(self) -> None:
        """Leave the controller as after a Reset, and give everything back; bounded in time."""
        if self.state in SERVING and self.life.port.needs_probe:
            await wind_down(self.life, self.settings.close_ms / 1000)
        if not self.was_in_use and self.life.error is None and self.state is not State.CLOSED:
            self.life.error = self.why_not()
        await self.life.stop()
        self.detach()
        for task in [*self._tasks]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def command(self, opcode: int, parameters: bytes = b"") -> Reply:
        """The reply to a command beside the client's own. Raises MuteError."""
        reply = await self.life.command(opcode, parameters) if self.state in SERVING else None
        if reply is None:
            raise MuteError(
                f"{self.life.name}: no reply to command {opcode:#06x}; {self.life.reason}"
            )
        return reply

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self._note("error", f"{type(error).__name__}: {error}")
            self.life.move(Trigger.CLOSE, f"a fault in the bridge: {error}")

    # Client

    def attach(self, client: Client) -> None:
        """Make `client` the one client. Raises BusyError."""
        if self._client is not None:
            raise BusyError(f"{self.life.name} has a client; it serves one at a time")
        self._client = client

    def detach(self, client: Client | None = None) -> None:
        """The client leaves: the controller is reset, and nothing of the old one reaches a new one."""
        if self._client is None or client not in (None, self._client):
            return
        self._client = None
        self._awaiting_reset = self._owes_return = self._crowded = False
        self._count("packets for a client that left", self._outbox.clear())
        self._stop_slow_timer()
        channel = self.life.channel
        if channel is not None and self.state in SERVING:
            self.life.generation += 1
            channel.traffic.disown()
            channel.traffic.resetting = True
            channel.traffic.submit_own(command(RESET), channel.now, self._after_detach)
            channel.release()
            channel.pump()

    def _after_detach(self, reply: Reply | None) -> None:
        if reply is None and self.life.channel is not None and self.state in SERVING:
            self.life.move(Trigger.NO_ANSWER, hints(self, self.life.channel))

    def send(self, packet: bytes) -> bool:
        """Take an H4 packet of the client; False when it should wait for `on_room` before the next."""
        if not is_whole(packet) or packet[0] == EVENT:
            self._count("malformed packets of the client")
            return True
        if self._outbox.full and packet[0] == COMMAND:
            self._count("commands of a client that does not read")
            self._crowded = True
            return False
        is_reset = packet[0] == COMMAND and opcode_of(packet) == RESET
        channel = self.life.channel
        if channel is None or self.state not in SERVING or (self._awaiting_reset and not is_reset):
            self._refuse(packet)
            return True
        if is_reset:
            self.life.generation += 1
            self._awaiting_reset = False
        now = channel.now
        for tap in self._taps:
            tap.on_packet(packet, sent=True, t_us=now)
        answer = channel.traffic.from_host(packet, now)
        if answer is not None:
            asyncio.get_running_loop().call_soon(self._deliver, answer)
        if packet[0] == COMMAND:
            channel.pump()
        else:
            channel.pump_soon()
        return channel.has_room()

    def _refuse(self, packet: bytes) -> None:
        """Answer at once for a controller that cannot."""
        if packet[0] != COMMAND:
            self._count("data while the controller was not in use")
            return
        self._count("commands refused while the controller was not in use")
        if opcode_of(packet) not in NO_REPLY:
            answer = failure(opcode_of(packet))
            asyncio.get_running_loop().call_soon(self._deliver, answer)

    def client_ready(self) -> None:
        """The client has room again."""
        client = self._client
        while client is not None and len(self._outbox) and self._give(client, self._outbox.first()):
            self._outbox.pop()
            self._stop_slow_timer()
        self._watch(client)
        if self._outbox.full:
            return
        if self.life.channel is not None:
            self.life.channel.release()
        if self._crowded:
            self._crowded = False
            self.on_room()

    def _deliver(self, packet: bytes) -> bool:
        """Give a packet to the client; False when reading should stop until it has room."""
        client = self._client
        if client is None:
            self._count("packets without a client")
            return True
        if not len(self._outbox) and self._give(client, packet):
            return True
        channel = self.life.channel
        droppable = channel is not None and channel.traffic.activity.is_report(packet)
        self._outbox.put(packet, droppable=droppable)
        self._watch(client)
        return droppable or not self._outbox.full

    def _watch(self, client: Client | None) -> None:
        """From now on a client whose queue is full has so long to take something."""
        if client is not None and self._outbox.full and self._slow is None:
            self._slow = asyncio.get_running_loop().call_later(
                self.settings.slow_client_ms / 1000, self._drop_client, client
            )

    def _give(self, client: Client, packet: bytes) -> bool:
        try:
            return client.on_packet(packet)
        except Exception as exc:  # noqa: BLE001 # a client's fault must not stop the reader
            self._note("client", f"the client raised {type(exc).__name__}: {exc}")
            return True

    def _drop_client(self, client: Client) -> None:
        self._slow = None
        limit_s = self.settings.slow_client_ms / 1000
        text = f"the client took nothing for {limit_s:g} s and was dropped"
        self._note("dropped", text)
        self._tell("dropped", text)
        self.detach(client)

    def _stop_slow_timer(self) -> None:
        if self._slow is not None:
            self._slow.cancel()
            self._slow = None

    def _tell(self, kind: NoticeKind, text: str, was_on: tuple[str, ...] = ()) -> None:
        if self._client is not None:
            state, generation = self.state, self.generation
            self._client.on_notice(
                Notice(kind=kind, text=text, state=state, generation=generation, was_on=was_on)
            )

    # Listener of the life and keeper of its channel

    def on_state(self, before: State, transition: Transition) -> None:
        """The state changed: carry out the loss contract, or say that it is back."""
        self._changed.set()
        self.was_in_use = self.was_in_use or transition.state in SERVING
        for tap in self._taps:
            tap.on_transition(transition)
        self._tell("state", transition.reason)
        if before in SERVING and transition.state not in SERVING:
            self._lose(transition.reason)
        elif before not in SERVING and transition.state in SERVING and self._owes_return:
            self._owes_return, self._awaiting_reset = False, True
            self._deliver(hardware_error())
            self._tell("returned", "the controller is back: Reset it and begin anew")

    def _lose(self, reason: str) -> None:
        channel = self.life.channel
        if channel is None:
            return
        loss = channel.traffic.lose()
        for packet in loss.packets:
            self._deliver(packet)
        self._owes_return = self._client is not None
        self._tell("lost", reason, loss.was_on)
        channel.release()

    def on_packet(self, packet: bytes) -> bool:
        """A packet for the client."""
        if self.state not in SERVING or self._awaiting_reset:
            self._count("packets while the controller was not in use")
            return True
        channel = self.life.channel
        if self._taps and channel is not None:
            for tap in self._taps:
                tap.on_packet(packet, sent=False, t_us=channel.now)
        return self._deliver(packet)

    def on_skipped(self, skipped: Skipped) -> None:
        """Octets that were no packet."""
        self.skipped.append(skipped)
        if self.state is State.READY:
            self.life.move(
                Trigger.TROUBLE, "octets that are no packet were skipped; a Reset is due"
            )

    def on_note(self, note: Note) -> None:
        """Something to act on."""
        channel = self.life.channel
        if note.kind != "reset":
            self._note(note.kind, note.text)
        if note.kind in _MOVES:
            trigger, advice = _MOVES[note.kind]
            self.life.move(trigger, note.text + advice)
        elif channel is None or self.state not in SERVING:
            return
        elif note.kind == "mute":
            self.life.move(Trigger.NO_ANSWER, hints(self, channel))
        elif note.kind == "restart" and not self._asking:
            self._asking = True
            self._in_background(self._ask_restart(channel, note.text))

    async def _ask_restart(self, channel: Channel, reason: str) -> None:
        try:
            await ask_restart(self.life, channel, reason)
        finally:
            self._asking = False

    def on_lost(self, channel: Channel, error: LostError) -> None:
        """The link is gone."""
        if channel is self.life.channel:
            self.life.error = error
            self.life.move(Trigger.LOST, str(error))

    def on_octets(self, octets: bytes, *, sent: bool, t_us: int) -> None:
        """Octets as they went over the line."""
        for tap in self._taps:
            tap.on_octets(octets, sent=sent, t_us=t_us)

    def on_room(self) -> None:
        """The client may send again."""
        if self._client is not None:
            self._client.on_room()

    def hints(self, channel: Channel) -> str:
        """Why a controller may be mute."""
        return hints(self, channel)

    # Looking on

    def tap(self, tap: Tap) -> Callable[[], None]:
        """Let `tap` look on; returns what ends that."""
        self._taps.append(tap)

        def stop() -> None:
            if tap in self._taps:
                self._taps.remove(tap)

        return stop

    def counters(self) -> Counter[str]:
        """Everything that was dropped or went wrong so far, by reason."""
        found = Counter(self.counts)
        found["advertising reports dropped"] = self._outbox.dropped_reports
        return +found

    def _count(self, reason: str, number: int = 1) -> None:
        if number:
            self.counts[reason] += number

    def _note(self, kind: str, text: str) -> None:
        self._count(f"{kind} notes")
        if all(note[1:] != (kind, text) for note in self.notes):
            t_us = round(asyncio.get_running_loop().time() * 1e6)
            self.notes.append((t_us, kind, text))
            self._tell("note", text)
