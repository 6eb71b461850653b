"""A Wi-Fi Aware accessory with several services on ports of their own, which remembers two phones.

Wi-Fi Aware 4.0: one pairing holds for all services of a device, a data path is asked for at one of them. A third phone
takes the place of the one that was paired first.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from sim.accessories._aware import AwareAccessory, AwareSettings

if TYPE_CHECKING:
    from sim.device import Settings

_MOST_NAME = 255


class AwareMultiSettings(AwareSettings, frozen=True, kw_only=True):
    """Settings of the accessory with several services."""

    more_services: tuple[str, ...] = ("_nearbench-log._tcp",)
    """names of its other services; their ports follow `port` one by one."""
    pairings: int = 2
    """paired devices it remembers; the oldest makes room for one more."""
    model_name: str = "Multi"
    """model in the pairing info."""

    def __post_init__(self) -> None:
        super().__post_init__()
        names = (self.service_name, *self.more_services)
        if len(set(names)) < len(names):
            raise ValueError("more_services: a name stands there twice")
        if any(not 0 < len(name.encode()) <= _MOST_NAME for name in names):
            raise ValueError(f"more_services: a name has 1 to {_MOST_NAME} octets")


class AwareMulti(AwareAccessory):
    """Publishes `service_name` and `more_services`."""

    Settings: ClassVar[type[Settings]] = AwareMultiSettings
    about = (
        "Wi-Fi Aware 4.0; the number of pairings is that of small firmware stores. "
        "confidence: documented (services), made up (two pairings)"
    )
    settings: AwareMultiSettings

    def publish(self) -> None:
        """Publish all of them."""
        settings = self.settings
        self.aware.publish()
        for number, name in enumerate(settings.more_services, 1):
            self.aware.publish(name, port=settings.port and settings.port + number)


ACCESSORY = AwareMulti
