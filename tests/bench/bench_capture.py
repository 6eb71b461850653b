"""The interface on a capture of a million packets: `python tests/bench/bench_capture.py [PACKETS]`.

Printed: how long the interface keeps somebody waiting who presses ten keys a second, while the file is read, on the
screens, and while a filter looks at everything; how long reading and filters take; resident memory. Without a terminal.
"""

from __future__ import annotations

import asyncio
import resource
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from protocols.ble.ll_capture import captured_packet  # after the path is set
from protocols.capture import Packet, writer_for
from tui.app import NearbenchApp
from tui.session import Request, open_session

PDU = bytes.fromhex("60217dd3a5d8e5fc0201061107907d5b3c1a6f0e9d0d4ac15301000a6b05094c6f636b")
ADDRESSES = 500
FILTERS = ("rssi>-50", "addr~00:07", "adv && len>20", "text~lock")


def write(path, packets):
    made = [captured_packet(PDU[:2] + n.to_bytes(5, "little") + PDU[7:], channel=37, rssi_dbm=-40 - n % 50)
            for n in range(ADDRESSES)]  # fmt: skip
    with path.open("wb") as stream:
        writer = writer_for("pcap")(stream)
        for n in range(packets):
            data = made[n % ADDRESSES]
            writer.write(Packet(n + 1, 1_700_000_000_000_000 + n * 100, 256, data, len(data)))


KEYS = ("end", "home", "pagedown", "down", "end", "pageup", "up", "home", "slash", "escape")


class Hands:
    """Somebody who presses ten keys a second, and how long the interface keeps them waiting."""

    def __init__(self, app):
        self.app = app
        self.late_ms = []

    async def press(self):
        at = 0
        while True:
            self.app.simulate_key(KEYS[at % len(KEYS)])
            at += 1
            await asyncio.sleep(0.1)

    async def watch(self):
        loop = asyncio.get_running_loop()
        while True:
            due_s = loop.time() + 0.01
            await asyncio.sleep(0.01)
            self.late_ms.append((loop.time() - due_s) * 1000)

    def said(self):
        """p95 and most since the last call."""
        late, self.late_ms = sorted(self.late_ms), []
        return f"keys wait p95 {late[len(late) * 95 // 100]:.0f} ms, most {late[-1]:.0f} ms"


async def until(what):
    begun_s = time.perf_counter()
    while not what():  # noqa: ASYNC110  # nothing tells it
        await asyncio.sleep(0.02)
    return time.perf_counter() - begun_s


async def main(packets):
    sys.setswitchinterval(0.0005)  # as the command does
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "many.pcap"
        write(file, packets)
        print(f"{packets} packets, {file.stat().st_size / 1e6:.0f} MB")
        app = NearbenchApp(lambda: open_session(Request(what=str(file))))
        async with app.run_test(size=(120, 40)) as pilot:
            while app._session is None or app.bench_screen_or_none is None:
                await pilot.pause()
            source, hands = app.session.source, Hands(app)
            tasks = [asyncio.create_task(hands.press()), asyncio.create_task(hands.watch())]
            took_s = await until(lambda: source.done)
            print(f"read in {took_s:.1f} s: {hands.said()}")
            for name in ("packets", "air", "ladder"):
                app.action_show(name)
                await asyncio.sleep(3)
                print(f"{name}: {hands.said()}")
            app.action_show("packets")
            await asyncio.sleep(0.5)
            for text in FILTERS:
                app.session.packets.set_filter(text)
                took_s = await until(lambda: app.session.packets.progress >= 1)
                print(f"{text}: {len(app.session.packets)} in {took_s:.1f} s: {hands.said()}")
            for task in tasks:
                task.cancel()
            memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
            print(f"{memory:.0f} MB")
            app.finish()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000))
