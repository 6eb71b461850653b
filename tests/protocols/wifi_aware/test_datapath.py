"""Data paths between two of our devices: setups of every form, refusals, peers that start anew."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.wifi_aware.datapath import DataPathSettings
from protocols.wifi_aware.events import GroupKeySet
from protocols.wifi_aware.station import RefusedError
from tests.protocols.wifi_aware.paths import (
    NDI_A,
    NDI_B,
    SECOND,
    SECRET,
    ask,
    connect,
    connected,
    ended,
    pair,
    ready,
    reply,
    requested,
    state_of,
    wire,
)
from tests.protocols.wifi_aware.wire import A, B, device

KEY = bytes(range(32))


# --- setups that succeed ----------------------------------------------------------------------------


@pytest.mark.parametrize(("csid", "octets", "cipher"), [(1, 16, "ccmp_128"), (2, 32, "gcmp_256")])
def test_secure_path_gives_both_one_key(csid: int, octets: int, cipher: str) -> None:
    made = wire()
    connect(made, csid=csid, pmk=KEY)
    (one,), (other,) = connected(made, "a"), connected(made, "b")
    assert made.names() == ["ndp_m1", "ndp_m2", "ndp_m3", "ndp_m4"]
    assert len(one.nd_tk) == 2 * octets
    assert one.nd_tk == other.nd_tk
    assert (one.cipher, one.local_ndi, one.peer_ndi) == (cipher, NDI_A, NDI_B)
    assert (other.local_ndi, other.peer_ndi) == (NDI_B, NDI_A)


@pytest.mark.parametrize("ndpe", [True, False])
@pytest.mark.parametrize("confirm", [True, False])
def test_open_path_takes_three_frames_or_two(ndpe: bool, confirm: bool) -> None:
    settings = DataPathSettings(confirm_required=confirm)
    capability = "0f09000049041400220a0008" if ndpe else "0f09000049041400220a0000"
    made = wire(b=settings, station={"ndpe": ndpe, "device_capability": capability})
    connect(made, service_info=b"port")
    assert made.names() == ["ndp_m1", "ndp_m2", "ndp_m3"][: 3 if confirm else 2]
    assert requested(made)[0].service_info == b"port".hex()
    for name in ("a", "b"):
        (event,) = connected(made, name)
        assert (event.csid, event.nd_tk, event.cipher) == (0, "", "")
        assert event.service_info == b"port".hex()


def test_identifiers_travel_in_both_directions() -> None:
    made = wire()
    ask(made, interface_identifier=b"\x02\x01\x02\xff\xfe\x03\x04\x05")
    reply(made, interface_identifier=b"\x06\x01\x02\xff\xfe\x03\x04\x05")
    made.run(10_000)
    assert connected(made, "a")[0].interface_identifier == "020102fffe030405"
    assert connected(made, "b")[0].interface_identifier == "060102fffe030405"


def test_connected_event_tells_when_data_can_be_sent() -> None:
    """Configuration: committed on channel 6 in slots 1-15 and 17-31 of 32, NDC in slots 1-3."""
    made = wire()
    connect(made)
    (event,) = connected(made, "a")
    (slots,) = event.slots
    marked = int.from_bytes(bytes.fromhex(slots.slots), "little")
    first = [slot for slot in range(64) if marked >> slot & 1]
    assert first == [slot for slot in range(64) if slot % 16 and slot % 32 < 32]
    assert slots.primary_mhz == 2437
    ndc = int.from_bytes(bytes.fromhex(event.ndc), "little")
    assert [slot for slot in range(40) if ndc >> slot & 1] == [1, 2, 3, 33, 34, 35]
    assert event.ndc_id == connected(made, "b")[0].ndc_id
    assert (event.own_max_idle, event.peer_max_idle) == (25, 25)


@pytest.mark.parametrize(("csid", "sk", "asked"), [(7, False, 7), (8, False, 8), (7, True, 1), (8, True, 2)])  # fmt: skip
def test_paired_peers_use_the_key_of_their_pairing(csid: int, sk: bool, asked: int) -> None:
    """Pairing digest 9.6: whatever the application says; ESP-IDF shows the shared-key suite (IA-57)."""
    made = wire(b=DataPathSettings(paired_suite="sk" if sk else "pairing"))
    pair(made, csid)
    connect(made, csid=1, passphrase=b"ignored here")
    assert requested(made)[0].csid == asked
    assert connected(made, "a")[0].nd_tk == connected(made, "b")[0].nd_tk != ""
    assert {frame.octets[24:] == frame.clear[24:] for _, _, frame in made.sent} == {False}


def test_second_path_travels_between_the_interfaces_and_back_when_it_ends() -> None:
    """Recordings: the pair of NDIs of the secure path connected last carries the frames; without one the NMIs."""
    made = wire()
    connect(made, **SECRET)
    ndi = "02:00:5e:20:b0:77"
    second = connect(made, **SECRET, ndi=ndi)
    heads = [frame.clear[4:16].hex() for _, _, frame in made.sent[4:]]
    octets_a, octets_b = NDI_A.replace(":", ""), NDI_B.replace(":", "")
    assert set(heads) == {octets_a + octets_b, octets_b + octets_a}
    made.devices["b"].data_path.terminate(A, ndi, second, made.now)
    made.run(10_000)
    assert made.sent[-1][2].clear[10:16].hex() == ndi.replace(":", "")
    made.devices["b"].data_path.terminate(A, NDI_B, 1, made.now)
    made.run(10_000)
    assert made.sent[-1][2].clear[10:16].hex() == octets_b
    for name in ("a", "b"):
        station = made.devices[name].station
        assert (station.link_keys, station.interfaces) == ({}, {})
        assert made.devices[name].data_path.links == {}


def test_rekeying_gives_a_new_key_and_ends_the_old_path() -> None:
    made = wire()
    first = connect(made, **SECRET)
    second = made.devices["b"].data_path.rekey(A, NDI_B, first, made.now)
    made.run(0)
    reply(made, second, **SECRET)
    made.run(SECOND)
    for name in ("a", "b"):
        old, new = connected(made, name)
        assert old.nd_tk != new.nd_tk
        assert [(event.ndp_id, event.reason) for event in ended(made, name)] == [(first, 1)]
        (key,) = made.devices[name].station.link_keys.values()
        assert key.key.hex() == new.nd_tk
        assert state_of(made, name) == "connected"


def test_weaker_suite_does_not_replace_a_key() -> None:
    """Pairing digest 9.6: strength 2 > 1; the paths of a pair of NDIs share the stronger key."""
    made = wire()
    connect(made, csid=2, pmk=KEY)
    connect(made, csid=1, pmk=KEY)
    for name in ("a", "b"):
        strong, weak = connected(made, name)
        assert (weak.nd_tk, weak.cipher, weak.csid) == (strong.nd_tk, "gcmp_256", 1)


@pytest.mark.parametrize(("capabilities", "kinds", "octets"), [
    (0x02, {"igtk": 4}, 16), (0x04, {"igtk": 4, "bigtk": 6}, 16), (0x14, {"igtk": 4, "bigtk": 6}, 32),
])  # fmt: skip
def test_group_keys_of_each_other(capabilities: int, kinds: dict[str, int], octets: int) -> None:
    made = wire(station={"security_capabilities": capabilities})
    connect(made, **SECRET, gtk_csid=6)
    for name, nmi in (("a", B), ("b", A)):
        other = made.devices["b" if name == "a" else "a"].station
        told = [event for event in made.events(name, GroupKeySet) if event.address == nmi]
        assert {event.key_type: event.key_id for event in told} == kinds
        assert {event.key_type: bytes.fromhex(event.key) for event in told} == other.own_group_keys
        held = made.devices[name].station.peers[nmi].group_keys
        assert {len(key.key) for key in held.values()} == {octets}
    (one,), (two,) = connected(made, "a"), connected(made, "b")
    assert (one.local_gtk, one.peer_gtk) == (two.peer_gtk, two.local_gtk)
    assert len(one.local_gtk) == 64
    assert one.peer_gtk_rsc == "0100000000000000"


def test_group_keys_stay_at_home_when_one_side_has_no_use_for_them() -> None:
    made = wire(station_a={"security_capabilities": 4})
    connect(made, **SECRET)
    assert not [event for event in made.events("b", GroupKeySet) if event.address == A]


# --- refusals ---------------------------------------------------------------------------------------


def test_refusal_carries_the_reason_and_the_additions() -> None:
    made = wire()
    ask(made, **SECRET)
    reply(made, accept=False, reason=10, service_info=b"no")
    made.run(10_000)
    assert [(event.reason, event.local) for event in ended(made, "a")] == [(10, True)]
    assert [(event.reason, event.local) for event in ended(made, "b")] == [(10, False)]


def test_another_passphrase_is_refused_as_invalid() -> None:
    made = wire()
    ask(made, **SECRET)
    reply(made, csid=1, passphrase=b"another one")
    made.run(10_000)
    assert [event.reason for event in ended(made, "b")] == [3]
    assert "keys differ" in ended(made, "a")[0].cause


@pytest.mark.parametrize(("policy", "arguments", "reason"), [
    ("secure", {}, 8), ("paired", {}, 8), ("paired", SECRET, 8), ("secure", SECRET, None), ("any", {}, None),
])  # fmt: skip
def test_policy_decides_before_the_application(
    policy: Any, arguments: dict[str, Any], reason: int | None
) -> None:
    """An iPhone takes neither open paths nor passphrases (digest 8.1, 5)."""
    made = wire(DataPathSettings(policy=policy))
    ask(made, **arguments)
    made.run(10_000)
    assert [event.reason for event in ended(made, "b")] == ([] if reason is None else [reason])
    assert len(requested(made)) == (reason is None)


def test_paired_peer_may_not_ask_for_an_open_path() -> None:
    made = wire()
    pair(made)
    made.devices["b"].station.peers[A].csid = 0
    ask(made)
    made.run(10_000)
    assert [event.reason for event in ended(made, "b")] == [8]


def test_room_for_paths_is_limited_on_both_sides() -> None:
    made = wire(DataPathSettings(max_paths=1), DataPathSettings(max_paths=2))
    connect(made, **SECRET)
    ask(made, **SECRET)
    made.run(10_000)
    assert [event.reason for event in ended(made, "b")] == [2]
    made.devices["b"].data_path.settings = DataPathSettings(max_paths=1)
    with pytest.raises(RefusedError, match="end one first"):
        ask(made)


@pytest.mark.parametrize(("arguments", "words"), [
    ({"csid": 7}, "needs a pairing"), ({"csid": 3}, "needs a pairing"), ({"csid": 1}, "needs a passphrase"),
    ({"csid": 1, "pmk": b"short"}, "32 octets"), ({"gtk_csid": 4}, "no group suite"),
    ({"interface_identifier": b"123"}, "8 octets"), ({"service_info": bytes(2000)}, "1024 fit"),
])  # fmt: skip
def test_command_that_cannot_be_carried_out_sends_nothing(
    arguments: dict[str, Any], words: str
) -> None:
    made = wire()
    with pytest.raises(RefusedError, match=words):
        ask(made, **arguments)
    assert made.names() == []
    connect(made, **SECRET)
    assert len(connected(made, "b")) == 1


def test_commands_for_paths_that_are_not_there() -> None:
    made = wire()
    engine = made.devices["a"].data_path
    for command in (engine.terminate, engine.accept_counter, engine.reject_counter, engine.rekey):
        with pytest.raises(RefusedError):
            command(B, NDI_B, 1, made.now)
    ask(made)
    with pytest.raises(RefusedError, match="refuse it instead"):
        engine.terminate(B, NDI_B, 1, made.now)
    with pytest.raises(RefusedError, match="being set up"):
        ask(made)
    with pytest.raises(RefusedError, match="an open path"):
        reply(made, csid=1, passphrase=b"secret")
    reply(made)
    made.run(10_000)
    assert state_of(made, "a") == "connected"


# --- peers that start anew ----------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["beside", "replace", "replace_at_once"])
def test_peer_that_starts_anew_gets_its_path_back(how: Any) -> None:
    """IA-62: its NDP ID and token begin again, it has no key; ours is still of the old path."""
    made = wire(DataPathSettings(reinitiation=how))
    connect(made, **SECRET)
    made.devices["b"] = ready(device(B, "again"))
    ask(made, **SECRET)
    assert state_of(made, "a") == "asked"
    assert len(ended(made, "a")) == (how == "replace_at_once")
    reply(made, **SECRET)
    made.run(10_000)
    first, second = connected(made, "a")
    assert second.nd_tk == connected(made, "b")[-1].nd_tk != first.nd_tk
    assert [event.cause for event in ended(made, "a")] == [
        "its peer starts anew" if how == "replace_at_once" else "replaced"
    ]
    (link,) = made.devices["a"].data_path.links.values()
    assert [path.connected for path in link.paths] == [True]


def test_peer_with_a_path_may_be_turned_away() -> None:
    made = wire(DataPathSettings(reinitiation="reject"))
    connect(made, **SECRET)
    ask(made, **SECRET)
    made.run(10_000)
    assert [event.reason for event in ended(made, "b")] == [2]
    assert state_of(made, "a") == "connected"


@pytest.mark.parametrize("how", ["wait", "lower_gives_way"])
def test_both_ask_at_once(how: Any) -> None:
    """Both wait in vain (hostap), or the side with the lower NMI (A) answers."""
    settings = DataPathSettings(simultaneous=how)
    made = wire(settings, settings)
    for name in ("a", "b"):
        made.devices[name].station.services[1].publish = True
    made.devices["a"].data_path.request(B, 1, 1, csid=1, pmk=KEY, now=0)
    ask(made, csid=1, pmk=KEY)
    if how == "wait":
        made.run(30 * SECOND)
        assert [len(ended(made, name)) for name in ("a", "b")] == [1, 1]
        return
    assert [event.cause for event in ended(made, "a")] == ["gave way to the peer's request"]
    reply(made, csid=1, pmk=KEY)
    made.run(10_000)
    assert connected(made, "a")[0].nd_tk == connected(made, "b")[0].nd_tk


def test_end_without_a_frame() -> None:
    """Own addresses change, or PASN began again with the peer (IA-62)."""
    made = wire()
    connect(made, **SECRET)
    sent = len(made.sent)
    made.devices["a"].data_path.reset("another NMI", made.now)
    made.flush()
    assert [event.cause for event in ended(made, "a")] == ["another NMI"]
    assert len(made.sent) == sent
    assert made.devices["a"].station.link_keys == {}


# --- the same again ---------------------------------------------------------------------------------


def test_same_chance_gives_the_same_octets() -> None:
    def octets() -> list[bytes]:
        made = wire(seed="same", station={"security_capabilities": 4})
        connect(made, **SECRET, gtk_csid=5)
        return [frame.octets for _, _, frame in made.sent]

    assert octets() == octets()


@pytest.mark.parametrize("how", ["replace", "replace_at_once"])
def test_refused_request_replaces_nothing_and_a_full_device_takes_a_renewal(how: Any) -> None:
    made = wire(DataPathSettings(reinitiation=how, max_paths=1, policy="secure"))
    connect(made, **SECRET)
    made.devices["b"] = ready(device(B, "again"))
    ask(made)
    made.run(10_000)
    assert [event.reason for event in ended(made, "b")] == [8]
    assert state_of(made, "a") == "connected"
    ask(made, **SECRET)
    reply(made, 2, **SECRET)
    made.run(10_000)
    assert len(connected(made, "a")) == 2
    (link,) = made.devices["a"].data_path.links.values()
    assert [path.ndp_id for path in link.paths] == [2]
