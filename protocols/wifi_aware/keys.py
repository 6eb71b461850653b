"""Keys of pairing and data paths, and the MICs made with them: each formula one function.

Wi-Fi Aware 4.0, pairing and data path security, over IEEE 802.11az-2022 (PASN) and IEEE 802.11-2020 12.7.1.7.2;
digest of pairing, sections 0.1, 3, 4, 9 and 10, verified against hostap. The PASN formulas take their hash from AKM
and suite, the NAN formulas from the suite alone; where other stacks differ (digest, section 12) a keyword says how,
and its default is what hostap does. Initiator and responder are those of the exchange in question. Addresses are
text, keys and bodies octets; a body reaches from behind the 24-octet header to the end, FCS excluded. No clock, no
randomness, no IO.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import ClassVar, Literal, NamedTuple

from protocols.errors import LocalProtocolError, RemoteProtocolError, UsageError
from protocols.wifi_aware import p_curves
from protocols.wifi_aware.kdf import kdf, mac_octets

__all__ = [
    "BROADCAST", "OPPORTUNISTIC_PMK", "SUITES", "Akm", "NdpKeys", "PasnKeys", "PublicKeyError", "PublicKeyFormError",
    "PublicKeyPointError", "Suite", "auth1_hash", "auth_token", "ecdh_public", "ecdh_shared", "kdf", "nd_pmk",
    "nd_pmk_of_passphrase", "nd_pmkid", "nd_pmkid_input", "ndp_keys", "ndp_mic", "nm_kek", "npk_opportunistic",
    "pasn_hash", "pasn_keys", "pasn_mic", "pasn_mic_input", "pasn_mic_octets", "suite_of",
]  # fmt: skip

Akm = Literal["sae", "pasn"]
"""With a password, or the opportunistic one; a verification has that of the pairing it renews."""
OPPORTUNISTIC_PMK = b"PMKz" + bytes(28)
"""PMK of PASN without a password."""
BROADCAST = "ff:ff:ff:ff:ff:ff"
"""In place of the initiator in an ND-PMKID that is advertised."""
_PASN_KCK = _KDK = _PMK = 32
_TOKEN = _PMKID = 16
_ITERATIONS = 4096
_SALT_VERSION = 0


class Suite(NamedTuple):
    """A cipher suite of the CSIA, lengths in octets; 0 and None: not of this suite."""

    csid: int
    name: str
    group: int | None
    """of SAE and ECDH; None: no pairing."""
    cipher: str
    """of frames, as `protection` names it."""
    hash: str
    """of the NAN keys."""
    tk: int
    kek: int
    """NM-KEK and ND-KEK."""
    kck: int
    """ND-KCK; that of PASN always has 32."""
    mic: int
    """of the key descriptor."""


SUITES = {
    suite.csid: suite
    for suite in (
        Suite(1, "NCS-SK-128", None, "ccmp_128", "sha256", 16, 16, 16, 16),
        Suite(2, "NCS-SK-256", None, "gcmp_256", "sha384", 32, 32, 24, 24),
        Suite(5, "NCS-GTK-CCMP-128", None, "ccmp_128", "", 16, 0, 0, 0),
        Suite(6, "NCS-GTK-GCMP-256", None, "gcmp_256", "", 32, 0, 0, 0),
        Suite(7, "NCS-PK-PASN-128", 19, "ccmp_128", "sha256", 16, 16, 16, 16),
        Suite(8, "NCS-PK-PASN-256", 20, "gcmp_256", "sha384", 32, 32, 24, 24),
    )
}
"""By CSID; 5 and 6 are for group-addressed data, 3 and 4 no implementation is known of."""


def suite_of(csid: int) -> Suite:
    """The suite of pairwise keys. Raises UsageError when there is none of that number."""
    suite = SUITES.get(csid)
    if suite is None or not suite.kck:
        raise UsageError(f"CSID {csid} is no suite of pairwise keys; 1, 2, 7 and 8 are")
    return suite


# --- ephemeral secret -----------------------------------------------------------------------------


class PublicKeyError(RemoteProtocolError):
    """A public key that cannot be used; `code` is the status that answers it (hostap)."""

    code: ClassVar[int] = 1


class PublicKeyFormError(PublicKeyError):
    """Its first octet is none of 02, 03 and 04."""

    code: ClassVar[int] = 136


class PublicKeyPointError(PublicKeyError):
    """It is of another length than its form has, or there is no such point on the curve."""


def ecdh_public(group: int, private: bytes) -> bytes:
    """Public key of a private one: 02 and x, whatever the parity of y, as hostap writes it.

    Raises LocalProtocolError when the number is not in 1..q-1: draw another.
    """
    curve = p_curves.curve_of(group)
    try:
        x = p_curves.generator_x(curve, int.from_bytes(private, "big"))
    except ValueError as exc:
        raise _useless_private(group) from exc
    return b"\x02" + x.to_bytes(curve.octets, "big")


def ecdh_shared(group: int, private: bytes, peer_public: bytes) -> bytes:
    """DHss: x of the shared point. Raises PublicKeyError for a key that is no point, LocalProtocolError as above."""
    curve = p_curves.curve_of(group)
    if peer_public[:1] not in (b"\x02", b"\x03", b"\x04"):
        found = peer_public[:1].hex() or "nothing"
        raise PublicKeyFormError(f"public key begins with {found}; 02, 03 or 04 is allowed")
    scalar = int.from_bytes(private, "big")
    if not 0 < scalar < curve.q:
        raise _useless_private(group)
    try:
        x = p_curves.shared_x(curve, scalar, peer_public)
    except ValueError as exc:
        octets = len(peer_public)
        raise PublicKeyPointError(
            f"public key of {octets} octets is no point of group {group}"
        ) from exc
    return x.to_bytes(curve.octets, "big")


def _useless_private(group: int) -> LocalProtocolError:
    return LocalProtocolError(
        f"private key is not between 1 and the order of group {group}; draw another"
    )


# --- PASN (IEEE 802.11az-2022, 12.13.8 and 12.13.5) -------------------------------------------------


class PasnKeys(NamedTuple):
    """What a pairing gives both sides; `ptk` is all of it in order."""

    kck: bytes
    nm_tk: bytes
    nm_kdk: bytes
    ptk: bytes


def pasn_hash(csid: int, akm: Akm) -> str:
    """Hash of the PASN formulas: SHA-384 only for suite 8 without a password."""
    return "sha384" if suite_of(csid).hash == "sha384" and akm == "pasn" else "sha256"


def pasn_mic_octets(csid: int, akm: Akm) -> int:
    """Octets of the MIC element's value: 16 or 24."""
    return 24 if pasn_hash(csid, akm) == "sha384" else 16


