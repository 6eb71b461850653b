"""Tests over real descriptors run on a real loop; what they leave behind fails them."""

from __future__ import annotations

import asyncio
import functools
import inspect
import threading
from pathlib import Path


def descriptors() -> set[int]:
    """Open descriptors of this process."""
    return {int(each.name) for each in Path("/dev/fd").iterdir()}


def real_time(test):
    """Run a coroutine test on a real loop, in at most 20 s, and look for tasks, threads and descriptors left over."""

    @functools.wraps(test)
    def run(*args, **kwargs):
        before = len(descriptors())
        asyncio.run(_bounded(test(*args, **kwargs)))
        for thread in threading.enumerate():
            if thread.name.startswith("nearbench"):
                thread.join(3)
                assert not thread.is_alive(), f"thread {thread.name} is left"
        assert len(descriptors()) <= before, "descriptors are left open"

    run.__signature__ = inspect.signature(test)
    return run


async def _bounded(work) -> None:
    async with asyncio.timeout(20):
        await work
    left = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    assert not left, f"tasks are left: {left}"
