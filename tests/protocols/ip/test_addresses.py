"""Addresses of NAN interfaces: EUI-64, link-local, solicited-node."""

from __future__ import annotations

import pytest

from protocols.ip.ipv6 import eui64, link_local, solicited_node
from protocols.ip.vocabulary import octets_of


def test_the_example_of_rfc_4291():
    """Appendix A: 34-56-78-9A-BC-DE gives 3656:78FF:FE9A:BCDE."""
    assert eui64("34:56:78:9a:bc:de").hex() == "365678fffe9abcde"


@pytest.mark.parametrize(
    ("mac", "address"),
    [
        ("02:00:00:00:00:01", "fe80::ff:fe00:1"),
        ("06:11:22:33:a0:77", "fe80::411:22ff:fe33:a077"),
        ("00:00:00:00:00:00", "fe80::200:ff:fe00:0"),
    ],
)
def test_link_local_addresses_of_interfaces(mac, address):
    """The first is that of V13 in the digest (interface identifier 000000fffe000001)."""
    assert link_local(eui64(mac)) == address


def test_an_identifier_from_the_ndpe_is_taken_as_it_is():
    assert link_local(bytes.fromhex("0123456789abcdef")) == "fe80::123:4567:89ab:cdef"


def test_solicited_node():
    """RFC 4291 2.7.1: 4037::01:800:200E:8C6C gives FF02::1:FF0E:8C6C."""
    assert solicited_node("4037::1:800:200e:8c6c") == "ff02::1:ff0e:8c6c"


def test_a_zone_is_no_part_of_the_octets():
    assert octets_of("fe80::1%nan0") == octets_of("fe80::1")
