"""What is behind a moniker: a report for people who bought a dongle and wonder.

Digest 1.8, 2.3. Rules of the file: listens first, then asks what hurts least (HCI Reset, H5 SYNC, Sniffle marker, nRF
ping); every step is bounded, every attempt is in the report; only what the user named is opened.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from typing import TYPE_CHECKING, Final

import msgspec

from hw_bridge.channel import Channel
from hw_bridge.command_gate import Timeouts
from hw_bridge.discover import node_for, serial_info
from hw_bridge.identify import READ_ADDRESS, Facts, identify, verdict
from hw_bridge.link import LinkInfo
from hw_bridge.quirks import Quirk, quirk_for, quirk_of_version
from hw_bridge.recognise import CONSOLE, NRF_PING, SNIFFLE_MARKER, recognise
from hw_bridge.session_steps import hints
from hw_bridge.traffic import Note, Traffic
from hw_bridge.transports import parse, port_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hw_bridge.errors import LostError
    from hw_bridge.link import Port
    from hw_bridge.moniker import Moniker
    from protocols.hci.framing import Skipped

__all__ = ["Attempt", "ProbeReport", "ProbeSettings", "missing_commands", "probe"]

NEEDED: Final = (
    *(0x0406, 0x0C01, 0x0C03, 0x2001, 0x2002, 0x2005, 0x2006, 0x2008, 0x2009, 0x200A, 0x200B),
    *(0x200C, 0x200D, 0x200E, 0x2013, 0x2018, 0x2019, 0x201A, 0x201B),
)
"""Commands without which no LE peripheral and central with pairing is possible."""
USUAL_BAUDS: Final = (1_000_000, 115_200, 921_600, 460_800, 2_000_000)
_FTDI: Final = 0x0403
_SLOW_US: Final = 10_000
_EXCERPT_OCTETS: Final = 64
_KEPT_OCTETS: Final = 4096
_SNIFFER_BAUDS: Final = (1_000_000, 2_000_000, 921_600, 460_800)
_OTHERS: Final = {"sniffle": SNIFFLE_MARKER, "nrf-sniffer": NRF_PING}


class ProbeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times of a probe."""

    listen_ms: int = 300
    reset_us: tuple[int, ...] = (500_000, 1_000_000, 2_000_000)
    next_reset_us: tuple[int, ...] = (500_000, 500_000)
    """At further bauds and framings."""
    other_ms: int = 300
    """For the answer of a sniffer."""
    round_trips: int = 20


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """One opening."""

    options: str
    """What was tried: `baud=115200`, `framing=h5`."""
    outcome: str
    heard: str = ""
    """First octets that came, as hex."""


class ProbeReport(msgspec.Struct, frozen=True, kw_only=True):
    """What was found; `facts` where it is a controller."""

    moniker: str
    """With the options that worked."""
    speaks: str
    """`hci`, `h5`, `nrf-sniffer`, `sniffle`, `console`, or empty."""
    verdict: str
    info: LinkInfo
    quirk: Quirk | None = None
    facts: Facts | None = None
    missing: tuple[str, ...] = ()
    """Needed commands that it does not list."""
    p50_us: int = 0
    p95_us: int = 0
    skipped_octets: int = 0
    hints: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()


