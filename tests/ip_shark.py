"""What tshark says of IPv6 packets, bare or in 802.11 data frames: with checksums verified and keys to decrypt."""

from __future__ import annotations

import struct
import subprocess
from typing import TYPE_CHECKING

from tests.judges import judge

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

IPV6, WIFI = 229, 105
"""Link types."""
_OPTIONS = (
    "udp.check_checksum:TRUE",
    "tcp.check_checksum:TRUE",
    "wlan.enable_decryption:TRUE",
    "tcp.relative_sequence_numbers:FALSE",
)


def rows(
    folder: Path,
    link_type: int,
    packets: Sequence[bytes],
    *fields: str,
    keys: Sequence[bytes] = (),
    shown: str = "",
) -> list[list[str]]:
    """The values of `fields` for each packet (of those that the filter `shown` leaves), one row each."""
    path = folder / f"packets-{link_type}.pcap"
    head = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 65535, link_type)
    records = [
        struct.pack("<IIII", 1_700_000_000, n, len(data), len(data)) + data
        for n, data in enumerate(packets)
    ]
    path.write_bytes(head + b"".join(records))
    command = [judge("tshark"), "-n", "-r", str(path), "-T", "fields", "-E", "occurrence=a"]
    for option in _OPTIONS:
        command += ["-o", option]
    for key in keys:
        command += ["-o", f'uat:80211_keys:"tk","{key.hex()}"']
    if shown:
        command += ["-Y", shown]
    for field in fields:
        command += ["-e", field]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [line.split("\t") for line in done.stdout.split("\n")[:-1]]
