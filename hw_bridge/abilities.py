"""What a controller can do for a bench, and what not, from what it says of itself.

Core Specification 5.4 Vol 4 Part E clause 6.27 (supported commands), Vol 6 Part B clause 4.6 (LE features). Rules of the
file: a table; a controller that lists no commands is believed to have them all, because some do not list them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from hw_bridge.identify import Facts

__all__ = ["ABILITIES", "abilities_of", "missing_commands"]

NEEDED: Final = (
    *(0x0406, 0x0C01, 0x0C03, 0x2001, 0x2002, 0x2005, 0x2006, 0x2008, 0x2009, 0x200A, 0x200B),
    *(0x200C, 0x200D, 0x200E, 0x2013, 0x2018, 0x2019, 0x201A, 0x201B),
)
"""Commands without which no LE peripheral and central with pairing is possible."""


class Ability(NamedTuple):
    """One thing that somebody wants of a dongle."""

    words: str
    commands: tuple[int, ...] = ()
    feature: int | None = None
    """Bit of the LE features."""
    sets: int = 1
    """Advertising sets at least."""


ABILITIES: Final = (
    Ability("be an accessory (--accessory)", (0x2005, 0x2006, 0x2008, 0x2009, 0x200A)),
    Ability("be a phone that scans and connects (--phone)", (0x200B, 0x200C, 0x200D)),
    Ability("pair and encrypt", (0x2018, 0x2019, 0x201A, 0x201B)),
    Ability("listen (--observe)", (0x200B, 0x200C)),
    Ability("adverts of more than 31 octets", (0x2036, 0x2037, 0x2039), feature=12),
    Ability("several adverts at once", (0x2036, 0x2037, 0x2039), feature=12, sets=2),
    Ability("packets of 251 octets", feature=5),
    Ability("2M PHY", feature=8),
    Ability("coded PHY", feature=11),
)


def abilities_of(facts: Facts) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(what it can do, what it cannot), in words."""
    can: list[str] = []
    cannot: list[str] = []
    for each in ABILITIES:
        has = each.feature is None or bool(facts.le_features >> each.feature & 1)
        has = has and facts.advertising_sets >= each.sets
        (can if has and not _lacking(facts.commands, each.commands) else cannot).append(each.words)
    return tuple(can), tuple(cannot)


def missing_commands(commands: bytes) -> tuple[str, ...]:
    """Names of needed commands that a list of supported ones lacks; empty for an empty list."""
    from protocols.data.hci_names import command_name

    return tuple(map(command_name, _lacking(commands, NEEDED)))


def _lacking(commands: bytes, wanted: Iterable[int]) -> list[int]:
    """Those of `wanted` that are not in the list."""
    if not any(commands):
        return []
    from bumble import hci  # costs a fifth of a second

    masks: dict[int, int] = vars(hci)["HCI_SUPPORTED_COMMANDS_MASKS"]
    have = int.from_bytes(commands, "little")
    return [each for each in wanted if not have & masks.get(each, -1)]
