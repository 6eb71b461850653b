"""Why a USB device cannot be had: told from the kernel's files, in place of libusb's one number for everything."""

from __future__ import annotations

import os
import sys

import pytest

from hw_bridge.errors import AccessError, NoBackendError, NotFoundError
from hw_bridge.transports import port_for
from tests.hw_bridge import fake_usb1
from tests.hw_bridge.real_time import real_time
from tests.hw_bridge.scripted import Dongle
from tests.hw_bridge.usb_files import Bus

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="files of Linux")


@pytest.fixture
def bus(tmp_path):
    return Bus(tmp_path)


@pytest.mark.parametrize("target", ["0", "2fe3:000b", "1-2"])
def test_a_machine_without_usb_is_said_to_be_one(bus, target):
    error = bus.why_not(target)
    assert isinstance(error, NoBackendError)
    assert str(error).startswith(f"no USB devices on this machine ({bus.nodes} is missing)")
    bus.nodes.mkdir()
    assert f"({bus.nodes} is empty)" in str(bus.why_not(target))


def test_devices_that_only_the_kernel_reaches_are_a_container_without_the_bus(bus):
    bus.plug("1-1", "2fe3", "000b", node=False)
    error = str(bus.why_not("2fe3:000b"))
    assert "the kernel has 1 USB device, and no program here can reach it" in error
    assert "has to be given the bus" in error


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("2fe3:000b", "no USB device with 2fe3:000b; those there: "),
        ("0A12:0001/77", "no USB device with 0A12:0001/77; those there: "),
        ("1-9", "nothing at USB port 1-9; those there: "),
        ("0!", "no USB device number 0 that says it is a Bluetooth controller; those there: "),
    ],
)
def test_a_device_that_is_not_there_is_told_from_those_that_are(bus, target, words):
    bus.plug("1-1", "0a12", "0001", product="CSR stick")
    bus.plug("1-2.3", "1366", "1015")
    error = bus.why_not(target)
    assert isinstance(error, NotFoundError)
    assert str(error) == f"{words}1-1 0a12:0001 CSR stick; 1-2.3 1366:1015"


def test_of_many_devices_the_first_few_are_named(bus):
    for number in range(1, 10):
        bus.plug(f"1-{number}", "1234", f"000{number}")
    error = str(bus.why_not("0"))
    assert "1-6 1234:0006; and 3 more" in error
    assert "1-7" not in error


@pytest.mark.parametrize("target", ["0", "2fe3:000b", "2FE3:000B#0", "1-1+sco=0!"])
def test_what_is_there_and_may_be_opened_is_left_to_libusb(bus, target):
    bus.plug("1-1", "2fe3", "000b", hci=True)
    assert bus.why_not(target) is None


def test_an_index_beyond_the_controllers_is_not_there(bus):
    bus.plug("1-1", "2fe3", "000b", hci=True)
    assert "number 1 that says" in str(bus.why_not("1"))


def test_a_device_that_this_user_may_not_open_is_named_with_the_remedy(bus, monkeypatch):
    bus.plug("1-1", "2fe3", "000b", hci=True)
    monkeypatch.setattr(os, "access", lambda *_: False)  # root may open everything
    error = bus.why_not("2fe3:000b")
    assert isinstance(error, AccessError)
    assert f"may not open {bus.nodes}/001/001; `nearbench bridge list --udev`" in str(error)


def test_without_the_kernels_files_nothing_is_claimed(bus):
    (bus.nodes / "001").mkdir(parents=True)
    (bus.nodes / "001" / "001").touch()
    assert bus.why_not("2fe3:000b") is None


@pytest.mark.parametrize(
    ("context_error", "seen", "words"),
    [
        (fake_usb1.USBErrorOther(-99), NoBackendError("no USB devices"), "usb:0: no USB devices"),
        (fake_usb1.USBErrorBusy(-6), NoBackendError("no USB devices"), "somebody else has it"),
        (fake_usb1.USBErrorOther(-99), None, "usb:0: libusb cannot use it"),
    ],
)
@real_time
async def test_what_is_seen_takes_the_place_of_a_number(monkeypatch, context_error, seen, words):
    from bumble.transport import usb

    from hw_bridge.transports import usb as ours

    found = fake_usb1.Usb(Dongle())
    found.context_error = context_error
    monkeypatch.setattr(usb, "usb1", found.module())
    monkeypatch.setattr(usb, "load_libusb", lambda: None)
    monkeypatch.setattr(ours, "why_not", lambda _target: seen)
    with pytest.raises(NoBackendError if "somebody" not in words else Exception, match=words) as it:
        await port_for("usb:0").open(None)
    assert "Zadig" not in str(it.value), "this is Linux"
