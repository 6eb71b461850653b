"""LE encryption of a connection: what the hosts hear and what is on the air."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from connected import Bare, Pair

from sim.ble.encryption import LinkCipher, session_key

LE_META = 0x3E
DISCONNECTED, CHANGED, REFRESHED, KEY_WANTED, EXPIRED = 0x05, 0x08, 0x30, 0x05, 0x57
LTK, OTHER = bytes(range(16)), bytes(range(1, 17))
RAND, EDIV = b"\x01\x02\x03\x04\x05\x06\x07\x08", 0x2474
ENCRYPTED = b"\0\x01\0\x01"


def give_keys(pair: Pair, ltk: bytes | None) -> None:
    """Let the peripheral's host answer key requests, with `ltk` or none."""

    def answer(packet: bytes) -> None:
        if packet[:2] == b"\x04\x3e" and packet[3] == KEY_WANTED:
            if ltk is None:
                pair.peripheral.command("no_ltk", "H", 1)
            else:
                pair.peripheral.command("ltk", "H16s", 1, ltk)

    pair.peripheral.host.answer = answer


def encrypt(pair: Pair, ltk: bytes = LTK) -> None:
    pair.central.command("enable_encryption", "H8sH16s", 1, RAND, EDIV, ltk)


def encrypted_pair(**settings: Any) -> Pair:
    pair = Pair(**settings)
    give_keys(pair, LTK)
    encrypt(pair)
    pair.run_ms(500)
    assert pair.c.encryption.on
    assert pair.p.encryption.on
    return pair


def both(pair: Pair) -> tuple[Bare, Bare]:
    return pair.central, pair.peripheral


@pytest.mark.parametrize("loss", [0.0, 0.1, 0.3])
def test_both_hosts_hear_of_encryption_and_data_arrives(loss: float) -> None:
    pair = Pair(loss=loss, timeout=600, seed=4)
    give_keys(pair, LTK)
    encrypt(pair)
    for bare in both(pair):
        for number in range(20):
            bare.send(f"{bare.name} {number};".encode())
    pair.run_ms(4000)
    for bare, other in (both(pair), both(pair)[::-1]):
        assert bare.events(CHANGED) == [ENCRYPTED]
        assert other.received() == b"".join(f"{bare.name} {n};".encode() for n in range(20))
    assert pair.peripheral.events(LE_META, KEY_WANTED) == [struct.pack("<H8sH", 1, RAND, EDIV)]


def test_ciphertext_on_the_air_that_only_the_session_key_opens() -> None:
    """An eavesdropper with the LTK and all packets since LL_ENC_REQ rebuilds the data; nobody reads it directly."""
    pair = Pair()
    heard: list[tuple[int, bytes]] = []
    pair.air.observe(
        lambda s, _: heard.append((int(s.sender == "central"), s.data)) if s.data[1] else None
    )
    give_keys(pair, LTK)
    encrypt(pair)
    pair.run_ms(500)
    secret = b"\x0b\x00\x04\x00\x52\x2a\x00open sesame"
    pair.central.send(secret)
    pair.peripheral.send(secret)
    pair.run_ms(300)
    assert not [data for _, data in heard if b"sesame" in data]
    requests = [d[2:] for _, d in heard[:3]]
    assert [r[0] for r in requests] == [
        0x03,
        0x04,
        0x05,
    ]  # ENC_REQ, ENC_RSP, START_ENC_REQ in the clear
    skd, iv = requests[0][11:19] + requests[1][1:9], requests[0][19:23] + requests[1][9:13]
    ciphers = {way: LinkCipher(session_key(LTK, skd), iv, way) for way in (0, 1)}
    opened = [ciphers[way].decrypt(data[0], data[2:]) for way, data in heard[3:]]
    assert opened == [b"\x06", b"\x06", secret, secret]


def test_revealed_plaintext_travels_beside_the_octets() -> None:
    pair = encrypted_pair()
    seen: list[Any] = []
    pair.air.observe(lambda s, _: seen.append(s.meta) if s.meta.payload else None)
    pair.central.send(b"\x01\x00\x04\x00x")
    pair.run_ms(100)
    assert seen[0].encrypted
    assert seen[0].plaintext == b"\x01\x00\x04\x00x"
    assert seen[0].data[1] == len(seen[0].plaintext) + 4


def test_wrong_key_is_a_mic_failure_0x3d_and_the_peer_times_out() -> None:
    pair = Pair(timeout=100)
    give_keys(pair, OTHER)
    encrypt(pair)
    pair.run_ms(3000)
    assert pair.peripheral.events(DISCONNECTED) == [b"\0\x01\0\x3d"]
    assert pair.central.events(DISCONNECTED) == [b"\0\x01\0\x08"]
    assert pair.central.events(CHANGED) == pair.peripheral.events(CHANGED) == []


def test_missing_key_is_0x06_and_still_connected() -> None:
    pair = Pair()
    give_keys(pair, None)
    encrypt(pair)
    pair.run_ms(500)
    assert pair.central.events(CHANGED) == [b"\x06\x01\0\0"]
    assert pair.peripheral.events(CHANGED) == []
    pair.central.send(b"in the clear")
    pair.run_ms(100)
    assert pair.peripheral.received() == b"in the clear"
    give_keys(pair, LTK)
    encrypt(pair)
    pair.run_ms(500)
    assert pair.central.events(CHANGED)[1:] == [ENCRYPTED]


