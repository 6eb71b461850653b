"""Filter accept list, resolving list and private addresses made by the controller."""

from __future__ import annotations

import pytest
from bumble import crypto, hci
from raw_host import ADV_DATA, MS, RANDOM_A, S, World, wire

PUBLIC_A = "11:22:33:44:55:0A"
PUBLIC_B = "11:22:33:44:55:0B"
IRK_A = bytes(range(16))
IRK_B = bytes(range(100, 116))
NO_IRK = bytes(16)


@pytest.fixture
def world():
    with World() as made:
        yield made


def accept(address: str, kind: int = 0):
    return hci.HCI_LE_Add_Device_To_Filter_Accept_List_Command(
        address_type=kind, address=hci.Address(address, hci.AddressType(kind))
    )


def trust(peer: str, peer_irk: bytes, local_irk: bytes):
    address = hci.Address(peer + "/P")
    return hci.HCI_LE_Add_Device_To_Resolving_List_Command(
        peer_identity_address_type=0,
        peer_identity_address=address,
        peer_irk=peer_irk,
        local_irk=local_irk,
    )


def resolve(host, *, on: bool = True) -> None:
    host.ok(hci.HCI_LE_Set_Address_Resolution_Enable_Command(address_resolution_enable=int(on)))


def belongs(address: bytes, irk: bytes) -> bool:
    """Vol 6 Part B, 1.3.2.3: the low half of the address is ah(IRK, prand)."""
    return address[5] >> 6 == 1 and crypto.ah(irk, address[3:]) == address[:3]


def test_the_accept_list_holds_as_many_as_it_says(world):
    """Row "filter accept list": bumble took 12 adds into size 8."""
    a = world.host("a")
    size = a.ok(hci.HCI_LE_Read_Filter_Accept_List_Size_Command())[1]
    statuses = [a.command(accept(f"11:22:33:44:55:{n:02X}"))[0] for n in range(size + 1)]
    assert statuses == [0] * size + [7]
    assert a.command(accept("11:22:33:44:55:00"))[0] == 0  # listed already
    a.ok(
        hci.HCI_LE_Remove_Device_From_Filter_Accept_List_Command(
            address_type=0, address=hci.Address("11:22:33:44:55:00/P")
        )
    )
    assert a.command(accept("11:22:33:44:55:77"))[0] == 0
    a.ok(hci.HCI_LE_Clear_Filter_Accept_List_Command())
    assert a.command(accept("11:22:33:44:55:78"))[0] == 0


@pytest.mark.parametrize("use", ["advertise", "scan", "connect"])
def test_the_accept_list_cannot_change_while_it_is_used(world, use):
    a = world.host("a")
    a.ok(accept(PUBLIC_A))
    if use == "advertise":
        a.legacy_set(0, policy=1)
    elif use == "scan":
        a.scan(policy=1)
    else:
        assert a.connect(None) == b"\0"
    assert a.command(accept(PUBLIC_B)) == b"\x0c"
    assert a.command(hci.HCI_LE_Clear_Filter_Accept_List_Command()) == b"\x0c"


def test_the_accept_list_can_change_while_it_is_not_used(world):
    a = world.host("a")
    a.scan(policy=0)
    assert a.command(accept(PUBLIC_B)) == b"\0"


def test_anonymous_advertisers_are_listed_as_type_ff(world):
    a, b = world.host("a"), world.host("b")
    a.advertise(0x20, ADV_DATA)
    b.scan(policy=1)
    world.run(S)
    assert b.reports() == []
    b.ok(
        hci.HCI_LE_Set_Extended_Scan_Enable_Command(
            enable=0, filter_duplicates=0, duration=0, period=0
        )
    )
    assert (
        b.opcode(hci.HCI_LE_ADD_DEVICE_TO_FILTER_ACCEPT_LIST_COMMAND, b"\xff" + bytes(6)) == b"\0"
    )
    b.scan(policy=1)
    world.run(S)
    assert b.reports()


def test_the_resolving_list_holds_as_many_as_it_says(world):
    a = world.host("a")
    size = a.ok(hci.HCI_LE_Read_Resolving_List_Size_Command())[1]
    statuses = [
        a.command(trust(f"11:22:33:44:55:{n:02X}", IRK_A, IRK_B))[0] for n in range(size + 1)
    ]
    assert statuses == [0] * size + [7]
    assert a.command(trust("11:22:33:44:55:00", IRK_A, IRK_B)) == b"\x12"
    remove = hci.HCI_LE_REMOVE_DEVICE_FROM_RESOLVING_LIST_COMMAND
    assert a.opcode(remove, b"\0" + wire("11:22:33:44:55:00")) == b"\0"
    assert a.opcode(remove, b"\0" + wire("11:22:33:44:55:00")) == b"\x02"


