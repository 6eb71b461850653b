"""Frames per second of the Wi-Fi Aware codec, beside construct used naively, scapy and `tshark -T fields`.

    python tests/bench/bench_wifi_decode.py [SECONDS]

One input for all: the frames of every recorded exchange, each once. In one run: header only, header and attribute
table, typed values of every body (those of a repeated body are remembered, as among neighbours in the air), full
decode with the tree of every field, decode to JSON-like fields, encode; then the same on service discovery frames
alone beside construct used naively: definitions as short as can be, no names, checks or spans. Each part gets the
same CPU time, in turns, and the median of its rounds counts. scapy (optional: `pip install scapy`) and tshark take
part when they are installed; scapy knows no NAN, so its figure is for the 802.11 frame alone; tshark's is its CPU time less that of an empty capture,
over many copies of the frames.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import json
import logging
import resource
import shutil
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import construct

from protocols.dissect import Block, dissect
from protocols.errors import DecodeError
from protocols.wifi_aware.frame import build, read

VECTORS = Path(__file__).parents[1] / "vectors"
ROUNDS = 5
TSHARK_COPIES = 200
TSHARK_FIELDS = (
    "wlan.fc.type_subtype",
    "wlan.da",
    "wlan.sa",
    "wlan.bssid",
    "nan.attribute.type",
    "nan.attribute.len",
)

_BITMAP = construct.Struct(
    "control" / construct.Int16ul,
    "bits" / construct.Prefixed(construct.Int8ul, construct.GreedyBytes),
)
_ENTRY = construct.Struct(
    "control" / construct.Int16ul,
    "bitmap" / construct.If(construct.this.control & 0x1000, _BITMAP),
    "list" / construct.Int8ul,
    "places"
    / construct.GreedyRange(
        construct.IfThenElse(
            construct.this.list & 1,
            construct.Struct(
                "class" / construct.Int8ul,
                "channels" / construct.Int16ul,
                "primary" / construct.Int8ul,
            ),
            construct.Int8ul,
        )
    ),
)
_TAIL = "rest" / construct.GreedyBytes
_BODIES = {
    0x03: construct.Struct(
        "service" / construct.Bytes(6), "instance" / construct.Int8ul, "requestor" / construct.Int8ul,
        "control" / construct.Int8ul, _TAIL,
    ),
    0x0E: construct.Struct("instance" / construct.Int8ul, "control" / construct.Int16ul, _TAIL),
    0x0F: construct.Struct(
        "map" / construct.Int8ul, "windows" / construct.Int16ul, "bands" / construct.Int8ul, "mode" / construct.Int8ul,
        "antennas" / construct.Int8ul, "switch" / construct.Int16ul, "capabilities" / construct.Int8ul,
    ),
    0x12: construct.Struct(
        "sequence" / construct.Int8ul, "control" / construct.Int16ul,
        "entries" / construct.GreedyRange(construct.Prefixed(construct.Int16ul, _ENTRY)),
    ),
    0x22: construct.Struct(
        "capabilities" / construct.Int8ul,
        "suites" / construct.GreedyRange(construct.Struct("suite" / construct.Int8ul, "publish" / construct.Int8ul)),
    ),
    0x2A: construct.Struct("regulatory" / construct.Int8ul, "capabilities" / construct.Int8ul, _TAIL),
    0x2B: construct.Struct("version" / construct.Int8ul, "nonce" / construct.Bytes(8), "tag" / construct.Bytes(8)),
    0x2C: construct.Struct(
        "token" / construct.Int8ul, "type_and_status" / construct.Int8ul, "reason" / construct.Int8ul, _TAIL,
    ),
}  # fmt: skip


def _naive(body):
    """Header and attributes of a service discovery frame, as one would write them with construct alone."""
    return construct.Struct(
        "control"
        / construct.ByteSwapped(
            construct.BitStruct(
                "flags" / construct.Array(8, construct.Flag), "subtype" / construct.BitsInteger(4),
                "type" / construct.BitsInteger(2), "version" / construct.BitsInteger(2),
            )
        ),
        "duration" / construct.Int16ul,
        "destination" / construct.Bytes(6),
        "source" / construct.Bytes(6),
        "bssid" / construct.Bytes(6),
        "sequence" / construct.Int16ul,
        "head" / construct.Bytes(6),
        "attributes"
        / construct.GreedyRange(
            construct.Struct("id" / construct.Int8ul, "body" / construct.Prefixed(construct.Int16ul, body))
        ),
    )  # fmt: skip


NAIVE = _naive(construct.GreedyBytes)
"""Header and attribute table."""
NAIVE_FULL = _naive(construct.Switch(construct.this.id, _BODIES, construct.GreedyBytes))
"""The bodies too, without names, ranges, spans or checks."""


def recorded():
    """Octets of the recorded frames that are not cut, each once."""
    found = {}
    for file in sorted(VECTORS.glob("wifi-aware-*.json")):
        for frame in json.loads(file.read_text()).get("frames", []):
            data = bytes.fromhex(frame["hex"])
            try:
                read(data)
            except DecodeError:
                continue
            found[data] = None
    return list(found)


def look_at_all(data):
    """Every body of a frame, typed."""
    frame = read(data)
    for item in (*getattr(frame, "elements", ()), *frame.nan_attributes):
        with contextlib.suppress(DecodeError):
            _ = item.fields


def parts(frames):
    """Name -> (function, its inputs)."""
    discovery = [data for data in frames if data[24:30].hex() == "0409506f9a13"]
    wrong = [d for d in discovery if NAIVE_FULL.build(NAIVE_FULL.parse(d)) != d]
    if wrong:
        raise RuntimeError(f"construct alone builds other octets of {wrong[0].hex()}")
    typed = [read(data) for data in frames if data[:2] != b"\xd0\x40"]
    out = {
        "header only": (lambda data: read(data[:24] + b"\x7f"), [d for d in frames if d[:2] == b"\xd0\x00"]),
        "header and attribute table": (read, frames),
        "typed values of every body": (look_at_all, frames),
        "full decode, tree": (lambda data: dissect(Block(kind="frame", data=data)), frames),
        "full decode, fields": (lambda data: dissect(Block(kind="frame", data=data)).plain, frames),
        "encode from typed values": (build, typed),
        "discovery frames: header and table": (read, discovery),
        "discovery frames: every body": (look_at_all, discovery),
        "discovery frames: full decode": (lambda data: dissect(Block(kind="frame", data=data)), discovery),
        "discovery frames: encode": (build, [read(data) for data in discovery]),
        "construct alone: header and table": (NAIVE.parse, discovery),
        "construct alone: every body": (NAIVE_FULL.parse, discovery),
        "construct alone: encode": (NAIVE_FULL.build, [NAIVE_FULL.parse(data) for data in discovery]),
    }  # fmt: skip
    if importlib.util.find_spec("scapy"):
        logging.getLogger("scapy").setLevel(logging.CRITICAL)
        dot11 = importlib.import_module("scapy.layers.dot11").Dot11
        out["scapy Dot11 (no NAN)"] = (dot11, frames)
    return out


def round_of(function, inputs, seconds):
    """Frames per second of CPU time."""
    count, start = 0, time.process_time()
    while time.process_time() - start < seconds:
        for data in inputs:
            function(data)
        count += len(inputs)
    return count / (time.process_time() - start)


def tshark_rate(frames):
    """Frames per second of CPU time of `tshark -T fields`, None without tshark."""
    program = shutil.which("tshark")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        full, empty = Path(folder) / "full.pcap", Path(folder) / "empty.pcap"
        head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, 105)
        records = [struct.pack("<IIII", 0, 0, len(d), len(d)) + d for d in frames]
        empty.write_bytes(head)
        full.write_bytes(head + b"".join(records) * TSHARK_COPIES)
        costs = [_cpu_of(program, path) for path in (empty, full, empty, full)]
    spent = min(costs[1], costs[3]) - min(costs[0], costs[2])
    return len(frames) * TSHARK_COPIES / spent


def _cpu_of(program, path):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    fields = [word for name in TSHARK_FIELDS for word in ("-e", name)]
    command = [program, "-n", "-r", str(path), "-T", "fields", *fields]
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main():
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 0.5
    frames = recorded()
    octets = sum(map(len, frames))
    print(
        f"{len(frames)} frames, {octets / len(frames):.0f} octets on average, Python {sys.version.split()[0]}"
    )
    rates = {name: [] for name in parts(frames)}
    for _ in range(ROUNDS):
        for name, (function, inputs) in parts(frames).items():
            rates[name].append(round_of(function, inputs, seconds / ROUNDS))
    found = {name: statistics.median(values) for name, values in rates.items()}
    if (rate := tshark_rate(frames)) is not None:
        found["tshark -T fields, 6 fields"] = rate
    for name, rate in found.items():
        print(f"{name:36} {rate:10,.0f} frames/s   {1e6 / rate:7.1f} us")
    for name in ("scapy Dot11 (no NAN)", "tshark -T fields, 6 fields"):
        if name not in found:
            print(f"{name}: not installed")


if __name__ == "__main__":
    main()
