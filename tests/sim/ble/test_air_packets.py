"""What is on the air is true: our octets read by the independent decoder and by tshark."""

from __future__ import annotations

import struct
import subprocess
from typing import Any

import msgspec
import pytest
from bumble import hci
from raw_host import ADV_DATA, RANDOM_A, S, World, wire

from protocols.ble.link_layer import crc24, decode_packet
from sim.ble.ext_pdus import AuxPtr, SyncInfo, extended_pdu
from sim.ble.pdus import (
    ADV_ACCESS_ADDRESS,
    ConnectParams,
    DataPdu,
    PduType,
    advertising_pdu,
    air_time_us,
    connect_pdu,
    parse_legacy,
)
from tests.judges import judge

PUBLIC_A = "11:22:33:44:55:0A"
PUBLIC_B = "11:22:33:44:55:0B"
A, B = b"\0" + wire(PUBLIC_A), b"\x01" + wire(RANDOM_A)


def octets(packet) -> bytes:
    return (
        packet.access_address.to_bytes(4, "little")
        + packet.data
        + crc24(packet.data, packet.crc_init)
    )


def fields_of(packet, channel: int = 5) -> Any:
    outcome = decode_packet(
        octets(packet), phdr=False, keys={"crc_init": packet.crc_init, "channel": channel}
    )
    assert outcome.error is None
    fields: Any = outcome.fields
    assert fields.crc_ok
    return fields


def test_connect_ind_known_octets():
    """Vol 6 Part B, 2.3.3.1, written out by hand: header 0x85 (TxAdd public, RxAdd random), LLData little endian."""
    params = ConnectParams(
        access_address=0x50C0FFEE,
        crc_init=0x123456,
        win_size=2,
        win_offset=0x0403,
        interval=0x0018,
        latency=0x0001,
        timeout=0x0048,
        channel_map=bytes.fromhex("ffffffff1f"),
        hop=7,
        sca=5,
    )
    packet = connect_pdu(A, B, params, ch_sel=True)
    expected = (
        "a522"
        + "0a5544332211"
        + "0a00000000c0"
        + "eeffc050"
        + "563412"
        + "02"
        + "0304"
        + "1800"
        + "0100"
    )
    assert packet.data == bytes.fromhex(expected + "4800" + "ffffffff1f" + "a7")
    assert packet.duration_us == 352


@pytest.mark.parametrize(
    ("kind", "name"),
    [
        (PduType.ADV_IND, "ADV_IND"),
        (PduType.ADV_NONCONN_IND, "ADV_NONCONN_IND"),
        (PduType.ADV_SCAN_IND, "ADV_SCAN_IND"),
        (PduType.SCAN_RSP, "SCAN_RSP"),
    ],
)
def test_legacy_pdus_read_back(kind, name):
    packet = advertising_pdu(kind, B, ADV_DATA)
    fields = fields_of(packet, 37)
    assert msgspec.to_builtins(fields)["pdu"] == name
    assert (fields.adv_address_type, fields.data) == ("random", ADV_DATA.hex())
    assert fields.adv_address.lower() == RANDOM_A.lower()
    assert parse_legacy(packet.data) == packet


def test_directed_and_request_pdus_keep_sender_and_target_apart():
    directed = fields_of(advertising_pdu(PduType.ADV_DIRECT_IND, A, peer_a=B), 37)
    assert (directed.adv_address_type, directed.target_address_type) == ("public", "random")
    request = fields_of(advertising_pdu(PduType.SCAN_REQ, A, peer_a=B), 37)
    assert (request.scan_address_type, request.adv_address_type) == ("random", "public")
    assert request.scan_address.lower() == RANDOM_A.lower()


@pytest.mark.parametrize(
    "junk", [b"", b"\x00", bytes(8), b"\x00\x05" + bytes(6), b"\x07\x01\x00" + bytes(6)]
)
def test_octets_that_are_no_legacy_advertising_are_nothing(junk):
    packet = parse_legacy(junk)
    assert packet is None or len(junk) == 2 + junk[1]


@pytest.mark.parametrize("offset_us", [300, 330, 245_670, 245_700, 1_000_200, 2_457_300])
def test_aux_pointers_read_back(offset_us):
    sent = AuxPtr(channel=36, phy=2, offset_us=offset_us)
    packet = extended_pdu(aux=sent, did=0xABC, sid=0xD)
    fields = fields_of(packet, 37)
    pointer = fields.aux_pointer
    assert (pointer.channel, pointer.offset_us, pointer.phy) == (36, offset_us, "2M")
    assert pointer.offset_unit_us == sent.unit_us
    assert (fields.did, fields.sid) == (0xABC, 0xD)


@pytest.mark.parametrize("offset_us", [30, 245_670, 300_000, 2_457_300, 2_457_600, 4_900_200])
def test_sync_info_reads_back(offset_us):
    sync = SyncInfo(
        offset_us=offset_us,
        interval=800,
        channel_map=bytes.fromhex("ffffffff1f"),
        sca=5,
        access_address=0x50C0FFEE,
        crc_init=0x123456,
        event_counter=0xBEEF,
    )
    read = fields_of(extended_pdu(adv_a=A, sync=sync)).sync_info
    read_us = read.offset_us + (2_457_600 if read.offset_adjusted else 0)
    assert (read_us, read.interval_ms, read.sleep_clock_accuracy) == (offset_us, 1000, 5)
    assert (int(read.access_address, 16), read.crc_init, read.event_counter) == (
        0x50C0FFEE,
        0x123456,
        0xBEEF,
    )