def test_the_controller_makes_private_addresses_and_renews_them(world):
    """Row "resolving list / controller RPA": own address type 2, a new one after each timeout."""
    a = world.host("a", public=PUBLIC_A)
    a.ok(trust(PUBLIC_B, IRK_B, IRK_A))
    a.ok(hci.HCI_LE_Set_Resolvable_Private_Address_Timeout_Command(rpa_timeout=5))
    resolve(a)
    a.legacy_set(0, own_type=2, peer=PUBLIC_B + "/P")
    world.run(20 * S)
    addresses = list(dict.fromkeys(sent.data[2:8] for sent in world.sent))
    assert 4 <= len(addresses) <= 5
    assert all(belongs(address, IRK_A) for address in addresses)
    assert all(sent.data[0] & 0x40 for sent in world.sent)  # TxAdd: random
    first = {}
    for sent in world.sent:
        first.setdefault(sent.data[2:8], sent.start_us)
    gaps = [
        after - before
        for before, after in zip(first.values(), list(first.values())[1:], strict=False)
    ]
    assert all(5 * S <= gap <= 5 * S + 120 * MS for gap in gaps)
    local = a.opcode(hci.HCI_LE_READ_LOCAL_RESOLVABLE_ADDRESS_COMMAND, b"\0" + wire(PUBLIC_B))
    assert local == b"\0" + addresses[-1]


@pytest.mark.parametrize(("own_type", "expected"), [(2, PUBLIC_A), (3, RANDOM_A)])
def test_without_an_entry_the_fallback_address_is_used(world, own_type, expected):
    a = world.host("a", public=PUBLIC_A)
    a.random_address(RANDOM_A)
    resolve(a)
    a.legacy_set(0, own_type=own_type, peer=PUBLIC_B + "/P")
    world.run(S)
    assert {sent.data[2:8] for sent in world.sent} == {wire(expected)}


@pytest.mark.parametrize("extended", [False, True])
def test_a_known_private_address_is_reported_as_identity(world, extended):
    """Type 2 (public identity) and the identity; a scanner without the IRK sees the private address."""
    a = world.host("a", public=PUBLIC_A)
    friend, stranger = world.host("f", public=PUBLIC_B), world.host("s")
    a.ok(trust(PUBLIC_B, IRK_B, IRK_A))
    resolve(a)
    a.legacy_set(0, own_type=2, peer=PUBLIC_B + "/P")
    friend.ok(trust(PUBLIC_A, IRK_A, IRK_B))
    resolve(friend)
    friend.scan(extended=extended, active=True, own_type=2)
    stranger.scan(extended=extended)
    world.run(2 * S)
    assert {(r.address_type, r.address) for r in friend.reports()} == {(2, wire(PUBLIC_A))}
    [(kind, address)] = {(r.address_type, r.address) for r in stranger.reports()}
    assert kind == 1
    assert belongs(address, IRK_A)
    requests = [sent.data for sent in world.of("f")]
    assert requests
    assert all(belongs(data[2:8], IRK_B) for data in requests)
    seen = friend.opcode(hci.HCI_LE_READ_PEER_RESOLVABLE_ADDRESS_COMMAND, b"\0" + wire(PUBLIC_A))
    assert seen == b"\0" + address


def test_the_accept_list_works_on_identities(world):
    a, b = world.host("a", public=PUBLIC_A), world.host("b", public=PUBLIC_B)
    a.ok(trust(PUBLIC_B, IRK_B, IRK_A))
    resolve(a)
    a.legacy_set(0, own_type=2, peer=PUBLIC_B + "/P")
    b.ok(accept(PUBLIC_A))
    b.scan(policy=1)
    world.run(S)
    assert b.reports() == []
    b.reset()
    b.ok(trust(PUBLIC_A, IRK_A, NO_IRK))
    b.ok(accept(PUBLIC_A))
    resolve(b)
    b.scan(policy=1)
    world.run(S)
    assert b.reports()


@pytest.mark.parametrize("device_privacy", [False, True])
def test_network_privacy_ignores_the_identity_address_of_a_private_peer(world, device_privacy):
    """Vol 6 Part B, 4.7: accepted in device privacy mode only."""
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    a.legacy_set(0)
    b.ok(trust(PUBLIC_A, IRK_A, IRK_B))
    if device_privacy:
        b.ok(
            hci.HCI_LE_Set_Privacy_Mode_Command(
                peer_identity_address_type=0,
                peer_identity_address=hci.Address(PUBLIC_A + "/P"),
                privacy_mode=1,
            )
        )
    resolve(b)
    b.scan()
    world.run(S)
    assert bool(b.reports()) == device_privacy


