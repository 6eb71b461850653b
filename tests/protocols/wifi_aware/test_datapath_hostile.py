"""Data paths against a peer that cuts, changes and replays frames, or forges their end."""

from __future__ import annotations

import random
from typing import Any

import msgspec
import pytest

from protocols.wifi_aware import frame as codec
from protocols.wifi_aware import ndl, ndp_frames
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.datapath import DataPathSettings
from protocols.wifi_aware.ndp_frames import RESPONSE, TERMINATION, Additions
from tests.protocols.wifi_aware.paths import (
    NDI_A,
    NDI_B,
    SECOND,
    SECRET,
    ask,
    caught,
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
    without,
)
from tests.protocols.wifi_aware.wire import A, B, Wire

MESSAGES = ("ndp_m1", "ndp_m2", "ndp_m3", "ndp_m4")
RECEIVER = {"ndp_m1": "a", "ndp_m2": "b", "ndp_m3": "a", "ndp_m4": "b"}
DISTRUSTFUL = DataPathSettings(believe_unprotected=False)


def memory(made: Wire, name: str) -> tuple[Any, ...]:
    """What a device holds, as far as strangers could make it grow or change."""
    one = made.devices[name]
    path = path_of(made, name)
    station = one.station
    counters = (station._token, station._sequence)  # nothing may move
    keys_held = sorted(key.key for key in station.link_keys.values())
    return state_of(made, name), path and path.reason, len(one.data_path.links), keys_held, counters


# --- changed and cut frames ---------------------------------------------------------------------------


@pytest.mark.parametrize("message", MESSAGES[1:])
def test_message_cut_anywhere_changes_nothing(message: str) -> None:
    made, whole = until(message)
    name = RECEIVER[message]
    before = memory(made, name)
    for end in range(len(whole)):
        made.devices[name].receive(whole[:end], made.now)
    made.flush()
    assert memory(made, name) == before
    made.carry = losing()
    made.devices[name].receive(whole, made.now)
    made.run(10_000)
    assert connected(made, "a")[0].nd_tk == connected(made, "b")[0].nd_tk


def test_request_cut_anywhere_never_becomes_a_path() -> None:
    """M1 has no proof: cut behind an attribute it may be answered, but its token is another then."""
    made, whole = until("ndp_m1")
    made.carry = losing()
    for end in range(len(whole)):
        made.devices["a"].receive(whole[:end], made.now)
        made.flush()
        assert len(made.devices["a"].data_path.links) <= 1
        if state_of(made, "a") == "asked":
            reply(made, **SECRET)
        made.run(33 * SECOND)
        assert made.devices["a"].data_path.links == {}
    assert connected(made, "a") == connected(made, "b") == []


@pytest.mark.parametrize("message", MESSAGES[1:])
def test_any_flipped_bit_is_noticed(message: str) -> None:
    """MIC and, for M1, the token: a changed octet behind the header is never taken, and the message still is."""
    made, whole = until(message)
    name = RECEIVER[message]
    before = memory(made, name)
    for at in range(24, len(whole)):
        changed = whole[:at] + bytes((whole[at] ^ 1 << at % 8,)) + whole[at + 1 :]
        made.devices[name].receive(changed, made.now)
    made.flush()
    assert memory(made, name) == before
    made.carry = losing()
    made.devices[name].receive(whole, made.now)
    made.run(10_000)
    assert connected(made, "a")[0].nd_tk == connected(made, "b")[0].nd_tk


def test_changed_m1_is_noticed_at_m3() -> None:
    """Pairing digest 9.5: the token covers every octet, also those that nobody checks."""
    made, whole = until("ndp_m1")
    made.carry = losing()
    at = whole.index(bytes.fromhex("0f09000049")) + 5
    made.devices["a"].receive(whole[:at] + bytes((whole[at] ^ 1,)) + whole[at + 1 :], made.now)
    reply(made, **SECRET)
    made.run(10_000)
    assert refused(made, "a") == ["MIC of M3 is wrong"]
    assert connected(made, "a") == []


