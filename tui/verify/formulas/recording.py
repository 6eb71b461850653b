"""A recorded exchange as typed values: what its values are recomputed from, and the values themselves.

Members that nothing here needs are passed over; those that are missing have defaults, so that a user's own file may
hold less than ours. What is of another form is refused with its path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from protocols.conversion import as_typed
from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "SIDES",
    "Device",
    "Draw",
    "Frame",
    "Inputs",
    "Recording",
    "Seen",
    "Side",
    "other",
    "recording_of",
]

Hex = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-fA-F]{2})*$")]
Mac = Annotated[str, msgspec.Meta(pattern=r"^([0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}$")]
Side = Literal["A", "B"]
SIDES: tuple[Side, Side] = ("A", "B")
Unset = msgspec.UnsetType
UNSET = msgspec.UNSET


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """One of the two devices."""

    nmi: Mac
    ndi: Mac | Unset = UNSET
    role: str = ""
    nik: Hex | Unset = UNSET
    nira_nonce: Hex | Unset = UNSET
    nira_tag: Hex | Unset = UNSET
    own_igtk: Hex | Unset = UNSET
    own_bigtk: Hex | Unset = UNSET
    config: dict[str, Any] = {}


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """What a human or an application supplied, as far as values depend on it."""

    service_name: str | Unset = UNSET
    service_id: Hex | Unset = UNSET
    cipher: str = ""
    pairing_responder: str = ""
    password: str | Unset = UNSET
    password_responder: str | Unset = UNSET
    cached_npk: Hex | Unset = UNSET
    cached_npk_B: Hex | Unset = UNSET  # noqa: N815  # as in the file
    nik_A: Hex | Unset = UNSET  # noqa: N815
    nik_B: Hex | Unset = UNSET  # noqa: N815
    nik_of_B_known_to_A: Hex | Unset = UNSET  # noqa: N815
    ndp_initiator: str = ""
    csid: int = 0
    ndp_passphrase: str | Unset = UNSET
    ndp_passphrase_responder: str | Unset = UNSET
    nd_pmk: Hex | Unset = UNSET


class Frame(msgspec.Struct, frozen=True, kw_only=True):
    """One frame, as delivered."""

    dir: Literal["A>B", "B>A"]
    hex: Hex
    original_hex: Hex | Unset = UNSET
    delivered: bool = True
    injected: bool = False


class Draw(msgspec.Struct, frozen=True, kw_only=True):
    """A random value that a device took."""

    purpose: str
    hex: Hex


class Seen(msgspec.Struct, frozen=True):
    """A frame as one device knows it: what it sent, or what it received."""

    sent: bool
    octets: bytes


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """An exchange between A and B."""

    devices: dict[Side, Device] = {}
    frames: list[Frame] = []
    inputs: Inputs = Inputs()
    draws: dict[Side, list[Draw]] = {}
    secrets: dict[Side, dict[str, list[Hex]]] = {}
    """name -> distinct values in order of first appearance."""
    trace: dict[Side, list[tuple[str, Hex]]] = {}
    """name and value, in order."""

    def seen_by(self, side: Side) -> Iterator[Seen]:
        """What a device sent (altered or lost afterwards or not) and received, in order."""
        for frame in self.frames:
            sent = frame.dir.startswith(side)
            if sent and not frame.injected:
                told = frame.hex if frame.original_hex is UNSET else frame.original_hex
                yield Seen(sent=True, octets=bytes.fromhex(told))
            elif not sent and frame.delivered:
                yield Seen(sent=False, octets=bytes.fromhex(frame.hex))

    def drawn(self, side: Side, *purposes: str) -> list[bytes]:
        """The draws of a device for these purposes, in order."""
        draws = self.draws.get(side, [])
        return [bytes.fromhex(draw.hex) for draw in draws if draw.purpose in purposes]


def recording_of(plain: dict[str, Any]) -> Recording:
    """The recording in a JSON object. Raises UsageError with the path of what is of another form."""
    try:
        return as_typed(plain, Recording)
    except msgspec.ValidationError as exc:
        raise UsageError(str(exc)) from None


def other(side: Side) -> Side:
    """The peer."""
    return "B" if side == "A" else "A"
