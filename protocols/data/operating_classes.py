"""Global operating classes as channel entries of Wi-Fi Aware use them.

Source: IEEE 802.11-2020 table E-4; channel order of a bitmap as in Wireshark epan/dissectors/packet-wifi-nan.c, and
where hostap src/common/ieee802_11_common.c has more channels, those too. Data only.
"""

from __future__ import annotations

from typing import Final, NamedTuple

__all__ = ["OPERATING_CLASSES", "OperatingClass", "channel_mhz"]


class OperatingClass(NamedTuple):
    """One class: its channel numbers, lowest first, are the bits of a channel bitmap."""

    band: str
    """ "2.4 GHz", "5 GHz" or "6 GHz"."""
    width_mhz: int
    """of one segment."""
    channels: tuple[int, ...]
    more: tuple[int, ...] = ()
    """channels that only hostap knows, behind the others."""
    center_shift_mhz: int = 0
    """from the numbered channel to the centre: the number of a 40 MHz class up to 127 is the primary channel's."""
    segments: int = 1
    """2: a second segment is named by the auxiliary bitmap."""


_80 = (42, 58, 106, 122, 138, 155)
_SIX_80 = tuple(range(7, 216, 16))

OPERATING_CLASSES: Final[dict[int, OperatingClass]] = {
    81: OperatingClass("2.4 GHz", 20, tuple(range(1, 14))),
    82: OperatingClass("2.4 GHz", 20, (14,)),
    83: OperatingClass("2.4 GHz", 40, tuple(range(1, 10)), center_shift_mhz=10),
    84: OperatingClass("2.4 GHz", 40, tuple(range(5, 14)), center_shift_mhz=-10),
    115: OperatingClass("5 GHz", 20, (36, 40, 44, 48)),
    116: OperatingClass("5 GHz", 40, (36, 44), center_shift_mhz=10),
    117: OperatingClass("5 GHz", 40, (40, 48), center_shift_mhz=-10),
    118: OperatingClass("5 GHz", 20, (52, 56, 60, 64)),
    119: OperatingClass("5 GHz", 40, (52, 60), center_shift_mhz=10),
    120: OperatingClass("5 GHz", 40, (56, 64), center_shift_mhz=-10),
    121: OperatingClass("5 GHz", 20, tuple(range(100, 145, 4))),
    122: OperatingClass("5 GHz", 40, tuple(range(100, 141, 8)), center_shift_mhz=10),
    123: OperatingClass("5 GHz", 40, tuple(range(104, 145, 8)), center_shift_mhz=-10),
    124: OperatingClass("5 GHz", 20, (149, 153, 157, 161)),
    125: OperatingClass("5 GHz", 20, (149, 153, 157, 161, 165, 169), (173, 177)),
    126: OperatingClass("5 GHz", 40, (149, 157), (165, 173), center_shift_mhz=10),
    127: OperatingClass("5 GHz", 40, (153, 161), (169, 177), center_shift_mhz=-10),
    128: OperatingClass("5 GHz", 80, _80),
    129: OperatingClass("5 GHz", 160, (50, 114), (163,)),
    130: OperatingClass("5 GHz", 80, _80, segments=2),
    131: OperatingClass("6 GHz", 20, tuple(range(1, 234, 4))),
    132: OperatingClass("6 GHz", 40, tuple(range(3, 228, 8))),
    133: OperatingClass("6 GHz", 80, _SIX_80),
    134: OperatingClass("6 GHz", 160, tuple(range(15, 208, 32))),
    135: OperatingClass("6 GHz", 80, _SIX_80, segments=2),
    137: OperatingClass("6 GHz", 320, tuple(range(31, 192, 32))),
}

_STARTS_MHZ = {"2.4 GHz": 2407, "5 GHz": 5000, "6 GHz": 5950}


def channel_mhz(band: str, number: int) -> int:
    """Centre of a numbered 20 MHz channel (or of a wide one that has its own number) in MHz."""
    if band == "2.4 GHz" and number == 14:
        return 2484
    return _STARTS_MHZ[band] + 5 * number
