"""`nearbench bleak`: the example programs as users run them, exit statuses, the scenario's say, determinism."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tui.cli import main

REPO = Path(__file__).parents[2]
EXAMPLES = REPO / "examples"
ROOM = "examples/bleak_room.toml"
ALONE = 'title = "alone"\nduration = "5s"\n[[node]]\nname = "computer"\nphone = "computer"\n'


class Done(NamedTuple):
    returncode: int
    stdout: str
    stderr: str


@pytest.fixture(name="bleak")
def _bleak(capsys, monkeypatch):
    """The command in this process, from the folder of the repository."""
    monkeypatch.chdir(REPO)

    def call(*words: str) -> Done:
        status = main(["bleak", *words])
        out, err = capsys.readouterr()
        return Done(status, out, err)

    return call


def process(*words: str, hash_seed: str = "0") -> Done:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "tui", "bleak", *words]
    environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "NO_COLOR": "1"}
    done = subprocess.run(
        command, cwd=REPO, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture(name="program")
def _program(tmp_path: Path):
    def write(text: str) -> str:
        file = tmp_path / "program.py"
        file.write_text(text, encoding="utf-8")
        return str(file)

    return write


@pytest.fixture(name="alone")
def _alone(tmp_path: Path):
    def write(more: str = "") -> str:
        file = tmp_path / "alone.toml"
        file.write_text(ALONE + more, encoding="utf-8")
        return str(file)

    return write


# The examples, unmodified


def test_discover(bleak) -> None:
    done = bleak(ROOM, "--", "examples/bleak_discover.py", "--seconds", "2")
    assert (done.returncode, done.stderr) == (0, "")
    lines = sorted(line.partition(":")[2].partition(" ")[2] for line in done.stdout.splitlines())
    assert len(lines) == 3
    tag = next(line for line in done.stdout.splitlines() if "Tag" in line)
    assert tag.startswith("C0:00:00:00:00:02 Tag: -")
    assert tag.endswith("sent with -4 dBm, company 0xffff: 0102")


def test_explore(bleak) -> None:
    done = bleak(ROOM, "--", "examples/bleak_explore.py", "Tag")
    assert (done.returncode, done.stderr) == (0, "")
    values = [line.split("=")[1].strip() for line in done.stdout.splitlines() if "fff1" in line]
    assert values == ["b'left'", "b'right'"]
    missing = bleak(ROOM, "--", "examples/bleak_explore.py", "Nobody")
    assert missing.returncode == 1  # sys.exit of the program
    assert missing.stdout == "nobody is called Nobody\n"


def test_thermometer(bleak) -> None:
    done = bleak(ROOM, "--", "examples/bleak_thermometer.py", "4")
    assert (done.returncode, done.stderr) == (0, "")
    degrees = [float(line.split()[0]) for line in done.stdout.splitlines()]
    # the thermometer's settings: 36.6 degrees, 0.4 up and down
    assert len(degrees) == 4
    assert all(36.2 <= one <= 37.0 for one in degrees)


def test_errors(bleak) -> None:
    done = bleak(ROOM, "--", "examples/bleak_errors.py")
    assert (done.returncode, done.stderr) == (0, "")
    told = dict(line.split(": ", 1) for line in done.stdout.splitlines())
    assert told["nobody there"] == "BleakDeviceNotFoundError"
    assert told["read too early"].endswith("[128]")
    assert told["an odd value"] == "VALUE_NOT_ALLOWED"
    assert told["an even value"] == "no failure"
    assert told["read of what is write only"] == "READ_NOT_PERMITTED"
    assert told["no such characteristic"] == "BleakCharacteristicNotFoundError"
    assert told["one UUID twice"].startswith("Multiple Characteristics")


@pytest.mark.parametrize("system", ["bluez", "winrt"])
def test_pair(bleak, system: str) -> None:
    done = bleak(ROOM, "--os", system, "--", "examples/bleak_pair.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines() == [
        "after pairing: gold",
        "over the bond: gold",
        "connected after unpair: False",
    ]


# The program's life


def test_the_program_is_main_with_its_own_arguments_and_folder(bleak, program, alone) -> None:
    text = """
