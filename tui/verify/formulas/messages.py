"""Messages of pairing and data path setup, cut out of frames far enough to recompute values; damage gives None.

Frames of an exchange may be altered or cut on the way: what a device still makes a value of is found here without
asking whether the rest is in order. Offsets are those of Wi-Fi Aware 4.0 and IEEE 802.11-2020 (digests).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from protocols.errors import NearbenchError
from protocols.format import Keys
from protocols.wifi_aware import elements, protection, walker
from protocols.wifi_aware.attributes import shared_key_descriptor
from protocols.wifi_aware.suites import COORDINATE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.attributes.shared_key_descriptor import SharedKeyDescriptor

__all__ = ["Auth", "Clear", "Commit", "Handshake", "clear_of", "follow_up_key_data", "nira_pairs"]

HEADER = 24
_CIPHER_HEADER = 8
_ACTION, _AUTHENTICATION = 0xD0, 0xB0
_PASN = 7
_MIC, _RSNE, _RSNXE, _EXTENSION = 140, 48, 244, 255
_CSIA, _SKDA, _NIRA = 0x22, 0x24, 0x2B
_DATA_PATH = (0x10, 0x29)
_SDF, _NAF = bytes.fromhex("09506f9a13"), bytes.fromhex("09506f9a18")
M1, M2, M3, M4 = 5, 6, 7, 8


class Clear(NamedTuple):
    """A frame without link protection."""

    header: bytes
    body: bytes
    opened: bool
    """by a key; `header` has the Protected bit cleared."""

    @property
    def octets(self) -> bytes:
        """Header and body."""
        return self.header + self.body


def clear_of(octets: bytes, keys: Sequence[bytes]) -> Clear | None:
    """The frame in clear; None when it is too short, or encrypted and no key opens it."""
    if len(octets) < HEADER:
        return None
    header, body = octets[:HEADER], octets[HEADER:]
    if not header[1] & 0x40:
        return Clear(header, body, opened=False)
    if not keys or len(body) < _CIPHER_HEADER:
        return None
    number = int.from_bytes(body[:2] + body[4:8], "little")
    context = Keys({"tk": [key.hex() for key in keys]})
    found = protection.open_body(context, header, number, body[_CIPHER_HEADER:])
    if found is None:
        return None
    bare = header[:1] + bytes((header[1] & ~0x40,)) + header[2:]
    return Clear(bare, found.plaintext, opened=True)


class Commit(NamedTuple):
    """Parts of an SAE commit; empty where it is cut off."""

    group: int
    scalar: bytes
    element: bytes


class Auth(NamedTuple):
    """An Authentication frame of PASN."""

    transaction: int
    status: int
    body: bytes
    parts: dict[tuple[int, int | None], tuple[bytes, int]]
    """(element ID, extension) -> octets behind ID, length and extension, and where they begin in the body."""

    @classmethod
    def of(cls, frame: Clear) -> Auth | None:
        """None for any other frame."""
        body = frame.body
        if frame.header[0] != _AUTHENTICATION or len(body) < 6 or _u16(body, 0) != _PASN:
            return None
        found: dict[tuple[int, int | None], tuple[bytes, int]] = {}
        run = elements.scan(body, 6, len(body))
        for element, start in zip(run.found, run.starts, strict=True):
            extended = element.id == _EXTENSION and bool(element.octets)
            key = (element.id, element.octets[0] if extended else None)
            found.setdefault(key, (element.octets[extended:], start + 2 + extended))
        return cls(_u16(body, 2), _u16(body, 4), body, found)

    def part(self, number: int, extension: int | None = None) -> bytes | None:
        """An element's octets."""
        found = self.parts.get((number, extension))
        return None if found is None else found[0]

    @property
    def mic(self) -> bytes | None:
        """Value of the MIC element."""
        return self.part(_MIC)

    def with_zero_mic(self) -> bytes:
        """The body as it is hashed."""
        octets, at = self.parts.get((_MIC, None), (b"", 0))
        return self.body[:at] + bytes(len(octets)) + self.body[at + len(octets) :]

    def security_elements(self) -> bytes:
        """RSNE and RSNXE, whole."""
        out = b""
        for number in (_RSNE, _RSNXE):
            if (octets := self.part(number)) is not None:
                out += bytes((number, len(octets))) + octets
        return out

    def suite(self) -> tuple[int, int, int] | None:
        """Cipher, AKM and number of PMKIDs of an RSNE with one of each."""
        rsne = self.part(_RSNE)
        if rsne is None or len(rsne) < 20:
            return None
        return rsne[11], rsne[17], _u16(rsne, 20) if len(rsne) >= 22 else 0

    def public_key(self) -> tuple[int, bytes] | None:
        """Group and public key of PASN Parameters without a comeback."""
        octets = self.part(_EXTENSION, 100)
        if octets is None or len(octets) < 5 or octets[0] & 3 != 2:
            return None
        return _u16(octets, 2), octets[5 : 5 + octets[4]]

    def sae(self) -> tuple[Commit | None, tuple[int, bytes] | None]:
        """Commit, and send-confirm with confirm, of the wrapped data."""
        data = self.part(_EXTENSION, 8)
        if data is None:
            return None, None
        if self.transaction != 2:
            return _commit(data), _confirm(data)
        size = _u16(data, 0)
        behind = 2 + size
        return _commit(data[2:behind]), _confirm(data[behind + 2 :])


