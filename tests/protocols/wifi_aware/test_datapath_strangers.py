"""Data paths against strangers that flood and steal, and over a link that loses frames."""

from __future__ import annotations

import pytest

from protocols.wifi_aware import frame as codec
from protocols.wifi_aware import frames, keys, ndp_build
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.datapath import DataPathSettings
from protocols.wifi_aware.events import NafReceived
from protocols.wifi_aware.heard import NETWORK_ID
from tests.protocols.wifi_aware.paths import (
    NDI_B,
    SECOND,
    SECRET,
    ask,
    changed,
    connect,
    connected,
    ended,
    fields,
    losing,
    path_of,
    refused,
    reply,
    requested,
    state_of,
    until,
    wire,
)
from tests.protocols.wifi_aware.wire import A, B, faulty

# --- strangers ----------------------------------------------------------------------------------------


def from_stranger(whole: bytes, number: int) -> bytes:
    """M1 of another sender, with an NDI of its own."""
    nmi = bytes.fromhex("0200") + number.to_bytes(4, "big")
    own = changed(whole, "ndpe", fields(initiator_ndi=(b"\x06" + nmi[1:]).hex(":")))
    return own[:10] + nmi + own[16:]


def test_flood_of_requests_is_bounded_and_over_in_time() -> None:
    made, whole = until("ndp_m1")
    made.carry = losing()
    engine = made.devices["a"].data_path
    peers = len(made.devices["a"].station.peers)
    for number in range(200):
        made.devices["a"].receive(from_stranger(whole, number), made.now)
    made.flush()
    assert len(engine.links) == len(requested(made)) == 16
    assert refused(made, "a")[-1] == "16 setups are open"
    made.run(33 * SECOND)
    assert engine.links == {}
    assert engine.timers() == {}
    assert len(made.devices["a"].station.peers) == peers


def test_flood_of_one_sender_opens_one_setup() -> None:
    made, whole = until("ndp_m1")
    for number in range(50):
        nonce = f"{number:064x}"
        made.devices["a"].receive(
            changed(whole, "shared_key_descriptor", fields(nonce=nonce)), made.now
        )
    made.flush()
    assert len(requested(made)) == 1
    assert set(refused(made, "a")) == {"another setup with this peer is open"}


def test_interface_of_another_peer_cannot_be_taken() -> None:
    made, whole = until("ndp_m1")
    made.carry = losing()
    made.devices["a"].receive(whole, made.now)
    reply(made, **SECRET)
    made.run(10_000)
    thief = bytes.fromhex("020000000009")
    other = changed(whole, "ndpe", fields(ndp_id=2))
    for ndi, words in ((NDI_B, "belongs to another peer"), (B, "belongs to another peer")):
        stolen = changed(other, "ndpe", fields(initiator_ndi=ndi))
        made.devices["a"].receive(stolen[:10] + thief + stolen[16:], made.now)
        made.flush()
        assert words in refused(made, "a")[-1]
    assert made.devices["a"].station.interfaces == {NDI_B: B}


def test_wrong_key_gets_nowhere() -> None:
    """A stranger that guesses: same ND-PMKID, other key."""
    made, _ = until("ndp_m3")
    path = path_of(made, "b")
    assert path is not None
    assert path.handshake is not None
    real = path.handshake.keys
    assert real is not None
    path.handshake.keys = keys.NdpKeys(bytes(16), real.kek, real.tk, real.ptk)
    made.carry = losing()
    engine = made.devices["b"].data_path
    sent = ndp_build.confirm(engine.station, engine.links[A], path)
    made.devices["a"].receive(codec.build(sent), made.now)
    made.flush()
    assert refused(made, "a") == ["MIC of M3 is wrong"]
    made.run(5 * SECOND)
    assert state_of(made, "a") == state_of(made, "b") == "none"


@pytest.mark.parametrize("subtype", range(20))
def test_every_subtype_is_looked_at_without_harm(subtype: int) -> None:
    made = wire()
    connect(made, **SECRET)
    for category in (4, 9, 7):
        frame = made.devices["a"].station.naf(A, subtype, [], category=category, source=B)
        made.devices["a"].receive(codec.build(frame), made.now)
    made.flush()
    told = [one for one in made.events("a", NafReceived) if one.subtype == subtype]
    assert len(told) >= 2
    known = subtype in (*range(1, 5), *range(10, 14))
    assert any(one.accepted for one in told[-2:]) is known
    assert state_of(made, "a") == "connected"


# --- a bad link ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(40))
def test_on_a_bad_link_both_agree_or_give_up_in_time(seed: int) -> None:
    """Whatever is lost, doubled or overtaken: no setup stays open, and two paths that stand have one key."""
    settings = DataPathSettings(retries=2, retry_us=400_000)
    made = wire(settings, settings, seed=str(seed))
    made.carry = faulty(seed, loss=0.3, double=0.3, delay_us=3_000)
    ask(made, **SECRET)
    made.run(5_000_000)
    if state_of(made, "a") == "asked":
        reply(made, **SECRET)
    made.run(35 * SECOND)
    for name in ("a", "b"):
        links = made.devices[name].data_path.links.values()
        assert all(link.setup is None for link in links)
        assert not [timer for timer in made.devices[name].timers() if "path" in timer]
    tks = [event.nd_tk for name in ("a", "b") for event in connected(made, name)]
    assert len(set(tks)) <= 1


def test_a_publish_in_clear_does_not_end_the_path_of_who_believes_no_such():
    """A forged publish of the peer, to all, with a newer Availability that meets nowhere."""
    careful = DataPathSettings(believe_unprotected=False)
    made = wire(careful, careful)
    connect(made, **SECRET)
    shown = bytearray.fromhex(made.devices["a"].station.settings.availability)
    shown[3] = 50
    at = shown.find(bytes.fromhex("fefffeff"))
    shown[at : at + 4] = bytes.fromhex("02000000")
    forged = frames.Sdf(
        destination=NETWORK_ID, source=B, bssid=made.devices["a"].station.cluster_id, sequence_number=5,
        category=4, attributes=(Attr(shown[0], bytes(shown[3:])),),
    )  # fmt: skip
    made.devices["a"].receive(codec.build(forged), made.now)
    made.run(3_000_000)
    assert not ended(made, "a")
