"""One walk over an input: its tree of nodes, its doubts, the units of names, and the two ends `parse` and `build`.

Rule: a fault is raised where it stands, with code and offset (`Walk.fault`); a lenient walk notes it as a doubt
instead, and the member is left out. No Container and no ConstructError gets past `parse` and `build`. No clock, no
randomness, no IO.
"""

# construct is untyped: what leaves this folder is typed as `Codec`.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import io
from typing import Any, NoReturn, Protocol, cast

import construct
import msgspec

from protocols.errors import DecodeError, EncodeError


class Codec(Protocol):
    """A layout; `"name" / codec` names it inside a `Record`."""

    def __rtruediv__(self, name: str, /) -> Codec: ...


class Node(msgspec.Struct, frozen=True, omit_defaults=True, gc=False):
    """One field of the tree; `start` and `end` count octets of the whole input."""

    name: str
    value: Any
    unit: str | None
    start: int
    end: int
    children: tuple[Node, ...]
    meaning: str | None = None
    """what the value says in words, e.g. "PIN keypad"."""
    bits: tuple[int, int] | None = None
    """lowest bit and width inside the little- or big-endian number at start..end."""
    source: str | None = None
    doubts: tuple[str, ...] = ()


class LengthNode(Node, frozen=True, omit_defaults=True, gc=False):
    """The node of a length or count in front of what it measures."""


class Doubt(msgspec.Struct, frozen=True, gc=False):
    """A fault that a lenient decoder passed over."""

    code: str
    offset: int | None
    message: str
    path: str = ""


class Omit:
    """The value of a member that is not there."""

    def __repr__(self) -> str:
        return "OMIT"


OMIT = Omit()
REST = -1
"""Size of a member that takes all remaining octets."""

_UNITS = {
    "dbm": "dBm", "mv": "mV", "v": "V", "c": "°C", "s": "s", "ms": "ms", "us": "µs", "pct": "%", "pa": "Pa",
    "hpa": "hPa", "mg": "mg", "l": "L", "ml": "mL", "m": "m", "mm": "mm", "deg": "°", "kg": "kg", "lb": "lb",
    "lux": "lux", "ppm": "ppm", "kwh": "kWh", "w": "W", "a": "A", "rpm": "rpm", "m3": "m³", "db": "dB", "hz": "Hz",
    "tu": "TU", "cm": "cm", "mhz": "MHz",
}  # fmt: skip
_COMPOUND_UNITS = {
    "ug_m3": "µg/m³", "m_s": "m/s", "m_s2": "m/s²", "deg_s": "°/s", "m3_h": "m³/h", "us_cm": "µS/cm",
    "mbit_s": "Mbit/s", "unix_s": "s since 1970",
}  # fmt: skip


def unit_of(name: str) -> str | None:
    """Unit that the suffix of a field name carries: `battery_mv` -> "mV", None when it has none."""
    parts = name.rsplit("_", 2)
    if len(parts) == 3 and (unit := _COMPOUND_UNITS.get(f"{parts[1]}_{parts[2]}")):
        return unit
    return _UNITS.get(parts[-1]) if len(parts) > 1 else None


class Walk:
    """State of one walk over an input: strictness, doubts and the tree under construction.

    `base` is the offset of the current stream's first octet inside the whole input.
    """

    __slots__ = ("base", "doubts", "nodes", "strict")

    def __init__(self, *, strict: bool = True) -> None:
        self.strict = strict
        self.base = 0
        self.doubts: list[Doubt] = []
        self.nodes: list[Node] = []

    def fault(self, code: str, offset: int | None, message: str, path: str = "") -> None:
        """Strict: raise. Lenient: note the doubt and return, so that the caller can go on."""
        if self.strict:
            raise DecodeError(code, offset, message, path=path)
        self.doubts.append(Doubt(code, offset, message, path))

    def fatal(self, code: str, offset: int | None, message: str, path: str = "") -> NoReturn:
        """A fault after which nothing can be trusted, in either mode."""
        raise DecodeError(code, offset, message, path=path)


def walk_of(context: Any) -> Walk:
    """The walk that a construct context belongs to."""
    return cast("Walk", context._params.walk)


def typed(con: Any) -> Codec:
    """A construct object as what the other modules see of it."""
    return cast("Codec", con)


def has(obj: Any, name: str) -> bool:
    """Whether a mapping or struct to be built gives the field."""
    value = obj.get(name, OMIT) if isinstance(obj, dict) else getattr(obj, name, OMIT)
    return value is not OMIT and value is not msgspec.UNSET


def value_of(obj: Any, name: str, path: str) -> Any:
    """The field of a mapping or struct to be built. Raises EncodeError when it is missing."""
    if not has(obj, name):
        raise EncodeError(joined(path, name), "is missing")
    return obj[name] if isinstance(obj, dict) else getattr(obj, name)


def field_path(path: str) -> str:
    """The path "(parsing) -> a -> b" of construct as "a.b"."""
    return ".".join(part for part in path.split(" -> ") if not part.startswith("(")).replace(
        ".[", "["
    )


def joined(path: str, name: str) -> str:
    """The field `name` under a path of construct, as "a.b.name"."""
    prefix = field_path(path)
    return f"{prefix}.{name}" if prefix else name


def parse(layout: Codec, data: bytes, walk: Walk, *, base: int = 0) -> Any:
    """Values of `data` by `layout`; spans go to `walk.nodes`, counted from `base`.

    Raises DecodeError: the first fault, or `frame_length` when octets are missing or left over.
    """
    outer, walk.base = walk.base, base
    nodes = walk.nodes
    stream = io.BytesIO(data)
    try:
        value = cast("Any", layout).parse_stream(stream, walk=walk)
    except construct.StreamError as exc:
        name = field_path(exc.path or "")
        message = f"{len(data)} octets are too few{f', {name} needs more' if name else ''}"
        raise DecodeError("frame_length", None, message) from exc
    except construct.ConstructError as exc:
        raise DecodeError("frame_length", None, str(exc).splitlines()[-1]) from exc
    finally:
        walk.base, walk.nodes = outer, nodes
    if stream.tell() < len(data):
        raise DecodeError("frame_length", None, f"{len(data) - stream.tell()} octets left over")
    return value


def build(layout: Codec, fields: Any) -> bytes:
    """Octets of `fields` (a mapping or a struct) by `layout`. Raises EncodeError with the path of the field."""
    try:
        return cast("bytes", cast("Any", layout).build(fields, walk=Walk()))
    except EncodeError:
        raise
    except construct.ConstructError as exc:
        message = str(exc).splitlines()[-1].rpartition("given value ")[2]
        raise EncodeError(field_path(exc.path or ""), f"{message} does not fit the field") from exc