class _Opening:
    """One opening: keeps what is heard, sends what is asked."""

    def __init__(self, port: Port, settings: ProbeSettings) -> None:
        self.port = port
        self.heard = bytearray()
        self.skipped: deque[Skipped] = deque(maxlen=_EXCERPT_OCTETS)
        self.lost = False
        self.counts: Counter[str] = Counter()
        timeouts = Timeouts(reset=settings.reset_us)
        self.channel = Channel(self, port.framer(), Traffic(timeouts, counts=self.counts))
        self.command = self.channel.command

    async def __aenter__(self) -> _Opening:
        self.channel.start(await self.port.open(self.channel))
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.channel.close()
        await self.port.close()

    def on_packet(self, packet: bytes) -> bool:
        """A packet without a host."""
        return True

    def on_skipped(self, skipped: Skipped) -> None:
        """Octets that were no packet."""
        self.skipped.append(skipped)

    def on_note(self, note: Note) -> None:
        """Of no use here."""

    def on_lost(self, channel: Channel, error: LostError) -> None:
        """Commands end by their time."""
        self.lost = True

    def on_octets(self, octets: bytes, *, sent: bool, t_us: int) -> None:
        """Keep the first of them."""
        if not sent and len(self.heard) < _KEPT_OCTETS:
            self.heard += octets

    def on_room(self) -> None:
        """Nobody sends."""


async def probe(
    moniker: str,
    *,
    settings: ProbeSettings | None = None,
    port: Callable[[Moniker], Port] = port_for,
) -> ProbeReport:
    """Find out what `moniker` leads to. Raises BridgeError when it cannot be opened, UsageError for a bad moniker."""
    return await _Probe(parse(moniker), settings or ProbeSettings(), port).run()


