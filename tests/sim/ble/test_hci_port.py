"""The HCI side: an answer to everything, a true mask, reset, event masks, flow control to the host."""

from __future__ import annotations

import random
import struct

import pytest
from bumble import hci
from raw_host import ADV_DATA, RANDOM_A, S, World, wire

PUBLIC_A = "11:22:33:44:55:0A"


@pytest.fixture
def world():
    with World() as made:
        yield made


def command(opcode: int, parameters: bytes = b"") -> bytes:
    return struct.pack("<BHB", 1, opcode, len(parameters)) + parameters


def answers(packets: list[bytes], opcode: int) -> list[int]:
    """Status of each answer to `opcode`."""
    found = []
    for packet in packets:
        if packet[1] == 0x0E and packet[4:6] == opcode.to_bytes(2, "little"):
            found.append(packet[6])
        elif packet[1] == 0x0F and packet[5:7] == opcode.to_bytes(2, "little"):
            found.append(packet[3])
    return found


SILENT = hci.HCI_HOST_NUMBER_OF_COMPLETED_PACKETS_COMMAND  # the one command without an answer


def test_every_opcode_is_answered_once(world):
    """Row "unknown opcode on the wire": every OCF of every OGF, without parameters and with some."""
    a = world.host("a")
    for ogf in (0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x08, 0x3E, 0x3F):
        for ocf in range(0x100):
            opcode = ogf << 10 | ocf
            if opcode == SILENT:
                continue
            for parameters in (b"", bytes(7)):
                assert len(answers(a.raw(command(opcode, parameters)), opcode)) == 1, hex(opcode)


def test_opcodes_that_nobody_knows_get_0x01(world):
    a = world.host("a")
    for opcode in (0x20FF, 0xFC01, 0x1BFF, 0x0000 | 0x3F << 10 | 0x3FF):
        assert answers(a.raw(command(opcode)), opcode) == [0x01]


def test_commands_in_the_mask_are_handled_and_others_get_0x01(world):
    """Row "22 of 70 supported commands have no handler"."""
    a = world.host("a")
    mask = int.from_bytes(a.ok(hci.HCI_Read_Local_Supported_Commands_Command())[1:], "little")
    for opcode, bit in sorted(hci.HCI_SUPPORTED_COMMANDS_MASKS.items()):
        if opcode == SILENT:
            continue
        [status] = answers(a.raw(command(opcode)), opcode)
        assert (status != 0x01) == bool(mask & bit), hci.HCI_Command.command_name(opcode)


@pytest.mark.parametrize(
    "name",
    [
        "HCI_LE_CREATE_CIS",
        "HCI_LE_SET_CIG_PARAMETERS",
        "HCI_LE_CREATE_BIG",
        "HCI_CREATE_CONNECTION",
    ],
)
def test_what_is_not_simulated_says_so(world, name):
    """Row "CIS": 0x01, and not in the mask."""
    a = world.host("a")
    opcode = getattr(hci, f"{name}_COMMAND")
    assert answers(a.raw(command(opcode, bytes(40))), opcode) == [0x01]
    mask = int.from_bytes(a.ok(hci.HCI_Read_Local_Supported_Commands_Command())[1:], "little")
    assert not mask & hci.HCI_SUPPORTED_COMMANDS_MASKS[opcode]
    features = int.from_bytes(
        a.ok(hci.HCI_LE_Read_Local_Supported_Features_Command())[1:], "little"
    )
    assert not features & hci.LeFeatureMask.CONNECTED_ISOCHRONOUS_STREAM_CENTRAL


def test_any_bytes_at_all_leave_a_working_controller():
    """Seeded fuzz: random packets of every type; commands are answered, nothing raises, a reset works afterwards."""
    draw = random.Random(7)
    with World() as world:
        a = world.host("a")
        for _ in range(4000):
            opcode = draw.choice(sorted(hci.HCI_Command.command_names))
            parameters = draw.randbytes(draw.choice((0, 1, 3, 7, 13, 25, 60)))
            back = a.raw(command(opcode, parameters))
            if opcode != SILENT:
                assert len(answers(back, opcode)) == 1, hex(opcode)
            a.raw(draw.randbytes(draw.randrange(1, 12)))
            world.run(draw.randrange(3000))
        a.reset()
        a.legacy_set(0)
        world.run(S)


