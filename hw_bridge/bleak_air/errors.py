"""What the air raises, as the exceptions a bleak program gets.

bleak 3.1.0 exc.py; BlueZ 5.87 src/gatt-client.c create_gatt_dbus_error and src/device.c device_bonding_failed.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError

from protocols.errors import UsageError
from sim.gatt import AttError, LinkError
from sim.pairing import PairingError

if TYPE_CHECKING:
    from collections.abc import Generator

    from hw_bridge.bleak_air.systems import System

__all__ = ["LACKS_SECURITY", "translated"]

LACKS_SECURITY = frozenset({0x05, 0x0C, 0x0F})
"""ATT errors: insufficient authentication, encryption key size, encryption."""
_BLUEZ_PAIRING = {
    "failed": ("org.bluez.Error.AuthenticationFailed", "Authentication Failed"),
    "timeout": ("org.bluez.Error.AuthenticationTimeout", "Authentication Timeout"),
    "gone": ("org.bluez.Error.AuthenticationCanceled", "Authentication Canceled"),
}


@contextlib.contextmanager
def translated(system: System) -> Generator[None]:
    """Inside the block what the air raises becomes bleak's exception, as `system` gives it to bleak."""
    try:
        yield
    except PairingError as exc:
        if system.name == "bluez":
            name, words = _BLUEZ_PAIRING[_ending(exc)]
            raise BleakDBusError(name, [words]) from exc
        raise BleakError(f"Could not pair with device: {exc}") from exc
    except AttError as exc:
        if system.says_not_paired and exc.code in LACKS_SECURITY:
            raise BleakDBusError("org.bluez.Error.NotPermitted", ["Not paired"]) from exc
        raise BleakGATTProtocolError(int(exc.code)) from exc
    except (LinkError, UsageError) as exc:
        raise BleakError(str(exc)) from exc


def _ending(error: PairingError) -> str:
    """How a pairing ended, as BlueZ tells it apart."""
    failure = error.failure
    if failure.code is not None or failure.side != "link":
        return "failed"
    return "timeout" if "30 s" in failure.words else "gone"
