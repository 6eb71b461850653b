"""Pairing requests that an Android's app answers: onPairingSetupRequestReceived, accept, reject, too late.

Rules AA-09, AA-10, AA-42. Bootstrapping was answered by the framework before; what goes with its method, a PIN to show or to
type, is the app's business.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from sim.gatt import LinkError
from sim.wifi_aware.firmware import BITS

if TYPE_CHECKING:
    from protocols.wifi_aware import events as ev
    from sim.phones._aware_android import AwareAndroid

__all__ = ["Requests", "too_short"]

_SHOWS = BITS["pin_display"] | BITS["passphrase_display"] | BITS["qr_display"] | BITS["nfc_tag"]
_ASKS = BITS["pin_keypad"] | BITS["passphrase_keypad"] | BITS["qr_scan"] | BITS["nfc_reader"]


class _Request:
    """A pairing request of a peer."""

    def __init__(self, number: int, event: ev.PairingRequested, since_us: int) -> None:
        self.number = number
        self.event = event
        self.since_us = since_us
        self.is_answered = False


class Requests:
    """Those that wait for the app."""

    def __init__(self, phone: AwareAndroid) -> None:
        self._phone = phone
        self._open: dict[str, _Request] = {}
        """by NMI."""
        self._looking: list[asyncio.Future[None]] = []
        """who waits for one."""
        self._count = 0
        self.aliases: dict[str, str] = {}
        """NMI -> alias that the app gives to it."""

    @property
    def _passwords(self) -> dict[str, bytes]:
        return self._phone.ceremony.passwords

    def end_all(self) -> None:
        """Nothing waits any more."""
        self._open.clear()

    # The PIN

    def prepare(self, nmi: str, method: int) -> None:
        """The framework has agreed on an own method: show or ask for what goes with it."""
        self._passwords.pop(nmi, None)
        if method & _SHOWS:
            self._phone.ceremony.show_pin(nmi)
        elif method & _ASKS:
            self._phone.place.spawn(self._phone.name, self._ask(nmi))

    async def _ask(self, nmi: str) -> None:
        pin = await self._phone.aware.delegate.ask_pin(self._phone.aware.name(nmi))
        if pin is None:
            return
        self._passwords[nmi] = pin.encode()
        request = self._open.get(nmi)
        if request is not None and self._is_due(request):
            self._answer(request)

    def _is_due(self, request: _Request) -> bool:
        """Whether the app has had its time."""
        settings = self._phone.settings
        waited_us = self._phone.now_us - request.since_us
        return settings.answers_pairing != "by_command" and waited_us >= int(settings.answer_delay)

    # Requests

    def add(self, event: ev.PairingRequested) -> None:
        """onPairingSetupRequestReceived."""
        phone = self._phone
        self._count += 1
        request = self._open[event.peer] = _Request(self._count, event, phone.now_us)
        for future in self._looking:
            if not future.done():
                future.set_result(None)
        note = f"request {request.number}, {event.akm.upper()}"
        name = phone.aware.name(event.peer)
        phone.emit("pairing_request_received", peer=name, note=note, label="onPairingSetupRequestReceived")  # fmt: skip
        if phone.settings.answers_pairing != "by_command":
            phone.place.after_us(int(phone.settings.answer_delay), self._answer, request)

    def _answer(self, request: _Request) -> None:
        """The app answers as its settings say; one that needs a PIN waits until it is typed."""
        nmi = request.event.peer
        if request.is_answered:
            return
        if self._open.get(nmi) is not request:
            self._tell_late(request)
        elif self._phone.settings.answers_pairing == "reject":
            self.reject(nmi)
        elif request.event.akm != "sae" or nmi in self._passwords:
            self.accept(nmi)

    def _tell_late(self, request: _Request) -> None:
        took_s = (self._phone.now_us - request.since_us) / 1e6
        name = self._phone.aware.name(request.event.peer)
        note = f"the app answers request {request.number} after {took_s:g} s: nothing waits for it (AA-42)"
        self._phone.emit("pairing_answer_late", peer=name, note=note, rule="AA-42")

    def drop(self, nmi: str) -> bool:
        """A pairing ended; whether its request still waited for the app."""
        return self._open.pop(nmi, None) is not None

    def _waiting(self, peer: str) -> str:
        """NMI of the peer (a node or NMI; empty: the latest) whose request waits; empty when none does."""
        name = self._phone.aware.name
        found = [nmi for nmi in self._open if peer in ("", nmi, name(nmi))]
        return found[-1] if found else ""

    async def of(self, peer: str, patience_us: int) -> str:
        """NMI of the peer whose request waits for the app, once there is one. Raises LinkError."""
        loop = asyncio.get_running_loop()
        end_s = loop.time() + patience_us / 1e6
        while not (nmi := self._waiting(peer)):
            future: asyncio.Future[None] = loop.create_future()
            self._looking.append(future)
            try:
                await asyncio.wait_for(future, max(0.0, end_s - loop.time()))
            except TimeoutError:
                name, whom = self._phone.name, peer or "anybody"
                raise LinkError(f"{name}: no pairing request of {whom} waits for the app") from None
            finally:
                self._looking.remove(future)
        return nmi

    # Answers

    def _taken(self, nmi: str) -> _Request:
        request = self._open.pop(nmi)
        request.is_answered = True
        return request

    def accept(self, nmi: str, alias: str = "", password: str = "") -> None:
        """acceptPairingRequest: with the password that was given, shown or typed."""
        phone, event = self._phone, self._taken(nmi).event
        if password:
            self._passwords[nmi] = password.encode()
        self.aliases[nmi] = alias or phone.aware.name(nmi)
        octets, least = len(self._passwords.get(nmi, b"")), phone.firmware().shortest_password
        if 0 < octets < least:
            phone.explain_failure("pairing_setup_failed", nmi, too_short(octets, least), "AA-10")
            phone.ceremony.refuse(nmi)
        else:
            phone.ceremony.accept(event)

    def reject(self, nmi: str) -> None:
        """rejectPairingRequest."""
        self._taken(nmi)
        self._phone.ceremony.refuse(nmi)


def too_short(octets: int, least: int) -> str:
    """Why the firmware takes no such password (AA-10)."""
    return f"the firmware takes no password of {octets} characters, {least} are needed"
