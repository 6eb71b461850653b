"""Frames for outside judges: the recorded ones, some with given attributes, values drawn the same each time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, Phase, given, settings

from protocols.wifi_aware import frames
from protocols.wifi_aware.elements import make as make_element
from protocols.wifi_aware.elements.nan import NanElement
from protocols.wifi_aware.frame import build

if TYPE_CHECKING:
    from collections.abc import Iterator

    from protocols.wifi_aware.attributes import Attr

VECTORS = Path(__file__).parent / "vectors"
LINK_TYPE = 105
"""802.11 without radiotap and FCS."""
ADDRESSES: Any = {
    "destination": "51:6f:9a:01:00:00",
    "source": "02:00:5e:10:a0:01",
    "bssid": "50:6f:9a:01:4d:21",
    "sequence_number": 1,
}
DRAWN = 24

drawing = settings(
    max_examples=DRAWN,
    deadline=None,
    database=None,
    derandomize=True,
    phases=[Phase.generate],
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.filter_too_much,
        HealthCheck.data_too_large,
    ],
)


def drawn(strategy: Any) -> list[Any]:
    """Some values of a strategy, the same each time."""
    found: list[Any] = []

    @drawing
    @given(strategy)
    def collect(value: Any) -> None:
        found.append(value)

    collect()
    return found


def sdf(*attributes: Attr) -> bytes:
    """Octets of a service discovery frame."""
    return build(frames.Sdf(category=4, attributes=attributes, **ADDRESSES))


def recorded() -> Iterator[tuple[str, dict[str, Any]]]:
    """(file, frame of the recording) of all recorded frames."""
    for file in sorted(VECTORS.glob("wifi-aware-*.json")):
        for frame in json.loads(file.read_text()).get("frames", []):
            yield file.stem.removeprefix("wifi-aware-"), frame


def beacon(interval_tu: int, attributes: tuple[Attr, ...]) -> frames.Beacon:
    """A beacon with one NAN element."""
    return frames.Beacon(
        timestamp_us=105660055,
        beacon_interval_tu=interval_tu,
        capability=0x0420,
        elements=(make_element(NanElement(attributes=attributes)),),
        **ADDRESSES,
    )
