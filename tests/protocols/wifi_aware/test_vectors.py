"""Every frame of the recorded exchanges decodes and rebuilds octet for octet, through plain JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from protocols.dissect import Block, dissect, encode, summary
from tests.protocols.wifi_aware.recordings import MALFORMED, exchange, frames, stems

WORDS = {
    "SDF-publish": "publish: service ",
    "SDF-subscribe": "subscribe: service ",
    "SDF-followup-NPBA-request": "follow-up: bootstrapping request, ",
    "SDF-followup-NPBA-response": "follow-up: bootstrapping response, ",
    "SDF-followup-SKDA": "follow-up: identity key",
    "PASN-AUTH1": "PASN Auth 1: ",
    "PASN-AUTH2": "PASN Auth 2: ",
    "PASN-AUTH3": "PASN Auth 3: ",
    "NDP-M1-request": "data path request",
    "NDP-M2-response": "data path response",
    "NDP-M3-confirm": "data path confirm",
    "NDP-M4-install": "data path key installment (M4)",
    "NDP-termination": "data path termination",
    "ACTION-ENCRYPTED": "encrypted action frame, packet ",
}
"""What a line begins with, by the kind that the recording gives a frame."""


@pytest.mark.parametrize("stem", stems())
def test_frames_rebuild(stem):
    for frame in exchange(stem)["frames"]:
        for name in ("hex", "original_hex"):
            if name not in frame:
                continue
            data = bytes.fromhex(frame[name])
            found: Any = dissect(Block(kind="frame", data=data))
            wanted = MALFORMED.get((stem, frame["n"])) if name == "hex" else None
            if wanted:
                assert (found.error.code, found.error.offset) == wanted
                assert found.plain["frame"] == "authentication"
            else:
                assert found.error is None, f"frame {frame['n']} {name}: {found.error}"
                assert encode("frame", json.loads(json.dumps(found.plain))) == data


def test_the_line_says_what_the_recording_says():
    for frame in frames():
        kind, _, protection = frame.kind.partition(" ")
        found: Any = dissect(Block(kind="frame", data=frame.data))
        text = summary("frame", found.fields)
        begin = "protected " if protection == "(protected-dual)" else ""
        assert text.startswith(begin + WORDS[kind]), (frame.file, frame.n, text)
        who = [found.plain["source"], found.plain["destination"]]
        assert text.endswith(
            " > ".join(w if w != "51:6f:9a:01:00:00" else "NAN Network ID" for w in who)
        )


@pytest.mark.parametrize(
    ("stem", "n", "text"),
    [
        ("bootstrap-pin-keypad", 3, "bootstrapping request, PIN keypad"),
        ("pair-sae-ccmp128-pin", 4, "bootstrapping response, come back after 100 TU"),
        ("pair-sae-ccmp128-pin", 7, "PASN Auth 1: SAE commit, group 19 (P-256)"),
        ("pair-sae-gcmp256-pin", 8, "PASN Auth 2: SAE commit and confirm, group 20 (P-384)"),
        ("verify-newaddr-sae-ccmp128", 3, "PASN Auth 1: verification with a cached key"),
        ("pair-opportunistic-ccmp128", 5, "PASN Auth 1: opportunistic, group 19"),
        ("neg-pair-auth1-group21", 4, "PASN Auth 2: finite cyclic group not supported (77)"),
        ("ndp-sk256-passphrase", 3, "data path request (M1): NDP 1, NCS-SK-256"),
        ("ndp-open", 3, "data path request: NDP 1, open"),
        ("neg-ndp-rejected", 4, "data path response: NDP 1, rejected, reason 10"),
        ("bootstrap-rejected", 4, "bootstrapping response, rejected, reason 13"),
    ],
)
def test_lines_of_known_messages(stem, n, text):
    """Group, suite, status and reason as the recording's inputs and description give them."""
    found: Any = dissect(
        Block(kind="frame", data=bytes.fromhex(exchange(stem)["frames"][n]["hex"]))
    )
    assert text in summary("frame", found.fields)


def test_nothing_in_a_recording_is_unknown_or_doubtful():
    """Frames that nobody altered: every attribute and element has its file, no reserved bit is in use."""
    for frame in frames():
        if frame.entry.get("modified_in_flight"):
            continue
        found = dissect(Block(kind="frame", data=frame.data))
        for node in _walk(found.tree):
            assert not node.doubts, (frame.file, frame.n, node.name, node.doubts)
            assert not node.name.startswith("attribute_"), (frame.file, frame.n, node.name)
            assert node.source or node.name == "octets", (frame.file, frame.n, node.name)


def _walk(nodes):
    for node in nodes:
        yield node
        yield from _walk(node.children)
