"""The identity key in a protected follow-up: its Shared Key Descriptor, built and read.

Wi-Fi Aware 4.0, pairing; digest of pairing, section 7 and rows 5 to 7 and 13 of section 12, as in hostap
src/nan/nan_pairing.c. Reading raises `NikError`, nothing else. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from protocols.errors import DecodeError, RemoteProtocolError
from protocols.wifi_aware import key_data
from protocols.wifi_aware.attributes import make, shared_key_descriptor
from protocols.wifi_aware.attributes.shared_key_descriptor import SharedKeyDescriptor
from protocols.wifi_aware.key_data import Bigtk, Igtk, KeyLifetime, Nik, OtherKde
from protocols.wifi_aware.station import NIK, OWN_KEY_IDS
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.key_data import Kde
    from protocols.wifi_aware.keys import Suite
    from protocols.wifi_aware.pairing_settings import PairingSettings

__all__ = ["LIFETIME_NIK", "GroupKey", "NikError", "Received", "build", "read"]

LIFETIME_NIK = 0x0008
"""Bit of the lifetime KDE."""
_IMPLAUSIBLE_S = 10**9
"""30 years: the lifetime came in the order of the sender's processor."""
_SELECTOR = 6
_WFA = "506f9a"
_WFA_TYPES = {"igtk": 2, "bigtk": 3}
_IEEE: dict[str, type[Igtk | Bigtk]] = {"igtk": Igtk, "bigtk": Bigtk}


class NikError(RemoteProtocolError):
    """A key descriptor that gives no identity key."""


class GroupKey(NamedTuple):
    """A group key beside the identity key."""

    key_type: str
    """`igtk` or `bigtk`."""
    key_id: int
    packet_number: int
    key: bytes


class Received(NamedTuple):
    """What a peer's follow-up holds."""

    nik: bytes
    cipher_version: int
    lifetime_s: int | None
    group_keys: tuple[GroupKey, ...]


def build(
    settings: PairingSettings,
    suite: Suite,
    kek: bytes,
    handle: int,
    nik: bytes,
    group_keys: Mapping[str, bytes],
) -> Attr:
    """The SKDA with the own identity key; `handle`: own instance, `group_keys`: by `igtk`, `bigtk`."""
    info = settings.nik_key_information
    kdes = [Nik(cipher_version=0, nik=nik.hex()), *_lifetime(settings)]
    kdes += _group_kdes(settings.group_keys, group_keys)
    wrapped = key_data.wrap(kek, key_data.padded(key_data.encode(kdes)))
    return make(
        SharedKeyDescriptor(
            publish_id=handle,
            descriptor_type=2,
            key_version=info & 7,
            key_pairwise=bool(info & 0x0008),
            reserved_4=info >> 4 & 3,
            key_install=bool(info & 0x0040),
            key_ack=bool(info & 0x0080),
            key_mic=bool(info & 0x0100),
            key_secure=bool(info & 0x0200),
            key_error=bool(info & 0x0400),
            key_request=bool(info & 0x0800),
            key_data_encrypted=bool(info & 0x1000),
            reserved_13=info >> 13 & 7,
            key_length=suite.tk,
            replay_counter=0,
            nonce="00" * 32,
            iv="00" * 16,
            key_rsc=0,
            key_id="00" * 8,
            mic="00" * settings.nik_mic_octets,
            key_data=wrapped.hex(),
        )
    )


def _lifetime(settings: PairingSettings) -> Iterator[Kde]:
    if settings.lifetime_s is not None:
        seconds = settings.lifetime_s
        if settings.lifetime_little_endian:
            seconds = _turned(seconds)
        yield KeyLifetime(keys=LIFETIME_NIK, lifetime_s=seconds)


def _turned(number: int) -> int:
    return int.from_bytes(number.to_bytes(4, "big"), "little")


def _group_kdes(form: str, group_keys: Mapping[str, bytes]) -> Iterator[Kde]:
    for name, key in group_keys.items() if form != "none" else ():
        number = OWN_KEY_IDS[name]
        kde = _IEEE[name](key_id=number, packet_number=number, key=key.hex())
        if form == "ieee":
            yield kde
        else:
            octets = key_data.encode((kde,))[_SELECTOR:].hex()
            yield OtherKde(oui=_WFA, type=_WFA_TYPES[name], octets=octets)


def read(attr: Attr, kek: bytes, settings: PairingSettings) -> Received:
    """What a peer's SKDA holds. Raises NikError that names the check."""
    try:
        found = shared_key_descriptor.read(attr.octets, kek=kek)
    except DecodeError as exc:
        raise NikError(f"key descriptor: {exc}") from exc
    if settings.require_pairwise_bit and not found.key_pairwise:
        raise NikError("key descriptor: pairwise bit is clear")
    if found.mic and not settings.accept_nik_mic:
        raise NikError(f"key descriptor: MIC field of {len(found.mic) // 2} octets")
    if not found.key_data_encrypted or found.kdes is UNSET:
        raise NikError("key descriptor: key data are not encrypted")
    nik = next((kde for kde in found.kdes if isinstance(kde, Nik)), None)
    if nik is None or nik.cipher_version != 0 or len(nik.nik) != 2 * NIK:
        raise NikError("no identity key of cipher version 0")
    lifetime = _read_lifetime(found.kdes)
    if lifetime is None and settings.requires_lifetime:
        raise NikError("no lifetime of the identity key")
    return Received(
        bytes.fromhex(nik.nik), nik.cipher_version, lifetime, tuple(_read_group_keys(found.kdes))
    )


def _read_lifetime(kdes: list[Kde]) -> int | None:
    """Seconds for the identity key; a value that makes no sense is taken in the other byte order."""
    for kde in kdes:
        if isinstance(kde, KeyLifetime) and kde.keys & LIFETIME_NIK:
            turned = _turned(kde.lifetime_s)
            return turned if turned < _IMPLAUSIBLE_S < kde.lifetime_s else kde.lifetime_s
    return None


def _read_group_keys(kdes: list[Kde]) -> Iterator[GroupKey]:
    by_type = {number: name for name, number in _WFA_TYPES.items()}
    for kde in kdes:
        if isinstance(kde, Igtk | Bigtk):
            name = "igtk" if isinstance(kde, Igtk) else "bigtk"
            yield GroupKey(name, kde.key_id, kde.packet_number, bytes.fromhex(kde.key))
        elif isinstance(kde, OtherKde) and kde.oui == _WFA and kde.type in by_type:
            octets = bytes.fromhex(kde.octets)
            number, packets = octets[:2], octets[2:8]
            yield GroupKey(
                by_type[kde.type],
                int.from_bytes(number, "little"),
                int.from_bytes(packets, "little"),
                octets[8:],
            )
