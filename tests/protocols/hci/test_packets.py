"""HCI packets: bodies both ways, faults, one-line texts; tshark and bumble judge octets and names."""

from __future__ import annotations

import random
from typing import Any

import pytest
from bumble import hci as bumble_hci

from protocols.data.hci_names import COMMANDS, ERRORS, EVENTS, LE_EVENTS, command_name
from protocols.errors import DecodeError, EncodeError
from protocols.format import UNSET, Keys, as_fields, to_plain
from protocols.hci.command_bodies import (
    COMMAND_BODIES,
    AdvertisingData,
    AdvertisingParameters,
    AdvertisingSet,
    CreateConnection,
    Disconnect,
    Empty,
    Enable,
    ExtendedAdvertisingData,
    ExtendedAdvertisingEnable,
    ExtendedAdvertisingParameters,
    ExtendedCreateConnection,
    ExtendedScanEnable,
    ExtendedScanParameters,
    InitiatingPhy,
    ScanEnable,
    ScanningPhy,
    ScanParameters,
    SetRandomAddress,
    SetSetRandomAddress,
)
from protocols.hci.event_bodies import (
    EVENT_BODIES,
    LE_BODIES,
    AdvertisingReport,
    AdvertisingReports,
    AdvertisingSetTerminated,
    ChannelSelection,
    CommandComplete,
    CommandStatus,
    CompletedPackets,
    ConnectionComplete,
    ConnectionUpdateComplete,
    DataLengthChange,
    DirectedReport,
    DirectedReports,
    DisconnectionComplete,
    EncryptionChange,
    EnhancedConnectionComplete,
    ExtendedReport,
    ExtendedReports,
    HandleCount,
    PhyUpdateComplete,
    extended_type_words,
)
from protocols.hci.packets import HCI, Acl, Command, Event, Iso, Sco, decode_packet
from protocols.hci.summary import summary
from tests.shark import rows

PEER, RPA, NONE = "c6:55:44:33:22:11", "5a:01:02:03:04:05", "00:00:00:00:00:00"
RUN = "02010607094b6574746c65"
RANGE: dict[Any, Any] = {
    "interval_min_ms": 30, "interval_max_ms": 50, "latency": 2, "timeout_ms": 720, "event_length_min_ms": 0,
    "event_length_max_ms": 2.5,
}  # fmt: skip
SCAN: dict[Any, Any] = {"scan_interval_ms": 60, "scan_window_ms": 30}

