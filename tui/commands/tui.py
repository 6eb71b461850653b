"""`nearbench tui`: the terminal interface on a scenario that runs, or on a capture file."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from protocols.errors import UsageError
from tui.bench.role import add_bench_options, on_bench
from tui.charset import is_utf8
from tui.commands.run import add_run_options, duration_of, settings_of, speed_of
from tui.output import say
from tui.themes import DEFAULT as DEFAULT_THEME
from tui.themes import THEMES

if TYPE_CHECKING:
    import argparse

    from tui.files import GivenFile
    from tui.session import Request, Session

SUMMARY = "the terminal interface: watch, pair, type the PIN; also opens captures"
EXAMPLE = """  nearbench tui
  nearbench tui passkey_lock --play phone,accessory
  nearbench tui air.pcapng
  nearbench tui --bridge usb:0 --accessory thermometer"""
DEFAULT = "demo"
_HUNG_UP = 129
"""Exit status where the terminal is gone: there is nobody to tell anything."""
_SWITCH_S = 0.0005
"""How long the world's thread may keep the screen waiting."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "what", nargs="?", default=DEFAULT, metavar="SCENARIO|CAPTURE",
        help=f"scenario by name or path, or a capture file; {DEFAULT} when not given",
    )  # fmt: skip
    add_run_options(parser)
    add_screen_options(parser)
    add_bench_options(parser)
    parser.add_argument("--web", action="store_true", help="serve it to a browser on this machine")
    parser.add_argument("--port", type=int, default=8000, metavar="N", help="of --web; 8000")


def add_screen_options(parser: argparse.ArgumentParser) -> None:
    """Options that `tui` and `demo` share: how it looks, and who is played."""
    parser.add_argument(
        "--play", default="phone", metavar="WHO,...",
        help="whose people you play: phone (default), accessory, none, or names of nodes; the others answer by themselves",
    )  # fmt: skip
    parser.add_argument(
        "--ascii",
        action="store_true",
        help="draw with ASCII alone; by itself where the locale is not UTF-8",
    )
    parser.add_argument(
        "--theme", choices=tuple(THEMES), default=DEFAULT_THEME,
        help="colours: dark (default), light, high-contrast, or ansi: the terminal's own sixteen",
    )  # fmt: skip
    parser.add_argument(
        "--plain", action="store_true",
        help="line by line in place of a screen, as screen readers want it: sentences, and prompts for PINs",
    )  # fmt: skip
    parser.add_argument("--keys", metavar="FILE", help='your keys: a TOML file of id = "key"')


def run(options: argparse.Namespace) -> int:
    """0, or 1 when the run did not hold what it was to."""
    if options.web:
        return _serve(options)
    if not (options.plain or has_terminal()):
        raise UsageError("tui needs a terminal; `nearbench run SCENARIO` tells the same as text")
    return open_interface(options, options.what)


def _serve(options: argparse.Namespace) -> int:
    """Serve it to browsers, once it is sure that it opens."""
    from tui.session import open_session
    from tui.web import HOST, make_server

    if options.capture or options.jsonl:
        raise UsageError(
            "--web: every tab is a run of its own, and would write the same file; export in the tab (e)"
        )
    open_session(_request(options, options.what)).close()
    server = make_server(_own_words(sys.argv[1:]), port=options.port)
    print(
        f"open http://{HOST}:{options.port} in a browser on this machine; Ctrl+C ends it",
        flush=True,
    )
    server.serve()
    return 0


def has_terminal() -> bool:
    """Whether somebody sits before a screen: a terminal, or the browser of `--web`."""
    return bool(os.environ.get("TEXTUAL_DRIVER")) or (sys.stdin.isatty() and sys.stdout.isatty())


def _request(options: argparse.Namespace, what: str) -> Request:
    from tui.session import Request  # the simulator

    request = Request(
        what=what,
        seed=options.seed,
        settings=settings_of(options.set),
        faults=tuple(options.fault),
        speed=speed_of(options.speed, default=1.0),
        until_us=duration_of(options.duration),
        captures=tuple(options.capture),
        jsonl=options.jsonl or "",
        new_files=tuple(getattr(options, "new_files", ())),
        unasked=tuple(getattr(options, "unasked", ())),
        reveal=options.reveal,
        play=tuple(options.play.split(",")),
    )
    return on_bench(request, options, DEFAULT)


def open_interface(options: argparse.Namespace, what: str) -> int:
    """Show a scenario or capture until the person leaves: 0, or 1 when the run did not hold what it was to."""
    os.environ.setdefault("TEXTUAL_ANIMATIONS", "none")
    from tui.keys import user_keys

    if options.jsonl == "-":
        raise UsageError("--jsonl -: the screen has the standard output; give it a file")
    if options.plain:
        return _plain(_request(options, what))
    keymap = user_keys(Path(options.keys)) if options.keys else None
    from tui.app import NearbenchApp  # Textual is loaded by this command alone

    file = _waited_for(what)
    notices: list[str] = []

    def open_it() -> Session:
        from tui.session import open_session  # once the screen is painted

        session = open_session(_request(options, what), file)
        notices.append(session.notice)
        return session

    sys.setswitchinterval(_SWITCH_S)
    app = NearbenchApp(
        open_it,
        ascii_only=options.ascii or not is_utf8(),
        keymap=keymap,
        theme=options.theme,
    )
    try:
        status = app.run()
    finally:
        app.finish()
    if status == _HUNG_UP:
        return status
    for name, packets in app.written.items():
        print(f"wrote {name}: {packets} packets")
    for notice in filter(None, (*notices, *app.lost)):
        say(f"nearbench: {notice}")
    if app.failure is not None:
        raise app.failure
    return status or app.return_code or int(bool(app.lost))


def _waited_for(what: str) -> GivenFile | None:
    """What is no file on a disk, opened before the screen: a pipe's other end may not be there yet. Raises UsageError."""
    if what != "-":
        if not os.path.exists(what) or os.path.isfile(what) or os.path.isdir(what):  # noqa: PTH110, PTH112, PTH113  # Path's raise on long names
            return None
        say(f"nearbench: {what}: waiting for the first packets")
    from tui.session import capture_named

    return capture_named(what)


def _plain(request: Request) -> int:
    """The same run line by line."""
    from tui.plain import run as run_plain
    from tui.session import open_session

    session = open_session(request)
    if session.is_capture:
        session.close()
        raise UsageError("--plain: for captures, `nearbench decode FILE` prints packets as text")
    if session.notice:
        say(f"nearbench: {session.notice}")
    return run_plain(session)


def _own_words(words: list[str]) -> list[str]:
    """The command line without what concerns the web server."""
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word == "--port":
            next(rest, "")
        elif word != "--web" and not word.startswith("--port="):
            kept.append(word)
    return kept