import sys, __main__
print(__name__, sys.argv[1:], sys.path[0] == sys.argv[0].rpartition("/")[0], __main__.__file__ == __file__)
"""
    done = bleak(alone(), "--", program(text), "-x", "--", "--jsonl")
    assert done.stdout == "__main__ ['-x', '--', '--jsonl'] True True\n"
    assert done.returncode == 0


@pytest.mark.parametrize(
    ("ending", "status", "told"),
    [
        ("sys.exit(7)", 7, ""),
        ("sys.exit()", 0, ""),
        ("sys.exit('no luck')", 1, "no luck\n"),
        ("raise KeyboardInterrupt", 130, ""),
    ],
)
def test_exit_status_is_the_programs(
    bleak, program, alone, ending: str, status: int, told: str
) -> None:
    done = bleak(alone(), "--", program(f"import sys\n{ending}\n"))
    assert (done.returncode, done.stderr) == (status, told)


def test_a_programs_traceback_is_its_own(bleak, program, alone) -> None:
    done = bleak(alone(), "--", program("def f():\n    1 / 0\nf()\n"))
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    assert lines[-1] == "ZeroDivisionError: division by zero"
    assert "runpy" not in done.stderr
    assert "nearbench" not in done.stderr


def test_modules_run_as_with_python_m(bleak, alone) -> None:
    done = bleak(alone(), "--", "-m", "json.tool", "--help")
    assert done.returncode == 0
    assert "json" in done.stdout


def test_a_program_that_does_not_end_is_stopped(bleak, program, alone) -> None:
    text = "import asyncio\nfrom bleak import BleakScanner\nasync def main():\n    async with BleakScanner():\n        await asyncio.Event().wait()\nasyncio.run(main())\n"
    done = bleak(alone(), "--for", "7s", "--", program(text))
    assert done.returncode == 1
    assert done.stderr.startswith("nearbench: the program still ran at 7 s of simulated time")
    assert len(done.stderr.splitlines()) == 1


def test_a_device_that_raises_ends_the_run_with_its_name(
    bleak, program, alone, tmp_path: Path
) -> None:
    (tmp_path / "bad.py").write_text(
        "from sim.accessories import Accessory\nclass Bad(Accessory):\n    async def start(self):\n"
        "        self.place.after_us(1_000_000, self.boom)\n    def boom(self):\n"
        "        self.guard('its timer', lambda: 1 / 0)\nACCESSORY = Bad\n",
        encoding="utf-8",
    )
    scenario = alone('[[node]]\nname = "bad"\naccessory = "bad.py"\n')
    text = "import asyncio\nasyncio.run(asyncio.sleep(5))\nprint('not reached')\n"
    done = bleak(scenario, "--", program(text))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(
        "nearbench: bad at 1.000000 s: its timer raised ZeroDivisionError"
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["nowhere.py"], "program nowhere.py does not exist"),
        (["python", "x.py"], "program 'python' is no Python file"),
        (["README.md.gone"], "no Python file"),
    ],
)
def test_wrong_requests_are_one_sentence(bleak, alone, words: list[str], told: str) -> None:
    done = bleak(alone(), "--", *words)
    assert done.returncode == 2
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_no_program_is_told_how_to_write_one(bleak, alone) -> None:
    done = bleak(alone())
    assert done.returncode == 2
    assert "nearbench bleak SCENARIO -- program.py ARGS" in done.stderr


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--at", "here"], "--at here: write two or three numbers"),
        (["--for", "7"], "--for: '7' is no duration"),
        (["--speed", "0"], "--speed 0"),
        (["--set", "nobody.x=1"], "unknown node 'nobody'"),
        (["--set", "computer.os=beos"], "os"),
        (["--fault", "los"], "unknown fault 'los'"),
    ],
)
def test_wrong_options_are_one_sentence(
    bleak, alone, program, options: list[str], told: str
) -> None:
    done = bleak(alone(), *options, "--", program("print('not reached')"))
    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_a_node_that_is_only_called_computer_is_refused(bleak, program, tmp_path: Path) -> None:
    file = tmp_path / "other.toml"
    file.write_text(
        'title = "t"\nduration = "1s"\n[[node]]\nname = "computer"\naccessory = "ibeacon"\n'
    )
    done = bleak(str(file), "--", program(""))
    assert done.returncode == 2
    assert "a node is called 'computer' and is none" in done.stderr


# The scenario's say


def test_expectations_decide_when_the_program_does_not(bleak, program, alone) -> None:
    expect = (
        '[[expect]]\nevent = "scan_req"\nnode = "computer"\nwhy = "the program scans actively"\n'
    )
    beacon = '[[node]]\nname = "beacon"\naccessory = "thermometer"\nat = [1.0, 0.0]\n'
    scans = (
        "import asyncio\nfrom bleak import BleakScanner\nasyncio.run(BleakScanner.discover(1))\n"
    )
    held = bleak(alone(beacon + expect), "--", program(scans))
    assert (held.returncode, held.stderr) == (0, "")
    failed = bleak(alone(beacon + expect), "--", program("pass"))
    assert failed.returncode == 1
    assert "FAIL  computer: scan_req" in failed.stderr
    assert "the program scans actively" in failed.stderr
    own = bleak(alone(beacon + expect), "--", program("raise SystemExit(3)"))
    assert own.returncode == 3


def test_steps_of_the_scenario_run_beside_the_program(bleak, program, alone) -> None:
    more = """
