"""What there is: every kind of registered thing, as rows for `list` and as details for `show`.

One table, KINDS, from kind to the functions that list and describe it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from protocols.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["KINDS", "kind_of", "rows", "show"]


class Kind(NamedTuple):
    """How one kind is listed and described."""

    rows: Callable[[], list[dict[str, Any]]]
    show: Callable[[str], dict[str, Any]]
    empty: str = ""
    """what to say when there are none."""
    lines: Callable[[dict[str, Any]], list[str]] | None = None
    """a row as text, where name and title do not say it."""
    legend: Callable[[], list[str]] = list
    """what the words in the rows mean."""
    in_words: Callable[[dict[str, Any]], dict[str, Any]] = dict
    """what `show` tells, with words for signs."""


def _first_line(text: str | None) -> str:
    return (text or "").strip().split("\n")[0]


def _scenarios() -> list[dict[str, Any]]:
    from sim import scenario

    return [{"name": name, "title": scenario.load(name).title} for name in scenario.names()]


def _scenario(name: str) -> dict[str, Any]:
    import msgspec

    from sim import scenario
    from sim.units import duration_text

    found = scenario.load(name)
    plain: dict[str, Any] = {
        "name": name,
        "file": found.file,
        "title": found.title,
        "about": found.about,
    }
    plain |= {"duration_s": found.duration / 1e6, "seed": found.seed}
    plain["nodes"] = [
        {
            "name": n.name,
            "accessory": n.accessory or None,
            "phone": n.phone or None,
            "at": list(n.at),
            "set": n.set,
        }
        for n in found.node
    ]
    plain["crowds"] = [msgspec.to_builtins(c, enc_hook=duration_text) for c in found.crowd]
    plain["steps"] = [{"node": s.node, "do": s.do, "set": s.set} for s in found.step]
    from sim.expect import Watch

    plain["expect"] = [Watch(e).words() for e in found.expect]
    return plain


def _device_rows(folder: Any) -> list[dict[str, Any]]:
    return [{"name": name, "title": _first_line(model.__doc__)} for name, model in folder]


def _device(folder: Any, name: str) -> dict[str, Any]:
    import msgspec

    from sim.parameter_rows import parameter_rows

    model = folder.get(name)
    commands = [msgspec.to_builtins(info) for info in model.commands().values()]
    title, _, about = (model.__doc__ or "").strip().partition("\n")
    return {
        "name": name,
        "title": title,
        "about": " ".join(about.split()),
        "source": model.about,
        "settings": parameter_rows(model.Settings),
        "commands": commands,
    }


def _accessories() -> Any:
    from sim.accessories import ACCESSORIES

    return ACCESSORIES


def _phones() -> Any:
    from sim.phones import PHONES

    return PHONES


def _accessory(name: str) -> dict[str, Any]:
    return _device(_accessories(), name)


def _phone(name: str) -> dict[str, Any]:
    return _device(_phones(), name)


def _faults() -> list[dict[str, Any]]:
    from sim.faults import FAULTS

    return [
        {
            "name": name,
            "title": f"{fault.title()}.",
            "status": _status(fault),
            "befalls": fault.befalls,
        }
        for name, fault in FAULTS
    ]


def _status(fault: Any) -> str:
    return "not simulated" if fault.not_simulated else "executed"


def _fault_lines(row: dict[str, Any]) -> list[str]:
    return [f"{row['name']:<25} {row['status']:<14} {row['title']}"]


def _fault(name: str) -> dict[str, Any]:
    from sim.faults import FAULTS
    from sim.parameter_rows import parameter_rows

    model = FAULTS.get(name)
    return {
        "name": name,
        "title": f"{model.title()}.",
        "status": _status(model),
        "not_simulated": model.not_simulated,
        "befalls": _BEFALLS[model.befalls],
        "when": "at one instant (from)" if model.momentary else "from ... until",
        "source": model.about,
        "settings": parameter_rows(model.Settings),
    }


_BEFALLS = {
    "air": "the air; a node narrows it down",
    "node": "a node",
    "accessory": "an accessory",
}


def _formats() -> list[dict[str, Any]]:
    from protocols.ble.payloads import FORMATS

    return [
        {
            "name": f.name,
            "title": f.title,
            "source": f.source,
            "confidence": f.confidence,
            "keys": list(f.keys),
        }
        for _, f in FORMATS
    ]


def _format(name: str) -> dict[str, Any]:
    from protocols.ble.payloads import describe
    from protocols.dissect import format_of

    return describe(format_of(name))


def _attributes() -> list[dict[str, Any]]:
    from protocols.wifi_aware.describe import rows

    return rows()


def _attribute(name: str) -> dict[str, Any]:
    from protocols.wifi_aware.describe import describe, named

    return describe(named(name))


def _rules() -> list[dict[str, Any]]:
    from sim.explain import all_rules

    keys = ("id", "title", "confidence", "source", "status")
    return [{key: getattr(rule, key) for key in keys} for rule in all_rules().values()]


def _rule_lines(row: dict[str, Any]) -> list[str]:
    import textwrap

    from sim.explain.model import confidence_in_words

    head = f"{row['id']:<6} {row['status']:<13}  {row['title']}"
    about = f"{confidence_in_words(row['confidence'])}: {row['source']}"
    indent = " " * 7
    return [head, *textwrap.wrap(about, 80, initial_indent=indent, subsequent_indent=indent)]


def _rule_legend() -> list[str]:
    from sim.explain.model import CONFIDENCE

    return [
        "",
        "how sure a rule is:",
        *(f"  {word:<11} {meaning}" for word, meaning in CONFIDENCE.values()),
    ]


def _rule_in_words(shown: dict[str, Any]) -> dict[str, Any]:
    from sim.explain.model import confidence_in_words

    return shown | {"confidence": confidence_in_words(shown["confidence"])}


def _rule(name: str) -> dict[str, Any]:
    import msgspec

    from sim.explain import rule_of

    rule = rule_of(name)
    shown = {key: value for key, value in msgspec.structs.asdict(rule).items() if key != "judge"}
    return shown | {
        "stories": list(rule.stories),
        "profiles": list(rule.profiles),
        "causes": list(rule.causes),
    }


def _transports() -> list[dict[str, Any]]:
    from hw_bridge.transports import TRANSPORTS

    return [
        {
            "name": name,
            "title": transport.summary,
            "form": transport.form,
            "platforms": list(transport.platforms),
        }
        for name, transport in TRANSPORTS
    ]


def _transport(name: str) -> dict[str, Any]:
    from hw_bridge.transports import TRANSPORTS

    transport = TRANSPORTS.get(name)
    options = [
        {
            "name": one.name,
            "type": " | ".join(one.choices) or one.kind,
            "default": one.default,
            "about": one.summary,
        }
        for one in transport.options
    ]
    return {
        "name": name,
        "title": transport.summary,
        "form": transport.form,
        "example": transport.example,
        "platforms": list(transport.platforms),
        "settings": options,
    }


KINDS: dict[str, Kind] = {
    "scenarios": Kind(_scenarios, _scenario),
    "accessories": Kind(lambda: _device_rows(_accessories()), _accessory),
    "phones": Kind(lambda: _device_rows(_phones()), _phone),
    "formats": Kind(_formats, _format),
    "faults": Kind(_faults, _fault, lines=_fault_lines),
    "attributes": Kind(_attributes, _attribute),
    "rules": Kind(_rules, _rule, lines=_rule_lines, legend=_rule_legend, in_words=_rule_in_words),
    "transports": Kind(_transports, _transport),
}


def kind_of(word: str) -> str:
    """The kind a word means, singular or plural. Raises UnknownNameError."""
    for kind in KINDS:
        if word in (kind, kind.removesuffix("s"), f"{kind.removesuffix('ies')}y"):
            return kind
    raise UnknownNameError("kind", word, KINDS)


def rows(kind: str) -> list[dict[str, Any]]:
    """All things of a kind."""
    return KINDS[kind].rows()


def show(kind: str, name: str) -> dict[str, Any]:
    """Everything about one thing."""
    return KINDS[kind].show(name)
