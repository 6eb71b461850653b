"""A recording plays the controller: host packets are matched in order, and where the host differs is said.

Digest 6.5. Rules of the file:
* A packet of the host is looked for among the next ones of the recording, never behind; the same octets are found
  first, then the same command, or the same kind of message on the same connection; last, the very next data on it.
* Skipped packets of the host were not sent this time; replies to them are not played, other events are.
* What differs each time by its nature (random addresses, keys, nonces of a pairing, in all fragments of a message) is
  no divergence, but counted.
* Of a file that was cut off or is damaged, what stands before that is played, and the report says so.
* What is not found is answered `unknown command`; after the end every command is.
No IO, no loop.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import msgspec

from hw_bridge.keys_hidden import KeyHider
from protocols.capture import open_reader
from protocols.errors import CaptureError, UsageError
from protocols.hci.framing import ACL, COMMAND, EVENT, is_whole
from protocols.hci.replies import NO_REPLY, failure, opcode_of, reply_of, words_for

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Divergence", "Player", "ReplayReport", "Step", "Tape", "tape_of"]

_HCI: Final = 187
_WINDOW: Final = 64
"""Host packets that are looked at ahead."""
_UNKNOWN_COMMAND: Final = 0x01
_MOST_TOLD: Final = 1000
_SHOWN_OCTETS: Final = 16

Kind = Literal["changed", "skipped", "unknown"]


class Step(NamedTuple):
    """One packet of a recording."""

    sent: bool
    """By the host."""
    packet: bytes
    number: int = 0
    """Of its record in the file; 0 where there is none."""
    t_us: int = 0


class Tape(NamedTuple):
    """What is to be played."""

    steps: list[Step]
    damage: str = ""
    """Why the file cannot be read to its end."""


class Divergence(msgspec.Struct, frozen=True, kw_only=True):
    """One place where the host did something else than in the recording."""

    kind: Kind
    """changed: with other octets; skipped: recorded and not sent; unknown: sent and not recorded."""
    packet: int
    """Number of the host's packet, from 1; the one before which the skipped one is missing."""
    record: int | None
    """Number of the record in the file."""
    text: str


