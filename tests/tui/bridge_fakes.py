"""Dongles for screens: views of a bench at one moment, and a stand-in for `Bridges` that shows them."""

from __future__ import annotations

from concurrent.futures import Future

from hw_bridge.identify import Facts
from hw_bridge.link import LinkInfo
from hw_bridge.probe import ProbeReport
from tui.models.bridges import BridgeView, Happening

NOW_US = 2_500_000_000


def happened(*what):
    return tuple(
        Happening(t_us=NOW_US - round(ago_s * 1e6), kind=kind, text=text)
        for ago_s, kind, text in what
    )


OK = BridgeView(
    moniker="serial:2fe3:0100/E4C1F0",
    product="nRF52840 HCI",
    node="/dev/ttyACM0",
    ids="2fe3:0100",
    quirk="Zephyr hci_usb: its public address may be zeros: the host then sets a random static one",
    use="run",
    role="accessory lock, in real time",
    state="ready",
    reason="serial:2fe3:0100/E4C1F0: answers",
    up_s=2467.2,
    generation=2,
    round_trip_us=3100,
    credits=1,
    octets_sent=2087,
    octets_received=48211,
    counters=(("octets received", 48211), ("octets sent", 2087)),
    maker="The Linux Foundation",
    version="Bluetooth 5.4",
    address="c0:1f:22:0a:91:7e",
    verdict="Zephyr controller",
    happenings=happened(
        (2468.4, "probing", "serial:2fe3:0100/E4C1F0 is open"),
        (2467.2, "ready", "serial:2fe3:0100/E4C1F0: answers"),
    ),
    now_us=NOW_US,
)
DEGRADED = BridgeView(
    moniker="serial:@1-2.3",
    product="CP2102 USB to UART",
    node="/dev/ttyUSB0",
    ids="10c4:ea60",
    use="open",
    state="ready",
    reason="serial:@1-2.3: answers",
    up_s=61.0,
    generation=1,
    round_trip_us=41_200,
    credits=0,
    queue=58,
    octets_sent=9120,
    octets_received=1_204_811,
    resyncs=3,
    counters=(("advertising reports dropped", 1204), ("octets skipped", 12), ("note notes", 2)),
    has_new_losses=True,
    maker="Espressif Systems (Shanghai) Co., Ltd.",
    version="Bluetooth 5.0",
    address="30:ae:a4:11:22:33",
    verdict="controller of company 0x02e5",
    happenings=happened(
        (61.4, "probing", "serial:@1-2.3 is open"),
        (61.0, "ready", "serial:@1-2.3: answers"),
        (4.2, "note", "a reply to LE Set Scan Enable that nothing waits for"),
    ),
    now_us=NOW_US,
)
DOWN = BridgeView(
    moniker="tcp-client:10.0.0.7:4000",
    use="open",
    state="absent",
    reason="tcp-client:10.0.0.7:4000: Connection refused; start the other side first, and check address and port",
    error_kind="refused",
    retry_s=0.7,
    tries=3,
    happenings=happened((1.3, "absent", "tcp-client:10.0.0.7:4000: Connection refused")),
    now_us=NOW_US,
)
FORBIDDEN = BridgeView(
    moniker="usb:1-4",
    product="TP-Link UB500",
    node="1-4",
    ids="2357:0604",
    quirk="Realtek RTL8761B: needs its firmware at each power-up; without it runs on its ROM",
    use="open",
    state="blocked",
    reason="usb:1-4: Access denied; add yourself to the group of the device (dialout or uucp), or add a udev rule",
    error_kind="no-permission",
    retry_s=4.0,
    tries=3,
    happenings=happened((1.0, "blocked", "usb:1-4: Access denied")),
    now_us=NOW_US,
)
BOOTLOADER = BridgeView(
    moniker="serial:1915:521f/D3",
    is_found=True,
    product="Open DFU Bootloader",
    node="/dev/ttyACM3",
    ids="1915:521f",
    protocols=("dfu",),
    note="Nordic Open DFU Bootloader: no controller yet: flash an HCI image with nrfutil dfu usb-serial",
)
FOUND = BridgeView(
    is_found=True,
    moniker="serial:0403:6001",
    product="FT232R",
    node="/dev/ttyUSB7",
    ids="0403:6001",
)
ALL = (OK, DEGRADED, DOWN, FORBIDDEN, BOOTLOADER, FOUND)

REPORT = ProbeReport(
    moniker="serial:@1-2.3?baud=921600",
    speaks="hci",
    verdict="controller of company 0x02e5",
    info=LinkInfo(node="/dev/ttyUSB0", vid=0x10C4, pid=0xEA60, product="CP2102 USB to UART"),
    facts=Facts(
        hci_version=9,
        hci_revision=0x16,
        lmp_version=9,
        manufacturer=0x02E5,
        lmp_subversion=0x16,
        address="30:ae:a4:11:22:33",
    ),
    p50_us=2100,
    p95_us=4800,
)


class FakeBridges:
    """Shows `shown`; keeps what was wished for."""

    trouble = ""
    has_looked = True
    run_link = None

    def __init__(self, shown=ALL):
        self.shown = list(shown)
        self.wishes = []

    def views(self):
        return list(self.shown)

    def look(self):
        pass

    def link(self, moniker):
        return None

    def report(self, moniker):
        return REPORT

    def add(self, moniker):
        self.wishes.append(("add", moniker))
        self.shown.append(BridgeView(moniker=moniker))

    def _wish(self, what, moniker):
        self.wishes.append((what, moniker))
        done = Future()
        done.set_result(None)
        return done

    def connect(self, moniker):
        return self._wish("connect", moniker)

    def disconnect(self, moniker):
        return self._wish("disconnect", moniker)

    def test(self, moniker):
        return self._wish("test", moniker)

    def close(self):
        return True
