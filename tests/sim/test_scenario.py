"""Scenario files: an error names file, line and key; units are meant."""

from __future__ import annotations

import pytest

from protocols.errors import NearbenchError, ScenarioError, UnknownNameError, UsageError
from sim import scenario as scenarios
from sim.units import Duration, parse_duration_us
from sim.world import World

GOOD = """title = "one phone, one beacon"
duration = "2s"

[[node]]
name = "beacon"
accessory = "ibeacon"
at = [1.0, 0.0]

[[node]]
name = "phone"
phone = "generic"

[[step]]
node = "phone"
do = "scan"

[[expect]]
node = "phone"
event = "heard"
"""


def swap(old, new):
    assert GOOD.count(old) >= 1
    return GOOD.replace(old, new, 1)


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        (swap('duration = "2s"', "duration = 2"), 2, "'30s'"),
        (swap('duration = "2s"', 'duration = "2 parsec"'), 2, "no duration"),
        (swap('duration = "2s"', 'duration = "0s"'), 2, "longer than nothing"),
        (swap('duration = "2s"\n', ""), None, "'duration' is missing"),
        (swap('duration = "2s"', 'lenght = "2s"'), 2, "unknown key 'lenght'"),
        (swap("at = [1.0, 0.0]", "at = [1.0]"), 7, "two or three"),
        (swap("at = [1.0, 0.0]", 'at = "here"'), 7, "array"),
        (swap("at = [1.0, 0.0]", "att = [1.0, 0.0]"), 7, "unknown key 'att'"),
        (swap('name = "beacon"', 'name = "phone"'), 10, "twice"),
        (swap('name = "beacon"', 'name = "my beacon"'), 5, "no name"),
        (swap('accessory = "ibeacon"\n', ""), 4, "accessory or phone"),
        (swap('accessory = "ibeacon"', 'accessory = "ibecon"'), 6, "did you mean ibeacon"),
        (swap('accessory = "ibeacon"', 'accessory = "missing.py"'), 6, "does not exist"),
        (swap('node = "phone"\ndo', 'node = "fone"\ndo'), 14, "no node is called 'fone'"),
        (swap('do = "scan"', 'do = "skan"'), 15, "did you mean scan"),
        (swap('do = "scan"', 'do = "scan"\nset = {activ = true}'), 15, "activ"),
        (swap('do = "scan"', 'do = "scan"\nset = {interval = 100}'), 15, "interval"),
        (swap("at = [1.0, 0.0]", "at = [1.0, 0.0]\nset = {majr = 3}"), 8, "majr"),
        (swap("at = [1.0, 0.0]", "at = [1.0, 0.0]\n[node.set]\nmajor = 'x'"), 9, "major"),
        (swap('node = "phone"\nevent', 'node = "nobody"\nevent'), 18, "nobody"),
        (GOOD + "x = ", 20, "not TOML"),
        (GOOD + "[air]\nloss = 2.0\n", 21, "loss"),
        (GOOD + "[air]\nlos = 0.1\n", 21, "los"),
        ("", None, "keys 'title' and 'duration' are missing"),
        ('[[node]]\naccessory = "ibeacon"\npath = [{}]\n[[step]]\nat = "1s"\n', None,
         "keys 'title' and 'duration' are missing; node[0]: key 'name' is missing; "
         "node[0].path[0]: keys 't' and 'at' are missing; step[0]: keys 'node' and 'do' are missing"),
        (swap('do = "scan"\n', ""), 13, "key 'do' is missing"),
    ],
)  # fmt: skip
def test_an_error_names_file_line_and_key(text, line, part):
    with pytest.raises(ScenarioError) as caught:
        World(scenarios.parse(text, file="my.toml")).close()
    assert part in str(caught.value)
    assert caught.value.line == line, str(caught.value)
    assert str(caught.value).startswith("my.toml" + (f":{line}:" if line else ":"))
    assert caught.value.exit_status == 2


def test_the_good_one_is_good():
    world = World(scenarios.parse(GOOD, file="my.toml"))
    assert world.run().passed
    world.close()


def test_an_unknown_scenario_offers_the_near_ones():
    with pytest.raises(UnknownNameError, match="thermometer_session"):
        scenarios.load("thermometer_sesion")
    with pytest.raises(UsageError, match=r"no/such\.toml"):
        scenarios.load("no/such.toml")


def test_settings_from_the_command_line():
    base = scenarios.parse(GOOD)
    changed = scenarios.with_settings(base, {"beacon.major": 9})
    assert changed.node[0].set == {"major": 9}
    with pytest.raises(UnknownNameError, match="beacon"):
        scenarios.with_settings(base, {"becon.major": 9})


