"""One end of a data path's link: packets into protected data frames and out of them again.

IEEE 802.11-2020 12.5.3 and 12.5.5; digest of pairing 9.6: CCMP-128 (suites 1, 7) or GCMP-256 (2, 8) with the ND-TK, key
index 0. Rule 1: packet numbers count from 1 in each direction, and a frame whose number does not rise is refused, for
each priority by itself. Rule 2: null frames have no body, nothing protects them, and they show that the peer is there.
Rule 3: frames go from NDI to NDI only; packets to many go to the one peer, because a group key is no part of this
file. No clock, no randomness, no IO.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
from msgspec import UNSET

from protocols.errors import DecodeError
from protocols.wifi_aware import frame as codec
from protocols.wifi_aware import frames, protection
from protocols.wifi_aware.data_frame import (
    DATA,
    IPV6,
    LLC_SNAP,
    NULL,
    QOS_DATA,
    QOS_NULL,
    header_octets,
)
from protocols.wifi_aware.header import CIPHER_HEADER, MANAGEMENT
from protocols.wifi_aware.peers import LinkKey

if TYPE_CHECKING:
    from protocols.wifi_aware.events import DataPathConnected

__all__ = ["CIPHER_OF_SUITE", "DataLink", "LinkTerms", "Received", "Refusal"]

CIPHER_OF_SUITE = {0: "", 1: "ccmp_128", 2: "gcmp_256", 7: "ccmp_128", 8: "gcmp_256"}
_SEQUENCE_NUMBERS = 4096
_LLC = len(LLC_SNAP) + 2


class Refusal(StrEnum):
    """Why a frame was not taken."""

    NOT_OURS = "not_ours"
    """other addresses, or no data frame."""
    MALFORMED = "malformed"
    UNPROTECTED = "unprotected"
    """in clear, and the data path is not."""
    NO_KEY = "no_key"
    """encrypted, and the data path is open."""
    KEY = "wrong_key"
    """the key does not open it: another key, or damage."""
    REPLAYED = "replayed"
    REPEATED = "repeated"
    """the same as the last one, with the retry bit: its Ack was lost."""
    ETHERTYPE = "ethertype"
    """carries no IPv6."""


class LinkTerms(msgspec.Struct, frozen=True, kw_only=True):
    """What both sides of a data path agreed on for its link."""

    own_ndi: str
    peer_ndi: str
    cluster_id: str
    cipher: str = ""
    """`ccmp_128` or `gcmp_256`; empty: open."""
    tk: bytes = b""
    """ND-TK: 16 or 32 octets."""
    peer_identifier: bytes = b""
    """interface identifier of the peer, 8 octets; empty: that of its NDI's EUI-64."""
    own_identifier: bytes = b""
    """likewise of this side."""
    qos: bool = True
    """QoS data frames, otherwise plain ones."""

    @classmethod
    def of(cls, event: DataPathConnected, cluster_id: str, own_identifier: str = "") -> LinkTerms:
        """Those of a data path that is up."""
        return cls(
            own_ndi=event.local_ndi,
            peer_ndi=event.peer_ndi,
            cluster_id=cluster_id,
            cipher=CIPHER_OF_SUITE[event.csid],
            tk=bytes.fromhex(event.nd_tk),
            peer_identifier=bytes.fromhex(event.interface_identifier),
            own_identifier=bytes.fromhex(own_identifier),
        )


class Received(NamedTuple):
    """What a frame of the peer carried; None: it only shows that the peer is there."""

    packet: bytes | None


