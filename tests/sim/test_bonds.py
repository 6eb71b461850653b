"""Bonds: kept over restarts in a file of its owner, found again across private addresses, lost, replaced, trapped."""

from __future__ import annotations

import json
import stat
from typing import TYPE_CHECKING

import pytest

from protocols.errors import UsageError
from tests.sim.worlds import Ran, run, two

if TYPE_CHECKING:
    from pathlib import Path

STATE = "6b0a0003-53c1-4a0d-9d0e-6f1a3c5b7d90"
VOLUME = "6b0a0032-53c1-4a0d-9d0e-6f1a3c5b7d90"
READING = "6b0a0052-53c1-4a0d-9d0e-6f1a3c5b7d90"
CALIBRATION = "6b0a0053-53c1-4a0d-9d0e-6f1a3c5b7d90"
PAIR = "connect to='dev'\npair\ndisconnect\nwait for='1s'\n"
AGAIN = f"connect to='dev'\nencrypt\nread uuid='{STATE}'"


def scenario(
    steps: str,
    phone: str = "",
    lock: str = "",
    *,
    accessory: str = "lock",
    seed: int = 1,
    duration: str = "600s",
) -> str:
    text = two(accessory, f"{steps}\nwait for='1s'", settings=lock, duration=duration)
    text = text.replace('phone = "generic"', f'phone = "generic"\nset = {{ {phone} }}')
    return text.replace('title = "t"', f'title = "t"\nseed = {seed}')


def ok(ran: Ran) -> None:
    assert ran.result.failures == ()
    assert ran.of("read", "ph")
    assert len(ran.of("pairing_request")) <= 1


# In a file


FOLDER = "bond_folder = 'keys'"


@pytest.mark.parametrize("sc", ["wanted", "no"])
def test_bonds_in_files_survive_a_restart_with_other_chance(tmp_path: Path, sc: str) -> None:
    phone = f"{FOLDER}, secure_connections = '{sc}'"
    first = run(scenario(PAIR, phone, FOLDER), tmp_path)
    assert first.result.failures == ()
    again = run(scenario(AGAIN, phone, FOLDER, seed=99), tmp_path)
    ok(again)
    assert not again.of("pairing_request")
    # the address and the IRK that the bond is about were kept with it
    assert (
        again.of("connected", "ph", "phone")[0].fields
        == first.of("connected", "ph", "phone")[0].fields
    )


def test_bond_files_are_for_their_owner_alone(tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "ph.json.new").write_text("left over, readable by all")
    (tmp_path / "keys" / "ph.json.new").chmod(0o666)
    run(scenario(PAIR, FOLDER, FOLDER), tmp_path)
    files = sorted((tmp_path / "keys").iterdir())
    assert [file.name for file in files] == ["dev.json", "ph.json"]
    for file in files:
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        (keys,) = json.loads(file.read_text())["bonds"].values()
        assert len(keys["ltk"]["value"]) == 32
        assert keys["ltk"]["authenticated"] is True


@pytest.mark.parametrize(
    "text", ["", "[]", '{"identity": {}, "bonds": {"x": 3}, "subscriptions": {}}', "\xff"]
)
def test_a_file_that_holds_no_bonds_says_so(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "dev.json").write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match=r"keys/dev\.json: is no file of bonds .* delete it"):
        run(scenario(PAIR, "", FOLDER), tmp_path)


def test_a_folder_that_cannot_be_written_ends_the_run_with_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file where the folder should be")
    with pytest.raises(UsageError, match=r"bonds .*keys"):
        run(scenario(PAIR, "", FOLDER), tmp_path)


def test_in_memory_a_bond_survives_a_reboot(tmp_path: Path) -> None:
    text = (
        scenario(PAIR + "wait for='20s'\n" + AGAIN)
        + '\n[[step]]\nnode = "dev"\ndo = "reboot"\nat = "10s"\n'
    )
    ok(run(text))


def test_legacy_bonds_encrypt_with_the_key_of_the_accessory() -> None:
    ok(run(scenario(PAIR + AGAIN, "secure_connections = 'no'")))


# Addresses


ROTATING = "private_address = true, private_address_time = '60s'"


