"""Formats of exports: what each would write of a choice, how much that is, and what stands against it.

`plan_of` is cheap: the writers it gives run later, on a thread of their own (`tui.export.job`). One format is a row of
FORMS and a function that plans it. No screen.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from protocols.errors import NearbenchError, SimulationError
from tui.capture_source import CaptureSource
from tui.export.job import Part, Write
from tui.export.material import Material, spread
from tui.export.packets import (
    air_packets,
    capture_packets,
    hci_packets,
    json_lines,
    line_writer,
    packet_writer,
)
from tui.export.replay import Replay, replay_of
from tui.export.text import ladder_lines
from tui.text import count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from protocols.capture import Packet
    from sim.control import Control
    from tui.export.log import RunLog

__all__ = ["FORMS", "Choice", "Form", "Plan", "counted", "form_of", "plan_of"]

_HELD_S = 5.0
"""How long the world may take for an answer."""
_MOST_LOOKS = 1000
_DIED_INSIDE = "a fault of nearbench itself"


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted."""

    what: str = "shown"
    """shown, marked or all."""
    form: str = "pcapng"
    node: str = ""
    """whose HCI."""
    secrets: bool = False
    """PINs and keys as they are."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """What an export would write. With a `refusal` there is nothing to write."""

    refusal: str = ""
    notes: tuple[str, ...] = ()
    """sentences: what is left out, and why."""
    records: int | None = None
    """how many of the format's unit; None when only writing tells."""
    octets: int | None = None
    """about how large; None when only writing tells."""
    write: Write | None = None
    parts: Callable[[Path], tuple[Part, ...]] | None = None
    """the files, where they are more than one."""
    needs_secrets: bool = False
    """whether it cannot be without PINs, and they were not allowed."""
    private: bool = False
    """whether PINs or keys are in it."""
    whole: bool = False
    """whether nothing of the run is missing in it."""

    def files(self, path: Path) -> tuple[Part, ...]:
        """The files of an export called `path`."""
        if self.parts is not None:
            return self.parts(path)
        return () if self.write is None else (Part(path, self.write),)


class Form(msgspec.Struct, frozen=True):
    """A format of exports."""

    name: str
    suffix: str
    about: str
    unit: str
    """what is counted."""
    plan: Callable[[Material, Choice], Plan]
    chooses: bool = True
    """whether it takes shown, marked or all packets; the others are about the whole run."""


def form_of(name: str) -> Form:
    """The format of that name."""
    return next(form for form in FORMS if form.name == name)


def plan_of(material: Material, choice: Choice) -> Plan:
    """What an export of this choice would write."""
    if material.reveals:
        choice = msgspec.structs.replace(choice, secrets=True)
    plan = form_of(choice.form).plan(material, choice)
    if not plan.refusal and plan.records == 0:
        return Plan(refusal=f"there is nothing to write: {_nothing(choice)}")
    return plan


def counted(number: int, units: str) -> str:
    """ "1 packet", "1 204 packets"."""
    return f"{count(number)} {units.removesuffix('s') if number == 1 else units}"


def _nothing(choice: Choice) -> str:
    if choice.what == "marked":
        return "nothing of that is marked (m on Packets marks a packet)"
    kind = {"pcapng": "of the air ", "btsnoop": f"of the HCI of {choice.node} "}.get(
        choice.form, ""
    )
    return f"no packet {kind}is {'there' if choice.what == 'all' else 'shown on Packets'}"


# Packets


