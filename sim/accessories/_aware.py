"""What all Wi-Fi Aware accessories have in common: a publish, a ceremony, data paths, a memory for pairings.

Such an accessory has no Bluetooth. Its settings are those of `Firmware`, of the person in front of it and of what it
serves; a subclass narrows the defaults and overrides `on_...` methods. Sources: Wi-Fi Aware 4.0; ESP-IDF and hostap for
what firmware does.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Literal

from protocols.errors import UsageError
from protocols.wifi_aware import events as ev
from protocols.wifi_aware.station import RefusedError
from sim.accessories import Accessory
from sim.accessories._aware_serving import serve
from sim.device import command
from sim.units import Duration
from sim.wifi_aware.firmware import Firmware

if TYPE_CHECKING:
    from sim.device import Settings
    from sim.wifi_aware.half import AwareHalf

__all__ = ["AwareAccessory", "AwareSettings"]

_NDP_REJECTED, _SECURITY_POLICY = 10, 8
_PIN_DIGITS = 6


class AwareSettings(Firmware, frozen=True, kw_only=True):
    """Settings of every Wi-Fi Aware accessory."""

    port: int = 7000
    """port that it serves over a data path, by UDP and TCP, and tells of (0: none)."""
    datagrams: Literal["echo", "counter"] = "echo"
    """what answers a datagram: the same octets, or how many have come."""
    greeting: str = "hello\n"
    """text that begins each stream; what comes then is sent back."""
    pin: str = ""
    """PIN it displays, six digits; drawn anew for each pairing when empty."""
    person: Literal["policy", "asked"] = "policy"
    """who types PINs: a person that does the right thing by itself, or commands (enter_pin, reject)."""
    person_delay: Duration = Duration(2_000_000)
    """time the person needs for an answer; a duration."""
    wrong_pins: int = 0
    """how many times the person mistypes the PIN before it is right."""
    looks_at: str = ""
    """node whose display the person reads; the one it pairs with when empty."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.pin and not (
            len(self.pin) == _PIN_DIGITS and self.pin.isascii() and self.pin.isdigit()
        ):
            raise ValueError(f"pin: {self.pin!r} is not six digits")
        for key in ("wrong_pins", "person_delay"):
            if getattr(self, key) < 0:
                raise ValueError(f"{key}: must not be negative")


