"""Bindings of Textual from the key table. Imported by screens, modals and the app alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.binding import Binding

from tui.keys import EVERYWHERE, keys_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tui.keys import Key

__all__ = ["bindings"]


def bindings(*scopes: str) -> list[Any]:
    """Bindings of these scopes."""
    keys: Sequence[Key] = [key for scope in scopes or (EVERYWHERE,) for key in keys_of(scope)]
    return [
        Binding(key.key, key.does, key.label, tooltip=key.tooltip, show=False, id=key.id)
        for key in keys
    ]
