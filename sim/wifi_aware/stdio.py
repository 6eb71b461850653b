"""One Wi-Fi Aware device alone, its radio and its commands as lines of JSON.

The contract's `node --stdio`: in come frames that it hears, what became of its own, time, and commands; out go frames,
events, and an answer to each command. Rules: a line is one JSON object; a wrong one is answered with an error and
changes nothing; nothing here reads or writes a stream. The device lives in a world of its own, on simulated time.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, cast

import msgspec

from protocols.errors import NearbenchError, UsageError
from protocols.wifi_aware.heard import HEADER
from sim.redaction import Secret
from sim.wifi_aware.stdio_commands import NodeCommands
from sim.wifi_aware.stdio_peers import Acquaintance
from sim.wifi_aware.stdio_radio import LineRadio
from sim.world import World

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware import events as ev
    from sim.device import Device
    from sim.scenario import Scenario
    from sim.trace import TraceEvent
    from sim.wifi_aware.firmware import Firmware
    from sim.wifi_aware.half import AwareHalf
    from sim.wifi_aware.node import AwareNode
    from sim.wifi_aware.stdio_radio import Sent

__all__ = ["LoneNode", "encoded"]

_LONGEST_LEAP_US = 86_400_000_000
_LONGEST_FRAME = 4096
"""Octets; the longest management frame has 2352."""
_SHORTEST_FRAME = 10
"""Octets of an Ack; other control frames have more."""
_CONTROL = 0x04
_TYPE = 0x0C
"""Bits of the first octet of Frame Control: the type, and that of control frames."""
_RSSI_DBM = (-127, 20)
_CHANNELS = (range(1, 15), range(36, 178))
"""Channel numbers of 2.4 GHz and of 5 GHz (IEEE 802.11-2020 annex E)."""
_KINDS = ("frame", "sent", "advance_us", "cmd")
_TRACE_EVENTS, _KEYS = 1024, 4096
"""Events and keys that are remembered; each event has gone out as a line when it happened."""
_LAYERS = ("aware", "accessory", "phone")
_RENAMED = {
    "frame": "frame_kind",
    "id": "pairing_id",
    **{key: f"{key}_" for key in ("event", "t_us", "ok", "error", "sent", "cmd")},
}
"""Fields of events whose names mean something else on a line."""
_OBJECT = "a line is one JSON object with one of " + ", ".join(_KINDS)


def _plain(value: Any) -> str:
    if isinstance(value, Secret | bytes | bytearray):
        return value.hex() if isinstance(value, bytes | bytearray) else repr(value)
    return str(value)


def encoded(answer: dict[str, Any]) -> bytes:
    """A line, without its end; secrets as dots."""
    return msgspec.json.encode(msgspec.to_builtins(answer, builtin_types=(bytes,), enc_hook=_plain))


class _LoneWorld(World):
    """A world in which a device's Wi-Fi Aware is on a line."""

    make_radio: Callable[[AwareNode, Firmware], Any]
    on_event: Callable[[ev.Event], None]

    async def _give_radios(self, device: Device) -> None:
        await super()._give_radios(device)
        half: AwareHalf = cast("Any", device).aware
        half.make_radio = self.make_radio
        half.listeners.append(self.on_event)


