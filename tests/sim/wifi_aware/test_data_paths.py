"""Links of a device's data paths: a further path between the same interfaces, and what keeps a link alive."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from sim.wifi_aware.link import Link, LinkClosedError
from tests.sim.worlds import Ran, world

HERE = Path(__file__).parent
STEPS = (("pair", 'to = "dev"'), ("open", 'to = "dev"'), ("ask", 'to = "dev", text = "one"'))


def scenario(settings: str, again: bool) -> str:
    steps = [*STEPS, ("open", 'to = "dev"')] if again else STEPS
    lines = [f'[[step]]\nnode = "ph"\ndo = "{do}"\nset = {{ {given} }}\n' for do, given in steps]
    if again:
        lines[-1] += 'at = "20s"\n'
    return f"""title = "t"
duration = "60s"
[[node]]
name = "dev"
accessory = "aware_display"
at = [2.0, 0.0]
set = {{ {settings} }}
[[node]]
name = "ph"
accessory = "initiator.py"
{"".join(lines)}"""


@pytest.mark.parametrize("reinitiation", ["beside", "replace"])
def test_a_second_path_between_the_same_interfaces_carries_data(reinitiation):
    made = world(scenario(f'reinitiation = "{reinitiation}"', again=True), HERE)
    phone, device = made.devices["ph"], made.devices["dev"]

    def send() -> None:
        link = phone.aware.paths.with_peer(device.aware.node.nmi)
        socket = link.datagram_socket()
        for _ in range(5):
            socket.send(b"two", 7000)

    made.loop.at_us(24_000_000, send)
    ran = Ran(made)
    assert len([e for e in ran.of("ndp_connected") if e.node == "dev"]) == 2
    (of_device,), (of_phone,) = set(device.aware.paths), set(phone.aware.paths)
    assert of_device.statistics.received >= 6
    assert not of_device.statistics.refused
    assert not of_phone.statistics.refused
    made.close()


def ends_of(garbage: bool) -> list[int]:
    """When the path ended at the accessory, which nobody answers after 12 s."""
    made = world(scenario("keep_alive = false, max_idle = 10", again=False), HERE)
    phone, device = made.devices["ph"], made.devices["dev"]

    def call() -> None:
        for link in device.aware.paths:
            forged = bytes.fromhex("88480000") + bytes.fromhex(
                (link.terms.own_ndi + link.terms.peer_ndi + link.terms.cluster_id).replace(":", "")
            )
            device.aware.paths.receive(forged + bytes(40), made.loop.now_us)
        made.loop.after_us(3_000_000, call)

    made.loop.at_us(12_000_000, lambda: phone.aware.power_off())
    if garbage:
        made.loop.at_us(12_000_000, call)
    ran = Ran(made)
    found = [event.t_us for event in ran.of("ndp_disconnected") if event.node == "dev"]
    made.close()
    return found


def test_frames_that_nobody_could_authenticate_keep_no_path_alive():
    assert ends_of(garbage=True) == ends_of(garbage=False) != []


def idle_world(settings: str, power_off_us: int = 0) -> tuple[Ran, list[str]]:
    """A run of 60 s in which nothing is sent after 5 s; and how what waits on the accessory's link ended."""
    made = world(scenario(f"max_idle = 10, {settings}", again=False), HERE)
    phone, device = made.devices["ph"], made.devices["dev"]
    ends: list[str] = []

    async def wait(link: Link) -> None:
        try:
            await link.datagram_socket(5000).receive()
        except LinkClosedError:
            ends.append(link.closed)

    def listen() -> None:
        waits.extend(asyncio.ensure_future(wait(link)) for link in device.aware.paths)

    waits: list[asyncio.Future[None]] = []
    made.loop.at_us(8_000_000, listen)
    if power_off_us:
        made.loop.at_us(power_off_us, lambda: phone.aware.power_off())
    return Ran(made), ends


def test_null_frames_keep_a_path_up_over_which_nothing_else_goes():
    """Rule IA-61: five times the idle period of the accessory's NDL, of which the phone lets no half pass."""
    ran, ends = idle_world("keep_alive = true")
    assert not ran.of("ndp_disconnected")
    (link,) = ran.world.devices["dev"].aware.paths
    assert link.statistics.received_nulls >= 50 / (10 / 2)
    assert ends == []
    ran.world.close()


def test_a_silent_peer_ends_the_path_and_what_waits_on_it():
    ran, ends = idle_world("keep_alive = true", power_off_us=12_000_000)
    (end,) = (event for event in ran.of("ndp_disconnected") if event.node == "dev")
    assert 20_000_000 <= end.t_us <= 24_000_000
    assert ends == ["idle for too long"]
    ran.world.close()
