"""One comparison of a known answer with ours."""

from __future__ import annotations

from typing import Any

import msgspec

__all__ = ["Check", "check"]


class Check(msgspec.Struct, frozen=True):
    """One comparison."""

    name: str
    ok: bool
    expected: Any
    got: Any


def check(name: str, expected: Any, got: Any, *, ok: bool) -> Check:
    """One comparison, in the order in which it is spoken of."""
    return Check(name=name, ok=ok, expected=expected, got=got)