[[node]]
name = "thermometer"
accessory = "thermometer"
at = [1.0, 0.0]
[[step]]
node = "thermometer"
do = "reboot"
at = "2s"
"""
    text = """
import asyncio
from bleak import BleakClient, BleakScanner
async def main():
    device = await BleakScanner.find_device_by_name("Thermometer")
    gone = asyncio.Event()
    async with BleakClient(device, lambda _: gone.set()):
        await gone.wait()
        print(round(asyncio.get_running_loop().time()))
asyncio.run(main())
"""
    done = bleak(alone(more), "--set", "computer.supervision_timeout_ms=2000", "--", program(text))
    assert (done.returncode, done.stdout) == (0, "4\n")  # switched off at 2 s, missed for 2 s


# Time and chance


def test_two_runs_give_one_trace(tmp_path: Path) -> None:
    traces = []
    for seed in ("1", "2"):
        file = tmp_path / f"{seed}.jsonl"
        done = process(
            ROOM,
            "--seed",
            "5",
            "--jsonl",
            str(file),
            "--",
            "examples/bleak_errors.py",
            hash_seed=seed,
        )
        assert done.returncode == 0
        traces.append(file.read_bytes())
    assert traces[0] == traces[1]
    assert traces[0].count(b"\n") > 500


def test_capture_of_the_programs_own_hci(bleak, tmp_path: Path) -> None:
    air, host = tmp_path / "air.pcapng", tmp_path / "host.btsnoop"
    done = bleak(
        ROOM,
        "--capture",
        str(air),
        "--capture",
        f"computer:{host}",
        "--",
        "examples/bleak_discover.py",
    )
    assert done.returncode == 0
    assert host.read_bytes()[:8] == b"btsnoop\0"
    assert air.stat().st_size > 10_000


def test_real_time_takes_its_time(bleak, program, alone) -> None:
    text = "import asyncio, time\nt = time.monotonic()\nasyncio.run(asyncio.sleep(0.5))\nprint(time.monotonic() - t >= 0.49)\n"
    done = bleak(alone(), "--speed", "1", "--", program(text))
    assert (done.returncode, done.stdout) == (0, "True\n")


def test_faults_are_set_as_for_run(bleak, program) -> None:
    scan = program(
        "import asyncio\nfrom bleak import BleakScanner\n"
        "print(len(asyncio.run(BleakScanner.discover(2.0))))\n"
    )
    found = bleak("thermometer_session", "--for", "10s", "--", scan)
    jammed = bleak(
        "thermometer_session", "--for", "10s", "--fault", "loss:probability=1.0", "--", scan
    )
    assert int(found.stdout) > 0
    assert int(jammed.stdout) == 0


def test_settings_in_the_help_exist(bleak, alone, program, capsys) -> None:
    with pytest.raises(SystemExit):
        main(["bleak", "--help"])
    shown = re.findall(r"computer\.\w+=\w+", capsys.readouterr().out)
    assert shown
    for one in shown:
        done = bleak(alone(), "--set", one, "--", program("print('reached')"))
        assert (done.returncode, done.stdout) == (0, "reached\n"), done.stderr
