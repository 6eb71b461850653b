"""Which service info a frame carries and where: what the application says, and the pairing strings of the device.

Wi-Fi Aware 4.0, service info; digest 12. The strings are those of DNS-SD TXT records (Apple, PairingInfo); which of
the forms phones use is not established, so the form is a setting and any of them is understood. No clock, no
randomness, no IO.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET, UnsetType

from protocols.wifi_aware import service_info as info
from protocols.wifi_aware.service_info import ServiceInfo, SubAttribute

if TYPE_CHECKING:
    from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor
    from protocols.wifi_aware.attributes.service_descriptor_extension import (
        ServiceDescriptorExtension,
    )
    from protocols.wifi_aware.discovery_settings import DiscoverySettings, PairingStrings
    from protocols.wifi_aware.service_options import Terms

__all__ = ["NOTHING", "Saying", "obstacle", "said", "strings_of"]

KEYS = ("vendorName", "modelName", "pairingName")


class Saying(NamedTuple):
    """Service info of one frame, by its places."""

    descriptor: str | UnsetType = UNSET
    """hex."""
    extension: ServiceInfo | UnsetType = UNSET


NOTHING = Saying()


def said(
    settings: DiscoverySettings, terms: Terms, specific: bytes | None, *, strings: bool = False
) -> Saying:
    """Service info of a frame: `specific` of the application (None: none), and the pairing strings when asked."""
    text = _text(settings.pairing_strings) if strings and terms.pairing_mode else None
    form, protocol = settings.pairing_info_form, terms.protocol
    if text is None or form == "none":
        return _placed(settings, terms.oui, protocol, specific)
    if form == "sda-raw":
        return _placed(settings, terms.oui, protocol, specific)._replace(descriptor=text.hex())
    if form == "generic":
        text = info.generic([SubAttribute(settings.pairing_info_id, text)])
        protocol = info.GENERIC
    else:
        protocol = info.BONJOUR
    return _placed(settings, info.WFA, protocol, (specific or b"") + text)


def _placed(settings: DiscoverySettings, oui: str, protocol: int, specific: bytes | None) -> Saying:
    if specific is None:
        return NOTHING
    kind = protocol if oui == info.WFA else UNSET
    octets = "" if kind is UNSET else f"{protocol:02x}"
    place = settings.service_info_in
    return Saying(
        UNSET if place == "sdea" else oui + octets + specific.hex(),
        UNSET if place == "sda" else ServiceInfo(oui=oui, protocol=kind, specific=specific.hex()),
    )


def _text(strings: PairingStrings | None) -> bytes | None:
    if strings is None:
        return None
    values = (strings.vendor_name, strings.model_name, strings.pairing_name)
    given = zip(KEYS, values, strict=True)
    return info.txt_data({key: value for key, value in given if value})


def obstacle(settings: DiscoverySettings, terms: Terms) -> str:
    """Why the pairing strings cannot go with the service info of an application, empty when they can."""
    if settings.pairing_strings is None or not terms.pairing_mode or not terms.service_info:
        return ""
    form = settings.pairing_info_form
    if form == "generic" and info.sub_attributes(terms.service_info) is None:
        return "it is no list of sub-attributes"
    if form == "bonjour" and info.strings(terms.service_info) is None:
        return "it is no TXT record"
    if form == "sda-raw" and settings.service_info_in != "sdea":
        return "both would stand in the Service Descriptor"
    return ""


def strings_of(
    descriptor: ServiceDescriptor,
    extension: ServiceDescriptorExtension | None,
    sub_attribute: int | None = None,
) -> dict[str, str]:
    """Strings that a frame tells of its sender, in whatever form; none when it tells none.

    `sub_attribute`: the one of a Generic service info that holds them; None: the first that can be them.
    """
    told = UNSET if extension is None else extension.service_info
    if told is not UNSET and told.oui == info.WFA and told.protocol is not UNSET:
        specific = bytes.fromhex(told.specific)
        if told.protocol == info.BONJOUR:
            return _pairing_strings(specific)
        return _of_items(specific, sub_attribute) if told.protocol == info.GENERIC else {}
    return (
        {}
        if descriptor.service_info is UNSET
        else _pairing_strings(bytes.fromhex(descriptor.service_info))
    )


def _of_items(specific: bytes, sub_attribute: int | None) -> dict[str, str]:
    items = info.sub_attributes(specific) or ()
    wanted = (item.value for item in items if sub_attribute in (None, item.id))
    for text in wanted:
        if found := _pairing_strings(text):
            return found
    return {}


def _pairing_strings(text: bytes) -> dict[str, str]:
    """Those of a TXT record that are pairing strings; keys compare without case (RFC 6763)."""
    names = {key.lower(): key for key in KEYS}
    found = info.strings(text) or {}
    return {names[key.lower()]: value for key, value in found.items() if key.lower() in names}
