"""An iPhone that publishes: DevicePairingView shows a PIN to strangers, a NetworkListener waits for paired devices.

Rules IA-13, IA-14, IA-32, IA-35 to IA-37, IA-46, IA-57. What a request is answered follows from the rules: some are refused,
some stay without a PIN, some without an answer.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from protocols.wifi_aware.station import RefusedError
from sim.explain.aware_pairs import REQUEST, DataPath, NdpStep
from sim.phones._aware_ios_data import DEFAULT_PORT
from sim.phones._aware_ios_store import PairedDevice

if TYPE_CHECKING:
    from protocols.wifi_aware import events as ev
    from sim.phones._aware_ios_browser import Whom
    from sim.phones._aware_ios_core import AwareIosCore
    from sim.units import Duration

__all__ = ["Publisher"]

NOBODY_LISTENS = 10


class Publisher:
    """What the app publishes: a pairing view, listeners."""

    def __init__(self, phone: AwareIosCore) -> None:
        self._phone = phone
        self._listeners: dict[str, tuple[int, Whom]] = {}
        """service -> handle, and whom it is for."""
        self._paired: asyncio.Future[ev.NikReceived] | None = None

    # Pairing view

    async def show(self, service: str, patience: Duration) -> None:
        """Show the view until somebody has paired, or the user closes it."""
        phone = self._phone
        publishing = (*phone.aware_app.publishing, service)
        app = phone.set_aware(publishing=publishing, pairing_view_open=True)
        phone.emit(
            "aware_pairing_view", note=f"for {service}", label="app shows its pairing view", app=app
        )
        try:
            if phone.is_supported("pairing_view") and not phone.app_fails("pairing_view"):
                await self._publish_and_wait(service, patience)
        finally:
            publishing = phone.without(phone.aware_app.publishing, service)
            phone.set_aware(publishing=publishing, pairing_view_open=False)

    async def _publish_and_wait(self, service: str, patience: Duration) -> None:
        phone = self._phone
        if not await phone.network_is_up("pairing_view", patience / 1e6):
            return
        handle = self._publish(service, "pairing_view")
        if handle is None:
            return
        self._paired = asyncio.get_running_loop().create_future()
        phone.emit("pairing_view_did_present", label="pairing view")
        try:
            key = await asyncio.wait_for(self._paired, patience / 1e6)
            self._keep(key)
        except TimeoutError:
            note = f"the user closed it after {patience / 1e6:g} s"
            phone.emit("pairing_view_failed", note=note, label="nobody has paired")
        finally:
            self._paired = None
            phone.aware.cancel(handle)
            phone.emit("pairing_view_did_dismiss", label="pairing view gone")

    def _keep(self, key: ev.NikReceived) -> None:
        phone = self._phone
        said = phone.aware.engine.station.peer(key.peer).pairing_info
        node = phone.aware.name(key.peer)
        device = PairedDevice(
            place=key.id,
            id=phone.store.new_id(),
            name=said.get("pairingName", "") or "an unnamed device",
            vendor=said.get("vendorName", ""),
            model=said.get("modelName", ""),
            node=node,
        )
        phone.keep_pairing(device, key.peer, granted=True)

    def on_key(self, event: ev.NikReceived) -> None:
        """A peer's identity is known: the view has done its work."""
        if self._paired is not None and not self._paired.done():
            self._paired.set_result(event)

    # Listening

    async def listen(self, service: str, whom: Whom, seconds: float) -> bool:
        """Wait for connections of paired devices; False when the app got an error."""
        phone = self._phone
        app = phone.set_aware(
            publishing=(*phone.aware_app.publishing, service),
            devices=whom.devices,
            selected=whom.selected,
        )
        phone.emit("aware_listen", note=f"for {service}", label="app listens", app=app)
        if phone.is_supported("listener") and not phone.app_fails("listener"):
            handle = await self._ready_listener(service, seconds)
            if handle is not None:
                self._listeners[service] = handle, whom
                return True
        phone.set_aware(publishing=phone.without(phone.aware_app.publishing, service))
        return False

    async def _ready_listener(self, service: str, seconds: float) -> int | None:
        phone = self._phone
        if not await phone.network_is_up("listener", seconds):
            return None
        handle = self._publish(
            service, "listener", port=DEFAULT_PORT, methods=0, pairing_mode=False
        )
        if handle is None:
            return None
        phone.emit("listener_ready", note=service, label="listener ready")
        if phone.app_fails("listener", late=True):
            phone.aware.cancel(handle)
            return None
        return handle

    def stop_listening(self) -> None:
        """The app cancels its listeners."""
        phone = self._phone
        for service, (handle, _) in self._listeners.items():
            phone.aware.cancel(handle)
            phone.set_aware(publishing=phone.without(phone.aware_app.publishing, service))
            phone.emit("listener_cancelled", note=service, label="listener cancelled")
        self._listeners.clear()

    def listens_for(self, nmi: str) -> bool:
        """Whether a listener waits for the device at that address."""
        return any(whom.admits(nmi) for _, whom in self._listeners.values())

    def _publish(self, service: str, what: str, **more: int | bool) -> int | None:
        phone = self._phone
        try:
            return phone.aware_on().publish(service, **more)
        except RefusedError as exc:
            note = f"WAError.serviceAlreadyPublishing: {exc} (IA-14)"
            phone.emit(f"{what}_failed", note=note, rule="IA-14", code="serviceAlreadyPublishing")
            return None

    def may_open(self, event: ev.DataPathRequested) -> tuple[bool, int] | None:
        """Whether a data path is accepted, and the reason when not; None: there is no answer."""
        phone = self._phone
        for rule, verdict in phone.view.judge("aware_data_path", path=self._asked(event)):
            if verdict.effect.startswith("reject:"):
                self._refuse(event, f"{verdict.short} ({rule})", rule)
                return False, int(verdict.effect.removeprefix("reject:"))
        device = phone.store.at(event.peer)
        if device is None:
            why = "its sender is no paired device: the request stays unanswered (IA-46)"
            self._refuse(event, why, "IA-46")
            return None
        if not self.listens_for(event.peer) or not phone.store.is_granted(device.place):
            self._refuse(event, "no listener of the app is for it", "")
            return False, NOBODY_LISTENS
        return True, 0

    def _refuse(self, event: ev.DataPathRequested, why: str, rule: str) -> None:
        phone = self._phone
        phone.emit("path_refused", peer=phone.aware.name(event.peer), note=why, rule=rule)

    def _asked(self, event: ev.DataPathRequested) -> DataPath:
        """The request as a rule sees it."""
        phone = self._phone
        step = NdpStep(t_us=phone.now_us, frame=0, sender=event.peer, type=REQUEST)
        return DataPath(
            initiator=event.peer,
            responder=phone.aware.engine.nmi,
            initiator_ndi=event.initiator_ndi,
            number=event.ndp_id,
            is_secure=event.csid != 0,
            steps=[step],
        )