@pytest.mark.parametrize(("attribute", "values", "words"), [
    ("ndpe", {"type": 1}, "no request"), ("ndpe", {"status": 1}, "status 1"),
    ("ndpe", {"dialog_token": 0}, "dialog token 0"), ("ndpe", {"ndp_id": 0}, "NDP ID 0"),
    ("ndpe", {"publish_id": 9}, "no such publish instance"),
    ("ndpe", {"publish_id": msgspec.UNSET}, "without Publish ID"),
    ("ndpe", {"initiator_ndi": NDI_A}, "cannot be the NDI"),
    ("ndpe", {"initiator_ndi": "33:33:00:00:00:01"}, "cannot be the NDI"),
    ("shared_key_descriptor", {"key_ack": False}, "another message"),
    ("shared_key_descriptor", {"key_request": True}, "a request"),
    ("shared_key_descriptor", {"key_version": 2}, "version"),
    ("shared_key_descriptor", {"key_pairwise": False}, "not of a pairwise key"),
    ("shared_key_descriptor", {"descriptor_type": 254}, "descriptor type 254"),
    ("shared_key_descriptor", {"publish_id": 2}, "Publish ID 2"),
    ("shared_key_descriptor", {"mic": "00" * 24}, "another length"),
    ("ndl", {"type": 1}, "NDL is no request"), ("ndl", {"qos_present": True}, "QoS"),
])  # fmt: skip
def test_request_that_breaks_a_rule_is_not_taken(
    attribute: str, values: dict[str, Any], words: str
) -> None:
    made, whole = until("ndp_m1")
    made.devices["a"].receive(changed(whole, attribute, fields(**values)), made.now)
    made.flush()
    assert words in refused(made, "a")[0]
    assert requested(made) == []
    assert made.devices["a"].data_path.links == {}


@pytest.mark.parametrize(("name", "words"), [
    ("cipher_suite_information", "no CSIA"), ("security_context_information", "no SCIA"),
    ("shared_key_descriptor", "no SKDA"), ("ndpe", "neither NDP nor NDPE"), ("ndc", "none is selected"),
])  # fmt: skip
def test_request_that_lacks_an_attribute_is_not_taken(name: str, words: str) -> None:
    made, whole = until("ndp_m1")
    made.devices["a"].receive(without(whole, name), made.now)
    made.flush()
    assert words in refused(made, "a")[0]
    assert requested(made) == []


# --- replays ------------------------------------------------------------------------------------------


def test_replayed_m3_brings_m4_again_and_no_key_again() -> None:
    """Keys are installed once: packet numbers do not start over."""
    made = wire()
    connect(made, **SECRET)
    station = made.devices["a"].station
    key = station.link_keys[NDI_A, NDI_B]
    key.sent = 77
    made.devices["a"].receive(caught(made, "ndp_m3"), made.now)
    made.run(10_000)
    assert made.names("a") == ["ndp_m2", "ndp_m4", "ndp_m4"]
    assert station.link_keys[NDI_A, NDI_B] is key
    assert key.sent == 77
    assert [len(connected(made, name)) for name in ("a", "b")] == [1, 1]


def test_repeats_are_passed_over_when_told_so() -> None:
    made = wire(DataPathSettings(answer_repeats=False))
    connect(made, **SECRET)
    sent = len(made.sent)
    made.devices["a"].receive(caught(made, "ndp_m3"), made.now)
    made.run(10_000)
    assert len(made.sent) == sent


@pytest.mark.parametrize("message", MESSAGES)
def test_replayed_handshake_does_not_disturb_a_path(message: str) -> None:
    made = wire()
    connect(made, **SECRET)
    tk = connected(made, "a")[0].nd_tk
    made.devices[RECEIVER[message]].receive(caught(made, message), made.now)
    made.run(3 * SECOND)
    for name in ("a", "b"):
        assert state_of(made, name) == "connected"
        (key,) = made.devices[name].station.link_keys.values()
        assert key.key.hex() == tk


def test_messages_of_another_setup_are_not_taken() -> None:
    made = wire()
    connect(made, **SECRET)
    old = {message: caught(made, message) for message in MESSAGES}
    made.devices["b"].data_path.terminate(A, NDI_B, 1, made.now)
    made.run(10_000)
    ask(made, **SECRET)
    made.devices["b"].receive(old["ndp_m2"], made.now)
    reply(made, 2, **SECRET)
    made.devices["b"].receive(old["ndp_m4"], made.now)
    made.devices["a"].receive(old["ndp_m3"], made.now)
    made.run(10_000)
    assert [len(connected(made, name)) for name in ("a", "b")] == [2, 2]
    assert connected(made, "a")[1].nd_tk == connected(made, "b")[1].nd_tk


# --- forged ends --------------------------------------------------------------------------------------


def forged(made: Wire, message: Any, source: str, destination: str, **members: Any) -> bytes:
    """What anybody can send in somebody's name."""
    values: dict[str, Any] = {
        "dialog_token": 1, "status": ndl.REJECTED, "reason": 10, "initiator_ndi": NDI_B, "ndp_id": 1,
        "confirm_required": False, "security": True, "publish_id": msgspec.UNSET,
        "responder_ndi": msgspec.UNSET, **members,
    }  # fmt: skip
    setup = ndp_frames.ndp_of(message, Additions(), ndpe=True, **values)
    station = made.devices["a"].station
    frame = station.naf(destination, message.subtype, [setup], source=source)
    return codec.build(frame)


