"""What faults have done to one node: the places where its radio and its host ask before they act.

Rules of the file: an empty `Defects` changes nothing. Entries of a list act in the order in which they were put in;
`put` gives what takes one out again. No clock, no chance, no stack.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.gatt import Advert, Peer
    from sim.person import Delegate

__all__ = ["Defects", "put"]

T = TypeVar("T")


def put(entries: list[T], entry: T) -> Callable[[], None]:
    """Add `entry`; the result takes it out, harmlessly when it is out already."""
    entries.append(entry)

    def take_out() -> None:
        if entry in entries:
            entries.remove(entry)

    return take_out


class _Typing:
    """Passes everything to the person, and changes the PIN that is typed as the defects say by then."""

    def __init__(self, person: Delegate, defects: Defects) -> None:
        self._person = person
        self._defects = defects

    def new_pin(self, peer: str) -> str:
        """As the person."""
        return self._person.new_pin(peer)

    def display_pin(self, peer: str, pin: str) -> None:
        """As the person."""
        self._person.display_pin(peer, pin)

    async def ask_pin(self, peer: str) -> str | None:
        """The person's PIN, as it is typed."""
        pin = await self._person.ask_pin(peer)
        return pin if pin is None else self._defects.typed_for(pin)

    async def compare(self, peer: str, number: str) -> bool:
        """As the person."""
        return await self._person.compare(peer, number)

    async def confirm(self, peer: str) -> bool:
        """As the person."""
        return await self._person.confirm(peer)

    def cancelled(self, peer: str, why: str) -> None:
        """As the person."""
        self._person.cancelled(peer, why)


class Defects:
    """The defects of one node."""

    def __init__(self) -> None:
        self.clock_ppm = 0
        """how much too fast its radio's clock runs, in connections made from now on."""
        self.adverts: list[Callable[[Advert], Advert]] = []
        """what becomes of each advert that its firmware wants to send."""
        self.typed: list[Callable[[str], str]] = []
        """what becomes of each PIN, at the moment when the person in front of it types it."""
        self.outgoing: list[Callable[[int, bytes], tuple[bytes, int] | None]] = []
        """what becomes of an ATT or SMP PDU (channel, octets) of its host: (octets, microseconds later), None = swallowed."""
        self.connected: list[Callable[[Peer], None]] = []
        """what its firmware does when a central has connected."""
        self.on_change: Callable[[], None] | None = None
        """set by its radio: the adverts and the clock have to be looked at again."""

    def advert(self, advert: Advert) -> Advert:
        """What is sent in place of `advert`."""
        for change in self.adverts:
            advert = change(advert)
        return advert

    def person(self, person: Delegate) -> Delegate:
        """`person` as the node hears it: a PIN is what has become of it when it is typed."""
        return _Typing(person, self)

    def typed_for(self, pin: str) -> str:
        """What is typed in place of `pin`."""
        for change in self.typed:
            pin = change(pin)
        return pin

    def fate(self, channel: int, pdu: bytes) -> tuple[bytes, int] | None:
        """(octets, delay in microseconds) of an outgoing PDU, None when it is swallowed."""
        delay_us = 0
        for change in self.outgoing:
            found = change(channel, pdu)
            if found is None:
                return None
            pdu, later_us = found
            delay_us += later_us
        return pdu, delay_us

    def changed(self) -> None:
        """`adverts` or `clock_ppm` have changed."""
        if self.on_change is not None:
            self.on_change()