def test_an_extended_pdu_without_fields_has_an_empty_header():
    """Vol 6 Part B, 2.3.4: extended header length 0, then the data."""
    assert extended_pdu(body=b"\x01\x02").data == bytes.fromhex("07 03 00 01 02")


@pytest.mark.parametrize(
    ("octet_count", "phy", "expected"),
    [(2, 1, 80), (39, 1, 376), (257, 1, 2120), (257, 2, 1064), (257, 3, 17040)],
)
def test_air_time_known_values(octet_count, phy, expected):
    """Vol 6 Part B, 2.4 and 4.5.10: an empty PDU takes 80 us, connMaxTxTime of 251 octets (plus MIC) 2120, 1064, 17040."""
    assert air_time_us(octet_count, phy) == expected


# A whole session, judged


@pytest.fixture(scope="module")
def session():
    """Packets of every kind that two controllers put on the air."""
    with World() as world:
        a, b = world.host("a", public=PUBLIC_A), world.host("b", public=PUBLIC_B)
        a.random_address(RANDOM_A)
        a.advertise(0x13, ADV_DATA, 0, scan_response=b"\x05\x09nice", interval_ms=50)
        a.advertise(0x02, b"", 1, scan_response=b"\x02\x0a\x05" * 60, secondary_phy=2)
        a.advertise(0x40, b"\x02\x0a\x00" * 70, 2, power=3)
        a.ok(
            hci.HCI_LE_Set_Periodic_Advertising_Parameters_Command(
                advertising_handle=2,
                periodic_advertising_interval_min=80,
                periodic_advertising_interval_max=80,
                periodic_advertising_properties=0x40,
            )
        )
        a.ok(
            hci.HCI_LE_Set_Periodic_Advertising_Data_Command(
                advertising_handle=2, operation=3, advertising_data=b"\x02\x0a\x00"
            )
        )
        a.ok(hci.HCI_LE_Set_Periodic_Advertising_Enable_Command(enable=1, advertising_handle=2))
        a.advertise(0x15, b"", 3, peer=PUBLIC_B + "/P", own_type=0)
        b.scan(active=True)
        world.run(2 * S)
        b.connect(PUBLIC_A + "/P", extended=True)
        world.run(S)
        assert a.controller.links
        yield world.sent


def test_every_packet_of_a_session_reads_back_without_doubt(session):
    kinds = set()
    for sent in session:
        packet = sent.meta
        assert packet.data == sent.data
        keys = {"crc_init": packet.crc_init, "channel": sent.channel}
        outcome = decode_packet(octets(packet), phdr=False, keys=keys)
        assert outcome.error is None, (sent, outcome.error)
        fields: Any = outcome.fields
        assert fields.crc_ok
        kinds.add(msgspec.to_builtins(outcome.fields)["pdu"])
        assert sent.end_us - sent.start_us == air_time_us(len(sent.data), packet.phy)
    wanted = {
        "ADV_IND",
        "ADV_DIRECT_IND",
        "SCAN_REQ",
        "SCAN_RSP",
        "CONNECT_IND",
        "ADV_EXT_IND",
        "AUX_ADV_IND",
    }
    assert wanted <= kinds


def test_tshark_reads_every_packet_of_a_session(session, tmp_path):
    """LINKTYPE_BLUETOOTH_LE_LL_WITH_PHDR: no malformed packet, every CRC right, addresses and names as set."""
    tshark = judge("tshark")
    advertising = [
        sent
        for sent in session
        if sent.meta.access_address == ADV_ACCESS_ADDRESS or isinstance(sent.meta, DataPdu)
    ]
    with (tmp_path / "air.pcap").open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 256))
        for sent in advertising:
            packet = sent.meta
            channel = sent.channel
            rf = {37: 0, 38: 12, 39: 39}.get(channel, channel + (1 if channel < 11 else 2))
            flags = 0x0001 | 0x0010 | 0x0400 | 0x0800 | (packet.phy - 1) << 14
            if packet.access_address != ADV_ACCESS_ADDRESS:
                flags &= ~0x0C00  # the CRC init of a connection is tshark's to find
            header = struct.pack("<BbbBIH", rf, -50, 0, 0, packet.access_address, flags)
            body = header + octets(packet)
            file.write(
                struct.pack("<IIII", sent.start_us // S, sent.start_us % S, len(body), len(body))
                + body
            )
    names = [
        "_ws.malformed",
        "btle.advertising_header.pdu_type",
        "btle.advertising_address",
        "btcommon.eir_ad.entry.device_name",
    ]
    command = [tshark, "-n", "-r", str(tmp_path / "air.pcap"), "-T", "fields", "-E", "occurrence=a"]
    for name in names:
        command += ["-e", name]
    text = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    rows = [line.split("\t") for line in text.splitlines()]
    assert len(rows) == len(advertising)
    assert {row[0] for row in rows} == {""}
    for sent, row in zip(advertising, rows, strict=True):
        if isinstance(sent.meta, DataPdu):
            continue
        assert int(row[1], 0) == sent.meta.kind
        if sent.meta.adv_a:
            assert row[2] == sent.meta.adv_a[:0:-1].hex(":")
    assert "nice" in {row[3] for row in rows}
    verdict = [
        tshark,
        "-n",
        "-r",
        str(tmp_path / "air.pcap"),
        "-Y",
        "btle.crc.incorrect or _ws.expert.severity >= 0x800000",
    ]
    assert subprocess.run(verdict, check=True, capture_output=True, text=True).stdout == ""