@pytest.mark.parametrize(("phone", "lock"), [(ROTATING, ""), ("", ROTATING), (ROTATING, ROTATING)])
def test_bonds_are_found_behind_new_private_addresses(phone: str, lock: str) -> None:
    ran = run(scenario(PAIR + "wait for='130s'\n" + AGAIN, phone, lock))
    ok(ran)
    connected = {e.fields["address"] for e in ran.of("connected", "ph", "phone")}
    rotated = {e.node for e in ran.of("new_address")}
    assert len(connected) == (2 if lock else 1)
    assert rotated == {node for node, text in (("ph", phone), ("dev", lock)) if text}
    stored = {e.node: e.fields["identity"] for e in ran.of("bond_stored")}
    assert all(identity[0] in "CDEF" for identity in stored.values())  # static, not private


def test_the_controller_has_the_address_that_the_host_believes_in() -> None:
    ran = run(scenario("wait for='70s'\nscan for='1s'\nconnect to='dev'", lock=ROTATING))
    (new,) = ran.of("new_address", "dev")
    heard = {e.fields["address"] for e in ran.of("heard", "ph") if e.t_us > new.t_us}
    assert heard == {new.fields["address"]}


def test_the_identity_trap() -> None:
    trapped = run(
        scenario(PAIR + AGAIN.replace("encrypt", "encrypt?", 1) + "?", lock="identity = 'public'")
    )
    assert "no bond with dev" in trapped.of("step_failed")[0].note
    (stored,) = trapped.of("bond_stored", "ph")
    assert stored.fields["identity"].endswith("/P")
    ok(run(scenario(PAIR + AGAIN, lock="identity = 'own'")))


def test_an_identity_of_zeros_is_ignored_or_refused() -> None:
    ignored = run(scenario(PAIR + AGAIN, lock="identity = 'zero'"))
    ok(ignored)
    assert ignored.of("identity_ignored", "ph")
    steps = "connect to='dev'\npair?"
    refused = run(scenario(steps, "bad_identity = 'refuse'", "identity = 'zero'"))
    (told,) = refused.of("not_paired", "ph")
    assert (told.fields["side"], told.fields["step"], told.fields["reason"]) == (
        "here",
        "key distribution",
        0x0A,
    )
    assert not refused.of("bond_stored", "ph")


# Lost and replaced


def test_bond_lost_by_the_accessory() -> None:
    steps = PAIR + "wait for='20s'\nconnect to='dev'\nencrypt?\nforget peer='dev'\npair"
    text = scenario(steps) + '\n[[step]]\nnode = "dev"\ndo = "factory_reset"\nat = "10s"\n'
    ran = run(text)
    assert ran.result.failures == ()
    (failed,) = ran.of("encryption_failed", "ph")
    assert failed.fields["reason"] == 0x06
    assert ran.of("bond_missing", "dev")
    assert "has lost the bond" in ran.of("step_failed", "ph")[0].note
    assert [e.node for e in ran.of("bond_removed")] == ["dev", "ph"]
    assert len(ran.of("paired", "ph")) == 2
    assert not ran.of("disconnected", "ph", "phone")[1:]  # the link stood all the time


def test_a_phone_that_repairs_by_itself() -> None:
    steps = PAIR + "wait for='20s'\n" + AGAIN
    text = scenario(steps, "when_bond_lost = 'repair'")
    ran = run(text + '\n[[step]]\nnode = "dev"\ndo = "forget"\nat = "10s"\n')
    assert ran.result.failures == ()
    assert len(ran.of("paired", "ph")) == 2


def test_bond_lost_by_the_phone_is_replaced_on_the_accessory() -> None:
    ran = run(scenario(PAIR + f"forget\nconnect to='dev'\npair\nread uuid='{STATE}'"))
    assert ran.result.failures == ()
    assert ran.of("bond_replaced", "dev")
    assert len(ran.world.devices["dev"].ble.bonded_with()) == 1


