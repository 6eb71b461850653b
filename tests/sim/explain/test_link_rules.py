"""Connections in captures: parameters, security, lost bonds; by a host's log and by a sniffer's."""

from __future__ import annotations

import struct

import pytest

from sim.explain.ib_20 import violations
from sim.explain.ib_24 import rounds
from sim.explain.observations import ParameterRequest
from tests.sim.explain.logs import ACCESSORY, Air, Hci, rules, the


def request(low_ms: float, high_ms: float, latency: int, timeout_ms: int) -> ParameterRequest:
    return ParameterRequest(
        t_us=0, frame=1, interval_min_ms=low_ms, interval_max_ms=high_ms, latency=latency, timeout_ms=timeout_ms
    )  # fmt: skip


@pytest.mark.parametrize(
    ("wish", "wrong"),
    [
        ((30, 60, 30, 6000), ""),  # the compliant request of the loop in IB-24
        ((15, 15, 0, 2000), ""),
        ((15, 30, 0, 6000), ""),
        ((30, 45, 0, 6000), ""),
        ((30, 60, 31, 6000), "latency 31"),
        ((11.25, 30, 0, 6000), "less than 15 ms"),
        ((20, 40, 0, 6000), "no multiple"),
        ((30, 30, 0, 6000), "minimum + 15 ms"),
        ((30, 44, 0, 6000), "minimum + 15 ms"),
        ((75, 105, 20, 7000), "more than 2 s"),  # 105 x 21 = 2205
        ((30, 60, 30, 5580), "3 x 1860"),  # must be more, not equal
        ((30, 60, 30, 5590), ""),
    ],
)
def test_the_five_rules_for_parameters(wish, wrong):
    """Accessory Design Guidelines R7 11.6, R17 40.6."""
    found = violations(request(*wish))
    assert (found == []) if not wrong else (len(found) == 1 and wrong in found[0])


def test_hid_accessories_may_have_less():
    assert violations(request(11.25, 11.25, 0, 6000))
    assert violations(request(11.25, 11.25, 0, 6000), is_hid=True) == []


def test_a_refused_request_names_its_fault():
    """US-19: 7.5 to 30 ms was asked for and refused."""
    log = Hci()
    log.connect()
    log.served()
    asked = log.wish(6, 24, 0, 600)
    refused = log.answer(accepted=False)
    one = the(log.findings(), "IB-20")
    assert one.severity == "warning"
    assert one.frames == (asked, refused)
    assert "less than 15 ms" in one.evidence
    assert "it was rejected" in one.evidence
    assert "US-19" in one.stories
    assert rules(log.findings(), "error") == set()


def test_a_request_that_keeps_the_rules_is_not_mentioned():
    log = Hci()
    log.connect()
    log.wish(24, 36, 0, 600)
    log.answer(accepted=True)
    log.updated(45.0, 0, 6000)
    assert not rules(log.findings("ios-ble")) & {"IB-20", "IB-21", "IB-24"}


@pytest.mark.parametrize(
    ("timeout", "severity"),
    [
        (200, "note"),
        (599, "note"),
        (600, None),
        (1800, "note"),
        (199, "warning"),
        (1801, "warning"),
    ],
)
def test_the_window_of_the_supervision_timeout(timeout, severity):
    """R7 to R21: 2 to 6 s. R30, R31: 6 to 18 s. Only 6 s is in both."""
    log = Hci()
    log.connect()
    log.wish(12, 24, 0, timeout)
    log.answer(accepted=False)
    found = [one.severity for one in log.findings("ios-ble") if one.rule == "IB-21"]
    assert found == ([severity] if severity else [])


def looping(times: int, *, reason: int | None) -> Hci:
    log = Hci()
    log.connect()
    for key in range(1, times + 1):
        log.wish(24, 48, 30, 600, key=key)
        log.answer(accepted=True, key=key)
        log.updated(60.0, 30, 6000)
        log.updated(30.0, 0, 720)
        log.t_us += 1_000_000
    if reason is not None:
        log.disconnect(reason)
    return log


def test_the_loop_of_updates():
    """US-19: granted, taken back, asked for again, until the connection breaks."""
    one = the(looping(4, reason=0x08).findings(), "IB-24")
    assert one.severity == "error"
    assert "4 times" in one.evidence
    assert "0x08" in one.evidence
    assert "US-19" in one.stories


def test_a_loop_without_a_loss_is_a_warning():
    assert the(looping(4, reason=0x13).findings(), "IB-24").severity == "warning"
    assert the(looping(1, reason=None).findings(), "IB-24").severity == "warning"


def test_an_update_by_the_central_alone_is_no_loop():
    log = Hci()
    log.connect()
    log.updated(60.0, 0, 6000)
    log.updated(30.0, 0, 720)
    log.disconnect(0x08)
    assert "IB-24" not in rules(log.findings())