def pasn_keys(
    pmk: bytes, initiator_nmi: str, responder_nmi: str, dhss: bytes, *, csid: int, akm: Akm
) -> PasnKeys:
    """PTK of a PASN exchange, cut up; the PMK is that of SAE, `OPPORTUNISTIC_PMK`, or a cached NPK."""
    context = mac_octets(initiator_nmi) + mac_octets(responder_nmi) + dhss
    end_of_tk = _PASN_KCK + suite_of(csid).tk
    bits = 8 * (end_of_tk + _KDK)
    ptk = kdf(pasn_hash(csid, akm), pmk, b"PASN PTK Derivation", context, bits)
    return PasnKeys(ptk[:_PASN_KCK], ptk[_PASN_KCK:end_of_tk], ptk[end_of_tk:], ptk)


def auth1_hash(body: bytes, *, csid: int, akm: Akm) -> bytes:
    """Hash of Auth1 that the MIC of Auth3 covers, not truncated."""
    return hashlib.new(pasn_hash(csid, akm), body).digest()


def pasn_mic_input(own_nmi: str, peer_nmi: str, third: bytes, body_zero_mic: bytes) -> bytes:
    """What the MIC is made of; `own` sends the frame, whose MIC octets are zero here.

    `third`: in Auth2 its RSNE and RSNXE as whole elements, in Auth3 `auth1_hash`.
    """
    return mac_octets(own_nmi) + mac_octets(peer_nmi) + third + body_zero_mic


def pasn_mic(
    kck: bytes,
    own_nmi: str,
    peer_nmi: str,
    third: bytes,
    body_zero_mic: bytes,
    *,
    csid: int,
    akm: Akm,
) -> bytes:
    """MIC of Auth2 or Auth3, 16 or 24 octets (arguments: `pasn_mic_input`)."""
    data = pasn_mic_input(own_nmi, peer_nmi, third, body_zero_mic)
    return hmac.digest(kck, data, pasn_hash(csid, akm))[: pasn_mic_octets(csid, akm)]


# --- of NM-KDK (Wi-Fi Aware 4.0; digest 4) ----------------------------------------------------------


def nm_kek(
    nm_kdk: bytes, initiator_nmi: str, responder_nmi: str, csid: int, *, hash_name: str | None = None
) -> bytes:  # fmt: skip
    """NM-KEK, 16 or 32 octets. Another `hash_name` than the suite's: Qualcomm, by AKM and cipher (`pasn_hash`)."""
    label, octets = b"NAN Management KEK Derivation", suite_of(csid).kek
    name = hash_name or suite_of(csid).hash
    return _of_kdk(nm_kdk, label, initiator_nmi, responder_nmi, name, octets)


