"""What reading management frames and data frames has in common: values with their nodes, and taking protection off.

IEEE 802.11-2020 12.5.3.2 and 12.5.5.2 (the header of a protected frame). Which frame stands behind is decided in
`frame.py` and `data_frame.py`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.fixed import fixed
from protocols.layout import Node
from protocols.wifi_aware import parts, protection
from protocols.wifi_aware.header import CIPHER, CIPHER_HEADER

if TYPE_CHECKING:
    from protocols.format import Reader
    from protocols.layout import Codec
    from protocols.wifi_aware.protection import Opened

__all__ = ["MAC_HEADER", "UNOPENED", "noted", "opened", "packet_number", "protection_of"]

MAC_HEADER = "IEEE 802.11-2020 9.2.4"
UNOPENED = "no key of the context opens this frame"
_SOURCE = "IEEE 802.11-2020 12.5.3.2"


def packet_number(data: bytes, body: int) -> int:
    """The number that is split around the key ID of the cipher header at `body`."""
    return int.from_bytes(data[body : body + 2] + data[body + 4 : body + 8], "little")


def opened(reader: Reader, start: int, body: int, end: int) -> Opened | None:
    """The plaintext of an encrypted frame; None without keys, or (a fault) when none of them opens it."""
    if not protection.has_keys(reader.keys):
        return None
    data, sealed = reader.data, body + CIPHER_HEADER
    found = protection.open_body(
        reader.keys, data[start:body], packet_number(data, body), data[sealed:end]
    )
    if found is None and not reader.keys.flag(protection.UNOPENED):
        reader.fault("mic", sealed, UNOPENED, "octets")
    return found


def protection_of(reader: Reader, body: int, found: Opened) -> dict[str, Any]:
    """Values of the cipher header at `body`, whose nodes go to the tree."""
    data, end = reader.data, body + CIPHER_HEADER
    group = ("protection", f"opened with key {found.tk_number}, {found.cipher}")
    values = noted(reader, CIPHER, data, body, end, _SOURCE, group)
    number = packet_number(data, body)
    reader.note("packet_number", number, body, end, source=_SOURCE)
    return values | {
        "packet_number": number,
        "cipher": found.cipher,
        "tk_number": found.tk_number,
    }


def noted(
    reader: Reader,
    codec: Codec,
    data: bytes,
    start: int,
    end: int,
    source: str,
    group: tuple[str, str | None] | None = None,
    *,
    deep: bool = True,
) -> dict[str, Any]:
    """Values of the octets from `start` to `end`; their nodes go to the tree, in one node when `group` names it.

    Not `deep`: the values alone, the fast way when the record has one.
    """
    fast = None if deep else fixed(codec)
    if fast is not None:
        return fast.read(data, start)
    nodes = reader.walk.nodes
    first = len(nodes)
    values = reader.read(codec, data[start:end], base=start)
    told = parts.told(tuple(nodes[first:]), source)
    del nodes[first:]
    if group is None:
        nodes.extend(told)
    else:
        nodes.append(Node(group[0], None, None, start, end, told, group[1], None, source))
    return values