def _u16(octets: bytes, at: int) -> int:
    return int.from_bytes(octets[at : at + 2], "little")


def _commit(octets: bytes) -> Commit | None:
    if _u16(octets, 0) != 3 or _u16(octets, 2) != 1 or len(octets) < 8:
        return None
    group = _u16(octets, 6)
    size = COORDINATE.get(group, 0)
    scalar, element = octets[8 : 8 + size], octets[8 + size : 8 + 3 * size]
    return Commit(
        group, scalar if len(scalar) == size else b"", element if len(element) == 2 * size else b""
    )


def _confirm(octets: bytes) -> tuple[int, bytes] | None:
    if _u16(octets, 0) != 3 or _u16(octets, 2) != 2 or len(octets) < 8:
        return None
    return _u16(octets, 6), octets[8:]


class Handshake(NamedTuple):
    """A message of the data path setup with its attributes."""

    subtype: int
    body: bytes
    attributes: tuple[Attr, ...]
    starts: tuple[int, ...]

    @classmethod
    def of(cls, frame: Clear) -> Handshake | None:
        """None for any other frame."""
        body = frame.body
        if frame.header[0] != _ACTION or body[1:6] != _NAF or len(body) < 7:
            return None
        found, starts, _ = walker.scan(body, 7, len(body))
        return cls(body[6], body, tuple(found), tuple(starts))

    def fields(self, *numbers: int) -> Any:
        """Typed fields of the first attribute with one of these IDs, None without one that decodes."""
        for attr in self.attributes:
            if attr.id in numbers:
                try:
                    return attr.fields
                except NearbenchError:
                    return None
        return None

    def csid(self) -> int | None:
        """The suite of pairwise keys in its CSIA."""
        csia = self.fields(_CSIA)
        suites = [] if csia is None else [item.suite for item in csia.suites]
        return next((suite for suite in suites if suite not in (5, 6)), None)

    def data_path(self) -> Any:
        """NDP or NDPE."""
        return self.fields(*_DATA_PATH)

    def group_support(self) -> int:
        """0 none, 1 IGTK, 2 BIGTK too, as its CSIA says."""
        csia = self.fields(_CSIA)
        return 0 if csia is None else int(csia.group_support)

    def key(self, csid: int) -> tuple[SharedKeyDescriptor, bytes] | None:
        """The key descriptor of that suite, and the body with its MIC zeroed."""
        for attr, start in zip(self.attributes, self.starts, strict=True):
            if attr.id == _SKDA:
                try:
                    found = shared_key_descriptor.read(attr.octets, csid)
                except NearbenchError:
                    return None
                at, size = start + 3 + shared_key_descriptor.HEAD, len(found.mic) // 2
                return found, self.body[:at] + bytes(size) + self.body[at + size :]
        return None


def _follow_up_attributes(frame: Clear) -> list[Attr]:
    if frame.header[0] != _ACTION or frame.body[1:6] != _SDF:
        return []
    return walker.scan(frame.body, 6, len(frame.body))[0]


def follow_up_key_data(frame: Clear) -> bytes | None:
    """Wrapped key data of a follow-up that carries an identity key."""
    for attr in _follow_up_attributes(frame):
        if attr.id == _SKDA:
            try:
                told = shared_key_descriptor.read(attr.octets).key_data
            except NearbenchError:
                return None
            return bytes.fromhex(told) if isinstance(told, str) else None
    return None


def nira_pairs(frame: Clear) -> list[tuple[bytes, bytes]]:
    """Nonce and tag of the identity resolution attributes of a frame."""
    attributes = list(_follow_up_attributes(frame))
    auth = Auth.of(frame)
    nan = None if auth is None else auth.part(221)
    if nan is not None and nan.startswith(elements.WFA_NAN):
        attributes += walker.scan(nan, len(elements.WFA_NAN), len(nan))[0]
    octets = [attr.octets for attr in attributes if attr.id == _NIRA]
    return [(each[1:9], each[9:17]) for each in octets if len(each) == 17]
