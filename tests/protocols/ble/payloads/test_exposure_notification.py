"""Exposure Notification: derivations, what an encoder can make itself, keys that do not fit."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from protocols.ble.payloads.exposure_notification import rolling_proximity_id
from protocols.dissect import Block, Dissection, dissect, encode
from protocols.errors import EncodeError, UsageError

NAME = "exposure-notification"
# Origin: google/exposure-notifications-internals, test vectors: daily key, interval, identifier, metadata.
KEY = "75c734c6dd1a782de7a965da5eb93125"
INTERVAL = 2642976
IDENTIFIER = "8be6cd371c5c891604bfbe49df845096"
CIPHERTEXT, METADATA = "72033874", "40080000"
KEYED = {"temporary_exposure_key": KEY, "interval_number": INTERVAL}
OPENED = {
    "rolling_proximity_id": IDENTIFIER,
    "encrypted_metadata": CIPHERTEXT,
    "metadata": METADATA,
    "metadata_version": "1.0",
    "tx_power_dbm": 8,
}


def decode(hex_: str, context: dict[str, Any] | None = None) -> Dissection:
    block = Block(kind="service_data", data=bytes.fromhex(hex_), service_uuid="fd6f")
    return dissect(block, context)


@pytest.mark.parametrize("size", [0, 19, 21])
def test_only_20_octets(size: int) -> None:
    found = decode("00" * size, KEYED)
    assert found.error is not None
    assert (found.error.code, found.error.offset) == ("frame_length", None)
    assert found.plain == {}


def test_without_a_key_the_metadata_stay_closed() -> None:
    expected = {"rolling_proximity_id": IDENTIFIER, "encrypted_metadata": CIPHERTEXT}
    assert decode(IDENTIFIER + CIPHERTEXT).plain == expected
    assert decode(IDENTIFIER + CIPHERTEXT, {"interval_number": INTERVAL}).plain == expected


def test_the_key_alone_opens_the_metadata() -> None:
    """The counter block is the identifier as sent; the interval is needed only to check it."""
    found = decode(IDENTIFIER + CIPHERTEXT, {"temporary_exposure_key": KEY})
    assert found.plain == OPENED
    sealed = next(node for node in found.tree if node.name == "encrypted_metadata")
    assert [(n.name, n.start, n.end) for n in sealed.children if n.bits is None] == [
        ("tx_power_dbm", 17, 18),
        ("reserved_2", 18, 20),
    ]


def test_an_identifier_that_does_not_fit_is_said_and_is_no_error() -> None:
    assert decode(IDENTIFIER + CIPHERTEXT, KEYED).plain == {**OPENED, "key_fits": True}
    for context in (
        {**KEYED, "interval_number": INTERVAL + 1},
        {**KEYED, "temporary_exposure_key": "00" * 16},
    ):
        found = decode(IDENTIFIER + CIPHERTEXT, context)
        assert found.error is None
        assert found.plain["key_fits"] is False
        again = encode(NAME, found.plain, context)
        assert again.hex() == IDENTIFIER + CIPHERTEXT


def test_identifier_known_answer() -> None:
    assert rolling_proximity_id(bytes.fromhex(KEY), INTERVAL).hex() == IDENTIFIER


@pytest.mark.parametrize(
    "fields",
    [
        {"metadata": METADATA},
        {"metadata_version": "1.0", "tx_power_dbm": 8},
        {"encrypted_metadata": CIPHERTEXT},
        {"rolling_proximity_id": IDENTIFIER, "metadata": METADATA},
        {"encrypted_metadata": "00000000", "metadata": METADATA},
    ],
)
def test_encoder_makes_what_the_key_determines(fields: dict[str, Any]) -> None:
    """Metadata in clear win over an old ciphertext."""
    assert encode(NAME, fields, KEYED).hex() == IDENTIFIER + CIPHERTEXT


def test_reserved_metadata_are_kept() -> None:
    data = encode(NAME, {"metadata": "5ff601ff"}, KEYED)
    plain = decode(data.hex(), KEYED).plain
    found = plain["metadata"], plain["metadata_version"], plain["tx_power_dbm"]
    assert found == ("5ff601ff", "1.1", -10)


@pytest.mark.parametrize(
    ("fields", "context", "path"),
    [
        ({}, {}, "rolling_proximity_id"),
        ({}, KEYED, "encrypted_metadata"),
        ({"rolling_proximity_id": IDENTIFIER}, {}, "encrypted_metadata"),
        ({"metadata": METADATA}, {"temporary_exposure_key": KEY}, "rolling_proximity_id"),
        (
            {"rolling_proximity_id": IDENTIFIER, "metadata": METADATA},
            {},
            "context.temporary_exposure_key",
        ),
        (
            {"rolling_proximity_id": "00" * 15, "encrypted_metadata": "00" * 4},
            {},
            "rolling_proximity_id",
        ),
        ({"metadata": "00"}, KEYED, "metadata"),
        ({"metadata": METADATA, "tx_power_dbm": 9}, KEYED, "tx_power_dbm"),
        ({"metadata": METADATA, "metadata_version": "2.0"}, KEYED, "metadata_version"),
        ({"metadata_version": "1.0"}, KEYED, "tx_power_dbm"),
        ({"tx_power_dbm": 8}, KEYED, "metadata_version"),
        ({"metadata_version": "4.0", "tx_power_dbm": 8}, KEYED, "metadata_version"),
        ({"metadata_version": "1", "tx_power_dbm": 8}, KEYED, "metadata_version"),
        ({"metadata_version": "01.0", "tx_power_dbm": 8}, KEYED, "metadata_version"),
        ({"metadata_version": "1.0", "tx_power_dbm": 128}, KEYED, "tx_power_dbm"),
    ],
)
def test_what_cannot_be_sent(fields: dict[str, Any], context: dict[str, Any], path: str) -> None:
    with pytest.raises(EncodeError) as caught:
        encode(NAME, fields, context)
    assert caught.value.path == path


@pytest.mark.parametrize("number", [-1, 1 << 32])
def test_interval_number_has_32_bits(number: int) -> None:
    with pytest.raises(UsageError, match="interval_number"):
        decode(IDENTIFIER + CIPHERTEXT, {**KEYED, "interval_number": number})


def test_cryptography_is_imported_only_for_a_key() -> None:
    """Decoding without a key must start fast; own process, because other tests have imported it."""
    script = (
        "import sys\n"
        "from protocols.dissect import Block, dissect\n"
        "for kind, key, size in (('service_data', 'fd6f', 20), ('manufacturer_data', '004c', 24)):\n"
        "    data = bytes.fromhex('1136').ljust(size, b'0')\n"
        "    block = Block(kind=kind, data=data, service_uuid=key, company_id=key)\n"
        "    assert dissect(block).fields is not None\n"
        "assert 'cryptography' not in sys.modules\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
