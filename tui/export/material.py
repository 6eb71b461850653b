"""What there is to export of a run or a capture, as it was when the export was opened: a run goes on meanwhile.

Rules of the file: whatever goes through all events does it in slices (`look`); what is kept does not change any more, so
that writers on other threads may read it. No screen.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

from tui.capture_source import CaptureSource
from tui.export.packets import events_at
from tui.feed import Feed
from tui.models.packets import is_packet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sim.trace import TraceEvent
    from tui.export.job import Write
    from tui.session import Session

__all__ = ["WHAT", "Material", "spread"]

WHAT = ("shown", "marked", "all")
_SLICE = 512
_SAMPLE = 256
"""Records from which the size is told; they come from everywhere in the run."""
_SOME = 2048
"""Events that are looked through for them, where not every event is one."""
_GOLDEN = (5**0.5 - 1) / 2


def spread(positions: Sequence[int], most: int = _SAMPLE) -> Sequence[int]:
    """At most that many of them, from everywhere, in their order; in no step with what repeats itself."""
    whole = len(positions)
    if whole <= most:
        return positions
    places = sorted({int(whole * (number * _GOLDEN % 1)) for number in range(most)})
    return [positions[place] for place in places]


class Material:
    """Events, marks, the air and the picture of the screen, as they are now."""

    def __init__(self, session: Session, picture: str = "") -> None:
        self.session = session
        self.source = (
            session.source.frozen() if isinstance(session.source, Feed) else session.source
        )
        self.end = session.source.end
        self.picture = picture
        self.positions: dict[str, Sequence[int]] = {
            "shown": session.packets.positions(),
            "marked": self._marked(),
            "all": range(self.source.first, self.end),
        }
        self.is_capture = isinstance(self.source, CaptureSource)
        self.kinds: dict[str, Counter[str]] = {what: Counter() for what in WHAT}
        """packets by kind: `air`, `message`, or `hci` and a node."""
        self._looked = self.source.first
        self._at = dict.fromkeys(("shown", "marked"), 0)
        self.air_end = 0 if session.log is None else session.log.air.written
        self._sizes: dict[tuple[Any, ...], float | None] = {}
        if self.is_capture:
            self._looked = self.end

    def _marked(self) -> list[int]:
        found = (self.source.position_of(seq) for seq in self.session.packets.marks)
        return sorted(position for position in found if position is not None)

    # Counting

    @property
    def counted(self) -> bool:
        """Whether `look` has seen everything."""
        return self._looked >= self.end

    def look(self, enough: Callable[[], bool]) -> None:
        """Count on until `enough()`."""
        while self._looked < self.end:
            stop = min(self.end, self._looked + _SLICE)
            for position, event in enumerate(self.source.span(self._looked, stop), self._looked):
                if is_packet(event):
                    self._count(position, self._kind(event.layer, event.node))
            self._looked = stop
            if enough():
                return

    @staticmethod
    def _kind(layer: str, node: str) -> str:
        return "air" if layer == "air" else f"hci {node}" if layer == "hci" else "message"

    def _count(self, position: int, kind: str) -> None:
        self.kinds["all"][kind] += 1
        for what, at in self._at.items():
            positions = self.positions[what]
            if at < len(positions) and positions[at] == position:
                self.kinds[what][kind] += 1
                self._at[what] = at + 1

    def count(self, what: str) -> int:
        """Packets of a choice."""
        return len(self.positions[what]) if self.is_capture else self.kinds[what].total()

    @property
    def nodes(self) -> list[str]:
        """Nodes whose HCI is there, the scenario's order kept."""
        return [kind.removeprefix("hci ") for kind in self.kinds["all"] if kind.startswith("hci ")]

    # Names

    def file_name(self, form: str, suffix: str) -> str:
        """What to call the file, when nobody says otherwise."""
        session = self.session
        stem = re.sub(r"[^\w.-]+", "_", session.title.rpartition(".")[0] or session.title) or "run"
        seed = "" if session.seed is None else f"-{session.seed}"
        if form == "test":
            return f"test_{re.sub(r'[^0-9A-Za-z_]', '_', stem + seed)}.py"
        return f"{stem}{seed}{suffix}"

    @property
    def reveals(self) -> bool:
        """Whether the run itself writes PINs and keys as they are."""
        return self.session.request.reveal

    # For plans

    def events(self, what: str) -> Iterator[TraceEvent]:
        """The events of a choice."""
        return events_at(self.source, self.positions[what])

    def some(self, what: str) -> Iterator[TraceEvent]:
        """Some of them: enough to tell a size from."""
        return events_at(self.source, spread(self.positions[what], _SOME))

    @property
    def gone(self) -> int:
        """Events at the beginning that are not kept."""
        return 0 if self.is_capture else self.source.first + self.source.skipped

    def size(self, key: tuple[Any, ...], records: int, sample: Write) -> int | None:
        """Octets of that many records, from a sample of them; remembered under `key`. None when the sample has none."""
        if key not in self._sizes:
            stream = io.BytesIO()
            number = sample(stream, lambda _: None)
            self._sizes[key] = len(stream.getvalue()) / number if number else None
        each = self._sizes[key]
        return None if each is None else round(each * records)
