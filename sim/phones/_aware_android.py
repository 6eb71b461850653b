"""An Android's Wi-Fi Aware as apps and their developers meet it: sessions, pairing, messages, networks, and what ends them.

Rules AA-xx (`nearbench list rules`) decide; the phone carries out their effects and says which rule made it do what. The parts
are in `_aware_android_*.py`, this is what holds them together. Wi-Fi Aware is on from the first attach on, while
nothing else needs the radio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.wifi_aware import events as ev
from protocols.wifi_aware.attributes import make
from protocols.wifi_aware.attributes.device_capability_extension import DeviceCapabilityExtension
from sim.explain.aware_observations import AwareApp
from sim.phones._aware import AwarePhone
from sim.phones._aware_android_ceremony import AndroidCeremony
from sim.phones._aware_android_network import Networks
from sim.phones._aware_android_pairing import Pairings
from sim.phones._aware_android_sessions import Sessions
from sim.phones._aware_android_settings import (
    MODELS,
    RADIO_USES,
    AndroidFirmware,
    AwareAndroidSettings,
    firmware_now,
)
from sim.phones._aware_android_view import AndroidView
from sim.phones._aware_hearing import remedy_of
from sim.phones._judged import Judged
from sim.wifi_aware import power_saving

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.phones._aware_android_settings import PairingConfig
    from sim.phones._judged import Judgement
    from sim.wifi_aware.node import AwareNode

__all__ = ["AwareAndroid"]

_ERROR = "error:"
"""What an effect begins with that the app gets as an exception."""
_GOODBYE_US = 1_100_000
"""From the end of the data paths to the new address: two discovery windows (ours; nobody published it)."""
_NO_NETWORK = 10
"""Reason: NDP rejected."""


class AwareAndroid(Judged, AwarePhone):
    """Base of Androids: the Wi-Fi Aware half."""

    settings: AwareAndroidSettings  # pyright: ignore[reportIncompatibleVariableOverride]  # a subclass narrows it

    async def start(self) -> None:
        """Be on, Wi-Fi Aware unused."""
        await super().start()
        self.radio_use = self.settings.radio_use
        self.is_dozing = self.is_instant = False
        self._instant_until_us = 0
        self.screen_on = True
        self.view = AndroidView(self)
        self.aware.tap = self.view
        self.ceremony = self.aware.ceremony = AndroidCeremony(self)
        self.sessions = Sessions(self)
        self.pairings = Pairings(self)
        self.networks = Networks(self)

    # Settings

    @property
    def aware_profile(self) -> str:
        """Rule set of its model."""
        return MODELS[self.settings.model].profile

    def aware_options(self) -> dict[str, str]:
        """What the sources leave open, as set."""
        same = self.settings.aware.method_matching == "same_bit"
        options = {"npba_bit": "same" if same else "complement"}
        if self.settings.pairing_supported != "model":
            options["pairing_supported"] = self.settings.pairing_supported
        return options

    def firmware(self) -> AndroidFirmware:
        """Its Wi-Fi Aware as it behaves now."""
        awake = self.screen_on or self.is_instant or not self.keeps("AA-28")
        wake = self.settings.aware.wake if awake else self.settings.aware.screen_off_wake
        return firmware_now(self.settings, wake=wake, kept=self.keeps)

    # The app

    @property
    def aware_app(self) -> AwareApp:
        """What the app asks for."""
        fresh = AwareApp(profile=self.aware_profile, permission=self.settings.permission)
        return self.app.aware or fresh

    def set_aware(self, **changes: Any) -> dict[str, Any]:
        """Change what the app asks for; the new state for the event that says so."""
        return self.set_app(aware=msgspec.structs.replace(self.aware_app, **changes))

    def restore_aware(self, before: AwareApp) -> None:
        """The app got an exception: it asks for what it asked for before."""
        self.set_app(aware=before)

    def app_fails(self, what: str) -> bool:
        """Whether the app gets an exception instead of its `what`; the trace says by which rule."""
        found = self.view.judge("app")
        why = next((one for one in found if one.verdict.effect.startswith(_ERROR)), None)
        if why is None:
            return False
        name, short = why.verdict.effect.removeprefix(_ERROR), why.verdict.short
        note = f"{name} ({why.rule})" if name == short else f"{name}: {short} ({why.rule})"
        self.emit(f"{what}_failed", note=note, label=f"{what} failed", rule=why.rule, code=name)
        return True

    # Availability (AA-01, AA-29)

    def obstacle(self) -> tuple[str, str]:
        """What keeps Wi-Fi Aware away, in words, and its rule; empty when nothing does."""
        if self.radio_use != "free" and self.keeps("AA-01"):
            return RADIO_USES[self.radio_use], "AA-01"
        if self.is_dozing and self.settings.aware.doze_disables and self.keeps("AA-29"):
            return "the phone is in Doze", "AA-29"
        return "", ""

    def attach(self) -> bool:
        """WifiAwareManager.attach: whether the app has a session with the service, the radio being on then."""
        why, rule = self.obstacle()
        if why:
            note = f"Wi-Fi Aware is not available: {why} ({rule})"
            self.emit("attach_failed", note=note, label="onAttachFailed", rule=rule)
            return False
        if not self.aware.on:
            self.aware_on()
            station = self.aware.engine.station
            self.view.nmi = station.nmi
            station.settings = msgspec.structs.replace(station.settings, dcea="")
            self._adjust()
            self._rotate_later()
            self.emit("attached", note=f"NMI {station.nmi}", label="onAttached")
        return True

    def availability_changed(self) -> None:
        """Something took the radio, or gave it back: tell the app, end what stands."""
        why, rule = self.obstacle()
        note = f"not available: {why} ({rule})" if why else "available"
        self.emit("aware_state", note=note, label="Wi-Fi Aware state", rule=rule, available=not why)
        if why and self.aware.on:
            self.switch_off(why, rule)

    def switch_off(self, why: str, rule: str) -> None:
        """Wi-Fi Aware ends at once: sessions, pairings under way, networks."""
        self.networks.end_all(why, rule)
        self.sessions.end_all()
        self.pairings.end_all()
        self.aware.power_off()
        self.set_app(aware=None)
        because = f" ({rule})" if rule else ""
        self.emit("session_terminated", note=f"{why}{because}", label="onAwareSessionTerminated", rule=rule)  # fmt: skip

    # Power saving and addresses (AA-27, AA-28, AA-30, AA-31)

    def power_changed(self) -> None:
        """The screen, or the instant mode, went on or off."""
        if self.aware.on:
            self._adjust()

    def _adjust(self) -> None:
        firmware = self.firmware()
        awake = firmware.wake == self.settings.aware.wake or bool(self.networks.open)
        power_saving.attend(self.aware, slots=awake)

    def _rotate_later(self) -> None:
        time_us = int(self.firmware().address_time)
        if time_us:
            self.place.after_us(time_us, self._rotate, self.aware.node)

    def _rotate(self, node: AwareNode | None) -> None:
        """Time for another NMI: data paths end first, so that their peers know (AA-30)."""
        if node is None or node is not self.aware.node:
            return
        has_paths = self.networks.terminate_all("the phone takes a new address", "AA-30")
        self.place.after_us(_GOODBYE_US if has_paths else 0, self._move, node)

    def _move(self, node: AwareNode) -> None:
        if node is not self.aware.node:
            return
        self.ceremony.abort_all()
        self.view.nmi = node.move()
        self.pairings.cache.stale()
        note = f"NMI {self.view.nmi} (AA-30)"
        self.emit("identity_changed", note=note, label="onIdentityChanged", rule="AA-30", nmi=self.view.nmi)  # fmt: skip
        self._rotate_later()

    # Pairing on the air

    def show_pairing(self, configs: Iterable[PairingConfig | None]) -> None:
        """Show the DCEA that the pairing configurations of all sessions amount to; none without any (AA-52)."""
        station = self.aware.engine.station
        given = [one for one in configs if one is not None]
        dcea = ""
        if given:
            shown = DeviceCapabilityExtension(
                regulatory_info_valid=False,
                ap_type=0,
                pairing_setup=any(one.setup for one in given),
                npk_nik_caching=any(one.caching for one in given),
            )
            dcea = make(shown).written().hex()
        station.settings = msgspec.structs.replace(station.settings, dcea=dcea)
        station.availability_sequence += 1

    def caches_with(self, nmi: str) -> bool:
        """Whether a pairing with that peer is followed by an exchange of identity keys."""
        peer = self.aware.engine.station.peers.get(nmi)
        own = any(one.caches for one in self.sessions.open.values())
        return own and peer is not None and bool(peer.npk_caching)

    # Events

    def on_rejected(self, nmi: str, why: Judgement) -> None:
        """A rule rejects what a peer asks for."""
        verdict = why.verdict
        self.emit(
            "bootstrapping_rejected", peer=self.aware.name(nmi), note=f"the framework rejects: {verdict.short} ({why.rule})",
            label=f"rejected: {why.rule}", rule=why.rule, effect=verdict.effect, evidence=verdict.evidence,
        )  # fmt: skip

    def explain_failure(self, event: str, nmi: str, why: str, rule: str = "") -> None:
        """Something with a peer came to nothing: say so, with the rule that did it, else the likeliest one."""
        if not rule and not self.aware.on:
            rule = self.obstacle()[1]
        causes = self.view.causes(nmi, self.now_us)
        rules = [one.rule for one in causes]
        because = f" ({rule})" if rule else ""
        if causes and rule not in rules:
            because += f"; {causes[0].verdict.evidence} ({rules[0]})"
        rule = rule or next(iter(rules), "")
        more = remedy_of(causes)
        self.emit(
            event, peer=self.aware.name(nmi), note=f"{why}{because}", rule=rule, rules=rules, **more
        )

    def on_aware_event(self, event: ev.Event) -> None:
        """Something happened on its Wi-Fi Aware: hand it to what it is about."""
        match event:
            case ev.Derived():
                self.view.learn(event.name, event.value)
            case ev.Discovered():
                self.sessions.on_discovered(event)
            case ev.MatchExpired():
                self.sessions.on_lost(event)
            case ev.FollowUp(consumed=False):
                self.sessions.on_message(event)
            case ev.Transmitted():
                self.sessions.messages.on_fate(event)
            case ev.BootstrapCompleted():
                self.pairings.on_bootstrapped(event)
            case ev.PairingResult():
                self.pairings.on_result(event)
            case ev.NikReceived():
                self.pairings.on_key(event)
            case ev.NiraResolved():
                self.pairings.cache.seen(event.peer, event.id)
            case _:
                self._on_path_event(event)

    def _on_path_event(self, event: ev.Event) -> None:
        match event:
            case ev.DataPathConnected():
                self.networks.on_connected(event)
                self._adjust()
            case ev.DataPathEnded():
                self.networks.on_ended(event)
                self._adjust()
            case _:
                pass

    def may_open_path(self, event: ev.DataPathRequested) -> tuple[bool, int] | None:
        """Whether a data path is accepted, and the reason when not."""
        return self.networks.decide(event) if self.aware.on else (False, _NO_NETWORK)
