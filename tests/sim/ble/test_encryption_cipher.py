"""Link-layer cipher against the encryption sample data of the Core specification (Vol 6 Part C, 1)."""

from __future__ import annotations

import pytest

from sim.ble.encryption import LinkCipher, session_key

LTK = bytes.fromhex("4C68384139F574D836BCF34E9DFB01BF")[::-1]
SKD_C = bytes.fromhex("ACBDCEDFE0F10213")[::-1]
SKD_P = bytes.fromhex("0213243546576879")[::-1]
IV_C = bytes.fromhex("BADCAB24")[::-1]
IV_P = bytes.fromhex("DEAFBABE")[::-1]
PLAIN_1 = bytes.fromhex("1700636465666768696A6B6C6D6E6F707131323334353637383930")
PLAIN_2 = bytes.fromhex("1700373635343332313041424344454647484 94A4B4C4D4E4F5051".replace(" ", ""))

SAMPLES = [
    # direction (1 = from the central), header octets, plaintext, ciphertext and MIC
    (1, "0f05", b"\x06", "9fcda7f448"),
    (0, "0705", b"\x06", "a34c13a415"),
    (1, "0e1f", PLAIN_1, "7a70d66415226df26b17839a060405596bd6564f796b5b9ce6ff32f75a6d33"),
    (0, "061f", PLAIN_2, "f38881e7bd94c9c369b9a66846dd4786aa8c39ce540d0dae3adcdf89b96088"),
]


def ciphers() -> dict[int, LinkCipher]:
    key = session_key(LTK, SKD_C + SKD_P)
    return {direction: LinkCipher(key, IV_C + IV_P, direction) for direction in (0, 1)}


def test_session_key_sample() -> None:
    expected = bytes.fromhex("99AD1B5226A37E3E058E3B8E27C2C666")
    assert session_key(LTK, SKD_C + SKD_P)[::-1] == expected


def test_packets_of_the_sample_in_both_directions() -> None:
    """Counters run per direction: each packet below is the next of its own."""
    send, receive = ciphers(), ciphers()
    for direction, header, plain, coded in SAMPLES:
        first, length = bytes.fromhex(header)
        assert send[direction].encrypt(first, plain).hex() == coded
        assert length == len(coded) // 2
        assert receive[direction].decrypt(first, bytes.fromhex(coded)) == plain


@pytest.mark.parametrize("bits", [0x04, 0x08, 0x10, 0x1C])
def test_a_retransmission_may_change_nesn_sn_and_md(bits: int) -> None:
    """Vol 6 Part E, 2.1: those bits are masked out of the authenticated header."""
    assert ciphers()[1].decrypt(0x0F ^ bits, bytes.fromhex("9fcda7f448")) == b"\x06"


@pytest.mark.parametrize(
    ("direction", "header", "coded"),
    [
        (0, 0x0F, "9fcda7f448"),  # the other direction
        (1, 0x0E, "9fcda7f448"),  # another LLID
        (1, 0x0F, "9fcda7f449"),  # one bit of the MIC
        (1, 0x0F, "9ecda7f448"),  # one bit of the text
        (1, 0x0F, "9fcda7"),  # shorter than a MIC
        (1, 0x0F, ""),
    ],
)
def test_wrong_mic(direction: int, header: int, coded: str) -> None:
    assert ciphers()[direction].decrypt(header, bytes.fromhex(coded)) is None


def test_a_lost_packet_counter_is_a_wrong_mic() -> None:
    receiver = ciphers()[1]
    receiver.counter = 1
    assert receiver.decrypt(0x0F, bytes.fromhex("9fcda7f448")) is None
