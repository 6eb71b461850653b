"""tshark judges the frames that we build: header, Authentication frames with their elements, encrypted frames.

Attributes have their own judge (`test_tshark.py`). tshark 4.0 takes no MIC element of 24 octets, which suite 8 with the
AKM PASN needs (digest of pairing 0.1), and calls such a frame malformed, likewise a rejected data path response
(digest of frames 8.2, 18).
"""

from __future__ import annotations

from typing import Any

from protocols.dissect import Block, dissect, encode
from protocols.wifi_aware.frame import build, read
from tests import shark
from tests.protocols.wifi_aware.recordings import MALFORMED, frames

HEAD = {
    "wlan.da": lambda f: [f.destination],
    "wlan.sa": lambda f: [f.source],
    "wlan.bssid": lambda f: [f.bssid],
    "wlan.seq": lambda f: [f.sequence_number],
    "wlan.duration": lambda f: [f.duration_us],
}
RSNE = {
    "wlan.rsn.version": lambda e: [e.version],
    "wlan.rsn.gcs.type": lambda e: [kind(e.group_data_cipher)],
    "wlan.rsn.pcs.type": lambda e: [kind(text) for text in e.pairwise_ciphers],
    "wlan.rsn.akms.type": lambda e: [kind(text) for text in e.akms],
    "wlan.rsn.capabilities.mfpr": lambda e: [e.capabilities.mfp_required],
    "wlan.rsn.capabilities.mfpc": lambda e: [e.capabilities.mfp_capable],
    "wlan.rsn.pmkid.count": lambda e: [len(e.pmkids)],
    "wlan.rsn.gmcs.type": lambda e: [kind(e.group_management_cipher)],
}
RSNXE = {
    "wlan.rsnx.length": lambda e: [e.octets_less_one],
    "wlan.rsnx.sae_hash_to_element": lambda e: [e.sae_hash_to_element],
}
PARAMETERS = {
    "wlan.etag.pasn_parameters.wrapped_data_format": lambda e: [e.wrapped_data_format],
    "wlan.etag.pasn_parameters.finite_cyclic_group_id": lambda e: [e.group] if e.group else [],
    "wlan.etag.pasn_parameters.ephemeral_public_key": lambda e: [e.public_key] if e.group else [],
}
ELEMENTS = {"rsne": RSNE, "rsnxe": RSNXE, "pasn_parameters": PARAMETERS}


def kind(text):
    """The type of a suite selector."""
    return int(text.rpartition(":")[2])


def said(cell, like):
    """A cell of tshark's as values of the kind that we have."""
    cells = cell.split(",") if cell else []
    assert len(cells) == len(like), (cell, like)
    return [
        text if isinstance(value, str) else int(text, 0)
        for text, value in zip(cells, like, strict=True)
    ]


def rebuilt(wanted):
    """(typed frame, octets that our encoder makes of its fields) of the recorded frames of a kind."""
    out = []
    for frame in frames():
        if wanted(frame) and (frame.file, frame.n) not in MALFORMED:
            found: Any = dissect(Block(kind="frame", data=frame.data))
            out.append((found.fields, encode("frame", found.plain)))
    return out


def test_headers_are_read_alike(tmp_path):
    pairs = rebuilt(lambda frame: frame.n < 6)
    rows = shark.rows(tmp_path, 105, [data for _, data in pairs], *HEAD)
    for (frame, data), row in zip(pairs, rows, strict=True):
        for (name, ours), cell in zip(HEAD.items(), row, strict=True):
            assert said(cell, ours(frame)) == ours(frame), (name, data.hex())


def test_elements_are_read_alike(tmp_path):
    pairs = rebuilt(lambda frame: frame.kind.startswith("PASN"))
    names = [name for group in ELEMENTS.values() for name in group]
    rows = shark.rows(tmp_path, 105, [data for _, data in pairs], *names)
    compared = 0
    for (frame, data), row in zip(pairs, rows, strict=True):
        cells = dict(zip(names, row, strict=True))
        fields = {element.name: element.fields for element in frame.elements}
        for element, group in ELEMENTS.items():
            for name, ours in group.items():
                values = ours(fields[element]) if element in fields else []
                assert said(cells[name], values) == values, (name, data.hex())
                compared += len(values)
    assert compared > 1000


def test_authentication_head_and_wrapped_messages_are_read_alike(tmp_path):
    """tshark lists the head of the frame, then those of the SAE messages inside."""
    pairs = rebuilt(lambda frame: frame.kind.startswith("PASN"))
    names = ("wlan.fixed.auth.alg", "wlan.fixed.auth_seq", "wlan.fixed.status_code")
    rows = shark.rows(tmp_path, 105, [data for _, data in pairs], *names)
    for (frame, _), row in zip(pairs, rows, strict=True):
        inside = [
            (m.algorithm, m.transaction, m.status)
            for element in frame.elements
            if element.name == "wrapped_data"
            for m in element.fields.messages
        ]
        heads = [(frame.algorithm, frame.transaction, frame.status), *inside]
        first = [int(cell.split(",")[0], 0) for cell in row]
        assert tuple(first) == heads[0]
        for place, cell in enumerate(row):
            assert [int(text, 0) for text in cell.split(",")] == [h[place] for h in heads][
                : cell.count(",") + 1
            ]


def test_no_frame_of_ours_is_malformed(tmp_path):
    pairs = rebuilt(lambda _: True)
    rows = shark.rows(tmp_path, 105, [data for _, data in pairs], "_ws.malformed")
    for (frame, data), row in zip(pairs, rows, strict=True):
        known = any(e.name == "mic" and len(e.octets) == 24 for e in getattr(frame, "elements", ()))
        setup = frame.first("ndpe") or frame.first("ndp")
        known = known or (setup is not None and (setup.type, setup.status) == (1, 2))
        assert known or row == [""], (row, data.hex())


def test_the_cipher_header_is_read_alike(tmp_path):
    pairs = [(read(f.data), build(read(f.data))) for f in frames() if f.kind == "ACTION-ENCRYPTED"]
    rows = shark.rows(tmp_path, 105, [data for _, data in pairs], "wlan.ccmp.extiv", "wlan.wep.key")
    for (frame, _), (number, key) in zip(pairs, rows, strict=True):
        assert int(number, 16) == frame.packet_number
        assert int(key) == frame.key_id
