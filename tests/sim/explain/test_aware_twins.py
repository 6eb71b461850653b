"""Every rule on Wi-Fi Aware fires on the capture that has its cause, and not on the twin that differs in it alone."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from sim.explain import AWARE_PROFILES, BASES, RULES, explain, view_of
from tests.sim.explain.aware_logs import (
    A_NDI,
    B_NDI,
    CLUSTER,
    NAME,
    OPPORTUNISTIC,
    OTHER_CLUSTER,
    PASN,
    PIN_DISPLAY,
    PIN_KEYPAD,
    A,
    B,
    C,
    Wifi,
)

APPLE = ("Apple Inc.", "iPhone", "iPhone")
S = "_other._udp"


# Ceremonies with one thing that can be changed each; A is the accessory, B the phone


def published(**publish: Any) -> Wifi:
    return Wifi().discovery(**publish)


def paired_elsewhere(dcea: int | None = 0x0300) -> Wifi:
    """A publishes and pairs with C, which is no iPhone."""
    log = Wifi().discovery(dcea=dcea)
    log.auth(1, C, A)
    log.auth(2, A, C, key=2)
    log.auth(3, C, A)
    return log


def lonely(**publish: Any) -> Wifi:
    log = Wifi()
    log.publish(**publish)
    return log


def messages(*, to: str = B) -> Wifi:
    log = Wifi().discovery()
    log.message(A, to)
    if to != B:
        log.message(to, A)
    return log


def subscribes(instances: tuple[int, ...]) -> Wifi:
    log = Wifi().discovery(info=None)
    for _ in range(2):
        for one in instances:
            log.subscribe(instance=one)
    return log


def started_by(who: str) -> Wifi:
    log = Wifi().discovery()
    peer = A if who == B else B
    log.request(who, peer)
    log.response(peer, who)
    return log


def iphone_publishes(
    *, methods: int = PIN_DISPLAY, status: int = 1, info: Any = ("a", "b", "c"), rest: bool = False
) -> Wifi:
    """B is an iPhone that publishes, A asks it; `rest`: silence after an accepted request."""
    log = Wifi()
    log.publish(B, info=APPLE)
    log.subscribe(A)
    log.request(A, B, methods=methods, info=info)
    log.response(B, A, status=status, methods=0 if status else PIN_KEYPAD)
    if rest:
        log.wait(30).beacon(A)
    else:
        log.pasn(A, B)
    return log


def identities(
    *,
    delay_s: float = 0.03,
    answered: bool = True,
    protected: bool = True,
    mic: bool = False,
    **key: Any,
) -> Wifi:
    """Identity keys of both, B's first."""
    log = Wifi().discovery().bootstrap().pasn().wait(delay_s)
    log.identity(B, A, mic=mic)
    if answered:
        log.identity(A, B, protected=protected, **key)
    return log


def third_message(*, acked: bool) -> Wifi:
    """B's third message, sent five times before anybody acknowledges it, if at all."""
    log = Wifi().discovery().bootstrap().pasn().again(4)
    if acked:
        log.ack()
    log.wait(30).beacon(A)
    return log


def verified(*, status: int = 0, again: bool = False, answered: bool = True) -> Wifi:
    """B comes back to A."""
    log = Wifi().discovery()
    log.auth(1, B, A, pmkid=True)
    if answered:
        log.auth(2, A, B, pmkid=True, key=2, status=status)
    if not status and answered:
        log.auth(3, B, A, pmkid=True)
    if again:
        log.identity(A, B)
    return log


def authenticated(third: bool = True, **second: Any) -> Wifi:
    log = Wifi().discovery()
    log.auth(1, B, A)
    log.auth(2, A, B, **{"key": 2} | second)
    if third:
        log.auth(3, B, A)
    return log


def path_of(**options: Any) -> Wifi:
    return Wifi().paired().path(**{"category": 9} | options)


def asked_for_path(*, by: str = B) -> Wifi:
    log = Wifi().discovery()
    peer = A if by == B else B
    for kind, who in ((0, by), (1, peer), (2, by), (3, peer)):
        log.ndp(kind, who, A if who == B else B, status=int(kind == 3), nonce=1 + kind % 2)
    return log


def half_path(*, answered: bool) -> Wifi:
    log = Wifi().paired()
    if answered:
        return log.path(category=9)
    log.ndp(0, B, A, category=9)
    return log


