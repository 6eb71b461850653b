"""The modals, one file each; a file is registered by being here and defining MODAL, a function that makes the screen.

`MODAL(app)` gives the modal to push, or a sentence that says why there is nothing to show.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from protocols.registry import Folder

if TYPE_CHECKING:
    from collections.abc import Callable

    from textual.screen import ModalScreen

    from tui.app import NearbenchApp

    Maker = Callable[[NearbenchApp], ModalScreen[Any] | str]

__all__ = ["FOLDER"]

FOLDER: Folder[Maker] = Folder("tui.modals", "MODAL", "modal")
