"""Wi-Fi Aware devices in the simulated air: radios, firmware settings, nodes, and the links of data paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sim.device import Device
    from sim.world import RadioPlace

__all__ = ["build"]


def build(device: Device, world: RadioPlace) -> None:
    """Give `device` its Wi-Fi Aware half as `device.aware`; the device switches it on when it wants to."""
    from sim.wifi_aware.half import AwareHalf  # only worlds with such devices load it

    owner: Any = device  # devices with that radio have what AwareOwner asks for
    owner.aware = AwareHalf(owner, world)
