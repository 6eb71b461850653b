"""Values of data paths: ND-PMK, ND-PMKID, ND-PTK, token and MICs, group keys; and what link protection hides."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import msgspec

from protocols.wifi_aware import key_data, keys
from protocols.wifi_aware.kdf import mac_octets
from protocols.wifi_aware.matching import service_id
from tui.verify.formulas.identity import add_received_key_data, add_sent_key_data, kdes_in
from tui.verify.formulas.messages import M1, M2, M3, M4, Handshake, clear_of
from tui.verify.formulas.recording import other

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes.shared_key_descriptor import SharedKeyDescriptor
    from protocols.wifi_aware.keys import NdpKeys
    from tui.verify.formulas.pool import Pool
    from tui.verify.formulas.recording import Recording, Side

__all__ = ["data_path_values"]

_OWN_KEY_IDS = {"gtk": 1, "igtk": 4, "bigtk": 6}
_PASSPHRASE_SUITES, _PAIRED_SUITES = (1, 2), (7, 8)


class _Setup:
    """One data path being set up, as one device knows it."""

    def __init__(self, csid: int, m1: Handshake, *, initiated: bool) -> None:
        self.csid = csid
        self.m1 = m1
        self.initiated = initiated
        self.initiator_ndi = ""
        self.responder_ndi = ""
        self.nonces: list[bytes] = [b"", b""]
        self.keys: list[NdpKeys] = []
        self.supports: list[int] = [0, 0]
        """Group security of the initiator and of the responder."""


class _Message(NamedTuple):
    sent: bool
    frame: Handshake
    key: SharedKeyDescriptor
    zeroed: bytes
    """the body with its MIC zeroed."""


def data_path_values(recording: Recording, side: Side, pool: Pool) -> None:
    """Add what a device computed for its data paths. Needs the keys of its pairings in the pool."""
    setup: _Setup | None = None
    _advertised(recording, side, pool)
    link_keys = pool.octets_of("nm_tk")
    for seen in recording.seen_by(side):
        frame = clear_of(seen.octets, link_keys)
        if frame is None:
            continue
        if frame.opened:
            name = "tx_plaintext_before_encryption" if seen.sent else "rx_after_decryption"
            pool.add(name, frame.octets)
        handshake = Handshake.of(frame)
        if handshake is None:
            continue
        if handshake.subtype == M1:
            setup = _begun(recording, side, handshake, sent=seen.sent, pool=pool)
        elif setup is not None and (key := handshake.key(setup.csid)) is not None:
            message = _Message(seen.sent, handshake, *key)
            _step(recording, side, setup, message, pool)
            link_keys += [each.tk for each in setup.keys if each.tk not in link_keys]


# --- ND-PMK -----------------------------------------------------------------------------------------


def _publisher(recording: Recording) -> str:
    roles = {device.role: device.nmi for device in recording.devices.values()}
    return roles.get("publisher", recording.devices["A"].nmi)


def _service(recording: Recording) -> str:
    inputs = recording.inputs
    if inputs.service_id is not msgspec.UNSET:
        return inputs.service_id
    return "" if inputs.service_name is msgspec.UNSET else service_id(inputs.service_name)


def _nd_pmks(recording: Recording, side: Side, csid: int, pool: Pool) -> list[bytes]:
    """ND-PMKs that the device may use with a suite."""
    inputs = recording.inputs
    if csid in _PAIRED_SUITES:
        return pool.octets_of("nd_pmk_from_kdk")
    passphrase = inputs.ndp_passphrase
    if side != inputs.ndp_initiator and inputs.ndp_passphrase_responder is not msgspec.UNSET:
        passphrase = inputs.ndp_passphrase_responder
    if csid in _PASSPHRASE_SUITES and passphrase is not msgspec.UNSET:
        found = keys.nd_pmk_of_passphrase(
            passphrase.encode(), csid, _service(recording), _publisher(recording)
        )
        pool.add("nd_pmk_from_passphrase", found)
        return [found]
    return [] if inputs.nd_pmk is msgspec.UNSET else [bytes.fromhex(inputs.nd_pmk)]


def _advertised(recording: Recording, side: Side, pool: Pool) -> None:
    """ND-PMK of the passphrase and, at the publisher, the ND-PMKID it shows to everybody."""
    csid = recording.inputs.csid
    if csid not in _PASSPHRASE_SUITES:
        return
    for pmk in _nd_pmks(recording, side, csid, pool):
        nmi = _publisher(recording)
        if nmi == recording.devices[side].nmi:
            _add_pmkid(pmk, keys.BROADCAST, nmi, _service(recording), csid, pool)


def _add_pmkid(
    pmk: bytes, initiator: str, responder: str, service: str, csid: int, pool: Pool
) -> None:
    pool.add("ndp_pmkid_input", keys.nd_pmkid_input(initiator, responder, service))
    pool.add("ndp_pmkid", keys.nd_pmkid(pmk, initiator, responder, service, csid))


# --- handshake --------------------------------------------------------------------------------------


def _begun(
    recording: Recording, side: Side, m1: Handshake, *, sent: bool, pool: Pool
) -> _Setup | None:
    """M1: token, ND-PMKID; None without a suite."""
    csid, path = m1.csid(), m1.data_path()
    if csid is None or csid not in keys.SUITES:
        return None
    setup = _Setup(csid, m1, initiated=sent)
    setup.supports[0] = m1.group_support()
    if path is not None:
        setup.initiator_ndi = path.initiator_ndi
    if (key := m1.key(csid)) is not None:
        setup.nonces[0] = bytes.fromhex(key[0].nonce)
    pool.add("auth_token_input", m1.body)
    pool.add("auth_token", keys.auth_token(m1.body, csid))
    own, peer = recording.devices[side].nmi, recording.devices[other(side)].nmi
    initiator, responder = (own, peer) if sent else (peer, own)
    for pmk in _nd_pmks(recording, side, csid, pool):
        _add_pmkid(pmk, initiator, responder, _service(recording), csid, pool)
    return setup


def _step(recording: Recording, side: Side, setup: _Setup, message: _Message, pool: Pool) -> None:
    """M2, M3 or M4."""
    subtype = message.frame.subtype
    if subtype == M2:
        _agreed(recording, side, setup, message, pool)
    token = keys.auth_token(setup.m1.body, setup.csid) if subtype == M3 else b""
    if subtype in (M2, M3, M4):
        pool.add("ndp_mic_input", token + message.zeroed)
        for each in setup.keys:
            pool.add("ndp_mic", keys.ndp_mic(each.kck, message.zeroed, setup.csid, token))
    if subtype in (M3, M4):
        _group_keys(recording, side, setup, message, pool)


def _agreed(recording: Recording, side: Side, setup: _Setup, message: _Message, pool: Pool) -> None:
    """M2: with both nonces and interfaces the keys are known. A device's own nonce is the one it drew."""
    path = message.frame.data_path()
    setup.supports[1] = message.frame.group_support()
    setup.nonces[1] = bytes.fromhex(message.key.nonce)
    responder = None if path is None else path.responder_ndi
    if not isinstance(responder, str) or not setup.initiator_ndi:
        return
    setup.responder_ndi = responder
    own = 0 if setup.initiated else 1
    drawn = recording.drawn(side, "ndp_nonce") or [setup.nonces[own]]
    for nonce in drawn:
        nonces = (nonce, setup.nonces[1]) if own == 0 else (setup.nonces[0], nonce)
        for pmk in _nd_pmks(recording, side, setup.csid, pool):
            setup.keys.append(_ndp_keys(pmk, setup, nonces, pool))


