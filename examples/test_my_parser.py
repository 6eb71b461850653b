"""Testing your own advertisement parser against simulated accessories: no radio, no waiting.

Run with: pytest examples/test_my_parser.py
"""

import pytest

pytest_plugins = ["sim.testing"]


def my_parser(data):
    """The code under test: pretend this is yours. Reads Eddystone-TLM out of an advertisement."""
    at = 0
    while at < len(data) and data[at]:
        size, kind, value = data[at], data[at + 1], data[at + 2 : at + 1 + data[at]]
        if kind == 0x16 and value[:3] == b"\xaa\xfe\x20":
            temperature = int.from_bytes(value[6:8], "big", signed=True)
            return {
                "battery_mv": int.from_bytes(value[4:6], "big"),
                "temperature_c": None if temperature == -0x8000 else temperature / 256,
            }
        at += size + 1
    return None


def test_telemetry_of_a_real_beacon_model(nearbench):
    """The FSC-BP105N has no thermometer and says so: a parser must not read -128 °C."""
    readings = [my_parser(advert.data) for advert in nearbench.adverts("fsc_bp105n", duration="5s")]
    found = [reading for reading in readings if reading]
    assert found
    assert all(reading == {"battery_mv": 3046, "temperature_c": None} for reading in found)


@pytest.mark.parametrize("metres", [1, 10, 40])
def test_what_is_heard_gets_weaker_with_distance(nearbench, metres):
    run = nearbench.run(
        f"""
        title = "one beacon, one phone"
        duration = "5s"
        [[node]]
        name = "beacon"
        accessory = "ibeacon"
        at = [{metres}.0, 0.0]
        [[node]]
        name = "phone"
        phone = "generic"
        [[step]]
        node = "phone"
        do = "scan"
        """
    )
    strengths = [event.fields["rssi_dbm"] for event in run.of("heard", "phone")]
    assert strengths
    assert max(strengths) == {1: -40, 10: -60, 40: -72}[metres]
