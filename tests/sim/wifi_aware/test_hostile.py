"""A hostile phone in the simulated air: whatever it does ends in a stated status, within a stated time, and harms nobody.

Victim is an accessory with its defaults (authentication 10 s, identity key 5 s, data paths 30 s for applications and 2 s for
the next frame), but for a PIN that nobody types (20 s). Each test states what the victim and the innocent phone come to, and when.
"""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from protocols.wifi_aware.bootstrapping_table import State as Bootstrapping
from protocols.wifi_aware.pairing_states import State as Pairing
from tests.sim.worlds import Ran, run

BASE = Path(__file__).parent


def play(
    steps: str,
    settings: str = "pin_time = '20s'",
    *,
    accessory: str = "aware_display",
    bad: str = "",
) -> Ran:
    """Accessory `dev`, innocent phone `ph`, hostile phone `bad`; lines are "node [@time] command key=value, ..."."""
    blocks = [
        f'title = "t"\nduration = "200s"\nstop_when_done = true\n'
        f'[[node]]\nname = "dev"\naccessory = "{accessory}"\nat = [2.0, 0.0]\nset = {{ {settings} }}\n'
        '[[node]]\nname = "ph"\naccessory = "initiator.py"\n'
        '[[node]]\nname = "bad"\naccessory = "hostile.py"\nat = [1.0, 1.0]\n'
        f"set = {{ {bad} }}\n"
    ]
    for line in filter(None, map(str.strip, steps.splitlines())):
        node, _, rest = line.partition(" ")
        at, _, after = rest.partition(" ")
        when = f'at = "{at[1:]}"\n' if at.startswith("@") else ""
        do, _, arguments = (after if when else rest).partition(" ")
        blocks.append(f'[[step]]\nnode = "{node}"\ndo = "{do}"\n{when}set = {{ {arguments} }}\n')
    return run("\n".join(blocks), BASE)


def statuses(ran: Ran, node: str, peer: str = "") -> list[tuple[int, float]]:
    """(status, second) of the pairings that ended at a node."""
    found = ran.of("pairing_result", node)
    return [(e.fields["status"], e.t_us / 1e6) for e in found if peer in ("", e.peer)]


def is_at_rest(ran: Ran) -> None:
    """Nothing is open, shown, kept or held at the victim but what the innocent phone has earned."""
    half = ran.world.devices["dev"].aware
    engine, ceremony, station = half.engine, half.ceremony, half.engine.station
    innocent = ran.world.devices["ph"].aware.node.nmi
    for nmi, peer in station.peers.items():
        assert engine.bootstrapping.state_of(nmi) is Bootstrapping.IDLE
        assert engine.pairing.state(nmi) in (Pairing.IDLE, Pairing.TORN_DOWN)
        assert not peer.paired or nmi == innocent
        torn_down = engine.pairing.state(nmi) is Pairing.TORN_DOWN
        assert torn_down or (nmi == innocent) is ((station.nmi, nmi) in station.link_keys)
    assert all(nmi == innocent for nmi in station.interfaces.values())
    assert len(station.identities) <= 1
    assert len(station.peers) <= 257
    assert not ceremony.passwords
    assert not ceremony.kept
    assert ran.world.faces["dev"].pin == ""
    assert len(engine.timers()) <= 4
    assert not station.outgoing


def innocent_pairs(ran: Ran, within_s: float) -> None:
    """The innocent phone paired and moved data, so many seconds after it began."""
    began = next(e.t_us for e in ran.events if e.event == "step" and e.node == "ph")
    ended = ran.of("answered", "ph")
    assert [e.fields["text"] for e in ended] == ["works"]
    assert (ended[0].t_us - began) / 1e6 <= within_s


PAIRS = 'ph @{at} pair to="dev"\nph open to="dev"\nph ask to="dev", text="works"\n'


def rest(at: str = "24s", until: str = "36s") -> str:
    """The innocent phone pairs then, and all timers run out."""
    return PAIRS.format(at=at) + f'dev @{until} console line="help"'


# Truncated: (frame, step that fails at the phone, what the victim says of it, its status, seconds until it is over)

CUT = [
    ("bootstrap_request", "bootstrapping", None, 13),
    ("auth1", "pairing", None, 20),
    ("auth3", "identity keys", 1, 20),
    ("nik", "identity keys", 0, 20),
]


@pytest.mark.parametrize(("name", "step", "status", "seconds"), CUT)
def test_truncated(name, step, status, seconds) -> None:
    ran = play(f'bad cut name="{name}"\nbad pair to="dev"\n' + rest())
    failed = ran.of("failed", "bad")[0]
    assert failed.fields["step"] == step
    assert failed.t_us / 1e6 <= seconds
    told = statuses(ran, "dev", "bad")
    assert [one for one, _ in told] == ([] if status is None else [status])
    assert all(at <= seconds for _, at in told)
    if name == "nik":
        missing = ran.of("nik_missing", "dev")[0]
        assert missing.fields["paired"] is False
        assert 8.5 <= missing.t_us / 1e6 <= 9.5  # 5 s after the pairing
    innocent_pairs(ran, 10)
    is_at_rest(ran)


