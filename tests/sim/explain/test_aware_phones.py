"""When a finding about a phone is an error: that phone takes part, or somebody asks for it."""

from __future__ import annotations

import struct

import pytest

from protocols.wifi_aware import protection
from sim.explain import all_rules, explain, view_of
from sim.explain.aware_phones import phones
from sim.explain.reading import scene_of_events
from sim.trace import TraceEvent
from tests.sim.explain.aware_logs import PIN_DISPLAY, A, B, C, Wifi

APPLE = ("Apple Inc.", "iPhone", "iPhone")
STORIES = (*range(1, 13), 34, 36, 38, *range(43, 53))
"""User stories about Wi-Fi Aware."""


def severities(log: Wifi, rule: str, *names: str) -> list[tuple[str, str]]:
    views = [view for name in names for view in view_of(name)]
    found = explain(log.scene(".pcap"), views)
    return [(one.severity, one.device) for one in found if one.rule == rule]


def iphone(log: Wifi, *, looking_for: str = "_lamp._udp") -> Wifi:
    """B gives itself away: a period of 1024 TU, and protected group frames (IA-10, IA-11)."""
    log.subscribe(B, name=looking_for, period=4, mme=True)
    return log


def test_nobody_asked_and_nobody_got_anywhere():
    log = Wifi()
    log.publish(A, dcea=None)
    assert severities(log, "IA-04") == [("error", A)]
    log.subscribe(B)
    assert severities(log, "IA-04") == [("error", A)]


def test_a_service_that_is_meant_for_others_is_no_failure_of_an_iphone():
    """Neither without pairing (IA-30) nor with a method that iPhones have not (IA-31)."""
    log = Wifi()
    log.publish(A, methods=None, suites=(1,))
    log.publish(C, methods=0x01)
    assert severities(log, "IA-30") == [("warning", A)]
    assert severities(log, "IA-31") == [("warning", C)]
    assert severities(log, "IA-30", "ios-aware") == [("error", A)]


def test_a_service_without_pairing_needs_no_dcea():
    """As between two Androids that only find each other."""
    log = Wifi()
    log.publish(A, methods=None, dcea=None)
    assert severities(log, "IA-04") == [("warning", A)]
    assert severities(log, "IA-04", "ios-aware") == [("error", A)]


def test_nobody_asked_and_it_works_with_others():
    log = Wifi()
    log.paired(dcea=None)
    assert severities(log, "IA-04") == [("warning", A)]


def test_somebody_asks_for_the_iphone():
    log = Wifi().discovery(dcea=None)
    assert severities(log, "IA-04", "ios-aware") == [("error", A)]
    assert severities(log, "IA-04", "android-aware") == []


def test_an_iphone_looks_for_the_service():
    log = iphone(Wifi().discovery(dcea=None))
    assert phones(log.scene(".pcap").aware, "ios") == {B}
    assert severities(log, "IA-04") == [("error", A)]


@pytest.mark.parametrize("asked", [(), ("ios-aware",)])
def test_a_neighbour_that_the_iphone_has_nothing_to_do_with(asked):
    """Asked or not: once it is known who the iPhone is, others are none of its business."""
    log = iphone(Wifi())
    log.publish(A)
    log.publish(C, name="_tv._udp", dcea=None)
    assert severities(log, "IA-04", *asked) == [("warning", C)]


def test_what_an_iphone_got_over_is_no_error():
    """Paired all the same: the publish that was judged cannot have kept it away."""
    log = iphone(Wifi())
    log.paired(dcea=None)
    assert severities(log, "IA-04", "ios-aware") == [("warning", A)]


def test_a_pairing_with_somebody_else_is_no_excuse():
    log = iphone(Wifi().discovery(dcea=None))
    log.pasn(C, A)
    log.identity(C, A)
    log.identity(A, C)
    assert severities(log, "IA-04", "ios-aware") == [("error", A)]
    assert severities(log, "IA-05", "ios-aware") == [("note", A)]


def test_long_periods_alone_make_no_iphone():
    """Others may be there for longer than 512 TU too."""
    log = Wifi()
    log.subscribe(B, period=4)
    log.subscribe(C, mme=True)
    assert phones(log.scene(".pcap").aware, "ios") == set()


