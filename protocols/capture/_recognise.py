"""What a file that is no capture looks like, for the sentence that refuses it."""

from __future__ import annotations

from typing import Final

__all__ = ["describe"]

_UNPACK = "unpack it first"
_CONVERT = "convert it with Wireshark's editcap -F pcapng"

# leading octets -> what it is and what to do
SIGNATURES: Final[tuple[tuple[bytes, str], ...]] = (
    (b"\x1f\x8b", f"it looks like gzip; {_UNPACK} (gunzip)"),
    (b"\x28\xb5\x2f\xfd", f"it looks like Zstandard; {_UNPACK} (unzstd)"),
    (b"\xfd7zXZ\x00", f"it looks like xz; {_UNPACK} (unxz)"),
    (b"BZh", f"it looks like bzip2; {_UNPACK} (bunzip2)"),
    (b"\x04\x22\x4d\x18", f"it looks like LZ4; {_UNPACK} (unlz4)"),
    (b"PK\x03\x04", f"it looks like a ZIP archive (an Android bug report is one); {_UNPACK}"),
    (b'{"seq":', "it looks like the trace of a run (--jsonl); `nearbench explain` reads it"),
    (b"\x89PNG\r\n\x1a\n", "it looks like a PNG picture"),
    (b"\xff\xd8\xff", "it looks like a JPEG picture"),
    (b"GIF8", "it looks like a GIF picture"),
    (b"%PDF-", "it looks like a PDF document"),
    (b"\x7fELF", "it looks like a program (ELF)"),
    (b"SQLite format 3\x00", "it looks like an SQLite database"),
    (b"snoop\x00\x00\x00", f"it looks like a Solaris snoop capture; {_CONVERT}"),
    (b"btsnoop", "it begins like btsnoop, but its identification is damaged"),
    (b"\xff\xfe", "it looks like UTF-16 text"),
    (b"\xfe\xff", "it looks like UTF-16 text"),
    (b"\xef\xbb\xbf", "it looks like text"),
)
_TEXT_STARTS: Final = {"{": "JSON", "[": "JSON", "<": "XML or HTML"}
_SHOWN_OCTETS = 8
_LONGEST_UTF8 = 4


def describe(head: bytes) -> str:
    """What `head`, the first octets of a file, looks like: half a sentence."""
    for magic, looks in SIGNATURES:
        if head.startswith(magic):
            return looks
    text = _as_text(head)
    if text is not None:
        kind = _TEXT_STARTS.get(text.lstrip()[:1], "text")
        return f"it looks like {kind}"
    if not any(head):
        return f"its first {len(head)} octets are zero"
    return f"it begins with {head[:_SHOWN_OCTETS].hex(' ')}, which no known format does"


def _as_text(head: bytes) -> str | None:
    """`head` as text, None when it is binary; a character cut at its end does not matter."""
    try:
        text = head.decode()
    except UnicodeDecodeError as error:
        if error.start < len(head) - _LONGEST_UTF8 + 1 or error.reason != "unexpected end of data":
            return None
        text = head[: error.start].decode()
    if all(character.isprintable() or character in "\t\r\n\f" for character in text):
        return text
    return None
