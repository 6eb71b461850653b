"""The frames that a path sends, in full: M1 to M4, a refusal, a termination, a schedule update.

Wi-Fi Aware 4.0, NDP and NDL setup; digest 5.2, 5.8, 5.9 and what recordings of hostap show octet by octet. The order of
attributes is that of hostap. Nothing is sent and no state changes here. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.wifi_aware import ndl, ndp_frames
from protocols.wifi_aware.heard import DUAL, PUBLIC
from protocols.wifi_aware.ndp_frames import (
    CONFIRM,
    INSTALL,
    REQUEST,
    RESPONSE,
    TERMINATION,
    Additions,
    Message,
)
from protocols.wifi_aware.security_attributes import csia_of, scia_of
from protocols.wifi_aware.station_settings import attribute_of
from protocols.wifi_aware.vocabulary import UNSET

if TYPE_CHECKING:
    from collections.abc import Iterable

    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.frames import Naf
    from protocols.wifi_aware.ndp_path import Link, Path
    from protocols.wifi_aware.ndp_security import Handshake
    from protocols.wifi_aware.ndp_settings import DataPathSettings
    from protocols.wifi_aware.station import Station

__all__ = [
    "SCHEDULE_UPDATE",
    "confirm",
    "install",
    "refusal",
    "request",
    "response",
    "schedule_update",
    "termination",
]

SCHEDULE_UPDATE = 13
"""NAF subtype of a Schedule Update Notification."""
_KEY_RSC = 1
"""packet number of an own GTK when it is handed out: its key ID (hostap)."""


def request(station: Station, settings: DataPathSettings, link: Link, path: Path) -> Naf:
    """M1. The authentication token of the handshake is that of this frame."""
    security = _terms(station, path)
    if path.handshake is not None:
        security.append(path.handshake.descriptor("m1"))
    schedule = _schedule(station, settings, link, path, REQUEST, ndl.CONTINUED)
    members = {"confirm_required": path.confirm_required, "publish_id": path.publish_id}
    setup = _setup(path, REQUEST, path.own, ndl.CONTINUED, **members)
    frame = _frame(station, path, REQUEST, setup, security, schedule)
    if path.handshake is not None:
        path.handshake.remember_m1(station.body(frame))
    return frame


def response(station: Station, settings: DataPathSettings, link: Link, path: Path) -> Naf:
    """M2 that does not refuse; it accepts at once when nothing more is to come, otherwise it goes on."""
    goes_on = path.confirm_required or path.handshake is not None or _is_countered(path)
    status = ndl.CONTINUED if goes_on else ndl.ACCEPTED
    setup = _setup(path, RESPONSE, path.own, status, responder_ndi=path.own_ndi)
    security = _terms(station, path)
    if path.handshake is not None:
        security.append(path.handshake.descriptor("m2"))
    link_status = ndl.ACCEPTED if path.verdict is None else path.verdict.status
    schedule = _schedule(station, settings, link, path, RESPONSE, link_status)
    frame = _frame(station, path, RESPONSE, setup, security, schedule)
    return _signed(station, path.handshake, frame, "m2")


def refusal(station: Station, link: Link, path: Path, *, by_application: bool) -> Naf:
    """M2 that refuses, for `path.reason`.

    An application's refusal carries its own additions and no suite; one for a key that differs, or for a schedule,
    repeats the service info of the request and shows the own suite and key (hostap).
    """
    asked = Additions(path.asked.service_info)
    setup = _setup(path, RESPONSE, path.own if by_application else asked, ndl.REJECTED)
    security: list[Attr] = []
    if path.csid and by_application:
        security = [csia_of(0, 0, 0), scia_of(0, bytes(16))]
    elif path.csid:
        security = _terms(station, path)
    schedule: list[Attr] = []
    if path.negotiates:
        reason = path.verdict.reason if path.verdict is not None and not by_application else 0
        schedule.append(_ndl(station, path, RESPONSE, ndl.REJECTED, reason))
    elif link.agreement is not None:
        schedule.append(_availability(station, link))
    return _frame(station, path, RESPONSE, setup, security, schedule)


def confirm(
    station: Station, link: Link, path: Path, *, kdes: bytes = b"", refused: bool = False
) -> Naf:
    """M3; a countered NDL is accepted, with the peer's NDC, or with `refused` turned down."""
    secure = path.handshake is not None
    status = ndl.CONTINUED if secure else ndl.ACCEPTED
    status = ndl.REJECTED if refused else status
    setup = _setup(path, CONFIRM, Additions(b"", path.own.interface_identifier), status)
    schedule = [_availability(station, link, agreed=not refused)]
    if refused:
        reason = ndl.UNSPECIFIED if path.verdict is None else path.verdict.reason
        schedule.append(_ndl(station, path, CONFIRM, ndl.REJECTED, reason))
    elif _is_countered(path) and path.agreement is not None:
        peer = path.agreement.peer.ndc
        schedule.append(ndp_frames.ndc_of(station.settings, path.ndc_id, peer))
        schedule.append(_ndl(station, path, CONFIRM, ndl.ACCEPTED, ndc=True))
    security = _key_message(path, "m3", kdes) if not refused else []
    frame = _frame(station, path, CONFIRM, setup, security, schedule)
    return _signed(station, path.handshake if security else None, frame, "m3")


