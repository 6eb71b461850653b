"""The faults that can be chosen: what they do, whom they befall, their parameters as text that people edit.

The text is that of `--fault` behind the name: `node=phone,off_by=1`. Rules of the file: checked against a scenario, not
against a world; nothing here sets a fault. No screen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import msgspec

from protocols.errors import UsageError
from sim.device import convert, settings_table
from sim.fault_schedule import fault_of, parts_of, wrong_with
from sim.faults import FAULTS, Fault
from sim.typed import as_declared
from sim.units import Duration, duration_text

if TYPE_CHECKING:
    from sim.fault_schedule import FaultOption
    from sim.scenario import Scenario

__all__ = [
    "FaultChoice",
    "FaultKind",
    "Parameter",
    "declared",
    "fault_kinds",
    "parameters_of",
    "parts",
    "toml",
]

_MOMENT = "1s"
"""When a fault of one instant happens, until somebody says when."""
_NOT_NOW = "a fault that is set by hand begins now: leave out from and until"


class Parameter(msgspec.Struct, frozen=True):
    """One thing that can be set, and what it is without."""

    name: str
    type: str
    default: str
    about: str


class FaultKind(msgspec.Struct, frozen=True, kw_only=True):
    """One fault of `nearbench list faults`."""

    name: str
    title: str
    befalls: str
    """air, node or accessory."""
    momentary: bool
    needs_device: bool
    """whether it has to be there when time begins."""
    parameters: tuple[Parameter, ...]
    model: type[Fault]

    def whom(self) -> str:
        """Whom it befalls, in words."""
        return {
            "air": "befalls the air; a node narrows it down",
            "node": "befalls the node that you name",
            "accessory": "befalls the accessory that you name",
        }[self.befalls]


def fault_kinds() -> list[FaultKind]:
    """Every fault that is simulated, by name."""
    return [_kind(name, model) for name, model in FAULTS if not model.not_simulated]


def _kind(name: str, model: type[Fault]) -> FaultKind:
    enter: Any = model.enter
    return FaultKind(
        name=name,
        title=model.title(),
        befalls=model.befalls,
        momentary=model.momentary,
        needs_device=enter is not Fault.enter,
        parameters=tuple(parameters_of(model.Settings)),
        model=model,
    )


def parameters_of(kind: Any) -> list[Parameter]:
    """The settings of a fault or device as rows."""
    return [
        Parameter(row["name"], row["type"], _written(row["default"]), row["about"])
        for row in settings_table(kind)
    ]


def _written(value: Any) -> str:
    """A default as it is typed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = str(value)
    is_list = text.startswith("(") and text.endswith(")")
    return f"[{text[1:-1].rstrip(',')}]" if is_list else text


class FaultChoice:
    """A fault on one scenario: chosen or not, and its parameters as text."""

    def __init__(self, kind: FaultKind, scenario: Scenario, *, now: bool = False) -> None:
        self.kind = kind
        self.scenario = scenario
        self.now = now
        """whether it is set on a running world; then it has no times."""
        self.chosen = False
        self.text = self._usual()

    def _usual(self) -> str:
        """Everything that can be given, as it is when nobody says otherwise."""
        parts: list[str] = []
        if node := self._usual_node():
            parts.append(f"node={node}")
        if self.kind.momentary and not self.now:
            parts.append(f"from={_MOMENT}")
        parts += [
            f"{one.name}={one.default}"
            for one in self.kind.parameters
            if one.default not in ("", "[]")
        ]
        return ",".join(parts)

    def _usual_node(self) -> str:
        """The first device of the kind that it befalls: an accessory, or rather a phone.

        Nobody for the air, but for what has to stand somewhere: that stands beside a phone.
        """
        if self.kind.befalls == "air" and not any(one.name == "at" for one in self.kind.parameters):
            return ""
        wants_accessory = self.kind.befalls == "accessory"
        nodes = self.scenario.node
        fitting = [one.name for one in nodes if bool(one.accessory) == wants_accessory]
        if not fitting and not wants_accessory:
            fitting = [one.name for one in nodes]
        return fitting[0] if fitting else ""

    def known(self) -> list[Parameter]:
        """What can be given: whom, when, and the fault's own settings."""
        names = ", ".join(one.name for one in self.scenario.node)
        found = [Parameter("node", "str", "", f"whom it befalls: {names}")]
        if not self.now:
            found.append(Parameter("from", "Duration", "0s", "when it begins"))
            if not self.kind.momentary:
                found.append(Parameter("until", "Duration", "", "when it is over"))
        return [*found, *self.kind.parameters]

    def option(self, text: str | None = None) -> str:
        """As `--fault` takes it, without what is the default anyway."""
        given = self.text if text is None else text
        usual = {f"{one.name}={one.default}" for one in self.kind.parameters if one.default}
        kept = [part for part in parts(given) if part not in usual]
        return f"{self.kind.name}:{','.join(kept)}" if kept else self.kind.name

    def spec(self, text: str | None = None) -> FaultOption:
        """The fault. Raises UsageError that says what is wrong with the text."""
        option = self.option(text)
        spec = fault_of(option)
        if wrong := self._wrong(spec):
            raise UsageError(wrong)
        try:
            convert(spec.set, self.kind.model.Settings, "")
        except UsageError as exc:
            raise UsageError(str(exc).removeprefix(": ")) from None
        return spec

    def _wrong(self, spec: FaultOption) -> str:
        """What is wrong with node and times; empty when nothing is."""
        if self.now:
            if spec.from_ or spec.until is not None:
                return _NOT_NOW
            spec = msgspec.structs.replace(spec, from_=Duration(1))
        wrong = wrong_with(self.kind.model, spec, self.scenario)
        return f"{wrong[0]}: {wrong[1]}" if wrong else ""

    def check(self, text: str) -> str:
        """What the text means, as a sentence. Raises UsageError."""
        spec = self.spec(text)
        when = "now" if self.now else f"from {spec.from_ / 1e6:g} s"
        until = "" if spec.until is None else f" until {spec.until / 1e6:g} s"
        return f"{spec.node or 'everybody on the air'}, {when}{until}"

    def as_toml(self) -> list[str]:
        """The lines of a scenario file that say the same. Raises UsageError."""
        spec = self.spec()
        lines = ["[[fault]]", f"name = {toml(spec.name)}"]
        if spec.node:
            lines.append(f"node = {toml(spec.node)}")
        for key, given in (("from", spec.from_), ("until", spec.until)):
            if given:
                lines.append(f"{key} = {toml(duration_text(given))}")
        if spec.set:
            inner = ", ".join(
                f"{key} = {toml(value)}"
                for key, value in declared(spec.set, self.kind.model.Settings).items()
            )
            lines.append(f"set = {{ {inner} }}")
        return lines


def declared(given: dict[str, Any], kind: Any) -> dict[str, Any]:
    """Values that were typed, as the settings of `kind` take them."""
    found: dict[str, Any] = as_declared(given, kind)
    return found


def toml(value: Any) -> str:
    """A value of a setting as TOML."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        table = cast("dict[str, Any]", value)
        return f"{{ {', '.join(f'{key} = {toml(one)}' for key, one in table.items())} }}"
    if isinstance(value, list | tuple):
        items = cast("list[Any]", value)
        return f"[{', '.join(toml(one) for one in items)}]"
    if isinstance(value, int | float):
        return str(value)
    return msgspec.json.encode(str(value)).decode()


def parts(text: str) -> list[str]:
    """`key=value` one by one, cut at the commas outside of brackets and quotes."""
    return [part.strip() for part in parts_of(text) if part.strip()]