COMMAND_VALUES: dict[Any, Any] = {
    0x0406: Disconnect(0x40, 0x13),
    0x0C03: Empty(),
    0x2005: SetRandomAddress(PEER),
    0x2006: AdvertisingParameters(100, 150, 3, "random", "public", NONE, 7, 0),
    0x2008: AdvertisingData(RUN),
    0x2009: AdvertisingData("00" * 31),
    0x200A: Enable(1),
    0x200B: ScanParameters(1, 60, 30, "random", 0),
    0x200C: ScanEnable(1, 0),
    0x200D: CreateConnection(**SCAN, filter_policy=0, peer_address_type="random", peer_address=PEER, own_address_type="public", **RANGE),
    0x200E: Empty(),
    0x2035: SetSetRandomAddress(3, PEER),
    0x2036: ExtendedAdvertisingParameters(1, 0x13, 100, 10485759.375, 7, "random", "public", NONE, 0, None, 1, 0, 2, 5, 0),
    0x2037: ExtendedAdvertisingData(1, 3, 1, RUN),
    0x2038: ExtendedAdvertisingData(1, 1, 0, "00" * 251),
    0x2039: ExtendedAdvertisingEnable(1, [AdvertisingSet(1, 0, 0), AdvertisingSet(2, 1000, 5)]),
    0x2041: ExtendedScanParameters("public", 0, 5, [ScanningPhy(1, 60, 30), ScanningPhy(0, 120, 60)]),
    0x2042: ExtendedScanEnable(1, 1, 500, 1280),
    0x2043: ExtendedCreateConnection(0, "public", "random", PEER, 1, [InitiatingPhy(**SCAN, **RANGE)]),
}  # fmt: skip
EVENT_VALUES: dict[Any, Any] = {
    0x05: DisconnectionComplete(0, 0x40, 0x13),
    0x08: EncryptionChange(0, 0x40, 1),
    0x0E: CommandComplete(1, 0x200A, 0x0C),
    0x0F: CommandStatus(0, 1, 0x200D),
    0x13: CompletedPackets([HandleCount(0x40, 2), HandleCount(0x41, 1)]),
}
LINK: dict[Any, Any] = {
    "status": 0, "handle": 0x40, "role": 1, "peer_address_type": "random", "peer_address": PEER, "interval_ms": 30,
    "latency": 0, "timeout_ms": 720, "clock_accuracy": 1,
}  # fmt: skip
PRIVATE: dict[Any, Any] = {"local_resolvable_address": NONE, "peer_resolvable_address": RPA}
LE_VALUES: dict[Any, Any] = {
    0x01: ConnectionComplete(**LINK),
    0x02: AdvertisingReports([AdvertisingReport(0, "random", PEER, RUN, -60), AdvertisingReport(4, "public", RPA, "", None)]),
    0x03: ConnectionUpdateComplete(0, 0x40, 15, 0, 2000),
    0x07: DataLengthChange(0x40, 251, 2120, 27, 328),
    0x0A: EnhancedConnectionComplete(**LINK, **PRIVATE),
    0x0B: DirectedReports([DirectedReport(1, "random", PEER, "random", RPA, -70)]),
    0x0C: PhyUpdateComplete(0, 0x40, 2, 2),
    0x0D: ExtendedReports([
        ExtendedReport(0x13, "random", PEER, 1, 0, None, None, -60, 0, "public", NONE, RUN),
        ExtendedReport(0x20, "anonymous", NONE, 3, 3, 5, -7, None, 100, "public", NONE, "00" * 180),
    ]),
    0x11: Empty(),
    0x12: AdvertisingSetTerminated(0x3C, 1, 0x40, 5),
    0x14: ChannelSelection(0x40, 1),
    0x29: EnhancedConnectionComplete(**LINK, **PRIVATE, advertising_handle=1, sync_handle=0xFFF),
}  # fmt: skip
PACKETS = [
    *(Command(opcode=code, body=body) for code, body in COMMAND_VALUES.items()),
    *(Event(code=code, body=body) for code, body in EVENT_VALUES.items()),
    *(Event(code=0x3E, subevent=code, body=body) for code, body in LE_VALUES.items()),
    Event(code=0x0E, body=CommandComplete(2, 0)),
    Event(code=0x0E, body=CommandComplete(1, 0x1009, 0, "112233445566")),
    Event(code=0x3E, subevent=0x30, parameters="0102"),
    Event(code=0xFF, parameters="aabb"),
    Command(opcode=0xFC01, parameters=""),
    Acl(handle=0x40, boundary=2, data="0500040012030001ff"),
    Acl(handle=0xEFF, boundary=1, broadcast=0, data="aa" * 300),
    Sco(handle=1, data="0102"),
    Iso(handle=0x60, boundary=2, has_time_stamp=True, data="01020304"),
]


def title(packet):
    name = getattr(packet, "opcode", getattr(packet, "subevent", getattr(packet, "handle", 0)))
    return f"{type(packet).__name__}-{name}"


FORM: Any = HCI


def octets_of(packet):
    return FORM.encode(packet, Keys())


def read(octets) -> Any:
    return decode_packet(octets)


@pytest.mark.parametrize("packet", PACKETS, ids=title)
def test_every_body_is_read_as_it_was_written(packet):
    octets = octets_of(packet)
    found = read(octets)
    assert found.error is None
    assert to_plain(packet) == {
        key: value
        for key, value in to_plain(found.fields).items()
        if key != "name" or getattr(packet, "name", UNSET) is not UNSET
    }
    assert FORM.encode(as_fields(HCI.fields, to_plain(found.fields)), Keys()) == octets


