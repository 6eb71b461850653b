"""What bumble 0.0.236's own controller gets wrong, one check per row, for any controller behind `raw_host`'s interface.

Rules of the file:
* A check runs on ours and on bumble's. `must` is the one statement that the row is about: it holds on ours and fails
  on bumble's. Everything else that a check assumes is a plain assert, which holds on both up to that point.
* `also` names the tests that go further on ours; test_rows.py checks that they exist.
"""

from __future__ import annotations

import itertools
import struct
from typing import TYPE_CHECKING, Any, NamedTuple

from bumble import crypto
from raw_host import ADV_DATA, MS, RANDOM_A, RANDOM_B, S, hci, wire

if TYPE_CHECKING:
    from collections.abc import Callable

SCAN_RESPONSE = b"\x05\x09nice"
PUBLIC_A, PUBLIC_B = "11:22:33:44:55:0A", "11:22:33:44:55:0B"
IRK = bytes(range(16))


class Row(NamedTuple):
    """`stock` is what bumble's controller does instead."""

    stock: str
    check: Callable[[Any], None]
    also: tuple[str, ...]


class SymptomError(AssertionError):
    """The statement of a row does not hold."""


ROWS: dict[str, Row] = {}


def row(name: str, stock: str, *also: str) -> Callable[[Callable[[Any], None]], None]:
    def enter(check: Callable[[Any], None]) -> None:
        assert name not in ROWS
        ROWS[name] = Row(stock, check, also)

    return enter


def must(condition: object) -> None:
    if not condition:
        raise SymptomError


# Helpers


def answers(host: Any, opcode: int, parameters: bytes = b"") -> list[int]:
    """Status of each answer to a command."""
    packet = struct.pack("<BHB", 1, opcode, len(parameters)) + parameters
    octets = opcode.to_bytes(2, "little")
    found = []
    for event in host.raw(packet):
        if event[1] == 0x0E and event[4:6] == octets:
            found.append(event[6])
        elif event[1] == 0x0F and event[5:7] == octets:
            found.append(event[3])
    return found


def advertise(host: Any, properties: int = 0x13, address: str = RANDOM_A, **options: Any) -> None:
    """An extended set with a static address, as bumble's Device has it."""
    host.random_address(address)
    data = options.pop("data", ADV_DATA)
    scan_response = options.pop("scan_response", b"")
    handle = options.pop("handle", 0)
    assert host.set_parameters(handle, properties, own_type=1, **options)[0] == 0
    command = hci.HCI_LE_Set_Advertising_Set_Random_Address_Command
    host.ok(command(advertising_handle=handle, random_address=hci.Address(address)))
    if data:
        assert host.set_data(data, handle)[0] == 0
    if scan_response:
        assert host.set_data(scan_response, handle, scan_response=True)[0] == 0
    assert host.enable_set(handle)[0] == 0


def central(world: Any, name: str = "b", address: str = RANDOM_B) -> Any:
    host = world.host(name, public=PUBLIC_B)
    host.random_address(address)
    return host


def connected(world: Any, **options: Any) -> tuple[Any, Any]:
    """Advertiser and central with a connection; `options` are those of RawHost.connect."""
    a, b = world.host("a", public=PUBLIC_A), central(world)
    advertise(a)
    assert b.connect(RANDOM_A, extended=True, own_type=1, **options) == b"\0"
    world.run(S)
    assert [one["status"] for one in a.connections() + b.connections()] == [0, 0]
    return a, b


def handle_of(host: Any) -> int:
    handle: int = host.connections()[-1]["handle"]
    return handle


def send(host: Any, *parts: bytes) -> None:
    """ACL packets on the host's connection: a start, then continuations."""
    for number, part in enumerate(parts):
        word = handle_of(host) | (0x1000 if number else 0)
        host.controller.on_packet(struct.pack("<BHH", 2, word, len(part)) + part)


def acl(host: Any) -> list[bytes]:
    """Data of the ACL packets that a host was given."""
    return [event[5:] for _, event in host.events if event[0] == 2]


# Advertising


@row(
    "advertising, default controller",
    "a legacy set of the extended commands is reported as an extended one",
    "test_bumble_device.py::test_advertising_scanning_and_gatt",
)
def _(world: Any) -> None:
    a, b = world.host("a"), world.host("b")
    advertise(a)
    b.scan()
    world.run(S)
    assert b.reports()
    must(all(report.event_type & 0x10 for report in b.reports()))


