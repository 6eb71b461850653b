"""What is behind a moniker: a report for people who bought a dongle and wonder.

Digest 1.8, 2.3. Rules of the file: listens first, then asks what hurts least (HCI Reset, H5 SYNC, Sniffle marker, nRF
ping); every step is bounded, every attempt is in the report; only what the user named is opened. A controller that is
lost, crashes or falls silent while it is asked is the end of the probe, and no good one.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final

import msgspec

from hw_bridge.abilities import abilities_of, missing_commands
from hw_bridge.discover import node_for, serial_info
from hw_bridge.errors import FirmwareError, MuteError, NotFoundError
from hw_bridge.firmware import needed_file, needs_firmware
from hw_bridge.identify import AWAITED, READ_VERSION, Facts, identify, verdict
from hw_bridge.link import LinkInfo
from hw_bridge.probe_opening import Opening
from hw_bridge.quirks import Quirk, quirk_for, quirk_of_version
from hw_bridge.recognise import CONSOLE, NRF_PING, SNIFFLE_MARKER, recognise
from hw_bridge.session_steps import ECHOES, hints
from hw_bridge.transports import parse, port_for
from protocols.hci.replies import words_for

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from hw_bridge.link import Port
    from hw_bridge.moniker import Moniker

__all__ = ["Attempt", "ProbeReport", "ProbeSettings", "probe"]

USUAL_BAUDS: Final = (1_000_000, 115_200, 921_600, 460_800, 2_000_000)
_FTDI: Final = 0x0403
_SLOW_US: Final = 10_000
_EXCERPT_OCTETS: Final = 64
_SNIFFER_BAUDS: Final = (1_000_000, 2_000_000, 921_600, 460_800)
_OTHER_IMAGE: Final = "flash an HCI firmware that does"
_PEERS_COME: Final = frozenset(("tcp-server", "pty"))
_OTHERS: Final = {"sniffle": SNIFFLE_MARKER, "nrf-sniffer": NRF_PING}
_CONSOLE: Final = "a text console, and no controller on this port; try the other port of the board, or flash an image without it"
_SNIFFER: Final = (
    "a sniffer, and no controller: `nearbench bridge record {moniker} air.pcapng --sniffer {name}` keeps what it "
    "hears; to attach or expose anything flash an HCI firmware"
)


class ProbeSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times of a probe."""

    listen_ms: int = 300
    reset_us: tuple[int, ...] = (500_000, 1_000_000, 2_000_000)
    next_reset_us: tuple[int, ...] = (500_000, 500_000)
    """At further bauds and framings."""
    other_ms: int = 300
    """For the answer of a sniffer."""
    round_trips: int = 20
    peer_ms: int = 30_000
    """For a controller program that has to come to us (tcp-server:, pty:)."""


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
    """`hci`, `h5`, `bootloader`, `nrf-sniffer`, `sniffle`, `console`; empty when nothing known answers, or not to the end."""
    verdict: str
    info: LinkInfo
    quirk: Quirk | None = None
    facts: Facts | None = None
    missing: tuple[str, ...] = ()
    """Needed commands that it does not list."""
    can: tuple[str, ...] = ()
    cannot: tuple[str, ...] = ()
    p50_us: int = 0
    p95_us: int = 0
    skipped_octets: int = 0
    hints: tuple[str, ...] = ()
    attempts: tuple[Attempt, ...] = ()

    @property
    def is_controller(self) -> bool:
        """Whether a controller answered; what else speaks here is named, and no host can use it."""
        return self.facts is not None


async def probe(
    moniker: str,
    *,
    settings: ProbeSettings | None = None,
    port: Callable[[Moniker], Port] = port_for,
    tell: Callable[[str], object] = lambda _: None,
) -> ProbeReport:
    """Find out what `moniker` leads to; `tell` gets a sentence about every step.

    Raises BridgeError when it cannot be opened, UsageError for a bad moniker.
    """
    return await _Probe(parse(moniker), settings or ProbeSettings(), port, tell).run()


