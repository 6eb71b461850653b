"""What the screens look at: a run with its control, or an opened capture; and the models that are fed from it.

One object per run. A restart makes a new one, so that nothing of the old run can be left on a screen. No screen.
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.capture import open_reader
from protocols.errors import NearbenchError, UsageError
from sim import scenario as scenarios
from sim.accessories import Accessory
from sim.control import Control
from sim.fault_schedule import with_faults
from sim.recording import Recorder, free_name
from sim.world import World
from tui.bench.role import Role
from tui.capture_source import CaptureSource
from tui.diagnosis import Inquiries
from tui.export.log import RunLog
from tui.feed import RING, Feed
from tui.files import STANDARD_INPUT, given_file, is_file, means_capture
from tui.models.advertisers import Advertisers
from tui.models.outcomes import Outcomes
from tui.models.packet_list import DEFAULT_FILTER, PacketList
from tui.models.pairing_values import Values
from tui.models.rungs import Rungs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sim.scenario import Scenario
    from sim.trace import TraceEvent
    from tui.bench.links import BridgeLink
    from tui.feed import Source
    from tui.files import GivenFile
    from tui.models.outcomes import Outcome

__all__ = [
    "Request",
    "Session",
    "capture_named",
    "into_new_files",
    "open_session",
    "session_on",
]

_CATCH_UP = 4000
"""Packets of a capture that the screen Air learns of at once."""


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """What to show and how: the options of `nearbench tui`."""

    what: str
    """scenario by name or path, or path of a capture."""
    seed: int | None = None
    settings: dict[str, Any] = {}
    faults: tuple[str, ...] = ()
    speed: float | None = 1.0
    """simulated seconds per second; None = as fast as possible."""
    until_us: int | None = None
    """simulated time; None = the scenario's."""
    captures: tuple[str, ...] = ()
    jsonl: str = ""
    new_files: tuple[str, ...] = ()
    """those of `captures` and `jsonl` that go beside a file that exists, under the next name that is free."""
    unasked: tuple[str, ...] = ()
    """those of `captures` that nobody asked for: where one cannot be written, the run goes without it."""
    reveal: bool = False
    moniker: str = ""
    """dongle of a run on real hardware; `what` is only its name then."""
    role: Role | None = None
    """what is on that dongle."""
    play: tuple[str, ...] = ("phone",)
    """who is played at the screen: phone, accessory (all of that kind), or names of nodes."""


def into_new_files(request: Request) -> Request:
    """The same, into files beside those that hold an earlier run: air.pcapng, air-2.pcapng, and so on."""
    captures = tuple(_free(target) for target in request.captures)
    jsonl = request.jsonl and free_name(request.jsonl)
    unasked = tuple(_free(target) for target in request.unasked)
    return msgspec.structs.replace(
        request, captures=captures, jsonl=jsonl, new_files=(*captures, jsonl), unasked=unasked
    )


def _free(target: str) -> str:
    """`[NODE:]FILE` with a file that does not exist."""
    node, colon, name = target.partition(":") if not Path(target).drive else (target, "", "")
    free = free_name(name or node)
    return f"{node}{colon}{free}" if colon else free


class Session:
    """A run or a capture, and what is known of it."""

    def __init__(
        self, request: Request, source: Source, title: str, parties: Sequence[str] = ()
    ) -> None:
        self.request = request
        self.source = source
        self.title = title
        self.control: Control | None = None
        self.scenario: Scenario | None = None
        self.recorder: Recorder | None = None
        self.seed: int | None = None
        self.packets = PacketList(source, "" if self.is_capture else DEFAULT_FILTER)
        self.air = Advertisers()
        self.rungs = Rungs(parties)
        self.values = Values()
        self.outcomes = Outcomes()
        self.inquiries = Inquiries()
        self.last: TraceEvent | None = None
        """the latest event for people."""
        self.events = 0
        self.log: RunLog | None = None
        """what a run keeps for exports."""
        self.saved = False
        """whether the run is being written to a file."""
        self.exported = False
        """whether all of it was exported."""
        self.bridge: BridgeLink | None = None
        """dongle of a run on real hardware, whose time is that of the clock on the wall."""
        self.notice = ""
        """what has to be said when it begins."""
        self._looked = 0
        self._closed = False

    @property
    def is_capture(self) -> bool:
        """Whether it is a capture file."""
        return isinstance(self.source, CaptureSource)

    @property
    def own_scenario(self) -> str:
        """Name or path of the scenario that runs; empty where none does."""
        return "" if self.is_capture or self.request.moniker else self.request.what

    @property
    def now_us(self) -> int:
        """Simulated time; of a capture, the time of its last packet that was read."""
        if self.control is not None:
            return self.control.now_us
        return (
            self.source.at(self.source.end - 1).t_us if self.source.end > self.source.first else 0
        )

    @property
    def is_unsaved(self) -> bool:
        """Whether something would be lost by leaving."""
        return (
            self.control is not None
            and self.events > 0
            and not ((self.saved and not self.trouble) or self.exported)
        )

    @property
    def trouble(self) -> str:
        """Why a file of the run is not written any more; empty while all are."""
        return "" if self.recorder is None else "; ".join(self.recorder.troubles.values())

    @property
    def about(self) -> dict[str, str]:
        """Party -> what it is."""
        if self.scenario is None:
            return {}
        return {spec.name: Path(spec.accessory or spec.phone).stem for spec in self.scenario.node}

    def given_up(self, good: Outcome) -> Outcome | None:
        """The failure of the other side, or of this one later, in a pairing that one side calls good."""
        return self.outcomes.given_up(good, self.values.begun({good.node, good.peer}))

    def pull(self) -> list[Outcome]:
        """Take in what has come; the ends of pairings among it."""
        events = self.source.pull()
        if not events:
            if self.control is None:
                self._catch_up()
            return []
        self.events += len(events)
        self.packets.take(events)
        self.air.feed(events)
        self.rungs.feed(events)
        self.values.feed(events)
        self._note_last(events)
        return self.outcomes.feed(events)

    def _note_last(self, events: Sequence[TraceEvent]) -> None:
        for event in reversed(events):
            if (
                event.layer in ("air", "hci")
                or event.fields.get("quiet")
                or event.fields.get("often")
            ):
                continue
            self.last = event
            return

    def _catch_up(self) -> None:
        """The packets of a capture come by position: a slice of them for the models that want all."""
        end = min(self.source.end, self._looked + _CATCH_UP)
        if end > self._looked:
            self.air.feed([self.source.at(position) for position in range(self._looked, end)])
            self._looked = end
            self.events = end

    def setting(self, node: str, name: str) -> Any:
        """A setting of a device; None where there is none."""
        device = None if self.control is None else self.control.world.devices.get(node)
        return None if device is None else getattr(device.settings, name, None)

    def close(self) -> dict[str, int]:
        """End the run, finish its files; packets per file. Nothing the second time."""
        if self._closed:
            return {}
        self._closed = True
        if self.control is not None:
            self.control.stop()
        written = {} if self.recorder is None else self.recorder.close()
        if isinstance(self.source, CaptureSource):
            self.source.close()
        if self.log is not None:
            self.log.close()
        return written


