"""Messages of a peer that has the right key and still breaks a rule, group keys, and what devices learn of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from protocols.wifi_aware import frame as codec
from protocols.wifi_aware import key_data, ndl, ndp_build, ndp_frames, ndp_security
from protocols.wifi_aware.attributes import make
from protocols.wifi_aware.datapath import DataPathSettings
from protocols.wifi_aware.events import Dropped, GroupKeySet
from protocols.wifi_aware.key_data import Bigtk, Gtk, Igtk, Nik
from tests.protocols.wifi_aware.paths import (
    NDI_A,
    NDI_B,
    SECOND,
    SECRET,
    ask,
    caught,
    connect,
    connected,
    ended,
    losing,
    pair,
    path_of,
    ready,
    refused,
    reply,
    state_of,
    until,
    wire,
)
from tests.protocols.wifi_aware.wire import A, B, device

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.ndp_path import Path
    from protocols.wifi_aware.ndp_security import Handshake
    from tests.protocols.wifi_aware.wire import Wire

BUILDS: dict[str, Any] = {
    "ndp_m2": lambda engine, link, path: ndp_build.response(
        engine.station, engine.settings, link, path
    ),
    "ndp_m3": lambda engine, link, path: ndp_build.confirm(engine.station, link, path),
    "ndp_m4": lambda engine, link, path: ndp_build.install(engine.station, link, path, kdes=b""),
}


def rewritten(message: str, change: Callable[[Path, Handshake], object], **settings: Any) -> Wire:
    """The receiver of a message gets one that its sender made, with good keys, after a change of its mind."""
    made = wire(b=DataPathSettings(**settings))
    made.carry = losing(message)
    ask(made, **SECRET)
    reply(made, **SECRET)
    sender, receiver = ("b", "a") if message == "ndp_m3" else ("a", "b")
    engine, path = made.devices[sender].data_path, path_of(made, sender)
    assert path is not None
    assert path.handshake is not None
    change(path, path.handshake)
    frame = BUILDS[message](engine, engine.links[path.peer], path)
    made.devices[receiver].receive(codec.build(frame), made.now)
    made.flush()
    return made


def assign(**values: Any) -> Callable[[Path, Handshake], None]:
    """Set members of the path, or of the handshake when their name begins with `h_`."""

    def change(path: Path, handshake: Handshake) -> None:
        for name, value in values.items():
            setattr(handshake if name.startswith("h_") else path, name.removeprefix("h_"), value)

    return change


def other_nonce(role: str) -> Callable[[Path, Handshake], None]:
    def change(_path: Path, handshake: Handshake) -> None:
        handshake.nonces = {**handshake.nonces, role: bytes(32)}

    return change


@pytest.mark.parametrize(("message", "change", "words"), [
    ("ndp_m2", assign(h_counter=0), "replay counter 0 of M2 is below 1"),
    ("ndp_m2", assign(pmkid=bytes(16)), "another ND-PMKID"),
    ("ndp_m2", assign(token=9), "dialog token of another setup"),
    ("ndp_m2", assign(csid=2), "M2 has suite 2, M1 had 1"),
    ("ndp_m2", assign(publish_id=3), "CSIA of another Publish ID"),
    ("ndp_m2", assign(own_ndi=B), "cannot be the NDI of a peer"),
    ("ndp_m2", assign(ndc_id=b""), "an NDL response without NDC"),
    ("ndp_m2", assign(negotiates=False), "there is no NDL"),
    ("ndp_m3", other_nonce("initiator"), "nonce of M3 is not that of M1"),
    ("ndp_m3", assign(h_counter=0), "replay counter 0 of M3 is below 1"),
    ("ndp_m3", assign(token=9), "dialog token of another setup"),
    ("ndp_m3", assign(csid=0), "security is announced by one side only"),
    ("ndp_m3", assign(h_token=bytes(16)), "MIC of M3 is wrong"),
    ("ndp_m4", assign(h_counter=1), "replay counter 1 of M4 is below 2"),
])  # fmt: skip
def test_good_keys_do_not_excuse_a_broken_rule(
    message: str, change: Callable[[Path, Handshake], None], words: str
) -> None:
    made = rewritten(message, change)
    name = "a" if message == "ndp_m3" else "b"
    assert words in refused(made, name)[-1]
    assert connected(made, name) == []


@pytest.mark.parametrize("strict", [True, False])
def test_nonce_of_m4_counts_when_told_so(strict: bool) -> None:
    """Pairing digest 9.5: hostap does not compare it."""
    made = rewritten("ndp_m4", other_nonce("responder"), check_m4_nonce=strict)
    assert len(connected(made, "b")) == (not strict)


def test_strength_is_that_of_the_digest() -> None:
    """Pairing digest 9.6, strongest first."""
    order = [(8, "sae"), (7, "sae"), (2, ""), (1, ""), (8, "pasn"), (7, "pasn"), (0, "")]
    ranks = [ndp_security.strength(csid, akm) for csid, akm in order]
    assert ranks == sorted(ranks, reverse=True)
    assert len(set(ranks)) == len(ranks)
    assert ndp_security.strength(2, "sae") == ndp_security.strength(2, "")


# --- group keys ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kde", "words"), [
    (Igtk(key_id=7, packet_number=1, key="00" * 16), "IGTK with key ID 7"),
    (Igtk(key_id=4, packet_number=1, key="00" * 5), "IGTK of 5 octets"),
    (Bigtk(key_id=4, packet_number=1, key="00" * 16), "BIGTK with key ID 4"),
    (Gtk(key_id=1, key="00" * 16), "listed no group suite"),
])  # fmt: skip
def test_group_key_that_cannot_be_is_left_out(kde: key_data.Kde, words: str) -> None:
    made = wire()
    made.carry = losing("ndp_m4")
    ask(made, **SECRET)
    reply(made, **SECRET)
    engine, path = made.devices["a"].data_path, path_of(made, "a")
    assert path is not None
    octets = key_data.encode([kde, Nik(cipher_version=0, nik="11" * 16)])
    frame = ndp_build.install(engine.station, engine.links[B], path, kdes=octets)
    made.devices["b"].receive(codec.build(frame), made.now)
    made.flush()
    assert any(words in event.reason for event in made.events("b", Dropped))
    assert len(connected(made, "b")) == 1
    assert made.devices["b"].station.peers[A].group_keys == {}


def test_key_data_of_another_key_is_not_taken() -> None:
    made, _ = until("ndp_m4")
    engine, path = made.devices["a"].data_path, path_of(made, "a")
    assert path is not None
    assert path.handshake is not None
    assert path.handshake.keys is not None
    path.handshake.keys = path.handshake.keys._replace(kek=bytes(16))
    octets = key_data.encode([Igtk(key_id=4, packet_number=4, key="00" * 16)])
    frame = ndp_build.install(engine.station, engine.links[B], path, kdes=octets)
    made.devices["b"].receive(codec.build(frame), made.now)
    made.flush()
    assert refused(made, "b") == ["Key Data was wrapped with another key than ND-KEK"]


def test_same_group_key_again_keeps_its_packet_number() -> None:
    made = wire(station={"security_capabilities": 2})
    connect(made, **SECRET)
    held = made.devices["a"].station.peers[B].group_keys[4]
    assert held.received == 4
    held.received = 1000
    connect(made, **SECRET)
    assert made.devices["a"].station.peers[B].group_keys[4].received == 1000
    assert len([one for one in made.events("a", GroupKeySet) if one.address == B]) == 1


# --- who is meant, and how ----------------------------------------------------------------------------


def test_setup_of_a_name_that_is_in_use_does_not_end_the_path() -> None:
    """Somebody with the address of the peer asks for the same NDP ID and falls silent."""
    made = wire()
    connect(made, **SECRET)
    real = made.devices["b"]
    made.devices["b"] = ready(device(B, "impostor"))
    ask(made, **SECRET)
    made.carry = losing("ndp_m2")
    reply(made, **SECRET)
    made.devices["b"] = real
    sent = len(made.sent)
    made.run(3 * SECOND)
    assert [event.failure for event in ended(made, "a")] == [True]
    assert len(made.sent) == sent
    assert state_of(made, "a") == state_of(made, "b") == "connected"


def test_link_outlives_its_last_path_while_another_is_set_up() -> None:
    made = wire()
    connect(made, **SECRET)
    second = ask(made, **SECRET, ndi="02:00:5e:20:b0:77")
    made.devices["b"].data_path.terminate(A, NDI_B, 1, made.now)
    made.run(10_000)
    reply(made, second, ndi="02:00:5e:20:b0:77", **SECRET)
    made.run(10_000)
    for name in ("a", "b"):
        first, other = connected(made, name)
        assert first.slots == other.slots != ()


def test_paired_peer_does_not_send_between_interfaces() -> None:
    made = wire()
    pair(made)
    connect(made)
    station = made.devices["b"].station
    frame = station.naf(NDI_A, 13, [], category=9, source=NDI_B)
    station.send(frame, "schedule_update", "data_path")
    made.run(0)
    assert refused(made, "a") == ["a paired peer sends between NMIs, not between NDIs"]


def attributes_of(octets: bytes) -> list[str]:
    return [attr.name for attr in codec.read(octets).nan_attributes]


def test_form_of_the_request_follows_what_the_peer_knows() -> None:
    """Digest 2.16: NDPE when the peer's Device Capability says so; it is learnt from its frames."""
    plain = {"device_capability": "0f09000049041400220a0000", "ndpe": False}
    made = wire(station_a=plain)
    connect(made, **SECRET)
    assert "ndpe" in attributes_of(caught(made, "ndp_m1"))
    made.devices["b"].data_path.terminate(A, NDI_B, 1, made.now)
    made.run(10_000)
    connect(made)
    made.devices["b"].data_path.terminate(A, NDI_B, 2, made.now)
    made.run(10_000)
    ask(made)
    assert "ndp" in attributes_of(caught(made, "ndp_m1"))


