"""Controllers that wait in a bootloader, and what a probe says of firmware: number 32 of digest 9."""

from __future__ import annotations

import struct

import pytest

from hw_bridge import bootloader
from hw_bridge.bootloader import image_name
from hw_bridge.errors import FirmwareError
from hw_bridge.probe import probe
from hw_bridge.session import Session
from hw_bridge.states import State
from tests.hw_bridge.scripted import READ_VERSION, RESET, Dongle, MemoryPort, complete
from tests.hw_bridge.test_firmware import COLD, NAME, Realtek, image

INTEL_VERSION = 0xFC05


def tlv(cnvi=0x0000_0400, cnvr=0x0000_0410):
    """Version of an AX211 in its bootloader: halves of type 0x400 and 0x410, more fields around them."""
    fields = ((0x12, 0x0019_3700), (0x10, cnvi), (0x11, cnvr), (0x30, 0))
    return b"".join(struct.pack("<BBI", kind, 4, value) for kind, value in fields) + b"\x1c\x01\x01"


class Bootloader(Dongle):
    """Answers nothing but the question for its version."""

    def __init__(self, octets=b"") -> None:
        super().__init__()
        self.answers = {RESET: [complete(RESET, b"\x01")]}
        if octets:
            self.answers[INTEL_VERSION] = [complete(INTEL_VERSION, b"\0" + octets)]


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("BUMBLE_INTEL_FIRMWARE_DIR", str(tmp_path))
    monkeypatch.setenv("BUMBLE_RTK_FIRMWARE_DIR", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("cnvi", "cnvr", "name"),
    [
        (0x0000_0400, 0x0000_0410, "ibt-0040-0041"),  # names of files in linux-firmware
        (0x0100_0400, 0x0000_0410, "ibt-0140-0041"),
        (0x0000_0900, 0x0000_0910, "ibt-0090-0091"),
        (0x0000_0910, 0x0200_0120, "ibt-0091-0212"),
    ],
)
def test_32_the_name_of_a_file_is_made_of_both_halves_of_the_chip(cnvi, cnvr, name):
    from bumble.drivers import intel

    assert image_name(tlv(cnvi, cnvr)) == name
    judged = dict(intel._parse_tlv(tlv(cnvi, cnvr)[6:18]))
    assert name == f"ibt-{judged[0x10]:04x}-{judged[0x11]:04x}"


@pytest.mark.parametrize("cut", range(len(tlv())))
def test_32_a_version_that_is_cut_names_no_file_or_the_right_one(cut):
    assert image_name(tlv()[:cut]) in ("", "ibt-0040-0041")


@pytest.mark.parametrize("present", [False, True])
async def test_32_an_intel_bootloader_is_named_with_its_file_and_what_loads_it(folder, present):
    if present:
        (folder / "ibt-0040-0041.sfi.zst").write_bytes(b"firmware")
    session = Session("usb:1-2", port=MemoryPort(Bootloader(tlv()), vid=0x8087, pid=0x0033))
    session.start()
    assert await session.wait_for(State.READY, State.MUTE) is State.MUTE
    with pytest.raises(FirmwareError, match=r"ibt-0040-0041\.sfi") as caught:
        await session.ready()
    words = str(caught.value)
    assert "bumble-intel-util load usb:1-2" in words
    assert str(folder) in words
    assert ("bumble-intel-fw-download" in words) is not present
    await session.close()


async def test_32_another_bootloader_is_called_one_and_is_used_once_it_has_its_firmware(folder):
    port = MemoryPort(Bootloader())
    session = Session("memory", port=port)
    session.start()
    assert await session.wait_for(State.READY, State.MUTE) is State.MUTE
    assert "bootloader" in session.life.reason
    port.dongle.answers = Dongle().answers
    assert await session.wait_for(State.READY, timeout_s=60) is State.READY
    await session.close()


async def test_32_a_probe_of_a_bootloader_says_what_is_missing(folder):
    report = await probe("usb:0", port=lambda _: MemoryPort(Bootloader(tlv())))
    assert report.speaks == "bootloader"
    assert "ibt-0040-0041.sfi" in report.verdict


@pytest.mark.parametrize("present", [False, True])
async def test_32_a_probe_of_a_rom_says_which_file_it_wants_and_where_that_is(folder, present):
    if present:
        (folder / NAME).write_bytes(image())
    dongle = Realtek()
    report = await probe("usb:0", port=lambda _: MemoryPort(dongle, vid=0x0BDA, pid=0x8771))
    assert report.verdict == "Realtek on its ROM: it needs its firmware"
    (hint,) = [each for each in report.hints if NAME in each]
    assert ("is loaded whenever" in hint) is present
    assert ("bumble-rtk-fw-download" in hint) is not present
    assert dongle.numbers == [], "a probe loads nothing"
    assert dongle.answers[READ_VERSION] == [complete(READ_VERSION, COLD)]


def test_32_nothing_is_taken_from_the_working_directory(monkeypatch, tmp_path):
    monkeypatch.delenv("BUMBLE_INTEL_FIRMWARE_DIR", raising=False)
    monkeypatch.chdir(tmp_path)
    assert tmp_path not in bootloader._folders()
