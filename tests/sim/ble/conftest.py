"""Makes the helpers beside the tests importable (the tests are no package), and closes the loops they open."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(autouse=True)
def _close_loops() -> Iterator[None]:
    """Close every loop of `connected` when the test is over."""
    import connected

    yield
    while connected.LOOPS:
        loop = connected.LOOPS.pop()
        loop.run_until_us(loop.now_us)
        loop.close()
