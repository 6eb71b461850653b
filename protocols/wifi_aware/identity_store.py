"""Paired devices as one device remembers them: stored, found by a NIRA, forgotten.

Digest of pairing, section 5; the identities themselves are `Station.identities`. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware.events import NiraResolved, NiraUnknown
from protocols.wifi_aware.station import NIK, RefusedError
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes.identity_resolution import IdentityResolution
    from protocols.wifi_aware.peers import Identity
    from protocols.wifi_aware.station import Station

__all__ = ["NPK", "IdentityStore"]

NPK = 32


class IdentityStore:
    """The identities of a station, `limit` of them at most."""

    def __init__(self, station: Station, limit: int | None) -> None:
        self.station = station
        self.limit = limit

    def add(self, identity: Identity) -> int:
        """Remember a device, in the place of what was known of it; the oldest makes room."""
        if len(identity.nik) != NIK or len(identity.npk) != NPK:
            found = f"{len(identity.nik)} and {len(identity.npk)} octets"
            raise RefusedError(f"NIK and NPK have {found}; give {NIK} and {NPK}")
        known = self.station.identities
        is_new = all(one.nik != identity.nik for one in known.values())
        if is_new and self.limit is not None and len(known) >= self.limit > 0:
            del known[min(known, key=lambda place: (known[place].since_us, place))]
        return self.station.remember(identity)

    def forget(self, place: int) -> None:
        """Drop a device. Raises RefusedError when there is none in that place."""
        if self.station.identities.pop(place, None) is None:
            known = ", ".join(str(one) for one in sorted(self.station.identities)) or "none"
            raise RefusedError(f"no identity in place {place}; places in use: {known}")

    def recognise(self, peer: str, nira: IdentityResolution) -> int | None:
        """Place of the device that made this NIRA; an event says which it is, or that none did."""
        place = self.station.identity_of(nira, peer)
        nonce, tag = ("" if one is UNSET else one for one in (nira.nonce, nira.tag))
        if place is None:
            self.station.emit(NiraUnknown(peer=peer, nonce=nonce, tag=tag))
        else:
            self.station.emit(NiraResolved(peer=peer, id=place, nonce=nonce, tag=tag))
        return place
