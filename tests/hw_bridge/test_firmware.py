"""Firmware of Realtek dongles: number 32 of digest 9, and unplugging while it is loaded (11)."""

from __future__ import annotations

import asyncio
import lzma
import shutil
import struct
import subprocess

import pytest

from hw_bridge.errors import FirmwareError
from hw_bridge.firmware import find_file, fragments_of, read_file
from hw_bridge.session import Session
from hw_bridge.states import State
from tests.hw_bridge.scripted import (
    READ_VERSION,
    RESET,
    Dongle,
    Host,
    MemoryPort,
    complete,
    version,
)

NAME, ROM_LMP, ROM = "rtl8761bu_fw.bin", 0x8761, 1
READ_ROM, DOWNLOAD = 0xFC6D, 0xFC20
COLD = b"\0\x0a\x0b\0\x0a\x5d\0\x61\x87"
WARM = version(manufacturer=0x005D, lmp=0xD922, revision=0xDFC6)


def image(octets=3000, project=14, chip=ROM + 1):
    """A file in Realtek's format (Linux btrtl.h, rtl_epatch_header) with one patch."""
    patch = bytes(number * 7 & 0xFF for number in range(octets))
    head = b"Realtech" + struct.pack("<IH", 0x20260101, 1)
    tables = struct.pack("<HHI", chip, octets, len(head) + 8)
    return head + tables + patch + bytes((project, 1, 0)) + bytes.fromhex("5104fd77")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BUMBLE_RTK_FIRMWARE_DIR", str(tmp_path))
    return tmp_path


PACKERS = {
    "": bytes,
    ".xz": lzma.compress,
    ".zst": lambda octets: (
        subprocess.run(["zstd", "-q"], input=octets, capture_output=True, check=True).stdout
    ),
}


class Realtek(Dongle):
    """Runs on its ROM until it has all fragments; `fails_at` answers that one otherwise."""

    def __init__(self, *, silent_at=0, refused_at=0):
        super().__init__()
        self.silent_at, self.refused_at, self.loaded = silent_at, refused_at, b""
        self.numbers = []
        self.answers[READ_VERSION] = [complete(READ_VERSION, COLD)]
        self.answers[READ_ROM] = [complete(READ_ROM, bytes((0, ROM)))]

    def answer(self, packet):
        if packet[1:3] != DOWNLOAD.to_bytes(2, "little"):
            return super().answer(packet)
        number, part = packet[4], packet[5:]
        self.numbers.append(number)
        self.loaded += part
        if len(self.numbers) == self.silent_at:
            return []
        if len(self.numbers) == self.refused_at:
            return [complete(DOWNLOAD, b"\x11")]
        if number & 0x80:
            self.answers[READ_VERSION] = [complete(READ_VERSION, WARM)]
        return [complete(DOWNLOAD, bytes((0, number)))]


async def started(dongle):
    session = Session("memory", port=MemoryPort(dongle, vid=0x0BDA, pid=0x8771))
    session.start()
    await session.wait_for(State.READY, State.DEGRADED, State.MUTE, timeout_s=60)
    return session


@pytest.mark.parametrize("packed", ["", ".xz", ".zst"])
async def test_32_a_file_is_found_as_distributions_pack_it_and_loaded(folder, packed):
    octets = image()
    if packed == ".zst" and shutil.which("zstd") is None:
        pytest.skip("zstd is not there: apt-get install zstd")
    (folder / f"{NAME}{packed}").write_bytes(PACKERS[packed](octets))
    dongle = Realtek()
    session = await started(dongle)
    assert session.state is State.READY
    assert State.FIRMWARE in [each.state for each in session.life.transitions]
    patch = octets[22:3022]
    assert dongle.loaded == patch[:-4] + struct.pack("<I", 0x20260101)
    assert session.life.facts.lmp_subversion == 0xD922
    await session.close()