@pytest.mark.parametrize(("name", "seconds"), [("ndp_m1", 36), ("ndp_m3", 10)])
def test_truncated_data_path(name, seconds) -> None:
    ran = play(
        f'bad pair to="dev"\nbad cut name="{name}"\nbad open to="dev"\nbad @20s new_address\ndev @21s forget\n'
        + rest()
    )
    failed = ran.of("failed", "bad")[0]
    assert failed.fields["step"] == "data path"
    assert failed.t_us / 1e6 <= seconds
    ended = ran.of("ndp_disconnected", "dev")
    assert all(e.fields["failure"] and e.t_us / 1e6 <= seconds for e in ended if e.peer == "bad")
    assert len([e for e in ended if e.peer == "bad"]) == (1 if name == "ndp_m3" else 0)
    innocent_pairs(ran, 10)


# Doubled, out of order, replayed


@pytest.mark.parametrize("how", ["double", "disorder"])
def test_doubled_and_disordered_frames_pair_once(how) -> None:
    ran = play(
        f'bad {how}\nbad pair to="dev"\nbad open to="dev"\nbad ask to="dev", text="once"\ndev @30s console line="help"'
    )
    assert [one for one, _ in statuses(ran, "dev")] == [0]
    assert statuses(ran, "dev")[0][1] <= 20
    assert len(ran.of("nik_received", "dev")) == 1
    assert len(ran.of("ndp_connected", "dev")) == 1
    assert [e.fields["text"] for e in ran.of("answered", "bad")] == ["once"]


def test_replayed_frames_of_another_change_nothing() -> None:
    before = 'ph pair to="dev"\nph open to="dev"\nph ask to="dev", text="works"\n'
    after = (
        'bad @20s replay node="ph"\nbad @40s replay node="dev"\nph @60s ask to="dev", text="still"'
    )
    ran = play(before + after)
    assert [e.fields["text"] for e in ran.of("answered", "ph")] == ["works", "still"]
    for event, count in (("pairing_result", 1), ("nik_received", 1), ("ndp_connected", 1)):
        assert len(ran.of(event, "dev")) == count
        assert len(ran.of(event, "ph")) == count
    assert not ran.of("ndp_disconnected")
    reasons = {e.fields["reason"].split(":")[0] for e in ran.of("dropped", "dev") if e.t_us > 20e6}
    assert {"replayed"} <= reasons


# Forged rejections and ends

OVER = {"ndp_m1": "ndp_connected", "ndp_connected": "answered"}
"""What forging begins with -> what the innocent phone must not have got to by then."""


@pytest.mark.parametrize(
    ("event", "kind", "by", "to"),
    [
        ("auth1", "rejection", "dev", "ph"),
        ("auth1", "empty_auth2", "dev", "ph"),
        ("auth1", "empty_auth1", "ph", "dev"),
        ("auth1", "rejection", "ph", "dev"),
        ("pin_entered", "empty_auth2", "dev", "ph"),
        ("ndp_m1", "path_refusal", "dev", "ph"),
        ("ndp_m1", "termination", "dev", "ph"),
        ("ndp_connected", "termination", "dev", "ph"),
    ],
)
def test_forged_ends_do_not_end_what_is_right(event, kind, by, to) -> None:
    attack = f'bad forge_at event="{event}", node="ph", kind="{kind}", by="{by}", to="{to}"\n'
    ran = play(attack + PAIRS.format(at="1s") + 'ph @40s ask to="dev", text="still"')
    refused_in_time(ran, event, by, to)
    assert [e.fields["text"] for e in ran.of("answered", "ph")] == ["works", "still"]
    for node in ("ph", "dev"):
        assert [one for one, _ in statuses(ran, node)] == [0]
        assert len(ran.of("ndp_connected", node)) == 1
        assert not ran.of("ndp_disconnected", node)


def refused_in_time(ran: Ran, event: str, by: str, to: str) -> None:
    """Every forged frame was heard and dropped (held back at most), the first before what it forges could end."""
    began = next(e.t_us for e in ran.of(event, "ph"))
    sent = [e.t_us for e in ran.of("forged", "bad", "aware") if e.direction == "tx"]
    assert len(sent) == 5
    assert sent[0] - began < 2_000
    assert sent[0] < ran.of(OVER.get(event, "paired"), "ph")[-1].t_us
    dropped = [e.t_us for e in ran.of("dropped", to) if e.peer == by]
    assert all(any(at < other < at + 500 for other in dropped) for at in sent), (sent, dropped)


