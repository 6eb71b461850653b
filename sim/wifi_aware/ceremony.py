"""Whole ceremonies as an initiator: coroutines that command the engines and wait for the event that answers them.

What a device does as a responder is in `answering.py`. PINs come from the person in front of the device (`sim.person`). No
bytes, no radio here.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeVar

from protocols.wifi_aware import events as ev
from protocols.wifi_aware.station import RefusedError
from sim.gatt import LinkError
from sim.wifi_aware.answering import SHOWS, WITHOUT, Answering
from sim.wifi_aware.firmware import method_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.wifi_aware.half import AwareHalf, AwareOwner

__all__ = ["AwareError", "Ceremony"]

E = TypeVar("E", bound=ev.Event)
_BOOTSTRAP_WAIT_S, _PAIRING_WAIT_S, _NIK_WAIT_S, _PATH_WAIT_S = 60.0, 20.0, 10.0, 35.0


class AwareError(LinkError):
    """Something of Wi-Fi Aware did not come about: at which step, and why."""

    def __init__(self, node: str, peer: str, step: str, why: str) -> None:
        self.step = step
        self.why = why
        super().__init__(f"{node}: {step} with {peer}: {why}")


class Ceremony(Answering):
    """Events of one device's engines, and what it does about them, in both roles."""

    def __init__(self, owner: AwareOwner, half: AwareHalf) -> None:
        super().__init__(owner, half)
        self._waiting: list[tuple[type[ev.Event], str, asyncio.Future[Any]]] = []
        self._answers[ev.DataPathCountered] = self._on_countered

    def on_event(self, event: ev.Event) -> None:
        """Answer an event, and wake who waits for it."""
        super().on_event(event)
        for kind, peer, future in self._waiting:
            if (
                isinstance(event, kind)
                and not future.done()
                and peer in ("", getattr(event, "peer", ""))
            ):
                future.set_result(event)

    async def wait_for(self, kind: type[E], peer: str, seconds: float) -> E | None:
        """The next event of a kind (of a peer, by its NMI); None when none comes in time."""
        future: asyncio.Future[E] = asyncio.get_running_loop().create_future()
        entry = (kind, peer, future)
        self._waiting.append(entry)
        try:
            return await asyncio.wait_for(future, seconds)
        except TimeoutError:
            return None
        finally:
            self._waiting.remove(entry)

    async def bootstrap(self, peer: str, handle: int, instance: int, method: int) -> None:
        """Ask for a method; returns when it is agreed. Raises AwareError."""
        engine = self.half.engine.bootstrapping
        self._do(
            "bootstrapping", peer, lambda now: engine.start(peer, handle, instance, method, now)
        )
        done = await self.wait_for(ev.BootstrapCompleted, peer, _BOOTSTRAP_WAIT_S)
        if done is None:
            raise self._error(
                peer,
                "bootstrapping",
                f"no answer to {method_name(method)} in {_BOOTSTRAP_WAIT_S:g} s",
            )
        if not done.success:
            raise self._error(peer, "bootstrapping", done.cause or f"refused, reason {done.reason}")

    async def password(self, peer: str, method: int) -> bytes:
        """What goes with a method: typed, shown, or nothing. Raises AwareError when the person refuses."""
        if method & WITHOUT:
            return b""
        if method & SHOWS:
            return self.show_pin(peer).encode()
        pin = await self.half.delegate.ask_pin(self.name(peer))
        if pin is None:
            raise self._error(peer, "PIN entry", "the person cancelled")
        return pin.encode()

    async def authenticate(
        self, peer: str, handle: int, instance: int, *, mode: str, csid: int, password: bytes = b""
    ) -> ev.PairingResult:
        """PASN as the initiator; its result. Raises AwareError."""
        self._start_pasn(peer, handle, instance, mode=mode, csid=csid, password=password)
        result = await self.wait_for(ev.PairingResult, peer, _PAIRING_WAIT_S)
        if result is None:
            self.half.command(lambda now: self.half.engine.pairing.abort(peer, now))
            raise self._error(peer, "pairing", f"no answer in {_PAIRING_WAIT_S:g} s")
        if result.status:
            raise self._error(peer, "pairing", result.cause or f"status {result.status}")
        return result

    def _start_pasn(
        self, peer: str, handle: int, instance: int, *, mode: str, csid: int, password: bytes
    ) -> None:
        engine = self.half.engine.pairing
        self._do(
            "pairing",
            peer,
            lambda now: engine.pair(
                peer, handle, instance, mode=mode, csid=csid, password=password, now=now
            ),
        )

    async def identity(self, peer: str) -> ev.NikReceived:
        """The peer's identity key. Raises AwareError when it does not come."""
        got = await self.wait_for(ev.NikReceived, peer, _NIK_WAIT_S)
        if got is None:
            raise self._error(peer, "identity keys", f"its key did not come in {_NIK_WAIT_S:g} s")
        return got

    async def open_path(
        self, peer: str, handle: int, publish_id: int, **wish: Any
    ) -> ev.DataPathConnected:
        """A data path as the initiator. Raises AwareError."""
        engine = self.half.engine.data_path
        self._do(
            "data path", peer, lambda now: engine.request(peer, handle, publish_id, **wish, now=now)
        )
        up = asyncio.ensure_future(self.wait_for(ev.DataPathConnected, peer, _PATH_WAIT_S))
        down = asyncio.ensure_future(self.wait_for(ev.DataPathEnded, peer, _PATH_WAIT_S))
        try:
            await asyncio.wait((up, down), return_when=asyncio.FIRST_COMPLETED)
            if up.done() and (connected := up.result()) is not None:
                return connected
            ended = down.result() if down.done() else None
            why = "no answer" if ended is None else ended.cause or f"reason {ended.reason}"
            raise self._error(peer, "data path", why)
        finally:
            up.cancel()
            down.cancel()

    def _on_countered(self, event: ev.DataPathCountered) -> None:
        """The responder proposes another schedule: take it or not, as the firmware has it."""
        if not self.automatic:
            return
        engine = self.half.engine.data_path
        takes = self.owner.firmware().takes_counter_proposals
        answer = engine.accept_counter if takes else engine.reject_counter
        self.half.command(lambda now: answer(event.peer, event.initiator_ndi, event.ndp_id, now))

    def _do(self, step: str, peer: str, call: Callable[[int], object]) -> None:
        try:
            self.half.command(call)
        except RefusedError as exc:
            raise self._error(peer, step, str(exc)) from None

    def _error(self, peer: str, step: str, why: str) -> AwareError:
        return AwareError(self.owner.name, self.name(peer), step, why)
