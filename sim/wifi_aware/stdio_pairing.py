"""Commands of a node on a line about pairing: ask, answer, type a PIN, give up, remember, forget."""

from __future__ import annotations

import contextlib
import functools
from typing import Any, Literal

from protocols.errors import UsageError
from protocols.wifi_aware import events as ev
from protocols.wifi_aware.station import RefusedError
from sim.device import command
from sim.wifi_aware.firmware import BITS, Method
from sim.wifi_aware.stdio_base import NodeBase, What, octets_of, path_terms

__all__ = ["PairingCommands"]

Mode = Literal["", "sae", "opportunistic", "verification"]
_WITHOUT = BITS["opportunistic"]
_NDP_REJECTED = 10


class PairingCommands(NodeBase):
    """Bootstrapping, pairing, identities, and yes or no to whatever a peer asks."""

    @command
    async def bootstrap(
        self, peer: str = "", method: Method = "pin_keypad", handle: int = 0, instance: int = 0
    ) -> None:
        """Ask a peer to pair by an own method; `bootstrap_completed` tells its answer."""
        nmi = self.peer(peer)
        own, theirs = self.instances(nmi, handle, instance)
        self.half.command(
            lambda now: self.engine.bootstrapping.start(nmi, own, theirs, BITS[method], now)
        )

    @command
    async def pair(
        self,
        peer: str = "",
        pin: str = "",
        mode: Mode = "",
        csid: int = 7,
        handle: int = 0,
        instance: int = 0,
    ) -> None:
        """Pair as the initiator by what was agreed on, or verify; without `pin` it is shown or asked for."""
        nmi = self.peer(peer)
        own, theirs = self.instances(nmi, handle, instance)
        chosen, method = self._mode(nmi, mode), self.engine.station.peer(nmi).method
        password = pin.encode()
        if chosen == "sae" and not pin:
            if not method:
                raise UsageError("pair: nothing was agreed on: bootstrap first, or give a pin")
            password = await self.half.ceremony.password(nmi, method)
        self.half.command(
            lambda now: self.engine.pairing.pair(
                nmi, own, theirs, mode=chosen, csid=csid, password=password, now=now
            )
        )

    def _mode(self, nmi: str, given: Mode) -> str:
        if given:
            return given
        peer = self.engine.station.peer(nmi)
        if not peer.method and self.half.identity_of(nmi) is not None:
            return "verification"
        return "opportunistic" if peer.method == _WITHOUT else "sae"

    @command
    async def enter_pin(self, pin: str) -> None:
        """Type the PIN that is asked for."""
        person = self.node.device.person
        if person.question is None or person.question.kind != "pin":
            raise UsageError("no PIN is asked for")
        person.answer(pin)

    @command
    async def accept(
        self,
        peer: str = "",
        what: What = "",
        pin: str = "",
        mode: Mode = "",
        csid: int = 0,
        handle: int = 0,
        instance: int = 0,
        passphrase: str = "",
        pmk: str = "",
        service_info: str = "",
        interface_id: str = "",
        gtk_csid: int = 0,
    ) -> dict[str, Any]:
        """Say yes to what a peer asks: bootstrapping, pairing or a data path; else be ready for its Auth1."""
        found = self.pending(peer, what)
        match found:
            case ev.BootstrapRequested():
                self.half.ceremony.authorize(found)
            case ev.DataPathRequested():
                given = path_terms(passphrase, pmk, service_info, interface_id, gtk_csid)
                self.answer_path(found, csid=csid or found.csid, **given)
            case _:
                self._accept_pairing(peer, found, pin, mode, csid, handle, instance)
        self.node.acquaintance.answered(found)
        return {"accepted": "auth1" if found is None else found.kind}

    def _accept_pairing(
        self,
        peer: str,
        found: ev.PairingRequested | None,
        pin: str,
        mode: Mode,
        csid: int,
        handle: int,
        instance: int,
    ) -> None:
        nmi = self.peer(peer) if found is None else found.peer
        own, theirs = self.instances(nmi, handle, instance)
        chosen: str = mode or (self._mode(nmi, "") if found is None else mode_of(found))
        suite = csid or (7 if found is None else found.csid)
        password = pin.encode() or self.half.ceremony.passwords.get(nmi, b"")
        self.half.command(
            lambda now: self.engine.pairing.accept(
                nmi, own, theirs, mode=chosen, csid=suite, password=password, now=now
            )
        )

    @command
    async def reject(self, peer: str = "", what: What = "", reason: int = 0) -> dict[str, Any]:
        """Say no to what a peer asks, or to what the person is asked; `reason` or status as the frame has it."""
        found, person = self.pending(peer, what), self.node.device.person
        match found:
            case ev.BootstrapRequested():
                self.half.command(
                    lambda now: self.engine.bootstrapping.reject(found.peer, now, reason or 13)
                )
            case ev.PairingRequested():
                self.half.command(
                    lambda now: self.engine.pairing.refuse(found.peer, now, reason or 1)
                )
            case ev.DataPathRequested():
                self.answer_path(found, accept=False, reason=reason or _NDP_REJECTED)
            case None:
                if person.question is None:
                    raise UsageError("nothing is asked")
        if person.question is not None:
            person.answer(None if person.question.kind == "pin" else False)
        self.node.acquaintance.answered(found)
        return {"rejected": "question" if found is None else found.kind}

    @command
    async def manual(self, on: bool = True) -> None:
        """Answer nothing by itself from now on: `accept` and `reject` do."""
        self.half.ceremony.automatic = not on

    @command
    async def abort(self, peer: str = "") -> None:
        """Give up bootstrapping and pairing with a peer."""
        nmi = self.peer(peer)
        for give_up in (self.engine.bootstrapping.abort, self.engine.pairing.abort):
            with contextlib.suppress(RefusedError):  # nothing of that kind goes on
                self.half.command(functools.partial(give_up, nmi))

    @command
    async def unpair(self, peer: str = "") -> None:
        """End a pairing; the identity stays."""
        nmi = self.peer(peer)
        self.half.command(lambda now: self.engine.pairing.unpair(nmi, now))

    @command
    async def remember(self, nik: str, npk: str, akm: Literal["sae", "pasn"] = "sae") -> None:
        """Know a device by its identity key (16 octets, hex) and the NPK of its pairing (32 octets, hex)."""
        keys = octets_of(nik, "nik"), octets_of(npk, "npk")
        if tuple(map(len, keys)) != (16, 32):
            raise UsageError("remember: nik has 16 octets, npk has 32")
        self.half.command(lambda now: self.engine.pairing.add_identity(*keys, akm, now))
        self.half.identities = dict(self.engine.station.identities)

    @command
    async def forget(self, peer: str = "") -> dict[str, Any]:
        """Forget the pairing with a peer, or all pairings."""
        place = None if not peer else self.half.identity_of(self.peer(peer))
        return {"forgotten": 0 if peer and place is None else self.half.forget(place)}


def mode_of(request: ev.PairingRequested) -> str:
    """How the sender of an Auth1 wants to pair."""
    if request.pmkids:
        return "verification"
    return "sae" if request.akm == "sae" else "opportunistic"
