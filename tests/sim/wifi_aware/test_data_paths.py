"""Links of a device's data paths: a further path between the same interfaces, and what keeps a link alive."""

from __future__ import annotations

from pathlib import Path

import pytest

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
