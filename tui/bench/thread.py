"""The thread on which dongles are opened, tested and looked for, so that the interface never waits for one.

Rules of the file: one loop, one thread, begun with the first wish and ended with the app within CLOSE_S; results come as
futures; what is listed is listed without opening anything.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

from hw_bridge.errors import MuteError
from hw_bridge.identify import READ_ADDRESS
from hw_bridge.probe import probe
from hw_bridge.states import SERVING, State
from hw_bridge.threads import in_thread
from protocols.errors import NearbenchError, UsageError
from tui.bench.links import BridgeLink

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from concurrent.futures import Future

    from hw_bridge.discover import Candidate
    from hw_bridge.probe import ProbeReport, ProbeSettings
    from hw_bridge.session import SessionSettings

__all__ = ["CLOSE_S", "BridgeThread"]

CLOSE_S: Final = 5.0
_PING_S: Final = 1.0
_CANCEL_S: Final = 0.2
_LOOK_S: Final = 5.0
_TEST_S: Final = 120.0
"""A test tries several bauds; it ends by itself long before this."""

T = TypeVar("T")


def _candidates() -> list[Candidate]:
    from hw_bridge.discover import candidates  # looks through sysfs and pyserial

    return candidates()


class BridgeThread:
    """Sessions by moniker; every public method may be called from any thread."""

    def __init__(
        self,
        *,
        settings: SessionSettings | None = None,
        probing: ProbeSettings | None = None,
        look: Callable[[], list[Candidate]] = _candidates,
    ) -> None:
        self.links: dict[str, BridgeLink] = {}
        self.busy: dict[str, str] = {}
        """moniker -> what is being done to it."""
        self.told: dict[str, str] = {}
        """moniker -> what the test that runs said last."""
        self.reports: dict[str, ProbeReport] = {}
        self.found: tuple[Candidate, ...] | None = None
        """what may be a controller; None before it was looked for."""
        self.trouble = ""
        """why it could not be looked for."""
        self._settings = settings
        self._probing = probing
        self._look = look
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._pulses: dict[str, asyncio.Task[None]] = {}
        self._tests: set[asyncio.Task[Any]] = set()
        self._looking = False
        self._is_closed = False

    # Wishes

    def look(self) -> None:
        """Look for dongles, unless that is going on."""
        if not self._looking:
            self._looking = True
            self._submit(self._look_around())

    def connect(self, moniker: str) -> Future[None]:
        """Begin to use a dongle; its link says what becomes of that."""
        return self._submit(self._connect(moniker))

    def disconnect(self, moniker: str) -> Future[None]:
        """Leave a dongle as after a Reset; harmless when it is not connected."""
        return self._submit(self._disconnect(moniker))

    def test(self, moniker: str) -> Future[ProbeReport]:
        """What is behind a moniker; a dongle in use is left before and taken again afterwards."""
        return self._submit(self._test(moniker))

    def close(self, timeout_s: float = CLOSE_S) -> bool:
        """Leave every dongle and end the thread, for good; False when that took too long."""
        self._is_closed = True
        loop, thread = self._loop, self._thread
        if loop is None or thread is None:
            return True
        self._loop = self._thread = None
        ended = asyncio.run_coroutine_threadsafe(self._end(), loop)
        with contextlib.suppress(
            concurrent.futures.TimeoutError, concurrent.futures.CancelledError
        ):
            ended.result(timeout_s)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(timeout_s)
        return not thread.is_alive()

    # The thread

    def _submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """The result of `work`, done by the thread; cancelled when that has ended."""
        if self._is_closed:
            work.close()
            too_late: Future[T] = concurrent.futures.Future()
            too_late.cancel()
            return too_late
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=_run, args=(self._loop,), name="nearbench-bridges", daemon=True
            )
            self._thread.start()
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def _look_around(self) -> None:
        found, trouble = self.found or (), ""
        try:
            found = tuple(await in_thread(self._look, _LOOK_S))
        except (OSError, TimeoutError, ImportError, NearbenchError) as exc:
            trouble = f"ports could not be listed: {exc}"
        finally:
            self._looking = False
        self.found, self.trouble = found, trouble

    async def _connect(self, moniker: str) -> None:
        old = self.links.get(moniker)
        if old is not None and old.session.state is not State.CLOSED:
            return
        link = BridgeLink(moniker, settings=self._settings)
        link.loop = asyncio.get_running_loop()
        self.links[moniker] = link
        link.session.start()
        self._pulses[moniker] = asyncio.ensure_future(_pulse(link))

    async def _disconnect(self, moniker: str) -> None:
        link = self.links.get(moniker)
        if link is None:
            return
        with self._doing(moniker, "leaving"):
            pulse = self._pulses.pop(moniker, None)
            if pulse is not None:
                pulse.cancel()
            await link.session.close()
            self.links.pop(moniker, None)

    @contextlib.contextmanager
    def _doing(self, moniker: str, what: str) -> Generator[None]:
        if moniker in self.busy:
            raise UsageError(f"{moniker}: wait until it is done ({self.busy[moniker]})")
        self.busy[moniker] = what
        try:
            yield
        finally:
            self.busy.pop(moniker, None)

    async def _test(self, moniker: str) -> ProbeReport:
        was_used = moniker in self.links
        await self._disconnect(moniker)
        task = asyncio.current_task()
        if task is not None:
            self._tests.add(task)
            task.add_done_callback(self._tests.discard)
        try:
            with self._doing(moniker, "testing"):
                async with asyncio.timeout(_TEST_S):
                    self.reports[moniker] = await probe(
                        moniker,
                        settings=self._probing,
                        tell=lambda text: self.told.update({moniker: text}),
                    )
        except TimeoutError:
            raise MuteError(f"{moniker}: the test took more than {_TEST_S:g} s") from None
        finally:
            self.told.pop(moniker, None)
            if was_used and self._loop is not None:
                await self._connect(moniker)
        return self.reports[moniker]

    async def _end(self) -> None:
        while self._tests:  # asyncio.wait_for of Python 3.11 may swallow one cancellation
            for task in self._tests:
                task.cancel()
            await asyncio.wait(self._tests, timeout=_CANCEL_S)
        await asyncio.gather(*map(self._disconnect, [*self.links]), return_exceptions=True)


async def _pulse(link: BridgeLink) -> None:
    """Take the time of a harmless command once in a while, as long as the controller is in use."""
    loop, session = asyncio.get_running_loop(), link.session
    while session.life.port.needs_probe and session.state is not State.CLOSED:
        if session.state in SERVING:
            begun_s = loop.time()
            try:
                await session.command(READ_ADDRESS)
                link.round_trip_us = round((loop.time() - begun_s) * 1e6)
            except MuteError:
                link.round_trip_us = -1
            await asyncio.sleep(_PING_S)
        else:
            await session.wait_for(*SERVING, timeout_s=_PING_S)


def _run(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        left = asyncio.all_tasks(loop)
        for task in left:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
    finally:
        loop.close()
