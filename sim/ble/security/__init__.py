"""bumble's security made right: the one place where defects of its SMP, keys and addresses are worked around.

Core 5.4 Vol 3 Part H. Each override begins with the defect of bumble 0.0.236 that it answers. Rules of the package:
* Nothing is decided here that a device could decide: that is asked of the `Watcher`.
* `connection.authenticated` says after this: encrypted with a key that a man in the middle could not have made.
* A pairing ends once, with a Failure or with keys; nothing is sent for it afterwards.
"""

from __future__ import annotations

from sim.ble.security.device import SecureDevice
from sim.ble.security.manager import AirManager
from sim.ble.security.session import SMP_TIMEOUT_US, AirSession, Watcher

__all__ = ["SMP_TIMEOUT_US", "AirManager", "AirSession", "SecureDevice", "Watcher"]