@row(
    "event types",
    "each is reported as connectable",
    "test_advertising.py::test_event_types_are_those_of_the_pdu",
    "test_extended_advertising.py::test_event_types_of_extended_sets",
    "test_extended_advertising.py::test_an_anonymous_set_is_reported_without_address",
    "test_extended_advertising.py::test_tx_power_is_reported_when_the_set_includes_it",
)
def _(world: Any) -> None:
    a, b = world.host("a"), world.host("b")
    advertise(a, 0x10)
    b.scan()
    world.run(S)
    assert b.reports()
    must({report.event_type for report in b.reports()} == {0x10})


@row(
    "scan response",
    "a passive scanner is sent one, with the advertising data in it",
    "test_advertising.py::test_a_scan_response_is_the_advertisers_own_and_only_for_active_scanners",
)
def _(world: Any) -> None:
    a, passive, active = world.host("a"), world.host("p"), world.host("q")
    advertise(a, 0x13, scan_response=SCAN_RESPONSE)
    passive.scan()
    active.scan(active=True)
    world.run(S)
    found = {r.data for r in active.reports() if r.event_type & 8}
    assert passive.reports()
    assert found
    must(found == {SCAN_RESPONSE} and not any(r.event_type & 8 for r in passive.reports()))


@row(
    "legacy-only controller",
    "ADV_NONCONN_IND and ADV_SCAN_IND send nothing",
    "test_advertising.py::test_event_types_are_those_of_the_pdu",
    "test_bumble_device.py::test_a_device_on_a_legacy_only_controller_uses_the_legacy_commands",
)
def _(world: Any) -> None:
    a, b = world.host("a"), world.host("b")
    a.legacy_set(3)
    b.scan(extended=False)
    world.run(S)
    must({report.event_type for report in b.reports()} == {3})


@row(
    "connect to a NON-connectable advertiser",
    "connects",
    "test_initiating.py::test_what_is_not_connectable_is_never_connected_to",
)
def _(world: Any) -> None:
    a, b = world.host("a"), central(world)
    advertise(a, 0x10)
    assert b.connect(RANDOM_A, extended=True, own_type=1) == b"\0"
    world.run(S)
    must(a.connections() == b.connections() == [])


@row(
    "interval",
    "the legacy command's units are taken for milliseconds",
    "test_advertising.py::test_the_interval_is_what_the_host_set_plus_0_to_10_ms",
)
def _(world: Any) -> None:
    a, b = world.host("a"), world.host("b")
    a.legacy_set(0, interval_ms=100)
    b.scan(extended=False)
    world.run(5 * S)
    gaps = [y.t_us - x.t_us for x, y in itertools.pairwise(b.reports())]
    assert gaps
    must(101 * MS < sum(gaps) / len(gaps) < 110 * MS)


@row(
    "duration / max_events on a set",
    "goes on for ever, no terminated event",
    "test_advertising.py::test_duration_ends_a_set_with_a_terminated_event",
    "test_advertising.py::test_max_events_ends_a_set_with_limit_reached",
    "test_advertising.py::test_high_duty_directed_advertising_ends_after_1_28_s",
)
def _(world: Any) -> None:
    a = world.host("a")
    a.random_address(RANDOM_A)
    for handle in (0, 1):
        assert a.set_parameters(handle, 0x10, interval_ms=20)[0] == 0
    assert a.enable_set(0, duration=20)[0] == a.enable_set(1, events=2)[0] == 0
    world.run(S)
    must([event[:2] for _, event in a.le(0x12)] == [b"\x43\x01", b"\x3c\x00"])


@row(
    "Enable while already enabled",
    "a second chain of events runs beside the first",
    "test_advertising.py::test_enabling_again_does_not_start_a_second_chain_of_events",
)
def _(world: Any) -> None:
    a, b = world.host("a"), world.host("b")
    advertise(a, 0x10)
    assert a.enable_set(0)[0] == 0
    b.scan()
    world.run(4 * S)
    adverts = [r for r in b.reports() if not r.event_type & 8]
    assert adverts
    must(len(adverts) <= 41)


@row(
    "several sets",
    "their SIDs are not reported",
    "test_advertising.py::test_several_sets_keep_their_own_address_data_and_interval",
)
def _(world: Any) -> None:
    a, b = world.host("a"), world.host("b")
    for handle in (1, 2):
        advertise(a, 0x00, f"C0:00:00:00:00:0{handle}", handle=handle, sid=handle)
    b.scan()
    world.run(S)
    found = {(report.address[0], report.sid) for report in b.reports()}
    assert {octet for octet, _ in found} == {1, 2}
    must(found == {(1, 1), (2, 2)})


