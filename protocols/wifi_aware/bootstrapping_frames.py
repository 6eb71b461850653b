"""The NPBAs that bootstrapping sends, and the one that a follow-up carries.

Wi-Fi Aware 4.0, NAN Pairing Bootstrapping attribute; digest 2.27 and 6.5. No clock, no randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET

from protocols.wifi_aware import discovery_frames, saying
from protocols.wifi_aware.attributes import make
from protocols.wifi_aware.attributes.pairing_bootstrapping import (
    ACCEPTED,
    COMEBACK,
    REQUEST,
    RESPONSE,
    PairingBootstrapping,
)

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes import Attr
    from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor
    from protocols.wifi_aware.heard import Heard

__all__ = ["npba_in", "put_off", "request", "response", "strings_in"]


def request(token: int, method: int, cookie: str | None = None) -> Attr:
    """A request for a method; with a cookie (hex, which may be empty) one that comes back."""
    return make(
        PairingBootstrapping(
            dialog_token=token,
            type=REQUEST,
            status=ACCEPTED if cookie is None else COMEBACK,
            reason=0,
            cookie=UNSET if cookie is None else cookie,
            methods=method,
        )
    )


def response(token: int, status: int, *, reason: int = 0, method: int = 0) -> Attr:
    """A response that ends an exchange: the own method when it accepts, a reason when it rejects."""
    return make(
        PairingBootstrapping(
            dialog_token=token, type=RESPONSE, status=status, reason=reason, methods=method
        )
    )


def put_off(token: int, after_tu: int, cookie: str) -> Attr:
    """A response that asks to come back after `after_tu` TU with a cookie, hex."""
    return make(
        PairingBootstrapping(
            dialog_token=token,
            type=RESPONSE,
            status=COMEBACK,
            reason=0,
            comeback_after_tu=after_tu,
            cookie=cookie,
            methods=0,
        )
    )


def npba_in(heard: Heard) -> Attr | None:
    """The NPBA of a frame, the first when there are several."""
    attributes: tuple[Attr, ...] = heard.frame.attributes
    return next((attr for attr in attributes if attr.name == "pairing_bootstrapping"), None)


def strings_in(heard: Heard, descriptor: ServiceDescriptor) -> dict[str, str]:
    """Pairing strings that go with a Service Descriptor of a frame."""
    found, _ = discovery_frames.sightings(heard.frame, strip_header=False)
    extension = next((one.extension for one in found if one.descriptor == descriptor), None)
    return saying.strings_of(descriptor, extension)
