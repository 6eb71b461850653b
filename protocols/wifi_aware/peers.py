"""What a device keeps of others, and of its own services: peers, remembered identities, link keys.

Each engine keeps its part in a `Peer`. No clock, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes import Attr

__all__ = ["Identity", "LinkKey", "Peer", "Service"]


class LinkKey:
    """Pairwise protection between two addresses: cipher, key, and the packet number of each direction."""

    __slots__ = ("cipher", "key", "received", "sent")

    def __init__(self, cipher: str, key: bytes) -> None:
        self.cipher = cipher
        self.key = key
        self.sent = 0
        self.received = 0


class Service(msgspec.Struct, kw_only=True):
    """A publish or subscribe instance of this device, as far as other engines care; discovery keeps the rest."""

    id: int
    publish: bool
    name: str
    service_id: str
    """6 octets, hex."""
    methods: int = 0
    """bootstrapping methods it advertises."""
    cipher_suites: tuple[int, ...] = ()
    pmkid: str = ""
    """ND-PMKID that it advertises, hex."""


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A paired device as it is remembered: by it a NIRA is recognised and a verification is run."""

    nik: bytes
    npk: bytes
    """32 octets."""
    akm: str
    """`sae` or `pasn`: that of the pairing."""
    lifetime_s: int | None = None
    since_us: int = 0


class Peer:
    """What a device knows of another one, by its NMI; each engine keeps its part in here."""

    def __init__(self, nmi: str) -> None:
        self.nmi = nmi
        self.pairing_setup: bool | None = None
        """bits of its last DCEA; None when none was seen."""
        self.npk_caching: bool | None = None
        self.methods = 0
        """bootstrapping methods of its last advertisement."""
        self.nira: tuple[str, str] | None = None
        """nonce and tag it shows, hex; one that a stored identity made goes before others."""
        self.availability: Attr | None = None
        self.pairing_info: dict[str, str] = {}
        """vendorName, modelName, pairingName, as it showed them last."""
        self.bootstrapping = False
        """an exchange is open."""
        self.request_sent: Attr | None = None
        """NPBA of the own request that opened the last bootstrapping, as first sent."""
        self.request_received: Attr | None = None
        """NPBA of the last request that it sent."""
        self.method = 0
        """own method that was agreed on."""
        self.paired = False
        """a pairing stands: unicast frames between the NMIs are of category 9."""
        self.csid = 0
        """suite of that pairing, 7 or 8."""
        self.akm = ""
        """`sae` or `pasn`."""
        self.nd_pmk = b""
        """for data paths of that pairing."""
        self.data_interface: tuple[str, str] | None = None
        """(own NDI, its NDI) that carry action frames: not paired, a secure data path exists."""
        self.ndpe: bool | None = None
        """it knows NDPE, by its Device Capability; None when none was seen."""
        self.group_keys: dict[int, LinkKey] = {}
        """its IGTK (4, 5) and BIGTK (6, 7) by key ID, `received` is the last packet number."""