def test_bootstrapping_that_anybody_can_refuse_ends_at_once_and_can_be_repeated() -> None:
    """Reason 13 at the phone within 2 s; the accessory waits for it to come back for 10 s, then it can ask again."""
    attack = (
        'bad forge_at event="bootstrap_request", node="ph", kind="refusal", by="dev", to="ph"\n'
    )
    ran = play(attack + 'ph pair to="dev"\n' + rest("14s"))
    failed = ran.of("failed", "ph")
    assert [(e.fields["step"], e.note) for e in failed] == [("bootstrapping", "refused, reason 13")]
    assert failed[0].t_us / 1e6 <= 3
    assert [e.fields["text"] for e in ran.of("answered", "ph")] == ["works"]


# Floods: (what, how many, second at which everything is over)

FLOODS = [
    ("bootstrapping", 300, "40s"),
    ("auth1", 100, "36s"),
    ("data_path", 60, "60s"),
    ("follow_up", 100, "36s"),
]


@pytest.mark.parametrize(("kind", "count", "until"), FLOODS)
def test_a_flood_of_strangers_is_borne(kind, count, until) -> None:
    ran = play(f'bad flood kind="{kind}", count={count}\n' + rest("26s", until))
    heard = sum(
        len(ran.of(one, "dev"))
        for one in ("bootstrap_request", "pairing_request", "ndp_request", "log", "dropped")
    )
    assert heard >= count * 0.8
    assert not [one for one, _ in statuses(ran, "dev") if one == 0][1:]
    innocent_pairs(ran, 10)
    is_at_rest(ran)


def test_garbage_is_passed_over() -> None:
    ran = play("bad garbage\n" + rest())
    assert len(ran.of("dropped", "dev")) > 10
    innocent_pairs(ran, 10)


# Wrong turns


@pytest.mark.parametrize("mode", ["sae", "opportunistic"])
def test_pairing_without_bootstrapping_is_never_answered(mode) -> None:
    """No PIN was shown, opportunistic pairing was not agreed on: status 1 at the victim after 20 s, 10 s at the phone."""
    ran = play(f'bad shortcut to="dev", mode="{mode}"\n' + rest())
    assert not ran.of("auth2", "dev", "aware")[1:]
    assert [(one, at <= 25) for one, at in statuses(ran, "dev", "bad")] == [(1, True)]
    assert [(one, at <= 12) for one, at in statuses(ran, "bad")] == [(1, True)]
    innocent_pairs(ran, 10)


def test_both_roles_at_once_end_within_the_patience_of_an_exchange() -> None:
    ran = play('bad both_roles to="dev"\n' + rest())
    for node in ("dev", "bad"):
        ends = statuses(ran, node, "" if node == "bad" else "bad")
        assert ends
        assert all(at <= 35 for _, at in ends)
        assert all(one != 0 for one, _ in ends)
    innocent_pairs(ran, 10)
    is_at_rest(ran)


@pytest.mark.parametrize(("publish_id", "csid"), [(1, 0), (9, 0), (9, 1), (1, 1), (200, 2)])
def test_data_paths_that_cannot_be_are_refused_within_two_seconds_or_passed_over(
    publish_id, csid
) -> None:
    ran = play(f'bad @2s open_at to="dev", publish_id={publish_id}, csid={csid}\n' + rest())
    ended = ran.of("ndp_disconnected", "bad")
    assert [e.fields["failure"] for e in ended] == [True]
    assert ended[0].t_us / 1e6 <= 35
    assert not [e for e in ran.of("ndp_connected", "dev") if e.peer == "bad"]
    innocent_pairs(ran, 10)


def test_guesses_at_a_label_cost_more_time_than_there_is() -> None:
    """Five guesses, then a minute of lockout: a million PINs would take some months."""
    wrong = 'bad pair to="dev"\n' * 8
    ran = play(
        wrong + wrong.replace("pair", "@80s pair"),
        'pin = "271828"',
        accessory="aware_label",
        bad="wrong_pins = 99",
    )
    answers = [e for e in ran.of("auth2", "dev", "aware") if (e.data or b"")[28:30] == b"\0\0"]
    guesses = [e.t_us for e in answers]  # status 0: each is a guess
    locked = [e.t_us for e in ran.of("locked_out", "dev")]
    assert not ran.of("nik_received")
    assert len(locked) >= 2
    assert all(second - first > 60_000_000 for first, second in itertools.pairwise(locked))
    for first in locked:
        assert not [at for at in guesses if first + 1_000_000 < at < first + 60_000_000]
    assert len(guesses) <= 6 * (len(locked) + 1)
