"""The errors of Wi-Fi Aware as developers of iOS apps see them, by the effect of a rule.

Rules IA-27 and IA-28: names are cases of WAError; the one number that was seen is -11992, whose meaning is inferred.
Data only.
"""

from __future__ import annotations

from sim.explain.ia_27 import NO_PAIRED_DEVICES

__all__ = ["PREFIX", "shown"]

PREFIX = "error:"
"""What an effect begins with that the app gets as an error."""


def shown(effect: str) -> str:
    """The error behind an effect `error:NAME` in a developer's words."""
    name = effect.removeprefix(PREFIX)
    if name == str(NO_PAIRED_DEVICES):
        return f"NWError {name} (Wi-Fi Aware)"
    if name == "invalid":
        return "the listener throws"
    return f"WAError.{name}"
