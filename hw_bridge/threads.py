"""Calls that may block for ever, in threads that nobody waits for at the end.

Rules of the file: a result that comes too late is given to `late`, so that what it opened is closed; results come
through call_soon_threadsafe, and a loop that is closed by then is no error.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["call_in_loop", "in_thread"]

_T = TypeVar("_T")


def call_in_loop(loop: asyncio.AbstractEventLoop, callback: Callable[[], object]) -> bool:
    """Run `callback` in the loop's thread; False when the loop is closed."""
    try:
        loop.call_soon_threadsafe(callback)
    except RuntimeError:
        return False
    return True


async def in_thread(
    function: Callable[[], _T], timeout_s: float, late: Callable[[_T], object] | None = None
) -> _T:
    """What `function` returns or raises. Raises TimeoutError; then `late` gets the result when it comes.

    `late` gets it too when whoever waits is cancelled, even in the moment in which the result is there.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[_T] = loop.create_future()

    def finish(result: _T | None, error: BaseException | None) -> None:
        if error is not None:
            if not future.done():
                future.set_exception(error)
        elif not future.done():
            future.set_result(result)  # type: ignore[arg-type]  # a result where there is no error
        else:
            _discard(late, result)  # type: ignore[arg-type]  # likewise

    def work() -> None:
        result: _T | None = None
        error: BaseException | None = None
        try:
            result = function()
        except BaseException as exc:  # noqa: BLE001 # handed to whoever waits
            error = exc
        if not call_in_loop(loop, lambda: finish(result, error)) and error is None:
            _discard(late, result)  # type: ignore[arg-type]  # a result where there is no error

    threading.Thread(target=work, daemon=True, name="nearbench-blocking-call").start()
    try:
        return await asyncio.wait_for(future, timeout_s)
    except TimeoutError:
        if future.done() and not future.cancelled():  # the function's own TimeoutError
            raise
        raise TimeoutError(f"no result within {timeout_s:g} s") from None
    except asyncio.CancelledError:
        if _has_result(future):
            _discard(late, future.result())
        raise


def _has_result(future: asyncio.Future[_T]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None


def _discard(late: Callable[[_T], object] | None, result: _T) -> None:
    if late is not None:
        with contextlib.suppress(Exception):
            late(result)
