"""`nearbench decode` of one payload, cold, beside `tshark -n -r` of one frame: CPU and wall time, as ratios.

    python tests/bench/bench_cold_decode.py

Each repetition runs every command in a fresh process, in an order shuffled by a fixed seed. Goal: at least
2 times faster than tshark (3 once parsers are generated).
"""

from __future__ import annotations

import random
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

REPETITIONS = 15
ONE_FRAME = bytes.fromhex(
    "d4c3b2a1020004000000000000000000ffff000000010000"
    "000000000000000034000000340000002744000000000000"
) + bytes(8)


def cost(command):
    """(CPU seconds, wall seconds) of one run in a fresh process."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
    after, end = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, end - start


def capture(folder):
    """A pcap of one ADV_NONCONN_IND with an Eddystone frame."""
    from protocols.ble.advertising import ad_run, service_data, uuids16
    from protocols.ble.ll_capture import captured_packet
    from protocols.capture import Packet, writer_for

    data = ad_run(
        [uuids16(["feaa"]), service_data("feaa", bytes.fromhex("20000be680000339ffa229bbce8a"))]
    )
    pdu = bytes([0x42, 6 + len(data)]) + bytes(6) + data
    octets = captured_packet(
        pdu, channel=37, rssi_dbm=-40, access_address=0x8E89BED6, crc_init=0x555555
    )
    file = folder / "one.pcap"
    with file.open("wb") as stream:
        writer_for("pcap")(stream).write(Packet(1, 0, 256, octets, len(octets)))
    return file


def main():
    tshark = shutil.which("tshark")
    nearbench = str(Path(sys.executable).parent / "nearbench")
    payload = ["--kind", "service_data", "--service-uuid", "feaa", "20000be680000339ffa229bbce8a"]
    with tempfile.TemporaryDirectory() as folder:
        commands = {
            "nearbench decode, by key": [nearbench, "decode", *payload],
            "nearbench decode --json, by name": [
                nearbench,
                "decode",
                "--format",
                "eddystone-tlm",
                "--json",
                payload[-1],
            ],
            "python -c pass": [sys.executable, "-c", "pass"],
        }
        if tshark:
            commands["tshark -n -r"] = [tshark, "-n", "-r", str(capture(Path(folder)))]
        shuffle = random.Random(1).shuffle
        costs = {name: [] for name in commands}
        for name in commands:
            cost(commands[name])  # compiled files and caches are there in real use
        for _ in range(REPETITIONS):
            order = list(commands)
            shuffle(order)
            for name in order:
                costs[name].append(cost(commands[name]))
    report(costs)


def report(costs):
    cpu = {name: statistics.median(c for c, _ in values) for name, values in costs.items()}
    wall = {name: statistics.median(w for _, w in values) for name, values in costs.items()}
    peer = "tshark -n -r"
    for name in costs:
        line = f"{name:36} CPU {cpu[name] * 1000:6.1f} ms   wall {wall[name] * 1000:6.1f} ms"
        if peer in costs and name != peer:
            line += f"   {cpu[peer] / cpu[name]:.1f}x tshark by CPU, {wall[peer] / wall[name]:.1f}x by wall"
        print(line)
    if peer not in costs:
        print("tshark is not installed: no ratio")


if __name__ == "__main__":
    main()