class _Probe:
    """One probe and what it has tried."""

    def __init__(
        self, wanted: Moniker, settings: ProbeSettings, port: Callable[[Moniker], Port]
    ) -> None:
        self.wanted = wanted
        self.settings = settings
        self.port = port
        self.info = LinkInfo(node=wanted.text)
        if wanted.scheme == "serial" and (node := node_for(wanted.target)) is not None:
            self.info = serial_info(node)
        self.quirk = quirk_for(self.info)
        self.attempts: list[Attempt] = []
        self.why: list[str] = []

    async def run(self) -> ProbeReport:
        """HCI at every baud, H5, then sniffers."""
        for number, variant in enumerate(self._variants()):
            resets = self.settings.next_reset_us if number else self.settings.reset_us
            if report := await self._ask_controller(variant, resets):
                return report
        if "baud" in self.wanted.options:
            for name, question in _OTHERS.items():
                if report := await self._ask_sniffer(name, question):
                    return report
        return self._report(self.wanted, "", "nothing that is known answers", self.why)

    def _bauds(self, usual: tuple[int, ...]) -> tuple[int, ...]:
        """Those to be tried: the written one, those of the quirk table, or the usual ones."""
        if "baud" in self.wanted.given:
            return (self.wanted.number("baud"),)
        return self.quirk.baud if self.quirk and self.quirk.baud else usual

    def _variants(self) -> list[Moniker]:
        """The moniker with every baud, then with three-wire framing, where those were left open."""
        variants = [self.wanted]
        if "baud" in self.wanted.options:
            variants = [_with(self.wanted, baud=baud) for baud in self._bauds(USUAL_BAUDS)]
        if "framing" in self.wanted.options and "framing" not in self.wanted.given:
            variants.append(_with(variants[0], framing="h5"))
        return variants

    async def _ask_controller(
        self, variant: Moniker, resets_us: tuple[int, ...]
    ) -> ProbeReport | None:
        """The report when something that is known answers with these options."""
        async with _Opening(self.port(variant), self.settings) as opening:
            if opening.channel.link is not None and self.quirk is None:
                self.info = opening.channel.link.info
            await asyncio.sleep(self.settings.listen_ms / 1000)
            speaks = recognise(bytes(opening.heard))
            if speaks in _OTHERS:
                self._tried(variant, speaks, opening)
                return self._report(variant, speaks, f"speaks {speaks}, not HCI")
            facts = await identify(opening, reset_us=resets_us)
            if facts is not None:
                self._tried(variant, "answers", opening)
                return await self._controller(variant, opening, facts)
            self._tried(variant, speaks or "no answer", opening)
            if speaks == CONSOLE:
                return self._report(variant, speaks, "a text console")
            self.why.append(hints(opening, opening.channel))
        return None

    async def _ask_sniffer(self, name: str, question: bytes) -> ProbeReport | None:
        for baud in self._bauds(_SNIFFER_BAUDS):
            variant = _with(self.wanted, baud=baud)
            async with _Opening(self.port(variant), self.settings) as opening:
                if opening.channel.link is not None:
                    opening.channel.link.write(question)
                await asyncio.sleep(self.settings.other_ms / 1000)
                if recognise(bytes(opening.heard)) == name:
                    self._tried(variant, name, opening)
                    return self._report(variant, name, f"speaks {name}, not HCI")
        return None

    def _tried(self, variant: Moniker, outcome: str, opening: _Opening) -> None:
        changed = [name for name in variant.given if name not in self.wanted.given]
        words = " ".join(f"{name}={variant.options[name]}" for name in changed)
        heard = bytes(opening.heard[:_EXCERPT_OCTETS]).hex(" ")
        self.attempts.append(Attempt(options=words, outcome=outcome, heard=heard))

    async def _controller(self, variant: Moniker, opening: _Opening, facts: Facts) -> ProbeReport:
        times_us = await _round_trips(opening, self.settings.round_trips)
        p50_us, p95_us = times_us[len(times_us) // 2], times_us[len(times_us) * 95 // 100]
        said: list[str] = []
        if self.info.vid == _FTDI and p50_us > _SLOW_US:
            said.append("set the latency timer of the FTDI chip to 1 ms")
        if not facts.has_address:
            said.append("it has no public address: the host has to set a random one")
        if self.quirk is None:
            self.quirk = quirk_of_version(facts.manufacturer, facts.lmp_subversion)
        speaks = "h5" if variant.options.get("framing") == "h5" else "hci"
        return msgspec.structs.replace(
            self._report(variant, speaks, verdict(facts, self.info), said),
            facts=facts,
            missing=missing_commands(facts.commands),
            p50_us=p50_us,
            p95_us=p95_us,
            skipped_octets=opening.counts["octets skipped"],
        )

    def _report(
        self, variant: Moniker, speaks: str, words: str, said: Sequence[str] = ()
    ) -> ProbeReport:
        return ProbeReport(
            moniker=_spelled(variant),
            speaks=speaks,
            verdict=words,
            info=self.info,
            quirk=self.quirk,
            hints=tuple(dict.fromkeys(said)),
            attempts=tuple(self.attempts),
        )


async def _round_trips(opening: _Opening, count: int) -> list[int]:
    """Times from a command to its reply in microseconds, ascending."""
    loop, times_us = asyncio.get_running_loop(), [0]
    for _ in range(count):
        begun = loop.time()
        if await opening.command(READ_ADDRESS, attempts_us=(1_000_000,)) is not None:
            times_us.append(round((loop.time() - begun) * 1e6))
    return sorted(times_us)


def _with(moniker: Moniker, **options: object) -> Moniker:
    given, every = {**moniker.given, **options}, {**moniker.options, **options}
    return msgspec.structs.replace(moniker, given=given, options=every)


def _spelled(moniker: Moniker) -> str:
    """As a user would write it."""
    words = {True: "on", False: "off"}
    parts = [
        f"{name}={words[value] if isinstance(value, bool) else value}"
        for name, value in moniker.given.items()
    ]
    return f"{moniker.scheme}:{moniker.target}{'?' if parts else ''}{'&'.join(parts)}"


def missing_commands(commands: bytes) -> tuple[str, ...]:
    """Names of needed commands that a list of supported ones lacks; empty for an empty list."""
    if not commands:
        return ()
    from bumble import hci  # costs a fifth of a second

    from protocols.data.hci_names import command_name

    masks: dict[int, int] = vars(hci)["HCI_SUPPORTED_COMMANDS_MASKS"]
    have = int.from_bytes(commands, "little")
    return tuple(command_name(each) for each in NEEDED if not have & masks.get(each, -1))
