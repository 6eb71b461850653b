"""Which writer a name means, and what files that are no capture are told to be."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from protocols.capture import formats, writer_for
from protocols.errors import UnknownNameError, UsageError
from tests.protocols.capture.samples import PCAP, read

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("pcap", "pcap"),
        (".pcapng", "pcapng"),
        ("BTSNOOP", "btsnoop"),
        ("out/a.b.PCAP", "pcap"),
        ("x.cap", "pcap"),
        ("x.btsnoop", "btsnoop"),
        ("pcap.pcapng", "pcapng"),
    ],
)
def test_writer_is_found_by_name_suffix_or_file_name(name: str, expected: str) -> None:
    assert writer_for(name) is formats()[expected].writer


@pytest.mark.parametrize("name", ["x.pcapgn", "pcapx", "", "notes.txt"])
def test_unknown_suffix_offers_the_known_ones(name: str) -> None:
    with pytest.raises(UnknownNameError, match=r"\.pcap"):
        writer_for(name)


def _png() -> bytes:
    return b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: b"", "the file is empty"),
        (lambda: gzip.compress(PCAP.whole), "gzip; unpack it first"),
        (_png, "PNG picture"),
        (lambda: b"PK\x03\x04rest", "ZIP archive"),
        (lambda: b"snoop\x00\x00\x00\x00\x00\x00\x02", "Solaris snoop"),
        (lambda: b"btsnoop\x01", "begins like btsnoop"),
        (lambda: b'  {"kind": "ad"}', "JSON"),
        (lambda: b"<?xml version='1.0'?>", "XML"),
        (lambda: "Paket eins: größer\n".encode(), "looks like text"),
        (lambda: b"x" * 511 + "ü".encode(), "looks like text"),
        (lambda: b"d4c3b2a1 as hex\n", "looks like text"),
        (lambda: bytes(600), "first 512 octets are zero"),
        (lambda: b"\x01\x02\x03", "begins with 01 02 03"),
        (lambda: b"ab\xff\xfecd", "begins with 61 62 ff fe 63 64"),
        (lambda: b"abc\xc3(def", "begins with 61 62 63 c3 28"),
    ],
)
def test_other_files_are_refused_by_what_they_look_like(
    make: Callable[[], bytes], words: str
) -> None:
    with pytest.raises(UsageError, match=r"^some\.log: ") as caught:
        read(make(), "some.log")
    assert words in str(caught.value)
    assert caught.value.exit_status == 2
