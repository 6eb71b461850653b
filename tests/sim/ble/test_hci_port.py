"""The HCI side: an answer to everything, a true mask, reset, event masks, flow control to the host."""

from __future__ import annotations

import random
import re
import struct
from pathlib import Path

import pytest
from bumble import hci
from raw_host import ADV_DATA, RANDOM_A, S, World, wire

from sim.ble.commands import RETURN_OCTETS
from sim.ble.controller import AirController
from sim.ble.device_commands import LE_FEATURES

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


class Counter:
    """A host that counts the answers to each opcode."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.host = world.host("a")
        self.host.controller.host = self
        self.got: dict[int, list[int]] = {}

    def on_packet(self, packet: bytes) -> None:
        at = {0x0E: 4, 0x0F: 5}.get(packet[1])
        if at is not None:
            opcode = packet[at] | packet[at + 1] << 8
            self.got.setdefault(opcode, []).append(packet[3 if at == 5 else 6])

    def ask(self, opcode: int, parameters: bytes) -> None:
        self.host.controller.on_packet(command(opcode, parameters))


def test_every_opcode_is_answered_exactly_once():
    """Row "unknown opcode on the wire": 0x0000 to 0xFFFF, without parameters and with 13 octets."""
    for parameters in (b"", bytes(range(1, 14))):
        with World() as world:
            counter = Counter(world)
            for opcode in range(0x10000):
                counter.ask(opcode, parameters)
                if opcode & 0x3FF == 0:
                    world.run(0)
            world.run(0)
            odd = {o for o in range(0x10000) if len(counter.got.get(o, ())) != 1}
            assert odd == {SILENT}
            handled = counter.host.controller.handled
            unknown = {opcode for opcode, status in counter.got.items() if status == [0x01]}
            assert unknown == set(range(0x10000)) - handled


def test_parameters_of_any_length_are_answered_exactly_once():
    """Every handled command with parameters cut short or too long: of zeros, of ones, and of chance."""
    draw = random.Random(5)
    with World() as world:
        counter = Counter(world)
        for opcode in sorted(counter.host.controller.handled - {SILENT}):
            for length in (*range(67), 248, 250, 255):
                for parameters in (bytes(length), b"\xff" * length, draw.randbytes(length)):
                    counter.got.clear()
                    counter.ask(opcode, parameters)
                    world.run(0)
                    assert [*counter.got] == [opcode], (hex(opcode), parameters.hex())
                    assert len(counter.got[opcode]) == 1, (hex(opcode), parameters.hex())
        counter.host.controller.host = counter.host
        counter.host.reset()
        counter.host.legacy_set(0)
        world.run(S)
        assert len(world.of("a")) >= 27


def test_errors_are_as_long_as_successes(world):
    """Android aborts on an answer of another length; 0x01 has nothing but the status."""
    a = world.host("a")
    for opcode, octets in RETURN_OCTETS.items():
        [answer] = a.raw(command(opcode, bytes(70)))  # no command has so many octets of parameters
        if opcode in a.controller.handled:
            assert (answer[6], len(answer) - 6) == (0x12, octets), hex(opcode)
        else:
            assert answer[6:] == b"\x01"
    assert a.set_parameters(0, 0x11) == b"\x12\0"


def test_a_command_too_short_for_an_opcode_is_answered(world):
    a = world.host("a")
    for size in range(1, 4):
        assert len(a.raw(command(0x0C03)[:size])) == 1


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


def test_every_handled_command_is_in_the_mask(world):
    """Read Local Supported Commands has no bit of its own (Vol 4 Part E, 6.27)."""
    a = world.host("a")
    mask = int.from_bytes(a.ok(hci.HCI_Read_Local_Supported_Commands_Command())[1:], "little")
    handled = a.controller.handled
    bits = {opcode: hci.HCI_SUPPORTED_COMMANDS_MASKS.get(opcode, 0) for opcode in handled}
    assert {opcode for opcode, bit in bits.items() if not bit} == {0x1002}
    assert mask == sum(bits.values())


FEATURES = {
    "LE_ENCRYPTION": {0x2019, 0x201A, 0x201B},
    "CONNECTION_PARAMETERS_REQUEST_PROCEDURE": {0x2020, 0x2021},
    "LE_PING": {0x0C7B, 0x0C7C},
    "LE_DATA_PACKET_LENGTH_EXTENSION": {0x2022, 0x2023, 0x2024, 0x202F},
    "LL_PRIVACY": {*range(0x2027, 0x202F), 0x204E},
    "LE_EXTENDED_ADVERTISING": {*range(0x2035, 0x203E), 0x2041, 0x2042, 0x2043},
    "LE_PERIODIC_ADVERTISING": {0x203E, 0x203F, 0x2040, *range(0x2044, 0x204B)},
    "LE_2M_PHY": {0x2030, 0x2031, 0x2032},
    "CONNECTION_CTE_REQUEST": {0x2054, 0x2055, 0x2056},
    "CONNECTIONLESS_CTE_TRANSMITTER": {0x2051, 0x2052},
    "CONNECTIONLESS_CTR_RECEIVER": {0x2053},
    "PERIODIC_ADVERTISING_SYNC_TRANSFER_SENDER": {0x205A, 0x205B},
    "PERIODIC_ADVERTISING_SYNC_TRANSFER_RECIPIENT": {0x205C, 0x205D},
    "SLEEP_CLOCK_ACCURACY_UPDATES": {0x206D},
    "CONNECTED_ISOCHRONOUS_STREAM_CENTRAL": {0x2062, 0x2064, 0x2065},
    "CONNECTED_ISOCHRONOUS_STREAM_PERIPHERAL": {0x2066, 0x2067},
    "ISOCHRONOUS_BROADCASTER": {0x2068, 0x206A},
    "SYNCHRONIZED_RECEIVER": {0x206B, 0x206C},
    "LE_POWER_CONTROL_REQUEST": {0x2076, 0x2077, 0x207A},
    "LE_PATH_LOSS_MONITORING": {0x2078, 0x2079},
    "CONNECTION_SUBRATING": {0x207D, 0x207E},
}
"""Feature -> commands that its support makes mandatory (Vol 4 Part E, 3.1)."""
WITHOUT_COMMANDS = {
    "EXTENDED_REJECT_INDICATION",
    "PERIPHERAL_INITIATED_FEATURE_EXCHANGE",
    "EXTENDED_SCANNER_FILTER_POLICIES",
    "LE_CODED_PHY",
    "CHANNEL_SELECTION_ALGORITHM_2",
}
"""Features that the tests of the link layer, the scanner and the PHYs show."""


def test_features_are_what_there_are_commands_for(world):
    a = world.host("a")
    answer = a.ok(hci.HCI_LE_Read_Local_Supported_Features_Command())
    features = hci.LeFeatureMask(int.from_bytes(answer[1:], "little"))
    for name, opcodes in FEATURES.items():
        assert opcodes <= set(hci.HCI_Command.command_names)
        has = bool(features & hci.LeFeatureMask[name])
        assert {opcode in a.controller.handled for opcode in opcodes} == {has}, name
    assert {one.name for one in features} <= set(FEATURES) | WITHOUT_COMMANDS


def test_the_document_lists_the_le_commands_that_are_not_there(world):
    """docs/fidelity.md: opcodes and ranges of them in its table."""
    text = (Path(__file__).parents[3] / "docs" / "fidelity.md").read_text(encoding="utf-8")
    listed: list[int] = []
    for first, last in re.findall(r"`(0x2[0-9A-F]{3})(?:\.\.(0x2[0-9A-F]{3}))?`", text):
        listed += range(int(first, 16), int(last or first, 16) + 1)
    known = {opcode for opcode in hci.HCI_Command.command_names if opcode >> 10 == 0x08}
    assert len(set(listed)) == len(listed)
    assert set(listed) == known - world.host("a").controller.handled


def test_a_command_of_a_feature_that_is_switched_off_is_unknown(world):
    """Its bit is clear, too; the rest is as before."""

    class Modest(AirController):
        le_features = LE_FEATURES & ~hci.LeFeatureMask.LL_PRIVACY

    modest = Modest("m", world.air, world.loop, world.streams)
    gone = world.host("a").controller.handled - modest.handled
    assert gone == FEATURES["LL_PRIVACY"]


def test_an_le_only_controller_says_so(world):
    """Vol 2 Part C, 3.3: BR/EDR Not Supported (bit 37), LE Supported (bit 38); page 1 is the host's, and reset clears it."""
    a = world.host("a")
    pages = [a.opcode(hci.HCI_READ_LOCAL_EXTENDED_FEATURES_COMMAND, bytes((n,))) for n in range(3)]
    assert pages[0] == bytes.fromhex("00 00 01 00 00 00 00 60 00 00 80")
    assert pages[1] == bytes.fromhex("00 01 01") + bytes(8)
    assert pages[2] == bytes.fromhex("12 02 01") + bytes(8)
    assert a.opcode(hci.HCI_READ_LOCAL_SUPPORTED_FEATURES_COMMAND) == b"\0" + pages[0][3:]
    assert a.opcode(hci.HCI_WRITE_LE_HOST_SUPPORT_COMMAND, b"\x01\0") == b"\0"
    name = b"\xff\xfe no UTF-8".ljust(248, b"\0")
    assert a.opcode(hci.HCI_WRITE_LOCAL_NAME_COMMAND, name) == b"\0"
    assert a.opcode(hci.HCI_READ_LOCAL_NAME_COMMAND) == b"\0" + name
    assert a.opcode(hci.HCI_READ_LOCAL_EXTENDED_FEATURES_COMMAND, b"\x01")[3] == 0x02
    a.reset()
    assert a.opcode(hci.HCI_READ_LOCAL_EXTENDED_FEATURES_COMMAND, b"\x01") == pages[1]
    assert a.opcode(hci.HCI_READ_LOCAL_NAME_COMMAND) != b"\0" + name


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
    assert a.set_parameters(0, 0x13)[0] == 0x0C
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
    assert world.host("b").opcode(hci.HCI_LE_ENCRYPT_COMMAND, key)[0] == 0x12


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
