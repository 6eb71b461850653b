"""Links are as secure as values ask, and SMP that is broken, late or hostile does no harm."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from protocols.data.smp_names import LENGTHS
from sim.redaction import HIDDEN, Secret, hides, redacted
from tests.sim.worlds import Ran, run, two

if TYPE_CHECKING:
    from pathlib import Path

CONTROL = "6b0a0002-53c1-4a0d-9d0e-6f1a3c5b7d90"
STATE = "6b0a0003-53c1-4a0d-9d0e-6f1a3c5b7d90"
VOLUME = "6b0a0032-53c1-4a0d-9d0e-6f1a3c5b7d90"

# a phone that can send any SMP command and read by type
RAW = """
from bumble.core import UUID

from sim.device import command
from sim.phones.generic import Generic


class Raw(Generic):
    @command
    async def smp(self, hex: str) -> None:
        "Send these octets on the SMP channel."
        for one in hex.split():
            self._connection("").link._connection.send_l2cap_pdu(6, bytes.fromhex(one))

    @command
    async def by_type(self, uuid: str) -> None:
        "Read by type."
        link = self._connection("").link
        request = link._client.read_characteristics_by_uuid(UUID(uuid), None)
        values = await self._asked("reading by type", self._connection(""), link._await(request))
        self.emit("by_type" if values else "refused", values=[bytes(one).hex() for one in values])


PHONE = Raw
"""


def scenario(
    steps: str, phone: str = "", lock: str = "", accessory: str = "lock", duration: str = "120s"
) -> str:
    text = two(
        accessory, f"{steps}\nwait for='1s'", settings=lock, duration=duration, phone="raw.py"
    )
    return text.replace('phone = "raw.py"', f'phone = "raw.py"\nset = {{ {phone} }}')


@pytest.fixture(name="go")
def _go(tmp_path: Path):
    def go(*args: str, **kwargs: str) -> Ran:
        return run(scenario(*args, **kwargs), tmp_path, raw=RAW)

    return go


def codes(ran: Ran) -> list[int]:
    """ATT error codes that the accessory sent."""
    return [e.fields["code"] for e in ran.of("att_error", "dev")]


WRITE, READ = f"write uuid='{CONTROL}', hex='01'", f"read uuid='{STATE}'"
SUBSCRIBE, BY_TYPE = f"subscribe uuid='{STATE}'", f"by_type uuid='{STATE}'"
LONG = f"write uuid='{CONTROL}', hex='{'00' * 600}'"


@pytest.mark.parametrize("request_", [WRITE, READ, SUBSCRIBE, BY_TYPE, LONG])
def test_authenticated_values_refuse_a_link_in_the_clear_and_one_of_just_works(
    go, request_: str
) -> None:
    steps = f"connect to='dev'\ndiscover\n{request_}?\npair\n{request_}?"
    ran = go(steps, "io = 'none'", "mitm = 'no'")
    assert [e.fields["authenticated"] for e in ran.of("encrypted")] == [False, False]
    if request_ != BY_TYPE:  # its error is how discovery ends too, so it is not in the trace
        assert codes(ran) == [0x05, 0x05]
    assert len(ran.of("refused", "ph")) == 2
    assert not ran.of("unlocked")


@pytest.mark.parametrize("request_", [WRITE, READ, SUBSCRIBE, BY_TYPE])
def test_authenticated_values_take_a_link_paired_by_pin(go, request_: str) -> None:
    ran = go(f"connect to='dev'\npair\n{request_}")
    assert [e.fields["authenticated"] for e in ran.of("encrypted")] == [True, True]
    assert codes(ran) == []
    assert not ran.of("refused")


def test_encrypted_values_take_just_works(go) -> None:
    ran = go(
        f"connect to='dev'\nread uuid='{VOLUME}'?\npair\nread uuid='{VOLUME}'", accessory="headset"
    )
    assert codes(ran) == [0x05]
    assert len(ran.of("read", "ph")) == 1


def test_a_bonded_client_in_the_clear_is_told_to_encrypt(go) -> None:
    steps = f"connect to='dev'\npair\ndisconnect\nwait for='1s'\nconnect to='dev'\n{READ}?\nencrypt\n{READ}"
    ran = go(steps)
    assert codes(ran) == [0x0F]
    assert len(ran.of("read", "ph")) == 1


def test_a_just_works_bond_stays_just_works_after_a_reconnection(go) -> None:
    steps = f"connect to='dev'\npair\ndisconnect\nwait for='1s'\nconnect to='dev'\nencrypt\n{READ}?"
    ran = go(steps, "io = 'none'", "mitm = 'no'")
    assert codes(ran) == [0x05]


@pytest.mark.parametrize(("allowed", "expected"), [("True", []), ("False", [0x08])])
def test_authorization_is_a_question_to_the_device(
    tmp_path: Path, allowed: str, expected: list[int]
) -> None:
    mine = f"""
