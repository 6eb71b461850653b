"""Advertisements built from pieces: their octets, their cost, and what tshark reads in them."""

from __future__ import annotations

import pytest

from protocols.ble.advertising import (
    Piece,
    ad_run,
    ad_words,
    appearance,
    connection_interval,
    flags,
    manufacturer,
    name,
    raw,
    service_data,
    solicit,
    tx_power,
    uri,
    uuids,
    uuids16,
    uuids32,
    uuids128,
)
from protocols.ble.link_layer import LL
from protocols.ble.ll_fields import AdvInd
from protocols.errors import EncodeError
from protocols.format import Keys
from tests.shark import rows

LONG = "06aa1910-f22a-11e3-9daa-0002a5d5c51b"


def test_eddystone_shape_of_31_octets():
    """The common shape of section 2: flags, the UUID, service data (UID of 20 octets)."""
    frame = bytes(20)
    run = ad_run([flags(), uuids16(["feaa"]), service_data("feaa", frame)])
    assert run.hex() == "0201060303aafe1716aafe" + "00" * 20
    assert len(run) == 31


@pytest.mark.parametrize(
    ("piece", "octets"),
    [
        (flags(0x1A), "02011a"),
        (flags(0x0106), "03010601"),
        (uuids16([0x1812, "180F"], complete=False), "050212180f18"),
        (uuids16([]), "0103"),
        (uuids32(["12345678"]), "050578563412"),
        # vector ad-tx-name-uuid128-mfr-scanrsp
        (uuids128([LONG], complete=False), "11061bc5d5a50200aa9de3112af21019aa06"),
        (service_data(0xFEAA, b"\x10"), "0416aafe10"),
        (service_data("12345678", b""), "052078563412"),
        (service_data(LONG, b"\x01"), "12211bc5d5a50200aa9de3112af21019aa0601"),
        (manufacturer(0x004C, b"\x02"), "04ff4c0002"),
        (manufacturer("ffff", b""), "03ffffff"),
        (name("Foo"), "0409466f6f"),
        (name("Foo", complete=False), "0408466f6f"),
        (tx_power(-4), "020afc"),
        (appearance(961), "0319c103"),
        (connection_interval(20, None), "05121000ffff"),
        (uri("https://a.b"), "0724172f2f612e62"),
        (raw(0x3D, b"\x01\x02"), "033d0102"),
    ],
)
def test_pieces(piece, octets):
    assert ad_run([piece]).hex() == octets
    assert piece.size == len(octets) // 2


def test_lists_of_mixed_uuids_become_one_piece_per_size():
    assert [piece.type for piece in uuids([LONG, "feaa", "12345678", 0x180D])] == [3, 5, 7]
    assert [piece.type for piece in uuids(["feaa"], complete=False)] == [2]
    assert [piece.type for piece in solicit([LONG, "feaa"])] == [0x14, 0x15]
    assert ad_run([flags(), uuids(["feaa", 0x180D])]).hex() == "0201060503aafe0d18"


def test_what_does_not_fit_says_what_costs_how_much():
    pieces = [flags(), uuids128([LONG]), name("Lighthouse")]
    assert sum(piece.size for piece in pieces) == 33
    with pytest.raises(EncodeError) as caught:
        ad_run(pieces)
    said = str(caught.value)
    assert "33 octets, 2 more than the 31" in said
    assert "Flags 3, 128-bit service UUIDs, complete 18, Complete local name 12" in said
    assert len(ad_run(pieces, limit=None)) == 33
    assert len(ad_run([name("x" * 29)])) == 31


@pytest.mark.parametrize(
    "make",
    [
        lambda: raw(256, b""),
        lambda: raw(1, bytes(255)),
        lambda: flags(-1),
        lambda: tx_power(200),
        lambda: uuids16(["12345678"]),
        lambda: service_data("feaaa", b""),
        lambda: service_data("zzzz", b""),
        lambda: manufacturer("4c", b""),
        lambda: manufacturer(0x10000, b""),
        lambda: appearance(1 << 16),
        lambda: connection_interval(-5, 10),
        lambda: name("x" * 255),
    ],
)
def test_pieces_that_cannot_be_sent(make):
    with pytest.raises(EncodeError):
        make()


def test_a_piece_is_comparable_and_hashable():
    assert {flags(), Piece(1, b"\x06")} == {flags()}


@pytest.mark.parametrize(
    ("run", "words"),
    [
        (ad_run([flags(), name("Foo"), tx_power(-3)]), '"Foo", TX -3 dBm'),
        (ad_run([uuids16(["feaa", "180d"]), service_data("feaa", b"")]), "services 180d (Heart Rate), service data feaa (Eddystone)"),
        (ad_run([manufacturer(0x4C, b""), manufacturer(0x4242, b"")]), "data of Apple, data of company 4242"),
        (ad_run([flags()]), "3 octets"),
        (b"\x09\x01", "2 octets"),
    ],
)  # fmt: skip
def test_one_line(run, words):
    assert ad_words(run) == words


def on_air(run):
    packet = AdvInd(adv_address="11:22:33:44:55:66", data=run.hex())
    assert LL.encode is not None
    return LL.encode(packet, Keys())


def test_tshark_reads_the_pieces(tmp_path):
    runs = [
        ad_run([flags(), uuids16(["feaa", "180f"]), tx_power(-4), name("Kettle")]),
        ad_run([uuids128([LONG]), appearance(961)]),
        ad_run([service_data("feaa", b"\x10\x00\x03a"), manufacturer(0x0499, b"\x05\x06"), connection_interval(20, 100)]),
        ad_run([solicit(["1812"]), uri("https://a.b"), name("Ket", complete=False), raw(0x1C, b"\x02")]),
    ]  # fmt: skip
    entry = "btcommon.eir_ad.entry"
    found = rows(
        tmp_path,
        251,
        [on_air(run) for run in runs],
        f"{entry}.type",
        f"{entry}.uuid_16",
        f"{entry}.power_level",
        f"{entry}.device_name",
        f"{entry}.appearance",
        f"{entry}.custom_uuid_128",
        f"{entry}.company_id",
        f"{entry}.service_data",
        f"{entry}.connection_interval_min",
        f"{entry}.uri",
        "_ws.malformed",
        f"{entry}.flags.le_general_discoverable_mode",
    )
    assert found[0][0].split(",") == ["0x01", "0x03", "0x0a", "0x09"]
    assert found[0][1] == "0xfeaa,0x180f"
    assert found[0][2] == "-4"
    assert found[0][3] == "Kettle"
    assert found[0][11] == "0x01"
    assert found[1][4] == "0x03c1"
    assert found[2][6] == "0x0499"
    assert found[2][7].replace(":", "") == "10000361"
    assert found[2][8] == "16"
    assert found[3][0].split(",") == ["0x14", "0x24", "0x08", "0x1c"]
    assert all(row[10] == "" for row in found)
