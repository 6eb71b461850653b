"""What the Wi-Fi Aware engines tell their application: frozen values, one kind per happening.

`kind` of an event is its name in traces and in recorded exchanges. Addresses are "aa:bb:..", octets are lower-case
hex, times are microseconds, identifiers are those of the frames. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = [
    "AuthReceived",
    "AuthSent",
    "BootstrapCompleted",
    "BootstrapRequested",
    "DataPathConnected",
    "DataPathCountered",
    "DataPathEnded",
    "DataPathRequested",
    "Derived",
    "Discovered",
    "Dropped",
    "Event",
    "FollowUp",
    "GroupKeySet",
    "MatchExpired",
    "NafReceived",
    "NikMissing",
    "NikReceived",
    "NiraResolved",
    "NiraUnknown",
    "PairingRequested",
    "PairingResult",
    "Replied",
    "ServiceEnded",
    "Stepped",
    "Transmitted",
    "Tuned",
]


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="kind"):
    """Base of all events."""

    @property
    def kind(self) -> str:
        """Its name in traces."""
        return str(self.__struct_config__.tag)

    def as_plain(self) -> dict[str, Any]:
        """Its fields as JSON-like values, with `kind`."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain


class Dropped(Event, frozen=True, kw_only=True, tag="dropped"):
    """A frame was not taken: by whom it was, what it was, and the rule that refused it, in words."""

    peer: str
    frame: str
    reason: str


class Stepped(Event, frozen=True, kw_only=True, tag="step"):
    """An engine changed its state: what it runs with whom, from where to where, and on what."""

    engine: str
    peer: str = ""
    before: str
    after: str
    cause: str


class Derived(Event, frozen=True, kw_only=True, tag="derived"):
    """A key came into being; `value` (hex) is a secret for everybody but a run that reveals such."""

    name: str
    peer: str = ""
    value: str


class Transmitted(Event, frozen=True, kw_only=True, tag="transmitted"):
    """What became of a frame with that number."""

    number: int
    name: str
    peer: str
    acked: bool


# --- discovery --------------------------------------------------------------------------------------


class Discovered(Event, frozen=True, kw_only=True, tag="discovery"):
    """A subscription met a publish that matches."""

    subscribe_id: int
    peer: str
    publish_id: int
    pairing_setup: bool | None = None
    """bit of the DCEA; None when the frame has none."""
    npk_caching: bool | None = None
    methods: int = 0
    """bootstrapping methods on offer."""
    cipher_suites: tuple[int, ...] = ()
    pmkids: tuple[str, ...] = ()
    service_info: str = ""
    """service specific info as hex, without OUI and protocol."""
    pairing_info: dict[str, str] = {}  # msgspec copies mutable defaults
    """vendorName, modelName, pairingName, as far as it shows them."""
    identity: int | None = None
    """place in the store of the paired device whose NIRA it shows."""
    data_path: bool = False
    security_required: bool = False
    rssi_dbm: int | None = None


class Replied(Event, frozen=True, kw_only=True, tag="replied"):
    """A publisher answered a subscribe."""

    publish_id: int
    peer: str
    subscribe_id: int
    service_info: str = ""


class MatchExpired(Event, frozen=True, kw_only=True, tag="match_expired"):
    """A publish that matched has not been heard for some discovery windows."""

    subscribe_id: int
    peer: str
    publish_id: int


class ServiceEnded(Event, frozen=True, kw_only=True, tag="service_ended"):
    """A publish or subscribe came to its end, and why."""

    handle: int
    reason: str


class FollowUp(Event, frozen=True, kw_only=True, tag="followup"):
    """A follow-up arrived; `consumed` when bootstrapping or the NIK exchange took it."""

    handle: int
    peer: str
    peer_instance_id: int
    service_info: str = ""
    consumed: bool = False


class Tuned(Event, frozen=True, kw_only=True, tag="tuned"):
    """An unsynchronised publish or subscribe wants to listen on a channel from now on."""

    handle: int
    channel: int | None
    """None: on none."""


# --- bootstrapping ----------------------------------------------------------------------------------


class BootstrapRequested(Event, frozen=True, kw_only=True, tag="bootstrap_request"):
    """The responder needs its user; `method` is its own (the complement of the requested one)."""

    peer: str
    handle: int
    peer_instance_id: int
    method: int
    pairing_info: dict[str, str] = {}  # msgspec copies mutable defaults
    """vendorName, modelName, pairingName of the requester, as far as it tells them."""


class BootstrapCompleted(Event, frozen=True, kw_only=True, tag="bootstrap_completed"):
    """Bootstrapping ended on this side; `method` is its own, 0 at a refused requester."""

    peer: str
    handle: int
    peer_instance_id: int
    method: int
    success: bool
    reason: int
    cause: str = ""
    """why it failed without an answer; empty where the reason says it."""


# --- pairing ----------------------------------------------------------------------------------------


class PairingRequested(Event, frozen=True, kw_only=True, tag="pairing_request"):
    """Auth1 came and nothing was armed for it: it is kept, the application decides."""

    peer: str
    csid: int
    handle: int
    """Publish ID of its CSIA."""
    akm: str
    """`sae` or `pasn`."""
    pmkids: int


