"""HCI commands that hosts send when they are started on an LE-capable controller: opcode, parameters, return octets.

The order and the parameters follow the public sources named at each list; what a host derives from answers
(supported commands, features, lengths) is what it derives from ours. The number is that of the return parameters with
the status (Vol 4 Part E, 7): hosts that check it abort on any other. Rules of the file: data only.
"""

from __future__ import annotations

from typing import NamedTuple


class Sent(NamedTuple):
    """One command; `status` is the answer that the host goes on with."""

    opcode: int
    parameters: str = ""
    returns: int = 1
    status: int = 0


ZEPHYR = (
    # zephyrproject-rtos/zephyr, subsys/bluetooth/host/hci_core.c: common_init, le_init, set_event_mask, hci_vs_init;
    # id.c: bt_id_init. Built with connections, SMP, privacy, extended advertising, host flow control.
    Sent(0x0C03),
    Sent(0x1003, "", 9),
    Sent(0x1001, "", 9),
    Sent(0x1002, "", 65),
    Sent(0x0C33, "fb00 00 0600 0000"),
    Sent(0x0C31, "01"),
    Sent(0x2003, "", 9),
    Sent(0x2002, "", 4),
    Sent(0x203A, "", 3),
    Sent(0x201C, "", 9),
    Sent(0x202F, "", 9),
    Sent(0x2024, "fb00 9042"),
    Sent(0x202E, "8403"),
    Sent(0x202A, "", 2),
    Sent(0x2001, "7ef83f0000000000"),
    Sent(0x0C01, "9080000200800020"),
    Sent(0xFC01, status=0x01),  # "Vendor HCI extensions not available", and it goes on
    Sent(0x1009, "", 7),
    Sent(0x2018, "", 9),
    Sent(0x2005, "0a00000000c0"),
)
LINUX = (
    # bluez/bluetooth-next, net/bluetooth/hci_sync.c: hci_init1_sync to hci_init4_sync for a controller without
    # BR/EDR, then hci_powered_update_sync.
    Sent(0x0C03),
    Sent(0x1003, "", 9),
    Sent(0x1001, "", 9),
    Sent(0x1009, "", 7),
    Sent(0x1002, "", 65),
    Sent(0x1004, "01", 11),
    Sent(0x2003, "", 9),
    Sent(0x2002, "", 4),
    Sent(0x201C, "", 9),
    Sent(0x0C01, "90e8040204800020"),
    Sent(0x2001, "7f1e0a0000000000"),
    Sent(0x204B, "", 3),
    Sent(0x200F, "", 2),
    Sent(0x2010),
    Sent(0x202A, "", 2),
    Sent(0x2029),
    Sent(0x202E, "8403"),
    Sent(0x202F, "", 9),
    Sent(0x2023, "", 5),
    Sent(0x203B, "", 2),
    Sent(0x0C63, "0000800000000000"),
    Sent(0x2024, "fb00 9042"),
    Sent(0x2031, "00 07 07"),
    Sent(0x202D, "01"),
    Sent(0x203D),
    Sent(0x2005, "0a00000000c0"),
)
ANDROID = (
    # LineageOS/android_packages_modules_Bluetooth (AOSP), system/gd/hci/hci_layer.cc (reset) and
    # system/gd/hci/controller.cc: Start. It sends some commands of BR/EDR before it has seen the features, and aborts
    # unless they succeed; anything else that only BR/EDR has, it asks the supported commands for.
    Sent(0x0C03),
    Sent(0x0C01, "fffffbff07f8bf3d"),
    Sent(0x0C6D, "0100"),
    Sent(0x0C14, "", 249),
    Sent(0x1001, "", 9),
    Sent(0x1002, "", 65),
    Sent(0x2003, "", 9),
    Sent(0x201C, "", 9),
    Sent(0x1004, "00", 11),
    Sent(0x1004, "01", 11),
    Sent(0x2001, "ffffffff03000000"),
    Sent(0x1005, "", 8),
    Sent(0x2060, "", 7),
    Sent(0x200F, "", 2),
    Sent(0x202A, "", 2),
    Sent(0x202F, "", 9),
    Sent(0x0C56, "01"),
    Sent(0x2023, "", 5),
    Sent(0x203A, "", 3),
    Sent(0x203B, "", 2),
    Sent(0x204A, "", 2),
    Sent(0xFD53, status=0x01),  # LE Get Vendor Capabilities: no valid answer means none
    Sent(0x1009, "", 7),
    Sent(0x2018, "", 9),
)
STARTUPS = {"zephyr": ZEPHYR, "linux": LINUX, "android": ANDROID}

CLASSIC = {
    # What dual-mode hosts send for BR/EDR: opcode -> parameters, and whether Command Status is due (else Command
    # Complete). Hosts wait for that one kind of event, also of an error.
    0x0401: ("338b9e 08 00", True),  # Inquiry
    0x0405: ("0a0000000000 18cc 01 00 0000 01", True),  # Create Connection
    0x080F: ("0700", False),  # Write Default Link Policy Settings
    0x0C05: ("00", False),  # Set Event Filter
    0x0C16: ("007d", False),  # Write Connection Accept Timeout
    0x0C18: ("0020", False),  # Write Page Timeout
    0x0C1A: ("03", False),  # Write Scan Enable
    0x0C1E: ("0008 1200", False),  # Write Inquiry Scan Activity
    0x0C23: ("", False),  # Read Class of Device
    0x0C24: ("0c025a", False),  # Write Class of Device
    0x0C25: ("", False),  # Read Voice Setting
    0x0C38: ("", False),  # Read Number of Supported IAC
    0x0C45: ("02", False),  # Write Inquiry Mode
    0x0C52: ("00" * 241, False),  # Write Extended Inquiry Response
    0x0C7A: ("01", False),  # Write Secure Connections Host Support
}