from sim.accessories import Accessory
from sim.gatt import Advert, Characteristic, Service

class Vault(Accessory):
    def services(self):
        one = Characteristic(uuid="abcd", properties=("read",), value=b"x", read_security="authorized")
        return (Service(uuid="abcc", characteristics=(one,)),)

    def authorize(self, peer, characteristic, kind):
        self.emit("asked", peer=peer.name, what=[characteristic, kind, peer.encrypted])
        return {allowed}

    async def start(self):
        await self.ble.advertise(Advert(data=b"\\x02\\x01\\x06"))

ACCESSORY = Vault
"""
    steps = "connect to='dev'\nread uuid='abcd'?\npair\nread uuid='abcd'?"
    ran = run(scenario(steps, accessory="mine.py"), tmp_path, mine=mine, raw=RAW)
    assert codes(ran) == [0x05, *expected]  # in the clear nobody is asked
    assert ran.of("asked")[0].fields["what"] == ["abcd", "read", True]


@pytest.mark.parametrize(("phone", "lock"), [("bonding = false", ""), ("", "bonding = false")])
def test_without_bonding_on_either_side_nothing_is_stored(go, phone: str, lock: str) -> None:
    steps = f"connect to='dev'\npair\n{READ}\ndisconnect\nwait for='1s'\nconnect to='dev'\nencrypt?"
    ran = go(steps, phone, lock)
    assert len(ran.of("read", "ph")) == 1  # the link itself is as good as any
    assert {e.fields["bonded"] for e in ran.of("paired")} == {False}
    assert not ran.of("bond_stored")
    assert "no bond with dev" in ran.of("step_failed")[0].note
    assert ran.world.devices["dev"].ble.bonded_with() == []


def test_encrypting_again_refreshes_the_key(go) -> None:
    ran = go("connect to='dev'\npair\nencrypt\n" + READ)
    assert len(ran.of("encrypted")) == 4
    assert ran.result.failures == ()


# Security Request


def test_security_request_is_met_by_pairing_then_by_the_bond(go) -> None:
    steps = "connect to='dev'\nwait_for what='paired'\ndisconnect\nwait for='1s'\nconnect to='dev'\nwait for='1s'"
    ran = go(steps, lock="asks_first = true")
    assert len(ran.of("security_request", "dev")) == 2
    assert len(ran.of("pairing_request", "ph")) == 1
    assert len(ran.of("encrypted", "dev")) == 2
    assert not ran.of("not_paired")


def test_ignored_security_request_times_out_after_30_s(go) -> None:
    ran = go(
        "connect to='dev'\nwait for='31s'\npair?", "when_asked = 'ignore'", "asks_first = true"
    )
    sent = ran.of("security_request", "dev")[0].t_us
    (told,) = ran.of("not_paired", "dev")
    assert (told.t_us - sent, told.fields["step"]) == (30_000_000, "security request")
    assert not ran.of("pairing_request")
    assert "timed out" in ran.of("step_failed")[0].note


# Broken and hostile SMP


@pytest.mark.parametrize(
    ("pdu", "reason"),
    [
        ("0f00", 0x07),  # no such command
        ("01", 0x0A),  # too short
        ("010400091003030000", 0x0A),  # too long
        ("0d" + "00" * 16, 0x08),  # a check of nothing
        ("01ff000d100303", 0x0A),  # IO capability out of range
        ("0104000d060303", 0x06),  # keys of 6 octets
    ],
)
def test_broken_commands_are_refused_and_pairing_works_afterwards(
    go, pdu: str, reason: int
) -> None:
    ran = go(f"connect to='dev'\nsmp hex='{pdu}'\nwait for='1s'\npair")
    assert [e.fields["reason"] for e in ran.of("pairing_failed", "dev")] == [reason]
    assert {e.node for e in ran.of("paired")} == {"ph", "dev"}


@pytest.mark.parametrize(
    ("key", "words"),
    [("reflected", "our own public key"), ("off the curve", "no point of the curve")],
)
def test_public_keys_are_checked(tmp_path: Path, key: str, words: str) -> None:
    bend = """
        def bent(connection_handle, pdu):
            if pdu[0] == 0x0C and KIND == "reflected":
                pdu = b"\\x0c" + device.smp_manager.sessions[connection_handle].ecc_key.x[::-1] + pdu[33:]
            elif pdu[0] == 0x0C:
                pdu = pdu[:1] + bytes([pdu[1] ^ 1]) + pdu[2:]
            heard(connection_handle, pdu)
"""
    mine = f"""
from sim.accessories.lock import Lock