@pytest.mark.parametrize("ndpe", [True, False])
def test_of_two_forms_the_one_the_sender_claims_counts(ndpe: bool) -> None:
    made, whole = until("ndp_m1")
    frame: Any = codec.read(whole)
    found = frame.first("ndpe")
    members = {name: getattr(found, name) for name in found.__struct_fields__ if name not in ("gtk_required", "tlvs", "type")}  # fmt: skip
    other = ndp_frames.ndp_of(
        ndp_frames.REQUEST, ndp_frames.Additions(), ndpe=False, **{**members, "ndp_id": 77}
    )
    capability = msgspec.structs.replace(frame.first("device_capability"), ndpe=ndpe)
    attributes = (make(capability), other, *frame.attributes[1:])
    step = ndp_frames.read(msgspec.structs.replace(frame, attributes=attributes))
    assert step.setup.ndp_id == (1 if ndpe else 77)
    assert made.names() == ["ndp_m1"]


def test_immutable_schedule_is_not_repeated_in_an_answer_that_accepts() -> None:
    """Digest 5.5: hostap drops such a response; the request may have one."""
    immutable = "140b00" + "00000012" + "1900" + "0118000102"
    made = wire(station={"ndl": immutable})
    connect(made, **SECRET)
    assert len(connected(made, "b")) == 1
    for name, present in (("ndp_m1", True), ("ndp_m2", False)):
        fields = codec.read(caught(made, name)).first("ndl")
        assert (fields.immutable_schedule is not msgspec.UNSET) is present
    assert ndl.scheduled(codec.read(caught(made, "ndp_m1")).first("ndl").immutable_schedule) == {
        32 * index + 1 for index in range(16)
    }