def test_the_loop_as_a_sniffer_sees_it():
    """LL_CONNECTION_PARAM_REQ answered by LL_CONNECTION_UPDATE_IND, and a second one back to 30 ms."""
    log = Air()
    log.connect()
    for _ in range(3):
        log.control(0x0F, struct.pack("<HHHH", 24, 48, 0, 600) + bytes(15), central=False)
        for interval, timeout in ((48, 600), (24, 72)):
            log.control(0x00, struct.pack("<BHHHHH", 1, 0, interval, 0, timeout, 9), central=True)
    connection = log.scene(".pcapng").devices[ACCESSORY].connections[0]
    assert len(rounds(connection)) == 3
    assert "3 times" in the(log.findings(), "IB-24").evidence


def test_a_refusal_on_the_link_layer():
    log = Air()
    log.connect()
    log.control(0x0F, struct.pack("<HHHH", 6, 6, 0, 600) + bytes(15), central=False)
    log.control(0x11, b"\x0f\x20", central=True)
    assert "it was rejected" in the(log.findings(), "IB-20").evidence


def test_preferred_parameters_that_nobody_follows():
    log = Hci()
    log.connect()
    log.att("080100ffff0328", sent=True)
    log.att("0907" + "0200020300002a" + "0400020500042a", sent=False)
    log.att("0a0500", sent=True)
    read = log.att("0b" + struct.pack("<4H", 80, 100, 0, 600).hex(), sent=False)
    one = the(log.findings(), "IB-23")
    assert one.frames == (read,)
    assert "100 to 125 ms" in one.evidence
    log.wish(80, 100, 0, 600)
    assert "IB-23" not in rules(log.findings())  # it did ask


def test_short_packets():
    log = Hci()
    log.connect()
    log.att("020502", sent=True)
    log.att("031700", sent=False)
    assert "517, the device answered 23" in the(log.findings("ios-ble"), "IB-26").evidence
    log = Air()
    log.connect()
    log.control(0x14, struct.pack("<4H", 251, 2120, 251, 2120), central=True)
    refused = log.control(0x07, b"\x14", central=False)
    assert the(log.findings("ios-ble"), "IB-26").frames == (refused,)


def test_discovery_that_demands_security():
    log = Hci()
    log.connect()
    log.att("100100ffff0028", sent=True)
    refused = log.att("0110010005", sent=False)
    one = the(log.findings(), "IB-30")
    assert (one.severity, one.frames) == ("error", (refused,))


def test_a_value_may_demand_security():
    log = Hci()
    log.connect()
    log.att("0a0300", sent=True)
    log.att("010a030005", sent=False)
    log.att("080100ffff002a", sent=True)  # reading the name by its type is no discovery
    log.att("0108030005", sent=False)
    assert "IB-30" not in rules(log.findings())


def test_the_end_of_discovery_is_no_refusal():
    log = Hci()
    log.connect()
    log.att("100100ffff0028", sent=True)
    log.att("011001000a", sent=False)
    assert rules(log.findings()) == set()


def test_an_early_security_request():
    """US-17: it asks for pairing before anything was refused, and nothing comes of it."""
    log = Hci()
    log.connect()
    early = log.smp("0b0d", sent=False)
    one = the(log.findings(), "IB-31")
    assert (one.severity, one.frames) == ("error", (early,))
    log.encryption(0)
    assert the(log.findings(), "IB-31").severity == "warning"  # this phone went along


def test_a_security_request_after_a_refusal_is_fine():
    log = Hci()
    log.connect()
    log.att("0a0300", sent=True)
    log.att("010a030005", sent=False)
    log.smp("0b0d", sent=False)
    assert "IB-31" not in rules(log.findings())


@pytest.mark.parametrize(("keys", "is_named"), [("0303", True), ("0707", False), ("0f0b", False)])
def test_key_distribution_without_sign_and_link(keys, is_named):
    log = Hci()
    log.connect()
    log.smp("0b0d", sent=False)
    log.smp("0104002d100f0f", sent=True)
    log.smp(f"0203000d10{keys}", sent=False)
    log.smp("0508", sent=True)
    assert ("IB-32" in rules(log.findings())) == is_named


def test_an_identity_of_zeros():
    log = Hci()
    log.connect()
    log.encryption(0)
    zero = log.smp("0900000000000000", sent=False)
    one = the(log.findings(), "IB-33")
    assert (one.severity, one.frames) == ("error", (zero,))
    log = Hci()
    log.connect()
    log.smp("090155443322 11c0".replace(" ", ""), sent=False)
    log.smp("0900000000000000", sent=True)  # the phone's own is its own business
    assert "IB-33" not in rules(log.findings())


def bond_lost(times: int) -> Hci:
    log = Hci()
    for _ in range(times):
        log.connect()
        log.encryption(0x06)
        log.disconnect(0x13)
    return log


def test_a_bond_that_the_accessory_lost():
    """US-18: "Peer removed pairing information"."""
    found = bond_lost(3).findings()
    one = the(found, "IB-34")
    assert one.severity == "error"
    assert "3 times; nobody tried to pair" in one.evidence
    assert "Forget" in one.remedy
    assert the(found, "AB-05").severity == "warning"
    assert "ACTION_KEY_MISSING" in the(found, "AB-04").evidence
    assert "AB-04" not in rules(bond_lost(1).findings("android-ble@15"))


