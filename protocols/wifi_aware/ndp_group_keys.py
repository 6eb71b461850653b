"""Group keys in the handshake of a data path: which ones are sent, and which of those received are kept and how.

Wi-Fi Aware 4.0, group keys; digest of pairing, section 10. A key is its sender's own; IGTK and BIGTK travel when both
sides say in their CSIA that they have them, a GTK when its sender listed a group suite. Order on the air: IGTK, BIGTK,
GTK. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from protocols.wifi_aware import key_data, keys
from protocols.wifi_aware.events import GroupKeySet
from protocols.wifi_aware.key_data import Bigtk, Gtk, Igtk
from protocols.wifi_aware.peers import LinkKey
from protocols.wifi_aware.station import OWN_KEY_IDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from protocols.wifi_aware.key_data import Kde
    from protocols.wifi_aware.station import Station

__all__ = ["BIP_OF", "KEY_IDS", "IntegrityKey", "Received", "install", "received", "to_send"]

KEY_IDS = {"gtk": (1, 2), "igtk": (4, 5), "bigtk": (6, 7)}
BIP_OF = {16: "bip_cmac_128", 32: "bip_gmac_256"}
"""Octets of an IGTK or BIGTK -> cipher."""
_ALL = 2
"""Group support: BIGTK too."""


class Received(NamedTuple):
    """A group key of the peer, and what is wrong with it (empty: it is good)."""

    key_type: str
    key_id: int
    packet_number: int
    """0 for a GTK: its number stands in the descriptor."""
    key: bytes
    fault: str


def to_send(
    own: Mapping[str, bytes],
    own_support: int,
    peer_support: int,
    gtk: bytes,
    *,
    igtk_with_gtk: bool,
) -> bytes:
    """KDEs for M3 or M4, in clear; empty when there is nothing to send.

    `own`: IGTK and BIGTK of this device; `gtk` empty: none was negotiated. `igtk_with_gtk`: an IGTK goes along with
    any key (hostap), even when the peer has no use for it.
    """
    names: list[str] = []
    if min(own_support, peer_support) or (gtk and igtk_with_gtk):
        names.append("igtk")
    if min(own_support, peer_support) >= _ALL:
        names.append("bigtk")
    out: list[Kde] = [_kde(name, own[name]) for name in names if name in own]
    if gtk:
        out.append(Gtk(key_id=OWN_KEY_IDS["gtk"], key=gtk.hex()))
    return key_data.encode(out)


def _kde(name: str, key: bytes) -> Kde:
    number = OWN_KEY_IDS[name]  # hostap starts its packet numbers with the key ID
    kind = Igtk if name == "igtk" else Bigtk
    return kind(key_id=number, packet_number=number, key=key.hex())


def received(kdes: Iterable[Kde], gtk_csid: int) -> list[Received]:
    """Group keys among KDEs; other KDEs are passed over. `gtk_csid`: the group suite that the peer listed, 0 for none."""
    out: list[Received] = []
    for kde in kdes:
        if isinstance(kde, Gtk | Igtk | Bigtk):
            name = str(kde.__struct_config__.tag)
            number = 0 if isinstance(kde, Gtk) else kde.packet_number
            key = bytes.fromhex(kde.key)
            out.append(Received(name, kde.key_id, number, key, _fault(name, kde, key, gtk_csid)))
    return out


def _fault(name: str, kde: Gtk | Igtk | Bigtk, key: bytes, gtk_csid: int) -> str:
    if kde.key_id not in KEY_IDS[name]:
        return f"{name.upper()} with key ID {kde.key_id}"
    if isinstance(kde, Gtk):
        suite = keys.SUITES.get(gtk_csid)
        if suite is None:
            return "GTK, and its sender listed no group suite"
        return "" if len(key) == suite.tk else f"GTK of {len(key)} octets for CSID {gtk_csid}"
    return "" if len(key) in BIP_OF else f"{name.upper()} of {len(key)} octets"


class IntegrityKey(Protocol):
    """An IGTK or BIGTK of a peer: from a handshake, or beside an identity key."""

    @property
    def key_type(self) -> str:
        """`igtk` or `bigtk`."""
        ...

    @property
    def key_id(self) -> int:
        """4 or 5, 6 or 7."""
        ...

    @property
    def packet_number(self) -> int:
        """Last one used."""
        ...

    @property
    def key(self) -> bytes:
        """16 or 32 octets."""
        ...


def install(station: Station, nmi: str, one: IntegrityKey) -> None:
    """Use an IGTK or BIGTK of a peer, and tell so; one that is there already keeps its packet number.

    A key ID of another type and a key of another length are passed over.
    """
    if one.key_id not in KEY_IDS[one.key_type] or len(one.key) not in BIP_OF:
        return
    held = station.peer(nmi).group_keys
    old = held.get(one.key_id)
    if old is not None and old.key == one.key:
        return
    held[one.key_id] = LinkKey(BIP_OF[len(one.key)], one.key)
    held[one.key_id].received = one.packet_number
    station.emit(
        GroupKeySet(
            key_type=one.key_type,
            address=nmi,
            key_id=one.key_id,
            packet_number=one.packet_number,
            key=one.key.hex(),
        )
    )
