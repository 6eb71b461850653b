"""What the screen Bridges shows and does: dongles that were found, added, opened here, and the one of the run.

No screen library here. Nothing is opened that nobody asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from hw_bridge.quirks import quirk_for
from hw_bridge.transports import parse
from tui.bench.thread import BridgeThread
from tui.models.bridges import BridgeView

if TYPE_CHECKING:
    from concurrent.futures import Future

    from hw_bridge.discover import Candidate
    from hw_bridge.probe import ProbeReport
    from tui.bench.links import BridgeLink

__all__ = ["Bridges"]


class Bridges:
    """The dongles of this interface."""

    def __init__(self, thread: BridgeThread | None = None) -> None:
        self.thread = thread or BridgeThread()
        self.added: list[str] = []
        """monikers that were typed, or stand on the command line."""
        self.run_link: BridgeLink | None = None
        """the dongle of the run that is shown."""
        self._known: tuple[Candidate, ...] | None = None
        self._base: dict[str, BridgeView] = {}

    # Looking

    def views(self) -> list[BridgeView]:
        """Every dongle as it is now: those found, then those added; they keep their places."""
        found = self.thread.found
        if found is not None and found is not self._known:
            self._known = found
            for moniker in [*self.thread.links]:  # found before, and gone now
                if moniker in self._base and all(one.moniker != moniker for one in found):
                    self.added.append(moniker)
            self._base = {one.moniker: _view_of(one) for one in found}
        if self.run_link is not None:
            self._remember(self.run_link.moniker)
        monikers = dict.fromkeys([*self._base, *self.added])
        return [self._view(moniker) for moniker in monikers]

    def _view(self, moniker: str) -> BridgeView:
        base = self._base.get(moniker) or BridgeView(moniker=moniker)
        report = self.thread.reports.get(moniker)
        if report is not None:
            base = msgspec.structs.replace(base, verdict=report.verdict)
        link = self.link(moniker)
        view = base if link is None else link.view(base)
        busy = self.thread.busy.get(moniker, "")
        told = self.thread.told.get(moniker, "")
        return msgspec.structs.replace(view, busy=busy, told=told) if busy else view

    def link(self, moniker: str) -> BridgeLink | None:
        """The open session of a dongle."""
        if self.run_link is not None and self.is_of_run(moniker):
            return self.run_link
        return self.thread.links.get(moniker)

    def is_of_run(self, moniker: str) -> bool:
        """Whether the run that is shown has it; a run that is over has given it back."""
        link = self.run_link
        return link is not None and link.moniker == moniker and link.session.state.value != "closed"

    def report(self, moniker: str) -> ProbeReport | None:
        """What the last test found."""
        return self.thread.reports.get(moniker)

    @property
    def trouble(self) -> str:
        """Why ports could not be listed."""
        return self.thread.trouble

    @property
    def has_looked(self) -> bool:
        """Whether it is known what is plugged in."""
        return self.thread.found is not None

    # Acting

    def look(self) -> None:
        """Look for dongles."""
        self.thread.look()

    def add(self, moniker: str) -> None:
        """One more dongle by name. Raises BadMonikerError, UnknownNameError."""
        parse(moniker)
        self._remember(moniker)

    def _remember(self, moniker: str) -> None:
        """It keeps its place while it is away, and when it is given back."""
        if moniker not in self.added and moniker not in self._base:
            self.added.append(moniker)

    def connect(self, moniker: str) -> Future[None]:
        """Begin to use it. Raises BadMonikerError, UnknownNameError."""
        self.add(moniker)
        return self.thread.connect(moniker)

    def disconnect(self, moniker: str) -> Future[None]:
        """Give it back."""
        return self.thread.disconnect(moniker)

    def test(self, moniker: str) -> Future[ProbeReport]:
        """Find out what it is and can do. Raises BadMonikerError, UnknownNameError."""
        self.add(moniker)
        return self.thread.test(moniker)

    def close(self) -> bool:
        """Give everything back; False when that took too long."""
        return self.thread.close()


def _view_of(candidate: Candidate) -> BridgeView:
    info, quirk = candidate.info, quirk_for(candidate.info)
    return BridgeView(
        moniker=candidate.moniker,
        is_found=True,
        product=info.product,
        node=info.node,
        ids="" if info.vid is None else f"{info.vid:04x}:{info.pid or 0:04x}",
        protocols=candidate.protocols,
        holders=candidate.holders,
        may_open=candidate.may_open,
        note=candidate.note,
        quirk="" if quirk is None else f"{quirk.name}: {quirk.note}".rstrip(": "),
    )
