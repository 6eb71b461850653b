"""The accessory's GATT server: properties, security, callbacks that refuse, long values, subscriptions."""

from __future__ import annotations

from typing import Any

import pytest

from tests.sim.worlds import PUSHER, accessory, run, table, two

# GATT server


def refused(tmp_path, characteristic: str, step: str) -> list[int]:
    """ATT error codes a phone gets for `step`."""
    ran = run(
        two("dev.py", f"connect to='dev'\n{step}?"), tmp_path, dev=accessory(table(characteristic))
    )
    on_air = [e.fields["code"] for e in ran.of("att_error", "dev")]
    assert [e.fields["code"] for e in ran.of("refused", "ph")] == on_air
    return on_air


@pytest.mark.parametrize(
    ("characteristic", "step", "code"),
    [
        ('C(uuid="fff1", properties=("write",))', "read uuid='fff1'", 0x02),
        ('C(uuid="fff1", properties=("notify",))', "read uuid='fff1'", 0x02),
        ('C(uuid="fff1", properties=("read",))', "write uuid='fff1', hex='00'", 0x03),
        (
            'C(uuid="fff1", properties=("write_without_response",))',
            "write uuid='fff1', hex='00'",
            0x03,
        ),
        (
            'C(uuid="fff1", properties=("read",), read_security="encrypted")',
            "read uuid='fff1'",
            0x05,  # Vol 3 Part C 10.3.1: 0x0F is for a client that has a bond
        ),
        (
            'C(uuid="fff1", properties=("write",), write_security="encrypted")',
            "write uuid='fff1', hex='00'",
            0x05,
        ),
    ],
)
def test_properties_and_security_are_enforced(tmp_path, characteristic, step, code) -> None:
    assert refused(tmp_path, characteristic, step) == [code]


def test_what_is_allowed_is_not_refused(tmp_path) -> None:
    every = 'C(uuid="fff1", properties=("read", "write", "write_without_response"), value=b"a")'
    steps = "connect to='dev'\nread uuid='fff1'\nwrite uuid='fff1', hex='62'\nread uuid='fff1'\n"
    steps += "write uuid='fff1', hex='63', response=false\nwait for='200ms'\nread uuid='fff1'"
    ran = run(two("dev.py", steps), tmp_path, dev=accessory(table(every)))
    assert not ran.result.failures
    assert [e.fields["value_hex"] for e in ran.of("read", "ph")] == ["61", "62", "63"]


def test_write_without_response_that_is_not_allowed_is_ignored(tmp_path) -> None:
    plain = 'C(uuid="fff1", properties=("read", "write"), value=b"a")'
    steps = "connect to='dev'\nwrite uuid='fff1', hex='63', response=false\nwait for='200ms'\nread uuid='fff1'"
    ran = run(two("dev.py", steps), tmp_path, dev=accessory(table(plain)))
    assert [e.fields["value_hex"] for e in ran.of("read", "ph")] == ["61"]
    assert not ran.of("att_error")


def test_callbacks_get_the_peer_and_refuse_with_their_own_code(tmp_path) -> None:
    source = accessory(
        """
def services(self):
    return (Service(uuid="fff0", characteristics=(
        C(uuid="fff1", properties=("read", "write"), read=self.got_read, write=self.got_write),)),)
def got_read(self, peer):
    return peer.name.encode()
def got_write(self, peer, value):
    if value != b"ok":
        raise AttError(0x80)
    self.log(f"{peer.name} {value!r}")
async def start(self):
    await self.ble.advertise(Advert())
"""
    )
    steps = "connect to='dev'\nread uuid='fff1'\nwrite uuid='fff1', hex='6f6b'\nwrite uuid='fff1', hex='00'?"
    ran = run(two("dev.py", steps), tmp_path, dev=source)
    assert [e.fields["value_hex"] for e in ran.of("read", "ph")] == [b"ph".hex()]
    assert [e.note for e in ran.of("log")] == ["ph b'ok'"]
    assert [e.fields["code"] for e in ran.of("refused")] == [0x80]


def test_long_values_are_read_and_written_in_parts(tmp_path) -> None:
    source = accessory(
        table('C(uuid="fff1", properties=("read", "write"), value=bytes(range(256)) * 2)')
    )
    long = bytes(range(255, -1, -1)) * 2
    steps = f"connect to='dev'\nread uuid='fff1'\nwrite uuid='fff1', hex='{long.hex()}'\nread uuid='fff1'"
    ran = run(two("dev.py", steps), tmp_path, dev=source)
    assert [e.fields["value_hex"] for e in ran.of("read", "ph")] == [
        (bytes(range(256)) * 2).hex(),
        long.hex(),
    ]


