"""What a controller accepts as an advertising set, said before it is asked.

Bluetooth Core 5.4, Vol 4 Part E 7.8.53 to 7.8.55. No loop, no bumble.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import msgspec

from protocols.errors import UsageError

if TYPE_CHECKING:
    from sim.gatt import Advert

__all__ = ["check_advert", "with_data"]

LEGACY_LIMIT, EXTENDED_LIMIT = 31, 1650
_ADDRESS = re.compile(r"(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}")
_SHORTEST_MS, _LONGEST_MS = 20.0, 10240.0


def with_data(advert: Advert, data: bytes, scan_response: bytes) -> Advert:
    """`advert` with other octets."""
    return msgspec.structs.replace(advert, data=data, scan_response=scan_response)


def check_advert(node: str, advert: Advert) -> None:
    """Raise UsageError for what no controller accepts."""
    limit = EXTENDED_LIMIT if advert.extended else LEGACY_LIMIT
    for name, data in (("data", advert.data), ("scan response", advert.scan_response)):
        if len(data) > limit:
            more = (
                ""
                if advert.extended
                else "; shorten it, use the scan response, or extended advertising"
            )
            raise UsageError(
                f"{node}: advertising {name} of {len(data)} octets, {len(data) - limit} more than the {limit} "
                f"of {'an extended' if advert.extended else 'a legacy'} advert{more}"
            )
    if advert.scan_response and (
        advert.sort == "non_connectable" or (advert.extended and advert.sort == "connectable")
    ):
        raise UsageError(
            f"{node}: nobody can ask a {advert.sort} advert for its scan response; make it scannable"
        )
    if advert.extended and advert.sort == "scannable" and advert.data:
        raise UsageError(
            f"{node}: a scannable extended advert has all its data in the scan response"
        )
    if not _SHORTEST_MS <= advert.interval_ms <= _LONGEST_MS:
        raise UsageError(
            f"{node}: advertising interval of {advert.interval_ms:g} ms; allowed are 20 to 10240 ms"
        )
    if advert.set_address is not None and not _ADDRESS.fullmatch(advert.set_address):
        raise UsageError(
            f"{node}: {advert.set_address!r} is no address; write it as 'c0:11:22:33:44:55'"
        )
