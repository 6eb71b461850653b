"""Replay of recordings that were cut off, and of pairings in fragments (digest 6.5, 8.4)."""

from __future__ import annotations

import pytest

from hw_bridge.replay import Player, Step, tape_of
from hw_bridge.session import Session
from protocols.errors import UsageError
from protocols.hci.replies import command
from tests.hw_bridge.scripted import RESET
from tests.hw_bridge.test_transports import STEPS, recording
from tui.cli import main

HANDLE, ACL_OCTETS = 0x40, 27
SMP, ATT = 6, 4
PUBLIC_KEY, PAIRING_REQUEST = 0x0C, 0x01


def fragments(cid: int, body: bytes, handle: int = HANDLE) -> list[bytes]:
    """An L2CAP message of the host, as H4 packets of 27 octets at most (Vol 4 Part E 5.4.2)."""
    whole = len(body).to_bytes(2, "little") + cid.to_bytes(2, "little") + body
    pieces = [whole[at : at + ACL_OCTETS] for at in range(0, len(whole), ACL_OCTETS)]
    return [
        b"\x02"
        + (handle | (0x1000 if number else 0)).to_bytes(2, "little")
        + len(piece).to_bytes(2, "little")
        + piece
        for number, piece in enumerate(pieces)
    ]


def key(octet: int) -> bytes:
    return bytes((PUBLIC_KEY,)) + bytes((octet,)) * 64


def played(recorded: list[bytes], sent: list[bytes]):
    player = Player([Step(sent=True, packet=each) for each in recorded])
    player.begin()
    for each in sent:
        player.host(each)
    return player.report()


def test_a_public_key_in_fragments_varies_in_all_of_them():
    recorded, sent = fragments(SMP, key(1)), fragments(SMP, key(2))
    assert len(sent) == 3
    report = played(recorded, sent)
    assert (report.agrees, report.varied, report.exact) == (True, 3, 0)


def test_fragments_of_two_connections_are_told_apart():
    first, second = (fragments(SMP, key(1), handle) for handle in (HANDLE, HANDLE + 1))
    other = [fragments(SMP, key(2), handle) for handle in (HANDLE, HANDLE + 1)]
    mixed = [each for pair in zip(first, second, strict=True) for each in pair]
    sent = [each for pair in zip(*other, strict=True) for each in pair]
    assert played(mixed, sent).varied == 6


@pytest.mark.parametrize(
    ("cid", "code"), [(ATT, PUBLIC_KEY), (SMP, PAIRING_REQUEST), (SMP + 1, PUBLIC_KEY)]
)
def test_fragments_of_other_messages_have_to_be_as_recorded(cid, code):
    recorded = fragments(cid, bytes((code,)) + b"\1" * 64)
    sent = fragments(cid, bytes((code,)) + b"\1" * 30 + b"\2" * 34)
    report = played(recorded, sent)
    assert not report.agrees
    assert (report.exact, report.varied, len(report.divergences)) == (1, 0, 2)


def test_what_follows_a_key_has_to_be_as_recorded():
    value = fragments(ATT, b"\x12" + b"\1" * 40)
    changed = fragments(ATT, b"\x12" + b"\1" * 30 + b"\2" * 10)
    report = played(fragments(SMP, key(1)) + value, fragments(SMP, key(2)) + changed)
    assert report.varied == 3
    assert {each.kind for each in report.divergences} == {"changed"}


def cut(tmp_path, octets: int, suffix: str = "pcapng"):
    file = tmp_path / f"rec.{suffix}"
    recording(file, STEPS)
    file.write_bytes(file.read_bytes()[:-octets])
    return file


@pytest.mark.parametrize("suffix", ["pcapng", "pcap", "btsnoop"])
def test_of_a_recording_cut_in_mid_record_the_whole_ones_are_played(tmp_path, suffix):
    tape = tape_of(cut(tmp_path, 3, suffix))
    assert [(step.sent, step.packet) for step in tape.steps] == STEPS[:-1]
    assert "rec." in tape.damage


async def test_a_cut_recording_plays_the_controller(tmp_path):
    session = Session(f"replay:{cut(tmp_path, 7)}")
    session.start()
    await session.ready()
    try:
        reply = await session.command(RESET)
        assert reply.status == 0
    finally:
        await session.close()
    report = session.life.port.report
    assert report.damage
    assert any("what stands before that was played" in line for line in report.lines())


@pytest.mark.parametrize("left", [40, 4])
def test_a_recording_without_one_whole_packet_is_refused(tmp_path, left, capsys):
    file = tmp_path / "rec.pcapng"
    recording(file, STEPS)
    file.write_bytes(file.read_bytes()[:left])
    with pytest.raises(UsageError):
        tape_of(file)
    assert main(["bridge", "replay", str(file)]) == 2
    err = capsys.readouterr().err
    assert "start the other side" not in err
    assert str(file) in err


def test_a_command_of_the_host_is_still_matched_in_order():
    """Fragments that are looked at do not disturb commands."""
    report = played(
        [command(RESET), *fragments(SMP, key(1))], [command(RESET), *fragments(SMP, key(2))]
    )
    assert (report.exact, report.varied) == (1, 3)
