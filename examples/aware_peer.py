"""The other side of a simulated Wi-Fi Aware sensor, in plain Python: hear its publish, ask it, print what it says.
Nothing of nearbench is imported: any language can do this. Run: python examples/aware_peer.py
"""

import json
import subprocess
import sys

ADDRESS = bytes.fromhex("02aabbccddee")
NODE = [sys.executable, "-m", "tui", "node", "aware_sensor_follow_up", "--stdio", "--auto-ack"]
SDF = bytes.fromhex("0409506f9a13")  # public action, vendor specific, NAN service discovery
node = subprocess.Popen(NODE, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603


def tell(**line):
    """Give the node a line; the frames that it sends until it answers."""
    print(json.dumps({**line, "id": 1}), file=node.stdin, flush=True)
    frames = []
    while "id" not in (said := json.loads(node.stdout.readline())):
        frames += [bytes.fromhex(said["frame"])] if "frame" in said else []
    return frames


def attributes(frame):
    """NAN attributes of a service discovery frame, by their IDs."""
    found, at = {}, 24 + len(SDF)
    while at < len(frame):
        end = at + 3 + int.from_bytes(frame[at + 1 : at + 3], "little")
        found[frame[at]], at = frame[at + 3 : end], end
    return found


publish = tell(advance_us=600_000)[0]  # a discovery window is every 524288 us
service_id, instance = attributes(publish)[3][:6], attributes(publish)[3][6]
descriptor = service_id + bytes([1, instance, 2])  # our instance 1, to its instance, a follow-up
extension = bytes([1, 0, 0, 5, 0]) + bytes.fromhex("506f9a02") + b"?"
header = b"\xd0\0\0\0" + publish[10:16] + ADDRESS + publish[16:22] + b"\0\0" + SDF
said = b"".join(bytes([i, len(v), 0]) + v for i, v in ((3, descriptor), (14, extension)))
for reading in tell(frame=(header + said).hex()):
    print(attributes(reading)[14][9:].decode().split()[1], "degrees Celsius")
