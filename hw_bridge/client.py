"""Who uses a session: its one client, and those who look on.

Rules of the file: protocols and values only; everything is called from the loop and returns at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from hw_bridge.states import State

if TYPE_CHECKING:
    from hw_bridge.states import Transition

__all__ = ["Client", "Notice", "NoticeKind", "Tap"]

NoticeKind = Literal["state", "lost", "returned", "dropped", "note"]


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """What a client is told beside its packets."""

    kind: NoticeKind
    """`lost`: the contract was carried out; `returned`: Reset and begin anew; `dropped`: you are no client any more."""
    text: str
    state: State
    generation: int
    was_on: tuple[str, ...] = ()
    """With `lost`: what else ended, for which HCI has no event."""


class Client(Protocol):
    """Who uses the controller; called from the loop."""

    def on_packet(self, packet: bytes) -> bool:
        """Take an H4 packet; False when there is no room: it is offered again after `Session.client_ready`."""
        ...

    def on_notice(self, notice: Notice) -> None:
        """Something happened."""
        ...

    def on_room(self) -> None:
        """`Session.send` takes packets again after it returned False."""
        ...


class Tap(Protocol):
    """Who looks on: a recorder, a screen."""

    def on_packet(self, packet: bytes, *, sent: bool, t_us: int) -> None:
        """A packet between controller and client; `sent` is host to controller."""
        ...

    def on_octets(self, octets: bytes, *, sent: bool, t_us: int) -> None:
        """Octets on the line."""
        ...

    def on_transition(self, transition: Transition) -> None:
        """The state changed."""
        ...
