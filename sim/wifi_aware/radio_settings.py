"""Settings of a NAN radio, and those that a firmware makes of it.

Wi-Fi Aware 4.0, digest 4 and 10; IEEE 802.11-2020 10.3. No clock, no chance.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.wifi_aware.airtime import BASIC_RATE_MBIT_S
from protocols.wifi_aware.cluster_settings import CHANNEL_2_4, ClusterSettings
from protocols.wifi_aware.timing import DW0_INTERVAL_US, SLOTS, SLOTS_PER_DW_INTERVAL

if TYPE_CHECKING:
    from sim.wifi_aware.firmware import Firmware

__all__ = ["RadioSettings", "settings_of"]


class RadioSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a radio sends and listens."""

    cluster: ClusterSettings = ClusterSettings()
    tx_power_dbm: int = 15
    sensitivity_dbm: int = -90
    """weakest frame that it receives, and senses: the standard asks for -82 at 6 Mbit/s, chips do better."""
    rate_mbit_s: int = BASIC_RATE_MBIT_S
    """OFDM rate of its frames; acknowledgements go at 6 Mbit/s."""
    retry_limit: int = 7
    """how often an unacknowledged unicast frame is sent again (802.11 short retry limit)."""
    lifetime_us: int = 2 * DW0_INTERVAL_US
    """how long a frame waits for its window or slot."""
    slots: dict[int, frozenset[int]] = {}  # msgspec copies mutable defaults
    """committed slots (0 to 511 from DW0) by channel number, in which it listens beside its discovery windows."""


def settings_of(firmware: Firmware) -> RadioSettings:
    """The radio of a device with this firmware; it is awake in the slots that its Availability commits to."""
    slots: dict[int, frozenset[int]] = {}
    if firmware.data_path:
        wanted = firmware.data_slots_of_interval()
        every = range(0, SLOTS, SLOTS_PER_DW_INTERVAL)
        slots[CHANNEL_2_4] = frozenset(start + slot for start in every for slot in wanted)
    cluster = ClusterSettings(
        master_preference=firmware.master_preference,
        scan_us=int(firmware.scan_time),
        warm_up_us=int(firmware.warm_up),
        wake_2_4=firmware.wake,
    )
    return RadioSettings(cluster=cluster, tx_power_dbm=firmware.tx_power_dbm, slots=slots)
