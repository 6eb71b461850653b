"""A run as a scenario and a pytest: whatever was done at the screen, the exported scenario does it again."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from protocols.errors import NearbenchError
from sim import scenario as scenarios
from sim.story import ends_of, story_of
from sim.world import World
from tests.sim.worlds import accessory, two
from tests.tui.exports import asked, hold, saved, session_of, until
from tui.commands.run import settings_of
from tui.export import Choice, plan_of
from tui.export.material import Material
from tui.export.replay import replay_of

ROOT = Path(__file__).parents[2]


def other(pin):
    return f"{(int(pin) + 1) % 1_000_000:06}"


def repeated(session, tmp_path):
    """The replay of a held session, and the world of its scenario after it was run from another folder."""
    control = session.control
    replay = replay_of(session.title, control.world, session.log, error=control.error)
    session.close()
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    (folder / "again.toml").write_text(replay.scenario_text(), encoding="utf-8")
    world = World(scenarios.load(str(folder / "again.toml")))
    world.run()
    world.close()
    return replay, world


def assert_same(replay, world):
    assert list(replay.story) == story_of(world.trace)
    assert list(replay.ends) == ends_of(world.trace)
    held = [(one.expected, one.held, one.seen) for one in replay.result.expectations]
    assert held == [(one.expected, one.held, one.seen) for one in world.result().expectations]
    assert replay.result.failures == world.result().failures


def pytest_of(folder):
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", "/dev/null", "--rootdir", str(folder), str(folder)],
        capture_output=True, text=True, timeout=60, cwd=ROOT, check=False,
    )  # fmt: skip


def test_a_wrong_pin_and_then_the_right_one_pass_as_an_exported_test(tmp_path):
    """And a test that would pass whatever happens is worth nothing: with another PIN it fails."""
    session = session_of("passkey_lock")
    session.control.answer("phone", other(asked(session))).result(10)
    until(session, "not_paired", 2)
    session.control.do("phone", "pair", to="lock")
    session.control.answer("phone", asked(session)).result(10)
    until(session, "paired", 2)
    path = saved(Material(session), tmp_path / "test_lock_1.py", form="test", secrets=True)
    session.close()
    good = pytest_of(tmp_path)
    assert good.returncode == 0, good.stdout
    assert "1 passed" in good.stdout
    scenario = path.with_suffix(".toml")
    text = scenario.read_text(encoding="utf-8")
    wrong, right = re.findall(r'pin = "(\d{6})"', text)
    scenario.write_text(text.replace(right, wrong), encoding="utf-8")
    bad = pytest_of(tmp_path)
    assert bad.returncode == 1
    assert "lock: paired" in bad.stdout


@pytest.mark.parametrize("play", [("phone",), ("accessory",), ("none",)])
def test_commands_settings_and_seed_replay(tmp_path, play):
    session = session_of(
        "passkey_lock",
        play=play,
        seed=77,
        settings=settings_of(["lock.local_name=12", "lock.battery_pct=55"]),
    )
    session.control.run_for(400_000)
    hold(session)
    session.control.do("lock", "turn", locked=False).result(10)
    session.control.step()
    hold(session)
    session.control.run_for(3_000_000)
    hold(session)
    assert_same(*repeated(session, tmp_path))


def test_a_refusal_replays(tmp_path):
    session = session_of("passkey_lock")
    asked(session)
    session.control.answer("phone", None).result(10)
    until(session, "not_paired", 2)
    replay, world = repeated(session, tmp_path)
    assert any("reason 1" in end for end in replay.ends)
    assert_same(replay, world)


def test_time_that_a_question_waited_is_simulated_and_replays(tmp_path):
    session = session_of("passkey_lock")
    pin = asked(session)
    session.control.run_for(11_000_000)
    hold(session)
    session.control.answer("phone", pin).result(10)
    until(session, "paired", 2)
    assert_same(*repeated(session, tmp_path))


def test_people_that_were_handed_over_answer_again(tmp_path):
    """While somebody answered by itself no command was given: its answers are what has to be repeated."""
    session = session_of("passkey_lock")
    asked(session)
    session.control.let("phone", auto=True)
    session.control.sync()
    until(session, "paired", 2)
    replay, world = repeated(session, tmp_path)
    (typed,) = [step for step in replay.scenario.step if step.by_hand]
    assert typed.do == "enter_pin"
    assert_same(replay, world)


def test_a_pairing_of_wi_fi_aware_replays(tmp_path):
    session = session_of("demo")
    pin = asked(session, "display")
    session.control.answer("iphone", pin).result(10)
    session.control.run_for(3_000_000)
    hold(session)
    replay, world = repeated(session, tmp_path)
    assert any("paired" in end for end in replay.ends), replay.ends
    assert_same(replay, world)


@pytest.mark.parametrize("seconds", [0.8, 1.9, 4.0])
def test_a_run_that_is_cut_in_mid_pairing_replays(tmp_path, seconds):
    """Devices that are switched off with a picker open tell of that; the run that was exported had not ended yet."""
    session = session_of("demo", play=("none",))
    session.control.run_for(int(seconds * 1_000_000))
    hold(session)
    assert_same(*repeated(session, tmp_path))


def test_numbers_that_were_compared_on_both_sides_replay(tmp_path):
    session = session_of("numeric_comparison", play=("phone", "accessory"))
    for _ in range(100):
        if len(session.control.questions()) == 2:
            break
        session.control.next_message()
        hold(session)
    for asking, same in zip(session.control.questions(), (True, False), strict=True):
        session.control.answer(asking.node, same).result(10)
    until(session, "not_paired", 2)
    replay, world = repeated(session, tmp_path)
    assert any("reason 12" in end for end in replay.ends)
    assert_same(replay, world)


def test_faults_that_were_set_and_cleared_replay(tmp_path):
    session = session_of("passkey_lock", faults=("loss:probability=0.02",))
    session.control.run_for(200_000)
    hold(session)
    fault = session.control.set_fault("wrong_pin:node=phone,off_by=7").result(10)
    pin = asked(session)
    session.control.answer("phone", pin).result(10)
    until(session, "not_paired", 2)
    session.control.clear_fault(fault)
    session.control.do("phone", "pair", to="lock")
    session.control.answer("phone", asked(session)).result(10)
    until(session, "paired", 2)
    replay, world = repeated(session, tmp_path)
    assert replay.scenario.fault[-1].set == {"off_by": 7}
    assert_same(replay, world)


def test_files_beside_the_scenario_are_found_from_another_folder(tmp_path):
    source = accessory("async def start(self):\n    self.log('here')")
    (tmp_path / "own.py").write_text(source, encoding="utf-8")
    (tmp_path / "s.toml").write_text(
        two("own.py", "wait for='1s'", duration="2s"), encoding="utf-8"
    )
    session = session_of(tmp_path / "s.toml", play=("none",))
    session.control.run_for(1_500_000)
    hold(session)
    assert_same(*repeated(session, tmp_path))


def test_a_run_that_died_is_expected_to_die(tmp_path):
    source = accessory(
        "async def start(self):\n    await asyncio.sleep(1)\n    raise ValueError('no')"
    )
    (tmp_path / "own.py").write_text(source, encoding="utf-8")
    (tmp_path / "s.toml").write_text(two("own.py", "wait for='5s'"), encoding="utf-8")
    session = session_of(tmp_path / "s.toml", play=("none",))
    session.control.resume()
    assert session.control.wait("died")
    session.pull()
    replay = replay_of("s", session.control.world, session.log, error=session.control.error)
    text = replay.test_text("again.toml")
    session.close()
    (tmp_path / "again.toml").write_text(replay.scenario_text(), encoding="utf-8")
    world = World(scenarios.load(str(tmp_path / "again.toml")))
    with pytest.raises(NearbenchError, match=re.escape(replay.error)):
        world.run()
    world.close()
    assert list(replay.story) == story_of(world.trace)
    assert "pytest.raises(NearbenchError" in text
    compile(text, "exported", "exec")


def test_a_replay_with_pins_asks_before_it_writes_them():
    session = session_of("passkey_lock")
    session.control.answer("phone", asked(session)).result(10)
    hold(session)
    plan = plan_of(Material(session), Choice(form="test"))
    assert plan.needs_secrets
    assert "1 PIN" in " ".join(plan.notes)
    assert not plan_of(Material(session), Choice(form="test", secrets=True)).needs_secrets
    session.close()


def test_a_run_without_hands_needs_no_pins(tmp_path):
    session = session_of("passkey_lock", play=("none",))
    session.control.run_for(5_000_000)
    hold(session)
    plan = plan_of(Material(session), Choice(form="test"))
    assert not plan.needs_secrets
    assert not plan.private
    assert_same(*repeated(session, tmp_path))


def test_a_command_that_was_refused_is_left_out(tmp_path):
    session = session_of("passkey_lock")
    with pytest.raises(NearbenchError):
        session.control.do("phone", "fly").result(10)
    session.control.run_for(200_000)
    hold(session)
    replay, world = repeated(session, tmp_path)
    assert not [step for step in replay.scenario.step if step.by_hand]
    assert_same(replay, world)
