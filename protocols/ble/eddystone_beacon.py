"""An Eddystone beacon's slots and what it broadcasts from them.

Eddystone Configuration Service, characteristics 1 to 5 and 10 (slots, interval, power, slot data); Eddystone-EID
and -TLM specifications (clock, telemetry under the identity keys in turn). Each EID slot has a clock of its own
that starts when the slot is set. Time is `now_us`, chance is `draw(purpose, octets)` with the purpose
`etlm_salt`; no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from protocols.ble.payloads._eddystone_config import FrameType
from protocols.ble.payloads.eddystone_eid import eid_frame
from protocols.ble.payloads.eddystone_etlm import etlm_frame
from protocols.ble.payloads.eddystone_tlm import tlm_frame
from protocols.ble.payloads.eddystone_uid import uid_frame
from protocols.ble.payloads.eddystone_url import raw_url_frame
from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Beacon", "Broadcast", "Capabilities", "Content", "EidState", "Slot"]

_US = 1_000_000
_CLOCK = 1 << 32


class Capabilities(msgspec.Struct, frozen=True, kw_only=True):
    """What the beacon can do: characteristic 1, the legal interval range, and characteristic 12's reading."""

    max_slots: int
    max_eid_slots: int = 1
    variable_adv_supported: bool = True
    variable_tx_power_supported: bool = True
    frame_types: tuple[FrameType, ...] = ("uid", "url", "tlm", "eid")
    supported_tx_power_dbm: tuple[int, ...] = (-20, -10, 0)
    """rising, at least one."""
    min_interval_ms: int = 100
    max_interval_ms: int = 10240
    non_connectable_supported: bool = True

    def legal_interval_ms(self, wanted_ms: int) -> int:
        """Nearest legal interval (characteristic 3)."""
        return min(max(wanted_ms, self.min_interval_ms), self.max_interval_ms)

    def legal_power_dbm(self, wanted_dbm: int) -> int:
        """Lowest supported power that is not below the wanted one, else the maximum (characteristic 4)."""
        powers = self.supported_tx_power_dbm
        return next((power for power in powers if power >= wanted_dbm), powers[-1])


