"""What starts quickly must load little: the screen library is loaded by its own command alone."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        (
            "import tui.keys, tui.filters, tui.feed, tui.session, tui.people, tui.models.rungs",
            ("textual",),
        ),
        ("import sim.control", ("textual", "bumble", "tui")),
        ("import tui.app", ("bumble", "sim.world", "sim.accessories", "protocols.dissect")),
        (
            "from tui.cli import main; main(['decode', '--kind', 'ad', '020106'])",
            ("textual", "sim.world"),
        ),
    ],
)
def test_nothing_is_loaded_that_is_not_needed(code, absent):
    script = f"{code}\nimport sys\nprint([name for name in {absent!r} if name in sys.modules])"
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert found.stdout.splitlines()[-1] == "[]", found.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="a process there has no SIGINT to end by")
def test_ctrl_c_while_it_is_loaded_leaves_no_traceback():
    script = """
import os, signal, sys
import tui.__main__ as entry

class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == "tui.cli":
            os.kill(os.getpid(), signal.SIGINT)

sys.meta_path.insert(0, Interrupting())
entry.main()
"""
    found = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stderr) == (-signal.SIGINT, "")