def quiet_after(*, path: bool) -> Wifi:
    log = Wifi().paired()
    if path:
        log.path(category=9)
    log.wait(30).beacon(A)
    return log


def alive(*, kept: bool) -> Wifi:
    """A data path that B ends after 30 s; `kept`: A sends NULL frames."""
    log = path_of()
    for _ in range(6):
        log.wait(5).data(B_NDI, A_NDI)
        if kept:
            log.data(A_NDI, B_NDI, empty=True)
    log.ndp(4, B, A, status=2, reason=1, category=9)
    return log


def ended(*, by: str) -> Wifi:
    log = path_of()
    log.ndp(4, by, A if by == B else B, status=2, reason=1, category=9)
    return log


def second_request(*, status: int) -> Wifi:
    log = path_of()
    log.ndp(0, B, A, number=2, token=2, category=9)
    log.ndp(1, A, B, number=2, token=2, status=status, category=9)
    return log if status else log.path(number=2, token=2, category=9)


def two_addresses(*, same: bool) -> Wifi:
    log = Wifi()
    log.publish(A, identity=5)
    log.publish(C, identity=5 if same else 6)
    return log


def moved(*, same: bool) -> Wifi:
    """A falls silent, C turns up in its stead with the same services (or others)."""
    log = Wifi()
    log.publish(A)
    log.wait(5)
    log.publish(C, name=NAME if same else S)
    log.subscribe(B, name=NAME)
    return log


def clusters(*, common: bool) -> Wifi:
    log = Wifi()
    log.publish(A)
    log.subscribe(B, name=NAME if common else S)
    return log


def bootstrapped(*, method: int = PIN_KEYPAD, own: int | None = PIN_DISPLAY, status: int = 1, delay_s: float = 0, info: Any = ("v", "m", "n")) -> Wifi:  # fmt: skip
    """B asks A."""
    log = Wifi().discovery(methods=own, info=info)
    log.request(methods=method)
    log.wait(delay_s)
    log.response(status=status, reason=13 if status else 0)
    return log


def comebacks(count: int, *, accepted: bool = False) -> Wifi:
    log = Wifi().discovery()
    log.request()
    for _ in range(count):
        log.response(status=2, methods=0)
        log.wait(0.1)
        log.request(cookie=True)
    if accepted:
        log.response()
    return log


def agreed_then(*, akm: int = 8, method: int = PIN_KEYPAD) -> Wifi:
    log = Wifi().discovery()
    log.request(methods=method)
    log.response(methods=PIN_DISPLAY)
    log.auth(1, B, A, akm=akm)
    log.auth(2, A, B, status=72)
    return log


def slow_pairing(seconds: float) -> Wifi:
    log = Wifi().discovery()
    log.auth(1, B, A)
    log.wait(seconds)
    log.auth(2, A, B, key=2)
    log.auth(3, B, A)
    return log


def slow_path(seconds: float) -> Wifi:
    log = Wifi().discovery()
    log.ndp(0, B, A)
    log.wait(seconds)
    log.ndp(1, A, B, nonce=2)
    log.ndp(2, B, A, replay=2)
    log.ndp(3, A, B, status=1, nonce=2, replay=2)
    return log


def unanswered_pairing(*, silence_s: float) -> Wifi:
    log = Wifi().discovery()
    log.auth(1, B, A)
    log.wait(silence_s).beacon(A)
    return log


def removed(*, others: bool) -> Wifi:
    """B had paired with A (and with C), and now rejects A's verification."""
    log = Wifi().paired()
    if others:
        log.pasn(C, B, key=7)
        log.identity(C, B)
        log.identity(B, C)
    log.auth(1, A, B, pmkid=True, key=9)
    log.auth(2, B, A, status=1)
    return log


def refused(*, delay_s: float = 0, reason: int = 10, ndl: int | None = None) -> Wifi:
    log = Wifi().discovery()
    log.ndp(0, B, A)
    log.wait(delay_s)
    log.ndp(1, A, B, status=2, reason=reason, ndl=ndl, ndl_reason=reason if ndl else 0)
    return log


def taken(*, other_up: bool) -> Wifi:
    """A rejects B while its data path with C stands (or has ended)."""
    log = Wifi().discovery()
    for kind, who, to in ((0, C, A), (1, A, C), (2, C, A), (3, A, C)):
        log.ndp(kind, who, to, status=int(kind == 3), number=9)
    if not other_up:
        log.ndp(4, C, A, status=2, reason=1, number=9)
    log.ndp(0, B, A, token=5)
    log.ndp(1, A, B, token=5, status=2, reason=2)
    return log


