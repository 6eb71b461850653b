"""The commands of an Android about Wi-Fi Aware, in the words of its API.

Rules AA-xx; what a command does is in the parts (`_aware_android_*.py`). A publish, subscribe or attach that is refused is an event,
as in the callbacks of the API; what was asked of a peer and did not come about fails the step too.
"""

from __future__ import annotations

from typing import Literal

from protocols.errors import UsageError
from sim.device import command
from sim.phones import _aware_android_traffic as traffic
from sim.phones._aware_android import AwareAndroid
from sim.phones._aware_android_pairing import PairWish
from sim.phones._aware_android_sessions import Ask, Session
from sim.phones._aware_android_settings import (
    Cipher,  # noqa: TC001  # commands read their annotations
    PairingConfig,  # noqa: TC001  # likewise
    RadioUse,  # noqa: TC001  # likewise
)
from sim.phones._aware_android_traffic import NetworkWish
from sim.units import Duration
from sim.wifi_aware.firmware import BITS, Method

__all__ = ["AwareAndroidCommands"]

_PATIENCE = Duration(30_000_000)
Role = Literal["initiator", "responder"]
_PORTS = 65_535


class AwareAndroidCommands(AwareAndroid):
    """Base of Androids: what apps, people and the system do with Wi-Fi Aware."""

    # Sessions

    @command
    async def aware_attach(self) -> None:
        """WifiAwareManager.attach; a publish or subscribe attaches by itself."""
        self.attach()

    @command
    async def aware_detach(self) -> None:
        """Close the app's Wi-Fi Aware session: publishes, subscribes and networks end with it."""
        if self.aware.on:
            self.switch_off("closed by the app", "")

    @command
    async def aware_publish(
        self,
        service: str,
        pairing: PairingConfig | None = None,
        info: str = "",
        passphrase: str = "",
        pmk: str = "",
        solicited: bool = False,
    ) -> None:
        """Publish: `pairing` is the AwarePairingConfig, `passphrase` or `pmk` (hex) secures data paths, `info` is hex."""
        given = {"info": self._octets("aware_publish", "info", info), "pmk": self._octets("aware_publish", "pmk", pmk)}  # fmt: skip
        ask = Ask(kind="publish", service=service, pairing=pairing, passphrase=passphrase, solicited=solicited, **given)  # fmt: skip
        self.sessions.start(ask)

    @command
    async def aware_subscribe(
        self,
        service: str,
        pairing: PairingConfig | None = None,
        info: str = "",
        active: bool = False,
    ) -> None:
        """Subscribe: `pairing` is the AwarePairingConfig; `active` = true asks for publishers."""
        octets = self._octets("aware_subscribe", "info", info)
        ask = Ask(kind="subscribe", service=service, pairing=pairing, info=octets, solicited=active)
        self.sessions.start(ask)

    @command
    async def aware_wait(self, peer: str, timeout: Duration = _PATIENCE) -> None:  # noqa: ASYNC109  # simulated time, as users write it
        """Wait until a session has met `peer`: a node, an alias, a handle (#1) or an address."""
        await self.sessions.meet(peer, timeout)

    @command
    async def aware_message(
        self, to: str, hex: str, wait: bool = True, patience: Duration = _PATIENCE  # noqa: A002  # what users write
    ) -> None:  # fmt: skip
        """sendMessage: octets given as `hex` to a peer; `wait` = false does not wait for what becomes of it."""
        octets = self._octets("aware_message", "hex", hex)
        peer = await self.sessions.meet(to, patience)
        await self.sessions.messages.send(peer, octets, wait=wait)

    # Pairing

    @command
    async def aware_pair(
        self,
        to: str,
        method: Method | Literal[""] = "",
        alias: str = "",
        pin: str = "",
        cipher: Cipher = "pk_pasn_128",
        patience: Duration = _PATIENCE,
    ) -> None:
        """Initiate bootstrapping with one of the peer's methods, then pairing; `pin` is the password, else a person types it.

        `alias` is what the framework keeps the pairing under: the node when empty.
        """
        bit = BITS[method] if method else 0
        wish = PairWish(method=bit, alias=alias, password=pin, cipher=cipher)
        await self.pairings.pair(await self.sessions.meet(to, patience), wish)

    @command
    async def accept_pairing(
        self, peer: str = "", alias: str = "", pin: str = "", timeout: Duration = _PATIENCE  # noqa: ASYNC109  # likewise
    ) -> None:  # fmt: skip
        """The app accepts a pairing request (acceptPairingRequest); waits until there is one."""
        self.pairings.requests.accept(
            await self.pairings.requests.of(peer, int(timeout)), alias, pin
        )

    @command
    async def reject_pairing(self, peer: str = "", timeout: Duration = _PATIENCE) -> None:  # noqa: ASYNC109  # likewise
        """The app rejects a pairing request (rejectPairingRequest); waits until there is one."""
        self.pairings.requests.reject(await self.pairings.requests.of(peer, int(timeout)))

    @command
    async def remove_paired(self, alias: str) -> None:
        """removePairedDevice: forget a paired device by its alias, and in AOSP of 2024 all others too (AA-45)."""
        gone = self.pairings.cache.remove(alias)
        others = [one for one in gone if one != alias]
        if not gone:
            self.emit("nothing_to_forget", note=f"no paired device is called {alias!r}")
            return
        more = f", and with it {', '.join(map(repr, others))} (AA-45)" if others else ""
        rule = "AA-45" if others else ""
        self.emit("paired_removed", note=f"{alias!r}{more}", rule=rule, aliases=gone)

    # Networks

    @command
    async def request_network(
        self,
        to: str = "",
        role: Role = "initiator",
        passphrase: str = "",
        pmk: str = "",
        port: int = 0,
        protocol: Literal["tcp", "udp"] = "udp",
        patience: Duration = _PATIENCE,
    ) -> None:
        """requestNetwork: open a data path to `to`, or (`role` = "responder") accept those of `to`, of any peer when empty.

        `port` and `protocol` are what a responder tells of its service, and what an initiator takes that is told nothing;
        `pmk` is hex. A subscriber initiates, a publisher responds.
        """
        if not 0 <= port <= _PORTS:
            raise UsageError(f"{self.name}.request_network: port {port}: give 0 to {_PORTS}")
        octets = self._octets("request_network", "pmk", pmk)
        wish = NetworkWish(passphrase=passphrase, pmk=octets, port=port, protocol=protocol)
        if role == "responder":
            self.networks.wait(self._publish(), await self._nmi_of(to), wish)
        elif to:
            await self.networks.request(await self.sessions.meet(to, patience), wish)
        else:
            raise UsageError(f"{self.name}.request_network: an initiator needs to: name the peer")

    def _publish(self) -> Session:
        session = self.sessions.latest("publish")
        if session is None:
            raise UsageError(f"{self.name}.request_network: a responder publishes first: aware_publish")  # fmt: skip
        return session

    @command
    async def release_network(self, peer: str = "") -> None:
        """unregisterNetworkCallback: end the network with `peer`, or all of them."""
        if not self.networks.release(await self._nmi_of(peer)):
            self.emit("nothing_to_release", note=f"no network with {peer or 'anybody'}")

    @command
    async def aware_send(
        self,
        text: str = "",
        hex: str = "",  # noqa: A002  # what users write
        to: str = "",
        timeout: Duration = _PATIENCE,  # noqa: ASYNC109  # simulated time, as users write it
    ) -> None:
        """Send a text, or octets, over the latest network (or that with `to`)."""
        octets = self._octets("aware_send", "hex", hex) if hex else text.encode()
        network = self.networks.with_peer(await self._nmi_of(to))
        await traffic.send(self, network, octets, timeout / 1e6)

    @command
    async def aware_receive(self, to: str = "", timeout: Duration = _PATIENCE) -> None:  # noqa: ASYNC109  # likewise
        """Wait for data on the latest network (or that with `to`)."""
        network = self.networks.with_peer(await self._nmi_of(to))
        await traffic.receive(self, network, timeout / 1e6)

    async def _nmi_of(self, peer: str) -> str:
        return (await self.sessions.meet(peer, _PATIENCE)).nmi if peer else ""

    # The system

    @command
    async def use_radio(self, by: RadioUse) -> None:
        """Wi-Fi is switched off, or SoftAP, Wi-Fi Direct or tethering take the radio; free gives it back (AA-01)."""
        self.radio_use = by
        self.availability_changed()

    @command
    async def doze(self, on: bool) -> None:
        """The phone enters or leaves Doze, which disables Wi-Fi Aware (AA-29)."""
        self.is_dozing = on
        self.emit("doze", note="on" if on else "off", label=f"Doze {'on' if on else 'off'}")
        self.availability_changed()

    @command
    async def instant_mode(self, on: bool = True) -> None:
        """Instant communication mode: awake on channel 6 for 30 s, whatever the screen says (AA-31)."""
        self.is_instant = on
        self._instant_until_us = self.now_us + int(self.settings.aware.instant_time)
        self._tell_instant()
        self.power_changed()
        if on:
            self.place.after_us(int(self.settings.aware.instant_time), self._instant_over)

    def _instant_over(self) -> None:
        if self.is_instant and self.now_us >= self._instant_until_us:
            self.is_instant = False
            self._tell_instant()
            self.power_changed()

    def _tell_instant(self) -> None:
        words = "on" if self.is_instant else "off"
        note = f"instant communication mode {words} (AA-31)"
        self.emit("instant_mode", note=note, label=f"instant mode {words}", rule="AA-31")

    @command
    async def reboot(self) -> None:
        """The phone restarts: apps and connections are gone, and pairings that are kept in memory (AA-44)."""
        await self.stop_scan()
        for connection in list(self._connections.values()):
            await connection.link.disconnect()
        self.emit("reboot", note="the phone restarts", label="restarts")
        if self.aware.on:
            self.switch_off("the phone restarts", "")
        self.is_dozing = self.is_instant = False
        if self.settings.pairing_cache == "memory" and self.keeps("AA-44"):
            self._lose_pairings()

    def _lose_pairings(self) -> None:
        count = self.pairings.cache.forget_all()
        self.aware.flash.nik = b""
        if count:
            note = f"{count} forgotten, its own identity key is a new one (AA-44)"
            self.emit("pairings_lost", note=note, label="pairings lost", rule="AA-44")

    # Arguments

    def _octets(self, where: str, what: str, text: str) -> bytes:
        try:
            return bytes.fromhex(text)
        except ValueError:
            raise UsageError(f"{self.name}.{where}: {what}: {text!r} is not hexadecimal") from None
