"""Replies: lengths and kinds that every host checks, judged by bumble's own tables."""

from __future__ import annotations

import pytest
from bumble import hci

from protocols.hci.framing import is_whole
from protocols.hci.replies import (
    NO_REPLY,
    RETURN_OCTETS,
    command,
    completed_packets,
    disconnection_complete,
    failure,
    hardware_error,
    reply_of,
)

# where bumble 0.0.236 and Core 5.4 Vol 4 Part E 7 differ (an address or handle is missing, a field too many), or
# where there is a list
OTHERWISE = {0x0402, 0x0445, 0x0C7C, 0x0C7D, 0x0C39, 0x100B, 0x100D, 0x2061, 0x2062, 0x20A3, 0x20A5}
VENDOR = 0xFC00
KNOWN = sorted(each for each in hci.HCI_Command.command_classes.items() if each[0] < VENDOR)


@pytest.mark.parametrize(("opcode", "kind"), KNOWN, ids=[kind.__name__ for _, kind in KNOWN])
def test_a_failure_is_of_the_kind_and_length_that_the_command_has(opcode, kind):
    is_async = issubclass(kind, hci.HCI_AsyncCommand)
    if opcode in NO_REPLY:
        return
    packet = failure(opcode)
    assert is_whole(packet)
    parsed = hci.HCI_Packet.from_bytes(packet)
    assert parsed.command_opcode == opcode
    if is_async:
        assert isinstance(parsed, hci.HCI_Command_Status_Event)
        assert parsed.status == 3
        return
    assert isinstance(parsed, hci.HCI_Command_Complete_Event)
    if opcode in OTHERWISE:
        return
    octets = RETURN_OCTETS.get(opcode, 1)
    full = kind.return_parameters_class.from_parameters(b"\0" + bytes(octets - 1))
    assert len(bytes(full)) == octets


def test_what_is_said_of_a_lost_connection_is_what_bumble_reads():
    event = hci.HCI_Packet.from_bytes(disconnection_complete(0x0123))
    assert (event.status, event.connection_handle, event.reason) == (0, 0x0123, 0x08)
    assert hci.HCI_Packet.from_bytes(hardware_error()).name == "HCI_HARDWARE_ERROR_EVENT"


def test_replies_are_taken_apart():
    complete = reply_of(bytes.fromhex("040e0c02092000112233445566aa"))
    assert (complete.opcode, complete.credits, complete.status) == (0x2009, 2, 0)
    assert complete.parameters.hex() == "00112233445566aa"
    pending = reply_of(bytes.fromhex("040f040001 0d20".replace(" ", "")))
    assert (pending.opcode, pending.complete, pending.status) == (0x200D, False, 0)
    assert reply_of(bytes.fromhex("040e020100")) is None
    assert reply_of(bytes.fromhex("040f03000100")) is None
    assert reply_of(bytes.fromhex("043e020100")) is None


def test_completed_packets_never_read_beyond_the_event():
    assert completed_packets(bytes.fromhex("0413050140000300")) == [(0x40, 3)]
    assert completed_packets(bytes.fromhex("0413050940000300")) == [(0x40, 3)]
    assert completed_packets(bytes.fromhex("04130109")) == []


def test_a_command_is_whole():
    assert command(0x0C03).hex() == "01030c00"
    assert is_whole(command(0x2009, bytes(32)))
