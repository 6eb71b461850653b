"""Every switch of pairing does what it says: what goes on the air, and with whom it still works (digest 12)."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.wifi_aware import keys
from protocols.wifi_aware.attributes import Attr
from protocols.wifi_aware.events import PairingResult
from protocols.wifi_aware.pairing import HOSTAP, PairingSettings
from tests.protocols.wifi_aware.pairing_sides import A, Air, B, Side, accept, pair, read, sides

REQUEST, LATER = (
    Attr(0x2C, bytes.fromhex("0101002000")),
    Attr(0x2C, bytes.fromhex("01210004deadbeef2000")),
)


def with_(**changes: Any) -> PairingSettings:
    return msgspec.structs.replace(PairingSettings(), **changes)


def run(air: Air, mode: str = "sae", csid: int = 7) -> Air:
    accept(air.a, B, mode=mode, csid=csid, now=air.now)
    pair(air.b, A, mode=mode, csid=csid, now=air.now)
    air.run(air.now + 1_000_000)
    return air


def elements_of(air: Air, name: str) -> dict[str, str]:
    """Elements of the frame of that name: name -> octets with their header, hex."""
    frame = next(one for one in air.log if one.name == name)
    return {element.name: element.written().hex() for element in read(frame.octets).elements}


def attributes_of(air: Air, name: str) -> list[str]:
    frame = next(one for one in air.log if one.name == name)
    return [attr.written().hex() for attr in read(frame.octets).nan_attributes]


# --- forms on the air -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "mode", "shown"),
    [
        ({}, "sae", "f4022100"),
        ({"rsnxe_octets": 1}, "sae", "f40120"),
        ({}, "opportunistic", None),
        ({"rsnxe_octets": 1, "rsnxe_opportunistic": True}, "opportunistic", "f40120"),
    ],
)
def test_rsnxe(change: dict[str, Any], mode: str, shown: str | None) -> None:
    """Discrepancy 8: hostap, Qualcomm, hostap, ESP-IDF."""
    for settings in ((with_(**change), HOSTAP), (HOSTAP, with_(**change))):
        air = run(sides(*settings), mode)
        mine = "auth2" if settings[1] is HOSTAP else "auth1"
        assert elements_of(air, mine).get("rsnxe") == shown
        assert air.a.results == air.b.results == [0]


@pytest.mark.parametrize("suites", [(7, 1), (1, 7)])
def test_more_suites_in_the_csia_of_a_responder(suites: tuple[int, int]) -> None:
    """Discrepancy 9: Qualcomm, MediaTek. An initiator does not look at them."""
    air = run(sides(with_(csia_responder=suites), HOSTAP))
    first, second = suites
    assert attributes_of(air, "auth2")[0] == f"22050000{first:02x}01{second:02x}01"
    assert air.a.results == air.b.results == [0]


def bootstrapped(settings: PairingSettings) -> Air:
    """B asked for 0x0020 and came back with a cookie; A shows a PIN."""
    air = sides(settings, settings)
    asked, answered = air.b.station.peers[A], air.a.station.peers[B]
    asked.request_sent, asked.method = REQUEST, 0x0020
    answered.request_received, answered.method = LATER, 0x0002
    return run(air)


@pytest.mark.parametrize(
    ("form", "auth1", "auth2"),
    [
        ("copy", "2c05000101002000", "2c0a0001210004deadbeef2000"),
        ("advertise", "2c05000000000300", "2c05000000000300"),
        ("answer", "2c05000101002000", "2c05000102000200"),
        ("response", "2c05000102000200", "2c05000102000200"),
        ("none", None, None),
    ],
)
def test_bootstrapping_in_the_frames(form: str, auth1: str | None, auth2: str | None) -> None:
    """Discrepancy 10, with the exchange of digest 11 as the example of `copy`."""
    air = bootstrapped(with_(npba=form))
    shown = {"auth1": auth1, "auth2": auth2, "auth3": auth1}
    for name, expected in shown.items():
        found = [one for one in attributes_of(air, name) if one.startswith("2c")]
        assert found == ([] if expected is None else [expected])
    assert air.a.results == air.b.results == [0]


def test_without_bootstrapping_the_frames_show_none() -> None:
    for form in ("copy", "advertise", "answer", "response"):
        air = run(sides(with_(npba=form), with_(npba=form)))
        assert not [one for one in attributes_of(air, "auth1") if one.startswith("2c")]


def verified(settings: PairingSettings) -> Air:
    first = run(sides())
    air = Air(
        *(
            Side(side.nmi, settings, nik=side.station.nik.hex(), seed=f"later {side.nmi}")
            for side in (first.a, first.b)
        )
    )
    for side, old in ((air.a, first.a), (air.b, first.b)):
        identity = old.station.identities[0]
        side.pairing.add_identity(identity.nik, identity.npk, identity.akm, 0)
    return run(air, "verification")


@pytest.mark.parametrize("shown", [False, True])
def test_dcea_in_a_verification(shown: bool) -> None:
    """Discrepancy 11."""
    air = verified(with_(dcea_in_verification=shown))
    ids = [one[:2] for one in attributes_of(air, "auth1")]
    assert ids == (["22", "2a", "2b"] if shown else ["22", "2b"])
    assert air.a.results == air.b.results == [0]


def test_the_responders_address_as_a3() -> None:
    """Discrepancy 12, ESP-IDF: hostap's initiator does not take it."""
    for initiator, results in ((PairingSettings(), [0]), (HOSTAP, [1])):
        air = run(sides(with_(a3="responder"), initiator))
        auth2 = next(one for one in air.log if one.name == "auth2")
        assert read(auth2.octets).bssid == A
        assert air.b.results == results


