"""Eddystone frames (service data FEAA): the first octet chooses the frame.

Eddystone protocol specification, common elements; each frame's layout is in the file of its name. Keys are
not used here: see `eddystone-eid` and `eddystone-etlm`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.ble.payloads import (
    eddystone_eid,
    eddystone_etlm,
    eddystone_find_hub,
    eddystone_tlm,
    eddystone_uid,
    eddystone_url,
)
from protocols.ble.payloads.eddystone_eid import Eid, eid_frame
from protocols.ble.payloads.eddystone_etlm import Etlm, etlm_frame
from protocols.ble.payloads.eddystone_find_hub import FindHub
from protocols.ble.payloads.eddystone_tlm import Tlm, tlm_frame
from protocols.ble.payloads.eddystone_uid import Uid, uid_frame
from protocols.ble.payloads.eddystone_url import Url, url_frame
from protocols.errors import EncodeError
from protocols.format import UNSET, Example, Fields, Format, Keys, Reader

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["FORMAT", "KEYS", "eid_frame", "etlm_frame", "tlm_frame", "uid_frame", "url_frame"]

KEYS = ("service_data/feaa",)

_DECODERS: dict[int, Callable[[Reader], Fields]] = {
    0x0: eddystone_uid.decode,
    0x1: eddystone_url.decode,
    0x3: eddystone_eid.decode_frame,
    0x4: eddystone_find_hub.decode,
}
_TLM_DECODERS: dict[int, Callable[[Reader], Fields]] = {1: eddystone_etlm.decode_frame}
_ENCODERS: dict[type[Fields], Callable[[Any, Keys], bytes]] = {
    Uid: eddystone_uid.encode,
    Url: eddystone_url.encode,
    Tlm: eddystone_tlm.encode,
    Etlm: eddystone_etlm.encode_frame,
    FindHub: eddystone_find_hub.encode,
}


def decode(reader: Reader) -> Fields:
    """Codes: `frame_type` at 0 for types 5 to 15 and 42 to 4F; the others are those of each frame."""
    nibble = reader.select(1)[0] >> 4
    if nibble == 0x2:
        version = reader.select(2)[1]
        return _TLM_DECODERS.get(version, eddystone_tlm.decode)(reader)
    if nibble not in _DECODERS:
        reader.fatal("frame_type", 0, f"first octet {reader.data[0]:#04x} is no Eddystone frame")
    return _DECODERS[nibble](reader)


def encode(fields: Any, keys: Keys) -> bytes:
    """Octets of any of the frames; ephemeral ids and ciphertexts are taken from the fields, not computed."""
    if isinstance(fields, Eid):
        if fields.eid is UNSET:
            raise EncodeError("eid", "is missing; eddystone-eid computes it from the identity key")
        return eddystone_eid.encode(fields, keys)
    return _ENCODERS[type(fields)](fields, keys)


FORMAT = Format(
    name="eddystone",
    title="Eddystone: UID, URL, TLM, eTLM, EID, Find Hub",
    source="Eddystone protocol specification; Find Hub: accessory specification",
    fields=Uid | Url | Tlm | Etlm | Eid | FindHub,
    decode=decode,
    encode=encode,
    keys=KEYS,
    examples=(
        Example("00e3123456789012346789010000000000010000", note="UID"),
        Example("00f600000000000000000063000000000058", note="UID without RFU octets"),
        Example("10f6036d616b65636f6465002361626f7574", note="URL"),
        Example("20000b1847110000146700002ac4", note="TLM"),
        Example("2001414141414141414141414141deadbeff", note="TLM, encrypted"),
        Example("30e34549445f74657374", note="EID"),
        Example("40" + "a1" * 20 + "7f", note="Find Hub"),
    ),
)
