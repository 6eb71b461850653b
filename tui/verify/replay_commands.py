"""Commands of recorded exchanges as commands of our engines: one function each (recordings, "Commands")."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.device import AwareDevice

__all__ = ["COMMANDS"]

_MODES = {0: "opportunistic", 1: "sae", 2: "verification"}
_CSIDS = {"CCMP": 7, "GCMP-256": 8}
Entry = dict[str, Any]


def _octets(entry: Entry, key: str) -> bytes:
    return bytes.fromhex(entry.get(key, ""))


def _publish(device: AwareDevice, entry: Entry, now: int) -> None:
    suites = tuple(int(one) for one in str(entry.get("cipher_suites", "")).split(",") if one)
    device.discovery.publish(
        entry["name"],
        service_info=_octets(entry, "ssi"),
        methods=int(entry.get("pbm", 0)),
        cipher_suites=suites,
        passphrase=_octets(entry, "pwd_hex"),
        pmk=_octets(entry, "pmk"),
        unsolicited=bool(entry.get("unsolicited", 1)),
        now=now,
    )


def _subscribe(device: AwareDevice, entry: Entry, now: int) -> None:
    device.discovery.subscribe(entry["name"], active=bool(entry.get("active", 0)), now=now)


def _window(device: AwareDevice, entry: Entry, now: int) -> None:  # one signature for all
    device.window(now)


def _bootstrap(device: AwareDevice, entry: Entry, now: int) -> None:
    engine = device.bootstrapping
    act = engine.authorize if entry.get("auth", 0) else engine.start
    act(entry["peer"], entry["handle"], entry["req_id"], entry["pbm"], now)


def _pair(device: AwareDevice, entry: Entry, now: int) -> None:
    engine = device.pairing
    act = engine.accept if entry.get("responder", 0) else engine.pair
    act(
        entry["peer"],
        entry["handle"],
        entry["peer_instance_id"],
        mode=_MODES[int(entry.get("auth", 0))],
        csid=_CSIDS[entry.get("cipher", "CCMP")],
        password=_octets(entry, "pwd_hex"),
        now=now,
    )


def _refuse(device: AwareDevice, entry: Entry, now: int) -> None:
    device.pairing.refuse(entry["peer"], now)


def _unpair(device: AwareDevice, entry: Entry, now: int) -> None:
    device.pairing.unpair(entry["peer"], now)


def _add_identity(device: AwareDevice, entry: Entry, now: int) -> None:
    device.pairing.add_identity(
        _octets(entry, "nik"), _octets(entry, "npk"), entry["akmp"].lower(), now
    )


def _transmit(device: AwareDevice, entry: Entry, now: int) -> None:
    device.discovery.transmit(
        entry["peer"], entry["handle"], entry["req_id"], _octets(entry, "ssi"), now
    )


def _path(entry: Entry) -> dict[str, Any]:
    """What requests and answers share."""
    return {
        "csid": int(entry.get("csid", 0)),
        "passphrase": _octets(entry, "pwd_hex"),
        "pmk": _octets(entry, "pmk"),
        "service_info": _octets(entry, "ssi"),
        "interface_identifier": _octets(entry, "interface_id"),
        "ndi": entry.get("ndi", ""),
        "gtk_csid": int(entry.get("gtk_csid", 0)),
    }


def _request_path(device: AwareDevice, entry: Entry, now: int) -> None:
    device.data_path.request(
        entry["peer"], entry["handle"], entry["publish_id"], **_path(entry), now=now
    )


def _answer_path(device: AwareDevice, entry: Entry, now: int) -> None:
    device.data_path.answer(
        entry["peer"],
        entry["init_ndi"],
        entry["ndp_id"],
        handle=entry["handle"],
        accept=bool(entry.get("accept", 1)),
        reason=int(entry.get("reason", 0)),
        **_path(entry),
        now=now,
    )


def _end_path(device: AwareDevice, entry: Entry, now: int) -> None:
    device.data_path.terminate(entry["peer"], entry["init_ndi"], entry["ndp_id"], now)


COMMANDS: dict[str, Callable[[AwareDevice, Entry, int], None]] = {
    "publish": _publish,
    "subscribe": _subscribe,
    "dw": _window,
    "bootstrap": _bootstrap,
    "pair": _pair,
    "pair_abort": _refuse,
    "unpair": _unpair,
    "add_identity": _add_identity,
    "transmit": _transmit,
    "ndp_request": _request_path,
    "ndp_response": _answer_path,
    "ndp_terminate": _end_path,
}
