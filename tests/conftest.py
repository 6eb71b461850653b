"""Options and resources of the suite."""

from __future__ import annotations

import asyncio
import inspect

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--hw MONIKER`: the dongle that hardware tests use; without it they skip."""
    parser.addoption("--hw", metavar="MONIKER", help="dongle for the hardware tests")


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a coroutine test on a virtual-time loop: no plug-in, no waiting."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    from sim.clock import VirtualLoop

    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    names = inspect.signature(pyfuncitem.obj).parameters
    arguments = {name: value for name, value in pyfuncitem.funcargs.items() if name in names}
    try:
        loop.run_until_complete(pyfuncitem.obj(**arguments))
    finally:
        asyncio.set_event_loop(None)
        loop.close()
    return True
