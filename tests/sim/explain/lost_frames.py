"""A fault for tests: one kind of unicast frame of Wi-Fi Aware never arrives, however often it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from sim.faults._air import AirFault, DirectedSettings

if TYPE_CHECKING:
    from sim.device import Settings

_NPBA = 0x2C


class LostFramesSettings(DirectedSettings, frozen=True, kw_only=True):
    """Settings of the fault."""

    kind: str = "auth3"
    """`auth1` to `auth3`, `request`, `response` (of bootstrapping), `protected`."""


class LostFrames(AirFault):
    """Frames of one kind get lost."""

    Settings: ClassVar[type[Settings]] = LostFramesSettings
    about = "made for tests"

    def stops(self, receiver: str, data: bytes, meta: Any) -> str:
        """By the octets alone."""
        return "lost" if _kind(data) == self.settings.kind else ""


def _kind(data: bytes) -> str:
    if len(data) < 32 or data[4] & 1 or data[0] & 0x0C:
        return ""
    if data[0] == 0xB0:
        return f"auth{data[26]}"
    if data[1] & 0x40:
        return "protected"
    at = 30  # attributes of a service discovery frame
    while data[29] == 0x13 and at + 5 <= len(data):
        if data[at] == _NPBA:
            return {1: "request", 2: "response"}.get(data[at + 4] & 0x0F, "")
        at += 3 + int.from_bytes(data[at + 1 : at + 3], "little")
    return ""


FAULT = LostFrames
