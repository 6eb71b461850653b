"""The engines of a node as its radio sees them: the five verbs, and what a radio tells beside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from protocols.wifi_aware.heard import Heard, Outgoing

__all__ = ["Upper"]


class Upper(Protocol):
    """The engines of a node, with their five verbs, as a radio drives them."""

    engine: Any
    """an `AwareDevice`: its station has the addresses, and learns the Cluster ID."""

    @property
    def nmi(self) -> str:
        """The NMI in use."""
        ...

    def receive(self, data: bytes | Heard, now: int) -> None:
        """A frame was heard."""
        ...

    def to_send(self, now: int) -> list[Outgoing]:
        """Frames for the radio."""
        ...

    def sending(self, out: Outgoing) -> None:
        """The radio puts a frame on the air now."""
        ...

    def sent(self, number: int, acked: bool, now: int) -> None:
        """What became of a frame."""
        ...

    def next_timer(self) -> int | None:
        """When `handle_timer` wants to be called."""
        ...

    def handle_timer(self, now: int) -> None:
        """Time passed."""
        ...

    def window(self, now: int) -> None:
        """A discovery window begins."""
        ...

    def beacon(self, octets: bytes) -> bytes:
        """A beacon as it goes out."""
        ...

    def believes(self, heard: Heard) -> bool:
        """Whether a beacon may be taken."""
        ...

    def data(self, octets: bytes, now: int) -> None:
        """A data frame to one of its addresses was heard."""
        ...