def test_missing_key_is_rejected_the_extended_way_once_features_are_known() -> None:
    pair = Pair()
    pdus: list[bytes] = []
    pair.air.observe(lambda s, _: pdus.append(s.data[2:]) if s.meta.llid == 3 else None)
    give_keys(pair, None)
    encrypt(pair)
    pair.run_ms(300)
    assert pdus[-1] == b"\x0d\x06"
    pair.central.command("read_features", "H", 1)
    encrypt(pair)
    pair.run_ms(300)
    assert pdus[-1] == b"\x11\x03\x06"


def test_a_host_that_has_masked_the_key_request_has_no_key() -> None:
    pair = Pair()
    pair.peripheral.le_event_mask &= ~(1 << KEY_WANTED - 1)
    encrypt(pair)
    pair.run_ms(300)
    assert pair.central.events(CHANGED) == [b"\x06\x01\0\0"]


@pytest.mark.parametrize("loss", [0.0, 0.3])
def test_refresh_pauses_and_starts_with_the_new_key(loss: float) -> None:
    pair = Pair(loss=loss, timeout=600, seed=2)
    give_keys(pair, LTK)
    encrypt(pair)
    pair.run_ms(3000)
    give_keys(pair, OTHER)
    encrypt(pair, OTHER)
    for number in range(10):
        pair.central.send(f"c{number}".encode())
        pair.peripheral.send(f"p{number}".encode())
    pair.run_ms(5000)
    for bare in both(pair):
        assert bare.events(CHANGED) == [ENCRYPTED]
        assert bare.events(REFRESHED) == [b"\0\x01\0"]
    assert pair.peripheral.received() == b"".join(f"c{n}".encode() for n in range(10))
    assert pair.central.received() == b"".join(f"p{n}".encode() for n in range(10))


def test_refresh_without_a_key_ends_the_connection_with_0x06() -> None:
    pair = encrypted_pair()
    give_keys(pair, None)
    encrypt(pair)
    pair.run_ms(500)
    assert pair.central.events(DISCONNECTED) == [b"\0\x01\0\x06"]
    assert pair.peripheral.events(DISCONNECTED) == [b"\0\x01\0\x16"]


def test_data_waits_while_encryption_starts() -> None:
    """5.1.3.1: no data PDU between LL_ENC_REQ and the last LL_START_ENC_RSP."""
    pair = Pair()
    pair.run_ms(100)
    kinds: list[int] = []
    pair.air.observe(lambda s, _: kinds.append(s.meta.llid) if s.meta.payload else None)
    give_keys(pair, LTK)
    encrypt(pair)
    for bare in both(pair):
        bare.send(b"later")
    pair.run_ms(500)
    assert kinds == [3, 2, 3, 3, 3, 3, 2] or kinds == [3, 3, 3, 3, 3, 2, 2]


@pytest.mark.parametrize("side", ["central", "peripheral"])
def test_other_procedures_wait_for_encryption(side: str) -> None:
    for seed in range(6):
        pair = Pair(loss=0.3, seed=seed, timeout=600)
        give_keys(pair, LTK)
        asker: Bare = getattr(pair, side)
        asker.command("set_length", "HHH", 1, 251, 2120)
        encrypt(pair)
        asker.command("set_phy", "HBBBH", 1, 0, 2, 2, 0)
        asker.command("read_features", "H", 1)
        asker.command("read_remote_version", "H", 1)
        pair.run_ms(6000)
        assert pair.central.events(CHANGED) == [ENCRYPTED]
        assert len(asker.events(LE_META, 0x04)) == 1
        assert asker.links[1].tx_phy == 2


def test_encryption_commands_out_of_turn() -> None:
    pair = Pair()
    pair.peripheral.command("enable_encryption", "H8sH16s", 1, RAND, EDIV, LTK)
    pair.peripheral.command("ltk", "H16s", 1, LTK)
    pair.peripheral.command("no_ltk", "H", 1)
    pair.run_ms(1)
    for name in ("enable_encryption", "ltk", "no_ltk"):
        assert pair.peripheral.status(name) == 0x0C
    encrypt(pair)
    encrypt(pair)
    pair.run_ms(1)
    assert pair.central.status("enable_encryption") == 0x0C


def test_authenticated_payload_is_kept_alive_by_pings() -> None:
    pair = encrypted_pair()
    pings: list[bytes] = []
    pair.run_ms(100)
    pair.run_ms(300_000)
    assert pair.central.events(EXPIRED) == []
    assert pair.central.links
    pair.air.observe(lambda s, _: pings.append(s.meta.plaintext) if s.meta.payload else None)
    pair.run_ms(60_000)
    assert set(pings) == {b"\x12", b"\x13"}
    assert 2 <= pings.count(b"\x12") <= 6


def test_authenticated_payload_timeout_is_reported() -> None:
    pair = encrypted_pair(timeout=3200)
    pair.central.command("write_auth_timeout", "HH", 1, 200)
    pair.central.command("read_auth_timeout", "H", 1)
    pair.run_ms(1)
    assert pair.central.events(0x0E)[-1][3:] == struct.pack("<BHH", 0, 1, 200)
    pair.p.control.receive = lambda pdu: None  # type: ignore[method-assign] # answers no ping
    pair.run_ms(3000)
    assert pair.central.events(EXPIRED) == [b"\x01\0"]
    assert pair.central.links
