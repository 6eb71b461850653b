"""An iPhone that publishes: its pairing view, its listeners, and what it refuses; the peer is another phone."""

from __future__ import annotations

from tests.sim.ios_aware import SERVICE, ran

IPHONE = 'phone = "ios"'
DECLARED = f'services = {{ "{SERVICE}" = {{ Subscribable = {{}}, Publishable = {{}} }} }}'
READS_AS_SENT = 'aware = { method_matching = "complement" }'
"""Two iPhones: the publisher reads the method as the subscriber sends it."""
view = f'ph aware_pairing_view service="{SERVICE}", patience="12s"'
pick = f'dev aware_picker service="{SERVICE}", choose="ph", patience="5s"'
connect = f'dev aware_connect to="ph", service="{SERVICE}", timeout="8s" ?'


def iphones(steps: str, ph: str = READS_AS_SENT):
    """The run of two iPhones; `ph` publishes."""
    return ran(steps, dev=DECLARED, ph=ph, kind=IPHONE, duration="40s")


def test_two_iphones_pair_and_exchange_data():
    found = iphones(
        f'{view}\nph aware_listen service="{SERVICE}"\n@14s ph aware_receive\nph aware_send text="hello dev"\n'
        f'{pick}\n@13s {connect.removesuffix(" ?")}\n@15s dev aware_send text="hello ph"\ndev aware_receive'
    )
    assert found.result.passed, found.result.failures
    assert [(e.node, e.note) for e in found.of("data_received")] == [
        ("ph", "8 octets: 'hello ph'"),
        ("dev", "9 octets: 'hello dev'"),
    ]
    assert {e.peer for e in found.of("paired_device_added")} == {"ph", "dev"}


def test_by_default_a_publishing_iphone_refuses_the_bit_that_a_subscribing_one_sends():
    found = iphones(f"{view}\n{pick}", ph="")
    (refused,) = found.of("message_refused", "ph")
    assert (refused.rule, refused.fields["effect"]) == ("IA-35", "reject:0")
    (completed,) = found.of("bootstrap_completed", "dev")
    assert (completed.fields["success"], completed.fields.get("reason", 0)) == (False, 0)


def test_the_view_tells_who_it_is_while_it_is_open_and_a_listener_does_not():
    found = iphones(f'{view}\nph aware_listen service="{SERVICE}"\n{pick}\ndev wait for="4s"')
    shown = found.of("picker_shows", "dev")
    assert [e.fields["shown"] for e in shown] == ["iPhone"]
    octets = [e.data for e in found.of("publish", "ph") if e.data]
    closed = found.of("pairing_view_did_dismiss")[0].t_us
    later = [e.data for e in found.of("publish", "ph") if e.data and e.t_us > closed + 600_000]
    assert any(b"Apple Inc." in one for one in octets)
    assert later
    assert not any(b"Apple Inc." in one for one in later)


def test_a_request_without_a_listener_is_rejected():
    found = iphones(
        f'{view}\nph aware_pairing_view service="{SERVICE}", patience="9s"\n{pick}\n{connect}'
    )
    assert [e.note for e in found.of("path_refused", "ph")] == ["no listener of the app is for it"]
    assert found.of("connection_failed", "dev")


def test_a_listener_for_somebody_else_refuses():
    steps = (
        f'{view}\nph aware_listen service="{SERVICE}", devices="selected", selected=["nobody"]\n{pick}\n'
        f"@13s {connect}"
    )
    found = iphones(steps)
    assert [e.rule for e in found.of("listener_silent")] == ["IA-26"]
    assert not found.of("connection_ready")


def test_a_request_of_a_device_that_is_not_paired_stays_unanswered():
    found = iphones(
        f'{view}\nph forget_paired\nph aware_pairing_view service="{SERVICE}", patience="9s"\n{pick}\n'
        f"@7s {connect}"
    )
    assert {e.rule for e in found.of("path_refused", "ph")} <= {"IA-46"}
    assert not found.of("connection_ready")


def test_a_second_publish_of_a_service_fails():
    found = ran(
        f'ph aware_pairing_view service="{SERVICE}", patience="1s"\nph aware_listen service="{SERVICE}" ?'
    )
    assert [e.rule for e in found.of("listener_failed")] == ["IA-27"], "nobody is paired yet"
    twice = iphones(
        f'{view}\nph aware_listen service="{SERVICE}"\nph aware_listen service="{SERVICE}"\n{pick}'
    )
    (failed,) = twice.of("listener_failed")
    assert (failed.rule, failed.fields["code"]) == ("IA-14", "serviceAlreadyPublishing")


def test_an_android_that_asks_for_an_open_data_path_is_rejected_for_its_security():
    steps = (
        f'{view}\n{view}\ndev aware_subscribe service="{SERVICE}", pairing={{ methods=["pin_keypad"] }}\n'
        '@2s dev request_network to="ph" ?'
    )
    found = ran(steps, kind='phone = "android"', ph="", duration="20s")
    (refused,) = found.of("path_refused", "ph")
    assert refused.rule == "IA-57"
    assert [e.fields["reason"] for e in found.of("ndp_disconnected", "dev")] == [8]
