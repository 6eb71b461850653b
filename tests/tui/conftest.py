"""How tests wait for the interface to come to rest."""

from __future__ import annotations

import asyncio
import time

import pytest
import textual.app
import textual.pilot

_STEP_S = 0.004
_AT_REST = 0.1
"""Largest part of a step in which a process at rest computes."""


async def _rest(min_sleep: float = _STEP_S, max_sleep: float = 1.0) -> None:
    """Textual's `wait_for_idle` in shorter steps: until no thread of the process computes."""
    begun_s = time.monotonic()
    while True:
        used_s = time.process_time()
        await asyncio.sleep(_STEP_S)
        used_s, elapsed_s = time.process_time() - used_s, time.monotonic() - begun_s
        if elapsed_s >= max_sleep or (used_s < _STEP_S * _AT_REST and elapsed_s > min_sleep):
            return


@pytest.fixture(autouse=True, scope="session")
def short_rests():
    """A key costs about 10 ms instead of 60 ms."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (textual.app, textual.pilot):
            patch.setattr(module, "wait_for_idle", _rest)
        yield
