"""Frames that anybody can make: in the name of another device, and in those of devices that are nowhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from protocols.wifi_aware import bootstrapping_frames, ndl, ndp_frames, pasn_frames
from protocols.wifi_aware import frame as codec
from protocols.wifi_aware.attributes import make
from protocols.wifi_aware.attributes.pairing_bootstrapping import REJECTED
from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor
from protocols.wifi_aware.device import AwareDevice, DeviceSettings
from protocols.wifi_aware.ndp_frames import RESPONSE, TERMINATION, Additions
from protocols.wifi_aware.security_attributes import csia_of
from protocols.wifi_aware.station_settings import StationSettings
from sim.wifi_aware.firmware import BITS
from tests.protocols.wifi_aware.wire import Draws

if TYPE_CHECKING:
    from collections.abc import Callable

    from protocols.wifi_aware.station import Station

PIN = b"123456"


def liar(nmi: str) -> AwareDevice:
    """A device that is nowhere, to make frames in its name."""
    station = StationSettings(nmi=nmi, ndi=f"06{nmi[2:]}")
    return AwareDevice(DeviceSettings(station=station), Draws(nmi))


# In the name of another: (its station, the victim's station) -> octets


def _authentication(transaction: int, status: int) -> Callable[[Station, Station], bytes]:
    def forge(by: Station, to: Station) -> bytes:
        nan = pasn_frames.nan((csia_of(0, 1, 7),))
        return codec.build(by.authentication(to.nmi, transaction, status, [nan]))

    return forge


def _refusal(by: Station, to: Station) -> bytes:
    """A follow-up that refuses to bootstrap, for every dialog token that a young device can have."""
    descriptor = ServiceDescriptor(
        service_id=next(iter(to.services.values())).service_id,
        instance_id=1,
        requestor_instance_id=1,
        type=2,
        range_limited=False,
    )
    refusal = bootstrapping_frames.response(to._token, REJECTED, reason=13)
    return codec.build(by.sdf(to.nmi, [make(descriptor), refusal]))


def _data_path(message: Any, status: int) -> Callable[[Station, Station], bytes]:
    def forge(by: Station, to: Station) -> bytes:
        values: dict[str, Any] = {
            "dialog_token": to._token, "status": status, "reason": 10, "initiator_ndi": to.settings.ndi,
            "ndp_id": 1, "confirm_required": False, "security": True, "publish_id": msgspec.UNSET,
            "responder_ndi": msgspec.UNSET,
        }  # fmt: skip
        setup = ndp_frames.ndp_of(message, Additions(), ndpe=True, **values)
        return codec.build(by.naf(to.nmi, message.subtype, [setup]))

    return forge


FORGED: dict[str, Callable[[Station, Station], bytes]] = {
    "empty_auth1": _authentication(1, 0),
    "empty_auth2": _authentication(2, 0),
    "rejection": _authentication(2, 1),
    "refusal": _refusal,
    "path_refusal": _data_path(RESPONSE, ndl.REJECTED),
    "termination": _data_path(TERMINATION, 0),
}


# Of devices that are nowhere


def _bootstrap(one: AwareDevice, to: str) -> None:
    one.bootstrapping.start(to, 1, 1, BITS["pin_keypad"], 0)


def _auth1(one: AwareDevice, to: str) -> None:
    one.pairing.pair(to, 1, 1, mode="sae", csid=7, password=PIN, now=0)


def _open(one: AwareDevice, to: str) -> None:
    one.data_path.request(to, 1, 1, csid=0, now=0)


def _ask(one: AwareDevice, to: str) -> None:
    one.discovery.transmit(to, 1, 1, b"?", 0)


FLOODS: dict[str, Callable[[AwareDevice, str], None]] = {
    "bootstrapping": _bootstrap,
    "auth1": _auth1,
    "data_path": _open,
    "follow_up": _ask,
}


def strangers(kind: str, count: int, publish: bytes) -> list[bytes]:
    """What so many strangers send to the device whose publish that is."""
    out: list[bytes] = []
    for number in range(count):
        one = liar(f"02:bb:{number >> 8:02x}:{number & 255:02x}:00:01")
        one.discovery.subscribe("_nearbench._udp", now=0)
        one.receive(publish, 0)
        one.to_send(0)
        FLOODS[kind](one, publish[10:16].hex(":"))
        out += [frame.octets for frame in one.to_send(0)]
    return out
