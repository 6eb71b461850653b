"""Numbers of the cluster engine: what a maker configures, what the specification leaves open, what scenarios shorten.

Wi-Fi Aware 4.0, synchronisation; digest 4 and 10. Defaults are those of section 10: hostap for the thresholds,
OpenNAN for the scan time, hwsim for the warm-up. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from protocols.errors import UsageError
from protocols.wifi_aware.airtime import BASIC_RATE_MBIT_S, RATES_MBIT_S
from protocols.wifi_aware.timing import BAND_2_4, BAND_5, TU_US

__all__ = ["CHANNEL_2_4", "ClusterSettings"]

CHANNEL_2_4 = 6
"""Channel of the discovery windows of 2.4 GHz."""
_S = 1_000_000


class ClusterSettings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a device synchronises. Raises UsageError for values that the specification does not allow."""

    master_preference: int = 2
    """0 (unwilling) to 254; larger ones are master more readily, 128 and above are for infrastructure (unverified)."""
    scan_us: int = _S
    """how long a starting device listens for clusters."""
    warm_up_us: int = 120 * _S
    """how long the starter of a cluster stays at preference 0."""
    rssi_close_dbm: int = -50
    """-60 (hwsim) or more: beacons stronger than this come from close by."""
    rssi_middle_dbm: int = -65
    """-75 (hwsim) or more, and below the other: weaker beacons are not used."""
    random_factor_dws: tuple[int, int] = (120, 240)
    """least and most discovery window intervals that a random factor holds."""
    discovery_beacon_tu: int = 100
    """50 to 200: how often a master sends discovery beacons; the field in the beacon stays 100."""
    wake_2_4: int = 1
    """committed wake value, 1 to 5: every 2**(n - 1)th discovery window of 2.4 GHz."""
    wake_5: int = 0
    """likewise at 5 GHz; 0: no discovery windows there."""
    channel_5: int = 149
    """149 where it is permitted, else 44."""
    search_interval_us: int = 60 * _S
    """how often a device that is up looks for other clusters; 0: never."""
    search_us: int = 150 * TU_US
    """how long it listens then: longer than the period of discovery beacons."""
    anchor_expiry_dws: int | None = 3
    """row 10: attended windows without a newer AMBTT until an anchor master counts as gone; None: never (hwsim)."""
    hop_expiry_dws: int | None = 3
    """row 11: attended windows without a neighbour on the way to it until the hop count is 255; None: never (hwsim)."""
    refuse_self: bool = True
    """row 12: a beacon that names this device as anchor master when it is not is discarded."""
    refuse_gone: bool = True
    """row 13: an anchor master does not go back to the record it gave up without a newer AMBTT."""
    first_role: Literal["master", "non_master_sync", "non_master_non_sync"] = "master"
    """role after joining a cluster, until the first window has been counted (hwsim: master)."""
    halve_up_to_us: int = 5
    """smaller corrections of the TSF are halved (hwsim)."""
    back_off_slots: tuple[int, int, int] = (16, 64, 128)
    """back-off in a window, slots of 9 µs: an anchor master draws below the first number, other masters from there to
    the second, other devices to the third; service frames come behind. That such an order exists is known, its
    numbers are not (unverified)."""
    spread_slots: int = 512
    """slots over which discovery beacons, which all masters have due together, and the service frames of a window
    are spread: about the 5 ms of hwsim."""
    rate_mbit_s: int = BASIC_RATE_MBIT_S
    """OFDM rate of beacons, by which their beginning is told from their end."""
    cluster_id: str = ""
    """ID of a cluster that this device starts; drawn when empty."""
    first_tsf_us: int | None = None
    """TSF when the device starts; drawn within one discovery window interval when None."""

    def __post_init__(self) -> None:
        for holds, message in (
            (0 <= self.master_preference <= 254, "master_preference is 0 to 254"),
            (self.rssi_close_dbm >= -60, "rssi_close_dbm is -60 or more"),
            (
                -75 <= self.rssi_middle_dbm < self.rssi_close_dbm,
                "rssi_middle_dbm is -75 or more, and below rssi_close_dbm",
            ),
            (
                0 < self.random_factor_dws[0] <= self.random_factor_dws[1],
                "random_factor_dws are two numbers above 0, the second not the smaller",
            ),
            (50 <= self.discovery_beacon_tu <= 200, "discovery_beacon_tu is 50 to 200"),
            (1 <= self.wake_2_4 <= 5, "wake_2_4 is 1 to 5"),
            (0 <= self.wake_5 <= 5, "wake_5 is 0 to 5"),
            (self.channel_5 in (44, 149), "channel_5 is 44 or 149"),
            (self.scan_us > 0, "scan_us is above 0"),
            (min(self.warm_up_us, self.search_interval_us) >= 0, "times are not negative"),
            (
                0 < self.back_off_slots[0] < self.back_off_slots[1] < self.back_off_slots[2],
                "back_off_slots are three rising numbers",
            ),
            (
                self.spread_slots > self.back_off_slots[2],
                "spread_slots is above the last of back_off_slots",
            ),
            (self.rate_mbit_s in RATES_MBIT_S, f"rate_mbit_s is one of {RATES_MBIT_S}"),
        ):
            if not holds:
                raise UsageError(f"cluster setting {message}")

    @property
    def bands(self) -> tuple[int, ...]:
        """Bands whose discovery windows it attends."""
        return (BAND_2_4, BAND_5) if self.wake_5 else (BAND_2_4,)

    def wake(self, band: int) -> int:
        """Committed wake value of a band."""
        return self.wake_5 if band == BAND_5 else self.wake_2_4

    def channel(self, band: int) -> int:
        """Channel of the discovery windows of a band."""
        return self.channel_5 if band == BAND_5 else CHANNEL_2_4