class ReplayReport(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a replay."""

    host_packets: int
    """Sent by the host this time."""
    recorded: int
    """Sent by the host in the recording."""
    exact: int
    varied: int
    """Different by their nature."""
    complete: bool
    """Whether the recording was played to its end."""
    divergences: tuple[Divergence, ...]
    left_out: int = 0
    """Records that are no whole HCI packets (cut when they were captured, say); they are not played."""
    damage: str = ""
    """Why the file was not read to its end."""

    @property
    def agrees(self) -> bool:
        """Whether the host did what it did in the recording."""
        return self.complete and not self.divergences

    def lines(self) -> list[str]:
        """For people."""
        played = "to its end" if self.complete else "in part"
        head = (
            f"{self.exact} of {self.host_packets} packets of the host exactly as recorded, "
            f"{self.varied} varied as they do; {self.recorded} recorded, played {played}"
        )
        notes = [f"{self.left_out} records are no whole packets and were left out"]
        notes = notes if self.left_out else []
        if self.damage:
            notes.append(f"{self.damage}; what stands before that was played")
        return [head, *notes, *(each.text for each in self.divergences)]


def tape_of(file: Path) -> Tape:
    """The HCI packets of a capture that have a direction. Raises UsageError (it holds none that can be read), OSError."""
    steps: list[Step] = []
    with file.open("rb") as stream:
        try:
            for each in open_reader(stream, str(file)):
                if each.link_type == _HCI and each.direction is not None and each.data:
                    step = Step(each.direction == "sent", each.data, each.number, each.t_us)
                    steps.append(step)  # what was read before a damage is kept
        except CaptureError as exc:
            if not steps:
                raise UsageError(f"{exc}; no packet of HCI stands before that") from exc
            return Tape(steps, str(exc))
    if not steps:
        raise UsageError(
            f"{file}: no packet of HCI with a direction is in it; record one with `bridge record`, or `--capture NODE:FILE`"
        )
    return Tape(steps)


# opcode -> octets of the command packet from which on it may differ
_VARIES_FROM: Final = {
    0x2005: 4,  # LE Set Random Address
    0x2017: 4,  # LE Encrypt
    0x2019: 6,  # LE Enable Encryption: random number, diversifier, key
    0x201A: 6,  # LE Long Term Key Request Reply
    0x2026: 4,  # LE Generate DHKey: the peer's key
    0x2027: 4,  # LE Add Device To Resolving List
    0x2035: 5,  # LE Set Advertising Set Random Address
    0x205E: 4,  # LE Generate DHKey [v2]
}
_ACL_HEAD, _L2CAP_HEAD = 5, 9
"""Octets of an H4 packet before the data of ACL, and of L2CAP."""
_CONTINUES: Final = 1
"""Packet boundary flag of a continuing fragment (Vol 4 Part E 5.4.2)."""
_SMP_CID: Final = 6
_SMP_VARIES: Final = frozenset((0x03, 0x04, 0x06, 0x07, 0x08, 0x09, 0x0A, 0x0C, 0x0D))
"""Confirm, random, keys and addresses, public key, DHKey check."""


def _key(packet: bytes) -> bytes:
    """What a packet must have in common with a recorded one to be taken for it."""
    if packet[0] != ACL or len(packet) < 10 or packet[2] >> 4 & 3 == _CONTINUES:
        return packet[:3]
    return packet[:3] + packet[7:10]  # with the L2CAP channel and the code of what is in it


def _varies(packet: bytes, recorded: bytes) -> bool:
    """Whether two packets differ only in what differs each time."""
    if packet[0] == COMMAND:
        begin = _VARIES_FROM.get(opcode_of(packet))
        return begin is not None and packet[:begin] == recorded[:begin]
    if packet[0] != ACL or len(packet) < 10 or packet[2] >> 4 & 3 == _CONTINUES:
        return False
    return packet[7] | packet[8] << 8 == _SMP_CID and packet[9] in _SMP_VARIES


def _handle(packet: bytes) -> int:
    """Of a packet of data."""
    return (packet[1] | packet[2] << 8) & 0x0FFF


class _Fragments:
    """Which fragments belong to messages that differ each time."""

    def __init__(self) -> None:
        self._left: dict[int, int] = {}
        """handle -> octets of such a message that are still to come."""

    def vary(self, packet: bytes) -> bool:
        """Whether a packet of the host, in order, goes on with such a message."""
        if packet[0] != ACL or len(packet) <= _ACL_HEAD:
            return False
        handle = _handle(packet)
        if packet[2] >> 4 & 3 == _CONTINUES:
            left = self._left.pop(handle, 0)
            if left > len(packet) - _ACL_HEAD:
                self._left[handle] = left - (len(packet) - _ACL_HEAD)
            return left > 0
        self._left.pop(handle, None)
        if _varies(packet, packet):
            size = packet[5] | packet[6] << 8
            self._left[handle] = max(0, size - (len(packet) - _L2CAP_HEAD))
        return False


def _words(packet: bytes) -> str:
    if packet[0] == COMMAND:
        return words_for(opcode_of(packet))
    return f"data on handle {_handle(packet):#06x} ({packet[5:13].hex(' ')}{'' if len(packet) <= 13 else ' ...'})"


def _difference(packet: bytes, recorded: bytes) -> str:
    """The octets around the first that differs, keys hidden."""
    pair = [KeyHider().hide(each, sent=True) for each in (packet, recorded)]
    at = next(
        (n for n, (a, b) in enumerate(zip(*pair, strict=False)) if a != b), min(map(len, pair))
    )
    shown = [each[at : at + _SHOWN_OCTETS].hex(" ") or "nothing" for each in pair]
    return f"from octet {at} on {shown[0]} was sent, {shown[1]} recorded"


class Player:
    """Plays `steps`; `begin` and `host` give the packets that the host is to get. `damage` is for the report."""

    def __init__(self, steps: list[Step], damage: str = "") -> None:
        self.damage = damage
        self._fragments = _Fragments()
        self._steps = [step for step in steps if is_whole(step.packet)]
        self.left_out = len(steps) - len(self._steps)
        """Records that are no whole HCI packet."""
        self._at = 0
        self._sent = self._exact = self._varied = 0
        self.divergences: list[Divergence] = []
        self.last_t_us = 0
        """Time of the record that was played last."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing of the recording is left."""
        return self._at >= len(self._steps)

    def begin(self) -> list[bytes]:
        """What the controller said before the host did anything."""
        return self._received()

    def host(self, packet: bytes) -> list[bytes]:
        """What the controller says to a whole packet of the host."""
        self._sent += 1
        goes_on = self._fragments.vary(packet)
        if packet[0] == COMMAND and opcode_of(packet) in NO_REPLY:
            return []
        found = self._find(packet)
        if found is None:
            self._diverge(
                "unknown", None, f"{_words(packet)} is not in what is left of the recording"
            )
            return [failure(opcode_of(packet), _UNKNOWN_COMMAND)] if packet[0] == COMMAND else []
        played = self._skip(found)
        self._judge(packet, self._steps[found], goes_on=goes_on)
        self._at = found + 1
        return played + self._received()

    def report(self) -> ReplayReport:
        """What came of it so far."""
        ours = [each for each in self._steps if each.sent and not _is_silent(each.packet)]
        return ReplayReport(
            host_packets=self._sent,
            recorded=len(ours),
            exact=self._exact,
            varied=self._varied,
            complete=all(
                not each.sent or _is_silent(each.packet) for each in self._steps[self._at :]
            ),
            divergences=tuple(self.divergences),
            left_out=self.left_out,
            damage=self.damage,
        )

    def _find(self, packet: bytes) -> int | None:
        """Index of the recorded packet that this one is taken for."""
        key, first, seen = _key(packet), None, 0
        following: int | None = None  # data on the same connection, whatever is in it
        for number in range(self._at, len(self._steps)):
            step = self._steps[number]
            if not step.sent:
                continue
            if step.packet == packet:
                return number
            if first is None and _key(step.packet) == key:
                first = number
            if seen == 0 and step.packet[:3] == packet[:3]:
                following = number
            seen += 1
            if seen >= _WINDOW:
                break
        return following if first is None else first

    def _skip(self, found: int) -> list[bytes]:
        """Go over what stands before `found`: the controller's own events are played, replies are not."""
        played: list[bytes] = []
        for step in self._steps[self._at : found]:
            if not step.sent:
                if step.packet[0] != EVENT or reply_of(step.packet) is None:
                    played.append(step.packet)
            elif not _is_silent(step.packet):
                self._diverge("skipped", step.number, f"{_words(step.packet)} was not sent")
        return played

    def _judge(self, packet: bytes, step: Step, *, goes_on: bool) -> None:
        """`goes_on`: with a message that differs each time."""
        self.last_t_us = step.t_us
        if packet == step.packet:
            self._exact += 1
        elif _varies(packet, step.packet) or (goes_on and len(packet) == len(step.packet)):
            self._varied += 1
        else:
            text = f"{_words(packet)} with other parameters: {_difference(packet, step.packet)}"
            self._diverge("changed", step.number, text)

    def _received(self) -> list[bytes]:
        """What the controller says up to the host's next packet."""
        found: list[bytes] = []
        while self._at < len(self._steps):
            step = self._steps[self._at]
            if step.sent and not _is_silent(step.packet):
                break
            self._at += 1
            if not step.sent:
                found.append(step.packet)
                self.last_t_us = step.t_us
        return found

    def _diverge(self, kind: Kind, record: int | None, text: str) -> None:
        if len(self.divergences) < _MOST_TOLD:
            where = f"packet {self._sent} of the host" + (f", record {record}" if record else "")
            self.divergences.append(
                Divergence(kind=kind, packet=self._sent, record=record, text=f"{where}: {text}")
            )


def _is_silent(packet: bytes) -> bool:
    """A command that is sent now and then, without an answer."""
    return packet[0] == COMMAND and opcode_of(packet) in NO_REPLY