@row(
    "adv data > 229 B",
    "the report is lost",
    "test_extended_advertising.py::test_data_of_any_size_arrives_whole",
    "test_extended_advertising.py::test_data_limits",
)
def _(world: Any) -> None:
    a, b = world.host("a"), world.host("b")
    advertise(a, 0x00, data=bytes(251))
    b.scan()
    world.run(S)
    must(sum(len(report.data) for report in b.reports()) >= 8 * 251)


@row(
    "directed adv",
    "others report it",
    "test_advertising.py::test_directed_advertising_is_for_its_target_alone",
    "test_extended_advertising.py::test_a_directed_extended_set_is_for_its_target_alone",
    "test_initiating.py::test_a_directed_advertiser_is_connected_to_by_its_target_alone",
)
def _(world: Any) -> None:
    a, other = world.host("a"), central(world)
    advertise(a, 0x15, data=b"", peer="C0:00:00:00:00:0C")
    other.scan(own_type=1)
    world.run(S)
    must(other.reports() == [])


@row(
    "RSSI",
    "-50 at any distance",
    "test_advertising.py::test_rssi_follows_distance_and_power",
)
def _(world: Any) -> None:
    a = world.host("a")
    near, far = (world.host(f"{x}", position=(x, 0.0, 0.0)) for x in (1.0, 20.0))
    advertise(a, 0x10)
    near.scan()
    far.scan()
    world.run(S)
    strengths = [{report.rssi for report in host.reports()} for host in (near, far)]
    assert all(strengths)
    must(min(strengths[0]) > max(strengths[1]))


@row(
    "HCI_Read_RSSI",
    "unknown command",
    "test_control.py::test_read_rssi_is_that_of_the_last_packet",
)
def _(world: Any) -> None:
    a, _b = connected(world)
    must(answers(a, hci.HCI_READ_RSSI_COMMAND, handle_of(a).to_bytes(2, "little")) == [0])


# Scanning


@row(
    "duplicates filter",
    "ignored",
    "test_scanning.py::test_duplicates_are_filtered_by_address_and_kind",
    "test_extended_advertising.py::test_changed_data_is_no_duplicate",
    "test_scanning.py::test_a_period_resets_the_duplicates_when_asked_to",
)
def _(world: Any) -> None:
    a, b = world.host("a"), world.host("b")
    advertise(a, 0x10)
    b.scan(duplicates=1)
    world.run(2 * S)
    adverts = [r for r in b.reports() if not r.event_type & 8]
    assert adverts
    must(len(adverts) == 1)


@row(
    "scan window/interval",
    "ignored",
    "test_scanning.py::test_a_scanner_hears_as_much_as_its_window_is_of_its_interval",
)
def _(world: Any) -> None:
    a, b = world.host("a"), world.host("b")
    advertise(a, 0x10, interval_ms=20)
    b.scan(interval_ms=100, window_ms=10)
    world.run(5 * S)
    adverts = [r for r in b.reports() if not r.event_type & 8]
    assert adverts
    must(len(adverts) < 50)


@row(
    "active/passive",
    "a passive scanner is given scan responses",
    "test_advertising.py::test_a_scan_response_is_the_advertisers_own_and_only_for_active_scanners",
    "test_advertising.py::test_what_is_not_scannable_is_never_asked",
)
def _(world: Any) -> None:
    a, b = world.host("a"), world.host("b")
    advertise(a, 0x10)
    b.scan(active=True)
    world.run(S)
    assert b.reports()
    must(not any(report.event_type & 8 for report in b.reports()))


@row(
    "PHY",
    "ignored: a scanner of 1M reports a set on the coded PHY",
    "test_extended_advertising.py::test_phys_are_those_of_the_set_and_only_scanned_ones_are_heard",
)
def _(world: Any) -> None:
    a, one, coded = world.host("a"), world.host("b"), world.host("c")
    advertise(a, 0x00, primary_phy=3, secondary_phy=3)
    one.scan(phys=0b001)
    coded.scan(phys=0b100)
    world.run(2 * S)
    assert coded.reports()
    must(one.reports() == [])