class _Probe:
    """One probe and what it has tried."""

    def __init__(
        self,
        wanted: Moniker,
        settings: ProbeSettings,
        port: Callable[[Moniker], Port],
        tell: Callable[[str], object],
    ) -> None:
        self.wanted = wanted
        self.settings = settings
        self.port = port
        self.tell = tell
        self.info = LinkInfo(node=wanted.text)
        if wanted.scheme == "serial" and (node := node_for(wanted.target)) is not None:
            self.info = serial_info(node)
        self.quirk = quirk_for(self.info)
        self.attempts: list[Attempt] = []
        self.why: list[tuple[bool, str]] = []
        """(octets came, what that means) by attempt."""

    async def run(self) -> ProbeReport:
        """HCI at every baud, H5, then sniffers."""
        for number, variant in enumerate(self._variants()):
            resets = self.settings.next_reset_us if number else self.settings.reset_us
            try:
                if report := await self._ask_controller(variant, resets):
                    return report
            except NotFoundError:
                if not number:
                    raise
                self.attempts.append(Attempt(options=self._options(variant), outcome="gone"))
                break
        if "baud" in self.wanted.options:
            for name, question in _OTHERS.items():
                if report := await self._ask_sniffer(name, question):
                    return report
        # silence behind an attempt that heard something says nothing of the line
        came = any(heard for heard, _ in self.why)
        why = [words for heard, words in self.why if heard or not came]
        return self._report(self.wanted, "", "nothing that is known answers", why)

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
        async with await self._opened(variant) as opening:
            if opening.channel.link is not None and self.quirk is None:
                self.info = opening.channel.link.info
            self.tell(f"{_spelled(variant)} is open: listening, then asking")
            await asyncio.sleep(self.settings.listen_ms / 1000)
            speaks = recognise(bytes(opening.heard))
            if speaks in _OTHERS:
                return self._sniffer(variant, speaks, opening)
            try:
                facts = await identify(opening, reset_us=resets_us, moniker=self.wanted.text)
            except FirmwareError as exc:
                self._tried(variant, "refuses Reset", opening)
                return self._report(variant, "bootloader", str(exc))
            except MuteError as exc:
                return self._failed(variant, opening, str(exc))
            if facts is not None:
                return await self._controller(variant, opening, facts)
            if opening.failure:
                return self._failed(variant, opening)
            if opening.echoes:
                self._tried(variant, "echo", opening)
                return self._report(variant, "", ECHOES)
            speaks = speaks or recognise(bytes(opening.heard))  # some talk only when spoken to
            self._tried(variant, speaks or "no answer", opening)
            words = hints(opening, opening.channel)
            if speaks == CONSOLE:
                return self._report(variant, speaks, _CONSOLE, [words])
            self.tell(words)
            self.why.append((bool(opening.heard), words))
        return None

    async def _opened(self, variant: Moniker) -> Opening:
        """An opening that can be entered: the first of a listening port waits for its peer. Raises BridgeError."""
        opening = Opening(self.port(variant), self.settings.reset_us)
        if variant.scheme in _PEERS_COME and not self.attempts:
            await opening.wait_for_peer(self.settings.peer_ms / 1000, self.tell)
        return opening

    def _failed(
        self, variant: Moniker, opening: Opening, why: str = "", who: str = ""
    ) -> ProbeReport:
        """The report of a controller that was lost, crashed or fell silent."""
        words = opening.failure or why
        self._tried(variant, words.partition(";")[0], opening)
        skipped, said = opening.counts["octets skipped"], opening.noted
        if recognise(bytes(opening.heard)) == CONSOLE:  # a server of something else hangs up
            said.append(hints(opening, opening.channel))
        report = self._report(variant, "", f"{who}: {words}" if who else words, said)
        return msgspec.structs.replace(report, skipped_octets=skipped)

    async def _ask_sniffer(self, name: str, question: bytes) -> ProbeReport | None:
        for baud in self._bauds(_SNIFFER_BAUDS):
            variant = _with(self.wanted, baud=baud)
            async with Opening(self.port(variant), self.settings.reset_us) as opening:
                self.tell(f"{_spelled(variant)}: asking for {name}")
                if opening.channel.link is not None:
                    opening.channel.link.write(question)
                await asyncio.sleep(self.settings.other_ms / 1000)
                if recognise(bytes(opening.heard)) == name:
                    return self._sniffer(variant, name, opening)
        return None

    def _sniffer(self, variant: Moniker, name: str, opening: Opening) -> ProbeReport:
        """The report of a board that only listens to the air."""
        self._tried(variant, name, opening)
        hint = _SNIFFER.format(moniker=_spelled(variant), name=name)
        return self._report(variant, name, f"speaks {name}, not HCI", [hint])

    def _tried(self, variant: Moniker, outcome: str, opening: Opening) -> None:
        heard = bytes(opening.heard[:_EXCERPT_OCTETS]).hex(" ")
        made = Attempt(options=self._options(variant), outcome=outcome, heard=heard)
        self.attempts.append(made)

    def _options(self, variant: Moniker) -> str:
        """What was tried beyond what was written."""
        changed = [name for name in variant.given if name not in self.wanted.given]
        return " ".join(f"{name}={variant.options[name]}" for name in changed)

    async def _controller(self, variant: Moniker, opening: Opening, facts: Facts) -> ProbeReport:
        silent = [words for words in map(words_for, AWAITED) if words in facts.unanswered]
        if silent:
            why = (
                f"no host can use it, because it never answers {', '.join(silent)}; {_OTHER_IMAGE}"
            )
            return self._failed(variant, opening, why, verdict(facts, self.info))
        times_us = await _round_trips(opening, self.settings.round_trips)
        if not times_us:
            why = f"it fell silent at the {self.settings.round_trips} commands behind its answers"
            return self._failed(variant, opening, why, verdict(facts, self.info))
        self._tried(variant, "answers", opening)
        p50_us, p95_us = times_us[len(times_us) // 2], times_us[len(times_us) * 95 // 100]
        said = opening.noted
        if self.info.vid == _FTDI and p50_us > _SLOW_US:
            said.append("set the latency timer of the FTDI chip to 1 ms")
        if not facts.has_address:
            said.append("it has no public address: the host has to set a random one")
        if self.quirk is None:
            self.quirk = quirk_of_version(facts.manufacturer, facts.lmp_subversion)
        if needs_firmware(self.quirk, facts):
            said.append(needed_file(facts))
        can, cannot = abilities_of(facts)
        speaks = "h5" if variant.options.get("framing") == "h5" else "hci"
        return msgspec.structs.replace(
            self._report(variant, speaks, verdict(facts, self.info), said),
            facts=facts,
            missing=missing_commands(facts.commands),
            can=can,
            cannot=cannot,
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


async def _round_trips(opening: Opening, count: int) -> list[int]:
    """Times from a command to its reply in microseconds, ascending; none when one stays without."""
    loop, times_us = asyncio.get_running_loop(), list[int]()
    for _ in range(count):
        begun = loop.time()
        if await opening.command(READ_VERSION, attempts_us=(1_000_000,)) is None:
            return []
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