def test_every_layout_has_a_value_here():
    assert set(COMMAND_VALUES) == set(COMMAND_BODIES)
    assert set(EVENT_VALUES) == set(EVENT_BODIES)
    assert set(LE_VALUES) == set(LE_BODIES)


@pytest.mark.parametrize("packet", PACKETS, ids=title)
def test_leaves_of_the_tree_cover_all_octets(packet):
    octets = octets_of(packet)
    place = 0
    for node in leaves(read(octets).tree):
        if node.start == node.end or (node.bits and node.end == place):
            continue
        assert node.start == place, node
        place = node.end
    assert place == len(octets)


def test_examples_are_accepted_and_rebuilt():
    for example in HCI.examples:
        found = read(bytes.fromhex(example.hex))
        assert found.error is None
        assert octets_of(found.fields).hex() == example.hex


def leaves(nodes):
    for node in nodes:
        yield from leaves(node.children) if node.children else (node,)


# --- known answers --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "packet"),
    [
        # Core Vol 4 Part E 7.3.2, 7.7.14, 7.7.5
        ("01030c00", Command(opcode=0x0C03, name="Reset", body=Empty())),
        ("040e0401030c00", Event(code=14, name="Command Complete", body=CommandComplete(1, 0x0C03, 0))),
        ("04050400400013", Event(code=5, name="Disconnection Complete", body=DisconnectionComplete(0, 64, 0x13))),
        # the report of section 1.1: event type, address type, address, length, data, RSSI
        (
            "043e0f02010301665544332211030201067f",
            Event(code=62, subevent=2, name="LE Advertising Report", body=AdvertisingReports([AdvertisingReport(3, "random", "11:22:33:44:55:66", "020106", None)])),
        ),
    ],
)  # fmt: skip
def test_known_packets(octets, packet):
    assert read(bytes.fromhex(octets)).fields == packet
    assert octets_of(packet).hex() == octets


