"""Which options `bridge attach` takes for what: one that would do nothing is refused, not ignored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from protocols.errors import UsageError

if TYPE_CHECKING:
    import argparse

__all__ = ["check_options", "kind_of"]

_FLAGS: Final = {
    "accessory": "--accessory", "phone": "--phone", "observe": "--observe", "passive": "--passive",
    "adapter": "--adapter", "peer": "--peer", "pair": "--pair", "do": "--do", "name": "--name",
    "set": "--set", "pin": "--pin", "yes": "--yes", "record": "--record", "jsonl": "--jsonl",
    "format": "--format", "seed": "--seed",
}  # fmt: skip
"""Where argparse keeps it -> as users write it; what every kind takes is not here."""
_DEVICE: Final = frozenset(("do", "name", "set", "pin", "yes", "record", "jsonl", "seed"))
_TAKEN: Final = {
    "an accessory": _DEVICE | {"accessory"},
    "a phone": _DEVICE | {"phone", "peer", "pair", "format"},
    "a phone on the system's Bluetooth": _DEVICE - {"record"} | {"phone", "peer", "pair", "format", "adapter"},
    "--observe": frozenset(("observe", "passive", "name", "record", "jsonl", "format", "seed")),
    "--observe on the system's Bluetooth": frozenset(("observe", "passive", "adapter", "name", "jsonl", "format", "seed")),
    "monitor: and frames:": frozenset(("accessory", "phone", "set", "seed")),
    "wpa:": frozenset[str](),
}  # fmt: skip
_INSTEAD: Final = {
    ("an accessory", "peer"): "--peer and --pair are a phone's; an accessory waits to be found",
    ("an accessory", "pair"): "--peer and --pair are a phone's; an accessory waits to be found",
    ("a phone on the system's Bluetooth", "record"): "--record: the system keeps its HCI to itself; use --jsonl",
    ("--observe on the system's Bluetooth", "record"): "--record: the system keeps its HCI to itself; use --jsonl",
    ("wpa:", "accessory"): "--accessory: wpa_supplicant is the device; `{\"cmd\": \"publish\", ...}` on standard input tells it what to do",
    ("monitor: and frames:", "record"): "--record keeps HCI, and a Wi-Fi radio has none; `--seed` makes a run repeatable",
}  # fmt: skip
"""(kind, option) -> what to say in place of the plain sentence."""


def kind_of(options: argparse.Namespace) -> str:
    """What is to be attached, and to what. Raises UsageError."""
    scheme = (options.moniker or "").partition(":")[0]
    if scheme in ("monitor", "frames", "wpa"):
        if options.via == "bleak":
            raise UsageError("name the dongle, or give --via bleak; one of the two")
        return "wpa:" if scheme == "wpa" else "monitor: and frames:"
    where = " on the system's Bluetooth" if options.via == "bleak" else ""
    if options.observe:
        return f"--observe{where}"
    if options.phone:
        return f"a phone{where}"
    if options.accessory:
        return "an accessory"
    raise UsageError("say what is to be attached: --accessory NAME, --phone NAME or --observe")


def check_options(options: argparse.Namespace) -> None:
    """Every option that is given means something here. Raises UsageError."""
    kind = kind_of(options)
    for option, flag in _FLAGS.items():
        if option in _TAKEN[kind] or getattr(options, option) in (None, "", False, []):
            continue
        plain = f"{flag} means nothing for {kind}; `nearbench bridge attach --help` shows what does"
        raise UsageError(_INSTEAD.get((kind, option), plain))
    if options.passive and not options.observe:
        raise UsageError("--passive is for --observe")
