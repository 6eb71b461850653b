"""Encrypted frames: opened and sealed again with the keys of the recordings, refused with any other."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocols.dissect import Block, dissect, encode
from protocols.errors import EncodeError, UsageError
from protocols.format import Keys
from protocols.wifi_aware import frames as kinds
from protocols.wifi_aware import protection
from protocols.wifi_aware.frame import build, read
from tests.protocols.wifi_aware.recordings import frames, secrets

SEALED = [frame for frame in frames() if frame.kind == "ACTION-ENCRYPTED"]
ONE = next(f for f in SEALED if f.file.endswith("pair-sae-ccmp128-encrypted-followup"))


def keys_of(frame):
    return [*secrets(frame.file, "nm_tk"), *secrets(frame.file, "ndp_tk")]


def dissected(data, **context) -> Any:
    return dissect(Block(kind="frame", data=data), context)


def test_there_are_recordings():
    assert len(SEALED) == 17


@pytest.mark.parametrize("frame", SEALED, ids=lambda f: f"{f.file[11:]}-{f.n}")
def test_a_recorded_frame_opens_and_is_sealed_again(frame):
    keys = keys_of(frame)
    found = dissected(frame.data, tk=keys)
    assert found.error is None
    cipher = "gcmp_256" if "gcmp256" in frame.file else "ccmp_128"
    assert (found.fields.cipher, found.fields.category) == (cipher, 9)
    assert encode("frame", json.loads(json.dumps(found.plain)), {"tk": keys}) == frame.data


@pytest.mark.parametrize(
    "frame",
    [f for f in SEALED if "followup" in f.file],
    ids=lambda f: f"{f.file[11:]}-{f.n}",
)
def test_the_plaintext_is_that_of_the_recording(frame):
    """hostap notes each frame before encryption and after decryption (Protected bit cleared)."""
    noted = secrets(frame.file, "rx_after_decryption")
    noted += secrets(frame.file, "tx_plaintext_before_encryption")
    opened = dissected(frame.data, tk=keys_of(frame)).fields
    tag = 16 if opened.cipher == "gcmp_256" else 8
    body = opened.shown_octets(frame.data)[32:-tag]
    assert any(bytes.fromhex(text)[24:] == body for text in noted)


def test_without_a_key_it_stays_sealed():
    found = dissected(ONE.data)
    assert isinstance(found.fields, kinds.Protected)
    assert found.error is None
    assert encode("frame", found.plain, {"tk": keys_of(ONE)}) == ONE.data


@pytest.mark.parametrize("key", ["00" * 16, "00" * 32, ["00" * 16, "11" * 32]])
def test_a_wrong_key_is_a_mic_fault(key):
    found = dissected(ONE.data, tk=key)
    assert (found.error.code, found.error.offset, found.error.path) == ("mic", 32, "octets")
    assert found.plain["frame"] == "protected"  # what a lenient reader has


@pytest.mark.parametrize("at", [4, 10, 16, 22, 24, 28, 32, 100, -1])
def test_a_changed_octet_is_a_mic_fault(at):
    """Addresses, fragment number, packet number, ciphertext and tag are all proven."""
    data = bytearray(ONE.data)
    data[at] ^= 0x01
    found = dissected(bytes(data), tk=keys_of(ONE))
    assert found.error is not None
    assert found.error.code == "mic"


@pytest.mark.parametrize(("at", "bit"), [(1, 0x08), (1, 0x10), (1, 0x20), (2, 0x01), (22, 0x10)])
def test_what_changes_on_the_way_is_not_proven(at, bit):
    """Retry, power management, more data, duration and sequence number are no additional data."""
    data = bytearray(ONE.data)
    data[at] ^= bit
    found = dissected(bytes(data), tk=keys_of(ONE))
    assert found.error is None
    assert encode("frame", found.plain, {"tk": keys_of(ONE)}) == data


def test_the_right_one_of_several_keys_is_named():
    keys = ["22" * 16, *keys_of(ONE)]
    found = dissected(ONE.data, tk=keys)
    assert found.fields.tk_number == 1
    assert encode("frame", found.plain, {"tk": keys}) == ONE.data
    assert encode("frame", found.plain, {"tk": ",".join(keys)}) == ONE.data


def test_an_edited_frame_is_sealed_and_opens_with_the_edit():
    keys = {"tk": keys_of(ONE)}
    plain = dissected(ONE.data, **keys).plain
    plain["packet_number"] = 77
    plain["attributes"][0]["instance_id"] = 9
    again = encode("frame", plain, keys)
    assert again != ONE.data
    opened = dissected(again, **keys)
    assert opened.error is None
    assert (opened.fields.packet_number, opened.fields.first("service_descriptor").instance_id) == (
        77,
        9,
    )


@pytest.mark.parametrize("cipher", sorted(protection.CIPHERS))
def test_every_cipher_seals_and_opens(cipher):
    key = bytes(range(protection.CIPHERS[cipher].key))
    frame = kinds.Action(
        destination="02:00:5e:10:a0:01", source="02:00:5e:20:b0:01", bssid="50:6f:9a:01:4d:21", sequence_number=5,
        protected=True, packet_number=0x010203040506, key_id=0, cipher=cipher, octets="7f0102",
    )  # fmt: skip
    keys = Keys({"tk": key.hex()})
    data = build(frame, keys)
    assert len(data) == 24 + 8 + 3 + protection.CIPHERS[cipher].tag
    assert data[24:32].hex() == "0605002004030201"
    assert read(data, keys=keys) == frame


@pytest.mark.parametrize("context", [{}, {"tk": "00" * 32}])
def test_sealing_without_the_right_key_is_refused(context):
    plain = dissected(ONE.data, tk=keys_of(ONE)).plain
    with pytest.raises(EncodeError) as caught:
        encode("frame", plain, context)
    assert caught.value.path == "context.tk"


def test_a_key_of_another_length_is_a_usage_error():
    with pytest.raises(UsageError, match="16 or 32"):
        dissected(ONE.data, tk="00" * 20)


def test_too_few_octets_for_a_tag():
    found = dissected(ONE.data[:36], tk=keys_of(ONE))
    assert (found.error.code, found.error.offset) == ("mic", 32)
