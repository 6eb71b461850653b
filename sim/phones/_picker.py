"""The AccessorySetupKit picker: what it refuses, what it lists on which version, how it ends.

Rules AK-01 to AK-09 and AK-19 to AK-21. The sheet is one request of the app; the phone gives it the reports.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from protocols.errors import UsageError
from sim.explain.ad import check_uuid
from sim.explain.ak_05 import mismatch
from sim.explain.ak_07 import LISTS_ALL_BEFORE, lists_one
from sim.explain.ak_09 import TIMEOUTS_S
from sim.explain.ak_19 import AS_ERRORS
from sim.explain.app import Descriptor, Picker
from sim.explain.observations import Device

if TYPE_CHECKING:
    from sim.explain.app import Timeout
    from sim.phones import Report
    from sim.phones.ios import Ios
    from sim.units import Duration

__all__ = ["PickerSheet", "check_descriptor"]

_TIMEOUT, _CANCELLED = 200, 700
_SCAN_MS = 100.0


class PickerSheet:
    """One showing of the picker."""

    def __init__(
        self,
        phone: Ios,
        descriptors: tuple[Descriptor, ...],
        *,
        filters: bool,
        timeout: Timeout,
        choose: str,
    ) -> None:
        self._phone = phone
        self._choose = choose
        self._picker = Picker(descriptors=descriptors, filter=filters, timeout=timeout)
        self._dead = ""  # rule that keeps every descriptor from matching
        self._listed: dict[str, str] = {}  # address -> name it is shown by
        self._chosen: asyncio.Future[tuple[str, str]] | None = None

    def allowed(self) -> bool:
        """Whether the sheet comes up; else the app has crashed or got its error, and the trace says by which rule."""
        phone = self._phone
        app = phone.set_app(picker=self._picker)
        names = ", ".join(one.name for one in self._picker.descriptors)
        phone.emit("ask_picker", note=names, label="app shows the picker", app=app)
        for rule, verdict in phone.judge("app", "ios-ask"):
            if verdict.effect == "crash":
                note = f"the app crashed: {verdict.short} ({rule})"
                phone.emit("app_crashed", note=note, rule=rule)
            elif verdict.effect.startswith("error:"):
                self._fail(int(verdict.effect.removeprefix("error:")), verdict.short, rule)
            else:
                self._dead = self._dead or rule
                phone.emit("picker_blind", note=f"{verdict.short} ({rule})", rule=rule)
                continue
            phone.set_app(picker=None)
            return False
        return True

    def _fail(self, code: int, why: str, rule: str) -> None:
        note = f"{code} {AS_ERRORS[code]}: {why} ({rule})"
        self._phone.emit("picker_failed", note=note, label="picker failed", code=code, rule=rule)

    async def run(self, patience: Duration | None) -> None:
        """Look until something is chosen, the time is over, or the user's patience (cancelled)."""
        phone = self._phone
        self._chosen = asyncio.get_running_loop().create_future()
        phone.emit("picker_did_present", label="picker")
        await phone.ble.scan(
            phone._on_report,  # pyright: ignore[reportPrivateUsage]  # the sheet is a part of the phone
            active=True,
            interval_ms=_SCAN_MS,
            window_ms=_SCAN_MS,
            filter_duplicates=False,
        )
        seconds = TIMEOUTS_S.get(self._picker.timeout or "short")
        limits = [
            one
            for one in (seconds, None if patience is None else patience / 1e6)
            if one is not None
        ]
        try:
            address, peer = await asyncio.wait_for(self._chosen, min(limits, default=None))
        except TimeoutError:
            await phone.ble.stop_scan()
            self._over(cancelled=patience is not None and patience / 1e6 == min(limits))
            return
        await phone.ble.stop_scan()
        self._add(address, peer)

    def _over(self, *, cancelled: bool) -> None:
        if cancelled or self._listed:
            self._fail(_CANCELLED, "the user closed the sheet", "AK-19")
        else:
            self._fail(_TIMEOUT, "nothing that matches was on the air", self._dead or "AK-09")
        self._dismiss()

    def _add(self, address: str, peer: str) -> None:
        phone = self._phone
        authorised = (*phone.app.authorised, address)
        app = phone.set_app(authorised=authorised, picker=None)
        note = f"{self._listed[address]}; the sheet is still up (AK-21)"
        phone.emit(
            "accessory_added",
            peer=peer,
            note=note,
            rule="AK-21",
            app=app,
            identifier=phone.identifier(address),
        )
        self._dismiss()

    def _dismiss(self) -> None:
        self._phone.emit("picker_did_dismiss", label="picker gone")

    # What it lists

    def on_report(self, report: Report, peer: str) -> None:
        """Judge one report."""
        phone = self._phone
        found = [] if self._dead else phone.judge_advert(report.address, "ios-ask")
        dropped = next((one for one in found if one.verdict.effect == "drop"), None)
        if self._dead:
            return
        if dropped is not None:
            phone.refuse_advert(report, peer, dropped)
            return
        advert, response = phone.hear(report)
        if advert is None:
            return
        device = Device(report.address)
        for one in (advert, response):
            if one is not None:
                device.add(one, 0, 0)
        descriptor = next(one for one in self._picker.descriptors if not mismatch(one, device))
        self._match(report, peer, descriptor, device)

    def _match(self, report: Report, peer: str, descriptor: Descriptor, device: Device) -> None:
        phone, picker = self._phone, self._picker
        is_new = phone.views["ios-ask"].since(LISTS_ALL_BEFORE)
        one_only = phone.keeps("AK-07") and lists_one(is_new=is_new, filters=picker.filter)
        if one_only and self._listed and report.address not in self._listed:
            phone.emit(
                "not_shown",
                peer=peer,
                note=f"matches, not listed: the picker of iOS {phone.version()} shows one accessory (AK-07)",
                label="not shown: AK-07",
                rule="AK-07",
                often=True,
                address=report.address,
            )
            return
        shown = self._shown_name(descriptor, device, one_only=one_only)
        if self._listed.get(report.address) != shown:
            self._listed[report.address] = shown
            self._list(report, peer, shown, device, one_only=one_only)
        if (
            self._chosen is not None
            and not self._chosen.done()
            and self._choose in (peer, report.address, shown)
        ):
            self._chosen.set_result((report.address, peer))

    def _shown_name(self, descriptor: Descriptor, device: Device, *, one_only: bool) -> str:
        if self._picker.filter:
            telling = [data.hex() for ad in device.ads for _, data in ad.manufacturer] or [
                device.name
            ]
            return f"{descriptor.name} {telling[0]}".strip()
        return descriptor.name if one_only or not device.name else device.name

    def _list(
        self, report: Report, peer: str, shown: str, device: Device, *, one_only: bool
    ) -> None:
        phone = self._phone
        details: dict[str, Any] = {"address": report.address, "rssi_dbm": report.rssi_dbm}
        if self._picker.filter:
            note = f"the app sees its advert and names it {shown!r} (AK-08)"
            phone.emit("accessory_discovered", peer=peer, note=note, rule="AK-08", **details)
        rule = "AK-08" if self._picker.filter else "AK-07" if one_only else ""
        advertised = "" if one_only else f", advertised as {device.name!r}" * bool(device.name)
        note = f"{shown!r}{advertised}" + (f" ({rule})" if rule else "")
        phone.emit(
            "picker_shows",
            peer=peer,
            note=note,
            label="picker shows",
            rule=rule,
            shown=shown,
            **details,
        )


def check_descriptor(phone: str, descriptor: Descriptor) -> None:
    """Raise UsageError for a descriptor that is none."""
    if descriptor.service:
        check_uuid(descriptor.service, f"{phone}.ask_picker: descriptors: service")
    for key in (
        "manufacturer_hex", "manufacturer_mask_hex", "service_data_hex", "service_data_mask_hex", "company"
    ):  # fmt: skip
        text = getattr(descriptor, key)
        try:
            bytes.fromhex(text)
        except ValueError:
            raise UsageError(
                f"{phone}.ask_picker: descriptors: {key}: {text!r} is not hexadecimal"
            ) from None
