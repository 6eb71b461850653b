"""An Eddystone beacon: UID, URL, TLM and EID in turn, and the configuration service behind a lock.

Eddystone protocol specification (frames), Eddystone-EID (rotation, clock), Eddystone Configuration Service (a3c87500).
The engine is `protocols.ble.eddystone_config_service`; here it meets a radio and a clock. Rules of the file:
* One advertiser; the frame on it changes every `frame_time`, in slot order.
* Telemetry counts advertising events as firmware without an event interrupt does: by time, an interval and its mean
  delay of 5 ms each. While a slot is EID the engine encrypts it.
* The address changes with each new EID (`rotate_address`), to a non-resolvable random one.
* Configuration mode: `configure` makes it connectable for a time (at least 30 s), with service and name in the scan
  response; a client that stays keeps it, and the frames go on beside the connection.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Literal

from protocols.ble.advertising import ad_run, flags, name, service_data, uuids16, uuids128
from protocols.ble.eddystone_config_service import AttError as Refusal
from protocols.ble.eddystone_config_service import Capabilities, ConfigService
from protocols.ble.eddystone_crypto import encrypt_key
from protocols.ble.payloads.eddystone_url import url_frame
from protocols.data.eddystone_gatt import CONFIG_CHARACTERISTICS, CONFIG_SERVICE
from protocols.errors import EncodeError, UsageError
from sim.accessories import Accessory, AccessorySettings
from sim.device import command
from sim.gatt import Advert, AttError, Characteristic, Peer, Property, Service
from sim.units import Duration  # msgspec reads the annotations

if TYPE_CHECKING:
    from collections.abc import Callable

    from sim.device import Place, Settings

Frame = Literal["uid", "url", "tlm", "eid"]
_MEAN_DELAY_US = 5_000
_LEAST_CONNECTABLE = Duration(30_000_000)
_POWERS_DBM = (-40, -20, -16, -12, -8, -4, 0, 4)
_ACCESS: dict[str, tuple[Property, ...]] = {
    "r": ("read",),
    "w": ("write",),
    "rw": ("read", "write"),
}


class EddystoneSettings(AccessorySettings, frozen=True, kw_only=True):
    """Settings of the Eddystone beacon."""

    frames: tuple[Frame, ...] = ("uid", "url", "tlm", "eid")
    """what it broadcasts, in this order: uid, url, tlm, eid; at most four slots."""
    frame_time: Duration = Duration(1_000_000)
    """how long each frame is sent before the next; a duration."""
    namespace: str = "edd1ebeac04e5defa017"
    """UID namespace, 20 hex digits."""
    instance: str = "000000000001"
    """UID instance, 12 hex digits."""
    url: str = "https://example.com/"
    """URL; 17 octets after compression."""
    tx_power_0m_dbm: int = -15
    """power at 0 m said in the frames, dBm."""
    battery_mv: int = 3000
    """battery in the telemetry, mV; 0 = not supported."""
    temperature_c: float = 21.5
    """temperature in the telemetry, degrees Celsius; below -127.99 = not supported."""
    identity_key: str = ""
    """EID identity key, 32 hex digits; drawn from the seed when empty."""
    rotation_exponent: int = 4
    """a new EID every 2^this seconds, 0 to 15."""
    rotate_address: bool = True
    """whether the radio address changes with the EID."""
    lock_code: str = ""
    """lock code of the configuration service, 32 hex digits; drawn from the seed when empty."""
    local_name: str = "Eddystone"
    """name in the scan response of the configuration mode and in GAP; at most 11 octets."""
    advertising_interval_ms: int = 100
    """advertising interval, ms."""
    connectable: bool = False
    """whether it is in configuration mode for ever, as fresh from the factory."""

    def __post_init__(self) -> None:
        super().__post_init__()
        lengths = {"namespace": 20, "instance": 12, "identity_key": 32, "lock_code": 32}
        for key, digits in lengths.items():
            text = getattr(self, key)
            if (text or key in ("namespace", "instance")) and not _is_hex(text, digits):
                raise ValueError(f"{key}: {text!r} is not {digits} hex digits")
        if not 0 <= self.rotation_exponent <= 15:
            raise ValueError(f"rotation_exponent {self.rotation_exponent}: allowed are 0 to 15")
        if not 1 <= len(self.frames) <= 4:
            raise ValueError(f"frames: {len(self.frames)} given; give one to four")
        if self.frame_time <= 0:
            raise ValueError("frame_time: must be longer than nothing")
        if len(self.local_name.encode()) > 11:
            raise ValueError(
                f"local_name: {len(self.local_name.encode())} octets; 11 fit beside the service UUID"
            )


def _is_hex(text: str, digits: int) -> bool:
    return len(text) == digits and all(c in "0123456789abcdefABCDEF" for c in text)


class EddystoneBeacon(Accessory):
    """A beacon with four slots, any of which may be EID, and the whole configuration service."""

    Settings: ClassVar[type[Settings]] = EddystoneSettings
    about = (
        "Eddystone protocol specification, Eddystone-EID, Eddystone Configuration Service (all github.com/google/eddystone). "
        "confidence: verified (frames, cryptography), documented (configuration service)"
    )
    button: ClassVar[str] = "configure"
    settings: EddystoneSettings

    def __init__(self, name: str, settings: EddystoneSettings, place: Place) -> None:
        super().__init__(name, settings, place)
        self.lock_code = bytes.fromhex(settings.lock_code) or self.draw("lock_code", 16)
        self.identity_key = bytes.fromhex(settings.identity_key) or self.draw("identity_key", 16)
        self._service = self._new_service()
        self._client: Peer | None = None
        self._connectable_until_us = 0
        self._shown: Advert | None = None
        self._eid_turn = -1
        self._address: str | None = None

    def _new_service(self) -> ConfigService:
        settings = self.settings
        service = ConfigService(
            Capabilities(
                max_slots=4, max_eid_slots=4, supported_tx_power_dbm=_POWERS_DBM, min_interval_ms=20
            ),
            self.draw,
            self.now_us,
            lock_code=self.lock_code,
            factory={index: self._slot_data(kind) for index, kind in enumerate(settings.frames)},
            interval_ms=settings.advertising_interval_ms,
            radio_tx_power_dbm=settings.tx_power_dbm,
        )
        for slot in service.beacon.slots:
            slot.advertised_tx_power_dbm = settings.tx_power_0m_dbm
        celsius = settings.temperature_c
        service.beacon.measure(settings.battery_mv or None, celsius if celsius > -127.995 else None)
        return service

    def _slot_data(self, kind: Frame) -> bytes:
        """What a client would write to configure a slot. Raises UsageError."""
        settings = self.settings
        if kind == "uid":
            return b"\x00" + bytes.fromhex(settings.namespace + settings.instance)
        if kind == "url":
            try:
                frame = url_frame(settings.url, 0)
            except EncodeError as exc:
                raise UsageError(str(exc)) from None
            return frame[:1] + frame[2:]
        if kind == "tlm":
            return b"\x20"
        return (
            b"\x30"
            + encrypt_key(self.lock_code, self.identity_key)
            + bytes((settings.rotation_exponent,))
        )

    def local_name(self) -> str:
        """Device Name."""
        return self.settings.local_name

    # The configuration service

    def services(self) -> tuple[Service, ...]:
        """a3c87500 with its twelve characteristics."""
        table = tuple(
            Characteristic(
                uuid=row.uuid,
                properties=_ACCESS[row.access],
                name=row.name,
                read=self._reader(row.uuid) if "r" in row.access else None,
                write=self._writer(row.uuid) if "w" in row.access else None,
            )
            for row in CONFIG_CHARACTERISTICS
        )
        return (
            Service(uuid=CONFIG_SERVICE, characteristics=table, name="Eddystone Configuration"),
        )

    def _reader(self, uuid: str) -> Callable[[Peer], bytes]:
        def read(_peer: Peer) -> bytes:
            value = self._service.read(uuid, self.now_us)
            if isinstance(value, Refusal):
                raise AttError(value)
            return value

        return read

    def _writer(self, uuid: str) -> Callable[[Peer, bytes], None]:
        def write(_peer: Peer, value: bytes) -> None:
            before = self._service.lock_state
            refused = self._service.write(uuid, value, self.now_us)
            if refused is not None:
                raise AttError(refused)
            if self._service.lock_state != before:
                self.emit(
                    "lock_state",
                    note=self._service.lock_state.name.lower(),
                    state=int(self._service.lock_state),
                )

        return write

    @property
    def lock_state(self) -> int:
        """0 locked, 1 unlocked, 2 unlocked without automatic relock."""
        return int(self._service.lock_state)

    def on_connect(self, peer: Peer) -> None:
        """One client at a time; the frames go on, not connectable."""
        if not self._service.connect():
            self.background(self.ble.disconnect(peer))
            return
        self._client = peer
        self.background(self._show())

    def on_disconnect(self, peer: Peer, reason: int) -> None:
        """Lock again, unless the client stopped that."""
        if self._client is not None and self._client.handle == peer.handle:
            self._client = None
            self._service.disconnect()
            self.background(self._show())

    @command
    async def configure(self, for_: Duration = _LEAST_CONNECTABLE) -> None:
        """Press the button: connectable `for` a time (30 s or longer)."""
        if for_ < _LEAST_CONNECTABLE:
            raise UsageError(
                f"{self.name}.configure: for {for_ / 1e6:g} s: a beacon stays connectable 30 s or longer"
            )
        self._connectable_until_us = self.now_us + for_
        self.emit("configurable", note=f"connectable for {for_ / 1e6:g} s")
        await self._show()

    # Broadcasting

    async def start(self) -> None:
        """Begin to broadcast; counters and locks are as after power-on."""
        self._service = self._new_service()
        self._client = None
        self._shown = None
        self._showing = asyncio.Lock()
        self._slot = 0
        await self._show()
        self.background(self._rotate())

    async def _rotate(self) -> None:
        while True:
            await asyncio.sleep(self.settings.frame_time / 1e6)
            self._slot += 1
            await self._show()

    @property
    def _connectable(self) -> bool:
        wanted = self.settings.connectable or self._service.stays_connectable
        return self._client is None and (wanted or self.now_us < self._connectable_until_us)

    async def _show(self) -> None:
        """Put the frame whose turn it is on the air."""
        async with self._showing:
            advert = self._advert()
            shown, self._shown = self._shown, advert
            if advert is None:
                await self.ble.stop_advertising()
            elif shown is not None and _same_but_data(shown, advert):
                await self.ble.set_data(advert.data, advert.scan_response or None)
            else:
                await self.ble.advertise(advert)

    def _advert(self) -> Advert | None:
        """What to send now, None when all slots are silent and nobody may connect."""
        beacon = self._service.beacon
        full = [index for index, slot in enumerate(beacon.slots) if slot.content is not None]
        data, interval_ms, power_dbm = (
            ad_run([flags()]),
            self.settings.advertising_interval_ms,
            self.settings.tx_power_dbm,
        )
        if full:
            index = full[self._slot % len(full)]
            slot = beacon.slots[index]
            interval_ms, power_dbm = slot.interval_ms, slot.radio_tx_power_dbm
            data = ad_run([flags(), uuids16(["feaa"]), service_data("feaa", self._frame(index))])
        elif not self._connectable:
            return None
        response = (
            ad_run([uuids128([CONFIG_SERVICE]), name(self.settings.local_name)])
            if self._connectable
            else b""
        )
        return Advert(
            data=data,
            scan_response=response,
            sort="connectable" if self._connectable else "non_connectable",
            interval_ms=interval_ms,
            tx_power_dbm=power_dbm,
            set_address=self._current_address(),
        )

    def _frame(self, index: int) -> bytes:
        beacon = self._service.beacon
        content = beacon.slots[index].content
        if content is None or content.kind != "tlm":
            return beacon.frame(index, self.now_us)
        beacon.adv_count = self.now_us // (beacon.slots[index].interval_ms * 1000 + _MEAN_DELAY_US)
        round_ = self._service.frames(
            self.now_us
        )  # a round moves encrypted telemetry to the next key
        return next(one.data for one in round_ if one.slot == index)

    def _current_address(self) -> str | None:
        """The set's address; a new one with each EID, never while a client is connected."""
        eids = self._service.beacon.eid_states()
        if not eids or not self.settings.rotate_address:
            return self._address
        turn = eids[0].clock_s(self.now_us) >> eids[0].exponent
        if turn != self._eid_turn and self._client is None:
            self._eid_turn = turn
            octets = bytearray(self.draw("address", 6))
            octets[0] &= 0x3F
            self._address = octets.hex(":")
        return self._address


def _same_but_data(a: Advert, b: Advert) -> bool:
    def rest(advert: Advert) -> tuple[object, ...]:
        return (advert.sort, advert.interval_ms, advert.tx_power_dbm, advert.set_address)

    return rest(a) == rest(b)


ACCESSORY = EddystoneBeacon