PHONES = """title = "t"
duration = "1s"
[[node]]
name = "phone"
phone = "android"
set = { pin = "123456", aware = { port = 7 } }
"""


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("phone.pin", "1", "--set phone.pin: '1' is not six digits"),
        ("phone.foo", 1, "--set phone.foo: unknown setting 'foo'"),
        ("phone.aware.methods", ["foo"], "--set phone.aware.methods: [0]: Invalid enum value 'foo'; allowed: oppor"),
        ("phone.aware.port", "x", "--set phone.aware.port: Expected `int`"),
        ("phone.aware", 1, "--set phone.aware: Expected `object`"),
        ("phone.tx_power_dbm", 100, "--set phone.tx_power_dbm: 100 is out of range, -127 to 20"),
        ("phone.aware.tx_power_dbm", 100, "--set phone.aware.tx_power_dbm: 100 is out of range"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_blamed_on_the_option_that_gave_it(key, value, said):
    changed = scenarios.with_settings(scenarios.parse(PHONES, file="my.toml"), {key: value})
    with pytest.raises(UsageError) as caught:
        World(changed).close()
    assert str(caught.value).startswith(said)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (PHONES.replace("123456", "12"), "my.toml:6: node[0].set.pin"),
        (PHONES.replace("port = 7", 'port = "x"'), "my.toml:6: node[0].set.aware"),
    ],
)
def test_a_wrong_setting_of_the_file_is_blamed_on_the_file_whatever_options_there_are(wrong, said):
    text = scenarios.parse(wrong, file="my.toml")
    with pytest.raises(ScenarioError) as caught:
        World(scenarios.with_settings(text, {"phone.mitm": "no", "phone.aware.wake": 2})).close()
    assert str(caught.value).startswith(said)


OWN = """
from protocols.errors import UsageError
from sim.accessories import Accessory, AccessorySettings

class LampSettings(AccessorySettings, frozen=True, kw_only=True):
    level: int = 1
    '''how bright it is.'''

class Lamp(Accessory):
    Settings = LampSettings
    async def start(self):
        if self.settings.level > 9:
            raise UsageError(f"level: {self.settings.level} is more than 9")

ACCESSORY = Lamp
"""


def test_what_comes_to_light_at_the_start_is_blamed_on_the_option_too(tmp_path):
    (tmp_path / "lamp.py").write_text(OWN)
    text = GOOD.replace('"ibeacon"', '"lamp.py"')
    lamp = scenarios.parse(text, file="my.toml", base=tmp_path)
    world = World(scenarios.with_settings(lamp, {"beacon.pin": "123456", "beacon.level": 10}))
    with pytest.raises(UsageError, match=r"^--set beacon\.level: 10 is more than 9"):
        world.run()
    world.close()
    in_file = text.replace("at = [1.0, 0.0]", "set = { level = 10 }")
    world = World(scenarios.parse(in_file, file="my.toml", base=tmp_path))
    with pytest.raises(ScenarioError, match=r"^my\.toml:7: node\[0\]\.set\.level: beacon: level"):
        world.run()
    world.close()


@pytest.mark.parametrize(
    ("text", "us"),
    [
        ("30s", 30_000_000),
        ("100 ms", 100_000),
        ("1.5s", 1_500_000),
        ("5min", 300_000_000),
        ("7us", 7),
        ("1h", 3_600_000_000),
    ],
)
def test_durations(text, us):
    assert parse_duration_us(text) == us
    assert isinstance(parse_duration_us(text), Duration)


@pytest.mark.parametrize("bad", [30, 1.5, "30", "s", "", "-1s", "1 fortnight", None, "1s2"])
def test_a_bare_number_is_no_duration(bad):
    with pytest.raises(ValueError, match="no duration"):
        parse_duration_us(bad)


def test_every_scenario_of_the_library_loads():
    assert len(scenarios.names()) >= 7
    for name in scenarios.names():
        assert scenarios.load(name).title


def test_garbage_is_never_more_than_a_sentence():
    """Cut anywhere, or with any one line removed or doubled, a scenario loads or says what is wrong."""
    lines = GOOD.splitlines(keepends=True)
    texts = [GOOD[:cut] for cut in range(0, len(GOOD), 7)]
    texts += ["".join(lines[:i] + lines[i + 1 :]) for i in range(len(lines))]
    texts += ["".join([*lines[: i + 1], lines[i], *lines[i + 1 :]]) for i in range(len(lines))]
    for text in texts:
        try:
            World(scenarios.parse(text)).close()
        except NearbenchError:
            continue
