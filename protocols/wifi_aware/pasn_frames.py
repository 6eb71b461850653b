"""What the three PASN frames of a Wi-Fi Aware pairing are made of: elements, and the attributes of their NAN element.

IEEE 802.11az-2022, PASN; digest of pairing, sections 2, 3.5 and 12, as hostap builds them unless a setting says
otherwise. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware import attributes, elements
from protocols.wifi_aware.attributes import pairing_bootstrapping as npba_words
from protocols.wifi_aware.attributes.pairing_bootstrapping import PairingBootstrapping
from protocols.wifi_aware.bootstrapping_settings import complement
from protocols.wifi_aware.elements.mic import Mic
from protocols.wifi_aware.elements.nan import NanElement
from protocols.wifi_aware.elements.pasn_parameters import PasnParameters
from protocols.wifi_aware.elements.rsne import RsnCapabilities, Rsne
from protocols.wifi_aware.elements.rsnxe import RangingCapabilities, Rsnxe
from protocols.wifi_aware.elements.supported_groups import SupportedGroups
from protocols.wifi_aware.elements.wrapped_data import WrappedData
from protocols.wifi_aware.sae_messages import SaeMessage
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.elements import Element
    from protocols.wifi_aware.keys import Akm, Suite
    from protocols.wifi_aware.peers import Peer
    from protocols.wifi_aware.sae import Sae

__all__ = [
    "AKMS", "NO_GROUP_TRAFFIC", "PAIRWISE", "comeback", "commit", "confirm", "groups", "mic", "nan", "npba",
    "parameters", "response_to", "rsne", "rsnxe", "wrapped",
]  # fmt: skip

PAIRWISE = {"ccmp_128": "00-0f-ac:4", "gcmp_256": "00-0f-ac:9"}
AKMS: dict[Akm, str] = {"sae": "00-0f-ac:8", "pasn": "00-0f-ac:21"}
NO_GROUP_TRAFFIC = "00-0f-ac:7"
_FORMAT_SAE = 3
_PROTECTED = RsnCapabilities(
    preauthentication=False,
    no_pairwise=False,
    ptksa_replay_counters=0,
    gtksa_replay_counters=0,
    mfp_required=True,
    mfp_capable=True,
    joint_multi_band_rsna=False,
    peerkey_enabled=False,
    spp_amsdu_capable=False,
    spp_amsdu_required=False,
    pbac=False,
    extended_key_id=False,
    ocvc=False,
)


# --- elements -------------------------------------------------------------------------------------


def rsne(suite: Suite, akm: Akm, pmkid: bytes = b"") -> Element:
    """RSNE with one pairwise suite, one AKM and at most one PMKID."""
    return elements.make(
        Rsne(
            version=1,
            group_data_cipher=NO_GROUP_TRAFFIC,
            pairwise_ciphers=[PAIRWISE[suite.cipher]],
            akms=[AKMS[akm]],
            capabilities=_PROTECTED,
            pmkids=[pmkid.hex()] if pmkid else [],
            group_management_cipher=NO_GROUP_TRAFFIC,
        )
    )


def rsnxe(octets: int, *, hash_to_element: bool) -> Element:
    """RSNXE of one octet or two."""
    second = RangingCapabilities(
        secure_ltf=False, secure_rtt=False, protected_range_negotiation=False
    )
    return elements.make(
        Rsnxe(
            octets_less_one=octets - 1,
            protected_twt=False,
            sae_hash_to_element=hash_to_element,
            sae_public_key=False,
            ranging=second if octets > 1 else UNSET,
        )
    )


def parameters(
    akm_wraps: bool, group: int | None = None, public_key: bytes = b"", cookie: bytes | None = None
) -> Element:
    """PASN Parameters, with key or (Auth3) without; the cookie is that of a comeback."""
    return elements.make(
        PasnParameters(
            wrapped_data_format=_FORMAT_SAE if akm_wraps else 0,
            cookie=UNSET if cookie is None else cookie.hex(),
            group=UNSET if group is None else group,
            public_key=UNSET if group is None else public_key.hex(),
        )
    )


def comeback(after_tu: int, cookie: bytes) -> Element:
    """PASN Parameters that tell an initiator to come back."""
    return elements.make(
        PasnParameters(wrapped_data_format=0, comeback_after_tu=after_tu, cookie=cookie.hex())
    )


def wrapped(*messages: SaeMessage) -> Element:
    """Wrapped Data: one message as it is, two each behind its length."""
    return elements.make(WrappedData(length_prefixed=len(messages) > 1, messages=list(messages)))


def commit(sae: Sae) -> SaeMessage:
    """SAE commit by hash to element."""
    half = len(sae.element) // 2
    return SaeMessage(
        transaction=1,
        status=126,
        group=sae.group,
        scalar=sae.scalar.hex(),
        element_x=sae.element[:half].hex(),
        element_y=sae.element[half:].hex(),
    )


def confirm(sae: Sae) -> SaeMessage:
    """SAE confirm, the first one."""
    return SaeMessage(transaction=2, status=0, send_confirm=1, confirm=sae.confirm(1).hex())


def groups(group: int) -> Element:
    """Supported Groups: that of the suite."""
    return elements.make(SupportedGroups(groups=[group]))


def mic(value: bytes) -> Element:
    """MIC element."""
    return elements.make(Mic(mic=value.hex()))


def nan(found: Iterable[Attr]) -> Element:
    """NAN element."""
    return elements.make(NanElement(attributes=tuple(found)))


# --- attributes -----------------------------------------------------------------------------------


def npba(form: str, peer: Peer, methods: int, *, initiator: bool) -> list[Attr]:
    """The bootstrapping that led here, in the form of `PairingSettings.npba`; nothing when there was none."""
    request = peer.request_sent or peer.request_received
    if request is None or form == "none":
        return []
    if form == "advertise":
        return [
            attributes.make(
                PairingBootstrapping(dialog_token=0, type=0, status=0, reason=0, methods=methods)
            )
        ]
    if form == "response" or (form == "answer" and not initiator):
        asked = peer.request_sent is not None
        return [response_to(request, complement(peer.method) if asked else peer.method)]
    return [request]


def response_to(request: Attr, methods: int) -> Attr:
    """An accepting response to a bootstrapping request."""
    fields: PairingBootstrapping = request.fields
    return attributes.make(
        PairingBootstrapping(
            dialog_token=fields.dialog_token,
            type=npba_words.RESPONSE,
            status=npba_words.ACCEPTED,
            reason=0,
            methods=methods,
        )
    )
