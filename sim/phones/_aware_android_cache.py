"""The pairing cache of an Android's framework: aliases, whom a NIRA belongs to, what was verified just now.

Rules AA-44 to AA-46. The keys are in the half's identities, by place; here is what apps are told of them. Nothing is sent.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sim.phones._aware_android import AwareAndroid

__all__ = ["PairingCache"]

_FRESH_US = 5_000_000
"""How long the keys of a pairing or verification are taken for good, while no data path uses them (ours)."""


class PairingCache:
    """The paired devices of one app."""

    def __init__(self, phone: AwareAndroid) -> None:
        self._phone = phone
        self.aliases: dict[str, int] = {}
        """alias -> place of its keys."""
        self._places: dict[str, int] = {}
        """NMI -> place of its keys, as its NIRA said last."""
        self._fresh: dict[str, int] = {}
        """NMI -> when the pairing or verification with it was done."""

    # Whom an address belongs to

    def seen(self, nmi: str, place: int) -> None:
        """The peer at that address has these keys."""
        self._places[nmi] = place

    def place_of(self, nmi: str) -> int | None:
        """Place of the keys of the peer at that address, None when it is a stranger."""
        return self._places.get(nmi)

    def alias_of(self, place: int | None) -> str:
        """getPairedAlias: empty when there is none (AA-46)."""
        if not self._phone.keeps("AA-46"):
            return ""
        return next((alias for alias, at in self.aliases.items() if at == place), "")

    def keep(self, alias: str, nmi: str, place: int) -> None:
        """A pairing is in the cache; one with the same keys is replaced."""
        self.aliases = {name: at for name, at in self.aliases.items() if at != place}
        self.aliases[alias] = place
        self.seen(nmi, place)

    # What was verified

    def mark(self, nmi: str) -> None:
        """A pairing or verification with that peer is done."""
        self._fresh[nmi] = self._phone.now_us

    def is_fresh(self, nmi: str) -> bool:
        """Whether a data path can follow at once, without another verification."""
        done_us = self._fresh.get(nmi)
        return done_us is not None and self._phone.now_us - done_us < _FRESH_US

    def stale(self) -> None:
        """The phone is off or has another address: nothing is verified."""
        self._fresh.clear()

    # Forgetting

    def remove(self, alias: str) -> list[str]:
        """removePairedDevice: the aliases that are gone, which may be more than the one (AA-45)."""
        if alias not in self.aliases:
            return []
        gone = list(self.aliases) if self._phone.keeps("AA-45") else [alias]
        for name in gone:
            place = self.aliases.pop(name)
            self._places = {nmi: at for nmi, at in self._places.items() if at != place}
            self._phone.aware.forget(place)
        return gone

    def forget_all(self) -> int:
        """The cache is lost; how many pairings."""
        self.aliases.clear()
        self._places.clear()
        return self._phone.aware.forget()