KIND = "{key}"

class Bent(Lock):
    def on_connect(self, peer):
        device = self.ble._stack.device
        heard = type(device).on_smp_pdu.__get__(device)
{bend}
        device.l2cap_channel_manager.register_fixed_channel(6, bent)

ACCESSORY = Bent
"""
    ran = run(
        scenario("connect to='dev'\npair?", accessory="mine.py"), tmp_path, mine=mine, raw=RAW
    )
    (told,) = ran.of("not_paired", "dev")
    assert (told.fields["reason"], told.fields["step"]) == (0x0A, "public keys")
    assert words in told.note


def test_a_command_out_of_order_ends_the_pairing(go) -> None:
    check = "0d" + "11" * 16
    ran = go(
        f"connect to='dev'\npair wait=false\nwait for='500ms'\nsmp hex='{check}'\nwait for='1s'\npair"
    )
    (told,) = ran.of("not_paired", "dev")
    assert (told.fields["side"], told.fields["reason"]) == ("here", 0x08)
    assert {e.node for e in ran.of("paired")} == {"ph", "dev"}


@pytest.mark.parametrize("seed", range(4))
def test_random_smp_never_breaks_a_run(go, seed: int) -> None:
    chance = random.Random(seed)
    pdus: list[str] = []
    for _ in range(60):
        code = chance.choice([*LENGTHS, 0, 0x0F, 0xFF])
        right = LENGTHS.get(code, 3)
        size = right if chance.random() < 0.8 else chance.randrange(1, 70)
        pdus.append(bytes([code, *chance.randbytes(size - 1)]).hex())
    steps = f"connect to='dev'\nsmp hex='{' '.join(pdus)}'\nwait for='2s'\ndisconnect\nwait for='1s'\nconnect to='dev'\npair"
    ran = go(steps, lock="wrong_pins_allowed = 0")
    assert {e.node for e in ran.of("paired")} == {"ph", "dev"}


# What files do not show


def test_redaction_zeroes_keys_and_nothing_else() -> None:
    key = bytes(range(1, 17))
    # Vol 4 Part E 7.8.24: handle 0x0040, Rand, EDIV, LTK
    enable = bytes.fromhex("0119201c4000") + b"r" * 8 + b"ed" + key
    assert redacted(enable) == enable[:16] + bytes(16)
    # 7.8.25: handle, LTK
    reply = bytes.fromhex("011a20124000") + key
    assert redacted(reply) == reply[:6] + bytes(16)
    # 7.8.38: type, address, the peer's IRK, our own
    listed = bytes.fromhex("01272027") + b"\x01ABCDEF" + key + key
    assert redacted(listed) == listed[:11] + bytes(32)
    # ACL, L2CAP channel 6: Encryption, Identity and Signing Information, but not the identity address
    for code, hidden in ((6, True), (8, True), (10, True), (9, False), (3, False)):
        pdu = bytes([code]) + key
        acl = b"\x02\x40\x20\x15\x00\x11\x00\x06\x00" + pdu
        assert hides(acl) is hidden
        assert redacted(acl) == (acl[:10] + bytes(16) if hidden else acl)
    other = bytes.fromhex("01031000")
    assert redacted(other) is other
    assert redacted(enable[:20]) == enable[:16] + bytes(4)  # cut short: no longer than it was


def test_secrets_are_dots_and_equal_to_themselves() -> None:
    assert f"{Secret('123456')}" == HIDDEN
    assert Secret("123456") == "123456"
    assert Secret("123456") != "123457"


def test_hci_captures_hold_zeros_for_keys_and_say_so(tmp_path: Path) -> None:
    from protocols.capture import open_reader
    from sim import scenario as scenarios
    from sim.recording import Recorder
    from sim.world import World

    text = two("lock", "connect to='dev'\npair")
    found: dict[bool, list[tuple[bytes, str]]] = {}
    for reveal in (False, True):
        made = World(scenarios.parse(text, file="t.toml"), reveal=reveal)
        recorder = Recorder(made)
        recorder.capture(f"ph:{tmp_path / 'x.pcapng'}")
        recorder.capture(f"ph:{tmp_path / 'x.btsnoop'}")
        made.run()
        recorder.close()
        made.close()
        for name in ("x.pcapng", "x.btsnoop"):
            with (tmp_path / name).open("rb") as file:
                packets = [(p.data, p.comment) for p in open_reader(file, name)]
            keys = [(data, comment) for data, comment in packets if data[:3] == b"\x01\x19\x20"]
            assert len(keys) == 1
            assert any(keys[0][0][16:32]) is reveal
            if name == "x.pcapng":
                found[reveal] = keys
    assert "zeros" in found[False][0][1]
    assert found[True][0][1] == ""