@row(
    "filter accept list",
    "scan policy 1 sees everything",
    "test_scanning.py::test_the_accept_list_is_honoured_by_scan_policy_1",
    "test_scanning.py::test_policy_2_reports_directed_adverts_to_private_addresses_it_cannot_resolve",
    "test_scanning.py::test_policy_3_does_so_for_the_accept_list_alone",
    "test_advertising.py::test_the_advertiser_answers_only_devices_of_its_accept_list",
)
def _(world: Any) -> None:
    a, b = world.host("a"), world.host("b")
    advertise(a, 0x10)
    b.scan(policy=1)
    world.run(S)
    must(b.reports() == [])


@row(
    "filter accept list: auto-connect",
    "never completes",
    "test_initiating.py::test_auto_connect_takes_the_first_of_the_accept_list",
)
def _(world: Any) -> None:
    a, b = world.host("a"), central(world)
    add = hci.HCI_LE_Add_Device_To_Filter_Accept_List_Command
    b.ok(add(address_type=1, address=hci.Address(RANDOM_A)))
    advertise(a)
    assert b.connect(None, extended=True, own_type=1) == b"\0"
    world.run(S)
    must([one["peer"] for one in b.connections()] == [wire(RANDOM_A)])


@row(
    "filter accept list: size",
    "12 devices go into a list of 8",
    "test_lists.py::test_the_accept_list_holds_as_many_as_it_says",
    "test_lists.py::test_the_accept_list_cannot_change_while_it_is_used",
)
def _(world: Any) -> None:
    a = world.host("a")
    size = a.ok(hci.HCI_LE_Read_Filter_Accept_List_Size_Command())[1]
    add = hci.HCI_LE_Add_Device_To_Filter_Accept_List_Command
    addresses = [hci.Address(f"11:22:33:44:55:{n:02X}/P") for n in range(size + 1)]
    statuses = [a.command(add(address_type=0, address=address))[0] for address in addresses]
    must(statuses == [0] * size + [7])


@row(
    "resolving list / controller RPA",
    "success without any effect",
    "test_lists.py::test_the_controller_makes_private_addresses_and_renews_them",
    "test_lists.py::test_a_known_private_address_is_reported_as_identity",
    "test_lists.py::test_network_privacy_ignores_the_identity_address_of_a_private_peer",
    "test_lists.py::test_own_address_type_3_falls_back_to_the_random_address",
    "test_lists.py::test_the_private_address_of_a_target_lives_for_the_timeout",
)
def _(world: Any) -> None:
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    a.random_address(RANDOM_A)
    peer = hci.Address(PUBLIC_B + "/P")
    add = hci.HCI_LE_Add_Device_To_Resolving_List_Command
    add = add(
        peer_identity_address_type=0, peer_identity_address=peer, peer_irk=bytes(16), local_irk=IRK
    )
    a.ok(add)
    a.ok(hci.HCI_LE_Set_Address_Resolution_Enable_Command(address_resolution_enable=1))
    assert a.set_parameters(0, 0x13, own_type=3, peer=PUBLIC_B + "/P")[0] == 0
    random = hci.HCI_LE_Set_Advertising_Set_Random_Address_Command
    a.ok(random(advertising_handle=0, random_address=hci.Address(RANDOM_A)))
    assert a.enable_set(0)[0] == 0
    b.scan()
    world.run(S)
    [address] = {report.address for report in b.reports()}
    must(crypto.ah(IRK, address[3:]) == address[:3])


# Periodic advertising


def train(world: Any, *, interval: int = 400) -> tuple[Any, Any]:
    """A set of 50 ms with a train (`interval` in 1.25 ms units), and a scanner synchronised to it."""
    a, b = world.host("a"), world.host("b")
    advertise(a, 0x00, sid=3, interval_ms=50)
    parameters = hci.HCI_LE_Set_Periodic_Advertising_Parameters_Command
    parameters = parameters(
        advertising_handle=0,
        periodic_advertising_interval_min=interval,
        periodic_advertising_interval_max=interval,
        periodic_advertising_properties=0,
    )
    a.ok(parameters)
    data = hci.HCI_LE_Set_Periodic_Advertising_Data_Command
    a.ok(data(advertising_handle=0, operation=3, advertising_data=ADV_DATA))
    a.ok(hci.HCI_LE_Set_Periodic_Advertising_Enable_Command(enable=1, advertising_handle=0))
    b.scan()
    create = hci.HCI_LE_Periodic_Advertising_Create_Sync_Command
    create = create(
        options=0,
        advertising_sid=3,
        advertiser_address_type=1,
        advertiser_address=hci.Address(RANDOM_A),
        skip=0,
        sync_timeout=200,
        sync_cte_type=0,
    )
    assert b.command(create) == b"\0"
    world.run(2 * S)
    assert [event[0] for _, event in b.le(0x0E)] == [0]
    assert b.le(0x0F)
    return a, b