@pytest.mark.parametrize(
    ("command", "body"),
    [
        (
            bumble_hci.HCI_LE_Set_Advertising_Parameters_Command(
                advertising_interval_min=160, advertising_interval_max=240, advertising_type=3, own_address_type=1,
                peer_address_type=0, peer_address=bumble_hci.Address.ANY, advertising_channel_map=7,
                advertising_filter_policy=0,
            ),
            COMMAND_VALUES[0x2006],
        ),
        (bumble_hci.HCI_LE_Set_Advertising_Data_Command(advertising_data=bytes.fromhex(RUN)), COMMAND_VALUES[0x2008]),
        (
            bumble_hci.HCI_LE_Set_Scan_Parameters_Command(
                le_scan_type=1, le_scan_interval=96, le_scan_window=48, own_address_type=1, scanning_filter_policy=0
            ),
            COMMAND_VALUES[0x200B],
        ),
        (bumble_hci.HCI_LE_Set_Scan_Enable_Command(le_scan_enable=1, filter_duplicates=0), COMMAND_VALUES[0x200C]),
        (
            bumble_hci.HCI_LE_Set_Extended_Advertising_Enable_Command(
                enable=1, advertising_handles=[1, 2], durations=[0, 100], max_extended_advertising_events=[0, 5]
            ),
            COMMAND_VALUES[0x2039],
        ),
        (
            bumble_hci.HCI_LE_Set_Extended_Scan_Parameters_Command(
                own_address_type=0, scanning_filter_policy=0, scanning_phys=5, scan_types=[1, 0],
                scan_intervals=[96, 192], scan_windows=[48, 96],
            ),
            COMMAND_VALUES[0x2041],
        ),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_bumble_writes_the_same_octets(command, body):
    found = read(bytes(command))
    assert found.error is None
    assert found.fields.body == body
    assert octets_of(found.fields) == bytes(command)


def test_names_agree_with_bumble():
    """The same codes; the words compared without case and punctuation."""

    def plain(text):
        return "".join(letter for letter in text.lower() if letter.isalnum())

    commands = {
        value: name[4:-8]
        for name, value in vars(bumble_hci).items()
        if name.startswith("HCI_") and name.endswith("_COMMAND") and isinstance(value, int)
    }
    assert {code: plain(name) for code, name in COMMANDS.items()} == {
        code: plain(name) for code, name in commands.items()
    }
    assert EVENTS[0x3E] == "LE Meta"
    assert len(LE_EVENTS) >= 0x2A
    assert ERRORS[0x3D] == "Connection terminated due to MIC failure"
    assert command_name(0xFC01) == "Vendor specific 0x001"


@pytest.mark.parametrize(
    ("event_type", "words"),
    [
        # the table of section 1.1
        (0x13, "ADV_IND"),
        (0x15, "ADV_DIRECT_IND"),
        (0x12, "ADV_SCAN_IND"),
        (0x10, "ADV_NONCONN_IND"),
        (0x1B, "SCAN_RSP to ADV_IND"),
        (0x1A, "SCAN_RSP to ADV_SCAN_IND"),
        (0x00, "not connectable"),
        (0x01, "connectable"),
        (0x22, "scannable, more to come"),
        (0x48, "scan response, truncated"),
    ],
)
def test_event_type_of_extended_reports(event_type, words):
    assert extended_type_words(event_type) == words


# --- faults ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("octets", "code", "offset", "kept"),
    [
        ("", "frame_length", None, None),
        ("00", "packet_type", 0, None),
        ("06", "packet_type", 0, None),
        ("01030c", "frame_length", None, None),
        ("01030c01", "frame_length", None, None),
        ("01030c0000", "frame_length", None, None),
        ("0240000200aa", "frame_length", None, None),
        ("01030c0100", "parameter_length", 4, "00"),
        ("010820" + "04" + "03020106", "parameter_length", 4, "03020106"),
        ("010820" + "20" + "20" + "00" * 31, "parameter_length", 4, "20" + "00" * 31),
        ("040503004000", "parameter_length", 3, "004000"),
        # one report announced, none there; two announced, one there; data past the end
        ("043e020201", "parameter_length", 4, "01"),
        ("043e0f020203016655443322110302010600"[:-2] + "7f", "parameter_length", 4, None),
        ("043e0f020103016655443322110402010600"[:-2] + "7f", "parameter_length", 4, None),
        ("043e0b02010301665544332211ff", "parameter_length", 4, None),
    ],
)  # fmt: skip
def test_fault_has_code_and_place(octets, code, offset, kept):
    found = read(bytes.fromhex(octets))
    assert found.error.code == code
    if code != "parameter_length":
        assert (found.error.offset, found.fields) == (offset, None)
        return
    assert found.error.offset == offset
    assert found.fields.body is UNSET
    if kept is not None:
        assert found.fields.parameters == kept


def test_bad_advertising_data_is_a_doubt_not_a_fault():
    reports = AdvertisingReports([AdvertisingReport(0, "random", PEER, "0201060509", -60)])
    found = read(octets_of(Event(code=0x3E, subevent=2, body=reports)))
    assert found.error is None
    doubts = [node.doubts for node in walk(found.tree) if node.name == "data"]
    assert doubts == [("ad_length_overrun at octet 17: length 5 needs 5 octets, 1 remain",)]


def walk(nodes):
    for node in nodes:
        yield node
        yield from walk(node.children)


def test_noise_is_read_or_named():
    rng = random.Random(21)
    seeds = [octets_of(packet) for packet in PACKETS]
    for _ in range(1500):
        octets = bytearray(rng.choice(seeds))
        for _ in range(rng.randint(1, 4)):
            octets[rng.randrange(len(octets))] = rng.randrange(256)
        if rng.random() < 0.3:
            del octets[rng.randrange(len(octets)) :]
        found = read(bytes(octets))
        assert found.error is None or type(found.error) is DecodeError
        if found.fields is not None:
            assert summary(found.fields)


@pytest.mark.parametrize(
    ("packet", "path"),
    [
        (Command(opcode=0x10000, parameters=""), "opcode"),
        (Command(opcode=0x0C03, name="Set Event Mask", body=Empty()), "name"),
        (Command(opcode=0x0C03), "body"),
        (Command(opcode=0x0C01), "parameters"),
        (Command(opcode=0x0C03, body={}, parameters=""), "parameters"),
        (Command(opcode=0x0C01, parameters="00" * 256), "length"),
        (Command(opcode=0x2005, body={"address": "11:22"}), "body.address"),
        (Command(opcode=0x2005, body={"adress": PEER}), "body"),
        (Command(opcode=0x2008, body=AdvertisingData("00" * 32)), "body.data"),
        (Command(opcode=0x2037, body=ExtendedAdvertisingData(1, 3, 0, "00" * 252)), "body.data"),
        (Command(opcode=0x2006, body=to_plain(COMMAND_VALUES[0x2006]) | {"own_address_type": "secret"}), "body.own_address_type"),
        (Command(opcode=0x2041, body=ExtendedScanParameters("public", 0, 1, [])), "body.scanning"),
        (Event(code=0x0E, subevent=1, parameters=""), "subevent"),
        (Event(code=0x3E, subevent=2, body={"reports": [{"event_type": 0}]}), "body.reports[0]"),
        (Acl(handle=0x1000, boundary=0, data=""), "handle"),
        (Acl(handle=1, boundary=0, data="0"), "data"),
        (Iso(handle=1, boundary=0, data="00" * 0x4000), "length"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_named(packet, path):
    with pytest.raises(EncodeError) as caught:
        octets_of(packet)
    assert caught.value.path == path


# --- one line -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet", "line"),
    [
        (Command(opcode=0x0C03, body=Empty()), "Reset"),
        (Command(opcode=0x2008, body=AdvertisingData(RUN)), 'LE Set Advertising Data, "Kettle"'),
        (Command(opcode=0x200A, body=Enable(0)), "LE Set Advertising Enable, off"),
        (Command(opcode=0x2005, body=SetRandomAddress(PEER)), f"LE Set Random Address, {PEER}"),
        (Command(opcode=0xFC01, parameters="01"), "Vendor specific 0x001, 1 octets"),
        (Event(code=0x0E, body=CommandComplete(1, 0x200A, 0x0C)), "Command Complete, LE Set Advertising Enable, Command disallowed"),
        (Event(code=0x0F, body=CommandStatus(0, 1, 0x200D)), "Command Status, LE Create Connection, Success"),
        (Event(code=0x05, body=EVENT_VALUES[5]), "Disconnection Complete, handle 0x0040, Remote user terminated connection"),
        (Event(code=0x3E, subevent=1, body=LE_VALUES[1]), f"LE Connection Complete, handle 0x0040, peripheral of {PEER}"),
        (Event(code=0x3E, subevent=2, body=LE_VALUES[2]), f'LE Advertising Report, ADV_IND {PEER} -60 dBm "Kettle", SCAN_RSP {RPA} RSSI unknown empty'),
        (Event(code=0x3E, subevent=0x12, body=LE_VALUES[0x12]), "LE Advertising Set Terminated, Advertising timeout, handle 0x0040"),
        (Acl(handle=0x40, boundary=2, data="0500040012030001ff"), "ACL 0x0040, ATT Write Request, handle 0x0003"),
        (Acl(handle=0x40, boundary=2, data="0500040002f70000aa"), "ACL 0x0040, ATT Exchange MTU Request, parameters that do not fit"),
        (Acl(handle=0x40, boundary=2, data="030004000200"), "ACL 0x0040, ATT Exchange MTU Request, first 2 of 3 octets"),
        (Acl(handle=0x40, boundary=2, data="0300040002f700"), "ACL 0x0040, ATT Exchange MTU Request, MTU 247"),
        (Acl(handle=0x40, boundary=0, data="050004000112030005"), "ACL 0x0040, ATT Error Response, request opcode 0x0012, handle 0x0003, att error 0x0005"),
        (Acl(handle=0x40, boundary=2, data="0700060001030005100101"), "ACL 0x0040, SMP Pairing Request"),
        (Acl(handle=0x40, boundary=2, data="4100060001"), "ACL 0x0040, SMP Pairing Request, first 1 of 65 octets"),
        (Acl(handle=0x40, boundary=1, data="0102"), "ACL 0x0040, 2 octets, continued"),
        (Sco(handle=1, data="0102"), "SCO 0x0001, 2 octets"),
    ],
)  # fmt: skip
def test_summary(packet, line):
    assert summary(read(octets_of(packet)).fields) == line


# --- the judge ------------------------------------------------------------------------------------


def shown(tmp_path, packets, *fields):
    """Rows of tshark, the packets behind the direction word of LINKTYPE 201."""
    framed = [
        (b"\0\0\0\0" if isinstance(packet, Command) else b"\0\0\0\1") + octets_of(packet)
        for packet in packets
    ]
    return rows(tmp_path, 201, framed, *fields)


def test_tshark_reads_every_command(tmp_path):
    packets = [packet for packet in PACKETS if isinstance(packet, Command)]
    found = shown(tmp_path, packets, "bthci_cmd.opcode", "_ws.malformed", "bthci_cmd.param_length")
    assert [int(row[0], 0) for row in found] == [packet.opcode for packet in packets]
    assert all(row[1] == "" for row in found)


def test_tshark_reads_command_values(tmp_path):
    def values(code, *fields):
        body = COMMAND_VALUES[code]
        (row,) = shown(
            tmp_path, [Command(opcode=code, body=body)], *(f"bthci_cmd.{f}" for f in fields)
        )
        return row

    assert values(0x2006, "le_advts_interval_min", "le_advts_interval_max", "le_advts_type") == [
        "160",
        "240",
        "0x03",
    ]
    assert values(0x2005, "bd_addr") == [PEER]
    assert values(0x200B, "le_scan_type", "le_scan_interval", "le_scan_window") == [
        "0x01",
        "96",
        "48",
    ]
    assert values(0x200D, "le_con_interval_min", "le_con_interval_max", "le_con_latency") == [
        "24",
        "40",
        "2",
    ]
    assert values(0x2042, "le_scan_enable") == ["0x01"]


def test_tshark_reads_every_event(tmp_path):
    packets = [
        packet
        for packet in PACKETS
        if isinstance(packet, Event) and packet.subevent not in (0x29, 0x30)
    ]
    found = shown(
        tmp_path, packets, "bthci_evt.code", "bthci_evt.le_meta_subevent", "_ws.malformed"
    )
    assert [int(row[0], 0) for row in found] == [packet.code for packet in packets]
    subevents = [int(row[1], 0) for row in found if row[1]]
    assert subevents == [packet.subevent for packet in packets if packet.subevent is not UNSET]
    assert [row[2] for row in found if row[2]] == []


def test_tshark_reads_report_values(tmp_path):
    legacy, extended = (Event(code=0x3E, subevent=n, body=LE_VALUES[n]) for n in (2, 0x0D))
    fields = ("bthci_evt.bd_addr", "bthci_evt.rssi", "btcommon.eir_ad.entry.device_name")
    assert shown(tmp_path, [legacy], *fields) == [[f"{PEER},{RPA}", "-60,127", "Kettle"]]
    (row,) = shown(tmp_path, [extended], *fields)
    assert PEER in row[0]
    assert row[1:] == ["-60,127", "Kettle"]
    (row,) = shown(
        tmp_path,
        [Event(code=0x3E, subevent=1, body=LE_VALUES[1])],
        "bthci_evt.connection_handle",
        "bthci_evt.bd_addr",
        "bthci_evt.le_con_interval",
    )
    assert row == ["0x0040", PEER, "24"]
    (row,) = shown(tmp_path, [Event(code=5, body=EVENT_VALUES[5])], "bthci_evt.reason")
    assert row == ["0x13"]