def asleep(*, wakes: tuple[int, int]) -> Wifi:
    log = Wifi().discovery(wakes=wakes)
    return log.bootstrap()


def stopped(*, at: int, nonce: int = 1, replay: int = 2, key: bool = True) -> Wifi:
    """A data path of `at` messages; 4 is all of them."""
    log = Wifi().discovery()
    steps = (
        lambda: log.ndp(0, B, A, key=key),
        lambda: log.ndp(1, A, B, nonce=2),
        lambda: log.ndp(2, B, A, nonce=nonce, replay=replay),
        lambda: log.ndp(3, A, B, status=1, nonce=2, replay=2),
    )
    for step in steps[:at]:
        step()
    return log


def keyed(*, both: bool) -> Wifi:
    log = Wifi().discovery().pasn()
    log.identity(B, A)
    if both:
        log.identity(A, B)
    return log


def repeated(*, answers: int) -> Wifi:
    """Auth1 twice, answered once or twice."""
    log = Wifi().discovery()
    log.auth(1, B, A)
    log.auth(1, B, A)
    for number in range(answers):
        log.auth(2, A, B, key=10 + number)
    log.auth(3, B, A)
    return log


def unprotected(*, protected: bool) -> Wifi:
    log = Wifi().paired()
    log.identity(B, A, protected=protected)
    return log


def malformed(*, cut: int) -> Wifi:
    log = Wifi().discovery()
    log.auth(1, B, A, cut=cut)
    log.auth(2, A, B, key=2)
    log.auth(3, B, A)
    return log


def retried(*, retries: int) -> Wifi:
    log = Wifi().discovery()
    for number in range(30):
        log.message(A, B, bytes((number,)))
        if number < retries:
            last = log.packets[-1].data
            log.put(105, bytes((last[0], last[1] | 8)) + last[2:])
    return log


class Twin(NamedTuple):
    """A rule, the ceremony, what is wrong in one and right in the other."""

    rule: str
    of: Any
    wrong: dict[str, Any]
    right: dict[str, Any]
    severity: str = "error"
    phones: tuple[str, ...] = ("ios-aware",)


