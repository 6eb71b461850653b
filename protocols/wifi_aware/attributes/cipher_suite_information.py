"""Cipher Suite Information, CSIA (0x22): how data paths and pairing of a service can be protected.

Wi-Fi Aware 4.0, Cipher Suite Information attribute; as in hostap src/nan/nan_sec.c. One entry at least, as hostap's
NAN parser wants it (its discovery engine also takes none). No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

from protocols.format import Example
from protocols.layout import U8, Flags, Record, Records
from protocols.wifi_aware.attributes import Attribute
from protocols.wifi_aware.vocabulary import Body, Int1, Int2, Int3, Int8, Words

ID = 0x22
SUITES = {
    0: "none (open)",
    1: "NCS-SK-128 (CCMP-128)",
    2: "NCS-SK-256 (GCMP-256)",
    3: "NCS-PK-2WDH-128",
    4: "NCS-PK-2WDH-256",
    5: "NCS-GTK-CCMP-128",
    6: "NCS-GTK-GCMP-256",
    7: "NCS-PK-PASN-128",
    8: "NCS-PK-PASN-256",
}
COUNTERS = {0: "4 replay counters", 1: "16 replay counters"}
GROUP_SUPPORT = {0: "none", 1: "GTK and IGTK", 2: "GTK, IGTK and BIGTK"}
GROUP_CIPHERS = {0: "BIP-CMAC-128", 1: "BIP-GMAC-256"}


class CipherSuite(Body, frozen=True, kw_only=True):
    """One suite for one service."""

    suite: Int8
    publish_id: Int8


class CipherSuiteInformation(Body, frozen=True, kw_only=True):
    """Suites on offer or in use."""

    pairwise_replay_counters: Int1
    """of ND-TKSA and NM-TKSA; 0: 4 counters, 1: 16."""
    group_support: Int2
    """0: none, 1: GTK and IGTK, 2: BIGTK too."""
    group_replay_counters: Int1
    """of the GTKSA; 0: 4 counters, 1: 16."""
    group_management_cipher: Int1
    """of IGTK and BIGTK; 0: BIP-CMAC-128, 1: BIP-GMAC-256."""
    reserved_5: Int3 = 0
    suites: list[CipherSuite]


def strategy() -> Any:
    """Valid values: one suite or more."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    some = draw.lists(draw.fields_of(CipherSuite), min_size=1, max_size=4)
    return draw.fields_of(CipherSuiteInformation, suites=some)


ATTRIBUTE = Attribute(
    id=ID,
    name="cipher_suite_information",
    title="Cipher Suite Information (CSIA)",
    source="Wi-Fi Aware 4.0, Cipher Suite Information attribute",
    fields=CipherSuiteInformation,
    layout=Record(
        Flags(
            U8,
            pairwise_replay_counters=(0, 1, Words(U8, COUNTERS)),
            group_support=(1, 2, Words(U8, GROUP_SUPPORT)),
            group_replay_counters=(3, 1, Words(U8, COUNTERS)),
            group_management_cipher=(4, 1, Words(U8, GROUP_CIPHERS)),
            reserved_5=(5, 3),
        ),
        "suites"
        / Records(
            Record(
                "suite" / Words(U8, SUITES),
                "publish_id" / Words(U8, {0: "not said"}, "service of that instance"),
            ),
            "attribute_length",
        ),
    ),
    minimum=3,
    strategy=strategy,
    examples=(
        Example("000101", note="NCS-SK-128 for service 1"),
        Example("0007010801", note="both PASN suites for service 1"),
    ),
)