def test_a_cut_command_is_answered_with_invalid_parameters(world):
    a = world.host("a")
    whole = bytes.fromhex("01 0b20 07 00 1000 1000 00 00")
    for size in range(4, len(whole)):
        cut = whole[:3] + bytes((size - 4,)) + whole[4:size]
        assert answers(a.raw(cut), hci.HCI_LE_SET_SCAN_PARAMETERS_COMMAND) == [0x12]
        assert answers(a.raw(whole[:size]), hci.HCI_LE_SET_SCAN_PARAMETERS_COMMAND) == [0x12]


def test_reset_resets_everything(world):
    """Row "HCI_Reset": advertising, scanning, initiating, connections, lists, addresses, masks."""
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    b.advertise(0x13, ADV_DATA)
    a.connect("00:00:00:00:00:01/P", extended=True)
    world.run(S)
    assert a.controller.links
    a.random_address(RANDOM_A)
    a.advertise(0x13, ADV_DATA)
    a.scan()
    a.connect("00:00:00:00:00:99/P", extended=True)
    a.ok(
        hci.HCI_LE_Add_Device_To_Filter_Accept_List_Command(
            address_type=0, address=hci.Address(RANDOM_A + "/P")
        )
    )
    world.run(S)
    b.advertise(0x10, ADV_DATA, handle=1)
    a.raw(command(hci.HCI_RESET_COMMAND))
    before_us = world.loop.now_us
    world.run(20 * S)
    assert [s for s in world.of("a") if s.start_us > before_us] == []
    assert [t for t, e in a.events if t > before_us and e[1] != 0x0E] == []
    assert not a.controller.links
    assert a.controller.addresses.random is None
    assert not a.controller.addresses.accept
    assert a.controller.le_event_mask == 0x1F
    assert world.air.listening() == []
    assert [event[3] for _, event in b.event(0x05)] == [0x08]  # the peer notices by its own clock
    assert a.opcode(hci.HCI_READ_BD_ADDR_COMMAND)[1:] == wire(PUBLIC_A)


def test_legacy_commands_work_again_after_reset(world):
    """Vol 4 Part E, 3.1.1: legacy and extended commands do not mix between two resets."""
    a = world.host("a")
    a.legacy_set(0)
    assert a.set_parameters(0, 0x13) == b"\x0c"
    a.reset()
    assert a.set_parameters(0, 0x13)[0] == 0
    enable = hci.HCI_LE_Set_Advertising_Enable_Command(advertising_enable=1)
    assert a.command(enable) == b"\x0c"
    a.reset()
    assert a.command(enable) == b"\0"


def test_masked_events_are_not_sent(world):
    a, b = world.host("a"), world.host("b")
    a.legacy_set(3)
    b.scan()
    world.run(S)
    assert b.reports()
    for mask in ("le", "all"):
        b.reset()
        if mask == "le":
            b.ok(
                hci.HCI_LE_Set_Event_Mask_Command(
                    le_event_mask=(0xFFFF & ~(1 << 12)).to_bytes(8, "little")
                )
            )
        else:
            b.ok(hci.HCI_Set_Event_Mask_Command(event_mask=(2**61 - 1).to_bytes(8, "little")))
        count = len(b.reports())
        b.scan()
        world.run(S)
        assert len(b.reports()) == count


def test_the_default_mask_hides_le_events(world):
    """Vol 4 Part E, 7.3.1: bit 61 (LE Meta) is not in the default mask."""
    a, b = world.host("a"), world.host("b")
    b.raw(command(hci.HCI_RESET_COMMAND))
    a.legacy_set(3)
    b.scan(extended=False)
    world.run(S)
    assert b.reports() == []