class AwareAccessory(Accessory):
    """A Wi-Fi Aware accessory that publishes one service."""

    Settings: ClassVar[type[Settings]] = AwareSettings
    radios: ClassVar[tuple[str, ...]] = ("wifi_aware",)
    aware: AwareHalf

    def firmware(self) -> Firmware:
        """Its settings."""
        settings: AwareSettings = self.settings
        return settings

    async def start(self) -> None:
        """Switch the radio on and publish."""
        self._instances: dict[str, tuple[int, int]] = {}
        self._wanted: dict[tuple[str, str, int], int] = {}
        self.aware.power_on()
        try:
            self.publish()
        except RefusedError as exc:
            raise UsageError(f"publish: {exc}") from exc
        if self.settings.address_time:
            self.background(self._rotate())

    def publish(self) -> None:
        """Publish its service."""
        self.aware.publish()

    async def stop(self) -> None:
        """Nothing to end gently: power goes at once."""

    async def _rotate(self) -> None:
        while True:
            await asyncio.sleep(self.settings.address_time / 1e6)
            await self.new_address()

    # What happens

    def on_aware_event(self, event: ev.Event) -> None:
        """Tell what matters to a user on the console."""
        match event:
            case ev.PairingResult(status=0):
                self.on_paired_aware(self.aware.name(event.peer))
            case ev.PairingResult():
                self.on_not_paired(event)
            case ev.DataPathRequested():
                self._wanted[event.peer, event.initiator_ndi, event.ndp_id] = event.publish_id
            case ev.DataPathConnected():
                self.on_data_path(event)
            case ev.DataPathEnded():
                self._wanted.pop((event.peer, event.initiator_ndi, event.ndp_id), None)
                self.on_data_path_ended(event)
            case ev.FollowUp():
                self._instances[event.peer] = (event.handle, event.peer_instance_id)
                if not event.consumed:
                    self.on_follow_up(event)
            case ev.Replied():
                self._instances[event.peer] = (event.publish_id, event.subscribe_id)
            case _:
                pass

    def on_paired_aware(self, peer: str) -> None:
        """Pairing or verification with `peer` succeeded on this side."""
        self.log(f"paired with {peer}")

    def on_not_paired(self, event: ev.PairingResult) -> None:
        """Pairing or verification failed on this side."""

    def on_data_path(self, event: ev.DataPathConnected) -> None:
        """A data path is up: its port is served."""
        link = self.aware.paths.with_peer(event.peer)
        publish = self._wanted.get((event.peer, event.initiator_ndi, event.ndp_id), 0)
        port = self.aware.ports.get(publish, self.settings.port)
        if link is not None and port and not link.is_taken(port):  # paths may share a link
            serve(self, link, port)

    def on_data_path_ended(self, event: ev.DataPathEnded) -> None:
        """A data path, or the setup of one, ended."""

    def on_follow_up(self, event: ev.FollowUp) -> None:
        """An application follow-up came."""
        self.log(f"{len(event.service_info) // 2} octets from {self.aware.name(event.peer)}")

    def may_open_path(self, event: ev.DataPathRequested) -> tuple[bool, int] | None:
        """Whether a data path is accepted, and the reason when not."""
        settings = self.firmware()
        if not settings.data_path or not settings.responder_ready:
            return False, _NDP_REJECTED
        if event.csid == 0 and not settings.open_data_path:
            return False, _SECURITY_POLICY
        return True, 0

    # Commands

    @command
    async def new_address(self) -> None:
        """Take a new NMI at once; what is bound to the old one ends."""
        node = self.aware.node
        if node is not None:
            address = node.move()
            self.emit("new_address", note=f"NMI {address}", label="new address", address=address)

    @command
    async def cancel(self) -> None:
        """End pairings that are going on; harmless without one."""
        self.aware.ceremony.abort_all()

    @command
    async def forget(self, peer: str = "") -> None:
        """Forget the pairing with `peer` (a node), or all pairings."""
        place = None
        if peer:
            place = self.aware.identity_of(self.aware.address_of(peer))
        gone = 0 if peer and place is None else self.aware.forget(place)
        if not gone:
            self.emit("nothing_to_forget", note=f"no pairing with {peer or 'anybody'}")

    @command
    async def factory_reset(self) -> None:
        """Forget pairings, the own identity key, stored values and changed settings, and start again."""
        self.emit("factory_reset", note="pairings and settings are erased")
        self.aware.forget()
        self.aware.flash.erase()
        self.stored.clear()
        self.settings = self._factory
        await self.reboot()

    async def _radio_off(self) -> None:
        self.aware.power_off()

    async def _radio_on(self) -> None:
        """`start` switches it on."""

    @command
    async def send_follow_up(self, to: str, hex: str) -> None:  # noqa: A002  # as users write it
        """Send `hex` to a node as an application follow-up."""
        try:
            octets = bytes.fromhex(hex)
        except ValueError:
            raise UsageError(
                f"{self.name}.send_follow_up: hex {hex!r} is not hexadecimal"
            ) from None
        self.tell(self.aware.address_of(to), octets)

    def tell(self, nmi: str, octets: bytes) -> None:
        """Send an application follow-up to an NMI. Raises RefusedError."""
        handle, instance = self._instances.get(nmi, (next(iter(self.aware.ports), 1), 1))
        self.aware.command(
            lambda now: self.aware.engine.discovery.transmit(nmi, handle, instance, octets, now)
        )