@row(
    "periodic adv",
    "its interval is ignored",
    "test_periodic.py::test_the_train_keeps_the_interval_the_host_set",
    "test_periodic.py::test_data_of_any_size_arrives_in_reports_of_at_most_247",
)
def _(world: Any) -> None:
    _a, b = train(world)
    before = len(b.le(0x0F))
    world.run(5 * S)
    must(len(b.le(0x0F)) - before == 10)


@row(
    "periodic adv: stop_periodic",
    "stops the set itself",
    "test_periodic.py::test_disabling_the_train_does_not_disable_the_set_and_the_other_way_round",
)
def _(world: Any) -> None:
    a, b = train(world)
    a.ok(hci.HCI_LE_Set_Periodic_Advertising_Enable_Command(enable=0, advertising_handle=0))
    world.run(S)
    before = len(b.reports())
    world.run(S)
    must(len(b.reports()) > before)


@row(
    "periodic adv: sync lost",
    "no event",
    "test_periodic.py::test_a_lost_train_is_reported_after_the_timeout",
    "test_periodic.py::test_a_few_lost_packets_do_not_end_a_sync",
)
def _(world: Any) -> None:
    a, b = train(world)
    world.vanish(a)
    world.run(5 * S)
    must(len(b.le(0x10)) == 1)


# Commands


@row(
    "data length",
    "unknown command",
    "test_control.py::test_data_length_update_and_fragmentation_to_it",
    "test_control.py::test_suggested_data_length_is_offered_without_a_command",
)
def _(world: Any) -> None:
    _a, b = connected(world)
    parameters = struct.pack("<3H", handle_of(b), 251, 2120)
    must(answers(b, hci.HCI_LE_SET_DATA_LENGTH_COMMAND, parameters) == [0])


@row(
    "PHY update",
    "no Command Status, so the host waits for ever",
    "test_control.py::test_phy_update_command_status_then_complete_on_both_sides",
    "test_gatt_over_air.py::test_phy_update_does_not_hang_the_host",
)
def _(world: Any) -> None:
    _a, b = connected(world)
    parameters = struct.pack("<HBBBH", handle_of(b), 0, 2, 2, 0)
    must(answers(b, hci.HCI_LE_SET_PHY_COMMAND, parameters) == [0])


@row(
    '22 of 70 "supported" commands have no handler',
    "they are listed all the same",
    "test_hci_port.py::test_commands_in_the_mask_are_handled_and_others_get_0x01",
    "test_hci_port.py::test_every_handled_command_is_in_the_mask",
    "test_hci_port.py::test_features_are_what_there_are_commands_for",
)
def _(world: Any) -> None:
    a = world.host("a")
    mask = int.from_bytes(a.ok(hci.HCI_Read_Local_Supported_Commands_Command())[1:], "little")
    lengths = {
        hci.HCI_READ_RSSI_COMMAND: 2,
        hci.HCI_LE_ENCRYPT_COMMAND: 32,
        hci.HCI_LE_READ_CHANNEL_MAP_COMMAND: 2,
        hci.HCI_READ_REMOTE_VERSION_INFORMATION_COMMAND: 2,
        hci.HCI_LE_READ_PEER_RESOLVABLE_ADDRESS_COMMAND: 7,
    }
    for opcode in lengths:
        assert mask & hci.HCI_SUPPORTED_COMMANDS_MASKS[opcode]
    got = [answers(a, opcode, bytes(length)) for opcode, length in lengths.items()]
    must(all(one and one != [0x01] for one in got))


@row(
    "unknown opcode on the wire",
    "no answer at all",
    "test_hci_port.py::test_every_opcode_is_answered_exactly_once",
    "test_hci_port.py::test_parameters_of_any_length_are_answered_exactly_once",
)
def _(world: Any) -> None:
    must(answers(world.host("a"), 0xFC01) == [0x01])


