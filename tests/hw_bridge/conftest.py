"""Fixtures of these tests: that of projects (`pytest_plugins = ["hw_bridge.testing"]`), and a folder for locks."""

from __future__ import annotations

import shutil
import tempfile

import pytest

from hw_bridge.testing import bleak_air

__all__ = ["bleak_air"]


@pytest.fixture(scope="session", autouse=True)
def own_folder():
    """Locks and sockets of these tests are not among the user's; its path is short, as a socket's has to be."""
    folder = tempfile.mkdtemp(prefix="nb")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", folder)
        yield folder
    shutil.rmtree(folder)
