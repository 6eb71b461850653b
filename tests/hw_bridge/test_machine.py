"""What a machine lets a bridge do: each finding in both cases, on files and answers of a test."""

from __future__ import annotations

import errno
import os
import socket
import sys

import pytest

from hw_bridge import machine
from tests.hw_bridge.usb_files import Bus

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="files of Linux")


def refusing(number):
    def try_socket():
        raise OSError(number, os.strerror(number))

    return try_socket


@pytest.mark.parametrize(
    ("packaged", "system", "ok", "words"),
    [
        ("/site/libusb-1.0.so", "libusb-1.0.so.0", True, "/site/libusb-1.0.so, from package"),
        ("", "libusb-1.0.so.0", True, "libusb-1.0.so.0, from the system"),
        ("", "", False, "not found"),
    ],
)
def test_libusb_is_named_with_where_it_comes_from(packaged, system, ok, words):
    found = machine.libusb(lambda: packaged, lambda: system)
    assert (found.ok, words in found.detail, "usb:" in found.detail) == (ok, True, True)
    assert ok or "pip install libusb-package" in found.remedy


def test_the_libusb_that_is_named_first_is_the_one_that_is_taken(monkeypatch):
    """Judged by bumble's own loader."""
    from bumble.transport import usb

    loaded = []
    monkeypatch.setattr(usb.ctypes, "CDLL", lambda path, **_: loaded.append(path))
    monkeypatch.setattr(usb.usb1, "loadLibrary", lambda _: None)
    usb.load_libusb()
    found = machine.libusb()
    assert [found.detail.split(",")[0]] == (
        loaded or [machine.libusb(packaged=str).detail.split(",")[0]]
    )


def test_the_bus_is_shown_with_what_is_on_it(tmp_path):
    bus = Bus(tmp_path)
    assert not machine.usb_bus(bus.sysfs, bus.nodes).ok
    bus.plug("1-1", "2fe3", "000b", product="Zephyr HCI")
    found = machine.usb_bus(bus.sysfs, bus.nodes)
    assert (found.ok, "1-1 2fe3:000b Zephyr HCI" in found.detail) == (True, True)


@pytest.mark.parametrize(
    ("number", "detail", "remedy"),
    [
        (errno.EAFNOSUPPORT, "this kernel has no Bluetooth", "modprobe"),
        (errno.EPERM, "may open no Bluetooth socket", "sandbox"),
    ],
)
def test_a_kernel_without_bluetooth_is_told_from_one_that_refuses(number, detail, remedy, tmp_path):
    found = machine.kernel_bluetooth(refusing(number), tmp_path)
    assert (found.ok, detail in found.detail, remedy in found.remedy) == (False, True, True)


def test_adapters_of_the_kernel_are_named(tmp_path):
    assert "no adapter" in machine.kernel_bluetooth(lambda: None, tmp_path).detail
    (tmp_path / "hci0").mkdir()
    found = machine.kernel_bluetooth(lambda: None, tmp_path)
    assert (found.ok, found.detail.startswith("hci0;")) == (True, True)


@pytest.mark.parametrize(
    ("soft", "hard", "ok", "remedy"),
    [
        ("0", "0", True, ""),
        ("1", "0", False, "rfkill unblock bluetooth"),
        ("0", "1", False, "the switch"),
    ],
)
def test_a_radio_that_is_switched_off_says_how_to_switch_it_on(soft, hard, ok, remedy, tmp_path):
    for number, kind in enumerate(("bluetooth", "gps")):
        place = tmp_path / f"rfkill{number}"
        place.mkdir()
        for name, text in {"type": kind, "name": "hci0", "soft": soft, "hard": hard}.items():
            (place / name).write_text(f"{text}\n")
    (found,) = machine.radio_switches(tmp_path)
    assert (found.ok, remedy in found.remedy) == (ok, True)
    assert list(machine.radio_switches(tmp_path / "none")) == []


@pytest.mark.parametrize(
    ("mask", "held"),
    [
        ("0000000000000000", []),
        ("0000000000001000", ["CAP_NET_ADMIN"]),
        ("0000000000002000", ["CAP_NET_RAW"]),
        ("000001ffffffffff", ["CAP_NET_ADMIN", "CAP_NET_RAW"]),
    ],
)
def test_capabilities_are_those_of_the_kernels_mask(mask, held):
    found = list(
        machine.capabilities(f"Name:\tpython\nCapPrm:\tffffffffffffffff\nCapEff:\t{mask}\n")
    )
    assert [each.name for each in found if each.ok] == held
    assert all("setcap cap_net_admin,cap_net_raw+ep" in each.remedy for each in found)


@pytest.mark.parametrize(
    ("known", "own", "is_root", "expected"),
    [
        ({"dialout": 20}, {20, 1000}, False, (True, "dialout")),
        ({"dialout": 20}, {1000}, False, (False, "not in dialout")),
        ({"uucp": 14}, {1000}, False, (False, "not in uucp")),
        ({"dialout": 20}, {0}, True, (True, "root")),
        ({"users": 100}, {100}, False, None),
    ],
)
def test_the_group_of_serial_ports_is_the_one_that_the_system_has(known, own, is_root, expected):
    found = list(machine.groups(known, own, is_root=is_root))
    if expected is None:
        assert found == []
        return
    ok, words = expected
    assert (found[0].ok, words in found[0].detail) == (ok, True)
    if not ok:
        assert f"usermod -aG {next(iter(known))} " in found[0].remedy


def test_control_sockets_of_wpa_supplicant_are_named_once(tmp_path):
    folder, link = tmp_path / "run", tmp_path / "var"
    assert "no control socket" in machine.control_sockets((folder, link)).detail
    folder.mkdir()
    link.symlink_to(folder)
    (folder / "notes").write_text("no socket")
    assert not machine.control_sockets((folder, link)).ok
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(folder / "wlan0"))
        found = machine.control_sockets((folder, link))
    assert found.ok
    assert found.detail.count("wlan0") == 1


def test_every_finding_of_this_machine_that_is_not_ok_has_a_remedy():
    found = list(machine.findings())
    assert {"libusb", "USB bus", "Bluetooth", "wpa_supplicant"} <= {each.name for each in found}
    assert all(each.ok or each.remedy for each in found)
