"""The sheets in which an iPhone finds a stranger and pairs with it as a subscriber: DevicePicker and AccessorySetupKit.

Rules IA-04 to IA-08, IA-30 to IA-45, AK-12 to AK-16. The phone asks by PIN keypad, the accessory shows the PIN, the
person types it; what the rules hide is not listed, and a pairing that they do not let stand is not kept.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import msgspec

from protocols.wifi_aware.station import RefusedError
from sim.explain.ak_19 import AS_ERRORS
from sim.explain.app import Descriptor, Picker
from sim.explain.aware_parts import PASN_128, PIN_KEYPAD
from sim.phones._aware_ios_errors import PREFIX
from sim.phones._aware_ios_store import PairedDevice
from sim.wifi_aware.ceremony import AwareError

if TYPE_CHECKING:
    from protocols.wifi_aware import events as ev
    from sim.phones._aware_ios_core import AwareIosCore
    from sim.phones._aware_ios_view import Published
    from sim.units import Duration

__all__ = ["AwarePicker", "Sheet", "Wish"]

Sheet = Literal["device_picker", "accessory_setup"]
_TIMEOUT, _CANCELLED, _CONNECTION_FAILED, _ALREADY_ACTIVE = 200, 700, 150, 500


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What the app asks of the sheet, and what the user does with it."""

    service: str
    sheet: Sheet = "device_picker"
    choose: str = ""
    """node or shown name that the user taps; empty: nothing."""
    vendor: str = ""
    """wifiAwareVendorNameMatch."""
    model: str = ""
    """wifiAwareModelNameMatch."""
    role: int | None = None
    """wifiAwareServiceRole."""
    finish: bool = True
    """the user stays in the sheet until it is done; otherwise it is dismissed once the PIN is accepted."""

    @property
    def picker(self) -> Picker | None:
        """The request as AccessorySetupKit has it; None for the DevicePicker."""
        if self.sheet == "device_picker":
            return None
        descriptor = Descriptor(
            wifi_aware_service=self.service,
            wifi_aware_role=self.role,
            wifi_aware_vendor=self.vendor,
            wifi_aware_model=self.model,
        )
        return Picker(descriptors=(descriptor,))


