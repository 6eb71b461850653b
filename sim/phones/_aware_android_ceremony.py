"""What Android's framework does with the engines: it answers by itself, asks the app, and has AOSP's patience.

Rules AA-22 to AA-25, AA-40 to AA-43, AA-47. Rules of the file: what the framework decides is decided here or by the rules; what
the app decides is asked of `Pairings` and `Networks`.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from protocols.wifi_aware import events as ev
from protocols.wifi_aware.bootstrapping_table import State
from protocols.wifi_aware.station import RefusedError
from sim.wifi_aware.ceremony import AwareError, Ceremony

if TYPE_CHECKING:
    from sim.phones._aware_android import AwareAndroid

__all__ = ["SUCCESS", "AndroidCeremony", "RuledError"]

SUCCESS = 0
"""Status of a pairing that succeeded."""
_INVALID_PMKID = 53
"""802.11 status of a verification with a key that is not known."""
_LONG_S = 86_400.0
_GRACE_S = 1.0
"""Beyond AOSP's patience, for what ends without a word."""
_OFF = "Wi-Fi Aware went off"


class RuledError(AwareError):
    """Something did not come about because of a rule of the phone itself."""

    def __init__(self, node: str, peer: str, step: str, why: str, rule: str) -> None:
        self.rule = rule
        super().__init__(node, peer, step, why)


class AndroidCeremony(Ceremony):
    """Events of the engines, and whole ceremonies as the initiator."""

    def __init__(self, phone: AwareAndroid) -> None:
        super().__init__(phone, phone.aware)
        self.automatic = False
        self._phone = phone
        self._asked_us: dict[str, int] = {}
        """NMI -> when the bootstrapping request went out that waits for its answer."""

    def on_event(self, event: ev.Event) -> None:
        """Note when requests go out; then as every device."""
        if isinstance(event, ev.Stepped) and event.after == State.WAIT.value:
            self._asked_us[event.peer] = self._phone.now_us
        super().on_event(event)

    def reset(self) -> None:
        """The power is gone: nothing is open any more, and nobody needs to wait."""
        super().reset()
        for _, _, future in self._waiting:
            if not future.done():
                future.set_result(None)

    def _on_pairing_requested(self, event: ev.PairingRequested) -> None:
        super()._on_pairing_requested(event)
        if event.peer in self.kept:
            self._phone.pairings.on_request(event)

    def _on_path_requested(self, event: ev.DataPathRequested) -> None:
        self._phone.networks.on_request(event)

    def verify(self, event: ev.PairingRequested) -> bool:
        """Answer a verification by the cache; False when it knows nobody of that NIRA, and it is rejected (AA-43)."""
        nmi, engine = event.peer, self.half.engine.pairing
        handle, instance = self._instances_for(event)
        try:
            self.half.command(
                lambda now: engine.accept(
                    nmi, handle, instance, mode="verification", csid=event.csid, now=now
                )
            )
        except RefusedError:
            self.refuse(nmi, _INVALID_PMKID)
            return False
        return True

    # As an initiator

    async def bootstrap(self, peer: str, handle: int, instance: int, method: int) -> None:
        """Ask for a method; each request has its own time limit (AA-24). Raises AwareError."""
        self._check_on(peer, "bootstrapping")
        engine = self.half.engine.bootstrapping
        self._asked_us[peer] = self._phone.now_us
        self._do(
            "bootstrapping", peer, lambda now: engine.start(peer, handle, instance, method, now)
        )
        done = await self._bootstrapped(peer)
        self._check_on(peer, "bootstrapping")
        if done is None:
            self.half.command(lambda now: engine.abort(peer, now))
            limit_us = int(self._phone.firmware().bootstrapping_timeout)
            raise self._given_up(peer, "bootstrapping", limit_us, "AA-24")
        if not done.success:
            raise self._error(
                peer, "bootstrapping", done.cause or f"rejected, reason {done.reason}"
            )

    async def _bootstrapped(self, peer: str) -> ev.BootstrapCompleted | None:
        """The end of a bootstrapping; None when a request was not answered in time."""
        limit_us = int(self._phone.firmware().bootstrapping_timeout)
        answer = asyncio.ensure_future(self.wait_for(ev.BootstrapCompleted, peer, _LONG_S))
        try:
            while True:
                left_us = limit_us
                if not self.half.on:
                    return None
                if self.half.engine.bootstrapping.state_of(peer) is State.WAIT:
                    left_us -= self._phone.now_us - self._asked_us[peer]
                if limit_us and left_us <= 0:
                    return None
                wait_s = left_us / 1e6 if limit_us else _LONG_S
                await asyncio.wait((answer,), timeout=wait_s)
                if answer.done():
                    return answer.result()
        finally:
            answer.cancel()

    async def authenticate(
        self, peer: str, handle: int, instance: int, *, mode: str, csid: int, password: bytes = b""
    ) -> ev.PairingResult:
        """PASN as the initiator; its result, or the end of AOSP's patience (AA-23). Raises AwareError."""
        self._check_on(peer, "pairing")
        self._start_pasn(peer, handle, instance, mode=mode, csid=csid, password=password)
        limit_us, began_us = int(self._phone.firmware().auth_timeout), self._phone.now_us
        wait_s = limit_us / 1e6 + _GRACE_S if limit_us else _LONG_S
        result = await self.wait_for(ev.PairingResult, peer, wait_s)
        if result is not None and result.status == SUCCESS:
            return result
        self._check_on(peer, "pairing")
        if limit_us and self._phone.now_us - began_us >= limit_us:
            raise self._given_up(peer, "pairing", limit_us, "AA-23")
        why = "no answer" if result is None else result.cause or f"status {result.status}"
        raise self._error(peer, "pairing", why)

    def _check_on(self, peer: str, step: str) -> None:
        if not self.half.on:
            raise self._error(peer, step, _OFF)

    def _given_up(self, peer: str, step: str, limit_us: int, rule: str) -> RuledError:
        why = f"no answer in {limit_us / 1e6:g} s"
        return RuledError(self.owner.name, self.name(peer), step, why, rule)