def _pcapng(material: Material, choice: Choice) -> Plan:
    log, what = material.session.log, choice.what
    if material.is_capture:
        return _of_capture(material, choice)
    if log is None:
        return Plan(refusal="the air of a real radio is not kept; start with --capture FILE.pcapng")
    air, end, everything = log.air, material.air_end, choice.what == "all"

    def packets() -> Iterable[Packet]:
        return air_packets(air, None if everything else material.events(what), end)

    def some() -> Iterable[Packet]:
        if everything:
            return (packet for row in spread(range(end)) for packet in air.packets(row, row + 1))
        return air_packets(air, material.some(what), end)

    kinds = material.kinds[what]
    records = end if everything else kinds["air"]
    notes: tuple[str, ...] = (air.trouble,) if air.trouble else ()
    if not everything:
        hci = sum(number for kind, number in kinds.items() if kind.startswith("hci"))
        notes += _left_out({"HCI packets": hci, "protocol messages": kinds["message"]})
    return _packets(
        material, choice, records, packets, some, notes=notes, whole=everything and not air.trouble
    )


def _btsnoop(material: Material, choice: Choice) -> Plan:
    what, node = choice.what, choice.node
    if material.is_capture:
        return _of_capture(material, choice)
    if not material.nodes:
        return Plan(refusal="no node of this run has a Bluetooth host: there is no HCI")

    def packets() -> Iterable[Packet]:
        return hci_packets(material.events(what), node)

    def some() -> Iterable[Packet]:
        return hci_packets(material.some(what), node)

    records = material.kinds[what][f"hci {node}"]
    notes = () if what == "all" else _left_out({"other packets": material.count(what) - records})
    return _packets(material, choice, records, packets, some, notes=(*notes, *_gone(material)))


def _of_capture(material: Material, choice: Choice) -> Plan:
    """Packets of a capture as they stand in it."""
    source, positions = material.source, material.positions[choice.what]
    if not isinstance(source, CaptureSource):
        raise TypeError("not a capture")
    few = spread(positions)
    hci_only = choice.form == "btsnoop"
    hci = sum(1 for _ in capture_packets(source, few, hci_only=True)) if hci_only else 0
    if hci_only and few and not hci:
        return Plan(refusal="btsnoop holds HCI, and these packets are none; pcapng takes them")

    def packets() -> Iterable[Packet]:
        return capture_packets(source, positions, hci_only=hci_only)

    def some() -> Iterable[Packet]:
        return capture_packets(source, few, hci_only=hci_only)

    mixed = hci_only and hci < len(few)
    notes = ("Packets that are not HCI are left out.",) if mixed else ()
    plan = _packets(material, choice, len(positions), packets, some, notes=notes)
    return msgspec.structs.replace(plan, records=None, octets=None) if mixed else plan


def _packets(
    material: Material, choice: Choice, records: int, packets: Callable[[], Iterable[Packet]],
    some: Callable[[], Iterable[Packet]], *, notes: tuple[str, ...] = (), whole: bool = False,
) -> Plan:  # fmt: skip
    """Packets in a capture format; `some` of them tell the size."""
    sample = packet_writer(choice.form, some)
    octets = material.size((choice.form, choice.what, choice.node), records, sample)
    return Plan(
        records=records, octets=octets, write=packet_writer(choice.form, packets), notes=notes,
        private=material.reveals, whole=whole,
    )  # fmt: skip


def _left_out(kinds: dict[str, int]) -> tuple[str, ...]:
    """A sentence on what the format cannot hold."""
    found = [counted(number, kind) for kind, number in kinds.items() if number]
    return (f"Left out: {' and '.join(found)}; jsonl has them.",) if found else ()


def _gone(material: Material) -> tuple[str, ...]:
    if not material.gone:
        return ()
    return (f"The first {count(material.gone)} events are gone; --jsonl and --capture keep all.",)


# Text


def _jsonl(material: Material, choice: Choice) -> Plan:
    source, positions = material.source, material.positions[choice.what]
    everything = choice.what == "all"

    def lines(at: Sequence[int] = positions) -> Iterable[bytes]:
        return json_lines(source, at, packets_only=not everything, reveal=choice.secrets)

    records = len(positions) if everything else material.count(choice.what)
    sample = line_writer(lambda: lines(spread(positions)))
    gone = _gone(material) if everything else ()
    return Plan(
        records=records, octets=material.size(("jsonl", choice.what, choice.secrets), records, sample),
        write=line_writer(lines), notes=gone, private=choice.secrets and not material.is_capture,
        whole=everything and not gone,
    )  # fmt: skip


