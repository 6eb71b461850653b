"""How long an OFDM frame is on the air, and the gaps between frames.

IEEE 802.11-2020 17.3 and 18.3 (OFDM and its form at 2.4 GHz), 10.3 (distributed coordination). Frames of a cluster
go at a basic OFDM rate, 6 Mbit/s unless configured otherwise; DSSS rates are not used. No clock, no randomness, no IO.
"""

from __future__ import annotations

from protocols.errors import UsageError

__all__ = [
    "ACK_OCTETS",
    "BASIC_RATE_MBIT_S",
    "FCS_OCTETS",
    "RATES_MBIT_S",
    "SLOT_TIME_US",
    "ack_timeout_us",
    "airtime_us",
    "channel_mhz",
    "difs_us",
    "is_2_4_ghz",
    "sifs_us",
]

RATES_MBIT_S = (6, 9, 12, 18, 24, 36, 48, 54)
BASIC_RATE_MBIT_S = 6
SLOT_TIME_US = 9
FCS_OCTETS = 4
ACK_OCTETS = 10
"""Of an Ack without its FCS."""
_PREAMBLE_US = 20
"""Training fields and SIGNAL."""
_SYMBOL_US = 4
_SERVICE_AND_TAIL_BITS = 16 + 6
_EXTENSION_US = 6
"""Signal extension at 2.4 GHz."""
_PHY_DELAY_US = 20
"""aRxPHYStartDelay."""


def is_2_4_ghz(channel: int) -> bool:
    """Whether a channel number is one of 2.4 GHz (1 to 14); all others here are of 5 GHz."""
    return 1 <= channel <= 14


def channel_mhz(channel: int) -> int:
    """Centre of a 20 MHz channel of 2.4 GHz (1 to 14) or 5 GHz."""
    if channel == 14:
        return 2484
    return (2407 if is_2_4_ghz(channel) else 5000) + 5 * channel


def airtime_us(octets: int, channel: int, rate_mbit_s: int = BASIC_RATE_MBIT_S) -> int:
    """Duration of a frame of that many octets (without FCS), its preamble included. Raises UsageError."""
    if rate_mbit_s not in RATES_MBIT_S:
        known = ", ".join(map(str, RATES_MBIT_S))
        raise UsageError(f"rate {rate_mbit_s} Mbit/s is none of OFDM; known: {known}")
    bits = _SERVICE_AND_TAIL_BITS + 8 * (octets + FCS_OCTETS)
    symbols = -(-bits // (rate_mbit_s * _SYMBOL_US))
    return _PREAMBLE_US + symbols * _SYMBOL_US + (_EXTENSION_US if is_2_4_ghz(channel) else 0)


def sifs_us(channel: int) -> int:
    """Gap between a frame and its Ack."""
    return 10 if is_2_4_ghz(channel) else 16


def difs_us(channel: int) -> int:
    """How long a channel is idle before a back-off counts down."""
    return sifs_us(channel) + 2 * SLOT_TIME_US


def ack_timeout_us(channel: int) -> int:
    """From the end of a frame to the end of the Ack that is waited for, with a slot to spare."""
    ack_us = airtime_us(ACK_OCTETS, channel)
    return sifs_us(channel) + SLOT_TIME_US + _PHY_DELAY_US + ack_us
