"""atc1441 and pvvx share a UUID: length decides. Layout, lengths, encode errors."""

from __future__ import annotations

import pytest

from protocols.dissect import Block, dissect, encode
from protocols.errors import EncodeError

ATC = "a4c13840523800f325550b9fde"  # aioblescan, tests/test_atcmi.py
PVVX = "38524038c1a4f6097b0e9f0b55de04"  # the same reading, by the layout in the README of pvvx


def look(data, form=None):
    return dissect(Block(kind="service_data", data=data, service_uuid="181a"), form=form)


def test_the_same_reading_in_both():
    atc, pvvx = look(bytes.fromhex(ATC)), look(bytes.fromhex(PVVX))
    assert (atc.format, pvvx.format) == ("atc1441", "pvvx")
    shared = {"mac": "a4:c1:38:40:52:38", "battery_pct": 85, "battery_mv": 2975, "counter": 222}
    assert atc.plain == shared | {"temperature_c": 24.3, "humidity_pct": 37}
    assert pvvx.plain == shared | {"temperature_c": 25.5, "humidity_pct": 37.07, "flags": 4}


@pytest.mark.parametrize("size", range(32))
def test_length_decides(size):
    """15 octets are pvvx, any other number is atc1441, which has 13."""
    found = look(bytes(size))
    assert found.format == ("pvvx" if size == 15 else "atc1441")
    if size in (13, 15):
        assert found.error is None
    else:
        assert (found.error.code, found.error.offset, found.plain) == ("frame_length", None, {})
    if size != 15:
        assert look(bytes(size), "pvvx").error.code == "frame_length"


@pytest.mark.parametrize(
    ("form", "raw", "degrees"),
    [
        ("atc1441", "8000", -3276.8),
        ("atc1441", "ffff", -0.1),
        ("pvvx", "0080", -327.68),
        ("pvvx", "ffff", -0.01),
    ],
)
def test_temperature_is_signed(form, raw, degrees):
    text = (
        (ATC if form == "atc1441" else PVVX)[:12] + raw + (ATC if form == "atc1441" else PVVX)[16:]
    )
    found = look(bytes.fromhex(text))
    assert found.plain["temperature_c"] == degrees
    assert encode(form, found.plain).hex() == text


@pytest.mark.parametrize(
    ("form", "change", "path"),
    [
        ("atc1441", {"mac": "a4:c1:38:40:52"}, "mac"),
        ("atc1441", {"mac": "a4:c1:38:40:52:zz"}, "mac"),
        ("atc1441", {"temperature_c": 3276.75}, "temperature_c"),
        ("atc1441", {"temperature_c": float("nan")}, "temperature_c"),
        ("atc1441", {"temperature_c": None}, "temperature_c"),
        ("atc1441", {"humidity_pct": 37.5}, "humidity_pct"),
        ("atc1441", {"battery_pct": 256}, "battery_pct"),
        ("pvvx", {"temperature_c": float("inf")}, "temperature_c"),
        ("pvvx", {"humidity_pct": -0.01}, "humidity_pct"),
        ("pvvx", {"battery_mv": 65536}, "battery_mv"),
        ("pvvx", {"flags": -1}, "flags"),
    ],
)
def test_encode_error_names_the_field(form, change, path):
    fields = look(bytes.fromhex(ATC if form == "atc1441" else PVVX)).plain | change
    with pytest.raises(EncodeError) as caught:
        encode(form, fields)
    assert caught.value.path == path


@pytest.mark.parametrize("form", ["atc1441", "pvvx"])
def test_a_missing_field(form):
    fields = look(bytes.fromhex(ATC if form == "atc1441" else PVVX)).plain
    for name in fields:
        with pytest.raises(EncodeError, match=name):
            encode(form, {k: v for k, v in fields.items() if k != name})
