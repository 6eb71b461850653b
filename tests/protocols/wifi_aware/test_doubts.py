"""Values that are allowed and should not be: each is said at its field, and nothing is said of good ones."""

from __future__ import annotations

import pytest

from protocols.layout import Walk
from protocols.wifi_aware.walker import table

TERMINATE = "0024010200000000010100"


def nodes_of(node, path=""):
    for kid in node.children:
        yield f"{path}{kid.name}", kid
        yield from nodes_of(kid, f"{path}{kid.name}.")


def doubts(number, body):
    octets = bytes.fromhex(body)
    (attr,) = table(bytes((number,)) + len(octets).to_bytes(2, "little") + octets)
    tree = attr.tree(0, Walk())
    return {(path, doubt) for path, node in nodes_of(tree) for doubt in node.doubts}


KEY = "00" * 72 + "0000"


@pytest.mark.parametrize(
    ("number", "body", "expected"),
    [
        # NDPE and NDP: digest 2.15
        (0x29, "0000000200000000010101", {("dialog_token", "0, a setup has 1 to 255")}),
        (0x10, "0000000200000000010101", {("dialog_token", "0, a setup has 1 to 255")}),
        (0x29, TERMINATE, set()),
        # NPBA: digest 2.27
        (0x2C, "0000000300", set()),
        (0x2C, "0500000300", {("dialog_token", "0 in an advertisement")}),
        (0x2C, "0010000300", {("status", "an advertisement has status 0")}),
        (0x2C, "0111000100", {("status", "a request cannot reject")}),
        (0x2C, "0101000300", {("methods", "a request has one method")}),
        (0x2C, "0101000000", {("methods", "a request has one method")}),
        (0x2C, "0102000300", set()),
        # SDA: digest 3.4
        (0x03, "f51b9c480c52" + "070009" + "01" + "03", {("response_filter.bloom_filter", "an empty Bloom filter: nobody answers (hostap)")}),
        (0x03, "f51b9c480c52" + "070009" + "01" + "06", {("response_filter.bloom_index", "a list of addresses has no index")}),
        (0x03, "f51b9c480c52" + "070009" + "03" + "031122", set()),
        # SKDA: digest 2.25
        (0x24, "0102" + "0089" + "0000" + KEY, {("key_version", "0 in NAN")}),
        (0x24, "0102" + "0080" + "0000" + KEY, {("key_pairwise", "set in all messages of NAN")}),
        (0x24, "0102" + "0888" + "0000" + KEY, {("key_request", "hostap refuses requests")}),
        (0x24, "0102" + "0488" + "0000" + KEY, {("key_error", "no message of NAN has it")}),
        (0x24, "0102" + "0188" + "0000" + KEY, {("key_mic", "and there is no MIC")}),
        (0x24, "0102" + "0088" + "0000" + KEY, set()),
        # Ranging Setup: formats of IEEE 802.11-2020 9.4.2.167
        (0x1B, "01000002" + "000001", {("ftm.max_burst_duration", "reserved value"), ("ftm.format_and_bandwidth", "reserved value")}),
    ],
)  # fmt: skip
def test_doubts_of_attributes(number, body, expected):
    assert doubts(number, body) == expected


def entry(control, rest):
    octets = bytes.fromhex(control + rest)
    return "010000" + len(octets).to_bytes(2, "little").hex() + octets.hex()


CHANNEL = "1151200000"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (entry("e112", "1800" + "04feffffff" + CHANNEL), set()),
        (entry("ba02", "200204"), set()),
        (entry("b902", "1002"), {("type", "hostap wants channels for committed and conditional slots")}),
        (entry("bc02", "1002"), {("type", "hostap wants channels for committed and conditional slots")}),
        (entry("b902", "21" + CHANNEL[2:] * 2), {("type", "hostap wants one channel here")}),
        (entry("bb02", "21" + CHANNEL[2:] * 2), set()),
        (entry("ba02", "00"), {("list_size", "no band and no channel")}),
        (entry("b902", "01"), {("list_size", "no band and no channel")}),
        (entry("e112", "0000" + "04feffffff" + CHANNEL), {("time_bitmap.period", "hostap takes none that does not repeat")}),
        (entry("e112", "1800" + "00" + CHANNEL), {("time_bitmap.bitmap", "0 octets, hostap takes 1 to 64")}),
        (entry("e112", "3800" + "41" + "ff" * 65 + CHANNEL), {
            ("time_bitmap.bitmap", "65 octets, hostap takes 1 to 64"), ("time_bitmap.bitmap", "longer than its period")}),
        (entry("e112", "0800" + "02feff" + CHANNEL), {("time_bitmap.bitmap", "longer than its period")}),
        (entry("e112", "4802" + "01fe" + CHANNEL), {("time_bitmap.start_offset_slots", "past the period")}),
    ],
)  # fmt: skip
def test_doubts_of_availability_entries(body, expected):
    """Table of hostap's checks, digest 2.13."""
    assert doubts(0x12, body) == {(f"entries.[0].{path}", doubt) for path, doubt in expected}