def test_an_iphone_is_not_judged_as_its_own_accessory():
    log = Wifi()
    log.publish(B, info=APPLE, dcea=None, methods=PIN_DISPLAY)
    assert severities(log, "IA-04", "ios-aware") == []
    assert severities(log, "IA-13") == [("note", B)]


def test_failures_on_the_air_need_no_phone():
    log = Wifi().discovery()
    log.auth(1, B, A)
    log.auth(2, A, B, status=72)
    assert severities(log, "NB-06") == [("error", A), ("error", A)]  # once for each system


def test_a_repaired_attempt_makes_the_failed_one_a_note():
    log = Wifi().discovery()
    log.auth(1, B, A)
    log.auth(2, A, B, key=2)
    assert {one for one, _ in severities(log, "NB-07")} == {"error"}
    log.wait(3).pasn(key=40).keys()
    assert {one for one, _ in severities(log, "NB-07")} == {"note"}


def sealed(log: Wifi, key: bytes, number: int) -> bytes:
    """The last frame of `log`, encrypted with CCMP-128."""
    data = log.packets.pop().data
    header = data[:1] + bytes((data[1] | 0x40,)) + data[2:24]
    body = protection.seal_body("ccmp_128", key, header, number, data[24:])
    return header + struct.pack("<HBBI", number, 0, 0x20, 0) + body


@pytest.mark.parametrize(("with_nira", "reveals", "found"), [(False, True, 1), (True, True, 0), (False, False, 0)])  # fmt: skip
def test_a_trace_that_reveals_keys_is_read_behind_them(with_nira, reveals, found):
    """The identity key of A has no NIRA (IA-42): to be seen with the key of the pairing alone."""
    key = bytes(range(16))
    log = iphone(Wifi().discovery()).bootstrap().pasn()
    plain = [(packet.t_us, packet.data) for packet in log.packets]
    log.identity(B, A)
    plain.append((log.t_us, sealed(log, key, 1)))
    log.identity(A, B, with_nira=with_nira)
    plain.append((log.t_us, sealed(log, key, 1)))
    told = key.hex() if reveals else "••••••"
    events = [TraceEvent(1, 0, "lamp", "aware", "derived", fields={"name": "nm_tk", "value": told})]
    events += [
        TraceEvent(number, t_us, "x", "air", "sdf", "tx", "", data, {"phy": "wifi"})
        for number, (t_us, data) in enumerate(plain, 2)
    ]
    scene = scene_of_events(events)
    assert (
        len([one for one in explain(scene, view_of("ios-aware")) if one.rule == "IA-42"]) == found
    )
    (pair,) = scene.aware.pairs.values()
    assert len(pair.guarded) == 2


def test_a_capture_with_keys_in_its_comments_is_read_behind_them():
    """As runs that reveal keys write them; other comments are nobody's key."""
    key = bytes(range(16))
    log = iphone(Wifi().discovery()).bootstrap().pasn()
    log.put(105, log.packets.pop().data, comment=f"hello\nnm_tk of lamp and phone = {key.hex()}")
    log.identity(B, A)
    log.put(105, sealed(log, key, 1), comment="nm_tk of nobody = zz\n= ab\nnm_tk of x and y = 12")
    log.identity(A, B, with_nira=False)
    log.put(105, sealed(log, key, 1))
    found = explain(log.scene(".pcapng"), view_of("ios-aware"))
    assert [one.device for one in found if one.rule == "IA-42"] == [A]


def test_every_story_about_wifi_aware_has_a_rule():
    told = {story for rule in all_rules().values() for story in rule.stories}
    assert {f"US-{number:02}" for number in STORIES} <= told


def test_stories_that_frames_or_apps_can_show_have_one_that_is_executed():
    executed = {
        story for rule in all_rules().values() if rule.judge is not None for story in rule.stories
    }
    unseen = {
        "US-08",
        "US-12",
        "US-38",
    }  # nothing on the air, an interface question, encrypted data
    assert {f"US-{number:02}" for number in STORIES} - executed == unseen