ANDROID = ("android-aware",)
ANY = AWARE_PROFILES
TWINS = (
    Twin("IA-04", published, {"dcea": None}, {"dcea": 0x0300}),
    Twin("IA-05", paired_elsewhere, {"dcea": None}, {"dcea": 0x0300}, "note"),
    Twin("IA-06", published, {"dcea": 0x0200}, {"dcea": 0x0300}),
    Twin("IA-09", messages, {"to": B}, {"to": C}, "warning"),
    Twin("IA-10", lonely, {"period": 4}, {"period": 3}, "warning"),
    Twin("IA-11", lonely, {"mme": True}, {"mme": False}, "warning"),
    Twin("IA-12", published, {"suites": (7,)}, {"suites": (7, 5)}, "note"),
    Twin("IA-13", published, {"info": APPLE}, {"info": ("Acme", "M1", "Lamp")}, "note"),
    Twin("IA-14", subscribes, {"instances": (1, 2)}, {"instances": (1,)}, "warning"),
    Twin("IA-30", published, {"methods": None}, {"methods": PIN_DISPLAY}),
    Twin("IA-31", published, {"methods": OPPORTUNISTIC}, {"methods": PIN_DISPLAY}),
    Twin("IA-32", published, {"methods": PIN_KEYPAD}, {"methods": PIN_DISPLAY}),
    Twin("IA-34", started_by, {"who": A}, {"who": B}, "warning"),
    Twin("IA-35", iphone_publishes, {"methods": PIN_KEYPAD}, {"methods": PIN_DISPLAY}),
    Twin("IA-36", lambda **o: iphone_publishes(status=0, rest=True, **o), {"info": None}, {"info": ("a", "b", "c")}, "warning"),
    Twin("IA-37", published, {"info": None}, {"info": ("Acme", "M1", "Lamp")}),
    Twin("IA-39", published, {"suites": (8,)}, {"suites": (7, 8)}),
    Twin("IA-40", lambda **o: identities(delay_s=2.55, **o), {"answered": False}, {"answered": True}),
    Twin("IA-41", identities, {"protected": False}, {"protected": True}),
    Twin("IA-42", identities, {"with_nira": False}, {"with_nira": True}),
    Twin("IA-43", identities, {"lifetime": False}, {"lifetime": True}, "note"),
    Twin("IA-44", identities, {"mic": True}, {"mic": False}, "note"),
    Twin("IA-45", authenticated, {"status": 15}, {"status": 0}),
    Twin("IA-46", half_path, {"answered": False}, {"answered": True}),
    Twin("IA-53", verified, {"again": True}, {"again": False}, "warning"),
    Twin("IA-54", verified, {"answered": False}, {"answered": True}),
    Twin("IA-55", two_addresses, {"same": True}, {"same": False}, "warning"),
    Twin("IA-57", path_of, {"secure": False}, {"secure": True}),
    Twin("IA-57", asked_for_path, {"by": A}, {"by": B}, "warning"),
    Twin("IA-58", quiet_after, {"path": False}, {"path": True}, "warning"),
    Twin("IA-61", alive, {"kept": False}, {"kept": True}, "warning"),
    Twin("IA-62", second_request, {"status": 2}, {"status": 0}),
    Twin("IA-72", published, {"dcea": 0x0100}, {"dcea": 0x0300}, "warning"),
    Twin("IA-73", published, {"groups": 1}, {"groups": 2}, "warning"),
    Twin("AA-03", published, {"dcea": 0x0300}, {"dcea": 0x0200}, "error", ("android-pixel6a-17",)),
    Twin("AA-04", lambda suites: refused_with(suites), {"suites": (2,)}, {"suites": (1,)}, "warning", ("android-pixel9pro-17",)),
    Twin("AA-07", lambda method: bootstrapped(method=method), {"method": 0x4000}, {"method": PIN_KEYPAD}, "error", ("android-aware@16",)),
    Twin("AA-09", agreed_then, {"akm": PASN}, {"akm": 8}, "error", ANDROID),
    Twin("AA-22", slow_path, {"seconds": 21}, {"seconds": 19}, "error", ANDROID),
    Twin("AA-23", slow_pairing, {"seconds": 21}, {"seconds": 19}, "error", ANDROID),
    Twin("AA-24", lambda delay_s: bootstrapped(status=0, delay_s=delay_s), {"delay_s": 21}, {"delay_s": 19}, "error", ANDROID),
    Twin("AA-25", comebacks, {"count": 2}, {"count": 1}, "error", ANDROID),
    Twin("AA-28", asleep, {"wakes": (4, 0)}, {"wakes": (1, 1)}, "warning", ANDROID),
    Twin("AA-30", moved, {"same": True}, {"same": False}, "warning", ANDROID),
    Twin("AA-40", bootstrapped, {"own": None}, {"own": PIN_DISPLAY}, "error", ANDROID),
    Twin("AA-41", bootstrapped, {"own": PIN_DISPLAY}, {"own": PIN_DISPLAY | PIN_KEYPAD}, "error", ANDROID),
    Twin("AA-42", unanswered_pairing, {"silence_s": 21}, {"silence_s": 19}, "error", ANDROID),
    Twin("AA-43", verified, {"status": 1}, {"status": 0}, "error", ANDROID),
    Twin("AA-45", removed, {"others": True}, {"others": False}, "warning", ANDROID),
    Twin("AA-47", refused, {"delay_s": 0}, {"delay_s": 2}, "error", ANDROID),
    Twin("AA-48", path_of, {"port": b"\0\0"}, {"port": b"\x70\x1b"}, "warning", ANDROID),
    Twin("AA-49", taken, {"other_up": True}, {"other_up": False}, "warning", ANDROID),
    Twin("AA-51", published, {"dcea": None}, {"dcea": 0x0300}, "warning", ANDROID),
    Twin("AA-52", lambda dcea: published(dcea=dcea, methods=None, suites=(1,)), {"dcea": None}, {"dcea": 0x0300}, "warning", ANDROID),
    Twin("NB-03", bootstrapped, {"status": 1}, {"status": 0}, "error", ANY),
    Twin("NB-04", comebacks, {"count": 0, "accepted": False}, {"count": 0, "accepted": True}, "error", ANY),
    Twin("NB-05", verified, {"answered": False}, {"answered": True}, "error", ANY),
    Twin("NB-06", authenticated, {"status": 77}, {"status": 0}, "error", ANY),
    Twin("NB-07", authenticated, {"third": False}, {"third": True}, "error", ANY),
    Twin("NB-08", keyed, {"both": False}, {"both": True}, "error", ANY),
    Twin("NB-09", repeated, {"answers": 2}, {"answers": 1}, "error", ANY),
    Twin("NB-10", unprotected, {"protected": False}, {"protected": True}, "error", ANY),
    Twin("NB-11", stopped, {"at": 1}, {"at": 4}, "error", ANY),
    Twin("NB-12", refused, {"reason": 10}, {"reason": 11}, "error", ANY),
    Twin("NB-13", stopped, {"at": 3}, {"at": 4}, "error", ANY),
    Twin("NB-14", refused, {"reason": 11}, {"reason": 10}, "error", ANY),
    Twin("NB-15", malformed, {"cut": 5}, {"cut": 0}, "warning", ANY),
    Twin("NB-16", retried, {"retries": 20}, {"retries": 2}, "warning", ANY),
    Twin("NB-17", clusters, {"common": False}, {"common": True}, "warning", ANY),
    Twin("NB-18", third_message, {"acked": False}, {"acked": True}, "error", ANY),
)  # fmt: skip
TWINS_ALSO = {"IA-66": "test_who_ended_the_path_is_told"}
"""Rules whose twins are told apart by which device is the phone: tests of their own."""


