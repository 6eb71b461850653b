"""Ports, protocols and names in service infos, and pairing strings in their forms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from protocols.errors import EncodeError
from protocols.wifi_aware import saying
from protocols.wifi_aware.attributes import Attr, make
from protocols.wifi_aware.attributes.service_descriptor import ServiceDescriptor
from protocols.wifi_aware.attributes.service_descriptor_extension import ServiceDescriptorExtension
from protocols.wifi_aware.discovery_settings import DiscoverySettings, PairingStrings
from protocols.wifi_aware.service_endpoint import (
    TCP,
    UDP,
    Endpoint,
    endpoint_of,
    octets_of,
)
from protocols.wifi_aware.service_info import GENERIC, WFA, ServiceInfo
from protocols.wifi_aware.service_options import Terms

# --- endpoints ------------------------------------------------------------------------------------


def test_octets_of_an_endpoint_by_hand():
    """IDs 0, 1, 3; lengths of two octets and the port little-endian (AOSP, MTK, ESP-IDF)."""
    lamp = Endpoint(port=7024, transport=TCP, instance_name="porch lamp")
    assert octets_of(lamp).hex() == "000200701b" + "01010006" + "030a00" + b"porch lamp".hex()
    assert endpoint_of(octets_of(lamp)) == lamp


def test_the_smallest_and_the_empty():
    assert octets_of(Endpoint(port=53, transport=UDP)).hex() == "0002003500" + "01010011"
    assert octets_of(Endpoint()) == b""
    assert endpoint_of(b"") == Endpoint()


def test_strings_stand_in_a_sub_attribute_that_may_be_chosen():
    """Provisional 0x04 (digest 12.2)."""
    one = Endpoint(text={"model": "M1"})
    assert octets_of(one).hex() == "040900" + "08" + b"model=M1".hex()
    other = octets_of(one, text_id=0x09)
    assert endpoint_of(other) == Endpoint()
    assert endpoint_of(other, text_id=0x09) == one


@given(
    st.builds(
        Endpoint,
        port=st.none() | st.integers(0, 65535),
        transport=st.none() | st.integers(0, 255),
        instance_name=st.text(max_size=20).filter(lambda name: name.isprintable()),
    )
)
@settings(deadline=None, database=None, derandomize=True)
def test_endpoints_survive_the_way(endpoint):
    assert endpoint_of(octets_of(endpoint)) == endpoint


@pytest.mark.parametrize(("change", "path"), [({"port": 65536}, "port"), ({"transport": 256}, "transport"), ({"port": -1}, "port")])  # fmt: skip
def test_numbers_that_do_not_fit_are_named(change, path):
    with pytest.raises(EncodeError) as caught:
        octets_of(Endpoint(**change))
    assert caught.value.path == path


def test_lenient_reading_says_what_is_there():
    """Wrong sizes say nothing; the last of a kind counts; no list is None."""
    assert endpoint_of(bytes.fromhex("000300010203" + "0101001f")) == Endpoint(transport=0x1F)
    assert endpoint_of(bytes.fromhex("0002000100" + "0002000200")) == Endpoint(port=2)
    assert endpoint_of(bytes.fromhex("030200fffe")) == Endpoint()
    assert endpoint_of(bytes.fromhex("000400")) is None


# --- pairing info (digest 12.5) -------------------------------------------------------------------

PI0 = bytes.fromhex(
    "1576656e646f724e616d653d4170706c6520496e632e106d6f64656c4e616d653d6950686f6e65"
    "1270616972696e674e616d653d6950686f6e65"
)
PI3 = bytes.fromhex(
    "0e3a00020000" + "3500" + "506f9a02" + "042e00" + "0f76656e646f724e616d653d41636d65" + "0c6d6f64656c4e616d653d4d31"
    + "1070616972696e674e616d653d4c616d70"
)  # fmt: skip
PHONE = PairingStrings(vendor_name="Apple Inc.", model_name="iPhone", pairing_name="iPhone")
LAMP = PairingStrings(vendor_name="Acme", model_name="M1", pairing_name="Lamp")
TOLD = {"vendorName": "Apple Inc.", "modelName": "iPhone", "pairingName": "iPhone"}


def said(strings, form, **terms) -> Any:
    options = DiscoverySettings(pairing_strings=strings, pairing_info_form=form)
    return saying.said(options, Terms(**terms), None, strings=True)


def extension(info, instance=1, *, publish=True) -> ServiceDescriptorExtension:
    return ServiceDescriptorExtension(
        instance_id=instance, fsd_required=False, fsd_method=0, data_path_required=publish, data_path_type=0,
        qos_required=False, security_required=publish, ranging_required=False, gtk_required=False, service_info=info,
    )  # fmt: skip


def descriptor(info: Any = UNSET) -> ServiceDescriptor:
    return ServiceDescriptor(
        service_id="000000000000", instance_id=1, requestor_instance_id=0, type=0, range_limited=False,
        service_info=info,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("form", "octets"),
    [
        ("generic", bytes.fromhex("0e4600014400" + "4100" + "506f9a02" + "043a00") + PI0),
        ("bonjour", bytes.fromhex("0e4300014400" + "3e00" + "506f9a01") + PI0),
    ],
)
def test_pairing_strings_of_a_publish(form, octets):
    """PI1 and PI2: the SDEA whole; and back."""
    fields = extension(said(PHONE, form).extension)
    assert make(fields).written() == octets
    assert saying.strings_of(descriptor(), Attr(0x0E, octets[3:]).fields) == TOLD


def test_pairing_strings_of_a_bootstrapping_request():
    """PI3."""
    fields = extension(said(LAMP, "generic").extension, 2, publish=False)
    assert make(fields).written() == PI3


def test_pairing_strings_in_the_service_descriptor():
    """PI0 without OUI."""
    found = said(PHONE, "sda-raw")
    assert (found.descriptor, found.extension) == (PI0.hex(), UNSET)
    assert saying.strings_of(descriptor(found.descriptor), None) == TOLD


def test_no_pairing_strings():
    assert said(PHONE, "none") == saying.NOTHING
    assert said(PHONE, "generic", pairing_mode=False) == saying.NOTHING
    empty = bytes.fromhex("0e0900010000" + "0400" + "506f9a02")
    fields = Attr(0x0E, empty[3:]).fields
    assert make(fields).written() == empty  # PI4
    assert saying.strings_of(descriptor(), fields) == {}


@pytest.mark.parametrize(
    ("name", "kept"),
    [("x" * 63, 63), ("x" * 64, 63), ("ä" * 31 + "x", 63), ("ä" * 32, 62), ("😀" * 16, 60), ("a" + "€" * 21, 61)],
)  # fmt: skip
def test_a_value_is_cut_between_characters(name, kept):
    """63 octets at most (Apple, PairingInfo); half a character would be no UTF-8."""
    found = said(PairingStrings(pairing_name=name), "generic").extension
    (value,) = saying.strings_of(descriptor(), extension(found)).values()
    assert name.startswith(value)
    assert len(value.encode()) == kept


def test_a_record_that_ends_past_the_end_says_nothing():
    cut = ServiceInfo(oui=WFA, protocol=GENERIC, specific="04" + "0300" + "15" + "7665")
    assert saying.strings_of(descriptor(), extension(cut)) == {}