class AwarePicker:
    """One showing of a sheet."""

    def __init__(self, phone: AwareIosCore, wish: Wish) -> None:
        self._phone = phone
        self._wish = wish
        self._listed: dict[str, str] = {}  # NMI -> name it is shown by
        self._chosen: asyncio.Future[Published] = asyncio.get_running_loop().create_future()

    # Opening

    def allowed(self) -> bool:
        """Whether the sheet comes up; the trace says why not."""
        phone, wish = self._phone, self._wish
        if phone.picker is not self:
            self._fail(_ALREADY_ACTIVE, "another sheet is up", "AK-19")
            return False
        subscribing = (*phone.aware_app.subscribing, wish.service)
        app = phone.set_aware(subscribing=subscribing, picker_open=True, picker=wish.picker)
        name = "DevicePicker" if wish.picker is None else "the picker of AccessorySetupKit"
        phone.emit(
            "aware_picker", note=f"{name} for {wish.service}", label="app shows a picker", app=app
        )
        if not phone.is_supported("picker") or phone.app_fails("picker"):
            return False
        return wish.picker is None or self._asked()

    def _asked(self) -> bool:
        """What AccessorySetupKit says about the request."""
        phone = self._phone
        for rule, verdict in phone.judge("app", "ios-ask"):
            if verdict.effect == "crash":
                phone.crash(rule, verdict.short)
                return False
            if verdict.effect.startswith(PREFIX):
                self._fail(int(verdict.effect.removeprefix(PREFIX)), verdict.short, rule)
                return False
        return True

    async def run(self, patience: Duration) -> None:
        """List, pair with what the user taps, and go."""
        phone, wish = self._phone, self._wish
        if not await phone.network_is_up("picker", patience / 1e6):
            self._over()
            return
        handle = phone.look_for(wish.service, "picker")
        if handle is None:
            return
        phone.emit("picker_did_present", label="picker")
        try:
            chosen = await asyncio.wait_for(self._chosen, patience / 1e6)
            await self._pair(chosen, handle)
        except TimeoutError:
            self._over()
        finally:
            phone.stop_looking(wish.service)
            phone.emit("picker_did_dismiss", label="picker gone")

    def _over(self) -> None:
        if self._listed:
            self._fail(_CANCELLED, "the user closed the sheet", "")
        else:
            self._fail(_TIMEOUT, "nothing was listed", "")

    def _fail(self, code: int, why: str, rule: str, peer: str = "") -> None:
        number = "" if self._wish.sheet == "device_picker" else f"{code} {AS_ERRORS[code]}: "
        because = f" ({rule})" if rule else ""
        self._phone.emit(
            "picker_failed",
            peer=peer,
            note=f"{number}{why}{because}",
            label="picker failed",
            code=code,
            rule=rule,
        )

    # Listing

    def on_published(self, found: Published) -> None:
        """A service was heard."""
        phone = self._phone
        if found.refused is not None or phone.knows(found.nmi):
            return
        peer = phone.aware.name(found.nmi)
        info = found.offer.info
        shown = info.name if info is not None and info.name else "an unnamed device"
        if self._listed.get(found.nmi) != shown:
            self._listed[found.nmi] = shown
            said = f" ({info.vendor}, {info.model})" if info is not None else ""
            phone.emit(
                "picker_shows",
                peer=peer,
                note=f"{shown!r}{said}",
                label="picker shows",
                shown=shown,
            )
        if not self._chosen.done() and self._wish.choose in (peer, found.nmi, shown):
            self._chosen.set_result(found)

    # Pairing

    async def _pair(self, chosen: Published, handle: int) -> None:
        phone, nmi = self._phone, chosen.nmi
        peer = phone.aware.name(nmi)
        phone.emit("tapped_in_picker", peer=peer, note=self._listed[nmi], label="the user taps")
        phone.end_session(nmi)
        try:
            key = await self._ceremony(nmi, handle, chosen.instance)
        except (AwareError, RefusedError) as exc:
            why = f"{exc.step}: {exc.why}" if isinstance(exc, AwareError) else str(exc)
            phone.explain_failure("pairing_failed", nmi, why)
            if self._wish.sheet == "accessory_setup":
                self._fail(_CONNECTION_FAILED, why, "", peer)
            return
        self._keep(key, chosen)

    async def _ceremony(self, nmi: str, handle: int, instance: int) -> ev.NikReceived:
        """Bootstrapping, PIN, PASN, identities. Raises AwareError."""
        half = self._phone.aware
        ceremony = half.ceremony
        try:
            await ceremony.bootstrap(nmi, handle, instance, PIN_KEYPAD)
        except AwareError:
            self._phone.give_up_bootstrapping(nmi)
            raise
        pin = await ceremony.password(nmi, PIN_KEYPAD)
        await ceremony.authenticate(nmi, handle, instance, mode="sae", csid=PASN_128, password=pin)
        return await ceremony.identity(nmi)

    def _keep(self, key: ev.NikReceived, chosen: Published) -> None:
        """The system keeps the pairing; the app gets access when the user finishes the sheet."""
        phone, info, nmi = self._phone, chosen.offer.info, chosen.nmi
        device = PairedDevice(
            place=key.id,
            id=phone.store.new_id(),
            name=self._listed[nmi],
            vendor=info.vendor if info else "",
            model=info.model if info else "",
            node=phone.aware.name(nmi),
            by_accessory_setup=self._wish.sheet == "accessory_setup",
        )
        phone.keep_pairing(device, nmi, granted=self._wish.finish)
        if self._wish.finish and device.by_accessory_setup:
            note = f"{device.name!r}, wifiAwarePairedDeviceID {device.id}; the sheet is still up (AK-21)"
            phone.emit("accessory_added", peer=device.node, note=note, rule="AK-21")
        if not self._wish.finish:
            self._fail(_CANCELLED, "the user closed the sheet before it was done", "", device.node)
