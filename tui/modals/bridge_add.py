"""The moniker of a dongle, typed; says while it is typed whether it is one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Final

from protocols.errors import NearbenchError
from tui.bindings import bindings
from tui.modals._typed import TypedModal
from tui.text import clean

if TYPE_CHECKING:
    from tui.models.lanes import Piece

__all__ = ["BridgeAdd"]

_LINES: Final = 6
_EXAMPLES: Final = (
    "serial:/dev/ttyACM0?baud=1000000", "usb:0   usb:2fe3:000b   usb:1-2", "tcp-client:127.0.0.1:6402",
    "unix:/run/user/1000/controller   pty:/tmp/controller", "hci-socket:hci0   replay:session.pcapng",
)  # fmt: skip


class BridgeAdd(TypedModal[str]):
    """A moniker that can be understood; nothing when none was wanted."""

    SCOPE = "modal:bridge_add"
    BINDINGS: ClassVar[list[Any]] = bindings(SCOPE)
    LONGEST = 300

    def on_input_submitted(self) -> None:
        """Add it."""
        self.action_add()

    def _text(self) -> str:
        return self.field.value.strip()

    def action_add(self) -> None:
        """Add it when it is right."""
        if self._text() and not self._wrong():
            self.dismiss(self._text())

    def _wrong(self) -> str:
        """What is wrong with it; empty when nothing is."""
        from hw_bridge.transports import TRANSPORTS, port_for

        text = self._text()
        scheme = text.partition(":")[0]
        if scheme.endswith(".py") and scheme not in TRANSPORTS.names():
            return "a transport of your own is named on the command line: --bridge MONIKER"
        try:
            port_for(text)
        except NearbenchError as exc:
            return clean(str(exc))
        return ""

    def draw(self) -> None:
        """Right or wrong, and examples."""
        wrong = self._wrong() if self._text() else ""
        lines: list[list[Piece] | str] = []
        if wrong:
            said = self.wrapped(f"{self.signs['failed']} {wrong}", indent=0)
            lines += [[(line, "bad")] for line in said[:_LINES]]
        elif self._text():
            lines.append([(f"{self.signs['ok']} enter adds it; nothing is opened by that", "good")])
        else:
            lines.append("Name a port or a dongle:")
        lines += ["", *_EXAMPLES, "", "`nearbench show transport serial` lists its options."]
        self.card.fill("Add a dongle", lines)
