"""Band and channel entries, as NAN Availability and Unaligned Schedule use them, and what channels they mean.

Wi-Fi Aware 4.0, Band and Channel Entry. Implementations read the channel bitmap of a class differently, so
`channels_of` takes a coding: "wireshark" (from class 131 on, the first octet is the first channel and the second
the number of channels; Wireshark packet-wifi-nan.c), "hostap" (more channels in 125, 126, 127 and 129, nothing
above 130; hostap src/common/ieee802_11_common.c), "bitmap" (a bitmap above 130 as well; older vendor stacks).
No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, cast

import msgspec

from protocols.data.operating_classes import OPERATING_CLASSES, OperatingClass, channel_mhz
from protocols.errors import EncodeError
from protocols.layout import U8, U16LE, Mapped, Record, Records
from protocols.wifi_aware.vocabulary import UNSET, Bitmap, Body, Int8, Int16, UnsetType, Words

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = [
    "BAND",
    "BANDS",
    "BAND_LIST",
    "CHANNEL",
    "CHANNEL_LIST",
    "CHANNEL_PAIR",
    "CHANNEL_PAIR_LIST",
    "Channel",
    "ChannelEntry",
    "Coding",
    "channels_of",
    "entry_of",
]

Coding = Literal["wireshark", "hostap", "bitmap"]
BANDS = {
    0: "TV white space (reserved)",
    1: "sub-1 GHz",
    2: "2.4 GHz",
    3: "3.6 GHz (reserved)",
    4: "4.9 and 5 GHz",
    5: "60 GHz (reserved)",
    6: "45 GHz (reserved)",
    7: "6 GHz",
}
"""Band IDs; also the bits of the bands that a device supports."""
_FIRST_OF_6_GHZ = 131


class ChannelEntry(Body, frozen=True, kw_only=True):
    """One or more channels of an operating class."""

    operating_class: Int8
    channel_bitmap: Int16
    """up to class 130: bit i is the i-th channel of the class; above: see `Coding`."""
    primary_bitmap: Int8
    """bit i is the i-th 20 MHz from the lower edge; 0 for 20 and 40 MHz."""
    auxiliary_bitmap: Int16 | UnsetType = UNSET
    """channels of the second segment (80 + 80 MHz)."""


class Channel(msgspec.Struct, frozen=True):
    """One channel that an entry means."""

    number: int
    """as its operating class counts."""
    center_mhz: int
    width_mhz: int
    primary_mhz: int | None
    """centre of the primary 20 MHz, None when the entry does not say."""


def _numbers(row: OperatingClass, number: int, coding: Coding, *, is_6_ghz: bool) -> Iterator[int]:
    """Channel numbers that the bitmap of a class gives."""
    if is_6_ghz and coding == "hostap":
        return
    if is_6_ghz and coding == "wireshark":
        first, count = number & 0xFF, number >> 8
        if first in row.channels:
            at = row.channels.index(first)
            yield from row.channels[at : at + count]
        return
    known = row.channels + row.more if coding == "hostap" else row.channels
    for bit, channel in enumerate(known[:16]):
        if number >> bit & 1:
            yield channel


def _primary_mhz(row: OperatingClass, center_mhz: int, primary_bitmap: int) -> int | None:
    """Centre of the primary 20 MHz of a channel; of several bits the lowest counts, as in hostap."""
    if row.width_mhz == 20 or row.center_shift_mhz:
        return center_mhz - row.center_shift_mhz
    bit = (primary_bitmap & -primary_bitmap).bit_length() - 1
    if bit < 0 or bit * 20 >= row.width_mhz or row.width_mhz > 160:
        return None
    return center_mhz - row.width_mhz // 2 + 10 + 20 * bit


def channels_of(entry: ChannelEntry, coding: Coding = "wireshark") -> tuple[Channel, ...]:
    """Channels that an entry means; bits without channel and unknown classes give none."""
    return _channels(entry.operating_class, entry.channel_bitmap, entry.primary_bitmap, coding)


def _channels(
    operating_class: int, bitmap: int, primary_bitmap: int, coding: Coding
) -> tuple[Channel, ...]:
    row = OPERATING_CLASSES.get(operating_class)
    if row is None:
        return ()
    is_6_ghz = operating_class >= _FIRST_OF_6_GHZ
    out: list[Channel] = []
    for number in _numbers(row, bitmap, coding, is_6_ghz=is_6_ghz):
        center = channel_mhz(row.band, number) + row.center_shift_mhz
        primary = _primary_mhz(row, center, primary_bitmap)
        out.append(Channel(number, center, row.width_mhz, primary))
    return tuple(out)


def entry_of(
    operating_class: int,
    number: int,
    primary_mhz: int | None = None,
    coding: Coding = "wireshark",
) -> ChannelEntry:
    """The entry for one channel, by its number in the class.

    `primary_mhz` is the centre of its primary 20 MHz, None to leave it open. Raises EncodeError.
    """
    row = OPERATING_CLASSES.get(operating_class)
    if row is None:
        raise EncodeError("operating_class", f"{operating_class} is not in the table of classes")
    known = row.channels + row.more if coding == "hostap" else row.channels
    is_6_ghz = operating_class >= _FIRST_OF_6_GHZ
    as_range = is_6_ghz and coding == "wireshark"
    if number not in known or (is_6_ghz and coding == "hostap"):
        raise EncodeError("number", f"class {operating_class} has no channel {number} ({coding})")
    bit = known.index(number)
    if bit > 15 and not as_range:
        raise EncodeError("number", f"channel {number} is beyond the 16 bits of the bitmap")
    bitmap = number | 1 << 8 if as_range else 1 << bit
    center = channel_mhz(row.band, number) + row.center_shift_mhz
    primary = 0
    if primary_mhz is not None and _primary_mhz(row, center, 0) != primary_mhz:
        fits = (1 << i for i in range(8) if _primary_mhz(row, center, 1 << i) == primary_mhz)
        primary = next(fits, 0)
        if not primary:
            raise EncodeError("primary_mhz", f"{primary_mhz} MHz is not in channel {number}")
    return ChannelEntry(
        operating_class=operating_class, channel_bitmap=bitmap, primary_bitmap=primary
    )


def _described(values: Mapping[str, Any]) -> str | None:
    """A channel entry in words, None when the class is unknown."""
    number, bitmap = values["operating_class"], values["channel_bitmap"]
    row = OPERATING_CLASSES.get(number)
    if row is None:
        return None
    found = _channels(number, bitmap, values["primary_bitmap"], "wireshark")
    more = {channel.number for channel in _channels(number, bitmap, 0, "hostap")}
    only_hostap = sorted(more - {channel.number for channel in found})
    words = [f"{channel.number} ({channel.center_mhz} MHz)" for channel in found[:4]]
    words += [f"and {len(found) - 4} more"] if len(found) > 4 else []
    words += [f"{channel} (only to hostap)" for channel in only_hostap]
    primary = found[0].primary_mhz if found and row.width_mhz > 20 else None
    at = f", primary {primary} MHz" if primary else ""
    return f"channel {', '.join(words) or 'none'}{at}"


def _class_words() -> dict[int, str]:
    second = {1: "", 2: " + 80 MHz"}
    return {
        number: f"{row.band}, {row.width_mhz} MHz{second[row.segments]}"
        for number, row in OPERATING_CLASSES.items()
    }


def _same(value: Any) -> Any:
    return value


_MEMBERS = (
    "operating_class" / Words(U8, _class_words(), "not in the table of classes"),
    "channel_bitmap" / U16LE,
    "primary_bitmap" / Bitmap(U8, {bit: f"20 MHz number {bit + 1}" for bit in range(8)}),
)
CHANNEL = Mapped(Record(*_MEMBERS), _same, _same, cast("Any", _described))
CHANNEL_PAIR = Mapped(
    Record(*_MEMBERS, "auxiliary_bitmap" / U16LE), _same, _same, cast("Any", _described)
)
"""With the auxiliary bitmap."""
BAND = Words(U8, BANDS)
BAND_LIST = Records(
    U8, "attribute_length", pin=False, meaning=lambda band: BANDS.get(band, "reserved")
)
CHANNEL_LIST = Records(CHANNEL, "attribute_length", pin=False, meaning=_described)
CHANNEL_PAIR_LIST = Records(CHANNEL_PAIR, "attribute_length", pin=False, meaning=_described)
"""Entries to the end of the octets."""
