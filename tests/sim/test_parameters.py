"""Connection parameters that an accessory asks for: the phone's rules answer, and what they say is in force."""

from __future__ import annotations

import pytest

from tests.sim.worlds import Ran, run, two

ASKING = """
import asyncio
from sim.accessories import Accessory
from sim.device import command
from sim.gatt import Advert

class Dev(Accessory):
    async def start(self):
        await self.ble.advertise(Advert(data=b"\\x02\\x01\\x06"))

    def on_connect(self, peer):
        self.peer = peer

    def tell(self, what):
        now = self.ble.parameters(self.peer)
        self.emit(what, now=None if now is None else [now.interval_ms, now.latency, now.timeout_ms])

    @command
    async def ask(self, low: float, high: float, latency: int = 0, timeout: int = 6000):
        said = await self.ble.request_parameters(self.peer, low, high, latency, timeout)
        self.emit("answered", accepted=said)

    @command
    async def ask_link_layer(self, low: float, high: float, latency: int = 0, timeout: int = 6000):
        connection = self.ble._links[self.peer.handle]
        try:
            await connection.update_parameters(low, high, latency, timeout, use_l2cap=False)
        except Exception as exc:
            self.emit("link_layer_refused", reason=getattr(exc, "error_code", None))

    @command
    async def look(self):
        self.tell("in_force")

ACCESSORY = Dev
"""
MEET = {
    "generic": "connect to='dev'",
    "ios": "app_scan\nwait_discovered what='dev'\nstop_scan\nconnect to='dev'",
}


def asked(tmp_path, steps: str, *, phone: str = "ios", settings: str = "") -> Ran:
    """The accessory does `steps` from 3 s on."""
    own = "".join(f"dev {step}\n" for step in steps.splitlines())
    text = two("dev.py", f"{MEET[phone]}\nwait for='40s'\n{own}", phone=phone, duration="60s")
    text = text.replace('node = "dev"\ndo = "ask', 'node = "dev"\nat = "3s"\ndo = "ask')
    text = text.replace(f'phone = "{phone}"', f'phone = "{phone}"\nset = {{ {settings} }}')
    text = text.replace('do = "look"', 'at = "30s"\ndo = "look"')
    return run(text, tmp_path, dev=ASKING)


def force(ran: Ran) -> list[float]:
    """Interval, latency and timeout at 30 s, as the accessory sees them."""
    (event,) = ran.of("in_force", "dev")
    return event.fields["now"]


@pytest.mark.parametrize("how", ["ask", "ask_link_layer"])
def test_what_keeps_the_rules_is_accepted_and_in_force(tmp_path, how: str) -> None:
    ran = asked(tmp_path, f"{how} low=30.0, high=45.0, latency=4\nlook")
    (accepted,) = ran.of("parameters_accepted", "ph")
    assert accepted.peer == "dev"
    assert 30 <= force(ran)[0] <= 45
    assert force(ran)[1:] == [4, 6000]
    if how == "ask":
        assert [e.fields["accepted"] for e in ran.of("answered")] == [True]


@pytest.mark.parametrize("how", ["ask", "ask_link_layer"])
def test_what_breaks_a_rule_is_refused_and_nothing_changes(tmp_path, how: str) -> None:
    ran = asked(tmp_path, f"{how} low=30.0, high=30.0\nlook")
    assert [e.rule for e in ran.of("parameters_refused", "ph")] == ["IB-20"]
    assert force(ran) == [30, 0, 720]  # IB-25
    if how == "ask":
        assert [e.fields["accepted"] for e in ran.of("answered")] == [False]
    else:
        # Core 5.4 Vol 1 Part F 2.55: Unacceptable Connection Parameters
        assert [e.fields["reason"] for e in ran.of("link_layer_refused")] == [0x3B]


@pytest.mark.parametrize("how", ["ask", "ask_link_layer"])
def test_what_is_overwritten_is_in_force_for_a_while(tmp_path, how: str) -> None:
    rules = 'rules = { "IB-24" = true }'
    ran = asked(tmp_path, f"{how} low=30.0, high=60.0, latency=30\nlook", settings=rules)
    assert [e.rule for e in ran.of("parameters_accepted", "ph")] == ["IB-24"]
    assert force(ran) == [30, 0, 720]
    updates = [
        e.data.hex() for e in ran.of("packet", "ph", "hci") if e.data[:4] == b"\x04\x3e\x0a\x03"
    ]
    # LE Connection Update Complete: status, handle, interval, latency, timeout; 60 ms, 30, 6 s, then 30 ms, 0, 720 ms
    assert [one[14:] for one in updates] == ["30001e005802", "180000004800"]


def test_15_ms_becomes_30_ms_when_the_rule_is_on(tmp_path) -> None:
    wish = "ask low=15.0, high=15.0\nlook"
    assert force(asked(tmp_path, wish))[0] == 15
    assert force(asked(tmp_path, wish, settings='rules = { "IB-22" = true }'))[0] == 30


def test_a_neutral_phone_has_no_opinion(tmp_path) -> None:
    ran = asked(tmp_path, "ask low=7.5, high=7.5, latency=0, timeout=100\nlook", phone="generic")
    assert [e.fields["accepted"] for e in ran.of("answered")] == [True]
    assert force(ran) == [7.5, 0, 100]


def test_a_question_ends_with_its_connection(tmp_path) -> None:
    """The phone is out of reach when the request is sent: nobody ever answers it."""
    text = two(
        "dev.py", "connect to='dev'\nwait for='20s'\ndev ask low=30.0, high=45.0", duration="40s"
    )
    text = text.replace('node = "dev"\ndo = "ask"', 'node = "dev"\nat = "3s"\ndo = "ask"')
    silence = '\n[[fault]]\nname = "supervision_loss"\nnode = "ph"\nfrom = "2500ms"\n'
    ran = run(text + silence, tmp_path, dev=ASKING)
    (answer,) = ran.of("answered", "dev")
    assert answer.fields["accepted"] is False
    assert ran.of("disconnected", "dev", "ble")[0].t_us == answer.t_us