def install(station: Station, link: Link, path: Path, *, kdes: bytes) -> Naf:
    """M4."""
    additions = Additions(b"", path.own.interface_identifier)
    setup = _setup(path, INSTALL, additions, ndl.ACCEPTED)
    schedule = [_availability(station, link, agreed=True)]
    frame = _frame(station, path, INSTALL, setup, _key_message(path, "m4", kdes), schedule)
    return _signed(station, path.handshake, frame, "m4")


def termination(station: Station, link: Link, path: Path) -> Naf:
    """The end: of a setup with its token and its own identifier, of a connected path with neither (hostap)."""
    status = ndl.REJECTED
    if path.connected:
        setup = _setup(path, TERMINATION, Additions(), status, dialog_token=0, security=False)
    else:
        additions = Additions(b"", path.own.interface_identifier)
        setup = _setup(path, TERMINATION, additions, status)
    return _frame(station, path, TERMINATION, setup, [], [_availability(station, link)])


def schedule_update(station: Station, link: Link) -> Naf:
    """A Schedule Update Notification with the current Availability."""
    attributes = [*_device(station), _availability(station, link, agreed=True)]
    source, destination, category = _route(station, link.peer)
    return station.naf(destination, SCHEDULE_UPDATE, attributes, category=category, source=source)


# --- parts ----------------------------------------------------------------------------------------


def _frame(
    station: Station,
    path: Path,
    message: Message,
    setup: Attr,
    security: Iterable[Attr],
    schedule: Iterable[Attr],
) -> Naf:
    attributes = [*_device(station), setup, *security, *schedule]
    source, destination, category = _route(station, path.peer, in_clear=path.in_clear)
    return station.naf(destination, message.subtype, attributes, category=category, source=source)


def _route(station: Station, nmi: str, *, in_clear: bool = False) -> tuple[str, str, int]:
    """Source (empty: the NMI), destination and category of a NAF (digest 5.8)."""
    peer = station.peers.get(nmi)
    if peer is not None and peer.paired:
        return "", nmi, DUAL
    if peer is None or peer.data_interface is None or in_clear:
        return "", nmi, PUBLIC
    own_ndi, peer_ndi = peer.data_interface
    return own_ndi, peer_ndi, DUAL


def _device(station: Station) -> list[Attr]:
    settings = station.settings
    return [attribute_of(one) for one in (settings.device_capability, settings.dcea) if one]


def _setup(path: Path, message: Message, additions: Additions, status: int, **changes: Any) -> Attr:
    members: dict[str, Any] = {
        "dialog_token": path.token,
        "status": status,
        "reason": path.reason if status == ndl.REJECTED else 0,
        "initiator_ndi": path.initiator_ndi,
        "ndp_id": path.ndp_id,
        "confirm_required": False,
        "security": path.csid != 0,
        "publish_id": UNSET,
        "responder_ndi": UNSET,
    }
    return ndp_frames.ndp_of(message, additions, ndpe=path.ndpe, **(members | changes))


def _terms(station: Station, path: Path) -> list[Attr]:
    """CSIA and SCIA of a secure path."""
    if not path.csid:
        return []
    suites = [suite for suite in (path.csid, path.gtk_csid) if suite]
    capabilities = station.settings.security_capabilities
    return [
        csia_of(capabilities, path.publish_id, *suites),
        scia_of(path.publish_id, path.pmkid),
    ]


def _key_message(path: Path, message: str, kdes: bytes) -> list[Attr]:
    if path.handshake is None:
        return []
    rsc = _KEY_RSC if path.gtk_csid else 0
    return [path.handshake.descriptor(message, kdes=kdes, rsc=rsc)]


def _signed(station: Station, handshake: Handshake | None, frame: Naf, message: str) -> Naf:
    if handshake is None:
        return frame
    return handshake.signed(frame, station.body(frame), message)


def _is_countered(path: Path) -> bool:
    return path.verdict is not None and path.verdict.status == ndl.CONTINUED


def _schedule(
    station: Station,
    settings: DataPathSettings,
    link: Link,
    path: Path,
    message: Message,
    status: int,
) -> list[Attr]:
    """Availability, and while the NDL is negotiated NDC, NDL, QoS and the elements."""
    out = [_availability(station, link, agreed=status == ndl.ACCEPTED)]
    if not path.negotiates:
        return out
    has_ndc = bool(path.ndc_id)
    if has_ndc:
        out.append(ndp_frames.ndc_of(station.settings, path.ndc_id, _ndc_schedule(station, path)))
    qos = ndp_frames.qos_of(settings.qos_min_slots, settings.qos_max_latency_slots)
    reason = 0 if path.verdict is None else path.verdict.reason
    out.append(_ndl(station, path, message, status, reason, ndc=has_ndc, qos=qos is not None))
    out.extend([qos] if qos is not None else [])
    if station.settings.element_container:
        out.append(attribute_of(station.settings.element_container))
    return out


def _ndc_schedule(station: Station, path: Path) -> Any:
    """None: the configured one; a responder without one takes that of the request."""
    if station.settings.ndc or path.request is None or path.request.ndc is None:
        return None
    return path.request.ndc.schedule


def _ndl(
    station: Station,
    path: Path,
    message: Message,
    status: int,
    reason: int = 0,
    *,
    ndc: bool = False,
    qos: bool = False,
) -> Attr:
    return ndp_frames.ndl_of(
        station.settings, type=message.type, status=status, token=path.token, reason=reason, ndc=ndc, qos=qos
    )  # fmt: skip


def _availability(station: Station, link: Link, *, agreed: bool = False) -> Attr:
    attr = station.availability_attribute(link.sequence)
    return ndp_frames.agreed_availability(attr) if agreed else attr
