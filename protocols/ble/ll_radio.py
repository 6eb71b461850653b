"""What the radio adds to a link-layer PDU: CRC, channel numbers, time on air.

Core Specification 5.4 Vol 6 Part B clauses 1.4.1 (channels), 2.1 and 2.2 (packet formats), 3.1.1 (CRC). No clock,
no randomness, no IO.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from protocols.format import Keys

__all__ = [
    "ADVERTISING_ACCESS_ADDRESS",
    "ADVERTISING_ADDRESS",
    "ADVERTISING_CRC_INIT",
    "CRC_OCTETS",
    "air_time_us",
    "channel_of_rf",
    "crc24",
    "crc_init_of",
    "rf_of_channel",
]

ADVERTISING_ADDRESS = "8e89bed6"
ADVERTISING_ACCESS_ADDRESS = int(ADVERTISING_ADDRESS, 16)
ADVERTISING_CRC_INIT = 0x555555
CRC_OCTETS = 3
_CRC_MOST = (1 << 24) - 1
PRIMARY_RF = (0, 12, 39)
"""RF channels of the advertising channels 37, 38, 39."""


@functools.cache
def _crc_table() -> tuple[int, ...]:
    """x^24 + x^10 + x^9 + x^6 + x^4 + x^3 + x + 1, bits in the order of transmission."""
    table: list[int] = []
    for octet in range(256):
        value = octet
        for _ in range(8):
            value = value >> 1 ^ (0xDA6000 if value & 1 else 0)
        table.append(value)
    return tuple(table)


def crc24(pdu: bytes, init: int = ADVERTISING_CRC_INIT) -> bytes:
    """The 3 CRC octets of header and payload as sent (clause 3.1.1); `init` as in CONNECT_IND."""
    table = _crc_table()
    state = int(f"{init:024b}"[::-1], 2)
    for octet in pdu:
        state = state >> 8 ^ table[(state ^ octet) & 0xFF]
    return state.to_bytes(CRC_OCTETS, "little")


def crc_init_of(keys: Keys, *, on_advertising: bool) -> int | None:
    """Initial value of a packet's CRC: the fixed one under the advertising address, else the context's, if any."""
    return ADVERTISING_CRC_INIT if on_advertising else keys.bounded("crc_init", _CRC_MOST)


def channel_of_rf(rf_channel: int) -> int:
    """Channel index (37 to 39 advertising) of an RF channel, which counts by frequency (clause 1.4.1)."""
    if rf_channel in PRIMARY_RF:
        return 37 + PRIMARY_RF.index(rf_channel)
    return rf_channel - (1 if rf_channel < 12 else 2)


def rf_of_channel(channel: int) -> int:
    """RF channel of a channel index; the inverse of `channel_of_rf`."""
    if channel >= 37:
        return PRIMARY_RF[channel - 37]
    return channel + (1 if channel < 11 else 2)


def air_time_us(pdu_octets: int, phy: str = "1M", *, coding: int = 0) -> int:
    """Microseconds on air of a packet whose PDU (header, payload, MIC) has that many octets (clause 2.1, 2.2).

    `phy` 1M, 2M or coded; `coding` 0 is S=8, 1 is S=2.
    """
    if phy == "2M":
        return (2 + 4 + pdu_octets + CRC_OCTETS) * 4
    if phy == "1M":
        return (1 + 4 + pdu_octets + CRC_OCTETS) * 8
    spread = 2 if coding else 8
    preamble_address_indicator_term1 = 80 + 256 + 16 + 24
    return preamble_address_indicator_term1 + (8 * (pdu_octets + CRC_OCTETS) + 3) * spread
