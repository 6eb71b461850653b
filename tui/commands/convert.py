"""`nearbench convert`: one capture format to another."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from protocols.errors import CaptureError, UsageError, writing
from tui.files import reading
from tui.output import say

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from protocols.capture import Packet

SUMMARY = "one capture format to another (pcap, pcapng, btsnoop, PacketLogger)"
EXAMPLE = "  nearbench convert phone.btsnoop phone.pcapng --filter adv"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("source", type=Path, metavar="IN", help="the capture to read")
    parser.add_argument(
        "target", type=Path, metavar="OUT", help="the capture to write; its suffix picks the format"
    )
    parser.add_argument(
        "--filter",
        metavar="WORDS",
        help="keep packets whose one-line summary contains all these words (any case)",
    )


def run(options: argparse.Namespace) -> int:
    """0 converted, 1 the source is damaged (what came before the damage is written)."""
    from protocols.capture import copy, open_reader, writer_for

    if options.target.resolve() == options.source.resolve():
        raise UsageError(f"{options.target}: IN and OUT are the same file")
    make_writer = writer_for(options.target.name)
    with reading(options.source) as file:
        reader = open_reader(file.stream, file.name)
        try:
            target = options.target.open("wb")
        except OSError as exc:
            raise UsageError(f"{options.target}: {exc.strerror}") from None
        with writing(str(options.target)), target:
            writer = make_writer(target)
            try:
                counts = copy(reader, writer, _keep(options.filter))
            except CaptureError as exc:
                say(
                    f"nearbench: {exc}; {writer.written} packets before it were written to {options.target}"
                )
                return 1
    print(f"{counts.written} of {counts.read} packets written to {options.target}")
    return 0


def _keep(words: str | None) -> Callable[[Packet], bool] | None:
    if not words:
        return None
    from tui.captures import summary_of

    wanted = words.lower().split()

    def keep(packet: Packet) -> bool:
        text = summary_of(packet).lower()
        return all(word in text for word in wanted)

    return keep
