"""An advert as the parameters of a bumble advertising set.

Bluetooth Core 5.4, Vol 4 Part E 7.8.53. The interval is exactly the one asked for: minimum and maximum are the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from bumble import hci
from bumble.device import AdvertisingEventProperties, AdvertisingParameters

if TYPE_CHECKING:
    from sim.gatt import Advert

__all__ = ["set_parameters"]


def set_parameters(
    advert: Advert, handle: int, *, power_dbm: int, random: bool
) -> AdvertisingParameters:
    """Parameters of set `handle`; `power_dbm` is the device's, `random` the type of its own address."""
    connectable, scannable = advert.sort == "connectable", advert.sort == "scannable"
    interval_ms = advert.interval_ms + 1e-6  # bumble cuts, so that 20.625 would be 20
    uses_random = random or advert.set_address is not None
    return AdvertisingParameters(
        advertising_event_properties=AdvertisingEventProperties(
            is_connectable=connectable,
            is_scannable=scannable or (connectable and not advert.extended),
            is_legacy=not advert.extended,
        ),
        primary_advertising_interval_min=interval_ms,
        primary_advertising_interval_max=interval_ms,
        own_address_type=hci.OwnAddressType.RANDOM if uses_random else hci.OwnAddressType.PUBLIC,
        advertising_tx_power=power_dbm if advert.tx_power_dbm is None else advert.tx_power_dbm,
        advertising_sid=handle & 0x0F,
    )
