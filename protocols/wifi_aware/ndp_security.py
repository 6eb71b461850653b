"""The handshake of a secure data path, M1 to M4: key descriptors, keys, MICs, and the checks of each message.

Wi-Fi Aware 4.0, NDP security; digest of pairing 9.2 to 9.5, as in hostap src/nan/nan_sec.c. One `Handshake` is one
side of one setup. A check that fails raises `NotTakenError` and changes nothing: no answer goes out, the setup waits
for its timer. MICs are of the body in clear, category octet included. No clock, no randomness, no IO.
"""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from protocols.errors import DecodeError
from protocols.wifi_aware import key_data, keys
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes import shared_key_descriptor as skda
from protocols.wifi_aware.attributes.shared_key_descriptor import SharedKeyDescriptor
from protocols.wifi_aware.ndp_frames import NotTakenError
from protocols.wifi_aware.security_attributes import ND_PMKID
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from protocols.wifi_aware.frames import Naf
    from protocols.wifi_aware.keys import NdpKeys
    from protocols.wifi_aware.ndp_frames import Step

__all__ = [
    "KEY_INFO",
    "KNOWN_SUITES",
    "NONCE",
    "Handshake",
    "KeyInfo",
    "Secured",
    "Terms",
    "nonce_of",
    "read_descriptor",
    "strength",
    "terms_of",
]

KNOWN_SUITES = tuple(csid for csid, suite in keys.SUITES.items() if suite.kck)
"""Suites of pairwise keys."""
NONCE = 32
PMKID = 16
_NONCE_AT = 14
_RSN = 2
_ATTRIBUTE_HEADER, _ACTION_HEADER = 3, 7
_GROUP_SUITES = (5, 6)


class KeyInfo(NamedTuple):
    """Bits of Key Information that tell the messages apart; pairwise is set in all, version is 0."""

    install: bool
    ack: bool
    mic: bool
    secure: bool


KEY_INFO = {
    "m1": KeyInfo(install=False, ack=True, mic=False, secure=False),
    "m2": KeyInfo(install=False, ack=False, mic=True, secure=False),
    "m3": KeyInfo(install=True, ack=True, mic=True, secure=True),
    "m4": KeyInfo(install=True, ack=False, mic=True, secure=True),
}
_OF_INITIATOR = ("m1", "m3")
_STRENGTHS = ((7, "pasn"), (8, "pasn"), (1, ""), (2, ""), (7, "sae"), (8, "sae"))
"""Weakest first (digest of pairing, 9.6); an open path is weaker than all."""


class Secured(NamedTuple):
    """The key of a pair of NDIs: its suite, how its peer was paired (`sae`, `pasn`, empty), ND-TK."""

    csid: int
    akm: str
    tk: bytes


def strength(csid: int, akm: str) -> int:
    """Rank of a suite: a new key replaces one of the same pair of NDIs when its rank is not lower."""
    entry = (csid, akm if csid in (7, 8) else "")
    return _STRENGTHS.index(entry) + 1 if entry in _STRENGTHS else 0


class Terms(NamedTuple):
    """What CSIA and SCIA of M1 or M2 say."""

    csid: int
    gtk_csid: int
    """5 or 6; 0: the sender has no GTK."""
    group_support: int
    pmkid: bytes
    publish_id: int


def terms_of(step: Step) -> Terms:
    """Terms of a message, after the checks that hostap makes. Raises NotTakenError."""
    if step.csia is None or step.scia is None:
        missing = "CSIA" if step.csia is None else "SCIA"
        raise NotTakenError(f"security is announced, and there is no {missing}")
    suites = step.csia.suites
    pairwise = [one.suite for one in suites if one.suite not in _GROUP_SUITES]
    group = [one.suite for one in suites if one.suite in _GROUP_SUITES]
    if len(pairwise) != 1 or len(group) > 1:
        raise NotTakenError("CSIA: not exactly one pairwise suite and at most one group suite")
    ids = {one.publish_id for one in suites}
    if len(ids) != 1:
        raise NotTakenError("CSIA: suites of several Publish IDs")
    publish_id = ids.pop()
    contexts = [one for one in step.scia.contexts if one.publish_id in (0, publish_id)]
    pmkids = [bytes.fromhex(one.identifier) for one in contexts if one.type == ND_PMKID]
    if len(pmkids) != 1 or len(pmkids[0]) != PMKID:
        raise NotTakenError("SCIA: not exactly one ND-PMKID of that Publish ID")
    support = step.csia.group_support
    return Terms(pairwise[0], next(iter(group), 0), support, pmkids[0], publish_id)


