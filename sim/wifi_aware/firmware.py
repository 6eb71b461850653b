"""What the maker of a Wi-Fi Aware device decides: the settings of its firmware.

Defaults are those of a device that pairs with every phone we know of; each field names what goes wrong otherwise. What
becomes of them is in `engines.py` and `radio_settings.py`. No clock, no radio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from protocols.wifi_aware.attributes.pairing_bootstrapping import METHODS
from protocols.wifi_aware.service_endpoint import TCP, UDP, Endpoint, octets_of
from protocols.wifi_aware.timing import dw_slots
from sim.device import Settings, check_address
from sim.units import Duration

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protocols.wifi_aware.device import DeviceSettings

__all__ = [
    "BITS",
    "PERIODS_TU",
    "SLOTS_OF_INTERVAL",
    "Firmware",
    "Method",
    "PairingInfoForm",
    "method_bits",
    "method_name",
]

Method = Literal[
    "opportunistic",
    "pin_display",
    "passphrase_display",
    "qr_display",
    "nfc_tag",
    "pin_keypad",
    "passphrase_keypad",
    "qr_scan",
    "nfc_reader",
    "service_managed",
    "handshake_skipped",
]
"""Bootstrapping methods (NPBA bits)."""
BITS: dict[str, int] = {
    name.lower().replace(" ", "_").replace("-", "_"): 1 << bit for bit, name in METHODS.items()
}
"""Method -> bit of the NPBA."""


def method_bits(names: tuple[Method, ...]) -> int:
    """The mask of these methods."""
    return sum(BITS[name] for name in set(names))


def method_name(bit: int) -> str:
    """The method of one bit, in words."""
    return METHODS.get(bit.bit_length() - 1, f"method {bit:#06x}")


Pbm = Literal["complement", "same_bit"]
PairingInfoForm = Literal["generic", "bonjour", "sda-raw", "none"]
PERIODS_TU = tuple(128 << code for code in range(7))
"""Periods that a time bitmap can have, by code, from 1 on."""
SLOTS_OF_INTERVAL = 32
"""16-TU slots of a discovery window interval."""
_SUITES = (1, 2, 5, 6, 7, 8)
_TRANSPORTS = {"udp": UDP, "tcp": TCP}
_MOST_TEXT, _LEAST_PASSPHRASE, _MOST_PASSPHRASE = 63, 8, 63
_MOST_NAME = 255


class Firmware(Settings, frozen=True, kw_only=True):
    """Settings of a Wi-Fi Aware device: what its firmware shows, answers, keeps and forgets."""

    address: str = ""
    """management address (NMI); drawn from the seed when empty."""
    interface_address: str = ""
    """data interface address (NDI); drawn from the seed when empty, "nmi" for the same as the NMI."""
    tx_power_dbm: int = 15
    """transmit power, dBm."""
    service_name: str = "_nearbench._udp"
    """name of the service as on the air: `_label._tcp` or `_label._udp` is all that an iPhone can be told."""
    service_info: str = ""
    """service specific info in publish frames, hex; when empty, they tell of the port."""
    service_info_in: Literal["sdea", "sda", "both"] = "sdea"
    """where service info stands: in the extension, in the descriptor (some Android peers, AA-53), or in both."""
    port: int = 0
    """port it tells of in service info and data path (0: none)."""
    protocol: Literal["udp", "tcp"] = "udp"
    """transport protocol of the port."""
    vendor_name: str = "Example"
    """vendor in the pairing info, at most 63 octets (ESP-IDF: 15 characters)."""
    model_name: str = "Demo"
    """model in the pairing info."""
    pairing_name: str = "Accessory"
    """name in the pairing info: what the picker shows."""
    pairing_info: PairingInfoForm = "generic"
    """where the pairing info is (its container is not published): generic, bonjour, sda-raw, or none."""
    pairing_mode: bool = True
    """whether it offers pairing: pairing info, bootstrapping methods and the setup bit are shown."""
    methods: tuple[Method, ...] = ("pin_display",)
    """bootstrapping methods it advertises."""
    method_matching: Pbm = "complement"
    """how it reads the method in a request: its own is the complement (hostap), or the same bit (Android)."""
    open_methods: tuple[Method, ...] = ("opportunistic",)
    """methods it agrees to without asking anybody."""
    comeback_tu: int = 100
    """what it tells a requester to wait while its user is asked, TU; 0: it answers at once."""
    request_time: Duration = Duration(10_000_000)
    """how long it waits for a requester that it told to come back; until then it takes no other request of that one."""
    cipher_suites: tuple[int, ...] = (7,)
    """cipher suites in its CSIA: 1 SK-128, 2 SK-256, 7 PK-PASN-128, 8 PK-PASN-256."""
    group_security: Literal["none", "igtk", "bigtk"] = "none"
    """group keys it has: none, GTK and IGTK, or BIGTK for beacons too."""
    close_range: bool = False
    """whether its service is for devices that are near: the range bit is shown, weaker frames are not taken."""
    unsynchronised: bool = False
    """whether it publishes without a cluster, on channels that it goes through."""
    csia_in_publish: bool = True
    """whether publish frames carry the CSIA."""
    dcea_in_publish: bool = True
    """whether publish and subscribe frames carry the DCEA (an iPhone drops a publish without, IA-04)."""
    pairing_setup: bool = True
    """pairing setup bit of the DCEA."""
    npk_caching: bool = True
    """NPK/NIK caching bit of the DCEA; without it nobody recognises the other later."""
    nira_in_follow_up: bool = True
    """whether the identity key follow-up carries a NIRA (an iPhone commits no pairing without, IA-42)."""
    fresh_nira: bool = True
    """whether a new address brings a new NIRA; nobody resolves the old one at the new address (IA-55)."""
    nik_timeout: Duration = Duration(5_000_000)
    """how long it waits for the peer's identity key (an iPhone needs 2.6 s, IA-40); 0s = for ever; a duration."""
    auth_timeout: Duration = Duration(10_000_000)
    """how long it waits for the next Authentication frame; 0s = for ever; a duration."""
    attempts: int = 5
    """Authentication exchanges it answers for one PIN: each of them is a guess."""
    pin_time: Duration = Duration(120_000_000)
    """how long it shows a PIN by which nobody pairs; a duration."""
    key_lifetime: Duration = Duration(43_200_000_000)
    """lifetime it announces for its identity key; 0s = it sends no lifetime; a duration."""
    after_nik_timeout: Literal["teardown", "keep"] = "teardown"
    """what becomes of a pairing whose identity key did not come: ended (an iPhone never opens a data path then, IA-41)."""
    pairings: int = 64
    """paired devices it remembers; the oldest makes room for one more."""
    requires_lifetime: bool = False
    """whether it refuses an identity key without lifetime (hostap does, an iPhone sends none, IA-43)."""
    enforces_lifetime: bool = False
    """whether it forgets a pairing when the lifetime that the peer announced for its key is over (hostap keeps it)."""
    persistent_keys: bool = True
    """whether pairings and its own identity key outlive a loss of power (IA-54)."""
    new_address_at_start: bool = False
    """whether it takes new addresses each time it starts (IA-55)."""
    address_time: Duration = Duration(0)
    """time after which it takes a new NMI; 0s = never; a duration."""
    data_path: bool = True
    """whether it offers data paths: publishes say so, requests are accepted, and it is awake for data."""
    open_data_path: bool = False
    """whether it accepts a data path without encryption."""
    passphrase: str = ""
    """passphrase for data paths of suites 1 and 2, 8 to 63 octets."""
    responder_ready: bool = True
    """whether an application waits for a data path (AA-47)."""
    reinitiation: Literal["replace", "beside", "reject"] = "replace"
    """what it does with a second request from the same interface: it takes the place of the first (an iPhone wants that,
    IA-62), stands beside it, or is rejected."""
    takes_counter_proposals: bool = True
    """whether it takes the schedule that a responder proposes instead of the one it asked for; else the setup ends."""
    keep_alive: bool = True
    """whether it sends null frames over an idle data path, which is ended otherwise (IA-61)."""
    max_idle: int = 25
    """time without frames after which it ends a data path, units of 1024 TU."""
    availability_period_tu: int = 512
    """period of the time bitmap in its Availability: 128, 256, ... 8192 TU."""
    availability_period_limit_tu: int = 8192
    """longest such period it can read, TU; a frame with a longer one is passed over (IA-10)."""
    data_slots: tuple[int, int] = (1, 31)
    """first and last 16-TU slot of each 512-TU interval in which it is there for data."""
    wake: int = 1
    """discovery windows it attends: every 2^(n-1)th, n 1 to 5."""
    master_preference: int = 2
    """master preference, 0 to 254."""
    scan_time: Duration = Duration(1_000_000)
    """how long it looks for a cluster at the start; a duration."""
    warm_up: Duration = Duration(0)
    """how long it keeps master preference 0 after it began a cluster (hwsim: 120 s); a duration."""

    def __post_init__(self) -> None:
        for key, problem in _problems(self):
            raise ValueError(f"{key}: {problem}")

    def refine(self, settings: DeviceSettings) -> DeviceSettings:
        """Engine settings made of it, as a maker changes them further."""
        return settings

    @property
    def capabilities(self) -> int:
        """Capabilities octet of the CSIA (pairing digest 9.2)."""
        return {"none": 0, "igtk": 2, "bigtk": 4}[self.group_security]

    def data_slots_of_interval(self) -> frozenset[int]:
        """Slots of an interval in which it is there for data; those of discovery windows are left out."""
        first, last = self.data_slots
        taken = {slot % SLOTS_OF_INTERVAL for slot in dw_slots()}
        return frozenset(range(first, last + 1)) - taken

    def endpoint(self, port: int) -> bytes:
        """What service info says of a port; nothing for 0."""
        if not port:
            return b""
        return octets_of(Endpoint(port=port, transport=_TRANSPORTS[self.protocol]))