def open_session(request: Request, file: GivenFile | None = None) -> Session:
    """A session that has not started yet; `file` when it was opened before. Raises UsageError and its kin, NodeError."""
    if request.moniker:
        from tui.bench.run import open_bench  # serial ports and the like are loaded for it alone

        return open_bench(request)
    file = file or capture_named(request.what)
    if file is not None:
        return Session(request, CaptureSource(file), Path(file.name).name)
    scenario = with_faults(
        scenarios.with_settings(scenarios.load(request.what), request.settings),
        list(request.faults),
    )
    world = World(
        scenario, seed=request.seed, speed=request.speed, capacity=RING, reveal=request.reveal
    )
    return session_on(request, world, Path(scenario.file).stem)


def capture_named(what: str) -> GivenFile | None:
    """The capture of that name, open; None where a scenario is meant. Raises UsageError for a trace, and for neither."""
    if scenarios.is_name(what) or what.endswith(".toml") or not is_file(what):
        return None
    if what == STANDARD_INPUT:
        raise UsageError(
            "-: the keyboard has the standard input; name a file, or a pipe of your own (mkfifo)"
        )
    file = given_file(what)
    if file.capture is not None:
        return file
    try:
        if file.is_trace:
            raise UsageError(
                f"{file.name}: the trace of a run has no screen; `nearbench explain {what}` reads it, and a capture "
                "(--capture) can be opened"
            )
        if file.is_text and not file.is_pipe and not means_capture(what):
            return None
        if file.is_text and file.is_pipe:
            raise UsageError(
                f"{file.name}: not a capture; a scenario is read from a file, because it can be run again"
            )
        open_reader(file.stream, file.name)  # says what it looks like
        raise UsageError(f"{file.name}: not a capture")
    finally:
        file.close()


def session_on(request: Request, world: World, title: str) -> Session:
    """A session on a world, which is closed when that cannot be. Raises UsageError and its kin."""
    recorder = Recorder(world, goes_on=True)  # the screen tells of a file that is lost
    log = RunLog(world)
    try:
        request, notice = _opened(request, recorder)
        control = Control(world, played=_played(request, world), until_us=request.until_us)
    except BaseException:
        recorder.close()
        log.close()
        world.close()
        raise
    parties = sorted(world.parties(), key=lambda name: isinstance(world.devices[name], Accessory))
    session = Session(request, Feed(world.trace), title, parties)
    session.control, session.scenario, session.recorder = control, world.scenario, recorder
    session.seed, session.log, session.notice = world.seed, log, notice
    log.played = {name for name in world.devices if control.is_played(name)}
    session.saved = bool(request.captures or request.jsonl)
    return session


def _opened(request: Request, recorder: Recorder) -> tuple[Request, str]:
    """Open the files of a request; the request with the names that they got, and what to say of one that is missing."""
    new, notice = request.new_files, ""
    captures: list[str] = []
    for target in request.captures:
        try:
            captures.append(recorder.capture(target, new=target in new))
        except NearbenchError as exc:
            if target not in request.unasked:
                raise
            notice = f"{exc}: this run is in no file"
    jsonl = request.jsonl
    if jsonl:  # "-" is refused by the command
        jsonl = recorder.jsonl(jsonl, io.BytesIO(), new=jsonl in new)
    return msgspec.structs.replace(request, captures=tuple(captures), jsonl=jsonl), notice


def _played(request: Request, world: World) -> list[str]:
    """Names of the nodes whose people are played at the screen. Raises UsageError."""
    found: list[str] = []
    for wanted in request.play:
        if wanted == "none":
            continue
        kinds = {"phone": False, "accessory": True}
        if wanted in kinds and wanted not in world.devices:
            found += [
                name
                for name, device in world.devices.items()
                if isinstance(device, Accessory) is kinds[wanted]
            ]
        elif wanted in world.devices:
            found.append(wanted)
        else:
            names = ", ".join(world.devices)
            raise UsageError(f"--play {wanted}: give phone, accessory, none, or a node ({names})")
    return found