class Handshake:
    """One side of the four messages: nonces, counters, authentication token, and in time the keys."""

    def __init__(self, csid: int, pmk: bytes, publish_id: int) -> None:
        self.suite = keys.suite_of(csid)
        self.pmk = pmk
        self.publish_id = publish_id
        self.nonces = {"initiator": b"", "responder": b""}
        self.counter = 1
        """highest replay counter of the peer and of ourselves."""
        self.token = b""
        self.keys: NdpKeys | None = None

    # Messages of ours

    def descriptor(self, message: str, *, kdes: bytes = b"", rsc: int = 0) -> Attr:
        """The key descriptor of one message, its MIC zero. `kdes`: Key Data in clear, wrapped here."""
        info = KEY_INFO[message]
        wrapped = self._wrapped(kdes) if kdes else ""
        return make(
            SharedKeyDescriptor(
                publish_id=self.publish_id, descriptor_type=_RSN, key_version=0, key_pairwise=True,
                key_install=info.install, key_ack=info.ack, key_mic=info.mic, key_secure=info.secure,
                key_error=False, key_request=False, key_data_encrypted=bool(wrapped), key_length=0,
                replay_counter=self.counter, nonce=self._nonce_of(message).hex(), iv=bytes(16).hex(),
                key_rsc=rsc, key_id=bytes(8).hex(), mic=bytes(self.suite.mic).hex(),
                key_data=wrapped or UNSET,
            )
        )  # fmt: skip

    def _wrapped(self, kdes: bytes) -> str:
        return key_data.wrap(self._keys.kek, key_data.padded(kdes)).hex()

    def _nonce_of(self, message: str) -> bytes:
        return self.nonces["initiator" if message in _OF_INITIATOR else "responder"]

    @property
    def _keys(self) -> NdpKeys:
        if self.keys is None:
            raise NotTakenError("the keys of this path are not there yet")
        return self.keys

    def signed(self, frame: Naf, body: bytes, message: str) -> Naf:
        """The frame with its MIC; `body` is that of the frame as it stands."""
        token = self.token if message == "m3" else b""
        mic = keys.ndp_mic(self._keys.kck, body, self.suite.csid, token)
        attributes = tuple(
            Attr(attr.id, _with_mic(attr.octets, mic)) if attr.id == skda.ID else attr
            for attr in frame.attributes
        )
        return msgspec.structs.replace(frame, attributes=attributes)

    def remember_m1(self, body: bytes) -> None:
        """The authentication token comes from M1 as it is on the air."""
        self.token = keys.auth_token(body, self.suite.csid)

    # Messages of the peer: each is taken whole, or NotTakenError is raised and nothing has changed

    def take_m1(self, step: Step, body: bytes) -> SharedKeyDescriptor:
        """Nonce, counter and token of the initiator."""
        found = read_descriptor(step, self.suite.csid, "m1", self.publish_id, 0)
        self.nonces["initiator"] = bytes.fromhex(found.nonce)
        self.counter = found.replay_counter
        self.remember_m1(body)
        return found

    def take_m2(
        self, step: Step, frame: Naf, body: bytes, pair: tuple[str, str]
    ) -> SharedKeyDescriptor:
        """Keys and their proof; `pair`: NDI of the initiator, of the responder."""
        found = self._read(step, "m2")
        nonces = {**self.nonces, "responder": bytes.fromhex(found.nonce)}
        derived = self._derived(nonces, pair)
        self._check_mic(derived.kck, frame, body, found, "m2")
        self.nonces, self.keys = nonces, derived
        self.counter += 1
        return found

    def take_m3(
        self, step: Step, frame: Naf, body: bytes
    ) -> tuple[SharedKeyDescriptor, tuple[key_data.Kde, ...]]:
        """The descriptor and its KDEs."""
        found = self._read(step, "m3")
        if bytes.fromhex(found.nonce) != self.nonces["initiator"]:
            raise NotTakenError("nonce of M3 is not that of M1")
        self._check_mic(self._keys.kck, frame, body, found, "m3")
        kdes = self._kdes(found)
        self.counter = found.replay_counter
        return found, kdes

    def take_m4(
        self, step: Step, frame: Naf, body: bytes, *, same_nonce: bool
    ) -> tuple[SharedKeyDescriptor, tuple[key_data.Kde, ...]]:
        """The descriptor and its KDEs; `same_nonce`: it must be that of M2."""
        found = self._read(step, "m4")
        if same_nonce and bytes.fromhex(found.nonce) != self.nonces["responder"]:
            raise NotTakenError("nonce of M4 is not that of M2")
        self._check_mic(self._keys.kck, frame, body, found, "m4")
        return found, self._kdes(found)

    def derive(self, pair: tuple[str, str]) -> None:
        """ND-PTK of both nonces; `pair` as in `take_m2`."""
        self.keys = self._derived(self.nonces, pair)

    def _derived(self, nonces: dict[str, bytes], pair: tuple[str, str]) -> NdpKeys:
        initiator, responder = nonces["initiator"], nonces["responder"]
        return keys.ndp_keys(self.pmk, *pair, initiator, responder, self.suite.csid)

    def _read(self, step: Step, message: str) -> SharedKeyDescriptor:
        return read_descriptor(step, self.suite.csid, message, self.publish_id, self.counter)

    def _check_mic(
        self, kck: bytes, frame: Naf, body: bytes, found: SharedKeyDescriptor, message: str
    ) -> None:
        zeroed = _without_mic(frame, body, self.suite.mic)
        token = self.token if message == "m3" else b""
        expected = keys.ndp_mic(kck, zeroed, self.suite.csid, token)
        if not hmac.compare_digest(expected, bytes.fromhex(found.mic)):
            raise NotTakenError(f"MIC of {message.upper()} is wrong")

    def _kdes(self, found: SharedKeyDescriptor) -> tuple[key_data.Kde, ...]:
        if found.kdes is not UNSET:
            raise NotTakenError("Key Data is not encrypted")
        if found.key_data is UNSET:
            return ()
        opened = key_data.unwrap(self._keys.kek, bytes.fromhex(found.key_data))
        if opened is None:
            raise NotTakenError("Key Data was wrapped with another key than ND-KEK")
        try:
            return key_data.read(opened).kdes
        except DecodeError as exc:
            raise NotTakenError(f"malformed Key Data: {exc}") from exc


