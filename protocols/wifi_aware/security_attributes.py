"""The two attributes that say how a service is secured: cipher suites (CSIA) and the keys both know (SCIA).

Wi-Fi Aware 4.0, Cipher Suite Information and Security Context Information; digest 3.5 and of pairing 9.2. They stand in
service discovery frames, in PASN and in the messages of a data path. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.attributes import make
from protocols.wifi_aware.attributes.cipher_suite_information import (
    CipherSuite,
    CipherSuiteInformation,
)
from protocols.wifi_aware.attributes.security_context_information import (
    SecurityContext,
    SecurityContextInformation,
)

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes import Attr

__all__ = ["ND_PMKID", "csia_of", "scia_of"]

ND_PMKID = 1
"""Type of a security context."""


def csia_of(capabilities: int, publish_id: int, *suites: int) -> Attr:
    """CSIA of one instance, with the Capabilities octet of the device; a subscriber puts its own instance (hostap)."""
    return make(
        CipherSuiteInformation(
            pairwise_replay_counters=capabilities & 1,
            group_support=capabilities >> 1 & 3,
            group_replay_counters=capabilities >> 3 & 1,
            group_management_cipher=capabilities >> 4 & 1,
            reserved_5=capabilities >> 5,
            suites=[CipherSuite(suite=suite, publish_id=publish_id) for suite in suites],
        )
    )


def scia_of(publish_id: int, pmkid: bytes) -> Attr:
    """SCIA with one ND-PMKID (16 octets)."""
    context = SecurityContext(type=ND_PMKID, publish_id=publish_id, identifier=pmkid.hex())
    return make(SecurityContextInformation(contexts=[context]))
