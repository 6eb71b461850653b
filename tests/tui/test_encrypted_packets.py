"""What is encrypted is ciphertext and MIC, in a run by what the radio sent and in a capture by what was said before."""

from __future__ import annotations

import time

import pytest

from protocols.ble.ll_capture import captured_packet
from protocols.capture import Packet, writer_for
from sim import scenario
from sim.ble.encryption import LinkCipher, session_key
from sim.world import World
from tests.tui.test_models import feed_of, run
from tui.capture_source import CaptureSource
from tui.models.clear_forms import ClearForms
from tui.models.decoding import decoded, info_of, walk
from tui.models.encrypted_links import EncryptedLinks
from tui.models.packet_list import PacketList
from tui.models.packets import protocol_of

ADVERTISING = 0x8E89BED6
LINK = 0xAF6C1C5A
CONNECT_IND = bytes.fromhex("4522665544332211ffeeddccbbaa") + LINK.to_bytes(4, "little") + bytes(18)
START_ENC_REQ, PAUSE_ENC_RSP = bytes.fromhex("0f0105"), bytes.fromhex("0f010b")
START_ENC_RSP, TERMINATE_IND = bytes.fromhex("06"), bytes.fromhex("0213")
ENC_REQ, ENC_RSP = 3, 4
ENABLE_ENCRYPTION = bytes.fromhex("011920")
SEALED, IN_CLEAR = bytes.fromhex("0205a1a2a3a4a5"), bytes.fromhex("020702000400 0a03")


def names(event):
    return [path[-1] for path, _ in walk(decoded(event).tree)]


def on_link(pdu, **more):
    return captured_packet(pdu, channel=5, rssi_dbm=-40, access_address=LINK, kind=2, **more)


def sent_packets():
    return [e for e in run("passkey_lock") if e.layer == "air" and e.data]


def test_an_encrypted_packet_of_a_run_has_no_fields_inside():
    sealed = [e for e in sent_packets() if e.fields.get("encrypted")]
    assert {e.event for e in sealed} == {"ll_data", "ll_control"}
    for event in sealed:
        found = decoded(event)
        assert names(event)[-2:] == ["ciphertext", "mic"]
        assert not {"l2cap_length", "cid", "att_opcode", "opcode", "data"} & set(names(event))
        assert found.tree[-1].value == event.data[-4:].hex()
        assert (found.tree[-2].start, found.tree[-1].end) == (2, len(event.data))
        assert protocol_of(event) == "LL"
        assert info_of(event).startswith("encrypted ")


@pytest.mark.parametrize("name", ["passkey_lock", "lost_bond_repaired"])
def test_control_pdus_have_the_clear_form_that_the_key_of_the_link_opens(name):
    """Decrypted by LTK, SKD, IV and counters as somebody who listened would (Vol 6 Part E 2.1; its cipher is tested
    with the specification's samples)."""
    world, events = World(scenario.load(name), reveal=True), []
    world.trace.add_sink(events.append)
    world.run()
    world.close()
    _, feed = feed_of(events)
    opened = list(control_pdus_opened(events))
    assert {octets[0] for _, octets in opened} >= {START_ENC_RSP[0], TERMINATE_IND[0]}
    for event, octets in opened:
        found = ClearForms(feed).of(event)
        assert found.data == bytes((event.data[0], len(octets))) + octets
        assert found.wrong == ""
        assert {path[-1]: node.value for path, node in walk(found.tree)}["opcode"] == octets[0]
    (ended,) = [ClearForms(feed).of(e) for e, octets in opened if octets == TERMINATE_IND]
    assert ended.text == "LL_TERMINATE_IND, error Remote user terminated connection"
    in_clear = [e for e in events if e.event == "ll_control" and not e.fields.get("encrypted")]
    assert in_clear
    assert not any(ClearForms(feed).of(event) for event in in_clear)