def test_a_connection_between_private_addresses_tells_identities_and_addresses(world):
    a, b = world.host("a", public=PUBLIC_A), world.host("b", public=PUBLIC_B)
    a.ok(trust(PUBLIC_B, IRK_B, IRK_A))
    b.ok(trust(PUBLIC_A, IRK_A, IRK_B))
    resolve(a)
    resolve(b)
    a.legacy_set(0, own_type=2, peer=PUBLIC_B + "/P")
    assert b.connect(PUBLIC_A + "/P", own_type=2) == b"\0"
    world.run(S)
    [central], [peripheral] = b.connections(), a.connections()
    assert (central["peer_type"], central["peer"]) == (2, wire(PUBLIC_A))
    assert (peripheral["peer_type"], peripheral["peer"]) == (2, wire(PUBLIC_B))
    assert central["local_rpa"] == peripheral["peer_rpa"]
    assert central["peer_rpa"] == peripheral["local_rpa"]
    assert belongs(central["local_rpa"], IRK_B)
    assert belongs(central["peer_rpa"], IRK_A)


def test_directed_advertising_to_a_private_peer(world):
    """The target on the air is a private address of the peer, who knows it for its own."""
    a, b = world.host("a", public=PUBLIC_A), world.host("b", public=PUBLIC_B)
    a.ok(trust(PUBLIC_B, IRK_B, IRK_A))
    b.ok(trust(PUBLIC_A, IRK_A, IRK_B))
    resolve(a)
    resolve(b)
    a.legacy_set(4, own_type=2, peer=PUBLIC_B + "/P")
    b.scan(own_type=2)
    world.run(S)
    assert {(r.event_type, r.address) for r in b.reports()} == {(0x0015, wire(PUBLIC_A))}
    assert all(belongs(sent.data[8:14], IRK_B) for sent in world.of("a"))


def test_the_private_address_of_a_target_lives_for_the_timeout(world):
    """Vol 6 Part B, 6.2.4: TargetA is renewed with the timer, not with each event."""
    a, b = world.host("a", public=PUBLIC_A), world.host("b", public=PUBLIC_B)
    a.ok(trust(PUBLIC_B, IRK_B, IRK_A))
    a.ok(hci.HCI_LE_Set_Resolvable_Private_Address_Timeout_Command(rpa_timeout=5))
    resolve(a)
    a.legacy_set(4, own_type=2, peer=PUBLIC_B + "/P")
    world.run(19 * S)
    targets = list(dict.fromkeys(sent.data[8:14] for sent in world.of("a")))
    assert 3 <= len(targets) <= 4
    assert all(belongs(target, IRK_B) for target in targets)
    assert b.reports() == []


@pytest.mark.parametrize("known", [False, True])
def test_own_address_type_3_falls_back_to_the_random_address(world, known):
    """Vol 4 Part E, 7.8.5: a private address when the peer is in the resolving list, else the random one."""
    a, b = world.host("a", public=PUBLIC_A), world.host("b")
    a.random_address(RANDOM_A)
    a.ok(trust(PUBLIC_B, IRK_B, IRK_A))
    resolve(a)
    a.legacy_set(0, own_type=3, peer=(PUBLIC_B if known else PUBLIC_A) + "/P")
    b.scan()
    world.run(S)
    [(kind, address)] = {(r.address_type, r.address) for r in b.reports()}
    assert kind == 1
    assert belongs(address, IRK_A) == known
    assert (address == wire(RANDOM_A)) != known


def test_the_resolving_list_cannot_change_while_it_works(world):
    a = world.host("a")
    a.ok(trust(PUBLIC_A, IRK_A, IRK_B))
    resolve(a)
    a.scan()
    assert a.command(trust(PUBLIC_B, IRK_A, IRK_B)) == b"\x0c"
    assert a.command(hci.HCI_LE_Clear_Resolving_List_Command()) == b"\x0c"
    off = hci.HCI_LE_Set_Address_Resolution_Enable_Command(address_resolution_enable=0)
    assert a.command(off) == b"\x0c"


@pytest.mark.parametrize("timeout", [0, 3601])
def test_timeouts_out_of_range_are_refused(world, timeout):
    command = hci.HCI_LE_Set_Resolvable_Private_Address_Timeout_Command(rpa_timeout=timeout)
    assert world.host("a").command(command) == b"\x12"
