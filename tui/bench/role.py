"""What is to be on a real dongle, as options and the screen Bridges name it. Nothing of hardware is loaded for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec

from protocols.errors import UsageError

if TYPE_CHECKING:
    import argparse

    from tui.session import Request

__all__ = ["BOTH", "Role", "add_bench_options", "on_bench", "role_of"]

BOTH: Final = ("phone", "accessory")
"""Who is played: the people of a bench sit before the screen."""


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be on the dongle."""

    kind: Literal["accessory", "phone", "observe"]
    name: str = ""
    """of the accessory or phone; path of its file."""
    peer: str = ""
    """with a phone: whom it visits."""
    pair: bool = False
    """with a peer: whether it pairs, too."""
    settings: dict[str, Any] = {}

    @property
    def words(self) -> str:
        """As people say it."""
        if self.kind == "observe":
            return "observer"
        visit = f" with {self.peer}" if self.peer else ""
        return f"{self.kind} {self.name}{visit}"

    @property
    def why_no_pairing(self) -> str:
        """Why no pairing can be begun from here; empty for a phone that knows whom to pair with."""
        if self.kind == "observe":
            return "an observer only listens; 6, then r puts a phone that pairs on the dongle"
        if self.kind == "accessory":
            return f"{self.name} waits to be paired: begin it on the phone"
        if not self.peer:
            return f"{self.name} knows nobody to pair with; 6, then r gives it a peer"
        return ""


def role_of(
    *,
    accessory: str = "",
    phone: str = "",
    observe: bool = False,
    peer: str = "",
    pair: bool = False,
) -> Role:
    """The role that the options describe. Raises UsageError."""
    if sum(map(bool, (accessory, phone, observe))) != 1:
        raise UsageError(
            "--bridge: say what is to be on it: --accessory NAME, --phone NAME or --observe; one of them"
        )
    if (peer or pair) and not phone:
        raise UsageError("--peer and --pair are a phone's; an accessory waits to be found")
    if pair and not peer:
        raise UsageError("--pair needs --peer, the device to pair with")
    if observe:
        return Role(kind="observe")
    if accessory:
        return Role(kind="accessory", name=accessory)
    return Role(kind="phone", name=phone, peer=peer, pair=pair)


def add_bench_options(parser: argparse.ArgumentParser) -> None:
    """Options of a run on real hardware."""
    parser.add_argument(
        "--bridge", metavar="MONIKER",
        help="instead of a scenario: a device on a real dongle, in real time (`nearbench bridge list`)",
    )  # fmt: skip
    parser.add_argument("--accessory", metavar="NAME", help="with --bridge: this accessory")
    parser.add_argument("--phone", metavar="NAME", help="with --bridge: this phone")
    parser.add_argument("--observe", action="store_true", help="with --bridge: listen only")
    parser.add_argument(
        "--peer", default="", metavar="ADDRESS|NAME", help="with --phone: connect to this device"
    )
    parser.add_argument("--pair", action="store_true", help="with --peer: pair, too")


def on_bench(request: Request, options: argparse.Namespace, default: str) -> Request:
    """The request on the dongle that the options name, if they do; `default` is what runs without. Raises UsageError."""
    moniker = getattr(options, "bridge", None)
    given = [
        name
        for name in ("accessory", "phone", "observe", "peer", "pair")
        if getattr(options, name, None)
    ]
    if not moniker:
        if given:
            raise UsageError(f"--{given[0]} needs --bridge, the dongle that it is to be on")
        return request
    if request.what != default:
        raise UsageError(
            f"--bridge: the dongle takes the place of {request.what}; give one of them"
        )
    if options.speed is not None:
        raise UsageError("--speed: real hardware runs in real time")
    role = role_of(
        accessory=options.accessory or "",
        phone=options.phone or "",
        observe=options.observe,
        peer=options.peer,
        pair=options.pair,
    )
    play = BOTH if request.play == ("phone",) else request.play
    return msgspec.structs.replace(request, what=role.words, moniker=moniker, role=role, play=play)
