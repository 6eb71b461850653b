"""What tshark says of packets: a pcap written by hand, rows of fields read back."""

from __future__ import annotations

import struct
import subprocess
from typing import TYPE_CHECKING

from tests.judges import judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def rows(folder: Path, link_type: int, packets: Sequence[bytes], *fields: str) -> list[list[str]]:
    """The values of `fields` (all occurrences, commas between) for each packet, one row each."""
    path = folder / f"judged-{link_type}.pcap"
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    records = [
        struct.pack("<IIII", 1_700_000_000, n, len(data), len(data)) + data
        for n, data in enumerate(packets)
    ]
    path.write_bytes(head + b"".join(records))
    command = [judge("tshark"), "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=a"]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.split("\n")[:-1]]