@row(
    "HCI_Reset",
    "advertising goes on",
    "test_hci_port.py::test_reset_resets_everything",
)
def _(world: Any) -> None:
    a, b = world.host("a"), world.host("b")
    advertise(a, 0x10)
    b.scan()
    world.run(S)
    before = len(b.reports())
    assert before
    a.reset()
    world.run(S)
    must(len(b.reports()) == before)


@row(
    "CIS",
    "answers as if there were isochronous channels (not simulated: 0x01)",
    "test_hci_port.py::test_what_is_not_simulated_says_so",
)
def _(world: Any) -> None:
    a = world.host("a")
    parameters = bytes.fromhex("00 102700 102700 00 00 00 0a00 0a00 00")
    must(answers(a, hci.HCI_LE_SET_CIG_PARAMETERS_COMMAND, parameters) == [0x01])


# Connections


@row(
    "connection parameters",
    "the peripheral is told 12.5 ms and 100 ms whatever the central chose",
    "test_initiating.py::test_both_sides_are_told_the_parameters_the_central_chose",
    "test_control.py::test_connection_update_by_the_central_changes_both_at_the_instant",
)
def _(world: Any) -> None:
    a, b = connected(world, interval=40, latency=3, timeout=321)
    told = [(c["interval"], c["latency"], c["timeout"]) for c in b.connections() + a.connections()]
    assert told[0] == (40, 3, 321)
    must(told[1] == told[0])


@row(
    "connect timeout / cancel",
    "cancelling does nothing",
    "test_initiating.py::test_cancel_cancels",
    "test_bumble_device.py::test_connect_with_a_timeout_returns_and_the_next_one_works",
)
def _(world: Any) -> None:
    b = central(world)
    assert b.connect(RANDOM_A, extended=True, own_type=1) == b"\0"
    world.run(S)
    b.ok(hci.HCI_LE_Create_Connection_Cancel_Command())
    world.run(S)
    must([one["status"] for one in b.connections()] == [0x02])


@row(
    "two centrals connect in the same instant",
    "both are told that they are connected, and stay so",
    "test_initiating.py::test_of_two_centrals_one_gets_the_peripheral",
    "test_gatt_over_air.py::test_a_second_central_is_refused",
)
def _(world: Any) -> None:
    a, b = world.host("a"), central(world)
    c = central(world, "c", "C0:00:00:00:00:0C")
    for host in (b, c):
        assert host.connect(RANDOM_A, extended=True, own_type=1) == b"\0"
    advertise(a)
    world.run(2 * S)
    up = [len([o for o in h.connections() if not o["status"]]) - len(h.event(5)) for h in (b, c)]
    must(sum(up) == 1)


@row(
    "own address PUBLIC, or a set's own random address, or a random address changed during a connection",
    "every ACL packet is dropped",
    "test_initiating.py::test_any_own_address_type_connects_and_carries_data",
    "test_bumble_device.py::test_extended_set_of_a_device_with_its_own_random_address_connects",
)
def _(world: Any) -> None:
    a, b = connected(world)
    b.random_address("C0:00:00:00:00:1B")
    send(b, b"\x01\x00\x04\x00x")
    world.run(S)
    must(acl(a) == [b"\x01\x00\x04\x00x"])


@row(
    "supervision timeout / link loss",
    "no disconnect event ever",
    "test_connection.py::test_supervision_timeout_is_0x08_on_both_sides_each_by_its_own_clock",
    "test_connection.py::test_power_off_of_the_peer_is_noticed_by_supervision",
    "test_gatt_over_air.py::test_supervision_timeout_on_both_sides",
)
def _(world: Any) -> None:
    a, b = connected(world)
    world.vanish(a)
    world.run(5 * S)  # the timeout is 1 s
    must([event[3] for _, event in b.event(0x05)] == [0x08])


@row(
    "ACL fragmentation",
    "packets of any size for a host whose buffers hold 27 octets",
    "test_acl.py::test_acl_with_a_27_octet_host_buffer",
    "test_gatt_over_air.py::test_acl_packets_fit_the_buffer_of_the_host",
)
def _(world: Any) -> None:
    a, b = connected(world)
    assert answers(a, hci.HCI_HOST_BUFFER_SIZE_COMMAND, struct.pack("<HBHH", 27, 0, 9, 0)) == [0]
    send(b, b"\x01\x02\x04\x00" + bytes(196), bytes(200), bytes(117))
    world.run(S)
    assert sum(map(len, acl(a))) == 517
    must(max(map(len, acl(a))) <= 27)
