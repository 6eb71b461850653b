"""Channel entries to channels and back, by each way of reading them.

Frequencies: IEEE 802.11-2020 Annex E (2407 + 5n, 5000 + 5n, 5950 + 5n MHz; channel 14 is 2484 MHz).
"""

from __future__ import annotations

import pytest

from protocols.data.operating_classes import OPERATING_CLASSES
from protocols.errors import EncodeError
from protocols.wifi_aware.channels import ChannelEntry, channels_of, entry_of


def entry(operating_class, bitmap, primary=0, **more):
    return ChannelEntry(
        operating_class=operating_class, channel_bitmap=bitmap, primary_bitmap=primary, **more
    )


def seen(found, coding="wireshark"):
    return [(c.number, c.center_mhz, c.primary_mhz) for c in channels_of(found, coding)]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (entry(81, 0x0020), [(6, 2437, 2437)]),  # digest V10
        (entry(82, 0x0001), [(14, 2484, 2484)]),
        (entry(83, 0x0001), [(1, 2422, 2412)]),
        (entry(84, 0x0001), [(5, 2422, 2432)]),
        (entry(115, 0x0003), [(36, 5180, 5180), (40, 5200, 5200)]),
        (entry(116, 0x0002), [(44, 5230, 5220)]),
        (entry(117, 0x0002), [(48, 5230, 5240)]),
        (entry(124, 0x0001), [(149, 5745, 5745)]),
        (entry(128, 0x0001, 0x04), [(42, 5210, 5220)]),  # 5210 - 30 + 40
        (entry(129, 0x0001, 0x80), [(50, 5250, 5320)]),  # 5250 - 70 + 140
        (entry(128, 0x0001), [(42, 5210, None)]),
        (entry(128, 0x0001, 0x10), [(42, 5210, None)]),
        (entry(81, 0xE000), []),
        (entry(7, 0xFFFF), []),
    ],
)
def test_channels_and_their_frequencies(found, expected):
    assert seen(found) == expected


@pytest.mark.parametrize(
    ("operating_class", "only_hostap"),
    [(125, [173, 177]), (126, [165, 173]), (127, [169, 177]), (129, [163]), (128, []), (121, [])],
)
def test_hostap_has_more_channels_in_some_classes(operating_class, only_hostap):
    """Digest 2.13 and gotcha 36."""
    found = entry(operating_class, 0xFFFF)
    ours = [c.number for c in channels_of(found)]
    assert [c.number for c in channels_of(found, "hostap")] == ours + only_hostap


def test_three_ways_to_read_6_ghz():
    """Gotcha 35: first channel and count, a bitmap, or not at all."""
    found = entry(131, 0x0205)
    assert seen(found) == [(5, 5975, 5975), (9, 5995, 5995)]
    assert [n for n, _, _ in seen(found, "bitmap")] == [1, 9, 37]
    assert seen(found, "hostap") == []
    assert seen(entry(131, 0x0206)) == []
    assert [n for n, _, _ in seen(entry(134, 0xFFCF))] == [207]


def test_the_auxiliary_bitmap_leaves_the_first_segment_as_it_is():
    found = entry(130, 0x0001, 0x01, auxiliary_bitmap=0x0020)
    assert seen(found) == [(42, 5210, 5180)]


@pytest.mark.parametrize("coding", ["wireshark", "hostap", "bitmap"])
def test_every_channel_there_and_back(coding):
    """Each channel of each class, where the coding can say it, with each of its primary channels."""
    for number, row in OPERATING_CLASSES.items():
        for index, channel in enumerate(row.channels):
            if (number > 130 and coding == "hostap") or (index > 15 and coding == "bitmap"):
                with pytest.raises(EncodeError):
                    entry_of(number, channel, coding=coding)
                continue
            (found,) = channels_of(entry_of(number, channel, coding=coding), coding)
            assert (found.number, found.width_mhz) == (channel, row.width_mhz)
            if 80 <= row.width_mhz <= 160:
                edge = found.center_mhz - row.width_mhz // 2
                for primary in range(edge + 10, edge + row.width_mhz, 20):
                    again = entry_of(number, channel, primary, coding)
                    assert channels_of(again, coding)[0].primary_mhz == primary
                with pytest.raises(EncodeError, match="primary_mhz"):
                    entry_of(number, channel, edge, coding)


def test_unknown_classes_and_channels_are_refused():
    for operating_class, channel in ((7, 1), (81, 14), (125, 177)):
        with pytest.raises(EncodeError):
            entry_of(operating_class, channel)
    assert entry_of(125, 177, coding="hostap").channel_bitmap == 0x80
