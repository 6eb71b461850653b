"""Scenarios written in a test: parsed, run, and their trace kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sim import scenario
from sim.world import World

if TYPE_CHECKING:
    from pathlib import Path

    from sim.trace import TraceEvent
    from sim.world import RunResult


class Ran:
    """A finished run: `events` is the whole trace, `result` the verdict, `world` what is left of it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.events: list[TraceEvent] = []
        world.trace.add_sink(self.events.append)
        self.result: RunResult = world.run()

    def of(self, event: str, node: str = "", layer: str = "") -> list[TraceEvent]:
        """Events of that name, in order."""
        return [
            e
            for e in self.events
            if e.event == event and node in ("", e.node) and layer in ("", e.layer)
        ]


def world(text: str, base: Path | None = None, **files: str) -> World:
    """The world of a scenario text; `files` (name without .py -> source) are written to `base` first."""
    for name, source in files.items():
        assert base is not None
        (base / f"{name}.py").write_text(source, encoding="utf-8")
    return World(scenario.parse(text, file="test.toml", base=base))


def run(text: str, base: Path | None = None, **files: str) -> Ran:
    """The finished run of a scenario text."""
    made = world(text, base, **files)
    try:
        return Ran(made)
    finally:
        made.close()


def two(
    accessory: str, steps: str, *, duration: str = "30s", settings: str = "", phone: str = "generic"
) -> str:
    """A scenario of one accessory `dev` 2 m from one phone `ph`; `steps` are "command key=value ..." lines for it.

    A line that begins with "dev " is a step of the accessory; one that ends with "?" may fail.
    """
    blocks = [
        f'title = "t"\nduration = "{duration}"\nstop_when_done = true\n',
        f'[[node]]\nname = "dev"\naccessory = "{accessory}"\nat = [2.0, 0.0]\nset = {{ {settings} }}\n',
        f'[[node]]\nname = "ph"\nphone = "{phone}"\n',
    ]
    for line in filter(None, map(str.strip, steps.splitlines())):
        may_fail = line.endswith("?")
        node, _, rest = ("dev", "", line[4:]) if line.startswith("dev ") else ("ph", "", line)
        command, _, arguments = rest.rstrip("?").strip().partition(" ")
        blocks.append(
            f'[[step]]\nnode = "{node}"\ndo = "{command}"\nset = {{ {arguments} }}\nmay_fail = {str(may_fail).lower()}\n'
        )
    return "\n".join(blocks)


ACCESSORY_HEAD = """
import asyncio
from sim.accessories import Accessory
from sim.device import command
from sim.gatt import Advert, AttError, Characteristic, Descriptor, Service
C = Characteristic
"""


def accessory(body: str) -> str:
    """Source of an accessory file; `body` is the inside of its class."""
    lines = "\n".join(f"    {line}" for line in body.strip("\n").splitlines())
    return f"{ACCESSORY_HEAD}\nclass Dev(Accessory):\n{lines}\n\nACCESSORY = Dev\n"


def table(*characteristics: str) -> str:
    """A class body that serves these characteristics and advertises connectably."""
    return f"""
def services(self):
    return (Service(uuid="fff0", characteristics=({"".join(c + "," for c in characteristics)})),)

async def start(self):
    await self.ble.advertise(Advert(data=b"\\x02\\x01\\x06"))
"""


PUSHER = """
def services(self):
    return (Service(uuid="fff0", characteristics=(
        C(uuid="fff1", properties=("notify", "indicate")), C(uuid="fff2", properties=("notify",)))),)
async def start(self):
    await self.ble.advertise(Advert(data=b"\\x02\\x01\\x06"))
def on_subscribe(self, peer, characteristic, mode):
    self.emit("subscription", peer=peer.name, characteristic=characteristic, mode=mode)
@command
async def push(self, how: str, to: str = "fff1"):
    reached = await getattr(self.ble, how)(to, b"\\x01\\x02")
    self.emit("pushed", reached=reached)
"""
