"""What each frame of a data path must say, given the path it is for: checks by message, each with its words.

Wi-Fi Aware 4.0, NDP and NDL setup; digest 2.15, 5.2, 5.5 and 8.3, as in hostap src/nan/nan_ndp.c and nan_ndl.c. A
function returns what the frame means for the path, an input of `TRANSITIONS`, or raises `NotTakenError`. MICs are
checked elsewhere, after this. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.wifi_aware import ndl, ndp_security
from protocols.wifi_aware.attributes.ndpe import Ndpe
from protocols.wifi_aware.ndp_frames import (
    CONFIRM,
    INSTALL,
    REQUEST,
    RESPONSE,
    Message,
    NotTakenError,
    Step,
)
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.attributes.ndl import Ndl
    from protocols.wifi_aware.ndp_path import Path
    from protocols.wifi_aware.ndp_security import Terms
    from protocols.wifi_aware.peers import Service

__all__ = ["confirm", "install", "is_ndpe", "is_refusal", "request", "response", "response_terms"]


def _demand(checks: Iterable[tuple[bool, str]]) -> None:
    """Raises NotTakenError with the words of the first check that fails."""
    for passes, words in checks:
        if not passes:
            raise NotTakenError(words)


def is_ndpe(step: Step) -> bool:
    """NDPE, otherwise NDP."""
    return isinstance(step.setup, Ndpe)


def is_refusal(step: Step) -> bool:
    """A response that refuses."""
    return step.setup.status == ndl.REJECTED


def request(step: Step, services: dict[int, Service]) -> Terms | None:
    """M1; its terms, None for an open path."""
    setup = step.setup
    service = None if setup.publish_id is UNSET else services.get(setup.publish_id)
    _demand(
        (
            (setup.type == REQUEST.type, "its NDP is no request"),
            (setup.status == ndl.CONTINUED, f"a request with status {setup.status}"),
            (setup.dialog_token != 0, "dialog token 0"),
            (setup.ndp_id != 0, "NDP ID 0"),
            (setup.publish_id is not UNSET, "a request without Publish ID"),
            (service is not None and service.publish, "no such publish instance here"),
            (
                step.ndl is None or step.ndl.type == REQUEST.type,
                "its NDL is no request",
            ),
        )
    )
    if not setup.security:
        return None
    terms = ndp_security.terms_of(step)
    known = terms.csid in ndp_security.KNOWN_SUITES
    _demand(
        (
            (known, f"suite {terms.csid} is none that can be used here"),
            (terms.publish_id == setup.publish_id, "CSIA of another Publish ID than the NDP's"),
        )
    )
    ndp_security.read_descriptor(step, terms.csid, "m1", terms.publish_id, 0)
    return terms


def _of_setup(path: Path, step: Step, message: Message) -> None:
    setup = step.setup
    _demand(
        (
            (setup.type == message.type, f"its NDP is of type {setup.type}, {message.type} wanted"),
            (setup.dialog_token == path.token, "dialog token of another setup"),
            (setup.security == (path.csid != 0), "security is announced by one side only"),
        )
    )


def response(path: Path, step: Step) -> str:
    """M2; `continued` and the like may still become a counter-proposal."""
    setup = step.setup
    _of_setup(path, step, RESPONSE)
    if setup.status == ndl.REJECTED:
        return "refused"
    needs_more = path.confirm_required or path.csid != 0
    _demand(
        (
            (setup.status in (ndl.CONTINUED, ndl.ACCEPTED), f"status {setup.status} is reserved"),
            (setup.publish_id is UNSET, "a response with a Publish ID"),
            (setup.responder_ndi is not UNSET, "a response without responder NDI"),
            (
                setup.status == ndl.CONTINUED or not needs_more,
                "accepted, though a confirmation is still to follow",
            ),
        )
    )
    if path.negotiates and _link_response(step) != ndl.ACCEPTED:
        return "refused" if _link_of(step).status == ndl.REJECTED else "countered"
    if setup.status == ndl.ACCEPTED:
        return "accepted"
    return "continued secure" if path.csid else "continued"


def _link_of(step: Step) -> Ndl:
    if step.ndl is None:
        raise NotTakenError("the link is being negotiated, and there is no NDL")
    return step.ndl


def _link_response(step: Step) -> int:
    """Status of the NDL in a response."""
    link = _link_of(step)
    _demand(((link.type == RESPONSE.type, "its NDL is no response"),))
    if link.status == ndl.REJECTED:
        return link.status
    has_immutable = link.immutable_schedule is not UNSET
    _demand(
        (
            (link.status in (ndl.CONTINUED, ndl.ACCEPTED), "reserved status of the NDL"),
            (link.ndc_present and step.ndc is not None, "an NDL response without NDC"),
            (
                link.status != ndl.ACCEPTED or not has_immutable,
                "an immutable schedule in an NDL that accepts",
            ),
        )
    )
    return link.status


def response_terms(path: Path, step: Step) -> Terms:
    """Terms of an M2 that goes on: those of M1."""
    terms = ndp_security.terms_of(step)
    _demand(
        (
            (terms.csid == path.csid, f"M2 has suite {terms.csid}, M1 had {path.csid}"),
            (terms.publish_id in (0, path.publish_id), "CSIA of another Publish ID than M1's"),
            (terms.pmkid == path.pmkid, "M2 has another ND-PMKID than M1"),
        )
    )
    return terms


def confirm(path: Path, step: Step) -> str:
    """M3 of a secure path, or the Confirm of an open one."""
    _of_setup(path, step, CONFIRM)
    countered = path.verdict is not None and path.verdict.status == ndl.CONTINUED
    status = step.setup.status
    if status == ndl.REJECTED and countered:
        return "counter refused"
    wanted = ndl.CONTINUED if path.csid else ndl.ACCEPTED
    _demand(((status == wanted, f"a confirm with status {status}, {wanted} wanted"),))
    if countered and _link_confirm(path, step) != ndl.ACCEPTED:
        return "counter refused"
    return "confirmed secure" if path.csid else "confirmed"


def _link_confirm(path: Path, step: Step) -> int:
    """Status of the NDL that answers a counter-proposal."""
    link = _link_of(step)
    agreed = path.agreement
    same = agreed is None or step.ndc is None or ndl.scheduled(step.ndc.schedule) == agreed.ndc
    _demand(
        (
            (link.type == CONFIRM.type, "its NDL is no confirm"),
            (link.status != ndl.ACCEPTED or step.ndc is not None, "an NDL confirm without NDC"),
            (link.status != ndl.ACCEPTED or same, "another NDC than the one that was proposed"),
        )
    )
    return link.status


def install(path: Path, step: Step) -> str:
    """M4."""
    _of_setup(path, step, INSTALL)
    _demand(((step.setup.status == ndl.ACCEPTED, "a key installment that does not accept"),))
    return "installed"