def _ladder(material: Material, choice: Choice) -> Plan:
    control = material.session.control
    if control is None:
        return Plan(refusal="a capture holds packets and no run: there is no ladder of it")
    world = control.world

    def lines() -> Iterable[bytes]:
        result = control.result or world.result()
        for text in ladder_lines(world, material.events("all"), result, gone=material.gone):
            yield f"{text}\n".encode()

    return Plan(write=line_writer(lines), notes=_gone(material), private=material.reveals)


def _svg(material: Material, choice: Choice) -> Plan:
    octets = material.picture.encode()
    if not octets:
        return Plan(refusal="there is no picture of the screen")
    return Plan(records=1, octets=len(octets), write=line_writer(lambda: [octets]))


# The test


def _test(material: Material, choice: Choice) -> Plan:
    session = material.session
    control, log = session.control, session.log
    if control is None:
        return Plan(refusal="a capture holds packets and no run: there is no test of it")
    if log is None:
        return Plan(refusal="a run on a real radio cannot be repeated; jsonl keeps it")
    try:
        replay = _replay(material, control, log)
    except NearbenchError as exc:
        return Plan(refusal=str(exc))
    if replay.lost or replay.error.startswith(_DIED_INSIDE):
        return Plan(
            refusal=replay.lost
            or "the run died of a fault of nearbench itself; no test can expect that"
        )
    by_hand = sum(step.by_hand for step in replay.scenario.step)
    needs = bool(replay.secrets) and not choice.secrets
    note = f"It needs what was typed or set in the run: {counted(replay.secrets, 'PINs')}."
    return Plan(
        records=2, parts=lambda path: _test_files(material, control, log, path), needs_secrets=needs,
        notes=(f"A scenario with {counted(by_hand, 'steps')} by hand, and a pytest.", *([note] if needs else [])),
        private=bool(replay.secrets), whole=True,
    )  # fmt: skip


def _replay(material: Material, control: Control, log: RunLog) -> Replay:
    title = material.session.title
    return replay_of(title, control.world, log, error=control.error)


def _test_files(material: Material, control: Control, log: RunLog, path: Path) -> tuple[Part, ...]:
    beside = path.with_suffix(".toml")
    kept: list[Replay] = []

    def test(stream: BinaryIO, tell: Callable[[int], None]) -> int:
        kept.append(_held(control, lambda: _replay(material, control, log)))
        stream.write(kept[0].test_text(beside.name).encode())
        return 2

    def scenario(stream: BinaryIO, tell: Callable[[int], None]) -> int:
        stream.write(kept[0].scenario_text().encode())
        return 1

    return Part(path, test), Part(beside, scenario)


def _held(control: Control, look: Callable[[], Replay]) -> Replay:
    """Look while the clock is held for a moment, so that all of this instant has happened."""
    running = control.state == "running"
    if running:
        control.pause()
    before = -1
    for _ in range(_MOST_LOOKS):
        if control.state != "running" and before == control.world.trace.count:
            break
        before = control.world.trace.count
        if not control.sync(_HELD_S):
            raise SimulationError("the world does not answer; nothing was written")
    else:
        raise SimulationError("the world does not come to rest; pause it (space) and try again")
    try:
        return look()
    finally:
        if running:
            control.resume()


FORMS = (
    Form("pcapng", ".pcapng", "packets of the air, opens in Wireshark", "packets", _pcapng),
    Form("btsnoop", ".btsnoop", "HCI of one node", "packets", _btsnoop),
    Form("jsonl", ".jsonl", "one trace event per line", "events", _jsonl),
    Form(
        "ladder",
        ".txt",
        "text, as `nearbench run` prints it",
        "lines",
        _ladder,
        chooses=False,
    ),
    Form("svg", ".svg", "the screen behind as a picture", "pictures", _svg, chooses=False),
    Form("test", ".py", "scenario and pytest that repeat it", "files", _test, chooses=False),
)
