"""The scenarios that can be run: those of the library and the one that was opened by its path, each with its parameters.

Parameters are kept per scenario: seed, speed, settings of nodes, faults; they become a request for a live run, the
words of a command line, or the TOML of a scenario file. No screen.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from protocols.errors import NearbenchError, UsageError
from sim import scenario as scenarios
from sim.accessories import ACCESSORIES
from sim.device import convert
from sim.phones import PHONES
from tui.commands.run import settings_of, speed_of
from tui.models.faults import FaultChoice, declared, fault_kinds, parameters_of, parts, toml

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sim.scenario import NodeSpec, Scenario
    from tui.models.faults import FaultKind, Parameter
    from tui.models.scenario_results import Result
    from tui.session import Request

__all__ = ["Entry", "Parameters", "matching", "read_entries", "seed_of"]

_SEEDS = 1 << 63


class Parameters:
    """With what one scenario is run."""

    def __init__(self, scenario: Scenario, kinds: Iterable[FaultKind]) -> None:
        self.scenario = scenario
        self.seed = scenario.seed
        self.speed = "1"
        """factor, or max; of live runs."""
        self.settings = {spec.name: "" for spec in scenario.node}
        """node -> `key=value,key=value`."""
        self.faults = [FaultChoice(kind, scenario) for kind in kinds]

    @property
    def chosen(self) -> list[FaultChoice]:
        """The faults that will happen, besides the scenario's own."""
        return [one for one in self.faults if one.chosen]

    @property
    def are_usual(self) -> bool:
        """Whether nothing differs from the scenario's file."""
        return (
            not self.chosen and not any(self.settings.values()) and self.seed == self.scenario.seed
        )

    def pairs(self) -> list[str]:
        """Settings as `--set` takes them."""
        return [f"{node}.{part}" for node, text in self.settings.items() for part in parts(text)]

    def check_settings(self, node: str, text: str) -> str:
        """What the settings mean, as a sentence. Raises UsageError."""
        spec = next(one for one in self.scenario.node if one.name == node)
        given = settings_of([f"{node}.{part}" for part in parts(text)])
        changed = scenarios.with_settings(self.scenario, given)
        model = model_of(spec)
        if model is not None:
            now = next(one for one in changed.node if one.name == node)
            convert(now.set, model.Settings, "")
        return "as the scenario says" if not given else f"{len(given)} changed"

    def request(self, entry: Entry, base: Request) -> Request:
        """For a live run. Raises UsageError."""
        kept = base.what == entry.what
        return msgspec.structs.replace(
            base,
            what=entry.what,
            seed=self.seed,
            settings=settings_of(self.pairs()),
            faults=tuple(one.option() for one in self.chosen),
            speed=speed_of(self.speed, default=1.0),
            until_us=None,
            captures=base.captures if kept else (),
            jsonl=base.jsonl if kept else "",
            play=tuple(who for who in base.play if who in ("phone", "accessory", "none"))
            or ("phone",),
        )

    def words(self, entry: Entry) -> list[str]:
        """The command line of a run at full speed."""
        words = ["run", entry.what, "--seed", str(self.seed), "--speed", "max"]
        for pair in self.pairs():
            words += ["--set", pair]
        for one in self.chosen:
            words += ["--fault", one.option()]
        return words

    def as_toml(self) -> list[tuple[str, FaultChoice | None]]:
        """The scenario file with what was changed as it would be written; lines of faults name their fault."""
        lines: list[tuple[str, FaultChoice | None]] = []
        if self.seed != self.scenario.seed:
            lines.append((f"seed = {self.seed}  # changed", None))
        for node, text in self.settings.items():
            spec = next(one for one in self.scenario.node if one.name == node)
            if parts(text):
                lines.append((f"# {node}: set = {self._set(spec, text)}", None))
        lines += [(line, None) for line in self.scenario.text.splitlines()]
        for one in self.chosen:
            lines.append(("", None))
            try:
                lines += [(line, one) for line in one.as_toml()]
            except UsageError as exc:
                lines.append((f"# {one.kind.name}: {exc}", one))
        return lines

    def _set(self, spec: NodeSpec, text: str) -> str:
        given = settings_of([f"{spec.name}.{part}" for part in parts(text)])
        changed = scenarios.with_settings(self.scenario, given)
        values = next(one for one in changed.node if one.name == spec.name).set
        model = model_of(spec)
        return toml(declared(values, Any if model is None else model.Settings))


def model_of(spec: NodeSpec) -> Any:
    """The class behind a node; None when that is a file of the user's, which is not loaded here."""
    name = spec.accessory or spec.phone
    if name.endswith(".py"):
        return None
    return (ACCESSORIES if spec.accessory else PHONES).get(name)


def settings_of_node(spec: NodeSpec) -> list[Parameter]:
    """What can be set at a node."""
    model = model_of(spec)
    return [] if model is None else parameters_of(model.Settings)


def seed_of(text: str) -> int:
    """A seed. Raises UsageError."""
    try:
        seed = int(text.strip())
    except ValueError:
        seed = -1
    if not 0 <= seed < _SEEDS or len(text) > len(str(_SEEDS)) + 2:
        raise UsageError(f"a seed is a whole number from 0 to {_SEEDS - 1}")
    return seed


class Entry:
    """One scenario of the list."""

    def __init__(self, what: str, kinds: Iterable[FaultKind]) -> None:
        self.what = what
        """name, or path."""
        self.name = Path(what).stem
        self.title = self.about = self.wrong = ""
        self.parties = ""
        self.parameters: Parameters | None = None
        self.result: Result | None = None
        self.ended_s = 0.0
        """wall time at which the result came."""
        try:
            found = scenarios.load(what)
        except NearbenchError as exc:
            self.wrong = str(exc)
            return
        self.title, self.about = found.title, found.about or found.title
        self.parties = _parties(found)
        self.parameters = Parameters(found, kinds)

    def matches(self, words: Iterable[str]) -> bool:
        """Whether every word occurs in what is said of it; one with "!" in front must not."""
        verdict = "never run" if self.result is None else self.result.verdict
        said = f"{self.name} {self.title} {self.about} {self.parties} {verdict}".casefold()
        return all(
            (word[1:] not in said) if word.startswith("!") and len(word) > 1 else word in said
            for word in words
        )


def _parties(scenario: Scenario) -> str:
    counts: dict[str, int] = {}
    for spec in sorted(scenario.node, key=lambda one: bool(one.phone)):
        name = Path(spec.accessory or spec.phone).stem
        counts[name] = counts.get(name, 0) + 1
    found = [name if number == 1 else f"{number} {name}" for name, number in counts.items()]
    return " · ".join([*found, *(f"{one.count} {one.name}" for one in scenario.crowd)])


def read_entries(own: str = "") -> list[Entry]:
    """Every scenario; `own` is a path or nothing, and comes first."""
    kinds = fault_kinds()
    names = scenarios.names()
    given = [own] if own and own not in names else []
    return [Entry(what, kinds) for what in (*given, *names)]


def matching(entries: Iterable[Entry], text: str) -> list[Entry]:
    """The entries in which all words of a filter occur."""
    words = text.casefold().split()
    return [one for one in entries if one.matches(words)]
