"""An iPhone's Wi-Fi Aware as apps and their developers meet it: pickers, paired devices, errors, connections.

Rules IA-xx and AK-12 to AK-16 (`nearbench list rules`) decide; the phone carries out their effects and says which
rule made it do what. The parts are in `_aware_ios_*.py`, this is what holds them together. Numbers nobody published are settings
that say so.
"""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.wifi_aware import events as ev
from protocols.wifi_aware.peer_facts import readable
from protocols.wifi_aware.station import RefusedError
from sim.explain.aware_observations import AwareApp
from sim.phones._aware import AwarePhone
from sim.phones._aware_hearing import LOST, remedy_of
from sim.phones._aware_ios_browser import Browsers
from sim.phones._aware_ios_connection import Connections
from sim.phones._aware_ios_errors import PREFIX, shown
from sim.phones._aware_ios_publisher import Publisher
from sim.phones._aware_ios_settings import OLD_MODELS, AwareIosSettings
from sim.phones._aware_ios_store import PairedStore
from sim.phones._aware_ios_view import PROFILE, AwareView
from sim.phones._bonding import BondingPhone

if TYPE_CHECKING:
    from protocols.wifi_aware import frames
    from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution
    from sim.phones._aware_ios_picker import AwarePicker
    from sim.phones._aware_ios_settings import IosFirmware
    from sim.phones._aware_ios_store import PairedDevice
    from sim.phones._aware_ios_view import Published
    from sim.phones._judged import Judgement
    from sim.wifi_aware.half import AwareHalf

__all__ = ["AwareIosCore"]

_AFTER_READY = "IA-27"
"""Rule whose error comes after listener or browser have become ready."""
_LAST = "IA-15"
"""Rule whose error comes when everything else is in order."""
_ANY_DEVICE = "NB"
"""Rules that say what happened, rather than why an iPhone did it."""
_ADDRESS = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_NETWORK_DOWN = 50
"""POSIX ENETDOWN."""