def _problems(given: Firmware) -> Iterator[tuple[str, str]]:
    """What is wrong with the settings, by key."""
    yield from _texts(given)
    for key, low, high in _NUMBERS:
        value = getattr(given, key)
        if not low <= value <= high:
            yield key, f"{value} is not {low} to {high}"
    for key in ("availability_period_tu", "availability_period_limit_tu"):
        if getattr(given, key) not in PERIODS_TU:
            yield key, f"{getattr(given, key)} is none of {', '.join(map(str, PERIODS_TU))}"
    first, last = given.data_slots
    if not 1 <= first <= last < SLOTS_OF_INTERVAL:
        yield "data_slots", f"{first} to {last} is no span within 1 to {SLOTS_OF_INTERVAL - 1}"
    wrong = [suite for suite in given.cipher_suites if suite not in _SUITES]
    if wrong:
        yield "cipher_suites", f"{wrong[0]} is none of {', '.join(map(str, _SUITES))}"


def _texts(given: Firmware) -> Iterator[tuple[str, str]]:
    for key in ("address", "interface_address"):
        text = getattr(given, key)
        if not text or (key, text) == ("interface_address", "nmi"):
            continue
        if int(check_address(text)[0][:2], 16) & 1:
            yield key, f"{text} is the address of a group"
    if not 0 < len(given.service_name.encode()) <= _MOST_NAME:
        yield "service_name", f"give 1 to {_MOST_NAME} octets"
    for key in ("vendor_name", "model_name", "pairing_name"):
        if len(getattr(given, key).encode()) > _MOST_TEXT:
            yield key, f"longer than {_MOST_TEXT} octets"
    length = len(given.passphrase.encode())
    if length and not _LEAST_PASSPHRASE <= length <= _MOST_PASSPHRASE:
        yield "passphrase", f"give {_LEAST_PASSPHRASE} to {_MOST_PASSPHRASE} octets"
    try:
        bytes.fromhex(given.service_info)
    except ValueError:
        yield "service_info", f"{given.service_info!r} is not hexadecimal"


_DAY_US = 86_400_000_000
_NUMBERS = (
    ("port", 0, 65_535),
    ("comeback_tu", 0, 65_535),
    ("wake", 1, 5),
    ("master_preference", 0, 254),
    ("max_idle", 1, 65_535),
    ("pairings", 1, 1000),
    ("attempts", 1, 1000),
    ("nik_timeout", 0, _DAY_US),
    ("auth_timeout", 0, _DAY_US),
    ("pin_time", 1, _DAY_US),
    ("request_time", 1, _DAY_US),
    ("key_lifetime", 0, 3650 * _DAY_US),
    ("address_time", 0, _DAY_US),
    ("scan_time", 1, _DAY_US),
    ("warm_up", 0, _DAY_US),
)
"""Least and most of each number; times in microseconds."""
