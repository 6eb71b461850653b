"""Frames of Wi-Fi on the air as observers see them: what goes with the octets, and what they are called.

Names are those of the frames in small letters: `sync_beacon`, `discovery_beacon`, `sdf`, `naf`, `authentication`,
`ack`, `data`, and with `protected_` in front when the body is encrypted. Light to import; no clock, no chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Hashable

__all__ = ["WIFI", "WifiFrame", "frame_name", "wifi_channel"]

WIFI = "wifi"
"""First half of the channels of Wi-Fi."""
_BEACONS = {512: "sync_beacon", 100: "discovery_beacon"}
_SUBTYPES = {0x80: "beacon", 0xB0: "authentication", 0xD0: "action", 0xD4: "ack", 0x48: "null_data"}
_ACTIONS = {0x13: "sdf", 0x18: "naf"}
_PROTECTED, _DATA, _TYPE = 0x40, 0x08, 0x0C
_INTERVAL, _OUI = 32, slice(26, 29)
_WFA = bytes.fromhex("506f9a")


class WifiFrame(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What goes with the octets of a Wi-Fi frame (`Transmission.meta`)."""

    channel: int
    rate_mbit_s: int
    tsft_us: int
    """TSF of the sender at the beginning of the frame."""
    deaf: tuple[str, ...] = ()
    """radios that did not listen on the channel when it began."""
    name: str = ""
    """what its engine calls it."""


def wifi_channel(channel: Hashable) -> int | None:
    """Number of a Wi-Fi channel of the air, None for any other channel."""
    match channel:
        case (str(kind), int(number)) if kind == WIFI:
            return number
        case _:
            return None


def frame_name(octets: bytes) -> str:
    """Name of a frame by its octets."""
    control = octets[0]
    if control & _TYPE == _DATA and control not in _SUBTYPES:
        name = "data"
    else:
        name = _SUBTYPES.get(control, "management" if not control & _TYPE else "frame")
    if len(octets) > 1 and octets[1] & _PROTECTED:
        return f"protected_{name}"
    if name == "beacon":
        return _BEACONS.get(int.from_bytes(octets[_INTERVAL : _INTERVAL + 2], "little"), name)
    if name == "action" and octets[_OUI] == _WFA and len(octets) > _OUI.stop:
        return _ACTIONS.get(octets[_OUI.stop], name)
    return name