class AwareIosCore(BondingPhone, AwarePhone):
    """Base of iPhones: the Wi-Fi Aware half."""

    settings: AwareIosSettings  # pyright: ignore[reportIncompatibleVariableOverride]  # a subclass narrows it

    async def start(self) -> None:
        """Be on, Wi-Fi Aware unused."""
        await super().start()
        self.store = PairedStore(self.draw)
        self.view = AwareView(self)
        self.aware.tap = self.view
        self.browsers = Browsers(self)
        self.connections = Connections(self)
        self.publisher = Publisher(self)
        self.picker: AwarePicker | None = None
        """the sheet that is up."""
        self.reinstalled = False
        """the app was removed and installed again."""
        self.wifi = asyncio.Event()
        """set while Wi-Fi is on."""
        if self.settings.wifi:
            self.wifi.set()
        self._subscribed: dict[str, list[int]] = {}
        """service -> handles, the latest last."""

    def first_aware_app(self) -> AwareApp:
        """The app before it asked for anything."""
        settings = self.settings
        return AwareApp(
            profile=PROFILE, entitlement=settings.entitlement, services=settings.services
        )

    def aware_options(self) -> dict[str, str]:
        """What the sources leave open, as set."""
        settings = self.settings
        return {
            "npba_bit": settings.aware.method_matching.removesuffix("_bit"),
            "key_lifetime": "required" if settings.aware.requires_lifetime else "optional",
            "descriptor_role": settings.descriptor_role,
        }

    # The app

    @property
    def aware_app(self) -> AwareApp:
        """What the app declares and asks for."""
        return self.app.aware or self.first_aware_app()

    def set_aware(self, **changes: Any) -> dict[str, Any]:
        """Change what the app asks for (`picker`: of AccessorySetupKit); the new state for the event that says so."""
        given = {"picker": changes.pop("picker")} if "picker" in changes else {}
        return self.set_app(aware=msgspec.structs.replace(self.aware_app, **changes), **given)

    @staticmethod
    def without(names: tuple[str, ...], name: str) -> tuple[str, ...]:
        """The names, one occurrence of `name` less."""
        left = list(names)
        if name in left:
            left.remove(name)
        return tuple(left)

    def is_supported(self, what: str) -> bool:
        """Whether the phone has Wi-Fi Aware; else the app is told (IA-01, IA-52)."""
        settings = self.settings
        if settings.model in OLD_MODELS or self.version() < "26":
            rule, why = "IA-01", f"no Wi-Fi Aware on {settings.model} with iOS {self.version()}"
        elif self.reinstalled and not settings.supported_after_reinstall:
            rule, why = "IA-52", "no supported features since the app was installed again"
        else:
            return True
        note = f"WAError.wifiAwareUnsupported: {why} ({rule})"
        self.emit(f"{what}_failed", note=note, rule=rule, code="wifiAwareUnsupported")
        return False

    def crash(self, rule: str, why: str) -> None:
        """The app is gone, and what it asked for with it."""
        app = self.set_aware(
            publishing=(), subscribing=(), picker_open=False, pairing_view_open=False
        )
        self.emit("app_crashed", note=f"the app crashed: {why} ({rule})", rule=rule, app=app)

    def app_fails(self, what: str, *, late: bool = False) -> bool:
        """Whether the app crashes, gets an error or waits for ever instead of its `what`; the trace says by which rule.

        `late`: what comes after it has become ready.
        """
        found = [
            one
            for one in self.judge("app", PROFILE)
            if one.verdict.effect and (one.rule == _AFTER_READY) == late
        ]
        found.sort(key=lambda one: (one.verdict.effect != "crash", one.rule == _LAST, one.rule))
        if not found:
            return False
        rule, verdict = found[0]
        if verdict.effect == "crash":
            self.crash(rule, verdict.short)
        elif verdict.effect.startswith(PREFIX):
            code = verdict.effect.removeprefix(PREFIX)
            said = verdict.short.removeprefix("NWError ").removeprefix(code).lstrip(": ")
            note = f"{shown(verdict.effect)}: {said or verdict.evidence} ({rule})"
            self.emit(f"{what}_failed", note=note, label=f"{what} failed", rule=rule, code=code)
        else:
            note = f"never becomes active: {verdict.short} ({rule})"
            self.emit(f"{what}_silent", note=note, rule=rule)
        return True

    # The radio

    def aware_on(self) -> AwareHalf:
        """The half, switched on."""
        if not self.aware.on:
            super().aware_on()
            self.view.nmi = self.aware.engine.nmi
        return self.aware

    def aware_off(self) -> None:
        """The radio is off: all that was on it is gone."""
        self._subscribed.clear()
        self.connections.paired_us.clear()
        self.aware.power_off()

    async def network_is_up(self, what: str, seconds: float) -> bool:
        """Wait for Wi-Fi; the app is told that the network is down meanwhile."""
        if self.wifi.is_set():
            return True
        note = "POSIX 50, Network is down: Wi-Fi is off"
        self.emit(f"{what}_waiting", note=note, label=f"{what} waits", code=_NETWORK_DOWN)
        try:
            await asyncio.wait_for(self.wifi.wait(), seconds)
        except TimeoutError:
            return False
        return True

    def firmware(self) -> IosFirmware:
        """Settings of its Wi-Fi Aware, as far as the rules behind them are switched on."""
        found = self.settings.aware
        kept = {
            "method_matching": found.method_matching if self.keeps("IA-35") else "complement",
            "needs_pairing_info": found.needs_pairing_info and self.keeps("IA-36"),
            "one_per_name": found.one_per_name and self.keeps("IA-14"),
        }
        return msgspec.structs.replace(found, **kept)

    def look_for(self, service: str, what: str) -> int | None:
        """Look for a service; None, with the error that the app gets, when that is refused."""
        half = self.aware_on()
        self.view.look_anew()
        try:
            handle = half.subscribe(service)
        except RefusedError as exc:
            note = f"WAError.serviceAlreadySubscribing: {exc} (IA-14)"
            self.emit(f"{what}_failed", note=note, rule="IA-14", code="serviceAlreadySubscribing")
            return None
        self._subscribed.setdefault(service, []).append(handle)
        return handle

    def stop_looking(self, service: str) -> None:
        """Look for it no longer; harmless when nobody does."""
        handles = self._subscribed.get(service)
        if handles:
            self.aware.cancel(handles.pop())

    def on_published(self, found: Published) -> None:
        """A service was heard, and judged."""
        if self.picker is not None:
            self.picker.on_published(found)
        self.browsers.on_published(found, self.store.at(found.nmi))

    def on_aware_event(self, event: ev.Event) -> None:
        """Something happened on its Wi-Fi Aware."""
        match event:
            case ev.MatchExpired():
                self.browsers.on_lost(event.peer)
            case ev.NiraResolved():
                device = self.store.get(event.id)
                if device is not None and self.store.at(event.peer) is not device:
                    self._meet(device, event.peer)
            case ev.Derived():
                self.view.learn(event.name, event.value)
            case ev.DataPathConnected(initiator=False):
                self.connections.on_path_from_peer(event)
            case ev.DataPathEnded():
                self.connections.on_path_ended(event)
            case ev.NikReceived():
                self.publisher.on_key(event)
            case _:
                pass

    def may_open_path(self, event: ev.DataPathRequested) -> tuple[bool, int] | None:
        """Whether a data path is accepted, and the reason when not; None: there is no answer."""
        return self.publisher.may_open(event)

    def on_message_judged(self, nmi: str, why: Judgement) -> None:
        """A rule has an effect on a message of a peer."""
        verdict = why.verdict
        does = {"drop": "dropped", "ignore": "not answered", "no_pin": "no PIN is shown"}
        words = does.get(verdict.effect, "refused")
        self.emit(
            "message_refused",
            peer=self.aware.name(nmi),
            note=f"{words}: {verdict.short} ({why.rule})",
            label=f"{words}: {why.rule}",
            rule=why.rule,
            effect=verdict.effect,
            evidence=verdict.evidence,
        )

    def give_up_bootstrapping(self, nmi: str) -> None:
        """Forget what is open with a peer; harmless when nothing is."""
        try:
            self.aware.command(lambda now: self.aware.engine.bootstrapping.abort(nmi, now))
        except RefusedError:
            return

    def named(self, text: str) -> str:
        """A text with names of nodes for their addresses."""
        return _ADDRESS.sub(lambda found: self.aware.name(found.group()), text)

    def end_session(self, nmi: str) -> None:
        """What is said to a peer is in clear again; harmless when it was."""
        known = self.aware.engine.station.peers.get(nmi) if self.aware.on else None
        if known is not None and known.paired:
            self.aware.command(lambda now: self.aware.engine.pairing.unpair(nmi, now))

    def explain_failure(self, event: str, nmi: str, why: str) -> None:
        """Something with a peer came to nothing: say so, with the likeliest rule."""
        causes = self.view.causes(nmi, self.now_us)
        causes += [one for one in self.view.own_peculiarities() if one.verdict.severity != "note"]
        causes.sort(key=lambda one: (one.rule != LOST, one.rule.startswith(_ANY_DEVICE)))
        rule = causes[0].rule if causes else ""
        because = f"; {self.named(causes[0].verdict.evidence)} ({rule})" if causes else ""
        self.emit(
            event,
            peer=self.aware.name(nmi),
            note=f"{why}{because}",
            rule=rule,
            rules=[one.rule for one in causes],
            **remedy_of(causes),
        )

    # Paired devices

    def _lose(self, device: PairedDevice, nmi: str) -> None:
        """What is at the address of a paired device shows another identity."""
        self.store.moved(device.place, "")
        note = f"{device.name!r} was at {nmi}, which shows an identity that no pairing explains"
        self.emit("not_recognised", peer=device.node, note=note, app=self.app_with_paired())

    def keep_pairing(self, device: PairedDevice, nmi: str, *, granted: bool) -> None:
        """A pairing stands on this side: the system keeps it, the app is given access (`granted`)."""
        self.store.add(device, nmi, granted=granted)
        self.connections.paired_us[device.place] = self.now_us
        where = "Privacy & Security > Paired Devices"
        if device.by_accessory_setup:
            where += ", and under Accessories"
        note = f"{device.name!r} is in Settings > {where} (IA-51)"
        self.emit("aware_paired", peer=device.node, note=note, rule="IA-51")
        app = self.app_with_paired()
        if granted:
            note = f"WAPairedDevice {device.id}, {device.name!r}"
            label = "the app gets it"
            self.emit("paired_device_added", peer=device.node, note=note, label=label, app=app)

    def app_with_paired(self) -> dict[str, Any]:
        """The app with the paired devices that it sees now."""
        return self.set_aware(paired=self.store.addresses_of_app)

    def knows(self, nmi: str) -> bool:
        """Whether the device at that address is paired."""
        return self.store.at(nmi) is not None

    def recognise(self, frame: frames.Sdf) -> None:
        """Learn the address of a paired device from the NIRA in its publish."""
        nmi = frame.source
        nira: IdentityResolution | None = next(readable(frame, "identity_resolution"), None)
        place = None if nira is None else self.aware.engine.station.identity_of(nira, nmi)
        device, before = self.store.get(place), self.store.at(nmi)
        if before is not None and nira is not None and before is not device:
            self._lose(before, nmi)
        if device is not None and before is not device:
            self._meet(device, nmi)

    def _meet(self, device: PairedDevice, nmi: str) -> None:
        """A paired device has another address."""
        self.store.moved(device.place, nmi)
        note = f"{device.name!r}, by its NIRA, at {nmi}"
        app = self.app_with_paired()
        self.emit("recognised", peer=device.node, note=note, app=app, nmi=nmi)
