"""LE link-layer packets: every PDU both ways, CRC, capture header, faults, air time; tshark judges the writers."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from protocols.ble import ll_fields as ll
from protocols.ble.link_layer import (
    LL,
    LL_PHDR,
    air_time_us,
    channel_of_rf,
    crc24,
    decode_packet,
    pdu_octets,
    rf_of_channel,
    summary,
)
from protocols.data.ll_control import LL_CONTROL
from protocols.errors import DecodeError, EncodeError
from protocols.format import Keys, as_fields, to_plain
from tests.shark import rows

BARE: Any = LL
FRAMED: Any = LL_PHDR


def read(octets, *, phdr, keys=None) -> Any:
    return decode_packet(octets, phdr=phdr, keys=keys)


ADVERTISER, OTHER = "c6:55:44:33:22:11", "aa:bb:cc:dd:ee:ff"
RUN = "02010607094b6574746c65"
CONNECTION: dict[str, Any] = {"crc_init": 0x345678}
CONNECTED: dict[str, Any] = {"access_address": "af6c1c5a"}
LL_DATA = ll.ConnectData(
    access_address="af6c1c5a", crc_init=0x345678, window_size_ms=2.5, window_offset_ms=15, interval_ms=30,
    latency=4, timeout_ms=720, channel_map="ffffffff1f", hop=9, sleep_clock_accuracy=5,
)  # fmt: skip
SYNC = ll.SyncInfo(
    offset_us=2400, offset_unit_us=300, offset_adjusted=True, interval_ms=100, channel_map="ff00ff001f",
    sleep_clock_accuracy=4, access_address="71764129", crc_init=0xABCDEF, event_counter=513,
)  # fmt: skip
POINTER = ll.AuxPointer(channel=12, offset_us=16350, clock_accuracy_ppm=50, phy="2M")
BY_ADV: dict[str, Any] = {"adv_address": ADVERTISER, "adv_address_type": "random"}
TO_OTHER: dict[str, Any] = {"target_address": OTHER, "target_address_type": "public"}

LEGACY: list[Any] = [
    ll.AdvInd(**BY_ADV, ch_sel=True, data=RUN),
    ll.AdvDirectInd(**BY_ADV, **TO_OTHER, ch_sel=True),
    ll.AdvNonconnInd(adv_address=OTHER, data=""),
    ll.AdvScanInd(**BY_ADV, data="00" * 31),
    ll.ScanReq(scan_address=OTHER, **BY_ADV),
    ll.ScanRsp(**BY_ADV, data=RUN),
    ll.ConnectInd(init_address=OTHER, init_address_type="random", **BY_ADV, ll_data=LL_DATA),
]
EXTENDED: list[Any] = [
    ll.AdvExtInd(did=0x07B, sid=5, aux_pointer=POINTER),
    ll.AuxAdvInd(adv_mode=1, **BY_ADV, did=0x123, sid=4, tx_power_dbm=-7, data=RUN),
    ll.AuxAdvInd(adv_mode=2, **BY_ADV, **TO_OTHER, did=1, sid=0),
    ll.AuxAdvInd(**BY_ADV, did=1, sid=0, sync_info=SYNC, aux_pointer=POINTER, data="b5ff5900" + "41" * 178),
    ll.AuxScanRsp(**BY_ADV, did=1, sid=0, data=RUN),
    ll.AuxChainInd(did=1, sid=0, data="13ff5900" + "41" * 16),
    ll.AuxSyncInd(access_address="71764129", cte_info=ll.CteInfo(time_us=160, kind=2), data=RUN, acad="03280102"),
]  # fmt: skip
UNTOLD: list[Any] = [
    ll.AuxScanReq(scan_address=OTHER, **BY_ADV),
    ll.AuxConnectReq(init_address=OTHER, **BY_ADV, ll_data=LL_DATA),
    ll.AuxConnectRsp(**BY_ADV, **TO_OTHER),
    ll.AuxSyncSubeventRsp(data=RUN),
]
DATA: list[Any] = [
    ll.DataPdu(**CONNECTED),
    ll.DataPdu(**CONNECTED, llid=2, nesn=1, md=True, data="0500040012030001ff"),
    ll.DataPdu(**CONNECTED, sn=1, data="aabbcc", cte_info=ll.CteInfo(time_us=8, kind=0)),
    ll.ControlPdu(**CONNECTED, opcode=0x02, values={"error": 0x13}),
    ll.ControlPdu(**CONNECTED, opcode=0x0C, values={"version": 13, "company": 0x0059, "subversion": 7}),
    ll.ControlPdu(**CONNECTED, opcode=0x14, values={"max_rx_octets": 251, "max_rx_time_us": 2120, "max_tx_octets": 27, "max_tx_time_us": 328}),
    ll.ControlPdu(**CONNECTED, opcode=0x00, values={"window_size_ms": 2.5, "window_offset_ms": 0, "interval_ms": 15, "latency": 0, "timeout_ms": 2000, "instant": 99}),
    ll.ControlPdu(**CONNECTED, opcode=0x18, values={"phy_central_to_peripheral": 2, "phy_peripheral_to_central": 2, "instant": 7}),
    ll.ControlPdu(**CONNECTED, opcode=0x40, parameters="0102"),
]  # fmt: skip


def with_header(packet, **header):
    """The packet behind a pseudo-header that says what a sniffer would know."""
    channel = 0 if packet in LEGACY or isinstance(packet, ll.AdvExtInd) else 5
    told: dict[str, Any] = {"rf_channel": channel, "signal_dbm": -60} | header
    if packet in EXTENDED[1:]:
        told |= {"kind": "auxiliary", "aux_type": packet.__struct_config__.tag}
    elif packet in UNTOLD:
        told["kind"] = "unspecified"
    elif packet in DATA:
        told["kind"] = "central to peripheral"
    return msgspec.structs.replace(packet, phdr=ll.PseudoHeader(**told))


def context(packet):
    return CONNECTION if packet.access_address != msgspec.UNSET else {}


def without(packet, *names):
    return {key: value for key, value in to_plain(packet).items() if key not in names}


@pytest.mark.parametrize(
    "packet", LEGACY + EXTENDED + UNTOLD + DATA, ids=lambda p: p.__struct_config__.tag
)
def test_every_pdu_is_read_as_it_was_written(packet):
    """With the pseudo-header, which says what the octets alone do not."""
    sent = with_header(packet)
    octets = FRAMED.encode(sent, Keys(context(packet)))
    found = read(octets, phdr=True, keys=context(packet))
    assert found.error is None
    assert found.fields.crc_ok is True
    derived = ("crc", "crc_ok", "access_address", "name", "parameters")
    assert without(found.fields, *derived) == without(sent, *derived)
    assert (
        FRAMED.encode(as_fields(LL_PHDR.fields, to_plain(found.fields)), Keys(context(packet)))
        == octets
    )


@pytest.mark.parametrize("packet", LEGACY + EXTENDED + DATA, ids=lambda p: p.__struct_config__.tag)
def test_bare_packet_differs_only_by_the_header(packet):
    keys = Keys(context(packet))
    assert FRAMED.encode(with_header(packet), keys)[10:] == BARE.encode(packet, keys)
    assert BARE.encode(packet, keys)[4:-3] == pdu_octets(packet)


@pytest.mark.parametrize(
    "packet", LEGACY + EXTENDED + UNTOLD + DATA, ids=lambda p: p.__struct_config__.tag
)
def test_leaves_of_the_tree_cover_all_octets(packet):
    octets = FRAMED.encode(with_header(packet), Keys(context(packet)))
    place = 0
    for node in leaves(read(octets, phdr=True, keys=context(packet)).tree):
        if node.start == node.end or (node.bits and node.end == place):
            continue
        assert node.start == place, node
        place = node.end
    assert place == len(octets)


@pytest.mark.parametrize("form", [LL, LL_PHDR], ids=lambda form: form.name)
def test_examples_are_accepted_and_rebuilt(form):
    for example in form.examples:
        octets = bytes.fromhex(example.hex)
        found = read(octets, phdr=form is LL_PHDR, keys=example.context)
        assert found.error is None
        assert found.fields.crc_ok is True
        assert form.encode(found.fields, Keys(example.context)) == octets


def leaves(nodes):
    for node in nodes:
        yield from leaves(node.children) if node.children else (node,)


# --- known answers --------------------------------------------------------------------------------


def test_adv_ind_octet_by_octet():
    """Core Vol 6 Part B 2.3: type 0 with ChSel and TxAdd, address and data least significant octet first."""
    octets = BARE.encode(LEGACY[0], Keys())
    assert octets[:-3].hex() == "d6be898e" + "60" + "11" + "1122334455c6" + RUN


def test_connect_ind_octet_by_octet():
    """Core Vol 6 Part B 2.3.3.1: LLData of 22 octets."""
    octets = BARE.encode(LEGACY[6], Keys())
    head, data = octets[4:18], octets[18:-3]
    assert head.hex() == "c522" + "ffeeddccbbaa" + "1122334455c6"
    assert data.hex() == "5a1c6caf785634020c00180004004800ffffffff1fa9"


def test_extended_header_octet_by_octet():
    """Core Vol 6 Part B 2.3.4: field order, ADI, AuxPtr (channel 12, 50 ppm, 545 x 30 us, LE 2M)."""
    assert BARE.encode(EXTENDED[0], Keys())[4:-3].hex() == "070706187b504c2122"
    pdu = pdu_octets(EXTENDED[3])
    # AdvA, ADI, AuxPtr and SyncInfo: 1 + 6 + 2 + 3 + 18 octets of header
    assert pdu[2:4].hex() == "1e39"
    # offset 8 x 300 us, adjusted; 80 x 1.25 ms; map; SCA 4 in the top bits
    assert pdu[15:33].hex() == "08605000ff00ff009f29417671efcdab0102"


def test_air_time():
    """Core Vol 6 Part B 2.1, 2.2 and the largest times of 4.5.10 (251 octets and MIC; 27 octets on Coded)."""
    assert air_time_us(2 + 6 + 31) == 376
    assert air_time_us(2) == 80
    assert air_time_us(2 + 27 + 4) == 328
    assert air_time_us(2 + 251 + 4) == 2120
    assert air_time_us(2 + 251 + 4, "2M") == 1064
    assert air_time_us(2 + 27 + 4, "coded") == 2704
    assert air_time_us(2 + 251 + 4, "coded") == 17040
    assert air_time_us(2, "coded", coding=1) == 462


def test_channels_count_by_frequency_on_rf():
    """Core Vol 6 Part B 1.4.1, table 1.2."""
    assert [rf_of_channel(channel) for channel in (37, 38, 39, 0, 10, 11, 36)] == [
        0,
        12,
        39,
        1,
        11,
        13,
        38,
    ]
    assert [channel_of_rf(rf_of_channel(channel)) for channel in range(40)] == list(range(40))


def shift_register(pdu, init):
    """Core Vol 6 Part B 3.1.1 as its figure draws it: 24 positions, the lowest bit of `init` at position 0."""
    positions = [init >> bit & 1 for bit in range(24)]
    for octet in pdu:
        for bit in range(8):
            feedback = positions[23] ^ octet >> bit & 1
            positions = [feedback, *positions[:23]]
            for tap in (1, 3, 4, 6, 9, 10):
                positions[tap] ^= feedback
    sent = positions[::-1]
    return bytes(sum(sent[8 * n + bit] << bit for bit in range(8)) for n in range(3))


@pytest.mark.parametrize("init", [0x555555, 0x345678, 0x000001, 0x800000, 0])
def test_crc_is_the_shift_register_of_the_specification(init):
    for packet in (LEGACY[0], LEGACY[6], EXTENDED[3]):
        assert crc24(pdu_octets(packet), init) == shift_register(pdu_octets(packet), init)


def test_crc_finds_every_single_bit():
    pdu = pdu_octets(LEGACY[0])
    right = crc24(pdu)
    for bit in range(8 * len(pdu)):
        wrong = bytearray(pdu)
        wrong[bit // 8] ^= 1 << bit % 8
        assert crc24(bytes(wrong)) != right


# --- what the octets do not say -------------------------------------------------------------------


def test_extended_pdu_is_named_from_its_context():
    def named(packet, keys, header=None):
        sent = (
            packet
            if header is None
            else msgspec.structs.replace(packet, phdr=ll.PseudoHeader(**header))
        )
        octets = (BARE if header is None else FRAMED).encode(sent, Keys())
        return read(octets, phdr=header is not None, keys=keys).fields.__struct_config__.tag

    assert named(EXTENDED[0], {}) == "ADV_EXT_IND"
    assert named(EXTENDED[0], {"channel": 38}) == "ADV_EXT_IND"
    assert named(EXTENDED[1], {}) == "AUX_ADV_IND"
    assert named(EXTENDED[2], {"channel": 4}) == "AUX_ADV_IND"
    assert named(EXTENDED[5], {}) == "AUX_CHAIN_IND"
    for told in ("AUX_ADV_IND", "AUX_CHAIN_IND", "AUX_SYNC_IND", "AUX_SCAN_RSP"):
        header = {"rf_channel": 5, "kind": "auxiliary", "aux_type": told}
        assert named(EXTENDED[4], {}, header) == told
    assert named(LEGACY[4], {"channel": 4}) == "AUX_SCAN_REQ"
    assert named(LEGACY[4], {}) == "SCAN_REQ"
    assert named(LEGACY[6], {}, {"rf_channel": 5}) == "AUX_CONNECT_REQ"


def test_crc_of_a_connection_needs_its_initial_value():
    octets = BARE.encode(DATA[3], Keys(CONNECTION))
    assert read(octets, phdr=False).fields.crc_ok is msgspec.UNSET
    assert read(octets, phdr=False, keys=CONNECTION).fields.crc_ok is True
    wrong = read(octets, phdr=False, keys={"crc_init": "0x555555"})
    assert wrong.error.code == "crc"
    assert wrong.fields.crc_ok is False
    with pytest.raises(EncodeError) as caught:
        BARE.encode(DATA[3], Keys())
    assert caught.value.path == "crc"


def test_the_sniffers_word_on_the_crc_counts_where_ours_cannot():
    for checked, valid in ((True, True), (True, False), (False, False)):
        packet = with_header(DATA[3], crc_checked=checked, crc_valid=valid)
        found = read(FRAMED.encode(packet, Keys(CONNECTION)), phdr=True)
        assert found.fields.crc_ok is (valid if checked else msgspec.UNSET)
        assert (found.error is None) == (valid or not checked)


def test_encrypted_control_parameters_stay_hex():
    """Seven octets cannot be LL_TERMINATE_IND in clear."""
    packet = ll.ControlPdu(**CONNECTED, opcode=2, parameters="13aabbccdd0102")
    found = read(BARE.encode(packet, Keys(CONNECTION)), phdr=False, keys=CONNECTION)
    assert found.error is None
    assert found.fields.parameters == "13aabbccdd0102"
    assert found.fields.values is msgspec.UNSET


def test_fault_in_the_advertising_data_is_a_doubt_of_its_node():
    octets = BARE.encode(ll.AdvInd(adv_address=OTHER, data="0201060509"), Keys())
    found = read(octets, phdr=False)
    assert found.error is None
    (node,) = [node for node in found.tree if node.name == "data"]
    assert node.doubts[0].startswith("ad_length_overrun at octet 15")


# --- faults ---------------------------------------------------------------------------------------


def broken(packet, change, *, phdr=False, fix_crc=True):
    octets = bytearray(
        (FRAMED if phdr else BARE).encode(with_header(packet) if phdr else packet, Keys(CONNECTION))
    )
    change(octets)
    if fix_crc:
        start = 14 if phdr else 4
        octets[-3:] = crc24(bytes(octets[start:-3]))
    return read(bytes(octets), phdr=phdr, keys=CONNECTION)


def put(at, value):
    def change(octets):
        octets[at] = value

    return change


@pytest.mark.parametrize(
    ("packet", "change", "phdr", "code", "offset", "kept"),
    [
        (LEGACY[0], put(4, 0x0A), False, "pdu_type", 4, False),
        (LEGACY[0], put(14, 0x0F), True, "pdu_type", 14, False),
        (LEGACY[0], lambda o: (o.__setitem__(8, 0x83), o.__setitem__(9, 0x0F)), True, "pdu_type", 8, False),
        (LEGACY[0], put(4, 0x70), False, "reserved_nonzero", 4, True),
        (LEGACY[0], put(5, 0x12), False, "frame_length", None, False),
        (LEGACY[0], put(8, 0x02), True, "whitened", 8, False),
        (LEGACY[4], lambda o: (o.__setitem__(5, 13), o.insert(6, 0)), False, "frame_length", None, False),
        (LEGACY[6], lambda o: (o.__setitem__(5, 33), o.pop(6)), False, "frame_length", None, False),
        (EXTENDED[0], put(6, 0x3F), False, "frame_length", 7, False),
        (EXTENDED[0], put(6, 0x02), False, "frame_length", None, False),
        (DATA[1], put(4, 0x46), False, "reserved_nonzero", 4, True),
        (DATA[3], lambda o: (o.__setitem__(5, 0), o.__delitem__(slice(6, 8))), False, "frame_length", None, False),
        (DATA[0], put(4, 0x21), False, "frame_length", None, False),
    ],
)  # fmt: skip
def test_fault_has_code_and_place(packet, change, phdr, code, offset, kept):
    found = broken(packet, change, phdr=phdr)
    assert (found.error.code, found.error.offset) == (code, offset)
    assert (found.fields is not None) == kept


def test_wrong_crc_is_last_and_keeps_all_fields():
    found = broken(LEGACY[0], put(-1, 0x00), fix_crc=False)
    assert (found.error.code, found.error.offset) == ("crc", 4 + 2 + 6 + 11)
    assert found.fields.data == RUN
    assert found.fields.crc_ok is False
    assert (
        broken(
            LEGACY[0], lambda o: (o.__setitem__(4, 0x70), o.__setitem__(-1, 0)), fix_crc=False
        ).error.code
        == "reserved_nonzero"
    )


def test_more_than_31_octets_of_legacy_data():
    octets = bytearray.fromhex("d6be898e0026665544332211" + "00" * 32)
    found = read(bytes(octets) + crc24(bytes(octets[4:])), phdr=False)
    assert (found.error.code, found.error.offset) == ("payload_too_long", None)
    assert found.fields.data == "00" * 32
    with pytest.raises(EncodeError) as caught:
        BARE.encode(ll.AdvInd(adv_address=OTHER, data="00" * 32), Keys())
    assert caught.value.path == "data"


@pytest.mark.parametrize("phdr", [False, True])
def test_every_cut_is_frame_length(phdr):
    for packet in (LEGACY[0], LEGACY[6], EXTENDED[3], DATA[3]):
        form = FRAMED if phdr else BARE
        octets = form.encode(with_header(packet) if phdr else packet, Keys(CONNECTION))
        for size in range(len(octets)):
            assert read(octets[:size], phdr=phdr, keys=CONNECTION).error.code == "frame_length"


def test_noise_is_read_or_named():
    rng = random.Random(20)
    examples = [bytes.fromhex(example.hex) for example in LL_PHDR.examples]
    for _ in range(600):
        octets = bytearray(rng.choice(examples))
        for _ in range(rng.randint(1, 3)):
            octets[rng.randrange(10, len(octets))] = rng.randrange(256)
        found = read(bytes(octets), phdr=True)
        assert found.error is None or type(found.error) is DecodeError
        if found.fields is not None:
            assert summary(found.fields)


@pytest.mark.parametrize(
    ("packet", "path"),
    [
        (ll.AdvInd(adv_address="11:22"), "adv_address"),
        (ll.AdvInd(adv_address=OTHER, data="0"), "data"),
        (ll.AdvInd(adv_address=OTHER, crc="00"), "crc"),
        (ll.AdvInd(adv_address=OTHER, crc="000000", crc_ok=True), "crc"),
        (ll.AdvInd(adv_address=OTHER, access_address="xyz"), "access_address"),
        (ll.AdvExtInd(did=5), "sid"),
        (ll.AdvExtInd(did=0x1000, sid=1), "did"),
        (ll.AdvExtInd(aux_pointer=ll.AuxPointer(channel=64, offset_us=30)), "aux_pointer.channel"),
        (ll.AdvExtInd(aux_pointer=ll.AuxPointer(channel=1, offset_us=31)), "aux_pointer.offset_us"),
        (
            ll.AdvExtInd(aux_pointer=ll.AuxPointer(channel=1, offset_us=30, phy="3M")),
            "aux_pointer.phy",
        ),
        (ll.AuxAdvInd(data="00" * 255), "length"),
        (ll.AuxAdvInd(did=1, sid=1, acad="00" * 61), "header_length"),
        (ll.DataPdu(), "access_address"),
        (ll.ControlPdu(**CONNECTED, opcode=2), "parameters"),
        (ll.ControlPdu(**CONNECTED, opcode=2, name="LL_PING_REQ", parameters="13"), "name"),
        (ll.ControlPdu(**CONNECTED, opcode=2, values={}), "values.error"),
    ],
)
def test_what_cannot_be_sent_is_named(packet, path):
    with pytest.raises(EncodeError) as caught:
        BARE.encode(packet, Keys(CONNECTION))
    assert caught.value.path == path


@pytest.mark.parametrize(
    ("header", "path"),
    [
        ({"rf_channel": 256}, "phdr.rf_channel"),
        ({"rf_channel": 0, "kind": "sideways"}, "phdr.kind"),
        ({"rf_channel": 0, "kind": "auxiliary"}, "phdr.aux_type"),
        ({"rf_channel": 0, "phy": "3M"}, "phdr.phy"),
    ],
)
def test_header_that_cannot_be_sent_is_named(header, path):
    with pytest.raises(EncodeError) as caught:
        FRAMED.encode(msgspec.structs.replace(LEGACY[0], phdr=ll.PseudoHeader(**header)), Keys())
    assert caught.value.path == path


# --- one line -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("packet", "line"),
    [
        (LEGACY[0], f'ADV_IND, {ADVERTISER}, "Kettle"'),
        (LEGACY[4], f"SCAN_REQ, {OTHER}, to {ADVERTISER}"),
        (EXTENDED[0], "ADV_EXT_IND, continues on channel 12 in 16350 us"),
        (DATA[0], "DATA, empty"),
        (DATA[1], "DATA, ATT Write Request, handle 0x0003"),
        (DATA[2], "DATA, 3 octets, continued"),
        (DATA[3], "LL_TERMINATE_IND, error Remote user terminated connection"),
        (DATA[8], "LL control 0x40"),
    ],
)
def test_summary(packet, line):
    octets = BARE.encode(packet, Keys(CONNECTION))
    assert summary(read(octets, phdr=False, keys=CONNECTION).fields) == line


# --- the judge ------------------------------------------------------------------------------------

UNCHECKED: dict[str, Any] = {"crc_checked": False, "crc_valid": False}
"""With this tshark computes the CRC itself."""
JUDGED = (
    "btle.access_address",
    "btle.advertising_header.pdu_type",
    "btle.advertising_address",
    "btle.length",
    "btle.crc.incorrect",
    "_ws.malformed",
    "btle_rf.signal_dbm",
    "btle_rf.channel",
)


def test_tshark_reads_every_advertising_pdu(tmp_path):
    """Types, addresses, CRC right; nothing malformed. AUX_SYNC_IND has a CRC tshark cannot know."""
    packets = LEGACY + EXTENDED[:-1]
    octets = [FRAMED.encode(with_header(packet, **UNCHECKED), Keys()) for packet in packets]
    found = rows(tmp_path, 256, octets, *JUDGED)
    types = [int(row[1], 0) for row in found]
    assert types == [0, 1, 2, 6, 3, 4, 5, 7, 7, 7, 7, 7, 7]
    assert [row[2] for row in found] == [getattr(p, "adv_address", "") or "" for p in packets]
    for row in found:
        assert row[0] == "0x8e89bed6"
        assert row[4] == row[5] == ""
        assert row[6] == "-60"
    for octet in octets[:2]:
        wrong = octet[:-1] + bytes((octet[-1] ^ 1,))
        assert rows(tmp_path, 256, [wrong], "btle.crc.incorrect")[0][0] != ""


def test_tshark_reads_the_connection_request(tmp_path):
    octets = FRAMED.encode(with_header(LEGACY[6]), Keys())
    names = (
        "access_address", "crc_init", "window_size", "window_offset", "interval", "latency", "timeout", "hop",
        "sleep_clock_accuracy",
    )  # fmt: skip
    (row,) = rows(tmp_path, 256, [octets], *(f"btle.link_layer_data.{name}" for name in names))
    assert [int(value, 0) for value in row] == [0xAF6C1C5A, 0x345678, 2, 12, 24, 4, 72, 9, 5]


def test_tshark_reads_the_extended_header(tmp_path):
    prefix = "btle.extended_advertising"
    fields = (
        f"{prefix}.advertising_data_info.did", f"{prefix}.advertising_data_info.sid",
        f"{prefix}_header.aux_pointer.channel", f"{prefix}_header.aux_pointer.aux_offset",
        f"{prefix}_header.aux_pointer.aux_phy", f"{prefix}_header.tx_power",
        f"{prefix}_header.sync_info.sync_offset", f"{prefix}_header.sync_info.interval",
        f"{prefix}_header.sync_info.access_address", f"{prefix}_header.sync_info.event_counter",
        f"{prefix}_header.sync_info.sleep_clock_accuracy", f"{prefix}_header.mode",
    )  # fmt: skip
    octets = [FRAMED.encode(with_header(EXTENDED[n]), Keys()) for n in (0, 1, 3)]
    found = [
        [int(v, 0) if v else None for v in row] for row in rows(tmp_path, 256, octets, *fields)
    ]
    assert found[0][:5] == [0x07B, 5, 12, 545, 1]
    assert found[1][:2] == [0x123, 4]
    assert (found[1][5], found[1][11]) == (-7, 1)
    assert found[2][2:5] == [12, 545, 1]
    assert found[2][7:11] == [80, 0x71764129, 513, 4]


def test_tshark_reads_connection_packets(tmp_path):
    """Sent behind the CONNECT_IND; tshark does not check the CRC of connections."""
    packets = [LEGACY[6], *DATA[:2], *DATA[3:8]]
    octets = [
        FRAMED.encode(with_header(packet, **UNCHECKED), Keys(context(packet))) for packet in packets
    ]
    found = rows(
        tmp_path, 256, octets, "btle.data_header.llid", "btle.control_opcode", "btle.access_address", "_ws.malformed",
        "btatt.opcode", "btatt.handle", "btle.control.error_code", "btle.control.interval", "btle.control.instant",
        "btle.control.max_rx_octets",
    )[1:]  # fmt: skip
    assert [int(row[0], 0) for row in found] == [1, 2, 3, 3, 3, 3, 3]
    assert [row[1] for row in found[2:]] == ["0x02", "0x0c", "0x14", "0x00", "0x18"]
    assert all(row[3] == "" for row in found)
    assert found[1][4:6] == ["0x12", "0x0003"]
    assert int(found[2][6], 0) == 0x13
    assert [int(v) for v in found[5][7:9]] == [12, 99]
    assert int(found[4][9]) == 251


def test_tshark_agrees_on_the_names_of_control_pdus(tmp_path):
    """tshark 4.0 still has the older word for the peripheral."""
    known = {code: name for code, name in LL_CONTROL.items() if code <= 0x22}
    packets = [
        FRAMED.encode(
            with_header(ll.ControlPdu(**CONNECTED, opcode=code, parameters="00" * 30)),
            Keys(CONNECTION),
        )
        for code in known
    ]
    said = [row[0] for row in rows(tmp_path, 256, packets, "_ws.col.Info")]
    for info, name in zip(said, known.values(), strict=True):
        assert name.replace("PERIPHERAL", "SLAVE") in info.replace("[", " ").split()