def test_32_numbers_of_243_fragments_are_those_of_linux():
    """j counts 0 .. 0x7F, then from 1 (btrtl.c rtl_download_firmware)."""
    expected, following = [], 0
    for _ in range(243):
        expected.append(following)
        following = 1 if following == 0x7F else following + 1
    expected[-1] |= 0x80
    parts = fragments_of(image(243 * 252), b"", ROM_LMP, ROM, NAME).parts
    assert [part[0] for part in parts] == expected
    assert {len(part) for part in parts} == {253}


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "damaged"),
        (image()[:-1], "damaged"),
        (image()[:20] + image()[-7:], "damaged"),
        (image(project=18), "another chip: project 18"),
        (image(chip=5), "nothing for ROM version 1"),
    ],
    ids=["empty", "cut", "without its patch", "project", "ROM"],
)
async def test_32_a_file_that_does_not_fit_is_named_and_the_rom_is_used(folder, octets, words):
    (folder / NAME).write_bytes(octets)
    dongle = Realtek()
    session = await started(dongle)
    assert session.state is State.DEGRADED
    assert words in session.life.reason
    assert dongle.numbers == []
    host = Host(session)
    assert await host.ask(RESET) == complete(RESET), "it is usable on its ROM"
    await session.close()


async def test_32_a_missing_file_is_named_with_every_place_looked_at(folder):
    session = await started(Realtek())
    assert session.state is State.DEGRADED
    assert NAME in session.life.reason
    assert str(folder) in session.life.reason
    await session.close()


async def test_32_a_fragment_without_reply_ends_in_time(folder):
    (folder / NAME).write_bytes(image())
    dongle = Realtek(silent_at=5)
    session = await started(dongle)
    assert session.state is State.DEGRADED
    assert "no reply to fragment 5 of 12" in session.life.reason
    assert asyncio.get_running_loop().time() < 5
    await session.close()


async def test_32_a_dongle_that_falls_silent_is_mute(folder):
    (folder / NAME).write_bytes(image())
    dongle = Realtek(silent_at=5)
    answer = dongle.answer
    dongle.answer = lambda packet: [] if len(dongle.numbers) >= 5 else answer(packet)
    session = await started(dongle)
    assert session.state is State.MUTE
    assert "fragment 5" in session.life.reason
    await session.close()


async def test_32_a_refused_fragment_is_named(folder):
    (folder / NAME).write_bytes(image())
    session = await started(Realtek(refused_at=2))
    assert "fragment 2 of 12 of the firmware was refused (status 0x11)" in session.life.reason
    await session.close()


async def test_32_firmware_that_changes_nothing_is_loaded_once(folder):
    (folder / NAME).write_bytes(image())
    dongle = Realtek()
    answer = dongle.answer
    cold = [complete(READ_VERSION, COLD)]
    dongle.answer = lambda packet: cold if packet[1:3] == b"\x01\x10" else answer(packet)
    session = await started(dongle)
    assert session.state is State.READY
    assert len(dongle.numbers) == 12
    await session.close()


async def test_11_unplugged_while_firmware_is_loaded_goes_on_looking(folder):
    (folder / NAME).write_bytes(image())
    dongle = Realtek()
    port = MemoryPort(dongle, vid=0x0BDA, pid=0x8771)
    session = Session("memory", port=port)
    answer = dongle.answer

    def unplug(packet):
        found = answer(packet)
        if len(dongle.numbers) == 4:
            port.unplug()
        return found

    dongle.answer = unplug
    session.start()
    lost = (State.LOST, State.BACKOFF, State.ABSENT)
    assert await session.wait_for(*lost) in lost
    port.plug(Realtek())
    assert await session.wait_for(State.READY) is State.READY
    await session.close()


def test_damaged_packed_files_are_named(tmp_path):
    for name in ("a.bin.xz", "a.bin.zst"):
        (tmp_path / name).write_bytes(b"no such thing")
        with pytest.raises(FirmwareError, match=name):
            read_file(tmp_path / name)


def test_what_lies_in_the_working_directory_is_not_loaded(tmp_path, monkeypatch):
    monkeypatch.delenv("BUMBLE_RTK_FIRMWARE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "surely_not_there_fw.bin").write_bytes(image())
    with pytest.raises(FirmwareError, match="none of"):
        find_file("surely_not_there_fw.bin")
