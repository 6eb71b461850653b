"""bumble devices over our connections: GATT is the same at any loss, and ends well when the peer does not."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from bumble import hci
from bumble.device import Peer
from bumble_pair import ACCESSORY, ECHO, LONG, NOTE, SHOUT, TEXT, World

if TYPE_CHECKING:
    from collections.abc import Iterator

TIMED_OUT, USER, LOCAL, NOT_ESTABLISHED = 0x08, 0x13, 0x16, 0x3E


@pytest.fixture(name="worlds")
def _worlds() -> Iterator[list[World]]:
    made: list[World] = []
    yield made
    for world in made:
        world.close()


def one(peer: Peer, uuid: str) -> Any:
    from bumble.core import UUID

    return peer.get_characteristics_by_uuid(UUID(uuid))[0]


def session(world: World) -> dict[str, Any]:
    """What a phone learns in one session, and what the accessory was written."""
    mine, theirs = world.connect()
    peer = world.peer(mine)
    heard: dict[str, list[bytes]] = {"note": [], "shout": []}

    async def task() -> dict[str, Any]:
        found: dict[str, Any] = {
            "table": [
                (str(service.uuid), str(char.uuid), char.handle, int(char.properties))
                for service in peer.services
                for char in service.characteristics
            ]
        }
        long, note, shout, echo = (one(peer, uuid) for uuid in (LONG, NOTE, SHOUT, ECHO))
        found["short mtu"] = await long.read_value()
        found["mtu"] = await peer.request_mtu(180)
        found["long"] = await long.read_value()
        await note.subscribe(lambda value: heard["note"].append(bytes(value)))
        await shout.subscribe(lambda value: heard["shout"].append(bytes(value)))
        for number in range(25):
            await world.accessory.notify_subscribers(
                world.values["note"], f"note {number}".encode()
            )
            await echo.write_value(f"cmd {number};".encode(), with_response=number % 2 == 0)
        for number in range(5):
            await world.accessory.indicate_subscribers(
                world.values["shout"], f"shout {number}".encode()
            )
        await asyncio.sleep(5)
        found["echo"] = await echo.read_value()
        return found

    found = world.do(task())
    return found | heard | {"written": b"".join(world.written), "peer": str(theirs.peer_address)}


def test_gatt_gives_the_same_results_at_any_loss(worlds: list[World]) -> None:
    results: list[dict[str, Any]] = []
    for loss in (0.0, 0.1, 0.3):
        world = World(loss=loss, seed=3)
        worlds.append(world)
        results.append(session(world))
        assert (world.air.counts["loss"] > 20) == (loss > 0)
    assert results[1] == results[0]
    assert results[2] == results[0]
    assert results[0]["long"] == results[0]["short mtu"] == TEXT
    assert results[0]["note"] == [f"note {n}".encode() for n in range(25)]
    assert results[0]["shout"] == [f"shout {n}".encode() for n in range(5)]
    assert results[0]["written"] == b"".join(f"cmd {n};".encode() for n in range(25))


@pytest.mark.parametrize("octets", [27, 251])
def test_acl_packets_fit_the_buffer_of_the_host(worlds: list[World], octets: int) -> None:
    """The controller says how long its ACL packets are, and keeps to it towards the host."""
    world = World(acl_octets=octets)
    worlds.append(world)
    mine, _ = world.connect()
    peer = world.peer(mine)

    async def task() -> bytes:
        await peer.request_mtu(517)
        value: bytes = await one(peer, LONG).read_value()
        return value

    assert world.do(task()) == TEXT
    sizes = [len(p) - 5 for _, _, _, p in world.hci if p[0] == 2]
    assert max(sizes) <= octets
    assert max(sizes) > octets // 2


def disconnections(world: World, name: str) -> list[int]:
    return [p[6] for _, n, up, p in world.hci if n == name and up and p[:2] == b"\x04\x05"]


def test_supervision_timeout_on_both_sides(worlds: list[World]) -> None:
    world = World()
    worlds.append(world)
    world.connect()
    world.run_s(1)
    world.controllers["accessory"].radio.position = (1e7, 0.0, 0.0)
    world.run_s(60)
    assert disconnections(world, "phone") == disconnections(world, "accessory") == [TIMED_OUT]
    assert not world.phone.connections
    assert not world.accessory.connections


def test_power_off_of_a_peer_ends_a_read_in_flight(worlds: list[World]) -> None:
    world = World()
    worlds.append(world)
    mine, _ = world.connect()
    peer = world.peer(mine)
    world.power_off("accessory")

    async def task() -> None:
        with pytest.raises((asyncio.CancelledError, Exception)):
            await one(peer, LONG).read_value()

    world.do(task())
    world.run_s(1)
    assert disconnections(world, "phone") == [TIMED_OUT]


def test_disconnect_gives_the_reason(worlds: list[World]) -> None:
    world = World()
    worlds.append(world)
    mine, _ = world.connect()
    world.do(mine.disconnect())
    world.run_s(1)
    assert disconnections(world, "phone") == [LOCAL]
    assert disconnections(world, "accessory") == [USER]


def test_phy_update_does_not_hang_the_host(worlds: list[World]) -> None:
    """Command Status, then LE PHY Update Complete; later commands are answered."""
    world = World()
    worlds.append(world)
    mine, theirs = world.connect()

    async def task() -> list[Any]:
        await mine.set_phy([hci.Phy.LE_2M], [hci.Phy.LE_2M])
        await asyncio.sleep(2)
        return [await mine.get_phy(), await theirs.get_phy(), await mine.get_rssi()]

    mine_phy, theirs_phy, rssi_dbm = world.do(task())
    assert mine_phy == theirs_phy
    assert (mine_phy.tx_phy, mine_phy.rx_phy) == (2, 2)
    assert rssi_dbm == world.air.losses.rssi_dbm(
        world.controllers["accessory"].radio, world.controllers["phone"].radio
    )


def test_parameters_are_those_of_the_central_and_can_change_both_ways(worlds: list[World]) -> None:
    world = World()
    worlds.append(world)
    mine, theirs = world.connect()
    assert mine.parameters == theirs.parameters

    async def task() -> None:
        await mine.update_parameters(50, 50, 1, 2000)
        await asyncio.sleep(3)
        assert mine.parameters == theirs.parameters
        assert mine.parameters.connection_interval == 50
        await theirs.update_parameters(100, 100, 0, 3000)
        await asyncio.sleep(3)
        assert mine.parameters == theirs.parameters
        assert mine.parameters.connection_interval == 100

    world.do(task())


@pytest.mark.parametrize("near", [True, False])
def test_a_second_central_is_refused(worlds: list[World], near: bool) -> None:
    """Two answer the same advertisement: the one that is heard gets the peripheral, the other ends in 0x3E or looks on.

    When they are equally strong their CONNECT_INDs collide, and both end in 0x3E: nobody believes it for long.
    """
    for seed in range(4):
        world = World(seed=seed, names=("phone", "accessory", "rival"))
        worlds.append(world)
        world.controllers["rival"].radio.position = (2.0, 0.1 if near else 2.0, 0.0)

        async def task(world: World = world) -> list[Any]:
            calls = [
                asyncio.ensure_future(
                    world.devices[name].connect(hci.Address(ACCESSORY), timeout=8)
                )
                for name in ("phone", "rival")
            ]
            await asyncio.sleep(0.5)
            await world.accessory.start_advertising(auto_restart=False)
            return await asyncio.gather(*calls, return_exceptions=True)

        world.do(task())
        world.run_s(3)
        held = [name for name in ("phone", "rival") if world.devices[name].connections]
        assert len(held) == len(world.accessory.connections) <= 1
        for name in {"phone", "rival"} - set(held):
            assert set(disconnections(world, name)) <= {NOT_ESTABLISHED}
        if not near:
            continue
        assert len(held) == 1
        mine = next(iter(world.devices[held[0]].connections.values()))
        peer = world.peer(mine)

        async def read(peer: Peer = peer) -> bytes:
            value: bytes = await one(peer, LONG).read_value()
            return value

        assert world.do(read()) == TEXT


def test_several_connections_in_both_roles(worlds: list[World]) -> None:
    """The middle device is central of one and peripheral of another; data flows on both for a minute."""
    world = World(names=("phone", "accessory", "watch"))
    worlds.append(world)
    watch = world.devices["watch"]

    async def task() -> list[bytes]:
        await world.accessory.start_advertising(auto_restart=False)
        one_way = await watch.connect(hci.Address(ACCESSORY))
        await watch.start_advertising(auto_restart=False)
        await world.phone.connect(hci.Address(str(watch.random_address)))
        await world.accessory.start_advertising(auto_restart=False)
        other = await world.phone.connect(hci.Address(ACCESSORY))
        values: list[bytes] = []
        for connection in (one_way, other):
            peer = Peer(connection)
            await peer.discover_services()
            await peer.discover_characteristics()
            values += [await one(peer, LONG).read_value() for _ in range(20)]
        await asyncio.sleep(40)
        return values

    assert world.do(task(), limit_s=200) == [TEXT] * 40
    for name in ("phone", "accessory", "watch"):
        assert len(world.devices[name].connections) == 2
        assert disconnections(world, name) == []
