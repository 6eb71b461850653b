"""GATT services that configure Eddystone beacons, as tables.

Sources: Eddystone Configuration Service (configuration-service/README of the Eddystone repository, the service
a3c87500) and Eddystone-URL Configuration Service revision v2r2 (ee0c2080, its predecessor, documented here and
not decoded), both as of January 2026. Multi-octet values of the first are big-endian except the Curve25519
keys; those of the second are little-endian as in GATT. Data only.
"""

from __future__ import annotations

from typing import Final

import msgspec

__all__ = [
    "CONFIG_CHARACTERISTICS",
    "CONFIG_SERVICE",
    "URL_CONFIG_CHARACTERISTICS",
    "URL_CONFIG_SERVICE",
    "Characteristic",
]


class Characteristic(msgspec.Struct, frozen=True):
    """One characteristic. `access`: "r", "w" or "rw"."""

    uuid: str
    name: str
    access: str
    lock: str
    value: str


CONFIG_SERVICE: Final = "a3c87500-8ed3-4bdf-8a39-a01bebede295"
URL_CONFIG_SERVICE: Final = "ee0c2080-8786-40ba-ab96-99b91ac981d8"

_CONFIG_ROWS = (
    ("7501", "capabilities", "r", "unlocked",
     "version, slots, EID slots, capability bits, frame type bits (16), supported TX powers rising; 7 or more"),
    ("7502", "active_slot", "rw", "unlocked", "slot number from 0; 0 on each new connection"),
    ("7503", "advertising_interval", "rw", "unlocked", "ms, 16 bits; clamped to the nearest legal value"),
    ("7504", "radio_tx_power", "rw", "unlocked", "dBm, signed; rounded up to a supported one, else the maximum"),
    ("7505", "advertised_tx_power", "rw", "unlocked", "dBm at 0 m, signed; follows the radio power until set"),
    ("7506", "lock_state", "rw", "read always, write unlocked",
     "read: 0 locked, 1 unlocked, 2 unlocked for good; write: 00 lock, 02 relock no more, 00 + encrypted new code"),
    ("7507", "unlock", "rw", "locked", "read: one-time challenge (16); write: the challenge encrypted (16)"),
    ("7508", "public_ecdh_key", "r", "unlocked", "Curve25519 public key (32), little-endian"),
    ("7509", "eid_identity_key", "r", "unlocked", "identity key of the active slot, encrypted (16)"),
    ("750a", "adv_slot_data", "rw", "unlocked", "frame of the active slot; its layout differs by direction"),
    ("750b", "factory_reset", "w", "unlocked, state 1 only", "0B resets all but the lock code; others are ignored"),
    ("750c", "remain_connectable", "rw", "read always, write unlocked",
     "read: not 0 = can become non-connectable; write: not 0 = stay connectable"),
)  # fmt: skip
CONFIG_CHARACTERISTICS: Final = tuple(
    Characteristic(CONFIG_SERVICE.replace("7500", digits), *row) for digits, *row in _CONFIG_ROWS
)

_URL_CONFIG_ROWS = (
    ("2081", "lock_state", "r", "always", "0 unlocked, 1 locked"),
    ("2082", "lock", "w", "unlocked", "lock code (16); locks"),
    ("2083", "unlock", "w", "always", "lock code (16); unlocks and clears the code when it matches"),
    ("2084", "uri_data", "rw", "write unlocked", "scheme prefix and encoded URL, 0 to 18 octets"),
    ("2085", "flags", "rw", "write unlocked", "0x10"),
    ("2086", "advertised_tx_power_levels", "rw", "write unlocked", "4 dBm values, signed, lowest to high mode"),
    ("2087", "tx_power_mode", "rw", "write unlocked", "0 lowest, 1 low, 2 medium, 3 high; default 1"),
    ("2088", "beacon_period", "rw", "write unlocked", "ms, 16 bits; 0 stops; default 1000"),
    ("2089", "reset", "w", "unlocked", "not 0 resets everything"),
)  # fmt: skip
URL_CONFIG_CHARACTERISTICS: Final = tuple(
    Characteristic(URL_CONFIG_SERVICE.replace("2080", digits), *row)
    for digits, *row in _URL_CONFIG_ROWS
)
