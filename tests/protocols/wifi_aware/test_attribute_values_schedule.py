"""Values of the schedule attributes: the digest's vectors (section 9), recorded frames, the traps of its section 8.2."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from protocols.errors import DecodeError, EncodeError
from protocols.layout import Walk
from protocols.wifi_aware import walker
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes.nan_availability import AvailabilityEntry, NanAvailability
from protocols.wifi_aware.attributes.public_availability import PublicAvailability
from protocols.wifi_aware.channels import ChannelEntry, channels_of
from protocols.wifi_aware.schedule import ScheduleEntry, TimeBitmap, slots_of

VECTORS = Path(__file__).parents[2] / "vectors"


def read(text):
    """The only attribute in complete attribute hex."""
    (attr,) = walker.table(bytes.fromhex(text))
    return attr


def node(attr, *names):
    found = attr.tree(0, Walk())
    for name in names:
        found = next(kid for kid in found.children if kid.name == name)
    return found


def doubts(attr):
    def walk(one):
        yield from ((one.name, doubt) for doubt in one.doubts)
        for kid in one.children:
            yield from walk(kid)

    return list(walk(attr.tree(0, Walk())))


def every_32(*slots):
    return {start + slot for start in range(0, 512, 32) for slot in slots}


SLOT_9 = TimeBitmap(bit_duration=0, period=3, start_offset_slots=0, bitmap="00020000")


def test_v10_availability_committed_on_channel_6():
    attr = read("12 13 00 01 31 00 0e 00 e1 12 18 00 04 fe ff ff ff 11 51 20 00 00")
    fields = attr.fields
    (entry,) = fields.entries
    assert (fields.sequence_id, fields.map_id) == (1, 1)
    assert (fields.committed_changed, fields.potential_changed) == (True, True)
    assert (fields.public_availability_changed, fields.ndc_changed) == (False, False)
    assert (entry.type, entry.usage_preference, entry.utilization, entry.rx_nss) == (1, 0, 7, 2)
    assert slots_of(entry.time_bitmap) == every_32(*range(1, 32))
    assert [channel.number for channel in channels_of(entry.channels[0])] == [6]
    assert node(attr, "entries", "[0]", "type").meaning == "committed"
    assert node(attr, "entries", "[0]", "utilization").meaning == "unknown"
    assert node(attr, "entries", "[0]", "time_bitmap").meaning == "slots 1-31, every 512 TU"
    assert node(attr, "entries", "[0]", "channels", "[0]").meaning == "channel 6 (2437 MHz)"
    assert doubts(attr) == []


def test_v11_availability_potential_in_two_bands():
    """No bitmap: all slots, not none (trap 32)."""
    attr = read("12 0a 00 01 00 00 05 00 ba 02 20 02 04")
    (entry,) = attr.fields.entries
    assert (entry.type, entry.usage_preference, entry.utilization, entry.rx_nss) == (2, 3, 5, 2)
    assert entry.bands == (2, 4)
    assert not hasattr(entry.time_bitmap, "bitmap")
    assert node(attr, "entries", "[0]", "utilization").meaning == "100 % in use"
    assert node(attr, "entries", "[0]", "bands", "[1]").meaning == "4.9 and 5 GHz"


def test_an_entry_is_built_from_its_parts():
    """V10 from values; the size of the list and the bits of what is there come by themselves."""
    entry = AvailabilityEntry(
        type=1,
        usage_preference=0,
        utilization=7,
        rx_nss=2,
        time_bitmap=TimeBitmap(bit_duration=0, period=3, start_offset_slots=0, bitmap="feffffff"),
        non_contiguous=False,
        channels=(ChannelEntry(operating_class=81, channel_bitmap=0x20, primary_bitmap=0),),
    )
    fields = NanAvailability(
        sequence_id=1,
        map_id=1,
        committed_changed=True,
        potential_changed=True,
        public_availability_changed=False,
        ndc_changed=False,
        entries=(entry,),
    )
    wanted = "12 13 00 01 31 00 0e 00 e1 12 18 00 04 fe ff ff ff 11 51 20 00 00"
    assert make(fields).written() == bytes.fromhex(wanted)


def test_availability_with_two_segments():
    """The auxiliary bitmap is there with the non-contiguous bit alone."""
    (entry,) = read("12 0c 00 00 00 00 07 00 ba 02 11 80 01 00 02").fields.entries
    assert entry.channels[0].channel_bitmap == 1
    (entry,) = read("12 0e 00 00 00 00 09 00 ba 02 13 82 01 00 02 20 00").fields.entries
    assert entry.channels == (
        ChannelEntry(
            operating_class=130, channel_bitmap=1, primary_bitmap=2, auxiliary_bitmap=0x20
        ),
    )


@pytest.mark.parametrize(
    ("text", "offset"),
    [
        ("12 08 00 01 00 00 03 00 ba 02 20", 8),  # two bands, none there
        ("12 07 00 01 00 00 02 00 ba 02", 3),  # no list control
        ("12 0a 00 01 00 00 06 00 ba 02 20 02 04", 3),  # entry longer than the attribute
        ("12 0b 00 01 00 00 06 00 ba 12 18 00 02 fe", 9),  # bitmap longer than the entry
        ("12 05 00 01 00 00 02 00", 3),
    ],
)
def test_broken_availability(text, offset):
    """Strict names the place; offsets count from the body."""
    attr = read(text)
    with pytest.raises(DecodeError) as caught:
        _ = attr.fields
    assert caught.value.code == "attribute_length"
    assert caught.value.offset == offset
    assert caught.value.path.startswith("entries[0]")


def test_doubts_of_availability():
    """Reserved types, utilization and bands are kept and said."""
    attr = read("12 0a 00 01 00 07 05 00 c5 e2 2c 03 63")
    assert make(attr.fields) == attr
    assert set(doubts(attr)) == {
        ("reserved_8", "reserved bit set"),
        ("reserved_9", "reserved bit set"),
        ("reserved_10", "reserved bit set"),
        ("type", "reserved value"),
        ("utilization", "reserved value"),
        ("reserved_13", "reserved bit set"),
        ("reserved_2", "reserved bit set"),
        ("[0]", "reserved value"),
        ("[1]", "reserved value"),
    }


def test_more_than_15_bands_do_not_fit():
    plain = read("12 0a 00 01 00 00 05 00 ba 02 20 02 04").as_plain()
    plain["entries"][0]["bands"] = [2] * 16
    with pytest.raises(EncodeError, match="4 bits"):
        Attr.of_plain(plain, "it")


def test_bands_and_channels_exclude_each_other():
    plain = read("12 0a 00 01 00 00 05 00 ba 02 20 02 04").as_plain()
    channel = {"operating_class": 81, "channel_bitmap": 1, "primary_bitmap": 0}
    plain["entries"][0]["channels"] = [channel]
    with pytest.raises(EncodeError) as caught:
        Attr.of_plain(plain, "it")
    assert caught.value.path.startswith("it.entries")
    del plain["entries"][0]["channels"], plain["entries"][0]["bands"]
    with pytest.raises(EncodeError, match="bands: is missing"):
        Attr.of_plain(plain, "it")


def test_v12_ndc_slot_9_of_32():
    attr = read("13 0f 00 50 6f 9a 01 02 03 01 01 18 00 04 00 02 00 00")
    assert attr.fields.ndc_id == "506f9a010203"
    assert attr.fields.selected
    assert attr.fields.schedule == (ScheduleEntry(map_id=1, time_bitmap=SLOT_9),)
    assert slots_of(SLOT_9) == every_32(9)


def test_v15_ndl_response_continued():
    attr = read("14 06 00 09 01 00 14 19 00")
    fields = attr.fields
    assert (fields.dialog_token, fields.type, fields.status, fields.reason) == (9, 1, 0, 0)
    assert (fields.ndc_present, fields.qos_present) == (True, False)
    assert fields.max_idle == 25
    assert not isinstance(fields.immutable_schedule, tuple)
    assert node(attr, "status").meaning == "continued"
    assert node(attr, "max_idle").meaning == "25 x 1024 TU = 26.2 s"


def test_ndl_members_stand_in_the_order_of_the_document():
    """Peer ID (bit 0), max idle (bit 4), schedule (bit 1); one control octet (trap 33)."""
    fields = read("14 0f 00 01 12 00 53 07 19 00 01 18 00 04 00 02 00 00").fields
    assert fields.reserved_peer_id == 7
    assert fields.max_idle == 25
    assert fields.immutable_schedule == (ScheduleEntry(map_id=1, time_bitmap=SLOT_9),)
    assert (fields.setup_reason, fields.status) == (1, 1)


def test_v16_ndl_qos_without_preference():
    attr = read("15 03 00 00 ff ff")
    assert (attr.fields.min_slots, attr.fields.max_latency_slots) == (0, 0xFFFF)
    assert node(attr, "max_latency_slots").meaning == "no preference"
    assert read("15 03 00 02 0a 00").fields.max_latency_slots == 10


def test_unaligned_schedule_sequence_id_has_eight_bits():
    """Wireshark shows four (trap 21); the map ID of ULW Overwrite is shifted by its flag (trap 13)."""
    fields = read("17 10 00 03 12 00100000 00040000 00000800 ff 0a").fields
    assert (fields.schedule_id, fields.sequence_id) == (3, 0x12)
    assert (fields.start_us, fields.duration_us, fields.period_us) == (4096, 1024, 524288)
    assert (fields.overwrite_all, fields.map_id) == (False, 5)
    assert not hasattr(fields.place, "type")


@pytest.mark.parametrize(
    ("control", "rest", "member"),
    [
        ("0c", "02", {"band": 2}),
        (
            "0d",
            "51200000",
            {"channel": {"operating_class": 81, "channel_bitmap": 32, "primary_bitmap": 0}},
        ),
        (
            "0e",
            "820100012000",
            {
                "channel": {
                    "operating_class": 130,
                    "channel_bitmap": 1,
                    "primary_bitmap": 1,
                    "auxiliary_bitmap": 32,
                }
            },
        ),
        ("0f", "abcd", {"octets": "abcd"}),
    ],
)
def test_unaligned_schedule_places(control, rest, member):
    body = bytes.fromhex(
        "0312" + "00100000" + "00040000" + "00000000" + "05" + "01" + control + rest
    )
    plain = Attr(0x17, body).as_plain()
    assert plain["place"] == {
        "type": int(control, 16) & 3,
        "available": True,
        "rx_nss": 1,
        **member,
    }
    with pytest.raises(DecodeError):
        _ = Attr(0x17, body[:-1] if control != "0f" else body[:15]).fields


def test_ranging_setup_parameters_are_three_octets():
    """Trap 23; its status counts from accepted (trap 30). 0x041329 by hand: 9, 50, 4, 8."""
    attr = read("1b 0f 00 05 00 00 07 29 13 04 01 18 00 04 00 02 00 00")
    fields = attr.fields
    ftm = fields.ftm
    assert (ftm.max_burst_duration, ftm.min_delta_ftm) == (9, 50)
    assert (ftm.max_ftms_per_burst, ftm.format_and_bandwidth) == (4, 8)
    assert fields.schedule == (ScheduleEntry(map_id=1, time_bitmap=SLOT_9),)
    assert node(attr, "status").meaning == "accepted"
    assert node(attr, "ftm", "max_burst_duration").meaning == "32000 µs"
    assert node(attr, "ftm", "min_delta_ftm").meaning == "5000 µs"


def test_public_availability_is_octets_with_a_view():
    """What the body holds is unverified: schedule entries are shown when they fit, and never needed."""
    attr = read("27 08 00 01 18 00 04 00 02 00 00")
    assert attr.fields.octets == "0118000400020000"
    assert attr.fields.schedule == (ScheduleEntry(map_id=1, time_bitmap=SLOT_9),)
    assert PublicAvailability.of_schedule(attr.fields.schedule) == attr.fields
    assert node(attr, "octets", "schedule", "[0]", "map_id").value == 1
    other = read("27 05 00 01 02 03 04 05")
    assert other.fields.schedule is None
    assert node(other, "octets").children == ()


def test_schedule_entry_map_ids_have_no_flag():
    """Bits 0 to 3 (trap 13)."""
    (entry,) = read("13 0c 00 000000000000 00 25 18 00 01 0e").fields.schedule
    assert (entry.map_id, entry.reserved_4) == (5, 2)


def test_recorded_availability_changes_its_sequence_id():
    """The recorder says which availability and NDL each device was given."""
    file = json.loads((VECTORS / "wifi-aware-ndp-open.json").read_text())
    given = file["devices"]["A"]["static_attributes"]
    publish = walker.table(bytes.fromhex(file["frames"][0]["hex"]), 30)
    assert read(given["availability"]) in publish
    committed, potential = read(given["availability"]).fields.entries
    assert slots_of(committed.time_bitmap) == every_32(*range(1, 16), *range(17, 32))
    assert potential.type == 2
    assert slots_of(read(given["ndc"]).fields.schedule[0].time_bitmap) == every_32(1, 2, 3)
    response = walker.table(bytes.fromhex(file["frames"][4]["hex"]), 31)
    (ndl,) = (attr.fields for attr in response if attr.id == 0x14)
    assert (ndl.type, ndl.status, ndl.ndc_present, ndl.max_idle) == (1, 1, True, 25)
