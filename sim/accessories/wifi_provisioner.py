"""A device that wants to be on the home Wi-Fi: scans for networks, reports them over GATT, takes credentials.

The side channel that iOS apps need because iOS has no Wi-Fi scan for them (rule IW-09). Service and octets are made
up; IEEE 802.11 9.4.2.2 (SSID of at most 32 octets), passphrases of 8 to 63 characters. Rules of the file: everything
goes over an encrypted link; the list of networks is simulated.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, ClassVar, Literal

import msgspec

from sim.accessories._battery import BatteryAccessory, BatterySettings
from sim.adverts import service_and_name
from sim.gatt import Advert, AttError, Characteristic, Peer, Security, Service
from sim.units import Duration  # msgspec reads the annotations

if TYPE_CHECKING:
    from sim.device import Settings

PROVISIONING_SERVICE = "6b0a0041-53c1-4a0d-9d0e-6f1a3c5b7d90"
SCAN_CONTROL = "6b0a0042-53c1-4a0d-9d0e-6f1a3c5b7d90"
NETWORK = "6b0a0043-53c1-4a0d-9d0e-6f1a3c5b7d90"
CREDENTIALS = "6b0a0044-53c1-4a0d-9d0e-6f1a3c5b7d90"
STATUS = "6b0a0045-53c1-4a0d-9d0e-6f1a3c5b7d90"
IDLE, SCANNING, JOINING, JOINED, WRONG_PASSPHRASE, NOT_FOUND = range(6)
_WORDS = ("idle", "scanning", "joining", "joined", "wrong passphrase", "network not found")
INVALID_LENGTH, VALUE_NOT_ALLOWED = 0x0D, 0x13
_SECURITIES = ("open", "wpa2", "wpa3")


class Network(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A Wi-Fi network in reach of the device."""

    ssid: str
    rssi_dbm: int = -60
    security: Literal["open", "wpa2", "wpa3"] = "wpa2"
    passphrase: str = ""


class ProvisionerSettings(BatterySettings, frozen=True, kw_only=True):
    """Settings of the Wi-Fi device."""

    local_name: str = "Set me up"
    """name in the advert and in GAP."""
    advertising_interval_ms: float = 100.0
    """advertising interval, ms."""
    networks: tuple[Network, ...] = (
        Network("Home", -52, "wpa2", "correct horse"),
        Network("Neighbour", -71, "wpa3", "battery staple"),
        Network("Cafe", -78, "open"),
    )
    """networks in reach: ssid, rssi_dbm, security (open, wpa2, wpa3), passphrase."""
    scan_time: Duration = Duration(3_000_000)
    """how long a Wi-Fi scan takes; a duration."""
    join_time: Duration = Duration(2_000_000)
    """how long joining takes; a duration."""
    security: Security = "encrypted"
    """what its characteristics ask of a link: open, encrypted or authenticated."""

    def __post_init__(self) -> None:
        super().__post_init__()
        for one in self.networks:
            if not 1 <= len(one.ssid.encode()) <= 32:
                raise ValueError(f"networks: SSID {one.ssid!r}: allowed are 1 to 32 octets")
            if one.security != "open" and not 8 <= len(one.passphrase) <= 63:
                raise ValueError(
                    f"networks: passphrase of {one.ssid!r}: allowed are 8 to 63 characters"
                )


class WifiProvisioner(BatteryAccessory):
    """Finds networks, tells the phone, joins the one it is told."""

    Settings: ClassVar[type[Settings]] = ProvisionerSettings
    about = (
        "phone profiles IW-09 (apps cannot scan; the accessory does it for them); service and octets are made up. "
        "confidence: documented (the need), made up (the service)"
    )
    settings: ProvisionerSettings

    async def start(self) -> None:
        """Advertise; a network it was given before is joined again."""
        self._status = JOINED if self.stored.get("ssid") else IDLE
        self._busy = False
        data, response = service_and_name(PROVISIONING_SERVICE, self.settings.local_name)
        interval_ms = self.settings.advertising_interval_ms
        await self.ble.advertise(Advert(data=data, scan_response=response, interval_ms=interval_ms))

    def local_name(self) -> str:
        """Device Name."""
        return self.settings.local_name

    def services(self) -> tuple[Service, ...]:
        """Scan control, networks, credentials, status."""
        level = self.settings.security
        table = (
            Characteristic(
                uuid=SCAN_CONTROL,
                name="Scan Control",
                properties=("write",),
                write=self._on_scan,
                write_security=level,
            ),
            Characteristic(
                uuid=NETWORK, name="Network", properties=("notify",), read_security=level
            ),
            Characteristic(
                uuid=CREDENTIALS,
                name="Credentials",
                properties=("write",),
                write=self._on_credentials,
                write_security=level,
            ),
            Characteristic(
                uuid=STATUS,
                name="Status",
                properties=("read", "notify"),
                read=lambda _: bytes((self._status,)),
                read_security=level,
            ),
        )
        service = Service(uuid=PROVISIONING_SERVICE, name="Provisioning", characteristics=table)
        return (service, self.battery_service())

    def _on_scan(self, peer: Peer, value: bytes) -> None:
        if value != b"\x01":
            raise AttError(VALUE_NOT_ALLOWED)
        if not self._busy:
            self._busy = True
            self.background(self._scan(peer))

    async def _scan(self, peer: Peer) -> None:
        """Octets of each network: place and number of all, RSSI, security, SSID; strongest first."""
        await self._say(SCANNING)
        await asyncio.sleep(self.settings.scan_time / 1e6)
        found = sorted(self.settings.networks, key=lambda one: -one.rssi_dbm)
        for index, one in enumerate(found):
            head = bytes((index, len(found), one.rssi_dbm & 0xFF, _SECURITIES.index(one.security)))
            await self.ble.notify(NETWORK, head + one.ssid.encode(), peer)
        self.log(f"reported {len(found)} networks to {peer.name}")
        self._busy = False
        await self._say(IDLE)

    def _on_credentials(self, peer: Peer, value: bytes) -> None:
        """Octets: length of the SSID, SSID, length of the passphrase, passphrase."""
        length = value[0] if value else 0
        ssid, rest = value[1 : 1 + length], value[1 + length :]
        if not 1 <= length <= 32 or not rest or len(rest) != 1 + rest[0]:
            raise AttError(INVALID_LENGTH)
        if not self._busy:
            self._busy = True
            self.log(f"credentials from {peer.name}")
            self.background(self._join(ssid.decode("utf-8", "replace"), rest[1:]))

    async def _join(self, ssid: str, passphrase: bytes) -> None:
        await self._say(JOINING)
        await asyncio.sleep(self.settings.join_time / 1e6)
        network = next((one for one in self.settings.networks if one.ssid == ssid), None)
        self._busy = False
        if network is None:
            await self._say(NOT_FOUND)
        elif network.passphrase.encode() != passphrase:
            await self._say(WRONG_PASSPHRASE)
        else:
            self.store("ssid", ssid)
            await self._say(JOINED)

    async def _say(self, status: int) -> None:
        self._status = status
        self.emit("wifi", note=_WORDS[status], status=status, words=_WORDS[status])
        await self.ble.notify(STATUS, bytes((status,)))


ACCESSORY = WifiProvisioner
