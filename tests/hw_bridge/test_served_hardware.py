"""The tests for a real dongle, on a controller that `bridge expose` serves: they pass, or skip with a reason."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from tests.hw_bridge.served import Program, nearbench

ROOT = Path(__file__).parents[2]


@pytest.mark.slow
def test_the_tests_for_a_dongle_pass_on_a_served_controller_one_after_the_other():
    with nearbench("bridge", "expose", "thermometer_session") as served:
        moniker = served.until("\n").split()[0]
        words = ("-m", "pytest", "-p", "no:cacheprovider", "-n0", "-rsfE", f"--rootdir={ROOT}")
        with Program(
            sys.executable,
            *words,
            ROOT / "tests" / "hw_bridge" / "test_hardware.py",
            "--hw",
            moniker,
        ) as tests:
            assert tests.finish(60) == 0, tests.output
        assert served.stop() == 0
    assert re.search(r"\b3 passed, 2 skipped\b", tests.output), tests.output
    assert len(re.findall(r"(?m)^SKIPPED .*: \w+", tests.output)) == 2, "each with its reason"
    assert "another client has it" not in tests.output
