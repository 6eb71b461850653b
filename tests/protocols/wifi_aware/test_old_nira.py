"""The NIRA after a change of the NMI: computed anew, or the old one that nobody can resolve (IA-55)."""

from __future__ import annotations

import hashlib
import hmac

import pytest

from protocols.wifi_aware import matching
from protocols.wifi_aware.station import Station
from protocols.wifi_aware.station_settings import StationSettings

NIK = bytes(range(16))
OLD, NEW, THIRD = "02:00:00:00:00:01", "02:00:00:00:00:02", "02:00:00:00:00:03"


def station(*, fresh: bool) -> Station:
    drawn = iter(range(1, 100))
    settings = StationSettings(nmi=OLD, ndi=OLD, nik=NIK.hex(), fresh_nira=fresh)
    return Station(settings, lambda _purpose, length: bytes((next(drawn),)) * length)


def tag_by_hand(nmi: str, nonce: str) -> str:
    """Wi-Fi Aware 4.0, NIR-TAG: the first 8 octets of HMAC-SHA-256(NIK, "NIR" || NMI || nonce)."""
    said = b"NIR" + bytes.fromhex(nmi.replace(":", "")) + bytes.fromhex(nonce)
    return hmac.new(NIK, said, hashlib.sha256).digest()[:8].hex()


@pytest.mark.parametrize("fresh", [True, False])
def test_before_a_change_both_are_right(fresh):
    shown = station(fresh=fresh).nira().fields
    assert shown.tag == tag_by_hand(OLD, shown.nonce)


def test_a_new_nira_is_right_for_the_new_address():
    one = station(fresh=True)
    before = one.nira().fields
    one.move(NEW)
    shown = one.nira().fields
    assert shown.nonce != before.nonce
    assert shown.tag == tag_by_hand(NEW, shown.nonce)


def test_an_old_nira_is_resolved_at_its_first_address_alone():
    one = station(fresh=False)
    before = one.nira().fields
    for nmi in (NEW, THIRD):
        one.move(nmi)
        assert one.nira().fields == before
        assert matching.resolve(one.nira().fields, nmi, [NIK]) is None
    assert matching.resolve(one.nira().fields, OLD, [NIK]) == 0


def test_a_nira_with_another_nonce_is_right_all_the_same():
    one = station(fresh=False)
    one.move(NEW)
    nonce = bytes(8)
    assert one.nira(nonce).fields.tag == tag_by_hand(NEW, nonce.hex())
