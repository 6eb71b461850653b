"""What real hosts send at start-up is answered so that they come up."""

from __future__ import annotations

import struct

import pytest
from bumble import hci
from raw_host import World
from startup import CLASSIC, STARTUPS

MASKS: dict[int, int] = vars(hci)["HCI_SUPPORTED_COMMANDS_MASKS"]


def command(opcode: int, parameters: str) -> bytes:
    octets = bytes.fromhex(parameters)
    return struct.pack("<BHB", 1, opcode, len(octets)) + octets


@pytest.fixture
def host():
    with World() as world:
        yield world.host("a", public="11:22:33:44:55:0A")


@pytest.mark.parametrize("name", STARTUPS)
def test_a_host_comes_up(host, name):
    """In order on one controller: status, length of the return parameters, and kind of event of each answer."""
    for sent in STARTUPS[name]:
        [answer] = host.raw(command(sent.opcode, sent.parameters))
        assert answer[1] == 0x0E, f"{sent.opcode:#06x}"
        assert answer[4:6] == sent.opcode.to_bytes(2, "little")
        assert answer[6] == sent.status, f"{sent.opcode:#06x}"
        assert len(answer) - 6 == sent.returns, f"{sent.opcode:#06x}"
        assert answer[3] >= 1  # or the host may send no other


@pytest.mark.parametrize("name", STARTUPS)
def test_what_a_host_sends_is_in_the_mask(host, name):
    """Hosts look there first; only the commands of vendors are tried without."""
    mask = int.from_bytes(host.ok(hci.HCI_Read_Local_Supported_Commands_Command())[1:], "little")
    for sent in STARTUPS[name]:
        if sent.status == 0 and sent.opcode != 0x1002:
            assert mask & MASKS[sent.opcode], f"{sent.opcode:#06x}"


@pytest.mark.parametrize("opcode", CLASSIC)
def test_commands_of_classic_bluetooth_are_refused_with_the_event_that_the_host_waits_for(
    host, opcode
):
    """0x01, as an LE-only controller answers, and they are not in the mask."""
    parameters, status_due = CLASSIC[opcode]
    [answer] = host.raw(command(opcode, parameters))
    octets = opcode.to_bytes(2, "little")
    expected = (
        b"\x04\x0f\x04\x01\x01" + octets if status_due else b"\x04\x0e\x04\x01" + octets + b"\x01"
    )
    assert answer == expected
    mask = int.from_bytes(host.ok(hci.HCI_Read_Local_Supported_Commands_Command())[1:], "little")
    assert not mask & MASKS.get(opcode, 0)


def test_a_host_sees_what_it_needs_of_le(host):
    """Zephyr gives up without LE in the features or without ACL buffers; Linux takes the buffers as they are told."""
    features = host.opcode(hci.HCI_READ_LOCAL_SUPPORTED_FEATURES_COMMAND)[1:]
    assert features[4] & 0x60 == 0x60  # LE supported, BR/EDR not
    length, count = struct.unpack("<HB", host.ok(hci.HCI_LE_Read_Buffer_Size_Command())[1:])
    second = host.opcode(hci.HCI_LE_READ_BUFFER_SIZE_V2_COMMAND)[1:]
    assert struct.unpack("<HBHB", second) == (length, count, 0, 0)
    classic = host.opcode(hci.HCI_READ_BUFFER_SIZE_COMMAND)[1:]
    assert struct.unpack("<HBHH", classic) == (length, 0, count, 0)
