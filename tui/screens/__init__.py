"""The screens, one file each; a file is registered by being here and defining SCREEN, a subclass of `BenchScreen`.

Digits and order of the six are in `tui/keys.py`; a screen of another name is reached from the palette.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from protocols.registry import Folder

if TYPE_CHECKING:
    from tui.screens._base import BenchScreen

__all__ = ["FOLDER"]

FOLDER: Folder[type[BenchScreen]] = Folder("tui.screens", "SCREEN", "screen")