def test_a_bond_that_was_made_anew():
    log = bond_lost(1)
    log.connect()
    log.smp("0104002d100f0f", sent=True)
    log.encryption(0)
    log.served()
    found = log.findings()
    assert the(found, "IB-34").severity == "warning"
    assert "AB-05" not in rules(found)
    assert rules(found, "error") == set()


def test_a_lost_bond_as_a_sniffer_sees_it():
    """LL_ENC_REQ answered by LL_REJECT_EXT_IND with 0x06."""
    log = Air()
    log.connect()
    log.control(0x03, bytes(22), central=True)
    refused = log.control(0x11, b"\x03\x06", central=False)
    assert the(log.findings("ios-ble"), "IB-34").frames == (refused,)


def test_a_lost_bond_in_the_accessorys_own_log():
    """The host of the peripheral refuses the key that its controller asks for."""
    log = Hci()
    log.connect(role=1)
    refused = log.command(0x201B, hexa="4000")
    one = the(log.findings("ios-ble"), "IB-34")
    assert (one.frames, one.device) == ((refused,), "this host")


def test_just_works():
    log = Hci()
    log.connect()
    log.smp("0104002d100f0f", sent=True)
    log.smp("0203000910 0707".replace(" ", ""), sent=False)
    assert "NoInputNoOutput and no MITM" in the(log.findings("ios-ble"), "IB-36").evidence
    log = Hci()
    log.connect()
    log.smp("0200000d100707", sent=False)
    assert "IB-36" not in rules(log.findings())


def test_direction_is_that_of_the_roles_not_of_the_log():
    """The same request in the log of the accessory, which sent it."""
    log = Hci()
    log.connect(role=1)
    log.wish(6, 6, 0, 600, sent=True)
    log.answer(accepted=False, sent=False)
    one = the(log.findings("ios-ble"), "IB-20")
    assert one.device == "this host"
    assert "it was rejected" in one.evidence


def test_what_is_cut_into_acl_packets_is_put_together():
    log = Hci()
    log.connect()
    body = struct.pack("<BBHHHHH", 0x12, 1, 8, 6, 6, 0, 600)
    log.l2cap(5, body.hex(), sent=False, part=5)
    assert "IB-20" in rules(log.findings())


def test_a_packet_sent_twice_on_the_air_counts_once():
    log = Air()
    log.connect()
    wish = struct.pack("<HHBBHHHHH", 12, 5, 0x12, 1, 8, 6, 6, 0, 600)
    log.data(wish, central=False)
    log.data(wish, central=False, again=True)
    connection = log.scene(".pcapng").devices[ACCESSORY].connections[0]
    assert len(connection.requests) == 1


def test_without_marks_the_sender_is_told_by_the_rhythm():
    """Link type 251 says nothing about direction: the central begins, the answer comes 150 us later."""
    log = Air()
    log.connect()
    log.t_us += 20_000
    log.data(bytes.fromhex("030004000a0300"), central=True, known=False)
    log.t_us += 150
    log.data(bytes.fromhex("05000400010a030005"), central=False, known=False)
    connection = log.scene(".pcapng").devices[ACCESSORY].connections[0]
    assert [(one.code, one.discovery) for one in connection.att_errors] == [(0x05, False)]


def encrypted(*, decrypted: bool) -> Air:
    log = Air()
    log.connect()
    log.control(0x03, bytes(22), central=True)
    log.control(0x04, bytes(12), central=False)
    log.control(0x05, central=False)
    log.data(bytes.fromhex("05000400010a030005"), central=False, decrypted=decrypted)
    return log


def test_ciphertext_is_not_taken_for_packets():
    connection = encrypted(decrypted=False).scene(".pcapng").devices[ACCESSORY].connections[0]
    assert connection.encrypted
    assert connection.att_errors == []
    connection = encrypted(decrypted=True).scene(".pcapng").devices[ACCESSORY].connections[0]
    assert len(connection.att_errors) == 1


def test_silence_until_the_end_is_a_loss():
    log = Air()
    log.connect(timeout_ms=720)
    log.data(b"", central=True, llid=1)
    log.t_us += 2_000_000
    log.advert("020106")
    end = log.scene(".pcapng").devices[ACCESSORY].connections[0].disconnection
    assert end is not None
    assert end.reason == 0x08


def test_a_working_exchange_has_no_error():
    log = Hci()
    log.advert("02010603030d18020a0406094b6974656e", times=4)
    log.connect()
    log.att("020502", sent=True)
    log.att("03f700", sent=False)
    log.served()
    log.wish(24, 36, 0, 600)
    log.answer(accepted=True)
    log.updated(45.0, 0, 6000)
    log.served()
    log.disconnect(0x16)
    assert rules(log.findings(), "error", "warning") == set()