class AuthReceived(Event, frozen=True, kw_only=True, tag="auth_rx"):
    """An Authentication frame was looked at; `accepted` False when its processing ended in an error."""

    peer: str
    transaction: int
    status: int
    accepted: bool


class AuthSent(Event, frozen=True, kw_only=True, tag="auth_tx_status"):
    """Transmit status of an Authentication frame."""

    peer: str
    transaction: int
    acked: bool


class PairingResult(Event, frozen=True, kw_only=True, tag="pairing_result"):
    """Pairing or verification ended on this side with an 802.11 status; 0 is success."""

    peer: str
    role: str
    """`initiator` or `responder`."""
    akm: str
    cipher: str
    """`ccmp_128` or `gcmp_256`."""
    status: int
    cause: str = ""
    """which check failed, in words."""
    kck: str = ""
    nm_tk: str = ""
    nm_kdk: str = ""
    nd_pmk: str = ""


class NikReceived(Event, frozen=True, kw_only=True, tag="nik_received"):
    """The peer's identity is in the store."""

    peer: str
    id: int
    nik: str
    cipher_version: int
    lifetime_s: int | None
    akm: str
    npk: str


class NikMissing(Event, frozen=True, kw_only=True, tag="nik_missing"):
    """A pairing stands, or was ended (`paired`), without identities of both sides; `cause` in words."""

    peer: str
    paired: bool
    cause: str


class NiraResolved(Event, frozen=True, kw_only=True, tag="nira_match"):
    """A NIRA belongs to a stored identity."""

    peer: str
    id: int
    nonce: str
    tag: str


class NiraUnknown(Event, frozen=True, kw_only=True, tag="nira_no_match"):
    """A NIRA belongs to no stored identity."""

    peer: str
    nonce: str
    tag: str


# --- data path --------------------------------------------------------------------------------------


class DataPathRequested(Event, frozen=True, kw_only=True, tag="ndp_request"):
    """The responder's application must answer."""

    peer: str
    initiator_ndi: str
    ndp_id: int
    publish_id: int
    csid: int
    """0: open."""
    pmkid: str = ""
    ndp_status: int = 0
    ndl_status: int = 0
    service_info: str = ""


class DataPathCountered(Event, frozen=True, kw_only=True, tag="ndl_countered"):
    """The responder proposes another schedule; the initiator's application must accept or reject it."""

    peer: str
    initiator_ndi: str
    ndp_id: int
    reason: int
    """why the responder did not take what was asked."""
    ndc: str
    """slots of the NDC that it proposes, hex of 64 octets, bit 0 of the first is slot 0."""


class LinkSlots(msgspec.Struct, frozen=True, kw_only=True):
    """When two devices can send data to each other on one channel."""

    primary_mhz: int | None
    """centre of the primary 20 MHz; None: the channel entry does not say."""
    slots: str
    """16-TU slots from DW0 on, hex of 64 octets, bit 0 of the first is slot 0."""


class DataPathConnected(Event, frozen=True, kw_only=True, tag="ndp_connected"):
    """A data path is up."""

    peer: str
    initiator_ndi: str
    ndp_id: int
    local_ndi: str
    peer_ndi: str
    csid: int
    nd_tk: str = ""
    """empty when open."""
    service_info: str = ""
    """of the responder."""
    interface_identifier: str = ""
    """of the peer, 8 octets."""
    local_gtk: str = ""
    peer_gtk: str = ""
    peer_gtk_rsc: str = ""
    initiator: bool = False
    """this side asked for it."""
    cipher: str = ""
    """`ccmp_128` or `gcmp_256`; empty when open."""
    slots: tuple[LinkSlots, ...] = ()
    """of the NDL, by channel."""
    ndc_id: str = ""
    ndc: str = ""
    """slots of the NDC, as in `LinkSlots`."""
    own_max_idle: int | None = None
    """units of 1024 TU after which this side ends an idle link; None: never."""
    peer_max_idle: int | None = None


class DataPathEnded(Event, frozen=True, kw_only=True, tag="ndp_disconnected"):
    """A data path, or setting one up, ended."""

    peer: str
    initiator_ndi: str
    ndp_id: int
    reason: int
    local: bool
    """ended by this side."""
    failure: bool
    """it was never connected."""
    cause: str = ""
    """which check or timer, in words."""


class KeepAliveWanted(Event, frozen=True, kw_only=True, tag="keep_alive_wanted"):
    """Nothing went over the link with a peer for so long that a null data frame should."""

    peer: str
    local_ndi: str
    peer_ndi: str


class NafReceived(Event, frozen=True, kw_only=True, tag="naf_rx"):
    """A NAN action frame was looked at; `accepted` False when it was refused."""

    peer: str
    subtype: int
    accepted: bool
    cause: str = ""


class GroupKeySet(Event, frozen=True, kw_only=True, tag="set_group_key"):
    """A group key is in use: `address` "ff:ff:ff:ff:ff:ff" for the own one, otherwise the sender's."""

    key_type: str
    """`gtk`, `igtk` or `bigtk`."""
    address: str
    key_id: int
    packet_number: int
    key: str
