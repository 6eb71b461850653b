"""The recorded exchanges, read once: frames with what their file says about them."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, NamedTuple

VECTORS = Path(__file__).parents[2] / "vectors"
MALFORMED = {
    ("wifi-aware-neg-pair-auth1-truncated-frame", 3): ("element_length", 210),
    ("wifi-aware-neg-pair-auth1-truncated-params", 3): ("element_length", 176),
    ("wifi-aware-neg-pair-auth1-wrapped-truncated", 3): ("element_length", 69),
}
"""Frames that were cut on the way: what strict says of them, offsets counted by hand."""


class Recorded(NamedTuple):
    """One frame: file (stem), number, kind, octets as delivered, and the whole entry."""

    file: str
    n: int
    kind: str
    data: bytes
    entry: dict[str, Any]


@functools.cache
def exchange(stem: str) -> dict[str, Any]:
    return json.loads((VECTORS / f"wifi-aware-{stem.removeprefix('wifi-aware-')}.json").read_text())


@functools.cache
def stems() -> tuple[str, ...]:
    found = (file.stem for file in sorted(VECTORS.glob("wifi-aware-*.json")))
    return tuple(stem for stem in found if stem != "wifi-aware-crypto")


@functools.cache
def frames() -> tuple[Recorded, ...]:
    """All frames, as delivered."""
    return tuple(
        Recorded(stem, frame["n"], frame["kind"], bytes.fromhex(frame["hex"]), frame)
        for stem in stems()
        for frame in exchange(stem)["frames"]
    )


@functools.cache
def distinct() -> tuple[bytes, ...]:
    """The octets of the recorded frames, each once."""
    return tuple(dict.fromkeys(frame.data for frame in frames()))


def secrets(stem: str, name: str) -> list[str]:
    """A named secret of both sides, each value once."""
    sides = exchange(stem)["secrets"].values()
    return list(dict.fromkeys(value for side in sides for value in side.get(name, ())))
