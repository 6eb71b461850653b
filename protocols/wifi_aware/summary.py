"""One line for a frame: which message of which ceremony it is, and from whom to whom.

Only the attributes and elements that the line names are decoded; a malformed one is left out. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec import UNSET

from protocols.errors import DecodeError
from protocols.wifi_aware import data_frame, data_path, frames
from protocols.wifi_aware.attributes.cipher_suite_information import SUITES
from protocols.wifi_aware.attributes.pairing_bootstrapping import METHODS
from protocols.wifi_aware.attributes.service_descriptor import TYPES
from protocols.wifi_aware.header import GROUPS, SUBTYPES
from protocols.wifi_aware.kinds import PASN, SUBTYPES_NAF
from protocols.wifi_aware.suites import ALGORITHMS, STATUSES
from protocols.wifi_aware.suites import GROUPS as CYCLIC_GROUPS
from protocols.wifi_aware.vocabulary import REASONS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protocols.format import Fields

__all__ = ["said", "summary"]

_BEACONS = {100: "discovery beacon", 512: "synchronisation beacon"}
_STEPS = {1: "request", 2: "response"}
_REJECTED, _COMEBACK = 1, 2
_HANDSHAKE = {5: "M1", 6: "M2", 7: "M3", 8: "M4"}
_UNSAID_SUITES = (0, 5, 6)
"""None, and those of group keys."""
_REFUSED, _TERMINATE = 2, 4
_SEALED = (frames.Protected, frames.ProtectedData)
_ACKNOWLEDGEMENT = b"\xd4"
_SAE_MESSAGES = {1: "commit", 2: "confirm"}


def summary(fields: Fields) -> str:
    """The line, for example "follow-up: bootstrapping request, PIN keypad  02:... > 02:..."."""
    if not isinstance(fields, frames.Header):
        return f"{_other(fields)}{_wrong_fcs(fields)}"
    to = GROUPS.get(fields.destination, fields.destination)
    return f"{said(fields)}  {fields.source} > {to}{_wrong_fcs(fields)}"


def said(frame: frames.Header) -> str:
    """What the frame says, without addresses."""
    return f"{_sealed(frame)}{_what(frame)}"


def _other(fields: Fields) -> str:
    """Of a frame that is neither management nor data between NAN devices."""
    octets = bytes.fromhex(str(getattr(fields, "octets", "")))
    if octets[:1] == _ACKNOWLEDGEMENT and len(octets) >= 10:
        return f"acknowledgement  > {octets[4:10].hex(':')}"
    return "802.11 frame, neither management nor NAN data"


def _wrong_fcs(fields: Fields) -> str:
    fcs = getattr(fields, "fcs", UNSET)
    return "" if fcs in (UNSET, frames.COMPUTED) else "  wrong FCS"


def _sealed(frame: frames.Header) -> str:
    """How the frame was protected, in front of what it says."""
    opened = frame.packet_number is not UNSET and not isinstance(frame, _SEALED)
    if opened:
        return "encrypted "
    return "protected " if getattr(frame, "category", 0) == 9 else ""


def _what(frame: frames.Header) -> str:
    match frame:
        case frames.Beacon():
            return _beacon(frame)
        case frames.Sdf():
            return _service(frame)
        case frames.Naf():
            return _action(frame)
        case frames.Authentication():
            return _authentication(frame)
        case frames.Protected():
            kind = SUBTYPES.get(frame.management_subtype, f"subtype {frame.management_subtype}")
            return f"encrypted {kind} frame, packet {frame.packet_number}"
        case frames.Data():
            return data_frame.words(frame)
        case frames.ProtectedData():
            return f"encrypted data frame, packet {frame.packet_number}"
        case frames.Management():
            return SUBTYPES.get(frame.management_subtype, f"subtype {frame.management_subtype}")
        case _:
            return "action"


def _beacon(frame: frames.Beacon) -> str:
    kind = _BEACONS.get(frame.beacon_interval_tu, "beacon")
    cluster = _first(frame, "cluster")
    if cluster is None:
        return kind
    hops = f"{cluster.hop_count} hops from {cluster.anchor_master}"
    return f"{kind}: {hops if cluster.hop_count else 'anchor master'}"


def _service(frame: frames.Sdf) -> str:
    """Of a service discovery frame: the step of bootstrapping, the key, or the services."""
    services = list(_all(frame, "service_descriptor"))
    kinds = {TYPES.get(service.type, "service discovery") for service in services}
    kind = " and ".join(sorted(kinds)) or "service discovery"
    step = _first(frame, "pairing_bootstrapping")
    if step is not None and step.type in _STEPS:
        return f"{kind}: bootstrapping {_STEPS[step.type]}, {_step(step)}"
    if any(attr.name == "shared_key_descriptor" for attr in _attributes(frame)):
        return f"{kind}: identity key"
    if not services:
        return kind
    names = ", ".join(dict.fromkeys(service.service_id for service in services))
    return f"{kind}: service {names}{_offer(step)}"


def _step(step: Any) -> str:
    methods = _methods(step.methods, " or ")
    if step.status == _REJECTED:
        return f"rejected, {_reason(step.reason)}"
    if step.status == _COMEBACK and step.comeback_after_tu is not UNSET:
        return f"come back after {step.comeback_after_tu} TU"
    return f"{methods}, with cookie" if step.status == _COMEBACK else methods


def _offer(step: Any) -> str:
    methods = "" if step is None else _methods(step.methods, ", ")
    return f"; pairing by {methods}" if methods else ""


def _methods(bits: int, between: str) -> str:
    return between.join(name for bit, name in METHODS.items() if bits >> bit & 1)


def _action(frame: frames.Naf) -> str:
    """Of a NAN action frame: which step, which message of the key handshake, which data path."""
    out = SUBTYPES_NAF.get(frame.subtype, f"NAN action frame {frame.subtype}")
    if any(attr.name == "shared_key_descriptor" for attr in _attributes(frame)):
        out = f"{out} ({_HANDSHAKE.get(frame.subtype, 'key descriptor')})"
    setup = _first(frame, "ndpe") or _first(frame, "ndp")
    if setup is None:
        return out
    more = [f"NDP {setup.ndp_id}"]
    if setup.status == _REFUSED or setup.type == _TERMINATE:
        refused = data_path.STATUSES[_REFUSED]
        more += [refused] if setup.type != _TERMINATE else []
        more += [_reason(setup.reason)]
    suites = _first(frame, "cipher_suite_information")
    if suites is not None:
        more += [_suite(row.suite) for row in suites.suites if row.suite not in _UNSAID_SUITES]
    elif not setup.security and setup.type != _TERMINATE:
        more.append("open")
    return f"{out}: {', '.join(more)}"


def _reason(number: int) -> str:
    return f"reason {number} ({REASONS.get(number, 'reserved')})"


def _suite(number: int) -> str:
    return SUITES.get(number, f"suite {number}")


def _authentication(frame: frames.Authentication) -> str:
    """Of an Authentication frame: what PASN carries."""
    status = f"{STATUSES.get(frame.status, 'status')} ({frame.status})" if frame.status else ""
    if frame.algorithm != PASN:
        algorithm = ALGORITHMS.get(frame.algorithm, f"algorithm {frame.algorithm}")
        return f"{algorithm} authentication {frame.transaction}{', ' if status else ''}{status}"
    head = f"PASN Auth {frame.transaction}"
    if status:
        return f"{head}: {status}"
    return f"{head}: {', '.join(_ceremony(frame)) or 'no elements'}"


def _ceremony(frame: frames.Authentication) -> Iterator[str]:
    rsne = _element(frame, "rsne")
    wrapped = _element(frame, "wrapped_data")
    parameters = _element(frame, "pasn_parameters")
    if wrapped is not None and wrapped.messages is not UNSET:
        names = [_SAE_MESSAGES.get(message.transaction, "message") for message in wrapped.messages]
        yield f"SAE {' and '.join(names)}"
    elif rsne is not None and rsne.pmkids:
        yield "verification with a cached key"
    elif any(item.name == "wrapped_data" for item in frame.elements):
        yield "wrapped data that is no SAE"
    elif rsne is not None:
        yield "opportunistic"
    elif parameters is not None and frame.transaction == 3:
        yield "confirmation"
    if parameters is not None and parameters.group is not UNSET:
        yield f"group {parameters.group} ({CYCLIC_GROUPS.get(parameters.group, 'unknown')})"


def _attributes(frame: frames.Frame) -> Any:
    try:
        return frame.nan_attributes
    except DecodeError:
        return ()


def _all(frame: frames.Frame, name: str) -> Iterator[Any]:
    """Typed fields of the well-formed attributes of that name."""
    for attr in _attributes(frame):
        if attr.name == name:
            try:
                yield attr.fields
            except DecodeError:
                continue


def _first(frame: frames.Frame, name: str) -> Any:
    return next(_all(frame, name), None)


def _element(frame: frames.Authentication, name: str) -> Any:
    """Typed fields of the first element of that name, None without one or when it is malformed."""
    try:
        return next((item.fields for item in frame.elements if item.name == name), None)
    except DecodeError:
        return None