class DataLink:
    """Frames of one side, with its counters."""

    def __init__(self, terms: LinkTerms, key: LinkKey | None = None) -> None:
        """`key`: protection of action frames between the same NDIs, whose packet numbers go on here."""
        self.terms = terms
        self._key = key or LinkKey(terms.cipher, terms.tk)
        self._sequence = 0
        self._heard: dict[int, int] = {}  # priority -> last packet number of the peer
        self._last: tuple[int, int, int] | None = (
            None  # (priority, sequence and fragment number) of its last frame
        )

    @property
    def packet_number(self) -> int:
        """Of the last frame sent with the key."""
        return self._key.sent

    @property
    def overhead(self) -> int:
        """Octets of a frame beside the packet in it, FCS aside."""
        terms = self.terms
        sealed = CIPHER_HEADER + protection.CIPHERS[terms.cipher].tag if terms.cipher else 0
        return MANAGEMENT + (2 if terms.qos else 0) + _LLC + sealed

    def frame_of(self, packet: bytes, tid: int = 0) -> bytes:
        """The frame for an IPv6 packet; priority `tid` with QoS. Raises EncodeError (key of another length)."""
        terms = self.terms
        frame = frames.Data(
            **self._header(),
            data_subtype=QOS_DATA if terms.qos else DATA,
            qos=frames.QosControl(tid=tid) if terms.qos else UNSET,
            protected=bool(terms.cipher),
        )
        header = codec.build(frame)
        body = LLC_SNAP + IPV6.to_bytes(2, "big") + packet
        if not terms.cipher:
            return header + body
        self._key.sent += 1
        number = self.packet_number.to_bytes(6, "little")
        cipher_header = number[:2] + b"\x00\x20" + number[2:]
        sealed = protection.seal_data(terms.cipher, terms.tk, header, self.packet_number, body)
        return header + cipher_header + sealed

    def null(self) -> bytes:
        """A null data frame: the peer learns that this side is there."""
        qos = frames.QosControl() if self.terms.qos else UNSET
        subtype = QOS_NULL if self.terms.qos else NULL
        return codec.build(frames.Data(**self._header(), data_subtype=subtype, qos=qos))

    def _header(self) -> dict[str, Any]:
        sequence, self._sequence = self._sequence, (self._sequence + 1) % _SEQUENCE_NUMBERS
        return {
            "destination": self.terms.peer_ndi,
            "source": self.terms.own_ndi,
            "bssid": self.terms.cluster_id,
            "sequence_number": sequence,
        }

    def receive(self, octets: bytes) -> Received | Refusal:
        """What a frame carries, or why it is not taken."""
        try:
            frame = codec.read(octets)
        except DecodeError:
            return Refusal.MALFORMED
        if not isinstance(frame, frames.Data | frames.ProtectedData) or not self._is_ours(frame):
            return Refusal.NOT_OURS
        if isinstance(frame, frames.ProtectedData):
            return self._opened(frame, octets)
        if frame.data_subtype & NULL:
            return Received(None)
        if self.terms.cipher:
            return Refusal.UNPROTECTED
        if self._is_repeated(frame):
            return Refusal.REPEATED
        if frame.ethertype != IPV6:
            return Refusal.ETHERTYPE
        return Received(bytes.fromhex(frame.payload))

    def _is_ours(self, frame: frames.Header) -> bool:
        terms = self.terms
        return frame.source == terms.peer_ndi and frame.destination == terms.own_ndi

    def _is_repeated(self, frame: frames.Data | frames.ProtectedData) -> bool:
        """Whether it has the retry bit and the numbers of the one before (IEEE 802.11-2020 10.3.2.14)."""
        this = (_tid(frame), frame.sequence_number, frame.fragment_number)
        before, self._last = self._last, this
        return frame.retry and this == before

    def _opened(self, frame: frames.ProtectedData, octets: bytes) -> Received | Refusal:
        terms = self.terms
        if not terms.cipher:
            return Refusal.NO_KEY
        number = frame.packet_number
        assert number is not UNSET  # noqa: S101  # every encrypted frame has one
        body = header_octets(octets[0] | octets[1] << 8)
        sealed = octets[body + CIPHER_HEADER :]
        clear = protection.open_data(terms.cipher, terms.tk, octets[:body], number, sealed)
        if clear is None:
            return Refusal.KEY
        if self._is_repeated(frame):
            return Refusal.REPEATED
        tid = _tid(frame)
        if number <= self._heard.get(tid, 0):
            return Refusal.REPLAYED
        self._heard[tid] = number
        if clear[:_LLC] != LLC_SNAP + IPV6.to_bytes(2, "big"):
            return Refusal.ETHERTYPE
        return Received(clear[_LLC:])


def _tid(frame: frames.Data | frames.ProtectedData) -> int:
    return 0 if frame.qos is UNSET else frame.qos.tid
