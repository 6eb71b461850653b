"""Outside programs that judge our files. A machine without one skips with a sentence; CI may not lack any."""

from __future__ import annotations

import os
import shutil

import pytest

PACKAGES = {"tshark": "tshark", "btmon": "bluez", "editcap": "wireshark-common"}


def judge(name: str) -> str:
    """Path of the program `name`; skips the test without it, fails it when the environment has CI set."""
    path = shutil.which(name)
    if path is not None:
        return path
    message = (
        f"{name} is not installed; the package {PACKAGES.get(name, name)} has it (apt install)"
    )
    if os.environ.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
