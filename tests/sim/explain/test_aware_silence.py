"""What is concluded from what does not come: answers, acknowledgements; and where keys in comments are found."""

from __future__ import annotations

import pytest

from sim.explain import explain, view_of
from sim.explain.aware_source import AwareSource
from sim.explain.observations import Scene
from tests.sim.explain.aware_logs import A_NDI, B_NDI, A, B, C, Wifi

KEY, OTHER = "00" * 16, "ff" * 16
RETRY = 0x08


def found(log: Wifi, rule: str) -> list[tuple[str, str]]:
    views = view_of("ios-aware")
    return [(one.severity, one.device) for one in explain(log.scene(".pcap"), views) if one.rule == rule]  # fmt: skip


def asking(*, answered: bool, period: int = 4) -> Wifi:
    """B, there for longer than 512 TU at a time, asks A."""
    log = Wifi().discovery()
    log.subscribe(B, period=period, mme=True)
    log.request(B, A)
    if answered:
        log.response(A, B)
    return log


@pytest.mark.parametrize(("answered", "severity"), [(False, "warning"), (True, "note")])
def test_a_peer_that_never_answers_may_not_read_the_period(answered, severity):
    assert found(asking(answered=answered), "IA-10") == [(severity, B)]


def test_what_a_third_device_says_is_no_answer_of_the_peer():
    log = asking(answered=False)
    log.request(C, B)
    assert found(log, "IA-10") == [("warning", B)]


def test_periods_that_everybody_reads_need_no_words():
    assert found(asking(answered=False, period=3), "IA-10") == []


def data_frames(log: Wifi, *, retries: int) -> Wifi:
    """30 data frames of A's interface, some of them again."""
    for number in range(30):
        log.data(A_NDI, B_NDI)
        if number < retries:
            last = log.packets[-1].data
            log.put(105, bytes((last[0], last[1] | RETRY)) + last[2:])
    return log


@pytest.mark.parametrize(("retries", "count"), [(20, 1), (2, 0)])
def test_retransmitted_data_is_its_device_when_the_path_is_known(retries, count):
    log = data_frames(Wifi().discovery().path(), retries=retries)
    assert found(log, "NB-16") == [("warning", A)] * count


def test_retransmitted_data_of_an_encrypted_path_is_its_interface():
    log = data_frames(Wifi().discovery(), retries=20)
    assert found(log, "NB-16") == [("warning", A_NDI)]
    assert A_NDI not in log.scene(".pcap").aware.devices


def test_data_of_other_networks_is_nobodys():
    log = Wifi().discovery()
    log.cluster = "00:11:22:33:44:55"
    assert found(data_frames(log, retries=30), "NB-16") == []


@pytest.mark.parametrize(
    "comment",
    [
        f"from lamp; nm_tk of lamp and phone = {KEY}",
        f"from lamp; heard by phone; nm_tk of lamp and phone = {KEY}; ndp_tk of lamp and phone = {OTHER}",
        f"hello\nnm_tk of lamp and phone = {KEY}",
        f"nm_tk of nobody = zz; nm_tk of lamp and phone = {KEY}",
    ],
)
def test_a_key_is_found_anywhere_in_a_comment(comment, monkeypatch):
    learnt = []
    source = AwareSource(Scene(source="wifi"))
    monkeypatch.setattr(source, "learn", lambda name, value: learnt.append((name, value)))
    source.learn_from(comment)
    assert ("nm_tk", KEY) in learnt
    assert (("ndp_tk", OTHER) in learnt) == (OTHER in comment)


def test_words_about_keys_are_no_keys(monkeypatch):
    learnt = []
    source = AwareSource(Scene(source="wifi"))
    monkeypatch.setattr(source, "learn", lambda *key: learnt.append(key))
    source.learn_from(f"the nm_tk of lamp and phone = {KEY}; kck of a = {KEY}; nm_tk of a = ..")
    assert learnt == []
