"""Where signs are drawn with ASCII by themselves, and what becomes of them on the way out."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from protocols.errors import UsageError
from tui.charset import believes_utf8, fit_stream
from tui.cli import main
from tui.commands import tui as tui_command

ROOM = ["run", "thermometer_session"]


@pytest.mark.parametrize(
    ("environ", "by_itself", "utf8"),
    [
        ({"LC_ALL": "C", "LANG": "C"}, True, False),
        ({"LC_ALL": "POSIX"}, True, False),
        ({"LANG": "C"}, True, False),
        ({"LANG": "C", "LC_CTYPE": "C.UTF-8"}, True, False),  # set by Python itself (PEP 538)
        ({"LC_CTYPE": "C", "LANG": "de_DE.UTF-8"}, True, False),
        ({"LC_ALL": "", "LANG": "C"}, True, False),
        ({"LC_ALL": "C.UTF-8", "LANG": "C"}, False, True),
        ({"LANG": "en_GB.UTF-8"}, False, True),
        ({"LC_ALL": "C"}, False, True),  # UTF-8 mode was asked for
        ({}, True, True),
    ],
)
def test_the_locale_is_believed_where_python_is_in_utf8_mode_by_itself(environ, by_itself, utf8):
    assert believes_utf8(environ, "utf-8", by_itself=by_itself) is utf8


def test_another_encoding_is_none_of_utf8():
    assert not believes_utf8({"LANG": "de_DE.ISO8859-1"}, "iso8859-1", by_itself=False)


@pytest.mark.parametrize(
    ("encoding", "written"), [("ascii", b"a > b ~ ?"), ("utf-8", "a → b … 鍵".encode())]
)
def test_what_a_stream_cannot_hold_is_written_with_likes(encoding, written):
    octets = io.BytesIO()
    stream = io.TextIOWrapper(octets, encoding=encoding)
    fit_stream(stream)
    stream.write("a → b … 鍵")
    stream.flush()
    assert octets.getvalue().startswith(written)


ENVIRONMENTS = [
    ({"LC_ALL": "C", "LANG": "C"}, True),
    ({"LC_ALL": "C.UTF-8"}, False),
    ({"LC_ALL": "C", "PYTHONUTF8": "1"}, False),
]


@pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
@pytest.mark.parametrize(("environ", "ascii_only"), ENVIRONMENTS)
def test_on_a_terminal_the_text_commands_keep_to_it(environ, ascii_only):
    import pty

    ours, theirs = pty.openpty()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("LC_", "LANG", "PYTHON"))}
    child = subprocess.Popen(
        [sys.executable, "-m", "tui", *ROOM], stdout=theirs, stderr=theirs, env=kept | environ
    )
    os.close(theirs)
    said = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux: the other side is closed
            break
        if not part:
            break
        said += part
    os.close(ours)
    assert child.wait() == 0
    assert b"PASSED" in said
    assert said.isascii() is ascii_only


@pytest.mark.parametrize("utf8", [True, False])
def test_the_interface_draws_with_ascii_by_itself(monkeypatch, utf8):
    from tui import app

    def stub(*_args, **named):
        given.append(named["ascii_only"])
        raise UsageError("it was asked")

    given = []
    monkeypatch.setattr(app, "NearbenchApp", stub)
    monkeypatch.setattr(tui_command, "has_terminal", lambda: True)
    monkeypatch.setattr(tui_command, "is_utf8", lambda: utf8)
    assert main(["tui", "demo"]) == 2
    assert given == [not utf8]