def refused_with(suites: tuple[int, ...]) -> Wifi:
    log = Wifi().discovery()
    log.ndp(0, B, A, suites=suites)
    log.ndp(1, A, B, status=2, reason=8)
    return log


def judged(log: Wifi, phones: tuple[str, ...], rule: str) -> list[Any]:
    views = [view for name in phones for view in view_of(name)]
    return [one for one in explain(log.scene(".pcap"), views) if one.rule == rule]


NAMES = [f"{one.rule}-{next(iter(one.wrong))}" for one in TWINS]


@pytest.mark.parametrize("twin", TWINS, ids=NAMES)
def test_the_cause_is_found(twin: Twin):
    found = judged(twin.of(**twin.wrong), twin.phones, twin.rule)
    assert [one.severity for one in found][:1] == [twin.severity]
    for one in found:
        assert one.evidence
        assert one.remedy
        assert one.device or twin.rule == "NB-17"
        assert one.frames or twin.rule == "NB-16"


@pytest.mark.parametrize("twin", TWINS, ids=NAMES)
def test_the_twin_is_left_in_peace(twin: Twin):
    found = judged(twin.of(**twin.right), twin.phones, twin.rule)
    if twin.rule == "NB-09":  # a copy that did no harm is still told
        assert [one.severity for one in found] == ["note", "note"]
    else:
        assert found == []


def test_twins_differ_in_one_thing():
    for twin in TWINS:
        assert twin.wrong.keys() == twin.right.keys()
        assert sum(twin.wrong[key] != twin.right[key] for key in twin.wrong) == 1, twin.rule


def test_every_rule_about_frames_has_a_twin():
    known = (*AWARE_PROFILES, *BASES)
    about_frames = {
        rule.id
        for _, rule in RULES
        if rule.judge and rule.on != "app" and set(rule.profiles) & set(known)
    }
    by_the_app = {"IA-08", "IA-25"}  # tests of apps
    assert about_frames - by_the_app == {twin.rule for twin in TWINS} | set(TWINS_ALSO)


@pytest.mark.parametrize(("by", "found"), [(B, ["note"]), (A, [])])
def test_who_ended_the_path_is_told(by: str, found: list[str]):
    """B gives itself away as an iPhone: its end is the phone's, A's is not (IA-66)."""
    log = ended(by=by)
    log.publish(B, info=APPLE, name=S)
    assert [one.severity for one in judged(log, ("ios-aware",), "IA-66")] == found


def test_the_ceremonies_that_twins_are_made_of_are_faultless():
    """Discovery, bootstrapping, pairing, identity keys, data path: no error for any phone."""
    log = Wifi().paired().path(category=9)
    for number in range(3):
        log.data(A_NDI, B_NDI, empty=bool(number))
        log.data(B_NDI, A_NDI)
    for views in (
        (),
        view_of("ios-aware"),
        view_of("android-aware"),
        view_of("android-pixel9pro-17"),
    ):
        found = explain(log.scene(".pcap"), views)
        assert [(one.rule, one.evidence) for one in found if one.severity == "error"] == []


def test_two_clusters_share_nothing_and_need_not():
    log = Wifi()
    log.publish(A)
    log.subscribe(B)
    log.cluster = OTHER_CLUSTER
    log.publish(C, name=S)
    assert CLUSTER != OTHER_CLUSTER
    assert judged(log, ANY, "NB-17") == []
