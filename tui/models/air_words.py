"""What a filter may say about devices on the air: kinds and states as words, address, strength, name and times as keys."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tui.filters import Vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Container

    from tui.models.advertisers import Advertiser, Advertisers

__all__ = ["air_vocabulary"]


def air_vocabulary(
    air: Callable[[], Advertisers], starred: Container[str]
) -> Vocabulary[Advertiser]:
    """Words and keys; `starred` holds addresses."""
    words: dict[str, Callable[[Advertiser], bool]] = {
        "nan": lambda one: one.kind == "NAN",
        "ble": lambda one: one.kind != "NAN",
        "pub": lambda one: one.kind == "pub",
        "rand": lambda one: one.kind == "rand",
        "rpa": lambda one: one.kind == "RPA",
        "nrpa": lambda one: one.kind == "NRPA",
        "malformed": lambda one: bool(one.wrong),
        "starred": lambda one: one.address in starred,
        "stale": lambda one: air().is_stale(one),
        "connected": lambda one: bool(air().connected_to(one)),
        "connectable": lambda one: one.pdu in ("ADV_IND", "ADV_DIRECT_IND"),
    }
    keys: dict[str, Callable[[Advertiser], Any]] = {
        "rssi": lambda one: one.rssi_dbm,
        "addr": lambda one: one.address,
        "owner": lambda one: one.owner or None,
        "name": lambda one: one.name or one.owner or None,
        "type": lambda one: one.kind,
        "pdu": lambda one: one.pdu,
        "sent": lambda one: one.sent,
        "heard": lambda one: one.heard,
        "age": lambda one: (air().now_us - one.last_us) / 1e6,
        "interval": lambda one: None if one.interval_us is None else one.interval_us / 1000,
        "tx": lambda one: one.tx_dbm,
        "peer": lambda one: air().connected_to(one) or None,
        "text": lambda one: one.words,
    }
    return Vocabulary(words, keys)