class LoneNode:
    """The node of a scenario that has one; `write` gets what goes out.

    `speed`: None = time passes by `advance_us` only, 1.0 = in real time, driven by whoever runs `world.loop`.
    """

    def __init__(
        self,
        scenario: Scenario,
        write: Callable[[dict[str, Any]], None],
        *,
        seed: int | None = None,
        speed: float | None = None,
        reveal: bool = False,
        auto_ack: bool = False,
        windows: bool = True,
    ) -> None:
        self.write = write
        self.world = _LoneWorld(
            scenario, seed=seed, speed=speed, capacity=_TRACE_EVENTS, reveal=reveal
        )
        self.derived: deque[TraceEvent] = deque(maxlen=_KEYS)
        """keys as they came into being."""
        self.world.make_radio = self._radio
        self.acquaintance = Acquaintance(self)
        self.world.on_event = self.acquaintance.on_event
        self.world.trace.add_sink(self._tell)
        self.device: Any = next(iter(self.world.devices.values()))
        if "wifi_aware" not in self.device.radios:
            self.world.close()
            raise UsageError(f"{self.device.name} has no Wi-Fi Aware radio")
        self.commands = NodeCommands(self)
        self.radio: LineRadio | None = None
        self._paced = speed is not None
        self._auto_ack = auto_ack
        self._windows = windows

    @property
    def half(self) -> AwareHalf:
        """Its Wi-Fi Aware."""
        half: AwareHalf = self.device.aware
        return half

    def _radio(self, node: AwareNode, firmware: Firmware) -> LineRadio:
        self.radio = LineRadio(
            node,
            firmware,
            self.world.loop,
            self._sent,
            windows=self._windows,
            auto_ack=self._auto_ack,
        )
        return self.radio

    def begin(self) -> None:
        """Switch on, and say so; within `world.session()`."""
        self.world.loop.run_until_us(self.world.now_us)
        ready = {"event": "ready", "t_us": self.world.now_us, "node": self.device.name}
        station = self.half.engine.station if self.half.on else None
        addresses = {"nmi": station.nmi, "ndi": station.settings.ndi} if station else {}
        self.write(ready | addresses)

    # Out

    def _sent(self, frame: Sent) -> None:
        self.write(
            {
                "frame": frame.octets.hex(),
                "n": frame.number,
                "t_us": frame.t_us,
                "channel": frame.channel,
                "name": frame.name,
            }
        )

    def _tell(self, event: TraceEvent) -> None:
        if event.event == "derived":
            self.derived.append(event)
        if event.layer not in _LAYERS or event.direction == "tx":
            return
        told = {"event": event.event, "t_us": event.t_us}
        more = {"peer": event.peer, "note": event.note, "rule": event.rule}
        said = {key: value for key, value in more.items() if value}
        self.write({**told, **said, **{_RENAMED.get(k, k): v for k, v in event.fields.items()}})

    # In

    def line(self, text: bytes) -> None:
        """Take one line; empty ones are passed over."""
        if not text.strip():
            return
        given: dict[str, Any] = {}
        try:
            given = _object(text)
            self._take(given)
        except NearbenchError as exc:
            self.refuse(given, str(exc))

    def _take(self, given: dict[str, Any]) -> None:
        kinds = [kind for kind in _KINDS if kind in given]
        if len(kinds) != 1:
            raise UsageError(f"{' and '.join(kinds) or 'none'} in one line; {_OBJECT}")
        if kinds == ["cmd"]:
            self._command(given)
            return
        {"frame": self._frame, "sent": self._report, "advance_us": self._advance}[kinds[0]](given)
        self.settle()
        if "id" in given:
            self.answer(given, {"t_us": self.world.now_us})

    def _frame(self, given: dict[str, Any]) -> None:
        rssi_dbm, channel = _number(given, "rssi_dbm", *_RSSI_DBM), _channel(given)
        octets = _octets(given["frame"])
        if self.radio is not None:
            self.radio.heard(octets, rssi_dbm, channel)

    def _report(self, given: dict[str, Any]) -> None:
        number, acked = _number(given, "sent", 1, 1 << 53), given.get("acked", True)
        if not isinstance(acked, bool):
            raise UsageError("acked is true or false")
        known = self.radio is not None and number is not None
        if not (known and self.radio is not None and self.radio.sent(number or 0, acked=acked)):
            raise UsageError(f"frame {number} was never sent")

    def _advance(self, given: dict[str, Any]) -> None:
        duration_us = _number(given, "advance_us", 0, _LONGEST_LEAP_US)
        if self._paced:
            raise UsageError("time passes by itself: advance_us is for nodes without --speed")
        self.world.loop.run_until_us(self.world.now_us + (duration_us or 0))

    def settle(self) -> None:
        """Do what is due at this instant, unless time passes by itself."""
        if not self._paced:
            self.world.loop.run_until_us(self.world.now_us)

    # Commands

    def _command(self, given: dict[str, Any]) -> None:
        name = given["cmd"]
        if not isinstance(name, str):
            raise UsageError("cmd is the name of a command; {'cmd': 'help'} lists them")
        arguments = {key: value for key, value in given.items() if key not in ("cmd", "id")}
        task = self.world.loop.create_task(self.commands.run(name, arguments))
        finished: list[bool] = []

        def done(_: object) -> None:
            if task.cancelled():
                return
            finished.append(True)
            result = task.result()
            if len(finished) == 1 and not waiting:
                self._answered(given, result)
            elif isinstance(result, NearbenchError):
                self.write(self._later(given, "command_failed", error=str(result)))
            else:
                self.write(self._later(given, "command_done", result=result))

        waiting: list[bool] = []
        task.add_done_callback(done)
        if self._paced:
            soon = self.world.loop.call_soon  # twice: what is done in one go has been told then
            soon(lambda: soon(lambda: self._still_runs(given, finished, waiting)))
            return
        self.settle()
        self._still_runs(given, finished, waiting)

    def _still_runs(self, given: dict[str, Any], finished: list[bool], waiting: list[bool]) -> None:
        if not finished:
            waiting.append(True)
            self.answer(given, {"running": given["cmd"]})

    def _answered(self, given: dict[str, Any], result: Any) -> None:
        if isinstance(result, NearbenchError):
            self.refuse(given, str(result))
        else:
            self.answer(given, {} if result is None else result)

    def _later(self, given: dict[str, Any], event: str, **more: Any) -> dict[str, Any]:
        told = {"event": event, "t_us": self.world.now_us, "cmd": given["cmd"], **_id(given)}
        return {**told, **{key: value for key, value in more.items() if value is not None}}

    def answer(self, given: dict[str, Any], result: Any) -> None:
        """Answer a line."""
        self.write({"ok": result, **_id(given)})

    def refuse(self, given: dict[str, Any], why: str) -> None:
        """Answer a line that is wrong."""
        self.write({"error": why, **_id(given)})


