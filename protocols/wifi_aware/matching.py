"""Who is meant, and who wins: service IDs, filters, identities, master ranks and cluster grades.

Wi-Fi Aware 4.0, service discovery and synchronisation; digest 2.26, 3.1, 3.3, 3.4, 4.3 and 4.7, as in hostap
src/common/nan_de.c and Linux mac80211_hwsim_nan.c. Octet strings and addresses are those of the typed fields: hex
text and `aa:bb:cc:dd:ee:ff`. Cryptography is imported inside the functions that need it. No clock, no randomness,
no IO.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from protocols.wifi_aware.attributes.service_descriptor import ResponseFilter

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution

__all__ = [
    "Rank",
    "address_filter",
    "answers",
    "bloom_bits",
    "bloom_filter",
    "cluster_grade",
    "filter_of",
    "is_better_cluster",
    "master_rank",
    "matches",
    "nira_tag",
    "rank_of",
    "resolve",
    "service_id",
]

HASHES = 4
"""Bits that one address sets in a Bloom filter."""
GRADE_TSF_BITS = 19
"""Low bits of a TSF that a cluster grade leaves out: one discovery window interval, 2**19 µs."""
_NIRA_LABEL = b"NIR"
_TAG = 8


def _octets(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))


# --- service IDs ----------------------------------------------------------------------------------


def service_id(name: str) -> str:
    """The Service ID of a name, 6 octets as hex; only A to Z are lower-cased (digest 3.1)."""
    import hashlib

    return hashlib.sha256(name.encode().lower()).hexdigest()[:12]


# --- matching filter ------------------------------------------------------------------------------


def filter_of(*elements: bytes) -> bytes:
    """A matching filter of elements; an empty one matches anything."""
    return b"".join(bytes((len(element),)) + element for element in elements)


def matches(publisher: bytes | None, subscriber: bytes | None) -> bool:
    """Whether two matching filters meet; None: that side has none (digest 3.3).

    One of them came in the frame, the other is the receiver's own. An element that is cut off meets nothing.
    """
    if subscriber is None:
        return True
    mine = _Elements(publisher)
    wanted = _Elements(subscriber)
    while (want := wanted.next()) is not None:
        have = mine.next()
        if wanted.broken or mine.broken:
            return False
        if publisher is not None and have is None:
            return False
        if want and have is None:
            return False
        if want and have and want != have:
            return False
    return True


class _Elements:
    """Elements of a filter, one after the other."""

    def __init__(self, data: bytes | None) -> None:
        self.data = data or b""
        self.at = 0
        self.broken = False

    def next(self) -> bytes | None:
        """The next element, None at the end; one that is cut off sets `broken`."""
        if self.at >= len(self.data):
            return None
        start = self.at + 1
        self.at = start + self.data[start - 1]
        self.broken = self.at > len(self.data)
        return self.data[start : self.at]


# --- service response filter ----------------------------------------------------------------------


def bloom_bits(address: str, index: int, octets: int) -> tuple[int, ...]:
    """The bits of an address in a Bloom filter of that many octets and that index, 0 to 3 (digest 3.4)."""
    return tuple(value % (8 * octets) for value in _hashes(address, index))


def _hashes(address: str, index: int) -> tuple[int, ...]:
    """16 bits per hash: a CRC-32 register that is not inverted at the end."""
    mac = _octets(address)
    first = HASHES * index
    return tuple(~zlib.crc32(bytes((k,)) + mac) & 0xFFFF for k in range(first, first + HASHES))


def bloom_filter(addresses: Iterable[str], index: int, octets: int) -> bytes:
    """A Bloom filter of that many octets that holds the addresses."""
    out = bytearray(octets)
    for address in addresses:
        for bit in bloom_bits(address, index, octets):
            out[bit // 8] |= 1 << bit % 8
    return bytes(out)


def address_filter(
    addresses: Sequence[str], *, include: bool, bloom_index: int | None = None, octets: int = 0
) -> ResponseFilter:
    """A service response filter for a Service Descriptor: a list of addresses, or with an index a Bloom filter."""
    if bloom_index is None:
        return ResponseFilter(
            bloom=False, include=include, bloom_index=0, addresses=list(addresses)
        )
    bits = bloom_filter(addresses, bloom_index, octets).hex()
    return ResponseFilter(bloom=True, include=include, bloom_index=bloom_index, bloom_filter=bits)


def answers(response_filter: ResponseFilter, nmi: str) -> bool:
    """Whether a device with that NMI is to answer. An empty Bloom filter says nothing: nobody answers (hostap)."""
    if not response_filter.bloom:
        addresses = response_filter.addresses
        return (addresses is not UNSET and nmi in addresses) == response_filter.include
    bloom = response_filter.bloom_filter
    data = b"" if bloom is UNSET else bytes.fromhex(bloom)
    if not data:
        return False
    bits = bloom_bits(nmi, response_filter.bloom_index, len(data))
    return all(data[bit // 8] >> bit % 8 & 1 for bit in bits) == response_filter.include


# --- identities -----------------------------------------------------------------------------------


def nira_tag(nik: bytes, nmi: str, nonce: bytes) -> bytes:
    """Tag of 8 octets that an identity key of 16 makes of an NMI and a nonce of 8 (digest 2.26)."""
    from cryptography.hazmat.primitives import hashes, hmac

    mac = hmac.HMAC(nik, hashes.SHA256())
    mac.update(_NIRA_LABEL + _octets(nmi) + nonce)
    return mac.finalize()[:_TAG]


def resolve(nira: IdentityResolution, nmi: str, niks: Iterable[bytes]) -> int | None:
    """Position in `niks` of the identity key that made the tag; None: a stranger, or another cipher version."""
    if nira.nonce is UNSET or nira.tag is UNSET:
        return None
    nonce, tag = bytes.fromhex(nira.nonce), bytes.fromhex(nira.tag)
    found = (at for at, nik in enumerate(niks) if nira_tag(nik, nmi, nonce) == tag)
    return next(found, None)


# --- ranks and grades -----------------------------------------------------------------------------


class Rank(NamedTuple):
    """What a master rank is made of, most important first."""

    master_preference: int
    random_factor: int
    address: str


def master_rank(preference: int, factor: int, address: str) -> int:
    """The 64-bit rank of a device, or of an anchor master as the Cluster attribute tells it (digest 4.3)."""
    octets = _octets(address) + bytes((factor, preference))
    return int.from_bytes(octets, "little")


def rank_of(rank: int) -> Rank:
    """The inverse of `master_rank`."""
    octets = rank.to_bytes(8, "little")
    return Rank(octets[7], octets[6], octets[:6].hex(":"))


def cluster_grade(preference: int, tsf_us: int) -> int:
    """Grade of a cluster: its anchor master's preference, then its age by discovery windows (digest 4.7)."""
    return preference << 64 | tsf_us >> GRADE_TSF_BITS << GRADE_TSF_BITS


def is_better_cluster(heard_grade: int, heard_rank: int, own_grade: int, own_rank: int) -> bool:
    """Whether the cluster heard is the one to join: by grade, at equal grades by anchor master rank."""
    return (heard_grade, heard_rank) > (own_grade, own_rank)