def test_descriptors_are_served(tmp_path) -> None:
    one = 'C(uuid="fff1", properties=("notify",), descriptors=(Descriptor(uuid="2901", value=b"words"),))'
    ran = run(
        two("dev.py", "connect to='dev'\nsubscribe uuid='fff1'"),
        tmp_path,
        dev=accessory(table(one)),
    )
    assert not ran.result.failures
    device: Any = ran.world.devices["dev"]
    assert "2901" in device.ble._stack.trace.local.values()


# Subscriptions


def pushed(tmp_path, steps: str):
    """The run of `steps` against the accessory above."""
    return run(two("dev.py", steps), tmp_path, dev=accessory(PUSHER))


@pytest.mark.parametrize(
    ("mode", "how", "reached", "events"),
    [
        ("notify", "notify", 1, ["notification"]),
        ("notify", "indicate", 0, []),
        ("indicate", "indicate", 1, ["indication"]),
        ("indicate", "notify", 0, []),
    ],
)
def test_only_who_subscribed_that_way_gets_it(tmp_path, mode, how, reached, events) -> None:
    steps = f"connect to='dev'\nsubscribe uuid='fff1', mode='{mode}'\nwait for='2s'"
    text = (
        two("dev.py", steps)
        + f'\n[[step]]\nnode = "dev"\ndo = "push"\nat = "1500ms"\nset = {{ how = "{how}" }}\n'
    )
    ran = run(text, tmp_path, dev=accessory(PUSHER))
    assert [e.fields for e in ran.of("subscription")] == [{"characteristic": "fff1", "mode": mode}]
    assert [e.fields["reached"] for e in ran.of("pushed")] == [reached]
    values = [e for e in ran.of("notification") + ran.of("indication") if e.layer == "phone"]
    assert [e.event for e in values] == events
    assert all(e.fields["value_hex"] == "0102" for e in values)


def test_unsubscribing_ends_it(tmp_path) -> None:
    text = two(
        "dev.py", "connect to='dev'\nsubscribe uuid='fff1'\nunsubscribe uuid='fff1'\nwait for='2s'"
    )
    text += '\n[[step]]\nnode = "dev"\ndo = "push"\nat = "1500ms"\nset = { how = "notify" }\n'
    ran = run(text, tmp_path, dev=accessory(PUSHER))
    assert [e.fields["mode"] for e in ran.of("subscription")] == ["notify", "off"]
    assert [e.fields["reached"] for e in ran.of("pushed")] == [0]


def test_cccd_accepts_only_what_the_properties_offer(tmp_path) -> None:
    ran = pushed(tmp_path, "connect to='dev'\nsubscribe uuid='fff2', mode='indicate'?")
    assert [e.fields["code"] for e in ran.of("refused")] == [0x13]
    assert not ran.of("subscription")


def test_unknown_characteristic_is_named_with_the_near_misses(tmp_path) -> None:
    ran = pushed(tmp_path, "wait for='1s'\ndev push how='notify', to='fff3'")
    (failure,) = ran.result.failures
    assert "unknown characteristic of dev 'fff3'" in failure
    assert "fff1" in failure or "fff2" in failure


def test_indication_to_a_peer_that_goes_away_does_not_wait_for_ever(tmp_path) -> None:
    text = two(
        "dev.py",
        "connect to='dev'\nsubscribe uuid='fff1', mode='indicate'\nvanish",
        phone="gone.py",
    )
    text += '\n[[step]]\nnode = "dev"\ndo = "push"\nat = "2s"\nset = { how = "indicate" }\n'
    gone = """
from sim.device import command
from sim.phones.generic import Generic
class Gone(Generic):
    @command
    async def vanish(self):
        self.ble._stack.power_off()
PHONE = Gone
"""
    ran = run(text, tmp_path, dev=accessory(PUSHER), gone=gone)
    (after,) = ran.of("pushed")
    assert after.fields["reached"] == 0
    (down,) = ran.of("disconnected", "dev")
    assert down.fields["reason"] == 0x08
    assert after.t_us - down.t_us < 1000