def _id(given: dict[str, Any]) -> dict[str, Any]:
    return {"id": given["id"]} if "id" in given else {}


def _object(text: bytes) -> dict[str, Any]:
    try:
        given = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        raise UsageError(f"not JSON: {exc}; {_OBJECT}") from None
    if not isinstance(given, dict):
        raise UsageError(_OBJECT)
    return cast("dict[str, Any]", given)


def _octets(text: Any) -> bytes:
    try:
        octets = bytes.fromhex(text) if isinstance(text, str) else None
    except ValueError:
        octets = None
    if octets is None:
        raise UsageError("frame is the octets of an 802.11 frame without FCS, in hex")
    if len(octets) > _LONGEST_FRAME:
        raise UsageError(f"a frame of {len(octets)} octets: at most {_LONGEST_FRAME}")
    control = bool(octets) and octets[0] & _TYPE == _CONTROL
    shortest = _SHORTEST_FRAME if control else HEADER
    if len(octets) < shortest:
        raise UsageError(
            f"a frame of {len(octets)} octets is too short to be one: "
            f"its header alone has {shortest}"
        )
    return octets


def _channel(given: dict[str, Any]) -> int | None:
    value = given.get("channel")
    whole = isinstance(value, int) and not isinstance(value, bool)
    if value is None or (whole and any(value in numbers for numbers in _CHANNELS)):
        return value
    raise UsageError("channel is the number of a Wi-Fi channel, from 1 to 14 or from 36 to 177")


def _number(given: dict[str, Any], key: str, low: int, high: int) -> int | None:
    value = given.get(key)
    if value is None and key not in ("sent", "advance_us"):
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
        raise UsageError(f"{key} is a whole number from {low} to {high}")
    return value
