"""Names of security suites, groups and status codes that elements, attributes and Authentication frames share.

IEEE 802.11-2020 9.4.2.24 (cipher and AKM suites), 9.4.1.9 (status codes), 9.4.1.1 (Authentication algorithms),
9.4.1.42 and the IANA registry of IKE groups (finite cyclic groups). Tables and the suite selector; no clock, no
randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from msgspec import Meta

from protocols.layout import U16LE, Codec, Mapped, Octets
from protocols.wifi_aware.vocabulary import Words

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "AKMS",
    "ALGORITHMS",
    "CIPHERS",
    "COORDINATE",
    "GROUP",
    "GROUPS",
    "STATUS",
    "STATUSES",
    "Suite",
    "SuiteText",
]

SuiteText = Annotated[
    str,
    Meta(
        pattern=r"^([0-9a-f]{2}-){2}[0-9a-f]{2}:([0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$"
    ),
]
"""Suite selector as `00-0f-ac:4`: OUI, then the type as a decimal number."""

_IEEE = "00-0f-ac"
CIPHERS = {
    f"{_IEEE}:{number}": name
    for number, name in {
        0: "group cipher suite", 1: "WEP-40", 2: "TKIP", 4: "CCMP-128", 5: "WEP-104", 6: "BIP-CMAC-128",
        7: "group traffic not allowed", 8: "GCMP-128", 9: "GCMP-256", 10: "CCMP-256", 11: "BIP-GMAC-128",
        12: "BIP-GMAC-256", 13: "BIP-CMAC-256",
    }.items()
}  # fmt: skip
AKMS = {
    f"{_IEEE}:{number}": name
    for number, name in {
        1: "802.1X", 2: "PSK", 3: "FT over 802.1X", 4: "FT with PSK", 5: "802.1X with SHA-256",
        6: "PSK with SHA-256", 7: "TDLS", 8: "SAE", 9: "FT over SAE", 10: "AP peer key",
        11: "802.1X with SHA-256, Suite B", 12: "802.1X with SHA-384, CNSA", 13: "FT over 802.1X with SHA-384",
        14: "FILS with SHA-256", 15: "FILS with SHA-384", 16: "FT over FILS with SHA-256",
        17: "FT over FILS with SHA-384", 18: "OWE", 19: "FT with PSK and SHA-384", 20: "PSK with SHA-384",
        21: "PASN", 24: "SAE with the hash of its group", 25: "FT over SAE with the hash of its group",
    }.items()
}  # fmt: skip
GROUPS = {
    1: "MODP 768", 2: "MODP 1024", 5: "MODP 1536", 14: "MODP 2048", 15: "MODP 3072", 16: "MODP 4096",
    19: "P-256", 20: "P-384", 21: "P-521", 25: "P-192", 26: "P-224", 27: "brainpoolP224r1",
    28: "brainpoolP256r1", 29: "brainpoolP384r1", 30: "brainpoolP512r1",
}  # fmt: skip
COORDINATE = {19: 32, 20: 48, 21: 66, 25: 24, 26: 28, 27: 28, 28: 32, 29: 48, 30: 64}
"""Octets of a scalar, and of each coordinate of a point, on the elliptic-curve groups."""
ALGORITHMS = {
    0: "open", 1: "shared key", 2: "FT", 3: "SAE", 4: "FILS", 5: "FILS with PFS", 6: "FILS public key", 7: "PASN",
}  # fmt: skip
STATUSES = {
    0: "success", 1: "unspecified failure", 30: "refused for now, come back later", 37: "request declined",
    38: "invalid parameters", 39: "rejected, with suggested changes", 40: "invalid element",
    41: "invalid group cipher", 42: "invalid pairwise cipher", 43: "invalid AKM", 44: "unsupported RSNE version",
    45: "invalid RSN capabilities", 46: "cipher rejected by policy", 53: "invalid PMKID", 54: "invalid MDE",
    55: "invalid FTE", 72: "invalid RSNE", 76: "anti-clogging token required",
    77: "finite cyclic group not supported", 123: "unknown password identifier", 126: "SAE hash-to-element",
    127: "SAE public key", 136: "public key not allowed", 137: "PASN base AKM failed",
}  # fmt: skip
GROUP = Words(U16LE, GROUPS, "unknown group")
"""A finite cyclic group."""
STATUS = Words(U16LE, STATUSES, "another status")


def Suite(names: Mapping[str, str]) -> Codec:  # noqa: N802  # the vocabulary reads like types
    """A suite selector as text, with its meaning by `names` (CIPHERS or AKMS)."""
    return Mapped(Octets(4), _text, _octets, lambda text: names.get(text, "reserved"))


def _text(data: bytes) -> str:
    return f"{data[:3].hex('-')}:{data[3]}"


def _octets(text: str) -> bytes:
    oui, _, number = text.partition(":")
    return bytes.fromhex(oui.replace("-", "")) + bytes((int(number),))