def test_the_responders_address_stands_in_refusals_too() -> None:
    air = sides(with_(a3="responder"))
    accept(air.a, B, mode="opportunistic", now=air.now)
    pair(air.b, A, now=air.now)
    air.deliver()
    refusal = read(air.next().octets)
    assert (refusal.status, refusal.bssid) == (72, A)


# --- keys -------------------------------------------------------------------------------------------


def test_nd_pmk_with_sha_256_differs_for_suite_8_only() -> None:
    """Discrepancy 1: with a hostap peer such a pairing succeeds, and its data paths do not."""
    for csid in (7, 8):
        air = run(sides(with_(nd_pmk_hash="sha256"), HOSTAP), csid=csid)
        assert air.a.results == air.b.results == [0]
        same = air.a.station.peers[B].nd_pmk == air.b.station.peers[A].nd_pmk
        assert same is (csid == 7)
        kdk = bytes.fromhex(air.a.of(PairingResult)[0].nm_kdk)
        assert air.a.station.peers[B].nd_pmk == keys.nd_pmk(kdk, B, A, csid, hash_name="sha256")


def test_nm_keys_by_the_hash_of_pasn_differ_with_a_password_and_suite_8() -> None:
    """Discrepancy 2: the identity key of the other side cannot be opened then."""
    for mode, csid, works in (("sae", 7, True), ("sae", 8, False), ("opportunistic", 8, True)):
        air = run(sides(with_(nm_hash="pasn"), HOSTAP), mode, csid)
        assert air.a.results == air.b.results == [0]
        assert (0 in air.a.station.identities) is works


def test_an_opportunistic_npk_of_the_length_of_the_tk_cannot_be_verified_by_hostap() -> None:
    """Discrepancy 3: 16 octets with CCMP, and not the first ones of 32."""
    for csid, same in ((7, False), (8, True)):
        air = run(sides(with_(npk_length="tk"), HOSTAP), "opportunistic", csid)
        mine, theirs = air.a.station.identities[0].npk, air.b.station.identities[0].npk
        assert (mine == theirs) is same
        assert len(mine) == 32
        if not same:
            assert mine[16:] == bytes(16)
            assert mine[:16] != theirs[:16]


def test_a_responder_that_uses_the_key_before_auth3_takes_it_back_when_none_comes() -> None:
    """Discrepancy 14, Qualcomm."""
    air = sides(with_(install_before_auth2=True))
    accept(air.a, B, now=air.now)
    pair(air.b, A, now=air.now)
    air.deliver()
    assert air.a.station.peers[B].paired
    assert (A, B) in air.a.station.link_keys
    air.deliver()
    air.lose()
    air.run(air.now + 30_000_000)
    assert air.a.results == [1]
    assert not air.a.station.peers[B].paired
    assert (A, B) not in air.a.station.link_keys
    assert run(sides(with_(install_before_auth2=True))).a.results == [0]


# --- presets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["sae", "opportunistic"])
@pytest.mark.parametrize("csid", [7, 8])
def test_a_careful_device_and_hostap_pair_in_either_role(mode: str, csid: int) -> None:
    for settings in ((HOSTAP, PairingSettings()), (PairingSettings(), HOSTAP)):
        air = run(sides(*settings), mode, csid)
        assert air.a.results == air.b.results == [0]
        assert 0 in air.a.station.identities
        assert 0 in air.b.station.identities


HARDENED = {
    "identity_limit": "a store that grows without end",
    "auth_timeout_us": "an exchange that waits for ever",
    "stored_timeout_us": "a request that waits for ever",
    "stored_limit": "strangers that fill the memory",
    "attempts_limit": "a PIN that is tried again and again",
    "rejection_grace_us": "a rejection that anyone can forge",
    "repeated_auth2": "a doubled frame that ends a pairing that succeeded",
    "second_auth1": "a doubled frame that makes both fail",
    "drop_replayed_auth1": "a replay that asks the user again",
    "check_npkid": "an identity that is shown and not proved",
    "nik_timeout_us": "an exchange of identities that waits for ever",
    "bad_nik": "a damaged frame that costs the identity",
    "check_instance_ids": "an identity for another instance",
}
TOLERANT = {
    "csia_any_order": "MediaTek's order of suites",
    "check_auth2_a3": "ESP-IDF's A3",
    "requires_lifetime": "iPhones, which announce none",
    "accept_nik_mic": "ESP-IDF's and MediaTek's MIC field",
    "require_pairwise_bit": "Qualcomm's key information",
}


def test_where_the_default_differs_from_hostap_and_why() -> None:
    """What is sent is hostap's; what differs is patience, belief, and whom else we pair with."""
    default, hostap = PairingSettings(), HOSTAP
    names = PairingSettings.__struct_fields__
    differing = {name for name in names if getattr(default, name) != getattr(hostap, name)}
    assert differing == {*HARDENED, *TOLERANT}
