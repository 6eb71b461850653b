"""RSNE (48): the suites that a pairing uses, and who must protect management frames.

IEEE 802.11-2020 9.4.2.24. Everything behind the version may be missing from some field on; what is missing is
UNSET. A count of PMKIDs that is zero is an empty list. In NAN pairing verification the PMKID is the NPKID: nonce
and tag of the sender's NIRA. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.format import Example
from protocols.layout import U16LE, Flags, Hex, Mapped, Optional, Record, Records
from protocols.layout import Body as Prefixed
from protocols.wifi_aware.elements import ElementPart
from protocols.wifi_aware.suites import AKMS, CIPHERS, Suite, SuiteText
from protocols.wifi_aware.vocabulary import (
    UNSET,
    Body,
    Hex16,
    Int1,
    Int2,
    Int16,
    UnsetType,
    Words,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

KEY = "30"
_COUNTERS = {
    0: "1 replay counter",
    1: "2 replay counters",
    2: "4 replay counters",
    3: "16 replay counters",
}
_CODE = "element_length"


class RsnCapabilities(Body, frozen=True, kw_only=True):
    """RSN Capabilities."""

    preauthentication: bool
    no_pairwise: bool
    ptksa_replay_counters: Int2
    """0, 1, 2, 3: 1, 2, 4, 16 counters."""
    gtksa_replay_counters: Int2
    mfp_required: bool
    """NAN pairing needs both MFP bits."""
    mfp_capable: bool
    joint_multi_band_rsna: bool
    peerkey_enabled: bool
    spp_amsdu_capable: bool
    spp_amsdu_required: bool
    pbac: bool
    extended_key_id: bool
    ocvc: bool
    reserved_15: Int1 = 0


class Rsne(Body, frozen=True, kw_only=True):
    """Robust Security Network element."""

    version: Int16
    group_data_cipher: SuiteText | UnsetType = UNSET
    pairwise_ciphers: list[SuiteText] | UnsetType = UNSET
    akms: list[SuiteText] | UnsetType = UNSET
    capabilities: RsnCapabilities | UnsetType = UNSET
    pmkids: list[Hex16] | UnsetType = UNSET
    group_management_cipher: SuiteText | UnsetType = UNSET


def _counted(item: Any, size: int, names: Mapping[str, str] | None = None) -> Any:
    """A list behind the number of its items, whose meaning is in `names`."""

    def octets(number: int) -> int:
        return number * size

    def number_of(octets_: int) -> int:
        return octets_ // size

    return Prefixed(
        Mapped(U16LE, octets, number_of),
        Records(item, _CODE, meaning=None if names is None else names.get),
        _CODE,
        called="count",
    )


_CAPABILITIES = Record(
    Flags(
        U16LE,
        preauthentication=0,
        no_pairwise=1,
        ptksa_replay_counters=(2, 2, Words(U16LE, _COUNTERS)),
        gtksa_replay_counters=(4, 2, Words(U16LE, _COUNTERS)),
        mfp_required=6,
        mfp_capable=7,
        joint_multi_band_rsna=8,
        peerkey_enabled=9,
        spp_amsdu_capable=10,
        spp_amsdu_required=11,
        pbac=12,
        extended_key_id=13,
        ocvc=14,
        reserved_15=(15, 1),
    )
)


def strategy() -> Any:
    """Valid values: nothing behind the first field that is missing."""
    from protocols.wifi_aware import strategies as draw  # tests only: hypothesis

    names = Rsne.__struct_fields__[1:]
    present = draw.members_of(Rsne)
    return draw.one_of(
        *(
            draw.fields_of(
                Rsne,
                **{name: present[name] for name in names[:count]},
                **dict.fromkeys(names[count:], draw.just(UNSET)),
            )
            for count in range(len(names) + 1)
        )
    )


ELEMENT = ElementPart(
    id=48,
    name="rsne",
    title="RSNE",
    source="IEEE 802.11-2020 9.4.2.24",
    fields=Rsne,
    layout=Record(
        "version" / U16LE,
        "group_data_cipher" / Optional(Suite(CIPHERS)),
        "pairwise_ciphers" / Optional(_counted(Suite(CIPHERS), 4, CIPHERS)),
        "akms" / Optional(_counted(Suite(AKMS), 4, AKMS)),
        "capabilities" / Optional(_CAPABILITIES),
        "pmkids" / Optional(_counted(Hex(16), 16)),
        "group_management_cipher" / Optional(Suite(CIPHERS)),
    ),
    minimum=2,
    strategy=strategy,
    examples=(
        Example(
            "0100000fac070100000fac040100000fac08c0000000000fac07",
            note="of Auth1 of a pairing with SAE and CCMP-128",
        ),
    ),
)
