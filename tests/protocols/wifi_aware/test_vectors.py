"""Every frame of the recorded exchanges decodes and rebuilds octet for octet, through plain JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from protocols.dissect import Block, dissect, encode, summary

VECTORS = Path(__file__).parents[2] / "vectors"
FILES = sorted(VECTORS.glob("wifi-aware-*.json"))
MALFORMED = {("wifi-aware-neg-pair-auth1-truncated-frame", 3): ("element_length", 210)}
"""Frames that were cut on the way: what strict says of them."""


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_frames_rebuild(file):
    for frame in json.loads(file.read_text()).get("frames", []):
        for name in (
            "hex",
            "original_hex",
            "rx_after_decryption",
            "tx_plaintext_before_encryption",
        ):
            if name not in frame:
                continue
            data = bytes.fromhex(frame[name])
            found: Any = dissect(Block(kind="frame", data=data))
            wanted = MALFORMED.get((file.stem, frame["n"])) if name == "hex" else None
            if wanted:
                assert (found.error.code, found.error.offset) == wanted
            else:
                assert found.error is None, f"frame {frame['n']} {name}: {found.error}"
                assert encode("frame", json.loads(json.dumps(found.plain))) == data
                assert summary("frame", found.fields)
