"""Members whose octets are given beforehand: constants, reserved octets, and what must not stand there.

Rule: other octets than the given ones are a fault with a code, at the first octet of the member. No clock, no
randomness, no IO.
"""

# construct is untyped: what leaves this folder is typed as `Codec`.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportUntypedBaseClass=false
# pyright: reportMissingParameterType=false, reportPrivateUsage=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

from typing import Any, cast

import construct

from protocols.errors import EncodeError
from protocols.layout.values import sized
from protocols.layout.walk import OMIT, Omit, field_path, walk_of

__all__ = [
    "Const",
    "Fault",
    "Reserved",
]


class Const(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """Fixed octets; anything else is the fault `code` at the first octet of the field."""

    def __init__(self, octets: bytes, code: str = "frame_type", *, fatal: bool = True) -> None:
        super().__init__()
        self.octets = octets
        self.code = code
        self.is_fatal = fatal
        self.flagbuildnone = True

    def _parse(self, stream: Any, context: Any, path: str) -> str:
        start = stream.tell()
        got = construct.stream_read(stream, len(self.octets), path)
        if got != self.octets:
            walk = walk_of(context)
            report = walk.fatal if self.is_fatal else walk.fault
            report(
                self.code,
                walk.base + start,
                f"expected {self.octets.hex()}, got {got.hex()}",
                field_path(path),
            )
        return cast(bytes, got).hex()

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        stream.write(self.octets)
        return obj


class Reserved(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """Octets that are sent as zero. Non-zero ones are the fault `code` (None: accepted, shown in the tree)."""

    def __init__(self, size: int, code: str | None = None) -> None:
        super().__init__()
        self.size = size
        self.code = code
        self.flagbuildnone = True

    def _parse(self, stream: Any, context: Any, path: str) -> str:
        start = stream.tell()
        got = cast(bytes, construct.stream_read(stream, self.size, path))
        if self.code is not None and any(got):
            walk = walk_of(context)
            walk.fault(
                self.code,
                walk.base + start,
                f"reserved octets are {got.hex()}, not zero",
                field_path(path),
            )
        return got.hex()

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        try:
            octets = sized(bytes.fromhex(obj), self.size) if obj is not None else bytes(self.size)
        except (TypeError, ValueError) as exc:
            raise EncodeError(field_path(path), str(exc)) from exc
        stream.write(octets)
        return obj


class Fault(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """What must not stand here (a case of `Choice`): the fault `code`. Lenient: the rest is passed over."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__()
        self.code = code
        self.message = message

    def _parse(self, stream: Any, context: Any, path: str) -> Omit:
        walk = walk_of(context)
        walk.fault(self.code, walk.base + stream.tell(), self.message, field_path(path))
        stream.read()
        return OMIT

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        raise EncodeError(field_path(path), self.message)
