"""What passes between a host and its controller, kept as pcapng while it happens.

Digest 8.4. Rules of the file: times are those of the session's monotonic clock, tied to the date once at the beginning,
so that they never go back; everything is in the file within FLUSH_S, changes of state at once; keys are zeros unless
they are to be revealed, and octets of the line, which hold them too, are kept only then. What was lost stands in the
drop count of the next packet and as text.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Final

from hw_bridge.keys_hidden import KeyHider
from hw_bridge.pcapng_file import UPPER_PDU, PcapngFile, text_pdu
from hw_bridge.states import State

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from hw_bridge.session import Session
    from hw_bridge.states import Transition

__all__ = ["FLUSH_S", "Recording"]

FLUSH_S: Final = 0.1
"""Everything is in the file after this time at the latest."""
_HCI_WITH_DIRECTION, _OCTETS = 201, 147
_HCI, _TEXT, _LINE = 0, 1, 2
_SENT, _RECEIVED = bytes(4), b"\0\0\0\x01"
_NOTICE: Final = {
    False: "PINs and keys are replaced by zeros; --reveal keeps them",
    True: "holds PINs and keys as they are",
}
_QUIET: Final = ("octets sent", "octets received", "octets skipped")
_EXCERPT_OCTETS: Final = 32


class Recording:
    """A tap of `session` that writes to `path`; `close` it.

    `octets` keeps the octets of the line beside the packets. Raises UsageError (the file cannot be made, or octets
    without `reveal`).
    """

    def __init__(
        self,
        session: Session,
        path: str | Path,
        *,
        reveal: bool = False,
        octets: bool = False,
        tell: Callable[[str], object] = lambda text: None,
        wall_us: Callable[[], int] = lambda: time.time_ns() // 1000,
    ) -> None:
        name = session.life.name
        interfaces = [
            (_HCI_WITH_DIRECTION, name, "HCI"),
            (UPPER_PDU, f"{name} bridge", "its state"),
        ]
        self._octets = octets and reveal
        if self._octets:
            interfaces.append((_OCTETS, f"{name} line", "octets of the line"))
        self._file = PcapngFile(
            path, interfaces, comment=_NOTICE[reveal], private=reveal, failed=tell
        )
        self._packets = 0
        self._session = session
        self._loop = asyncio.get_running_loop()
        self._offset_us = wall_us() - round(self._loop.time() * 1e6)
        self._hider = None if reveal else KeyHider()
        self._lost: dict[str, int] = dict(session.counters())
        self._drops = 0
        self._skipped_us = -1
        self._timer: asyncio.TimerHandle | None = None
        self._stop = session.tap(self)
        self._say(f"{session.state.value}: {session.life.reason}", round(self._loop.time() * 1e6))

    @property
    def written(self) -> int:
        """Packets in the file, text included."""
        return self._file.written

    @property
    def told(self) -> str:
        """What is in the file, for people."""
        return f"{self._packets} packets, {self.written - self._packets} notes about the bridge"

    @property
    def is_open(self) -> bool:
        """Whether it still records."""
        return self._file.is_open

    def close(self) -> None:
        """End the file."""
        self._stop()
        if self._timer is not None:
            self._timer.cancel()
        self._look()
        self._file.close()

    # Tap

    def on_packet(self, packet: bytes, *, sent: bool, t_us: int) -> None:
        """A packet between host and controller."""
        kept = packet if self._hider is None else self._hider.hide(packet, sent=sent)
        comment = "" if kept is packet else "key octets replaced by zeros"
        drops, self._drops = self._drops, 0
        direction = _SENT if sent else _RECEIVED
        t_us += self._offset_us
        self._file.packet(_HCI, t_us, direction + kept, sent=sent, drops=drops, comment=comment)
        self._packets += 1
        self._arm()

    def on_octets(self, octets: bytes, *, sent: bool, t_us: int) -> None:
        """Octets on the line."""
        if self._octets:
            self._file.packet(_LINE, t_us + self._offset_us, octets, sent=sent)
        self._arm()

    def on_transition(self, transition: Transition) -> None:
        """The state changed."""
        self._look()
        text = f"{transition.state.value}: {transition.reason} (generation {transition.generation})"
        if transition.state is State.READY:
            text += self._who()
        self._say(text, transition.t_us)
        self._file.flush()

    def _who(self) -> str:
        """What is known of the controller."""
        life = self._session.life
        words: list[str] = []
        if life.facts is not None:
            facts = life.facts
            words.append(f"company {facts.manufacturer:#06x}, HCI version {facts.hci_version}")
        if life.quirk is not None:
            words.append(f"quirk applied: {life.quirk.name}")
        return "".join(f"; {each}" for each in words)

    def _say(self, text: str, t_us: int) -> None:
        self._file.packet(_TEXT, t_us + self._offset_us, text_pdu(text), comment=text)

    # In time

    def _arm(self) -> None:
        if self._timer is None:
            self._timer = self._loop.call_later(FLUSH_S / 2, self._on_timer)

    def _on_timer(self) -> None:
        self._timer = None
        self._look()
        self._file.flush()

    def _look(self) -> None:
        """Note what was lost since the last look."""
        now_us = round(self._loop.time() * 1e6)
        counters = self._session.counters()
        for reason, count in counters.items():
            more = count - self._lost.get(reason, 0)
            if more > 0 and reason not in _QUIET and not reason.endswith(" notes"):
                self._drops += more
                self._say(f"lost: {more} {reason}", now_us)
        self._lost = dict(counters)
        for skipped in self._session.skipped:
            if skipped.t_us > self._skipped_us:
                shown = skipped.octets[:_EXCERPT_OCTETS].hex(" ")
                more = len(skipped.octets)
                self._say(f"skipped: {more} octets, {skipped.reason}: {shown}", now_us)
        if self._session.skipped:
            self._skipped_us = self._session.skipped[-1].t_us
