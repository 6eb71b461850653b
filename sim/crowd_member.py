"""Parts of a crowd: its members, their PDU and how long that takes on the air; cells; what a receiver hears."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from protocols.errors import UsageError
from sim.propagation import Position  # msgspec reads the annotations

if TYPE_CHECKING:
    from sim.rng import Random

__all__ = [
    "ADV_DIRECT_IND",
    "ADV_IND",
    "ADV_NONCONN_IND",
    "ADV_SCAN_IND",
    "Cell",
    "Hearing",
    "Member",
    "advertising_pdu",
    "check_member",
    "pdu_duration_us",
]

ADV_IND, ADV_DIRECT_IND, ADV_NONCONN_IND, ADV_SCAN_IND = 0x0, 0x1, 0x2, 0x6
GAP_US = 250  # from the end of a PDU to the next channel's; controllers take 150 to 400 us when nobody may answer
ADV_DELAY_US = 10_000
LONGEST_US = (1 + 4 + 2 + 37 + 3) * 8
MIN_INTERVAL_US, MAX_INTERVAL_US = 20_000, 10_240_000


class Member(msgspec.Struct, frozen=True):
    """One advertiser: `pdu` from its 2-octet header on, interval 20 ms to 10.24 s."""

    position: Position
    interval_us: int
    pdu: bytes
    tx_power_dbm: int = 0


def advertising_pdu(
    address: bytes, data: bytes, *, pdu_type: int = ADV_NONCONN_IND, random_address: bool = True
) -> bytes:
    """Legacy advertising PDU: header, `address` (6 octets, LE), `data` (0..31 octets)."""
    if len(address) != 6 or len(data) > 31:
        raise UsageError(
            f"an advertising PDU takes 6 octets of address and up to 31 of data, not {len(address)} and {len(data)}"
        )
    return bytes((pdu_type | (0x40 if random_address else 0), 6 + len(data))) + address + data


def pdu_duration_us(pdu: bytes) -> int:
    """Time on air at LE 1M: preamble, access address, PDU and CRC, 8 us per octet."""
    return (1 + 4 + len(pdu) + 3) * 8


def check_member(name: str, member: Member) -> None:
    """Raise UsageError when `member`, called `name`, is no legacy advertiser."""
    if not MIN_INTERVAL_US <= member.interval_us <= MAX_INTERVAL_US:
        raise UsageError(
            f"{name}: interval {member.interval_us} us; a legacy advertiser's is {MIN_INTERVAL_US} to {MAX_INTERVAL_US}"
        )
    if not 8 <= len(member.pdu) <= 39:
        raise UsageError(
            f"{name}: a PDU of {len(member.pdu)} octets; advertising PDUs have 8 to 39"
        )


class Cell:
    """Members of one grid square; `keys` are their events (`start_us << shift | member`) of the current slice and a tail."""

    __slots__ = ("keys", "members", "random", "slices")

    def __init__(self, random: Random, slices: int) -> None:
        self.members: list[int] = []
        self.keys: list[int] = []
        self.random = random
        self.slices = slices  # made so far


class Hearing(NamedTuple):
    """What one receiver gets of a crowd: cells, and per member above the noise floor its mean dBm and its mW."""

    cells: tuple[Cell, ...]
    mean_dbm: dict[int, float]
    power_mw: dict[int, float]
