"""Publish, subscribe and follow-up between devices in a cluster: who hears what, when, and what is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from protocols.wifi_aware import discovery, matching
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes.cipher_suite_information import CipherSuite
from protocols.wifi_aware.attributes.security_context_information import (
    SecurityContext,
    SecurityContextInformation,
)
from protocols.wifi_aware.discovery_settings import DiscoverySettings, PairingStrings
from protocols.wifi_aware.discovery_table import TRANSITIONS
from protocols.wifi_aware.elements import make as make_element
from protocols.wifi_aware.elements.mme import Mme
from protocols.wifi_aware.events import (
    Discovered,
    Dropped,
    FollowUp,
    MatchExpired,
    Replied,
    ServiceEnded,
    Stepped,
    Transmitted,
)
from protocols.wifi_aware.frame import build, read
from protocols.wifi_aware.heard import NETWORK_ID, hear
from protocols.wifi_aware.peers import Identity, Service
from protocols.wifi_aware.station import RefusedError
from tests.protocols.wifi_aware.test_matching import FILTERS
from tests.protocols.wifi_aware.wire import SERVICE, A, B, C, Wire, device

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor

MS, SECOND = 1_000, 1_000_000


def pair(
    publish: dict[str, Any] | None = None,
    subscribe: dict[str, Any] | None = None,
    a: DiscoverySettings | None = None,
    b: DiscoverySettings | None = None,
    **station: Any,
) -> Wire:
    """A publishes, B subscribes; nothing has been sent yet."""
    made = Wire(
        A=device(A, station=station, discovery=a or DiscoverySettings()),
        B=device(B, discovery=b or DiscoverySettings()),
    )
    made.devices["A"].discovery.publish(SERVICE, now=0, **(publish or {}))
    made.devices["B"].discovery.subscribe(SERVICE, now=0, **(subscribe or {}))
    return made


def fields(octets: bytes, name: str) -> Any:
    return read(octets).first(name)


def reasons(made: Wire, name: str) -> str:
    return "\n".join(one.reason for one in made.events(name, Dropped))


# --- publish and subscribe --------------------------------------------------------------------------


def test_an_unsolicited_publish_is_announced_in_every_window() -> None:
    made = pair({"service_info": b"Hello", "methods": 2, "cipher_suites": (7, 8)})
    made.window()
    made.window()
    assert made.names() == ["publish", "publish"]
    assert {one.destination for _, _, one in made.sent} == {NETWORK_ID}
    first, second = made.events("B", Discovered)
    assert first == second
    assert (first.subscribe_id, first.peer, first.publish_id) == (1, A, 1)
    assert first.service_info == b"Hello".hex()
    assert (first.methods, first.cipher_suites, first.data_path) == (2, (7, 8), True)
    assert (first.pairing_setup, first.npk_caching) == (True, True)


def test_a_solicited_publish_speaks_when_it_is_asked() -> None:
    made = pair({"unsolicited": False}, {"active": True, "service_info": b"who?"})
    made.window()
    assert [(name, one.name, one.destination) for _, name, one in made.sent] == [
        ("B", "subscribe", NETWORK_ID),
        ("A", "publish", B),
    ]
    (told,) = made.events("A", Replied)
    assert (told.publish_id, told.peer, told.subscribe_id) == (1, B, 1)
    assert told.service_info == b"who?".hex()
    assert len(made.events("B", Discovered)) == 1


def test_an_answer_can_go_to_everybody_and_is_for_one() -> None:
    made = pair({"unsolicited": False, "multicast_reply": True}, {"active": True})
    made.devices["B"].discovery.subscribe(SERVICE, now=0)
    made.window()
    assert made.sent[-1][2].destination == NETWORK_ID
    assert [one.subscribe_id for one in made.events("B", Discovered)] == [1]


def test_an_unsolicited_only_publish_answers_nobody() -> None:
    made = pair({"solicited": False}, {"active": True})
    made.window()
    assert made.names("A") == ["publish"]
    assert "does not answer" in reasons(made, "A")


def test_another_service_is_no_news() -> None:
    made = pair()
    made.devices["B"].discovery.publish("_another._tcp", now=0)
    made.window()
    assert not made.events("A", Discovered)
    assert not made.events("A", Dropped)
    assert B not in made.devices["A"].station.peers


# publisher's filter, subscriber's filter, whether they meet: digest 3.3
@pytest.mark.parametrize(("publisher", "subscriber", "meet"), FILTERS)
def test_matching_filters_decide_on_both_sides(
    publisher: str | None, subscriber: str | None, meet: bool
) -> None:
    p = None if publisher is None else bytes.fromhex(publisher)
    s = None if subscriber is None else bytes.fromhex(subscriber)
    made = pair({"tx_filter": p}, {"rx_filter": s})
    made.window()
    assert bool(made.events("B", Discovered)) is meet
    made = pair({"rx_filter": p, "unsolicited": False}, {"tx_filter": s, "active": True})
    made.window()
    assert bool(made.events("A", Replied)) is meet


@pytest.mark.parametrize(
    ("members", "include", "answers"),
    [([A], True, True), ([A], False, False), ([C], True, False), ([C], False, True)],
)
@pytest.mark.parametrize("bloom", [None, 2])
def test_a_response_filter_says_who_answers(
    members: list[str], include: bool, answers: bool, bloom: int | None
) -> None:
    who = matching.address_filter(members, include=include, bloom_index=bloom, octets=8)
    made = pair({"unsolicited": False}, {"active": True, "response_filter": who})
    made.window()
    assert bool(made.events("A", Replied)) is answers
    assert ("response filter" in reasons(made, "A")) is not answers


@pytest.mark.parametrize(("rssi", "near"), [(-70, True), (-71, False), (None, True)])
@pytest.mark.parametrize("limited", ["frame", "instance", "neither"])
def test_close_range(rssi: int | None, near: bool, limited: str) -> None:
    made = pair(
        {"close_range": limited == "instance"},
        {"close_range": limited == "frame", "active": True},
    )
    b, a = made.devices["B"], made.devices["A"]
    b.window(0)
    (asked,) = b.to_send(0)
    a.receive(hear(asked.octets, rssi_dbm=rssi), 0)
    made.flush()
    assert bool(made.events("A", Replied)) is (near or limited == "neither")


@pytest.mark.parametrize("everywhere", [True, False])
def test_filters_stand_in_every_frame_as_in_hostap_or_in_announcements(everywhere: bool) -> None:
    """Digest 8.3, 60."""
    terms = {"tx_filter": b"\x01x", "close_range": True}
    made = pair(terms, {"active": True}, a=DiscoverySettings(filters_in_every_frame=everywhere))
    made.window()
    made.devices["A"].discovery.transmit(B, 1, 1, b"x", 0)
    made.flush()
    shown = [
        (descriptor.matching_filter == "0178", descriptor.range_limited)
        for _, name, one in made.sent
        if name == "A"
        for descriptor in [fields(one.octets, "service_descriptor")]
    ]
    assert shown == [(True, True), (everywhere, everywhere), (everywhere, everywhere)]


# --- what frames show -------------------------------------------------------------------------------


def attributes_of(made: Wire, name: str) -> list[str]:
    """Names of the attributes of the last frame of that name."""
    octets = next(one.octets for _, _, one in reversed(made.sent) if one.name == name)
    return [attr.name for attr in read(octets).nan_attributes]


DEVICE = [
    "device_capability",
    "nan_availability",
    "device_capability_extension",
    "identity_resolution",
]


def test_the_order_of_attributes() -> None:
    """Digest 3.5: that of hostap."""
    extra = Attr(0xDD, bytes.fromhex("506f9a00"))
    made = pair(
        {
            "methods": 2,
            "cipher_suites": (1,),
            "passphrase": b"a passphrase",
            "attributes": (extra,),
        },
        {"active": True},
    )
    made.window()
    first = ["service_descriptor", "service_descriptor_extension", "pairing_bootstrapping"]
    last = ["vendor_specific", "cipher_suite_information", "security_context_information"]
    assert attributes_of(made, "publish") == [*first, *DEVICE, *last]
    assert attributes_of(made, "subscribe") == ["service_descriptor", *DEVICE]


@pytest.mark.parametrize(
    ("switches", "missing"),
    [
        ({"dcea_in_publish": False}, {"device_capability_extension"}),
        ({"nira": False}, {"identity_resolution"}),
        ({"extras": False}, set(DEVICE)),
    ],
)
def test_firmware_that_leaves_something_out(switches: dict[str, bool], missing: set[str]) -> None:
    made = pair(a=DiscoverySettings(**switches))
    made.window()
    assert set(DEVICE) - set(attributes_of(made, "publish")) == missing
    follow_up = made.devices["A"].discovery.transmit(B, 1, 1, b"", 0)
    made.flush()
    assert follow_up == made.sent[-1][2].number
    kept = set(DEVICE) if "extras" not in switches else set()
    assert kept <= set(attributes_of(made, "follow_up"))


def test_a_device_without_dcea_shows_none() -> None:
    made = pair(dcea="")
    made.window()
    assert "device_capability_extension" not in attributes_of(made, "publish")
    assert made.events("B", Discovered)[0].pairing_setup is None


def test_an_iphone_does_not_see_a_publish_without_dcea() -> None:
    """Apple Developer Forums, Galaxy S25 and iOS 26: the event is dropped for want of the DCEA."""
    phone = DiscoverySettings(require_dcea=True, require_pairing_setup=True)
    made = pair(a=DiscoverySettings(dcea_in_publish=False), b=phone)
    made.window()
    assert not made.events("B", Discovered)
    assert "DCEA" in reasons(made, "B")
    made = pair(b=phone, dcea="2a02000002")
    made.window()
    assert "pairing setup" in reasons(made, "B")
    made = pair(b=phone)
    made.window()
    assert made.events("B", Discovered)


def test_the_control_bits_of_a_publish() -> None:
    """Bits 0, 2, 5, 6, 7 and 10 of the SDEA, the range limits and the update indicator, by hand."""
    made = pair(
        {
            "fsd_required": True,
            "qos_required": True,
            "security_required": True,
            "ranging_required": True,
            "gtk_required": True,
            "range_limit_cm": (100, 200),
            "update_indicator": 255,
        }
    )
    made.window()
    made.devices["A"].discovery.update(1, service_info=b"new")
    made.window()
    before, after = (
        next(a.octets.hex() for a in read(one.octets).nan_attributes if a.id == 0x0E)
        for _, _, one in made.sent
    )
    assert before == "01" + "e507" + "6400c800" + "ff"
    assert after == "01" + "e507" + "6400c800" + "00" + "0700" + "506f9a02" + b"new".hex()


def test_a_publish_that_needs_nothing_has_no_extension() -> None:
    made = pair({"data_path_required": False})
    made.window()
    assert "service_descriptor_extension" not in attributes_of(made, "publish")


@pytest.mark.parametrize("place", ["sdea", "sda", "both"])
def test_where_the_service_info_stands(place: Any) -> None:
    made = pair({"service_info": b"Hello"}, a=DiscoverySettings(service_info_in=place))
    made.window()
    octets = made.sent[-1][2].octets
    told = fields(octets, "service_descriptor").service_info
    if place == "sdea":
        assert told is msgspec.UNSET
    else:
        assert told == "506f9a02" + b"Hello".hex()
    has = fields(octets, "service_descriptor_extension").service_info is not msgspec.UNSET
    assert has is (place != "sda")
    whole = "506f9a02" + b"Hello".hex()
    assert made.events("B", Discovered)[0].service_info == (whole if place == "sda" else whole[8:])


def test_a_receiver_may_know_the_header_in_the_descriptor() -> None:
    made = pair(
        {"service_info": b"Hello"},
        a=DiscoverySettings(service_info_in="sda"),
        b=DiscoverySettings(strip_sda_header=True),
    )
    made.window()
    assert made.events("B", Discovered)[0].service_info == b"Hello".hex()


# --- pairing strings: digest 12.5 -------------------------------------------------------------------

IPHONE = PairingStrings(vendor_name="Apple Inc.", model_name="iPhone", pairing_name="iPhone")
PI0 = (
    "15" + b"vendorName=Apple Inc.".hex() + "10" + b"modelName=iPhone".hex()
    + "12" + b"pairingName=iPhone".hex()
)  # fmt: skip
TOLD = {"vendorName": "Apple Inc.", "modelName": "iPhone", "pairingName": "iPhone"}


@pytest.mark.parametrize(
    ("form", "octets"),
    [
        ("generic", "01" + "4400" + "4100" + "506f9a02" + "04" + "3a00" + PI0),
        ("bonjour", "01" + "4400" + "3e00" + "506f9a01" + PI0),
        ("sda-raw", "01" + "4400"),
        ("none", "01" + "4400"),
    ],
)
def test_pairing_strings_of_a_publish(form: Any, octets: str) -> None:
    made = pair(
        {"security_required": True},
        a=DiscoverySettings(pairing_strings=IPHONE, pairing_info_form=form),
    )
    made.window()
    (extension,) = (a for a in read(made.sent[-1][2].octets).nan_attributes if a.id == 0x0E)
    assert extension.octets.hex() == octets
    told = made.events("B", Discovered)[0].pairing_info
    assert told == ({} if form == "none" else TOLD)
    assert made.devices["B"].station.peers[A].pairing_info == told


def test_pairing_strings_go_when_pairing_mode_goes() -> None:
    made = pair(a=DiscoverySettings(pairing_strings=IPHONE))
    made.devices["A"].discovery.update(1, pairing_mode=False)
    made.window()
    assert not made.events("B", Discovered)[0].pairing_info
    made.devices["A"].discovery.update(1, pairing_mode=True)
    made.window()
    assert made.events("B", Discovered)[1].pairing_info == TOLD


def test_pairing_strings_stand_behind_the_items_of_the_application() -> None:
    port = bytes.fromhex("000200701b")
    made = pair({"service_info": port}, a=DiscoverySettings(pairing_strings=IPHONE))
    made.window()
    (told,) = made.events("B", Discovered)
    assert told.service_info == port.hex() + "043a00" + PI0
    assert told.pairing_info == TOLD


# --- time: life, matches ----------------------------------------------------------------------------


def test_an_instance_lives_for_so_many_windows() -> None:
    made = pair({"ttl_windows": 3}, {"active": True, "ttl_windows": 2})
    for _ in range(5):
        made.window()
    announced = [one.destination == NETWORK_ID for _, name, one in made.sent if name == "A"]
    assert announced.count(True) == 3
    assert made.names("B").count("subscribe") == 2
    assert [one.reason for one in made.events("A", ServiceEnded)] == ["its time is over"]
    assert not made.devices["A"].station.services
    with pytest.raises(RefusedError, match="handle 1"):
        made.devices["A"].discovery.cancel(1, 0)


def test_no_life_given_is_for_ever_or_as_hostap_once() -> None:
    made = pair()
    for _ in range(40):
        made.window()
    assert len(made.sent) == 40
    once = DiscoverySettings(zero_ttl="once")
    made = pair({"ttl_windows": 3}, a=once)
    for _ in range(5):
        made.window()
    assert len(made.sent) == 3
    made = pair(a=once, b=once)
    for _ in range(3):
        made.window()
    assert len(made.sent) == 1
    assert len(made.events("B", Discovered)) == 1
    assert [one.reason for one in made.events("B", ServiceEnded)] == ["it has its match"]


def test_a_cancelled_instance_is_silent_and_its_number_free() -> None:
    made = pair()
    made.devices["A"].discovery.cancel(1, 0)
    made.window()
    assert not made.sent
    assert made.devices["A"].discovery.publish("_next._tcp", now=0) == 1
    stepped = [(one.before, one.after) for one in made.events("A", Stepped)]
    assert stepped == [("1: publishing", "1: ended")]


@pytest.mark.parametrize(
    ("policy", "count"), [("every", 3), ("changed", 2), ("once", 1), ("never", 0)]
)
def test_when_a_match_is_told(policy: Any, count: int) -> None:
    made = pair(b=DiscoverySettings(indication=policy))
    made.window()
    made.window()
    made.devices["A"].discovery.update(1, service_info=b"changed")
    made.window()
    assert len(made.events("B", Discovered)) == count


def test_a_match_expires_when_its_publish_was_not_heard_for_ten_windows() -> None:
    made = pair()
    made.window()
    made.devices["A"].discovery.cancel(1, 0)
    for _ in range(10):
        made.window()
    assert not made.events("B", MatchExpired)
    made.window()
    (gone,) = made.events("B", MatchExpired)
    assert (gone.subscribe_id, gone.peer, gone.publish_id) == (1, A, 1)
    made.window()
    assert len(made.events("B", MatchExpired)) == 1


def test_a_match_need_not_expire() -> None:
    made = pair(b=DiscoverySettings(match_expiry_windows=None, indication="once"))
    made.window()
    made.devices["A"].discovery.cancel(1, 0)
    for _ in range(50):
        made.window()
    made.devices["A"].discovery.publish(SERVICE, now=0)
    made.window()
    assert len(made.events("B", Discovered)) == 1
    assert not made.events("B", MatchExpired)


# --- follow-ups -------------------------------------------------------------------------------------


def test_a_follow_up_reaches_the_application() -> None:
    made = pair()
    made.window()
    number = made.devices["B"].discovery.transmit(A, 1, 1, b"ping", made.now)
    made.run(2 * MS)
    (told,) = made.events("A", FollowUp)
    assert (told.handle, told.peer, told.peer_instance_id) == (1, B, 1)
    assert (told.service_info, told.consumed) == (b"ping".hex(), False)
    (fate,) = made.events("B", Transmitted)
    assert (fate.number, fate.peer, fate.acked) == (number, A, True)


@pytest.mark.parametrize(("policy", "handles"), [("service", [1, 2]), ("instance", [2])])
def test_who_gets_a_follow_up(policy: Any, handles: list[int]) -> None:
    """hostap gives it to every instance of the service (digest 8.3, 47)."""
    made = pair(a=DiscoverySettings(deliver_to=policy))
    made.devices["A"].discovery.subscribe(SERVICE, now=0)
    made.devices["B"].discovery.transmit(A, 1, 2, b"to 2", 0)
    made.run(2 * MS)
    assert [one.handle for one in made.events("A", FollowUp)] == handles


def test_consumers_come_before_the_application() -> None:
    made = pair()
    seen: list[tuple[str, int]] = []

    def consumer(_heard: Any, _descriptor: Any, service: Service, now: int) -> bool:
        seen.append((service.name, now))
        return True

    made.devices["A"].discovery.consumers = [consumer]
    made.devices["B"].discovery.transmit(A, 1, 1, b"x", 0)
    made.run(2 * MS)
    assert seen == [(SERVICE, 0)]
    assert made.events("A", FollowUp)[0].consumed


def test_a_follow_up_that_nobody_acknowledges_is_tried_as_often_as_esp_does() -> None:
    made = pair(b=DiscoverySettings(follow_up_retries=3))
    made.carry = lambda *_: []
    number = made.devices["B"].discovery.transmit(A, 1, 1, b"x", 0)
    made.run(5 * SECOND)
    status = 1 * MS
    assert [at for at, _, _ in made.sent] == [n * (524_288 + status) for n in range(4)]
    (fate,) = made.events("B", Transmitted)
    assert (fate.number, fate.acked) == (number, False)
    assert made.devices["B"].next_timer() is None


def test_a_repetition_that_is_acknowledged_ends_it() -> None:
    made = pair(b=DiscoverySettings(follow_up_retries=3, follow_up_timeout_us=10 * SECOND))
    tries = iter((False, True, True))
    made.carry = lambda _sender, one: [(0, one.octets)] if next(tries) else []
    made.devices["B"].discovery.transmit(A, 1, 1, b"x", 0)
    made.run(20 * SECOND)
    assert len(made.sent) == 2
    assert [one.acked for one in made.events("B", Transmitted)] == [True]


def test_a_follow_up_whose_fate_is_unknown_is_given_up() -> None:
    settings = DiscoverySettings(follow_up_timeout_us=10 * SECOND, follow_up_queue=2)
    made = pair(b=settings)
    b = made.devices["B"]
    numbers = [b.discovery.transmit(A, 1, 1, b"x", 0) for _ in range(2)]
    with pytest.raises(RefusedError, match="2 follow-ups"):
        b.discovery.transmit(A, 1, 1, b"x", 0)
    b.to_send(0)
    b.handle_timer(10 * SECOND - 1)
    assert b.next_event() is None
    b.handle_timer(10 * SECOND)
    made.flush()
    assert [(one.number, one.acked) for one in made.events("B", Transmitted)] == [
        (numbers[0], False),
        (numbers[1], False),
    ]
    b.discovery.transmit(A, 1, 1, b"x", 0)


def test_a_retry_of_an_ended_instance_settles() -> None:
    made = pair(b=DiscoverySettings(follow_up_retries=3))
    made.carry = lambda *_: []
    made.devices["B"].discovery.transmit(A, 1, 1, b"x", 0)
    made.run(2 * MS)
    made.devices["B"].discovery.cancel(1, made.now)
    made.run(5 * SECOND)
    assert [one.acked for one in made.events("B", Transmitted)] == [False]


# --- identity and protection ------------------------------------------------------------------------


def test_a_paired_device_is_recognised_in_discovery() -> None:
    made = pair()
    nik = made.devices["A"].station.nik
    b = made.devices["B"].station
    b.remember(Identity(nik=bytes(16), npk=bytes(32), akm="sae"))
    made.window()
    b.remember(Identity(nik=nik, npk=bytes(32), akm="sae"))
    made.window()
    assert [one.identity for one in made.events("B", Discovered)] == [None, 1]


def test_unicast_frames_of_paired_devices_are_protected() -> None:
    made = pair({"unsolicited": False}, {"active": True}, link_protection=False)
    made.devices["A"].station.peer(B).paired = True
    made.window()
    assert made.sent[-1][2].clear[24] == 9, "category of the answer"
    made.devices["A"].discovery.follow_up(B, 1, 1, (), name="x", engine="pairing", category=4)
    made.flush()
    assert made.sent[-1][2].clear[24] == 4


def test_another_nmi_makes_another_pmkid_and_tag() -> None:
    """What is shown of a passphrase and of the identity is bound to the NMI (digest 8.3, 53)."""
    made = pair({"cipher_suites": (1,), "passphrase": b"a passphrase"})
    made.window()
    station = made.devices["A"].station
    station.move(C)
    made.window()
    first, second = made.events("B", Discovered)
    assert (first.peer, second.peer) == (A, C)
    assert len(first.pmkids) == len(second.pmkids) == 1
    assert first.pmkids != second.pmkids
    fresh = pair({"cipher_suites": (1,), "passphrase": b"a passphrase"}, nmi=C)
    fresh.window()
    assert fresh.events("B", Discovered)[0].pmkids == second.pmkids
    nira = fields(made.sent[-1][2].octets, "identity_resolution")
    assert matching.nira_tag(station.nik, C, bytes.fromhex(nira.nonce)).hex() == nira.tag


def test_what_is_announced_follows_the_availability() -> None:
    """Attributes are kept from window to window, but not when they have changed."""
    made = pair()
    made.window()
    made.devices["A"].station.availability_sequence += 1
    made.window()
    shown = [fields(one.octets, "nan_availability").sequence_id for _, _, one in made.sent]
    assert shown == [0, 1]


# --- refused commands -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "why"),
    [
        ("", {}, "0 octets"),
        ("x" * 256, {}, "256 octets"),
        (SERVICE, {"unsolicited": False, "solicited": False}, "solicited or both"),
        (SERVICE, {"passphrase": b"a passphrase"}, "cipher suite"),
        (SERVICE, {"passphrase": b"short", "cipher_suites": (1,)}, "5 octets"),
        (SERVICE, {"pmk": bytes(16), "cipher_suites": (1,)}, "16 octets"),
        (SERVICE, {"service_info": bytes(3_000)}, "a frame takes"),
        (SERVICE, {"tx_filter": bytes(256)}, "announced"),
        (SERVICE, {"service_info": bytes(70_000)}, "announced"),
    ],
)
def test_a_publish_that_cannot_be_is_refused(name: str, options: dict[str, Any], why: str) -> None:
    one = device()
    with pytest.raises(RefusedError, match=why):
        one.discovery.publish(name, now=0, **options)
    assert not one.station.services


def test_limits_of_phones() -> None:
    settings = DiscoverySettings(one_per_name=True, service_info_limit=255)
    one = device(discovery=settings)
    one.discovery.publish(SERVICE, now=0)
    one.discovery.subscribe(SERVICE, now=0)
    with pytest.raises(RefusedError, match="runs already"):
        one.discovery.publish(SERVICE, now=0)
    with pytest.raises(RefusedError, match="takes 255"):
        one.discovery.update(1, service_info=bytes(256))
    one.discovery.update(1, service_info=bytes(255))


@pytest.mark.parametrize(("form", "why"), [("generic", "sub-attributes"), ("bonjour", "TXT")])
def test_free_service_info_cannot_go_with_pairing_strings(form: Any, why: str) -> None:
    one = device(discovery=DiscoverySettings(pairing_strings=IPHONE, pairing_info_form=form))
    with pytest.raises(RefusedError, match=why):
        one.discovery.publish(SERVICE, service_info=b"Hello", now=0)
    handle = one.discovery.publish(SERVICE, service_info=b"Hello", pairing_mode=False, now=0)
    with pytest.raises(RefusedError, match=why):
        one.discovery.update(handle, pairing_mode=True)
    one.discovery.update(handle, methods=2)
    one.window(0)
    assert b"Hello" in one.to_send(0)[0].octets, "a refused change changes nothing"


def test_all_instances_in_use() -> None:
    one = device(discovery=DiscoverySettings(extras=False))
    for _ in range(255):
        one.discovery.subscribe(SERVICE, now=0)
    with pytest.raises(RefusedError, match="255"):
        one.discovery.subscribe(SERVICE, now=0)


def test_follow_ups_of_unknown_instances_are_refused() -> None:
    one = device()
    with pytest.raises(RefusedError, match="handle 3"):
        one.discovery.transmit(B, 3, 1, b"x", 0)
    one.discovery.subscribe(SERVICE, now=0)
    with pytest.raises(RefusedError, match="cannot be sent"):
        one.discovery.transmit(B, 1, 1, bytes(70_000), 0)
    with pytest.raises(RefusedError, match="not paused"):
        one.discovery.unpause(1, 0)


# --- bad frames -------------------------------------------------------------------------------------


def publish_frame() -> bytes:
    made = pair({"methods": 2, "cipher_suites": (1,), "passphrase": b"a passphrase"})
    made.window()
    return made.sent[0][2].octets


def test_a_publish_cut_at_any_octet_does_no_harm() -> None:
    octets = publish_frame()
    one = device(B)
    one.discovery.subscribe(SERVICE, now=0)
    for size in range(len(octets)):
        one.receive(octets[:size], 0)
        while (event := one.next_event()) is not None:
            assert isinstance(event, Dropped | Discovered)
    one.receive(octets, 0)
    assert isinstance(one.next_event(), Discovered)


@pytest.mark.parametrize(
    "name",
    [
        "pairing_bootstrapping",
        "nan_availability",
        "device_capability_extension",
        "identity_resolution",
        "cipher_suite_information",
        "security_context_information",
        "service_descriptor_extension",
    ],
)
def test_a_malformed_attribute_says_nothing_and_the_rest_counts(name: str) -> None:
    frame = read(publish_frame())
    cut = tuple(Attr(a.id, a.octets[:1]) if a.name == name else a for a in frame.nan_attributes)
    one = device(B)
    one.discovery.subscribe(SERVICE, now=0)
    one.receive(build(msgspec.structs.replace(frame, attributes=cut)), 0)
    told = one.next_event()
    assert isinstance(told, Discovered)
    assert told.publish_id == 1
    empty = {
        "pairing_bootstrapping": told.methods == 0,
        "device_capability_extension": told.pairing_setup is None,
        "cipher_suite_information": told.cipher_suites == (),
        "security_context_information": told.pmkids == (),
        "service_descriptor_extension": told.data_path is False,
    }
    assert empty.get(name, True)


def test_malformed_and_reserved_descriptors_are_dropped_by_name() -> None:
    frame = read(publish_frame())
    good = next(a for a in frame.nan_attributes if a.name == "service_descriptor")
    reserved = msgspec.structs.replace(good.fields, type=3)
    one = device(B)
    one.discovery.subscribe(SERVICE, now=0)
    broken = msgspec.structs.replace(
        frame, attributes=(Attr(3, good.octets[:8]), make(reserved), good)
    )
    one.receive(build(broken), 0)
    events = [one.next_event() for _ in range(3)]
    reason = [getattr(event, "reason", type(event).__name__) for event in events]
    assert "Service Descriptor: " in reason[0]
    assert "reserved type 3" in reason[1]
    assert reason[2] == "Discovered"


def test_a_protected_group_frame_is_read_like_another() -> None:
    """An iPhone protects its group frames from the start; their tail is no reason to drop them (ESP-IDF)."""
    tail = make_element(Mme(key_id=4, packet_number=1, mic=bytes(8).hex()))
    one = device(B)
    one.discovery.subscribe(SERVICE, now=0)
    one.receive(build(msgspec.structs.replace(read(publish_frame()), elements=(tail,))), 0)
    assert isinstance(one.next_event(), Discovered)


def test_several_services_in_one_frame() -> None:
    """Each descriptor goes with the extension of its own instance."""
    frame = read(publish_frame())
    (sda,) = (a.fields for a in frame.nan_attributes if a.name == "service_descriptor")
    other: ServiceDescriptor = msgspec.structs.replace(
        sda, instance_id=9, service_id=matching.service_id("_other._udp")
    )
    one = device(B)
    one.discovery.subscribe(SERVICE, now=0)
    one.discovery.subscribe("_other._udp", now=0)
    both = (make(other), *frame.nan_attributes)
    one.receive(build(msgspec.structs.replace(frame, attributes=both)), 0)
    events = [one.next_event(), one.next_event()]
    told = [
        (e.subscribe_id, e.publish_id, e.data_path) for e in events if isinstance(e, Discovered)
    ]
    assert told == [(2, 9, False), (1, 1, True)]


def test_suites_and_pmkids_are_those_of_the_instance_or_of_all() -> None:
    frame = read(publish_frame())
    pairs = [(7, 1), (8, 9), (1, 0)]
    suites = [CipherSuite(suite=suite, publish_id=owner) for suite, owner in pairs]
    shown = [
        SecurityContext(type=kind, publish_id=owner, identifier=mark * 32)
        for kind, owner, mark in ((1, 1, "a"), (1, 9, "b"), (1, 0, "c"), (2, 1, "d"))
    ]
    csia = next(a.fields for a in frame.nan_attributes if a.id == 0x22)
    kept = [a for a in frame.nan_attributes if a.id not in (0x22, 0x23)]
    more = (
        make(msgspec.structs.replace(csia, suites=suites)),
        make(SecurityContextInformation(contexts=shown)),
    )
    one = device(B)
    one.discovery.subscribe(SERVICE, now=0)
    one.receive(build(msgspec.structs.replace(frame, attributes=(*kept, *more))), 0)
    told = one.next_event()
    assert isinstance(told, Discovered)
    assert told.cipher_suites == (7, 1)
    assert told.pmkids == ("a" * 32, "c" * 32)


def test_a_flood_of_publishers_fills_bounded_memory() -> None:
    settings = DiscoverySettings(peer_limit=32, match_limit=16)
    one = device(B, discovery=settings)
    one.discovery.subscribe(SERVICE, now=0)
    station = one.station
    for nmi in ("06:00:00:00:ff:01", "06:00:00:00:ff:02"):
        station.peer(nmi).paired = True
    frame = read(publish_frame())
    for number in range(400):
        source = f"06:00:00:00:{number >> 8:02x}:{number & 255:02x}"
        one.receive(build(msgspec.structs.replace(frame, source=source)), 0)
        while one.next_event() is not None:
            pass
    assert len(station.peers) == 32
    assert sum(peer.paired for peer in station.peers.values()) == 2
    assert len(one.discovery.instances[1].matches) == 16


def test_who_is_forgotten_first() -> None:
    """Strangers before those that bootstrapping has come to, and never who is in use."""
    one = device(B, discovery=DiscoverySettings(peer_limit=5))
    one.discovery.subscribe(SERVICE, now=0)
    names = ("bootstrapped", "bootstrapping", "paired", "connected", "stranger")
    peers = {
        name: one.station.peer(f"06:00:00:00:ff:{number:02x}") for number, name in enumerate(names)
    }
    peers["bootstrapped"].request_received = Attr(0x2C, b"")
    peers["bootstrapping"].bootstrapping = True
    peers["paired"].paired = True
    peers["connected"].data_interface = (B, A)
    frame = read(publish_frame())
    left: list[set[str]] = []
    for source in (A, C):
        one.receive(build(msgspec.structs.replace(frame, source=source)), 0)
        known = one.station.peers
        left.append({name for name, peer in peers.items() if peer.nmi in known})
        known[source].paired = True
    kept = {"bootstrapping", "paired", "connected"}
    assert left == [kept | {"bootstrapped"}, kept]


def test_when_all_peers_are_in_use_a_new_one_is_dropped() -> None:
    one = device(B, discovery=DiscoverySettings(peer_limit=1))
    one.discovery.subscribe(SERVICE, now=0)
    one.station.peer(C).paired = True
    one.receive(publish_frame(), 0)
    assert "all are in use" in getattr(one.next_event(), "reason", "")
    one.station.peers[C].paired = False
    one.receive(publish_frame(), 0)
    assert isinstance(one.next_event(), Discovered)


def test_frames_of_another_cluster_count_unless_they_are_checked() -> None:
    """hostap does not look (digest 8.1, 9)."""
    frame = msgspec.structs.replace(read(publish_frame()), bssid="50:6f:9a:01:99:99")
    for check in (False, True):
        one = device(B, discovery=DiscoverySettings(check_cluster=check))
        one.discovery.subscribe(SERVICE, now=0)
        one.receive(build(frame), 0)
        told = one.next_event()
        assert isinstance(told, Dropped if check else Discovered)


def test_sequence_ids_are_compared_modulo() -> None:
    """Digest 8.3, 41."""
    made = pair()
    peer = made.devices["B"].station.peer(A)
    shown: list[int] = []
    for sequence in (5, 3, 250, 251, 124, 123, 6):
        made.devices["A"].station.availability_sequence = sequence
        made.window()
        assert peer.availability is not None
        shown.append(peer.availability.octets[0])
    assert shown == [5, 5, 250, 251, 251, 123, 123]


def test_every_action_of_the_table_exists_and_is_used() -> None:
    one = device()
    assert set(one.discovery._actions.table) == {action for action, _ in TRANSITIONS.values()}
    assert discovery.TRANSITIONS is TRANSITIONS