def _ndp_keys(pmk: bytes, setup: _Setup, nonces: tuple[bytes, bytes], pool: Pool) -> NdpKeys:
    found = keys.ndp_keys(pmk, setup.initiator_ndi, setup.responder_ndi, *nonces, setup.csid)
    pool.add_named(
        {
            "ndp_pmk": pmk, "ndp_init_ndi": mac_octets(setup.initiator_ndi),
            "ndp_resp_ndi": mac_octets(setup.responder_ndi), "ndp_inonce": nonces[0], "ndp_rnonce": nonces[1],
            "ndp_ptk": found.ptk, "ndp_kck": found.kck, "ndp_kek": found.kek, "ndp_tk": found.tk,
        }
    )  # fmt: skip
    return found


# --- group keys -------------------------------------------------------------------------------------


def _group_keys(
    recording: Recording, side: Side, setup: _Setup, message: _Message, pool: Pool
) -> None:
    """Key data of M3 and M4: our own wrapped, the peer's unwrapped."""
    told = message.key.key_data
    if not isinstance(told, str):
        return
    keks = [each.kek for each in setup.keys]
    if message.sent:
        add_sent_key_data(_own_group_keys(recording, side, min(setup.supports)), keks, pool)
        return
    for kde in kdes_in(add_received_key_data(bytes.fromhex(told), keks, pool)):
        if isinstance(kde, key_data.Gtk | key_data.Igtk | key_data.Bigtk):
            pool.add(f"rx_{type(kde).__name__.lower()}", bytes.fromhex(kde.key))


def _own_group_keys(recording: Recording, side: Side, support: int) -> bytes:
    """KDEs of what the device drew: IGTK, BIGTK when both sides support it, GTK. Packet numbers begin at the key ID."""
    kdes: list[key_data.Kde] = []
    for name, kind in (("igtk", key_data.Igtk), ("bigtk", key_data.Bigtk)):
        if name == "igtk" or support > 1:
            number = _OWN_KEY_IDS[name]
            kdes += [
                kind(key_id=number, packet_number=number, key=key.hex())
                for key in recording.drawn(side, name)
            ]
    gtks = recording.drawn(side, "gtk")
    kdes += [key_data.Gtk(key_id=_OWN_KEY_IDS["gtk"], key=key.hex()) for key in gtks]
    return key_data.encode(kdes)
