"""Every kind of pairing of bumble over our connections, with true ciphertext afterwards, and lost bonds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from bumble import hci
from bumble.core import UUID, ProtocolError
from bumble.pairing import PairingConfig, PairingDelegate
from bumble.smp import OobContext, OobLegacyContext
from bumble_pair import LONG, TEXT, Human, World, configure

if TYPE_CHECKING:
    from collections.abc import Iterator

IO = PairingDelegate.IoCapability
NONE, KEYS, SCREEN, YES_NO, BOTH = (
    IO.NO_OUTPUT_NO_INPUT,
    IO.KEYBOARD_INPUT_ONLY,
    IO.DISPLAY_OUTPUT_ONLY,
    IO.DISPLAY_OUTPUT_AND_YES_NO_INPUT,
    IO.DISPLAY_OUTPUT_AND_KEYBOARD_INPUT,
)
RANDOM = PairingConfig.AddressType.RANDOM


@pytest.fixture(name="world")
def _world() -> Iterator[World]:
    world = World(seed=11)
    yield world
    world.close()


def humans(
    world: World, phone: Any, accessory: Any, *, sc: bool, mitm: bool = True, **screen: int
) -> tuple[Human, Human]:
    shared = dict(screen)
    made = Human(phone, shared), Human(accessory, shared)
    for device, delegate in zip((world.phone, world.accessory), made, strict=True):
        configure(
            device,
            PairingConfig(sc=sc, mitm=mitm, delegate=delegate, identity_address_type=RANDOM),
        )
    return made


def pair(world: World) -> tuple[Any, Any]:
    mine, theirs = world.connect()
    world.do(mine.pair())
    return mine, theirs


def read_long(world: World, connection: Any) -> bytes:
    peer = world.peer(connection)
    value: bytes = world.do(peer.get_characteristics_by_uuid(UUID(LONG))[0].read_value())
    return value


def carries_only_ciphertext(world: World, connection: Any) -> bool:
    """Whether a read goes over the air without its value being readable there."""
    seen: list[bytes] = []
    stop = world.air.observe(lambda sent, _: seen.append(sent.data))
    assert read_long(world, connection) == TEXT
    stop()
    return len(seen) > 20 and not any(TEXT[40:52] in data for data in seen)


@pytest.mark.parametrize("sc", [True, False])
def test_just_works(world: World, sc: bool) -> None:
    humans(world, NONE, NONE, sc=sc, mitm=False)
    mine, theirs = pair(world)
    assert mine.is_encrypted
    assert theirs.is_encrypted
    assert carries_only_ciphertext(world, mine)


@pytest.mark.parametrize("sc", [True, False])
@pytest.mark.parametrize(("phone", "accessory"), [(KEYS, SCREEN), (SCREEN, KEYS), (BOTH, KEYS)])
def test_passkey(world: World, sc: bool, phone: Any, accessory: Any) -> None:
    humans(world, phone, accessory, sc=sc)
    mine, theirs = pair(world)
    assert mine.is_encrypted
    assert theirs.is_encrypted
    assert carries_only_ciphertext(world, mine)


@pytest.mark.parametrize("sc", [True, False])
def test_passkey_typed_on_both_sides(world: World, sc: bool) -> None:
    humans(world, KEYS, KEYS, sc=sc, agreed=123456)
    mine, theirs = pair(world)
    assert mine.is_encrypted
    assert theirs.is_encrypted


def test_numeric_comparison(world: World) -> None:
    one, other = humans(world, YES_NO, YES_NO, sc=True)
    mine, _ = pair(world)
    assert mine.is_encrypted
    assert one.compared == other.compared
    assert len(one.compared) == 1


@pytest.mark.parametrize("sc", [True, False])
def test_oob(world: World, sc: bool) -> None:
    contexts = OobContext(), OobContext()
    legacy = OobLegacyContext()
    for device, own, peer in (
        (world.phone, contexts[0], contexts[1]),
        (world.accessory, contexts[1], contexts[0]),
    ):
        oob = PairingConfig.OobConfig(own if sc else None, peer.share() if sc else None, legacy)
        configure(device, PairingConfig(sc=sc, mitm=True, oob=oob, identity_address_type=RANDOM))
    mine, theirs = pair(world)
    assert mine.is_encrypted
    assert theirs.is_encrypted


@pytest.mark.parametrize("loss", [0.1, 0.3])
def test_passkey_under_loss(loss: float) -> None:
    world = World(seed=2, loss=loss)
    humans(world, KEYS, SCREEN, sc=True)
    mine, theirs = pair(world)
    assert mine.is_encrypted
    assert theirs.is_encrypted
    world.close()


@pytest.mark.parametrize("sc", [True, False])
def test_wrong_passkey_fails_and_the_link_stays(world: World, sc: bool) -> None:
    humans(world, KEYS, SCREEN, sc=sc, slip=1)
    mine, _ = world.connect()
    with pytest.raises(ProtocolError):
        world.do(mine.pair())
    assert not mine.is_encrypted
    assert read_long(world, mine) == TEXT
    assert world.accessory.connections


def test_rejected_comparison_fails(world: World) -> None:
    humans(world, YES_NO, YES_NO, sc=True, refuse=1)
    mine, _ = world.connect()
    with pytest.raises(ProtocolError):
        world.do(mine.pair())
    assert not mine.is_encrypted


def bonded_again(world: World) -> tuple[Any, Any]:
    """Paired, disconnected, connected anew."""
    humans(world, KEYS, SCREEN, sc=True)
    mine, _ = pair(world)
    world.run_s(1)
    world.do(mine.disconnect())
    world.run_s(1)
    return world.connect()


def test_a_bond_encrypts_the_next_connection(world: World) -> None:
    mine, _ = bonded_again(world)
    assert not mine.is_encrypted
    world.do(mine.encrypt())
    assert mine.is_encrypted
    assert carries_only_ciphertext(world, mine)


def test_encrypting_twice_refreshes_the_key(world: World) -> None:
    mine, _ = bonded_again(world)
    world.do(mine.encrypt())
    refreshed: list[int] = []
    mine.on("connection_encryption_key_refresh", lambda: refreshed.append(1))
    with pytest.raises(
        TimeoutError
    ):  # bumble's encrypt() waits for the event of a first encryption only
        world.do(mine.encrypt(), limit_s=2)
    assert refreshed == [1]
    assert carries_only_ciphertext(world, mine)


def test_a_bond_that_the_accessory_lost_is_0x06_and_still_connected(world: World) -> None:
    mine, _ = bonded_again(world)
    assert world.accessory.keystore is not None
    world.do(world.accessory.keystore.delete_all())
    with pytest.raises(hci.HCI_Error) as caught:
        world.do(mine.encrypt())
    assert caught.value.error_code == 0x06
    assert read_long(world, mine) == TEXT


def test_a_wrong_key_is_a_mic_failure(world: World) -> None:
    mine, _ = bonded_again(world)

    async def wrong(*_: Any) -> bytes:
        return bytes(16)

    world.accessory.host.long_term_key_provider = wrong

    async def task() -> None:
        with pytest.raises((asyncio.CancelledError, Exception)):
            await mine.encrypt()

    world.do(task())
    world.run_s(30)
    reasons = {
        name: [p[6] for _, n, up, p in world.hci if n == name and up and p[:2] == b"\x04\x05"][-1]
        for name in ("phone", "accessory")
    }
    assert reasons == {"accessory": 0x3D, "phone": 0x08}
