"""What a frame does not carry and its reader may be told: the keys of the context of the frame formats.

The table is what `nearbench show format frame` prints; a key that is not in it has no effect on a frame. No clock,
no randomness, no IO.
"""

from __future__ import annotations

from protocols.wifi_aware import walker

__all__ = ["CONTEXT"]

CONTEXT = {
    "fcs": "true: a frame check sequence is behind the frame (a radiotap header says it itself)",
    "tk": "temporal keys in hex, one or several with commas; they open protected frames",
    "nm_tk": "the same, those of a pairing (NM-TK)",
    "ndp_tk": "the same, those of data paths (ND-TK)",
    "kek": "key encryption keys in hex, one or several; they open wrapped Key Data",
    "nm_kek": "the same, those of a pairing (NM-KEK)",
    "ndp_kek": "the same, those of data paths (ND-KEK)",
    "csid": "number of the cipher suite, where a frame does not say how long a MIC is",
    "policy": f"whose way with attributes to note as well: {', '.join(walker.POLICIES)}",
}
"""What each key of the context says."""