class EidState(msgspec.Struct, frozen=True):
    """Key and clock of one EID slot."""

    identity_key: bytes
    exponent: int
    clock_start_s: int
    since_us: int
    """when the clock stood at its start value."""

    def __repr__(self) -> str:
        return f"EidState(exponent={self.exponent}, since_us={self.since_us})"

    def clock_s(self, now_us: int) -> int:
        """Beacon clock, 32 bits."""
        return (self.clock_start_s + (now_us - self.since_us) // _US) % _CLOCK


class Content(msgspec.Struct, frozen=True):
    """What a slot broadcasts: `octets` is namespace and instance, or prefix and encoded URL."""

    kind: FrameType
    octets: bytes = b""
    eid: EidState | None = None


class Slot(msgspec.Struct):
    """One slot; without content it is silent."""

    interval_ms: int
    radio_tx_power_dbm: int
    advertised_tx_power_dbm: int | None = None
    """None: as the radio's (characteristic 5)."""
    content: Content | None = None

    @property
    def tx_power_0m_dbm(self) -> int:
        """What the slot's frames say."""
        own = self.advertised_tx_power_dbm
        return self.radio_tx_power_dbm if own is None else own


class Broadcast(msgspec.Struct, frozen=True):
    """One frame to send: service data of FEAA, with the parameters of its slot."""

    slot: int
    data: bytes
    interval_ms: int
    radio_tx_power_dbm: int


class Beacon:
    """Slots, sensors and counters. Raises UsageError when the capabilities contradict themselves."""

    def __init__(
        self,
        capabilities: Capabilities,
        draw: Callable[[str, int], bytes],
        now_us: int,
        *,
        interval_ms: int = 1000,
        radio_tx_power_dbm: int = 0,
    ) -> None:
        powers = capabilities.supported_tx_power_dbm
        if not powers or list(powers) != sorted(powers):
            raise UsageError(f"supported TX powers {powers}: give one or more, rising")
        if not 1 <= capabilities.max_slots <= 0xFF:
            raise UsageError(f"{capabilities.max_slots} slots: give 1 to 255")
        self.capabilities = capabilities
        self.adv_count = 0
        self._draw = draw
        self._booted_us = now_us
        self._defaults = (interval_ms, radio_tx_power_dbm)
        self._battery_mv: int | None = None
        self._temperature_c: float | None = None
        self._turn = 0
        self.slots: list[Slot] = []
        self.clear()

    def clear(self) -> None:
        """All slots silent, at the default interval and power."""
        interval_ms = self.capabilities.legal_interval_ms(self._defaults[0])
        power_dbm = self.capabilities.legal_power_dbm(self._defaults[1])
        self.slots = [Slot(interval_ms, power_dbm) for _ in range(self.capabilities.max_slots)]

    def measure(self, battery_mv: int | None, temperature_c: float | None) -> None:
        """Values of the next telemetry frames; None = not supported."""
        self._battery_mv, self._temperature_c = battery_mv, temperature_c

    def set_interval(self, index: int, wanted_ms: int) -> None:
        """Clamped; for all slots unless the beacon has an interval per slot."""
        for slot in self._scope(index, each=self.capabilities.variable_adv_supported):
            slot.interval_ms = self.capabilities.legal_interval_ms(wanted_ms)

    def set_radio_power(self, index: int, wanted_dbm: int) -> None:
        """Rounded to a supported power; for all slots unless the beacon has a power per slot."""
        for slot in self._scope(index, each=self.capabilities.variable_tx_power_supported):
            slot.radio_tx_power_dbm = self.capabilities.legal_power_dbm(wanted_dbm)

    def _scope(self, index: int, *, each: bool) -> list[Slot]:
        return [self.slots[index]] if each else self.slots

    def eid_states(self, *, but: int | None = None) -> list[EidState]:
        """Of all EID slots in slot order, one left out on request."""
        contents = [slot.content for index, slot in enumerate(self.slots) if index != but]
        return [content.eid for content in contents if content is not None and content.eid]

    def frames(self, now_us: int) -> list[Broadcast]:
        """One round: each configured slot's frame, in slot order. Counts them; encrypted telemetry gets a new
        salt and the next identity key."""
        out: list[Broadcast] = []
        for index, slot in enumerate(self.slots):
            if slot.content is None:
                continue
            data = self.frame(index, now_us)
            out.append(Broadcast(index, data, slot.interval_ms, slot.radio_tx_power_dbm))
            self.adv_count += 1
            if slot.content.kind == "tlm":
                self._turn += 1
        return out

    def frame(self, index: int, now_us: int) -> bytes:
        """The frame of one slot, not counted; empty when the slot is silent."""
        slot = self.slots[index]
        content = slot.content
        if content is None:
            return b""
        if content.kind == "uid":
            return uid_frame(content.octets[:10], content.octets[10:], slot.tx_power_0m_dbm)
        if content.kind == "url":
            return raw_url_frame(content.octets, slot.tx_power_0m_dbm)
        if (eid := content.eid) is not None:
            clock_s = eid.clock_s(now_us)
            return eid_frame(eid.identity_key, eid.exponent, clock_s, slot.tx_power_0m_dbm)
        return self._telemetry(now_us)

    def _telemetry(self, now_us: int) -> bytes:
        """Plain while no slot is EID, else encrypted under the EID slots' keys in turn (characteristic 10)."""
        up_s = (now_us - self._booted_us) / _US
        plain = tlm_frame(self._battery_mv, self._temperature_c, self.adv_count, up_s)
        eids = self.eid_states()
        if not eids:
            return plain
        eid = eids[self._turn % len(eids)]
        salt = self._draw("etlm_salt", 2)
        return etlm_frame(eid.identity_key, eid.exponent, eid.clock_s(now_us), salt, plain)
