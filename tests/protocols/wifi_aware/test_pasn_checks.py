"""What a responder answers to an Auth1 that is not right, and an initiator makes of such an Auth2 (digest 2, 6.3, 6.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import pytest

from protocols.wifi_aware import elements, pasn_frames
from protocols.wifi_aware import frame as codec
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.elements import Element
from protocols.wifi_aware.elements.supported_groups import SupportedGroups
from protocols.wifi_aware.events import AuthReceived, Dropped
from protocols.wifi_aware.pairing import HOSTAP, PairingSettings, State
from protocols.wifi_aware.sae_messages import Container
from tests.protocols.wifi_aware.pairing_sides import A, Air, B, accept, pair, read, sides

if TYPE_CHECKING:
    from collections.abc import Callable

    Change = Callable[[list[Element]], list[Element]]
P_256 = 0xFFFFFFFF00000001000000000000000000000000FFFFFFFFFFFFFFFFFFFFFFFF


def changed(octets: bytes, change: Change) -> bytes:
    """A frame with other elements."""
    frame: Any = read(octets)
    return codec.build(msgspec.structs.replace(frame, elements=tuple(change(list(frame.elements)))))


def without(name: str) -> Change:
    return lambda found: [one for one in found if one.name != name]


def fields(name: str, **values: Any) -> Change:
    """That element with other fields; a function gets the old value."""

    def change(found: list[Element]) -> list[Element]:
        out = []
        for one in found:
            if one.name == name:
                old = one.fields
                new = {k: v(getattr(old, k)) if callable(v) else v for k, v in values.items()}
                out.append(elements.make(msgspec.structs.replace(old, **new)))
            else:
                out.append(one)
        return out

    return change


def octets(name: str, edit: Callable[[bytes], bytes]) -> Change:
    return lambda found: [
        Element(one.id, edit(one.octets)) if one.name == name else one for one in found
    ]


def attributes(edit: Callable[[list[Attr]], list[Attr]]) -> Change:
    """The NAN element with other attributes."""

    def change(found: list[Element]) -> list[Element]:
        nan = next(one for one in found if one.name == "nan")
        written = b"".join(attr.written() for attr in edit(list(nan.attributes)))
        return [Element(one.id, one.octets[:4] + written) if one is nan else one for one in found]

    return change


def bits(**values: bool) -> Change:
    return fields("rsne", capabilities=lambda old: msgspec.structs.replace(old, **values))


def commit(**values: Any) -> Change:
    def edit(messages: list[Any]) -> list[Any]:
        new = {k: v(getattr(messages[0], k)) if callable(v) else v for k, v in values.items()}
        return [msgspec.structs.replace(messages[0], **new), *messages[1:]]

    return fields("wrapped_data", messages=edit)


def off_curve(x: str) -> str:
    """The next x without a point on P-256."""
    b = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
    value = int(x, 16)
    while pow(value**3 - 3 * value + b, (P_256 - 1) // 2, P_256) == 1:
        value += 1
    return f"{value:064x}"


SUITES_CCMP_GCMP = ["00-0f-ac:4", "00-0f-ac:9"]
ANSWERED: dict[str, tuple[Change, int]] = {
    "no RSNE": (without("rsne"), 72),
    "RSNE cut off": (octets("rsne", lambda data: data[:9]), 72),
    "RSNE with version alone": (octets("rsne", lambda data: data[:2]), 72),
    "MFP not required": (bits(mfp_required=False), 72),
    "MFP not capable": (bits(mfp_capable=False), 72),
    "two pairwise suites": (fields("rsne", pairwise_ciphers=SUITES_CCMP_GCMP), 72),
    "another cipher": (fields("rsne", pairwise_ciphers=["00-0f-ac:9"]), 72),
    "another AKM": (fields("rsne", akms=["00-0f-ac:21"]), 72),
    "two AKMs": (fields("rsne", akms=["00-0f-ac:8", "00-0f-ac:21"]), 72),
    "group traffic": (fields("rsne", group_data_cipher="00-0f-ac:4"), 72),
    "group management": (fields("rsne", group_management_cipher="00-0f-ac:6"), 72),
    "two PMKIDs": (fields("rsne", pmkids=["11" * 16, "22" * 16]), 72),
    "no PASN Parameters": (without("pasn_parameters"), 38),
    "PASN Parameters cut off": (octets("pasn_parameters", lambda data: data[:-5]), 38),
    "no key": (octets("pasn_parameters", lambda data: data[:1] + b"\0\3"), 38),
    "another group": (fields("pasn_parameters", group=21), 77),
    "key of another form": (fields("pasn_parameters", public_key=lambda old: f"05{old[2:]}"), 136),
    "key without point": (fields("pasn_parameters", public_key=lambda old: f"02{off_curve(old[2:])}"), 1),
    "key too short": (fields("pasn_parameters", public_key=lambda old: old[:-2]), 1),
    "no SAE": (without("wrapped_data"), 1),
    "SAE cut off": (octets("wrapped_data", lambda data: data[:-8]), 1),
    "a confirm in place of the commit": (commit(transaction=2), 1),
    "not hash to element": (commit(status=0), 1),
    "scalar 1": (commit(scalar="00" * 31 + "01"), 1),
    "scalar too large": (commit(scalar="ff" * 32), 1),
    "element off the curve": (commit(element_y=lambda old: f"{int(old, 16) ^ 1:064x}"), 1),
    "element at the origin": (commit(element_x="00" * 32, element_y="00" * 32), 1),
    "a password identifier": (commit(containers=[Container(id=255, octets="2161")]), 123),
}  # fmt: skip
SILENT: dict[str, Change] = {
    "no NAN element": without("nan"),
    "attributes cut off": octets("nan", lambda data: data[:-1]),
    "no CSIA": attributes(lambda found: [one for one in found if one.id != 0x22]),
    "another suite": attributes(lambda found: [Attr(0x22, b"\0\x08\1"), *found[1:]]),
    "CSIA cut off": attributes(lambda found: [Attr(0x22, b"\0"), *found[1:]]),
}
ACCEPTED: dict[str, Change] = {
    "any order": lambda found: found[::-1],
    "no RSNXE": without("rsnxe"),
    "RSNXE of one octet": octets("rsnxe", lambda _: b"\x20"),
    "no DCEA": attributes(lambda found: found[:1]),
    "key with the other prefix": fields("pasn_parameters", public_key=lambda old: f"03{old[2:]}"),
    "a PMKID": fields("rsne", pmkids=["11" * 16]),
    "an element that nobody knows": lambda found: [*found, Element(200, b"\1\2")],
}


def waiting(settings: PairingSettings | None = None) -> tuple[Air, Any]:
    """A is ready for SAE and suite 7, and Auth1 of B waits."""
    air = sides(a=settings)
    accept(air.a, B, now=air.now)
    pair(air.b, A, now=air.now)
    return air, air.next()


@pytest.mark.parametrize("settings", [PairingSettings(), HOSTAP], ids=["default", "hostap"])
@pytest.mark.parametrize("fault", ANSWERED)
def test_what_an_auth1_lacks_is_answered_with_its_status(
    fault: str, settings: PairingSettings
) -> None:
    change, status = ANSWERED[fault]
    air, auth1 = waiting(settings)
    air.a.take(changed(auth1.octets, change), air.now)
    answer = read(air.next().octets)
    assert (answer.transaction, answer.status) == (2, status)
    names = [element.name for element in answer.elements]
    assert names == (["supported_groups", "nan"] if status == 77 else ["nan"])
    assert [(one.transaction, one.accepted) for one in air.a.of(AuthReceived)] == [(1, False)]
    assert air.a.pairing.state(B) is State.ARMED
    assert air.a.results == []
    assert "sae_rand" not in air.a.draws.log, "drawn for a commit that can be used only"
    air.deliver(auth1)
    air.run(air.now + 1_000_000)
    assert air.a.results == [0], "the right one is still taken"


def test_the_groups_that_are_taken_are_told_with_status_77() -> None:
    air, auth1 = waiting()
    air.a.take(changed(auth1.octets, ANSWERED["another group"][0]), air.now)
    found = read(air.next().octets).elements[0]
    assert found.written().hex() == "ff03a11300"


@pytest.mark.parametrize("settings", [PairingSettings(), HOSTAP], ids=["default", "hostap"])
@pytest.mark.parametrize("fault", SILENT)
def test_what_is_no_pairing_with_this_device_is_passed_over(
    fault: str, settings: PairingSettings
) -> None:
    air, auth1 = waiting(settings)
    air.a.take(changed(auth1.octets, SILENT[fault]), air.now)
    air.collect()
    assert not air.waiting
    assert len(air.a.of(Dropped)) == 1
    assert [one.accepted for one in air.a.of(AuthReceived)] == [False]
    assert "ecdh_private" not in air.a.draws.log


@pytest.mark.parametrize("settings", [PairingSettings(), HOSTAP], ids=["default", "hostap"])
@pytest.mark.parametrize("variant", ACCEPTED)
def test_what_is_unusual_but_right_is_answered(variant: str, settings: PairingSettings) -> None:
    air, auth1 = waiting(settings)
    air.a.take(changed(auth1.octets, ACCEPTED[variant]), air.now)
    assert read(air.next().octets).status == 0


@pytest.mark.parametrize(
    ("suites", "settings", "answered", "kept"),
    [
        (b"\x07\1\x01\1", PairingSettings(), True, True),
        (b"\x01\1\x07\1", PairingSettings(), True, True),
        (b"\x01\1\x08\1", PairingSettings(), False, True),
        (b"\x01\1", PairingSettings(), False, False),
        (b"\x07\1\x01\1", HOSTAP, True, True),
        (b"\x01\1\x07\1", HOSTAP, False, False),
    ],
)
def test_where_the_suite_may_stand_in_the_csia(
    suites: bytes, settings: PairingSettings, answered: bool, kept: bool
) -> None:
    """Discrepancy 9: hostap looks at the first suite only. Ready for suite 7, or not ready at all."""
    change = attributes(lambda found: [Attr(0x22, b"\0" + suites), *found[1:]])
    air, auth1 = waiting(settings)
    air.a.take(changed(auth1.octets, change), air.now)
    air.collect()
    assert bool(air.waiting) is answered
    fresh = sides(a=settings)
    fresh.a.take(changed(auth1.octets, change), fresh.now)
    assert (fresh.a.pairing.state(B) is State.STORED) is kept


@pytest.mark.parametrize("fault", ["no RSNE", "RSNE cut off", "two AKMs"])
def test_before_the_application_says_how_nothing_is_answered(fault: str) -> None:
    air = sides()
    pair(air.b, A, now=air.now)
    auth1 = air.next()
    air.a.take(changed(auth1.octets, ANSWERED[fault][0]), air.now)
    air.collect()
    assert not air.waiting
    assert air.a.pairing.state(B) is State.IDLE


@pytest.mark.parametrize(
    "place",
    [
        (0, b"\xb0\x00"),
        (4, bytes.fromhex("02ff5e10a011")),
        (24, b"\3\0"),
        (26, b"\4\0"),
        (26, b"\0\0"),
    ],
    ids=["right", "another receiver", "SAE outside PASN", "transaction 4", "transaction 0"],
)
def test_frames_that_are_no_part_of_a_pairing(place: tuple[int, bytes]) -> None:
    air, auth1 = waiting()
    at, new = place
    altered = auth1.octets[:at] + new + auth1.octets[at + len(new) :]
    air.a.take(altered, air.now)
    air.collect()
    assert bool(air.waiting) is (at == 0)


AUTH2_FAULTS: dict[str, Change] = {
    "no RSNE": without("rsne"),
    "another group": fields("pasn_parameters", group=20),
    "no key": octets("pasn_parameters", lambda data: data[:1] + b"\0\3"),
    "no MIC": without("mic"),
    "two MICs": lambda found: [*found, found[-1]],
    "no SAE": without("wrapped_data"),
    "reflected": lambda found: found,
    "groups that lack the own one": fields("supported_groups", groups=[20]),
}


@pytest.mark.parametrize("settings", [PairingSettings(), HOSTAP], ids=["default", "hostap"])
@pytest.mark.parametrize("fault", AUTH2_FAULTS)
def test_an_initiator_fails_with_status_1_whatever_is_wrong_with_auth2(
    fault: str, settings: PairingSettings
) -> None:
    air = sides(b=settings)
    accept(air.a, B, now=air.now)
    pair(air.b, A, now=air.now)
    auth1 = air.deliver()
    auth2 = air.next()
    forged = changed(auth2.octets, AUTH2_FAULTS[fault])
    if fault == "reflected":
        forged = auth2.octets[:24] + auth1.octets[24:26] + b"\2\0" + auth1.octets[28:]
    air.deliver(auth2, forged)
    air.run(air.now + 5_000_000)
    assert air.b.results == [1]
    assert "auth3" not in [frame.name for frame in air.log]


def test_an_initiator_wants_its_group_among_those_of_a_right_auth2(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The list is looked at behind the MIC (digest 2.7)."""
    monkeypatch.setattr(
        pasn_frames, "groups", lambda _: elements.make(SupportedGroups(groups=[20]))
    )
    air = sides()
    accept(air.a, B, now=air.now)
    pair(air.b, A, now=air.now)
    air.run(air.now + 5_000_000)
    assert air.b.results == [1]


def test_hostaps_initiator_wants_the_cluster_id_as_a3() -> None:
    """Discrepancy 12; the responder does not look at it."""
    for settings, result in ((PairingSettings(), 0), (HOSTAP, 1)):
        air = sides(b=settings)
        accept(air.a, B, now=air.now)
        pair(air.b, A, now=air.now)
        auth1 = air.next()
        air.deliver(auth1, auth1.octets[:16] + bytes(6) + auth1.octets[22:])
        auth2 = air.next()
        air.deliver(auth2, auth2.octets[:16] + bytes.fromhex("02005e10a001") + auth2.octets[22:])
        air.run(air.now + 1_000_000)
        assert air.b.results == [result]
