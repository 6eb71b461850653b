"""The iPhone and its bonds: the table it keeps (IB-37), the keys it wants (IB-32); Android encrypts at once (AB-06)."""

from __future__ import annotations

import pytest

from tests.sim.worlds import Ran, run, two

CONTROL = "6b0a0002-53c1-4a0d-9d0e-6f1a3c5b7d90"
STATE = "6b0a0003-53c1-4a0d-9d0e-6f1a3c5b7d90"
READING = "6b0a0052-53c1-4a0d-9d0e-6f1a3c5b7d90"
ALL_KEYS = "keys = ['encryption', 'identity', 'signing', 'link']"


def scenario(
    steps: str,
    dev: str = "",
    ph: str = "",
    *,
    accessory: str,
    phone: str = "ios",
    at: dict[str, str] | None = None,
) -> Ran:
    """`at`: when -> command of the accessory."""
    find = f"app_scan\nwait_for what='dev'\nwait for='1s'\nstop_scan\n{steps}"
    text = two(accessory, find, settings=dev, phone=phone, duration="200s")
    text = text.replace(f'phone = "{phone}"\n', f'phone = "{phone}"\nset = {{ {ph} }}\n')
    for when, what in (at or {}).items():
        text += f'\n[[step]]\nnode = "dev"\ndo = "{what}"\nat = "{when}"\n'
    return run(text)


def values(ran: Ran, event: str = "read") -> list[str]:
    return [e.fields["value_hex"] for e in ran.of(event, "ph", "phone")]


def requests(ran: Ran) -> int:
    """How often the phone went through the services of the other side."""
    return len(ran.of("discover", "ph"))


SESSION = f"connect to='dev'\nread uuid='{READING}'\ndisconnect\nwait for='1s'\n"
AGAIN = f"connect to='dev'\nwait for='1s'\nread uuid='{READING}'"


def test_a_bonded_device_is_discovered_once() -> None:
    ran = scenario(SESSION + AGAIN, accessory="dfu_target")
    assert ran.result.failures == ()
    assert requests(ran) == 1
    assert values(ran) == ["2a", "2a"]
    assert [e.rule for e in ran.of("table_cached")] == ["IB-37"]


def test_what_discovery_gives_on_a_bonded_connection_is_the_kept_table() -> None:
    ran = scenario(SESSION + "connect to='dev'\ndiscover", accessory="dfu_target")
    assert ran.result.failures == ()
    assert requests(ran) == 1


def test_a_table_found_before_pairing_is_kept_as_well() -> None:
    steps = "connect to='dev'\ndiscover\npair\ndisconnect\nwait for='1s'\n" + AGAIN
    ran = scenario(steps, accessory="dfu_target")
    assert ran.result.failures == ()
    assert requests(ran) == 1


@pytest.mark.parametrize(
    ("dev", "ph"), [("", 'rules = { "IB-37" = false }'), ("bonding = false", "")]
)
def test_without_a_bond_or_the_rule_each_connection_discovers(dev: str, ph: str) -> None:
    ran = scenario(SESSION + AGAIN, dev, ph, accessory="dfu_target")
    assert ran.result.failures == ()
    assert requests(ran) == 2
    assert not ran.of("table_cached")


def test_a_forgotten_bond_takes_its_table_with_it() -> None:
    ran = scenario(
        SESSION + "forget\nwait for='30s'\n" + AGAIN,
        "service_changed = false",
        accessory="dfu_target",
        at={"20s": "forget", "21s": "update"},
    )
    assert ran.result.failures == ()
    assert values(ran) == ["2a", "2a"]
    assert requests(ran) == 2


def test_values_arrive_through_a_kept_table() -> None:
    watch = f"connect to='dev'\nsubscribe uuid='{STATE}'\n"
    steps = f"{watch}read uuid='{STATE}'\ndisconnect\nwait for='1s'\n{watch}write uuid='{CONTROL}', hex='01'\nwait for='1s'"
    ran = scenario(steps, accessory="lock")
    assert ran.result.failures == ()
    assert requests(ran) == 1
    assert values(ran, "notification") == ["01"]


def test_after_service_changed_the_new_table_is_kept() -> None:
    ran = scenario(
        SESSION + "wait for='30s'\n" + AGAIN + "\ndisconnect\nwait for='1s'\n" + AGAIN,
        accessory="dfu_target",
        at={"20s": "update"},
    )
    assert ran.result.failures == ()
    assert requests(ran) == 2
    assert len(ran.of("services_changed", "ph")) == 1
    assert values(ran) == ["2a"] * 3


ASKED = "connect to='dev'\nwait for='5s'"
MEETS = '"IB-31" = false'


@pytest.mark.parametrize(
    ("rules", "keys", "pairs"),
    [
        (f'{MEETS}, "IB-32" = true', "", False),
        (f'{MEETS}, "IB-32" = true', ALL_KEYS, True),
        (MEETS, "", True),  # off by default: seen on one stack
    ],
)
def test_a_pairing_the_peer_asked_for_needs_sign_and_link_keys(
    rules: str, keys: str, *, pairs: bool
) -> None:
    dev = ", ".join(filter(None, ["asks_first = true", keys]))
    ran = scenario(ASKED, dev, f"rules = {{ {rules} }}, {ALL_KEYS}", accessory="lock")
    assert bool(ran.of("paired", "ph")) is pairs
    assert [e.rule for e in ran.of("keys_refused")] == ([] if pairs else ["IB-32"])
    if not pairs:
        (failed,) = ran.of("not_paired", "dev")
        assert (failed.fields["side"], failed.fields["reason"]) == ("peer", 0x08)


def test_a_pairing_the_iphone_begins_needs_none_of_them() -> None:
    read = f"connect to='dev'\nread uuid='{STATE}'"
    ran = scenario(read, "", f'rules = {{ "IB-32" = true }}, {ALL_KEYS}', accessory="lock")
    assert ran.of("paired", "ph")
    assert not ran.of("keys_refused")


@pytest.mark.parametrize(("rules", "times"), [("", 1), ('"AB-06" = false', 0)])
def test_android_encrypts_a_bonded_link_at_once(rules: str, times: int) -> None:
    """AB-06"""
    steps = "connect to='dev'\npair\ndisconnect\nwait for='1s'\nconnect to='dev'\nwait for='1s'"
    ran = scenario(steps, "", f"rules = {{ {rules} }}", accessory="lock", phone="android")
    assert ran.result.failures == ()
    assert [e.rule for e in ran.of("encrypts_at_once", "ph")] == ["AB-06"] * times
    assert len(ran.of("encrypted", "ph")) == 1 + times
