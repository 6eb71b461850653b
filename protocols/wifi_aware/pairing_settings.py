"""How a device pairs: every point in which implementations of Wi-Fi Aware pairing differ, or a careful one should.

Digest of pairing, sections 6, 7 and 12; phone profiles IA-36 to IA-46, AA-02 to AA-45. What goes on the air by default
is hostap's; how much is believed and how long is waited by default is our choice for a device that cannot be held up.
`HOSTAP` has every switch as hostap has it. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import Literal

import msgspec

__all__ = ["HOSTAP", "PairingSettings"]


class PairingSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How a device pairs. Times in microseconds; None: without end, or without limit."""

    # who may pair, and with what

    suites: tuple[int, ...] = (7, 8)
    """CSIDs that are started and taken. Qualcomm: 7 alone (discrepancy 4)."""
    verification: bool = True
    """pairings with cached keys are started and taken."""
    minimum_password_octets: int = 0
    """hostap checks nothing; some Qualcomm builds refuse six digits, as a limit of 8 would (AA-10)."""
    identity_limit: int | None = 64
    """paired devices that are remembered, the oldest goes first. hostap: no limit."""
    enforce_lifetime: bool = False
    """a stored identity goes when its announced lifetime is over; hostap keeps it."""

    # patience

    auth_timeout_us: int | None = 20_000_000
    """from the first own frame of an exchange to its end. hostap: none; ESP-IDF: 10 s; AOSP: 20 s (AA-23)."""
    stored_timeout_us: int | None = 20_000_000
    """how long an Auth1 waits for the application; further ones of its peer do not prolong it. hostap: for ever; AOSP:
    20 s (AA-42)."""
    stored_limit: int | None = 8
    """peers whose Auth1 is kept at once; further ones are dropped. hostap: no limit."""
    attempts_limit: int | None = 5
    """Auth1 that one `accept` answers: each answer lets its sender try one password. hostap: no limit."""
    comeback_after_tu: int | None = None
    """an Auth1 without cookie is told to come back then, status 30; nothing of NAN sends that."""
    comeback_limit: int = 3
    """times that an initiator comes back in one exchange."""

    # what is believed

    rejection_grace_us: int = 2_000_000
    """how long a frame that refuses, or that is malformed, is held back: anyone can forge such, and a right one that
    comes meanwhile (three discovery windows) goes before it. hostap: 0, the first one ends the exchange."""
    repeated_auth2: Literal["ignore", "fail"] = "ignore"
    """Auth2 after Auth3 was sent. hostap: `fail`, status 1."""
    second_auth1: Literal["repeat", "replace", "drop"] = "repeat"
    """Auth1 while an exchange waits for Auth3: `repeat` gives the same octets the same Auth2 and lets others replace
    the exchange. hostap: `replace`; Qualcomm: `drop` (discrepancy 16)."""
    drop_replayed_auth1: bool = True
    """the Auth1 of a pairing that succeeded is not taken again. hostap: it is kept as a new request."""
    tie_break: Literal["none", "nmi"] = "none"
    """both sides started: `nmi` makes the one with the lower NMI the responder. Ours, in no document; hostap: both
    wait until an application aborts."""
    check_npkid: bool = True
    """verification: NIRA and PMKID of the peer are those of the identity in use, else status 53 (Qualcomm). hostap:
    a NIRA must be there, any value passes (discrepancy 15)."""
    csia_any_order: bool = True
    """the suite may stand anywhere in the CSIA of Auth1. hostap: first (discrepancy 9)."""
    check_auth2_a3: bool = False
    """Auth2 must have the cluster ID as A3. hostap: yes; ESP-IDF sends its own address (discrepancy 12)."""
    require_auth3_ack: bool = False
    """success of an initiator needs an acknowledged Auth3. hostap: any transmit status will do."""

    # the three frames

    a3: Literal["cluster", "responder"] = "cluster"
    """A3 of Authentication frames: cluster ID, or the responder's address (ESP-IDF; discrepancy 12)."""
    rsnxe_octets: Literal[1, 2] = 2
    """hostap: 2; Qualcomm, ESP-IDF: 1 (discrepancy 8)."""
    rsnxe_opportunistic: bool = False
    """an RSNXE without a password too (ESP-IDF; discrepancy 8)."""
    csia_responder: tuple[int, ...] = ()
    """CSIDs of Auth2, empty: the suite alone. Qualcomm: (7, 1); MediaTek: (1, 7) (discrepancy 9)."""
    npba: Literal["copy", "advertise", "answer", "response", "none"] = "copy"
    """bootstrapping in the frames: a copy of the request (hostap), advertise with all methods (Qualcomm), request in
    Auth1 and response in Auth2 (`answer`, MediaTek), a response in both (ESP-IDF) (discrepancy 10)."""
    dcea_in_verification: bool = False
    """Qualcomm, MediaTek: yes (discrepancy 11)."""

    # keys

    install_before_auth2: bool = False
    """a responder uses NM-TK before it has seen Auth3 (Qualcomm; discrepancy 14)."""
    nd_pmk_hash: Literal["suite", "sha256"] = "suite"
    """Qualcomm, MediaTek: SHA-256 always (discrepancy 1)."""
    nm_hash: Literal["suite", "pasn"] = "suite"
    """of NM-KEK and NPK: that of the suite, or that of PASN, which also goes by AKM (Qualcomm; discrepancy 2)."""
    npk_length: Literal["pmk", "tk"] = "pmk"
    """of the opportunistic NPK: 32 octets, or those of the TK (Qualcomm; discrepancy 3). A short one is padded with
    zeros as PMK (assumed: how Qualcomm uses it was not seen)."""

    # exchange of identities (whether the follow-up shows a NIRA, as IA-42 wants, is `DiscoverySettings.nira_in_follow_up`)

    nik_start: Literal["initiator", "both"] = "initiator"
    """who sends its key unasked: the initiator, whom the responder answers (hostap), or each on its own."""
    nik_delay_us: int = 30_000
    """from the end of PASN to the own key. hostap: 30 ms; iPhone: about 2.55 s (IA-40)."""
    nik_answer_delay_us: int = 0
    """from the peer's key to the answer."""
    nik_timeout_us: int | None = 5_000_000
    """for the peer's key. hostap: none; ESP-IDF: 5 s; 2 s is too short for an iPhone (IA-40)."""
    after_nik_timeout: Literal["keep", "teardown"] = "keep"
    """`teardown`: the pairing ends, and a key that comes later is answered unprotected (ESP-IDF; IA-41)."""
    bad_nik: Literal["ignore", "end"] = "ignore"
    """a follow-up with a key descriptor that does not open. hostap: `end`, no further one is taken."""
    require_nira_in_peer_follow_up: bool = False
    """the peer's follow-up must show a NIRA that its key made (iPhone; IA-42)."""
    check_instance_ids: bool = True
    """the peer's follow-up must come from and go to the instances of the pairing. hostap does not look."""
    lifetime_s: int | None = 43200
    """announced for the own key; None: no lifetime KDE (iPhone; IA-43)."""
    lifetime_little_endian: bool = False
    """seconds in the order of the sender's processor (MediaTek, Qualcomm; discrepancy 7)."""
    requires_lifetime: bool = False
    """a key without lifetime is refused. hostap: yes; iPhone: no (IA-43, discrepancy 7)."""
    nik_mic_octets: Literal[0, 16, 24] = 0
    """MIC field of the key descriptor, all zero with the MIC bit clear. hostap: none; ESP-IDF, MediaTek: 16 or 24
    (discrepancy 5, IA-44)."""
    accept_nik_mic: bool = True
    """a key descriptor with a MIC field is taken. hostap: no (discrepancy 5)."""
    nik_key_information: int = 0x1088
    """Qualcomm: 0x1000 (discrepancy 6)."""
    require_pairwise_bit: bool = False
    """of the peer's key descriptor. hostap: yes (discrepancy 6)."""
    group_keys: Literal["none", "ieee", "wfa"] = "none"
    """IGTK and BIGTK beside the own key: KDEs 00-0F-AC:9 and :14 (MediaTek), or 50-6F-9A:2 and :3 in the same form
    (Qualcomm; that form is assumed) (discrepancy 13)."""
    take_group_keys: bool = False
    """IGTK and BIGTK beside the peer's key are used. hostap passes over them."""


HOSTAP = PairingSettings(
    identity_limit=None,
    auth_timeout_us=None,
    stored_timeout_us=None,
    stored_limit=None,
    attempts_limit=None,
    rejection_grace_us=0,
    repeated_auth2="fail",
    second_auth1="replace",
    drop_replayed_auth1=False,
    check_npkid=False,
    csia_any_order=False,
    check_auth2_a3=True,
    nik_timeout_us=None,
    bad_nik="end",
    check_instance_ids=False,
    requires_lifetime=True,
    accept_nik_mic=False,
    require_pairwise_bit=True,
)
"""As hostap pairs: the recorded exchanges are its."""
