"""Events of our engines in the words of recorded exchanges, and what they come to (recordings, "Events")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.wifi_aware import events as ev

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

__all__ = ["outcome_of", "recorded_form"]

Form = dict[str, Any]
_CIPHERS = {"ccmp_128": "CCMP", "gcmp_256": "GCMP-256"}
_DROPPED = "rx_dropped_unprotected_from_paired"
_UNPROTECTED = "not protected, and its sender is paired"


def _renamed(**names: str) -> Callable[[Any], Form]:
    """A form with these members: recorded name = our name; booleans are 0 and 1 unless the name ends in "?"."""

    def form(event: Any) -> Form:
        return {name: _plain(getattr(event, ours)) for name, ours in names.items()}

    return form


def _plain(value: Any) -> Any:
    if isinstance(value, bool):
        return int(value)
    return list(value) if isinstance(value, tuple) else value  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]  # of whatever


def _discovered(event: ev.Discovered) -> Form:
    found = _renamed(
        subscribe_id="subscribe_id",
        peer="peer",
        publish_id="publish_id",
        pairing_setup="pairing_setup",
        npk_caching="npk_caching",
        pbm="methods",
        cipher_suites="cipher_suites",
        ssi="service_info",
        data_path="data_path",
        security_required="security_required",
    )(event)
    return found | {"pmkids": "".join(event.pmkids)}


def _result(event: ev.PairingResult) -> Form:
    found = {
        "peer": event.peer,
        "akmp": event.akm.upper(),
        "cipher": _CIPHERS[event.cipher],
        "status": event.status,
    }
    keys = {"kck": event.kck, "nm_tk": event.nm_tk, "kdk": event.nm_kdk, "nd_pmk": event.nd_pmk}
    return found | (keys if event.status == 0 else {})


def _accepted(event: Any) -> int:
    return 0 if event.accepted else -1


_FORMS: dict[type[ev.Event], Callable[[Any], Form]] = {
    ev.Discovered: _discovered,
    ev.Replied: _renamed(
        publish_id="publish_id", peer="peer", subscribe_id="subscribe_id", ssi="service_info"
    ),
    ev.BootstrapRequested: _renamed(
        peer="peer", pbm="method", handle="handle", req_instance_id="peer_instance_id"
    ),
    ev.BootstrapCompleted: _renamed(
        peer="peer",
        pbm="method",
        success="success",
        reason="reason",
        handle="handle",
        req_instance_id="peer_instance_id",
    ),
    ev.FollowUp: _renamed(
        handle="handle",
        peer="peer",
        peer_instance_id="peer_instance_id",
        ssi="service_info",
        consumed="consumed",
    ),
    ev.PairingRequested: lambda event: {
        "csid": event.csid,
        "instance_id": event.handle,
        "akmp": event.akm.upper(),
        "num_pmkid": event.pmkids,
    },
    ev.AuthReceived: lambda event: {
        "transaction": event.transaction,
        "status": event.status,
        "ret": _accepted(event),
    },
    ev.AuthSent: lambda _: {"ret": 0},
    ev.PairingResult: _result,
    ev.NikReceived: lambda event: {
        "id": event.id,
        "nik": event.nik,
        "cipher_ver": event.cipher_version,
        "lifetime": event.lifetime_s,
        "akmp": event.akm.upper(),
        "npk": event.npk,
    },
    ev.NiraResolved: _renamed(id="id", nonce="nonce", tag="tag"),
    ev.NiraUnknown: _renamed(nonce="nonce", tag="tag"),
    ev.DataPathRequested: _renamed(
        peer="peer",
        init_ndi="initiator_ndi",
        ndp_id="ndp_id",
        publish_id="publish_id",
        csid="csid",
        pmkid="pmkid",
        ndp_status="ndp_status",
        ndl_status="ndl_status",
        ssi="service_info",
    ),
    ev.DataPathConnected: _renamed(
        peer="peer",
        init_ndi="initiator_ndi",
        ndp_id="ndp_id",
        local_ndi="local_ndi",
        peer_ndi="peer_ndi",
        csid="csid",
        nd_tk="nd_tk",
        ssi="service_info",
        interface_id="interface_identifier",
        local_gtk="local_gtk",
        peer_gtk="peer_gtk",
    ),
    ev.DataPathEnded: _renamed(
        peer="peer",
        init_ndi="initiator_ndi",
        ndp_id="ndp_id",
        reason="reason",
        local="local",
        failure="failure",
    ),
    ev.NafReceived: lambda event: {"subtype": event.subtype, "ret": _accepted(event)},
    ev.GroupKeySet: lambda event: {
        "addr": event.address,
        "idx": event.key_id,
        "key": event.key,
    },
}


def recorded_form(event: ev.Event) -> Form | None:
    """An event as the recordings write it; None when they have none such."""
    if isinstance(event, ev.Dropped) and event.reason == _UNPROTECTED:
        return {"ev": _DROPPED, "peer": event.peer}
    form = _FORMS.get(type(event))
    return None if form is None else {"ev": event.kind, **form(event)}


def outcome_of(events: Iterable[ev.Event], refused: int) -> Form:
    """What a device concluded, in the form of `outcome`; a key that is missing did not happen."""
    out: Form = {"command_failed": refused} if refused else {}
    for event in events:
        _count(out, event)
    return out


def _count(out: Form, event: ev.Event) -> None:
    match event:
        case ev.BootstrapCompleted():
            entry = {"success": event.success, "reason": event.reason, "pbm": event.method}
            out.setdefault("bootstrap", []).append(entry)
        case ev.PairingResult():
            out.setdefault("pairing_status", []).append(event.status)
        case ev.AuthReceived(accepted=False):
            out.setdefault("auth_frames_refused", []).append(event.transaction)
        case ev.NikReceived():
            out["peer_nik_stored"] = out.get("peer_nik_stored", 0) + 1
        case ev.DataPathConnected():
            out["ndp_connected"] = out.get("ndp_connected", 0) + 1
        case ev.DataPathEnded():
            out.setdefault("ndp_disconnected_reason", []).append(event.reason)
        case ev.NafReceived(accepted=False):
            out.setdefault("naf_refused_subtype", []).append(event.subtype)
        case ev.NiraResolved() | ev.NiraUnknown():
            out.setdefault("notes", []).append(event.kind)
        case ev.Dropped(reason=reason) if reason == _UNPROTECTED:
            out.setdefault("notes", []).append(_DROPPED)
        case _:
            pass