def test_forged_refusal_ends_a_setup_as_the_protocol_has_it() -> None:
    made, _ = until("ndp_m2")
    made.devices["b"].receive(forged(made, RESPONSE, A, B), made.now)
    made.flush()
    assert [(event.reason, event.local) for event in ended(made, "b")] == [(10, False)]


@pytest.mark.parametrize("message", [RESPONSE, TERMINATION])
def test_distrustful_device_waits_for_something_better(message: Any) -> None:
    made = wire(b=DISTRUSTFUL)
    made.carry = losing("ndp_m2")
    ask(made, **SECRET)
    made.devices["b"].receive(forged(made, message, A, B), made.now)
    made.run(SECOND)
    assert ended(made, "b") == []
    made.carry = losing()
    reply(made, **SECRET)
    made.run(10_000)
    assert connected(made, "a")[0].nd_tk == connected(made, "b")[0].nd_tk


def test_distrustful_device_believes_a_refusal_in_the_end() -> None:
    made = wire(b=DISTRUSTFUL)
    ask(made, **SECRET)
    reply(made, accept=False, reason=10)
    made.run(2 * SECOND - 1)
    assert ended(made, "b") == []
    made.run(1)
    (event,) = ended(made, "b")
    assert (event.reason, event.local) == (10, False)
    assert "in clear" in event.cause


def test_distrustful_device_keeps_a_path_that_a_stranger_ends() -> None:
    made = wire(DISTRUSTFUL, DISTRUSTFUL)
    connect(made, **SECRET)
    end = forged(made, TERMINATION, B, A, dialog_token=0, security=False)
    made.devices["a"].receive(end, made.now)
    made.flush()
    assert refused(made, "a") == ["a termination in clear for a secure path"]
    assert state_of(made, "a") == "connected"
    made.devices["b"].data_path.terminate(A, NDI_B, 1, made.now)
    made.run(10_000)
    assert state_of(made, "a") == "none"


def test_distrustful_device_does_not_look_at_schedules_in_clear() -> None:
    made = wire(DISTRUSTFUL)
    connect(made, **SECRET)
    station = made.devices["a"].station
    gone = Attr(0x12, bytes.fromhex("630100" + "0e00" + "e1121800" + "0400000080" + "1151200000"))
    made.devices["a"].receive(codec.build(station.naf(A, 13, [gone], source=B)), made.now)
    made.flush()
    assert state_of(made, "a") == "connected"
    made.devices["a"].data_path.settings = DataPathSettings()
    made.devices["a"].receive(codec.build(station.naf(A, 13, [gone], source=B)), made.now)
    assert state_of(made, "a") == "ending"


def test_termination_of_somebody_elses_path_is_passed_over() -> None:
    made = wire()
    connect(made, **SECRET)
    for source, number in (("02:00:00:00:00:09", 1), (B, 2)):
        made.devices["a"].receive(forged(made, TERMINATION, source, A, ndp_id=number), made.now)
    made.run(10_000)
    assert state_of(made, "a") == "connected"


def test_frames_between_interfaces_must_be_protected() -> None:
    made = wire()
    connect(made, **SECRET)
    made.devices["a"].receive(forged(made, TERMINATION, NDI_B, NDI_A), made.now)
    made.flush()
    assert refused(made, "a") == ["in clear between NDIs"]


@pytest.mark.parametrize("message", [*MESSAGES, "ndp_termination"])
def test_garbled_frames_never_raise(message: str) -> None:
    """Several octets changed, runs left out or doubled, in whatever state: an event at most, and it is over in time."""
    chance = random.Random(message)
    made = wire(station={"security_capabilities": 4}, seed=message)
    connect(made, **SECRET, gtk_csid=5)
    if message == "ndp_termination":
        made.devices["b"].data_path.terminate(A, NDI_B, 1, made.now)
        made.run(10_000)
    whole = caught(made, message)
    for name in ("a", "b"):
        for _ in range(150):
            data = bytearray(whole)
            for _ in range(chance.randint(1, 6)):
                data[chance.randrange(24, len(data))] = chance.randrange(256)
            start, size = chance.randrange(24, len(data)), chance.randrange(20)
            data[start : start + size] = data[start : start + size] * chance.randint(0, 2)
            made.devices[name].receive(bytes(data), made.now)
            made.run(chance.choice((0, 0, 2 * SECOND)))
        made.run(35 * SECOND)
        assert all(link.setup is None for link in made.devices[name].data_path.links.values())
