"""Text between packets, as Wireshark's exported PDUs hold it."""

from __future__ import annotations

import pytest

from protocols.capture import text_of

SYSLOG = bytes.fromhex("000c0008 7379736c6f670000 00000000")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (SYSLOG + b"<14>ready: it answers", "ready: it answers"),
        (SYSLOG + b"no priority", "no priority"),
        (
            bytes.fromhex("0014 0004 0a000001") + SYSLOG + b"<0>after another tag",
            "after another tag",
        ),
        (bytes.fromhex("000c0004 68747470 00000000") + b"GET /", ""),
        (SYSLOG[:-4], ""),
        (SYSLOG[:5], ""),
        (b"", ""),
        (SYSLOG + b"<14>\x1b[2Jcleared\n", "[2Jcleared"),
    ],
)
def test_the_text_of_an_exported_pdu(data: bytes, text: str) -> None:
    assert text_of(252, data) == text


def test_other_packets_have_none() -> None:
    assert text_of(187, SYSLOG + b"<14>ready") == ""