def test_a_headset_keeps_two_phones() -> None:
    nodes = "".join(
        f'\n[[node]]\nname = "p{n}"\nphone = "generic"\nat = [0.0, {n}.0]\n'
        f'[[step]]\nnode = "p{n}"\ndo = "connect"\nset = {{ to = "hs" }}\nat = "{10 * n}s"\n'
        f'[[step]]\nnode = "p{n}"\ndo = "pair"\n'
        f'[[step]]\nnode = "p{n}"\ndo = "wait"\nset = {{ for = "{12 if n == 1 else 1}s" }}\n'
        f'[[step]]\nnode = "p{n}"\ndo = "disconnect"\n'
        for n in (1, 2, 3)
    )
    ran = run(
        'title = "t"\nduration = "60s"\n[[node]]\nname = "hs"\naccessory = "headset"\nat = [2.0, 0.0]\n'
        + nodes
    )
    assert ran.result.failures == ()
    assert ran.world.devices["hs"].ble.bonded_with() == ["p2", "p3"]
    assert [e.peer for e in ran.of("bond_removed", "hs")] == ["p1"]
    first_gone = ran.of("disconnected", "hs")[0]
    assert first_gone.t_us > ran.of("connected", "hs")[1].t_us  # two at once


# What belongs to a bond


def test_subscriptions_of_bonded_clients_are_kept() -> None:
    steps = f"connect to='dev'\npair\nsubscribe uuid='{STATE}'\ndisconnect\nwait for='1s'\nconnect to='dev'\nencrypt\nwait for='20s'"
    text = (
        scenario(steps)
        + '\n[[step]]\nnode = "dev"\ndo = "turn"\nset = { locked = false }\nat = "20s"\n'
    )
    ran = run(text)
    assert ran.result.failures == ()
    assert [e.node for e in ran.of("notify")] == ["dev"]
    unbonded = run(
        scenario(steps.replace("encrypt\n", ""), lock="bonding = false, security = 'encrypted'")
    )
    assert not unbonded.of("notify")


def test_subscriptions_of_others_end_with_the_connection() -> None:
    steps = "connect to='dev'\nsubscribe uuid='Temperature Measurement'\ndisconnect\nwait for='1s'\nconnect to='dev'\nwait for='5s'"
    ran = run(scenario(steps, accessory="thermometer"))
    last = ran.of("disconnected", "dev")[0].t_us
    assert not [e for e in ran.of("indicate") if e.t_us > last]


UPDATE = '\n[[step]]\nnode = "dev"\ndo = "update"\nat = "20s"\n'


@pytest.mark.parametrize("told", [True, False])
def test_service_changed_after_an_update(told: bool) -> None:
    steps = (
        "connect to='dev'\npair\nsubscribe uuid='Service Changed'\ndisconnect\nwait for='30s'\nconnect to='dev'\n"
        f"encrypt\nwait for='2s'\nread uuid='{CALIBRATION}'\ndisconnect\nwait for='1s'\nconnect to='dev'\nencrypt\nwait for='2s'"
    )
    text = (
        scenario(steps, lock=f"service_changed = {str(told).lower()}", accessory="dfu_target")
        + UPDATE
    )
    ran = run(text)
    assert ran.result.failures == ()
    indicated = [e.data for e in ran.of("indicate", "dev")]
    assert [data[3:] for data in indicated if data] == ([b"\x01\x00\xff\xff"] if told else [])
    assert len(ran.of("service_changed")) == int(told)  # once, not at every connection


def test_a_client_that_is_not_subscribed_is_not_told() -> None:
    steps = "connect to='dev'\npair\ndisconnect\nwait for='30s'\nconnect to='dev'\nencrypt\nwait for='2s'"
    ran = run(scenario(steps, accessory="dfu_target") + UPDATE)
    assert ran.of("service_change_untold", "dev")
    assert not ran.of("indicate")


def test_volume_is_kept_over_a_reboot_and_gone_after_a_factory_reset() -> None:
    steps = (
        f"connect to='dev'\npair\nwrite uuid='{VOLUME}', hex='21'\nwait for='20s'\nconnect to='dev'\nencrypt\n"
        f"read uuid='{VOLUME}'\nwait for='20s'\nforget\nconnect to='dev'\npair\nread uuid='{VOLUME}'"
    )
    text = scenario(steps, accessory="headset")
    text += '\n[[step]]\nnode = "dev"\ndo = "reboot"\nat = "10s"\n[[step]]\nnode = "dev"\ndo = "factory_reset"\nat = "35s"\n'
    ran = run(text)
    assert ran.result.failures == ()
    assert [e.fields["value_hex"] for e in ran.of("read", "ph")] == ["21", "32"]