ZEPHYR = [
    0x0C03,
    0x1003,
    0x1001,
    0x1002,
    0x1009,
    0x2003,
    0x201C,
    0x2002,
    0x202F,
    0x2024,
    0x2001,
    0x0C01,
    0x2018,
]
LINUX = [
    *(
        0x0C03,
        0x1003,
        0x1001,
        0x1009,
        0x1002,
        0x1005,
        0x2002,
        0x2003,
        0x201C,
        0x2007,
        0x200F,
        0x2010,
        0x202A,
        0x2029,
    ),
    *(0x202F, 0x2023, 0x203B, 0x203A, 0x204A, 0x204B, 0x0C01, 0x2001, 0x0C63),
]
ANDROID = [
    0x0C03,
    0x1005,
    0x0C33,
    0x1001,
    0x1002,
    0x1004,
    0x0C01,
    0x1009,
    0x2002,
    0x2003,
    0x201C,
    0x200F,
    0x202A,
    0x202F,
    0x203A,
    0x203B,
    0x204B,
    0x0C14,
]
PARAMETERS = {
    0x1004: b"\0",
    0x2024: b"\xfb\0\x48\x08",
    0x2001: b"\xff" * 8,
    0x0C01: b"\xff" * 8,
    0x0C63: b"\0" * 8,
    0x0C33: struct.pack("<HBHH", 1021, 0, 20, 0),
}


@pytest.mark.parametrize("opcodes", [ZEPHYR, LINUX, ANDROID], ids=["zephyr", "linux", "android"])
def test_what_hosts_send_at_start_up_is_answered_with_success(world, opcodes):
    """Commands that need no reply from a classic radio; those without meaning for LE may be unknown."""
    a = world.host("a")
    unknown = {0x2007}  # mixing: a read, allowed
    for opcode in opcodes:
        [status] = answers(a.raw(command(opcode, PARAMETERS.get(opcode, b""))), opcode)
        assert status == 0 or opcode in unknown, hex(opcode)


def test_random_numbers_come_from_the_seed():
    def draw(seed: int) -> bytes:
        with World(seed) as world:
            return world.host("a").ok(hci.HCI_LE_Rand_Command())

    assert draw(1) == draw(1) != draw(2)
    assert len(draw(1)) == 9


def test_le_encrypt_is_aes_with_the_octets_reversed(world):
    """FIPS 197, appendix C.1; HCI has the least significant octet first."""
    key = bytes(range(16))
    plain = bytes.fromhex("00112233445566778899aabbccddeeff")
    cipher = bytes.fromhex("69c4e0d86a7b0430d8cdb78070b4c55a")
    answer = world.host("a").opcode(hci.HCI_LE_ENCRYPT_COMMAND, key[::-1] + plain[::-1])
    assert answer == b"\0" + cipher[::-1]
    assert world.host("b").opcode(hci.HCI_LE_ENCRYPT_COMMAND, key) == b"\x12"


def test_buffers_and_versions_are_truthful(world):
    a = world.host("a")
    length, count = struct.unpack("<HB", a.ok(hci.HCI_LE_Read_Buffer_Size_Command())[1:])
    assert length >= 27
    assert count > 0
    version = a.ok(hci.HCI_Read_Local_Version_Information_Command())
    assert version[1] == version[4] == 0x0D  # Core 5.4


def test_replies_come_after_the_command_in_order(world):
    """Two commands in one instant: two answers, in order, and none inside the call."""
    a = world.host("a")
    before = len(a.events)
    a.controller.on_packet(bytes(hci.HCI_Read_BD_ADDR_Command()))
    a.controller.on_packet(bytes(hci.HCI_LE_Rand_Command()))
    assert len(a.events) == before
    world.run(0)
    assert [e[4:6] for _, e in a.events[before:]] == [b"\x09\x10", b"\x18\x20"]


def test_observers_see_every_packet_in_both_directions(world):
    a = world.host("a")
    seen: list[tuple[bool, bytes]] = []
    stop = a.controller.observe_hci(lambda to_host, packet: seen.append((to_host, packet)))
    a.ok(hci.HCI_LE_Rand_Command())
    stop()
    a.ok(hci.HCI_LE_Rand_Command())
    assert [to_host for to_host, _ in seen] == [False, True]
    assert seen[0][1] == bytes(hci.HCI_LE_Rand_Command())


def test_a_controller_can_be_made_outside_a_running_loop(world):
    """bumble asks for the running loop in its constructor."""
    with pytest.raises(RuntimeError):
        __import__("asyncio").get_running_loop()
    assert world.host("x").opcode(hci.HCI_READ_BD_ADDR_COMMAND)[0] == 0
