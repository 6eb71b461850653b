"""What the air raises, as the exceptions a bleak program gets.

bleak 3.1.0 exc.py; BlueZ 5.87 src/gatt-client.c create_gatt_dbus_error and src/device.c device_bonding_failed.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from bleak.exc import BleakDBusError, BleakError, BleakGATTProtocolError

from hw_bridge.bleak_air.link import PairingError
from protocols.errors import UsageError
from sim.gatt import AttError, LinkError

if TYPE_CHECKING:
    from collections.abc import Iterator

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
def translated(system: System) -> Iterator[None]:
    """Inside the block what the air raises becomes bleak's exception, as `system` gives it to bleak."""
    try:
        yield
    except PairingError as exc:
        if system.name == "bluez":
            name, words = _BLUEZ_PAIRING[exc.kind]
            raise BleakDBusError(name, [words]) from exc
        raise BleakError(f"Could not pair with device: {exc.kind.upper()}") from exc
    except AttError as exc:
        if system.says_not_paired and exc.code in LACKS_SECURITY:
            raise BleakDBusError("org.bluez.Error.NotPermitted", ["Not paired"]) from exc
        raise BleakGATTProtocolError(exc.code) from exc
    except (LinkError, UsageError) as exc:
        raise BleakError(str(exc)) from exc