def npk_opportunistic(
    nm_kdk: bytes, initiator_nmi: str, responder_nmi: str, csid: int,
    *, hash_name: str | None = None, octets: int = _PMK,
) -> bytes:  # fmt: skip
    """NPK of a pairing without a password (with one it is the SAE PMK).

    Qualcomm takes the hash of `pasn_hash` and as many octets as the TK has; the number is part of what is hashed.
    """
    label, name = b"NAN Opportunistic NPK Derivation", hash_name or suite_of(csid).hash
    return _of_kdk(nm_kdk, label, initiator_nmi, responder_nmi, name, octets)


def nd_pmk(
    nm_kdk: bytes, initiator_nmi: str, responder_nmi: str, csid: int, *, hash_name: str | None = None
) -> bytes:  # fmt: skip
    """ND-PMK of paired devices, 32 octets; roles are those of PASN. Qualcomm and MediaTek: always SHA-256."""
    label, name = b"NDP PMK Derivation", hash_name or suite_of(csid).hash
    return _of_kdk(nm_kdk, label, initiator_nmi, responder_nmi, name, _PMK)


def _of_kdk(
    nm_kdk: bytes, label: bytes, initiator_nmi: str, responder_nmi: str, hash_name: str, octets: int
) -> bytes:
    context = mac_octets(initiator_nmi) + mac_octets(responder_nmi)
    return kdf(hash_name, nm_kdk, label, context, 8 * octets)


# --- data path (Wi-Fi Aware 4.0; digest 9) ----------------------------------------------------------


class NdpKeys(NamedTuple):
    """What the handshake of a data path gives both sides; `ptk` is all of it in order."""

    kck: bytes
    kek: bytes
    tk: bytes
    ptk: bytes


def nd_pmk_of_passphrase(
    passphrase: bytes, csid: int, service_id: str, publisher_nmi: str
) -> bytes:
    """ND-PMK of suites 1 and 2, 32 octets (PBKDF2, 4096 rounds); `service_id`: 6 octets as hex."""
    salt = bytes((_SALT_VERSION, csid)) + bytes.fromhex(service_id) + mac_octets(publisher_nmi)
    return hashlib.pbkdf2_hmac(suite_of(csid).hash, passphrase, salt, _ITERATIONS, _PMK)


def nd_pmkid_input(initiator_nmi: str, responder_nmi: str, service_id: str) -> bytes:
    """What the ND-PMKID is made of."""
    addresses = mac_octets(initiator_nmi) + mac_octets(responder_nmi)
    return b"NAN PMK Name" + addresses + bytes.fromhex(service_id)


def nd_pmkid(
    nd_pmk: bytes, initiator_nmi: str, responder_nmi: str, service_id: str, csid: int
) -> bytes:
    """ND-PMKID, 16 octets; NMIs, not NDIs. When advertised the initiator is `BROADCAST`."""
    data = nd_pmkid_input(initiator_nmi, responder_nmi, service_id)
    return hmac.digest(nd_pmk, data, suite_of(csid).hash)[:_PMKID]


def ndp_keys(
    nd_pmk: bytes, initiator_ndi: str, responder_ndi: str, initiator_nonce: bytes, responder_nonce: bytes, csid: int
) -> NdpKeys:  # fmt: skip
    """ND-PTK, cut up; the initiator is who sends M1, and the nonces have 32 octets."""
    suite = suite_of(csid)
    context = (
        mac_octets(initiator_ndi) + mac_octets(responder_ndi) + initiator_nonce + responder_nonce
    )
    end_of_kek = suite.kck + suite.kek
    bits = 8 * (end_of_kek + suite.tk)
    ptk = kdf(suite.hash, nd_pmk, b"NAN Pairwise key expansion", context, bits)
    return NdpKeys(ptk[: suite.kck], ptk[suite.kck : end_of_kek], ptk[end_of_kek:], ptk)


def auth_token(m1_body: bytes, csid: int) -> bytes:
    """Authentication token of M1 as received, 16 octets with either hash."""
    return hashlib.new(suite_of(csid).hash, m1_body).digest()[:_TOKEN]


def ndp_mic(kck: bytes, body_zero_mic: bytes, csid: int, token: bytes = b"") -> bytes:
    """MIC of M2, M3 or M4, 16 or 24 octets; `token` only for M3 (`auth_token`)."""
    suite = suite_of(csid)
    return hmac.digest(kck, token + body_zero_mic, suite.hash)[: suite.mic]
