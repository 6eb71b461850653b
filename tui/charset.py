"""Which characters a terminal takes: UTF-8, or ASCII alone.

Python turns its UTF-8 mode on where the locale is C or POSIX (PEP 540), and may set LC_CTYPE itself (PEP 538), so the
encoding of a stream says nothing there: LC_ALL, LC_CTYPE and LANG do, the first that is set (POSIX.1-2017 8.2). Who asked
for UTF-8 mode gets it, and where nothing is set the stream is believed.
"""

from __future__ import annotations

import codecs
import os
import sys
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    import io
    from collections.abc import Mapping

__all__ = ["believes_utf8", "fit_stream", "is_utf8"]

_PLAIN = ("C", "POSIX")
_ERRORS = "nearbench-ascii"


def is_utf8() -> bool:
    """Whether standard output is for something that shows UTF-8."""
    asked = os.environ.get("PYTHONUTF8") == "1" or "utf8" in _options()
    by_itself = bool(sys.flags.utf8_mode) and not asked
    return believes_utf8(os.environ, sys.stdout.encoding or "", by_itself=by_itself)


def _options() -> Mapping[str, Any]:
    """Those given to Python with -X."""
    return cast("Mapping[str, Any]", cast(Any, sys)._xoptions)


def believes_utf8(environ: Mapping[str, str], encoding: str, *, by_itself: bool) -> bool:
    """The same for an environment; `by_itself`: Python is in UTF-8 mode, and nobody asked for it."""
    if by_itself:
        kind = environ.get("LC_CTYPE", "")  # any other than C and POSIX is Python's own
        said = environ.get("LC_ALL") or (kind if kind in _PLAIN else "") or environ.get("LANG")
        if said in _PLAIN:
            return False
    return encoding.lower().replace("-", "") == "utf8"


def fit_stream(stream: io.TextIOWrapper) -> None:
    """What the reader of `stream` cannot show is written with ASCII, or as "?"; a terminal's locale is believed."""
    codecs.register_error(_ERRORS, _in_ascii)
    if stream.isatty() and not is_utf8():
        stream.reconfigure(encoding="ascii", errors=_ERRORS)
    else:
        stream.reconfigure(errors=_ERRORS)


def _in_ascii(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    from tui.text import ascii_of  # rare, and start-up counts

    return ascii_of(error.object[error.start : error.end]), error.end