def read_descriptor(
    step: Step, csid: int, message: str, publish_id: int, counter: int
) -> SharedKeyDescriptor:
    """A key descriptor after the checks that need no key. Raises NotTakenError."""
    if step.descriptor is None:
        raise NotTakenError("security is announced, and there is no SKDA")
    try:
        found = skda.read(step.descriptor.octets, csid)
    except DecodeError as exc:
        raise NotTakenError(f"malformed SKDA: {exc}") from exc
    for passes, words in _descriptor_checks(found, csid, message, publish_id):
        if not passes:
            raise NotTakenError(f"SKDA of {message.upper()}: {words}")
    if found.replay_counter < counter:
        raise NotTakenError(
            f"replay counter {found.replay_counter} of {message.upper()} is below {counter}"
        )
    return found


def nonce_of(step: Step) -> str:
    """Nonce of the key descriptor, hex, whatever else it says; empty without one."""
    octets = b"" if step.descriptor is None else step.descriptor.octets
    return octets[_NONCE_AT : _NONCE_AT + NONCE].hex()


def _descriptor_checks(
    found: SharedKeyDescriptor, csid: int, message: str, publish_id: int
) -> tuple[tuple[bool, str], ...]:
    got: Any = (found.key_install, found.key_ack, found.key_mic, found.key_secure)
    return (
        (found.descriptor_type == _RSN, f"descriptor type {found.descriptor_type}, 2 wanted"),
        (found.key_version == 0, "version is not 0"),
        (found.key_pairwise, "not of a pairwise key"),
        (not found.key_request and not found.key_error, "a request or an error"),
        (got == KEY_INFO[message], "Key Information of another message"),
        (len(found.mic) == 2 * skda.MIC_OCTETS[csid], "MIC of another length than the suite has"),
        (
            found.publish_id in (0, publish_id),
            f"Publish ID {found.publish_id}, {publish_id} wanted",
        ),
    )


def _with_mic(octets: bytes, mic: bytes) -> bytes:
    return octets[: skda.HEAD] + mic + octets[skda.HEAD + len(mic) :]


def _without_mic(frame: Naf, body: bytes, mic: int) -> bytes:
    """A body as it was heard, the MIC of its descriptor zero."""
    at = _ACTION_HEADER
    for attr in frame.attributes:
        if attr.id == skda.ID:
            start = at + _ATTRIBUTE_HEADER + skda.HEAD
            return body[:start] + bytes(mic) + body[start + mic :]
        at += _ATTRIBUTE_HEADER + len(attr.octets)
    return body
