"""One line for a frame: what it is, from whom to whom, and what it carries.

Only the attributes that the line names are decoded; a malformed one is left out. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.errors import DecodeError
from protocols.wifi_aware import frames
from protocols.wifi_aware.attributes.pairing_bootstrapping import METHODS
from protocols.wifi_aware.attributes.service_descriptor import TYPES
from protocols.wifi_aware.frame import ALGORITHMS, CATEGORIES, STATUSES, SUBTYPES_NAF
from protocols.wifi_aware.header import GROUPS, SUBTYPES

if TYPE_CHECKING:
    from protocols.format import Fields

__all__ = ["summary"]

_BEACONS = {100: "discovery beacon", 512: "synchronisation beacon"}
_STEPS = {0: "advertise", 1: "request", 2: "response"}
_STEP_STATUSES = {0: "", 1: " rejected", 2: " comeback"}


def summary(fields: Fields) -> str:
    """The line, for example "follow-up, bootstrapping request (PIN code keypad) 02:... > 02:..."."""
    if not isinstance(fields, frames.Header):
        return "802.11 frame, not a management frame"
    to = GROUPS.get(fields.destination, fields.destination)
    return f"{_what(fields)} {fields.source} > {to}"


def _what(frame: frames.Header) -> str:
    match frame:
        case frames.Beacon():
            return _BEACONS.get(frame.beacon_interval_tu, "beacon")
        case frames.Sdf():
            return _service(frame)
        case frames.Naf():
            return f"{SUBTYPES_NAF.get(frame.subtype, f'NAN action frame {frame.subtype}')}{_dual(frame.category)}"
        case frames.Authentication():
            status = (
                f", {STATUSES.get(frame.status, f'status {frame.status}')}" if frame.status else ""
            )
            algorithm = ALGORITHMS.get(frame.algorithm, f"algorithm {frame.algorithm}")
            return f"{algorithm} authentication {frame.transaction}{status}"
        case frames.Protected() | frames.Management():
            kind = SUBTYPES.get(frame.management_subtype, f"subtype {frame.management_subtype}")
            return f"protected {kind}" if isinstance(frame, frames.Protected) else kind
        case _:
            return "action"


def _service(frame: frames.Sdf) -> str:
    service = _first(frame, "service_descriptor")
    kind = "service discovery" if service is None else TYPES.get(service.type, "service discovery")
    step = _first(frame, "pairing_bootstrapping")
    more = ""
    if step is not None and step.type:
        names = ", ".join(name for bit, name in METHODS.items() if step.methods >> bit & 1)
        more = f", bootstrapping {_STEPS.get(step.type, step.type)}{_STEP_STATUSES.get(step.status, '')}"
        more += f" ({names})" if names else ""
    return f"{kind}{more}{_dual(frame.category)}"


def _first(frame: frames.Frame, name: str) -> Any:
    try:
        return frame.first(name)
    except DecodeError:
        return None


def _dual(category: int) -> str:
    return f" ({CATEGORIES[category]})" if category == 9 else ""