def control_pdus_opened(events):
    """(event, opcode and parameters) of the encrypted control PDUs, retransmissions left out."""
    ltk, material, ciphers, central = b"", [b"", b""], {}, ""
    for event in events:
        data = event.data or b""
        if event.layer == "hci" and data[:3] == ENABLE_ENCRYPTION:
            ltk, central = data[16:32], event.node
        if event.layer != "air" or not event.event.startswith("ll_") or event.fields.get("again"):
            continue
        payload = data[2:]
        if event.fields.get("encrypted"):
            octets = ciphers[event.node == central].decrypt(data[0], payload)
            if event.event == "ll_control":
                yield event, octets
        elif data[0] & 3 == 3 and payload[0] in (ENC_REQ, ENC_RSP):
            material[payload[0] - ENC_REQ] = payload[-12:]
        elif data[0] & 3 == 3 and payload == START_ENC_REQ[2:]:
            skd, iv = (b"".join(one[part] for one in material) for part in (slice(8), slice(8, 12)))
            key = session_key(ltk, skd)
            ciphers = {
                is_central: LinkCipher(key, iv, int(is_central)) for is_central in (False, True)
            }


def test_a_filter_finds_no_field_in_ciphertext():
    _, feed = feed_of(run("passkey_lock"))
    packets = PacketList(feed, "data.l2cap_length>1000")
    packets.take(feed.pull())
    packets.look(lambda: False)
    assert len(packets) == 0


def test_a_capture_of_the_run_knows_the_same_packets(tmp_path):
    events, link, path = sent_packets(), ADVERTISING, tmp_path / "a.pcap"
    with path.open("wb") as stream:
        writer = writer_for("pcap")(stream)
        for n, event in enumerate(events, 1):
            at = ADVERTISING if not event.event.startswith("ll_") else link
            data = captured_packet(
                event.data, channel=event.fields["channel"], rssi_dbm=-40, access_address=at
            )
            writer.write(Packet(n, event.t_us, 256, data, len(data)))
            if event.event == "connect_ind":
                link = int.from_bytes(event.data[14:18], "little")
    source = CaptureSource(path)
    end_s = time.monotonic() + 30
    while not source.done:
        assert time.monotonic() < end_s
    rows = source.span(0, source.end)
    found = [bool(row.fields.get("encrypted")) for row in rows]
    assert found == [bool(event.fields.get("encrypted")) for event in events]
    assert any(found)
    first = found.index(True)
    assert source.at(first) == rows[first]
    sealed = [row for row, is_sealed in zip(rows, found, strict=True) if is_sealed]
    assert all({"ciphertext", "mic", "crc"} <= set(names(row)) for row in sealed)
    assert not any("cid" in names(row) for row in sealed)
    source.close()


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ([], False),
        ([START_ENC_REQ], True),
        ([START_ENC_REQ, START_ENC_REQ, b"\x01\x00"], True),
        ([START_ENC_REQ, SEALED, PAUSE_ENC_RSP], False),
        ([START_ENC_REQ, PAUSE_ENC_RSP, START_ENC_REQ], True),
    ],
)
def test_a_connection_is_encrypted_from_its_start_to_its_pause(before, expected):
    links = EncryptedLinks()
    for pdu in before:
        links.is_encrypted("ll_phdr", on_link(pdu))
    assert links.is_encrypted("ll_phdr", on_link(SEALED)) is expected
    assert links.is_encrypted("ll", on_link(SEALED)[10:]) is expected
    assert not links.is_encrypted("ll_phdr", on_link(IN_CLEAR, decrypted=True))
    other = captured_packet(SEALED, channel=5, rssi_dbm=-40, access_address=LINK ^ 0x100)
    assert not links.is_encrypted("ll_phdr", other)
    links.is_encrypted("ll_phdr", captured_packet(CONNECT_IND, channel=37, rssi_dbm=-40))
    assert not links.is_encrypted("ll_phdr", on_link(SEALED)), "it is another connection"


@pytest.mark.parametrize("octets", [b"", b"\x00" * 5, b"\xd6\xbe\x89\x8e", on_link(SEALED)[:15]])
def test_cut_packets_are_not_encrypted(octets):
    assert not EncryptedLinks().is_encrypted("ll_phdr", octets)
