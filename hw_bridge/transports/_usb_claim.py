"""Opening a USB controller with bumble, in a thread: libusb waits for devices, hubs and drivers while it does.

bumble 0.0.236 transport/usb.py makes its parts with the running loop. Rules of the file: the thread has a loop to show
that hands tasks over to the real one; one opening at a time, because bumble's module is changed meanwhile; what
comes too late is closed.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final

from hw_bridge.errors import BusyError
from hw_bridge.link import CLOSE_S, OPEN_S
from hw_bridge.threads import call_in_loop, in_thread

if TYPE_CHECKING:
    from collections.abc import Coroutine, Generator

__all__ = ["claim", "give_back"]

_INTERRUPT_IN: Final = 3
"""Place of that endpoint in what bumble finds."""
_THREAD_S: Final = 30.0
"""How long libusb's thread has to end; nobody but a thread of our own waits for it."""
_OPENING: Final = threading.Lock()
_CLOSING: Final[set[asyncio.Task[None]]] = set()
"""Keeps what is being closed alive."""


async def claim(target: str, octets: int | None) -> Any:
    """bumble's transport; reads of `octets`, 0 for the endpoint's packet size, None for bumble's own.

    Raises BusyError (another opening hangs), TimeoutError, and what bumble and libusb raise.
    """
    loop = asyncio.get_running_loop()

    def late(transport: Any) -> None:
        if not call_in_loop(loop, lambda: _begin_closing(transport)):
            release(transport)

    return await in_thread(lambda: _claim(target, octets, loop), OPEN_S, late)


def _claim(target: str, octets: int | None, loop: asyncio.AbstractEventLoop) -> Any:
    from bumble.transport import usb  # third parties are imported when they are used

    if not _OPENING.acquire(timeout=OPEN_S / 2):
        raise BusyError(
            f"usb:{target}: libusb still hangs in an earlier opening; unplug that device, start anew"
        )
    try:
        with _shown(loop), _contained(usb, octets):
            return _run(usb.open_usb_transport(target))
    finally:
        _OPENING.release()


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that never waits."""
    try:
        work.send(None)
    except StopIteration as done:
        return done.value
    work.close()
    raise RuntimeError("bumble waits for the loop while it opens")


class _ShownLoop:
    """What is the running loop of the thread: the real one, except that tasks are made over there."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loop, name)

    def create_task(self, work: Coroutine[Any, Any, Any], **rest: Any) -> asyncio.Task[Any]:
        made: concurrent.futures.Future[asyncio.Task[Any]] = concurrent.futures.Future()
        if not call_in_loop(
            self._loop, lambda: made.set_result(self._loop.create_task(work, **rest))
        ):
            work.close()
            raise RuntimeError("the loop ended while a USB device was opened")
        return made.result(OPEN_S)


@contextlib.contextmanager
def _shown(loop: asyncio.AbstractEventLoop) -> Generator[None]:
    shown: Any = _ShownLoop(loop)
    asyncio._set_running_loop(shown)
    try:
        yield
    finally:
        asyncio._set_running_loop(None)


@contextlib.contextmanager
def _contained(usb: Any, octets: int | None) -> Generator[None]:
    """Inside the block transfers get this size, and what a failure leaves open is closed."""
    size, find_endpoints, make_context = usb.READ_SIZE, usb.find_endpoints, usb.usb1.USBContext
    contexts: list[Any] = []

    def recorded(*args: Any, **rest: Any) -> Any:
        contexts.append(make_context(*args, **rest))
        return contexts[-1]

    def sized(*args: Any, **rest: Any) -> Any:
        found = find_endpoints(*args, **rest)
        if found is not None and octets is not None:
            usb.READ_SIZE = octets or found[_INTERRUPT_IN].getMaxPacketSize()
        return found

    usb.usb1.USBContext, usb.find_endpoints = recorded, sized
    try:
        yield
    except BaseException:
        for context in contexts:
            with contextlib.suppress(Exception):  # the first error is the one that counts
                context.close()
        raise
    finally:
        usb.READ_SIZE, usb.find_endpoints, usb.usb1.USBContext = size, find_endpoints, make_context


async def give_back(transport: Any) -> None:
    """Close a transport; that goes on when whoever waits for it is cancelled. Raises nothing else."""
    await asyncio.shield(_begin_closing(transport))


def _begin_closing(transport: Any) -> asyncio.Task[None]:
    task = asyncio.get_running_loop().create_task(_close_each(transport))
    _CLOSING.add(task)
    task.add_done_callback(_CLOSING.discard)
    return task


async def _close_each(transport: Any) -> None:
    """Each step on its own; bumble's own `close` stops at the first that fails."""
    transport.closed = True
    try:
        for end in (transport.source, transport.sink):
            with contextlib.suppress(Exception):  # a vanished device makes any step fail
                async with asyncio.timeout(CLOSE_S / 4):
                    await end.terminate()
    finally:  # also where the loop ends
        with contextlib.suppress(TimeoutError):  # the thread goes on by itself
            await in_thread(lambda: release(transport), CLOSE_S / 2)


def release(transport: Any) -> None:
    """End libusb's thread, then free what it used; what it still uses is left to it."""
    with transport.lock:
        transport.event_loop_should_exit = True
    with contextlib.suppress(Exception):
        transport.context.interruptEventHandler()
    transport.event_thread.join(_THREAD_S)
    if transport.event_thread.is_alive():
        return
    interfaces = [each for each in (transport.acl_interface, transport.sco_interface) if each]
    steps = [
        lambda each=each: transport.device.releaseInterface(each.getNumber()) for each in interfaces
    ]
    for step in (*steps, transport.device.close, transport.context.close):
        with contextlib.suppress(Exception):
            step()
