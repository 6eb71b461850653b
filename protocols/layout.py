"""The Construct vocabulary all payloads and frames are written in.

Rule 1: only this file (and `fixed.py`, which reads its objects) touches `construct`; no Container and no ConstructError leave it.
Rule 2: one definition serves parse, build, field tree and byte spans. `Record` notes the span of each
named member; a name that starts with an underscore is shown in the tree and kept out of the fields.
Rule 3: a fault is raised where it stands, with code and offset (`Walk.fault`); a lenient walk notes it
as a doubt instead, and the member is left out.
No clock, no randomness, no IO.
"""

# construct is untyped: what leaves this file is typed as `Codec`.
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false
# pyright: reportUnknownParameterType=false, reportMissingTypeStubs=false, reportUntypedBaseClass=false
# pyright: reportMissingParameterType=false, reportPrivateUsage=false, reportIncompatibleMethodOverride=false

from __future__ import annotations

import io
import operator
from typing import TYPE_CHECKING, Any, NoReturn, Protocol, cast

import construct
import msgspec

from protocols.errors import DecodeError, EncodeError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "OMIT",
    "REST",
    "S8",
    "S16BE",
    "S16LE",
    "S24LE",
    "S32BE",
    "S32LE",
    "U8",
    "U16BE",
    "U16LE",
    "U24BE",
    "U24LE",
    "U32BE",
    "U32LE",
    "U64BE",
    "U64LE",
    "Body",
    "Choice",
    "Codec",
    "Coded",
    "Const",
    "Doubt",
    "Fault",
    "Flagged",
    "Flags",
    "Hex",
    "Mac",
    "MacLE",
    "Mapped",
    "Named",
    "Node",
    "Nullable",
    "Octets",
    "Optional",
    "Record",
    "Records",
    "Reserved",
    "Scaled",
    "Sized",
    "Text",
    "Uuid16LE",
    "Uuid32LE",
    "Uuid128",
    "Uuid128LE",
    "Walk",
    "When",
    "build",
    "parse",
    "unit_of",
]


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


class Doubt(msgspec.Struct, frozen=True, gc=False):
    """A fault that a lenient decoder passed over."""

    code: str
    offset: int | None
    message: str
    path: str = ""


class _Omit:
    """The value of a member that is not there."""

    def __repr__(self) -> str:
        return "OMIT"


OMIT = _Omit()
REST = -1
"""Size of a member that takes all remaining octets."""

_UNITS = {
    "dbm": "dBm", "mv": "mV", "v": "V", "c": "°C", "s": "s", "ms": "ms", "us": "µs", "pct": "%", "pa": "Pa",
    "hpa": "hPa", "mg": "mg", "l": "L", "ml": "mL", "m": "m", "mm": "mm", "deg": "°", "kg": "kg", "lb": "lb",
    "lux": "lux", "ppm": "ppm", "kwh": "kWh", "w": "W", "a": "A", "rpm": "rpm", "m3": "m³", "db": "dB", "hz": "Hz",
}  # fmt: skip
_COMPOUND_UNITS = {
    "ug_m3": "µg/m³", "m_s": "m/s", "m_s2": "m/s²", "deg_s": "°/s", "m3_h": "m³/h", "us_cm": "µS/cm",
    "unix_s": "s since 1970",
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


def _walk(context: Any) -> Walk:
    return cast(Walk, context._params.walk)


def _codec(con: Any) -> Codec:
    return cast(Codec, con)


# --- numbers and octets ---------------------------------------------------------------------------

U8 = _codec(construct.Int8ub)
U16BE = _codec(construct.Int16ub)
U16LE = _codec(construct.Int16ul)
U24BE = _codec(construct.Int24ub)
U24LE = _codec(construct.Int24ul)
U32BE = _codec(construct.Int32ub)
U32LE = _codec(construct.Int32ul)
U64BE = _codec(construct.Int64ub)
U64LE = _codec(construct.Int64ul)
S8 = _codec(construct.Int8sb)
S16BE = _codec(construct.Int16sb)
S16LE = _codec(construct.Int16sl)
S24LE = _codec(construct.Int24sl)
S32BE = _codec(construct.Int32sb)
S32LE = _codec(construct.Int32sl)


class _Adapt(construct.Adapter):  # type: ignore[misc]  # construct is untyped
    """An adapter made of two functions; `meaning` puts the decoded value into words."""

    def __init__(
        self,
        subcon: Codec,
        decode: Callable[[Any], Any],
        encode: Callable[[Any], Any],
        meaning: Callable[[Any], str | None] | None = None,
    ) -> None:
        super().__init__(subcon)
        self._from_wire = decode
        self._to_wire = encode
        self.meaning = meaning

    def _decode(self, obj: Any, context: Any, path: str) -> Any:
        return self._from_wire(obj)

    def _encode(self, obj: Any, context: Any, path: str) -> Any:
        try:
            return self._to_wire(obj)
        except (TypeError, ValueError, OverflowError, AttributeError) as exc:
            raise EncodeError(_field_path(path), str(exc)) from exc


def Mapped(  # noqa: N802  # the vocabulary reads like types
    base: Codec,
    decode: Callable[[Any], Any],
    encode: Callable[[Any], Any],
    meaning: Callable[[Any], str | None] | None = None,
) -> Codec:
    """The value of `base` through `decode`, and back through `encode` (ValueError: cannot be sent).

    `meaning` puts the decoded value into words for the tree.
    """
    return _codec(_Adapt(base, decode, encode, meaning))


_BIT = _Adapt(U8, bool, operator.index)


def _raw(size: int) -> Any:
    return construct.GreedyBytes if size == REST else construct.Bytes(size)


def Octets(size: int) -> Codec:  # noqa: N802  # the vocabulary reads like types
    """`size` raw octets (`REST`: all that remain) as bytes."""
    return _codec(_raw(size))


def Hex(size: int) -> Codec:  # noqa: N802  # the vocabulary reads like types
    """`size` octets (`REST`: all that remain) as lower-case hex without separators."""
    return _codec(_Adapt(_raw(size), lambda b: b.hex(), lambda s: _sized(bytes.fromhex(s), size)))


def _sized(data: bytes, size: int) -> bytes:
    if size not in (REST, len(data)):
        raise ValueError(f"needs {size} octets, got {len(data)}")
    return data


def _mac_text(data: bytes) -> str:
    return data.hex(":")


def _mac_octets(text: str) -> bytes:
    data = bytes.fromhex(text.replace(":", ""))
    if len(data) != 6:
        raise ValueError(f"an address has 6 octets, got {len(data)}")
    return data


Mac = _codec(_Adapt(_raw(6), _mac_text, _mac_octets))
"""Address sent most significant octet first, as `aa:bb:cc:dd:ee:ff`."""
MacLE = _codec(_Adapt(_raw(6), lambda b: _mac_text(b[::-1]), lambda s: _mac_octets(s)[::-1]))
"""Address sent least significant octet first, as `aa:bb:cc:dd:ee:ff`."""


def _uuid_text(number: bytes) -> str:
    text = number.hex()
    if len(number) < 16:
        return text
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _uuid_octets(text: str, size: int) -> bytes:
    return _sized(bytes.fromhex(text.replace("-", "")), size)


def _uuid(size: int, *, little: bool) -> Codec:
    step = -1 if little else 1
    return _codec(
        _Adapt(_raw(size), lambda b: _uuid_text(b[::step]), lambda s: _uuid_octets(s, size)[::step])
    )


Uuid128 = _uuid(16, little=False)
Uuid128LE = _uuid(16, little=True)
Uuid32LE = _uuid(4, little=True)
Uuid16LE = _uuid(2, little=True)


def Text(size: int = REST, *, pad: bytes = b"", code: str | None = None) -> Codec:  # noqa: N802  # the vocabulary reads like types
    """UTF-8 text; undecodable octets are the fault `code` at its first octet (None: they read as U+FFFD).

    With `pad`, trailing pad octets are removed and rebuilt.
    """

    def to_wire(text: str) -> bytes:
        data = text.encode()
        if size != REST and len(data) > size:
            raise ValueError(f"text takes {len(data)} octets, {size} fit")
        return data if size == REST else data.ljust(size, pad or b"\0")

    def from_wire(data: bytes) -> str:
        return (data.rstrip(pad) if pad else data).decode("utf-8", "replace")

    return _codec(_Text(_raw(size), from_wire, to_wire, code))


class _Text(_Adapt):
    """Text that may be held to UTF-8."""

    def __init__(
        self,
        subcon: Codec,
        decode: Callable[[Any], Any],
        encode: Callable[[Any], Any],
        code: str | None,
    ) -> None:
        super().__init__(subcon, decode, encode)
        self.code = code

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        start = stream.tell()
        data = cast(bytes, self.subcon._parsereport(stream, context, path))
        if self.code is not None:
            try:
                data.decode()
            except UnicodeDecodeError as exc:
                walk = _walk(context)
                message = f"not UTF-8: {exc.reason} at octet {exc.start} of the text"
                walk.fault(self.code, walk.base + start, message, _field_path(path))
                return OMIT
        return self._from_wire(data)


def Scaled(  # noqa: N802  # the vocabulary reads like types
    base: Codec, factor: float, *, offset: float = 0, null: int | None = None, digits: int = 9
) -> Codec:
    """Number = raw x factor + offset, rounded to `digits`; the raw code `null` is None ("not available")."""

    def from_wire(raw: int) -> float | None:
        return None if raw == null else round(raw * factor + offset, digits)

    def to_wire(value: float | None) -> int:
        if value is None:
            return _null_code(null)
        return round((value - offset) / factor)

    return _codec(_Adapt(base, from_wire, to_wire))


def Nullable(base: Codec, null: int) -> Codec:  # noqa: N802  # the vocabulary reads like types
    """The integer of `base`; the raw code `null` is None ("not available")."""
    return _codec(
        _Adapt(
            base,
            lambda raw: None if raw == null else raw,
            lambda v: _null_code(null) if v is None else v,
        )
    )


def _null_code(null: int | None) -> int:
    if null is None:
        raise ValueError("null has no code here")
    return null


def Named(base: Codec, names: Mapping[int, str]) -> Codec:  # noqa: N802  # the vocabulary reads like types
    """The number of `base`; the tree also puts it into the words of `names`."""
    return Mapped(base, lambda raw: raw, lambda value: value, names.get)


class Coded(_Adapt):
    """A number whose values have names: `table[raw]`; unknown raw values are the fault `code` at `where`.

    With `code=None` an unknown value stays a number. A table may map a raw value to None.
    """

    def __init__(self, base: Codec, table: Mapping[int, Any], *, code: str | None = None) -> None:
        reverse: dict[Any, int] = {}
        for raw, name in table.items():
            reverse.setdefault(name, raw)

        def to_wire(name: Any) -> int:
            if name in reverse:
                return reverse[name]
            if code is None and isinstance(name, int):
                return name
            raise ValueError(f"{name!r} is not one of {', '.join(map(str, table.values()))}")

        super().__init__(base, lambda raw: table.get(raw, raw), to_wire)
        self.table = table
        self.code = code

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        start = stream.tell()
        raw = self.subcon._parsereport(stream, context, path)
        if self.code is not None and raw not in self.table:
            walk = _walk(context)
            walk.fault(
                self.code, walk.base + start, f"code {raw:#04x} is not defined", _field_path(path)
            )
            return OMIT
        return self.table.get(raw, raw)


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
            walk = _walk(context)
            report = walk.fatal if self.is_fatal else walk.fault
            report(
                self.code,
                walk.base + start,
                f"expected {self.octets.hex()}, got {got.hex()}",
                _field_path(path),
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
            walk = _walk(context)
            walk.fault(
                self.code,
                walk.base + start,
                f"reserved octets are {got.hex()}, not zero",
                _field_path(path),
            )
        return got.hex()

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        try:
            octets = _sized(bytes.fromhex(obj), self.size) if obj is not None else bytes(self.size)
        except (TypeError, ValueError) as exc:
            raise EncodeError(_field_path(path), str(exc)) from exc
        stream.write(octets)
        return obj


class Fault(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """What must not stand here (a case of `Choice`): the fault `code`. Lenient: the rest is passed over."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__()
        self.code = code
        self.message = message

    def _parse(self, stream: Any, context: Any, path: str) -> _Omit:
        walk = _walk(context)
        walk.fault(self.code, walk.base + stream.tell(), self.message, _field_path(path))
        stream.read()
        return OMIT

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        raise EncodeError(_field_path(path), self.message)


class Flags(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """Bit fields of one number, merged into the surrounding record: `Flags(U8, encrypted=0, version=(5, 3))`.

    An int names one bit (bool), a pair (lowest bit, width) a number, a triple (lowest bit, width, codec) a
    number read through `Scaled`, `Nullable`, `Mapped` or `Coded` without a code. `whole` also gives the number
    itself that name. Bits no field names are kept in `whole`, else built as zero, as is a field with an underscore that is
    not given. A pair (bit, name of a member) is the bit that says whether that member is there: it is built
    from the member's presence, and `Flagged` reads it.
    """

    def __init__(
        self,
        base: Codec,
        *,
        whole: str = "",
        fixed: Mapping[int, int] | None = None,
        **fields: int | tuple[int, int] | tuple[int, int, Codec] | tuple[int, str],
    ) -> None:
        super().__init__()
        self.base: Any = base
        self.whole = whole
        self.fixed = sum(value << shift for shift, value in (fixed or {}).items())
        self.members: dict[str, str] = {}
        self.fields: dict[str, tuple[int, int, _Adapt | None]] = {}
        for name, place in fields.items():
            member = place[1] if isinstance(place, tuple) else None
            if isinstance(member, str):
                self.members[name] = member
            self.fields[name] = _bits(place)

    def _parse(self, stream: Any, context: Any, path: str) -> dict[str, Any]:
        number = self.base._parsereport(stream, context, path)
        values: dict[str, Any] = {self.whole: number} if self.whole else {}
        for name, (low, width, codec) in self.fields.items():
            bits = number >> low & ((1 << width) - 1)
            values[name] = codec._from_wire(bits) if codec else bits
        return values

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        whole_given = bool(self.whole) and _has(obj, self.whole)
        number = _bit_number(
            _get(obj, self.whole, path) if whole_given else self.fixed, path, self.whole
        )
        for name, (low, width, codec) in self.fields.items():
            if name in self.members:
                value = int(_has(obj, self.members[name]))
            elif (whole_given or name.startswith("_")) and not _has(obj, name):
                continue
            else:
                value = _bit_number(_get(obj, name, path), path, name, codec)
            if not 0 <= value < 1 << width:
                raise EncodeError(_join(path, name), f"{value} does not fit in {width} bits")
            number = number & ~(((1 << width) - 1) << low) | value << low
        try:
            self.base._build(number, stream, context, path)
        except construct.ConstructError as exc:
            raise EncodeError(_join(path, self.whole), f"{number} does not fit the field") from exc
        return obj

    def nodes(self, values: Mapping[str, Any], start: int, end: int) -> list[Node]:
        """Tree nodes of the decoded bit fields."""
        name = self.whole.lstrip("_")
        out = [Node(name, values[self.whole], None, start, end, ())] if self.whole else []
        for field, (low, width, codec) in self.fields.items():
            value, name = values[field], field.lstrip("_")
            meaning = codec.meaning(value) if codec and codec.meaning else None
            place = (low, width)
            out.append(
                Node(name, value, unit_of(name), start, end, (), meaning=meaning, bits=place)
            )
        return out


def _bits(
    place: int | tuple[int, int] | tuple[int, int, Codec] | tuple[int, str],
) -> tuple[int, int, _Adapt | None]:
    """(lowest bit, width, codec of the number) of a bit field."""
    if isinstance(place, int):
        return place, 1, _BIT
    low, width, *codec = place
    if isinstance(width, str):
        return low, 1, _BIT
    return low, width, cast(_Adapt, codec[0]) if codec else None


def _bit_number(value: Any, path: str, name: str, codec: _Adapt | None = None) -> int:
    """`value` as the number that goes into its bits. Raises EncodeError when it is none."""
    try:
        number = codec._to_wire(value) if codec else int(value)
    except (TypeError, ValueError, OverflowError, AttributeError) as exc:
        raise EncodeError(_join(path, name), str(exc)) from exc
    if not isinstance(number, int) or (codec is None and number != value):
        raise EncodeError(_join(path, name), f"{value!r} is not an integer")
    return number


# --- structure ------------------------------------------------------------------------------------


def _has(obj: Any, name: str) -> bool:
    value = obj.get(name, OMIT) if isinstance(obj, dict) else getattr(obj, name, OMIT)
    return value is not OMIT and value is not msgspec.UNSET


def _get(obj: Any, name: str, path: str) -> Any:
    if not _has(obj, name):
        raise EncodeError(_join(path, name), "is missing")
    return obj[name] if isinstance(obj, dict) else getattr(obj, name)


def _field_path(path: str) -> str:
    """construct's "(parsing) -> a -> b" as "a.b"."""
    return ".".join(part for part in path.split(" -> ") if not part.startswith("(")).replace(
        ".[", "["
    )


def _join(path: str, name: str) -> str:
    prefix = _field_path(path)
    return f"{prefix}.{name}" if prefix else name


class Record(construct.Struct):  # type: ignore[misc]  # construct is untyped
    """Named members in order; the dict it gives holds those whose name has no leading underscore."""

    def _parse(self, stream: Any, context: Any, path: str) -> dict[str, Any]:
        walk = _walk(context)
        inner = construct.Container(_=context, _params=context._params)
        outer_nodes = walk.nodes
        here: list[Node] = []
        try:
            for member in self.subcons:
                start = walk.base + stream.tell()
                kids: list[Node] = []
                walk.nodes = kids
                value = member._parsereport(stream, inner, path)
                _note(here, inner, member, value, start, walk.base + stream.tell(), kids)
        finally:
            outer_nodes.extend(here)
            walk.nodes = outer_nodes
        return {k: v for k, v in inner.items() if not k.startswith("_")}

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        inner = construct.Container(_=context, _params=context._params, _fields=obj)
        view = _View(obj)
        for member in self.subcons:
            codec = _unnamed(member)
            if isinstance(codec, When):
                if not codec.condition(view):
                    continue
                codec = codec.subcon
            if member.name is None:
                codec._build(obj, stream, inner, path)
                continue
            optional = getattr(codec, "flagbuildnone", False) and not _has(obj, member.name)
            value = None if optional else _get(obj, member.name, path)
            codec._build(value, stream, inner, f"{path} -> {member.name}")
        return obj


def _unnamed(member: Any) -> Any:
    return member.subcon if isinstance(member, construct.Renamed) else member


def _note(
    here: list[Node], inner: Any, member: Any, value: Any, start: int, end: int, kids: list[Node]
) -> None:
    """Put one member into the record's values and its tree."""
    codec = _unnamed(member)
    while isinstance(codec, (When, Optional, Body, Choice, Sized)):
        codec = _unnamed(codec.chosen if isinstance(codec, Choice) else codec.subcon)
    if value is OMIT:
        here.extend(kids)
    elif isinstance(codec, Flags):
        inner.update(value)
        here.extend(codec.nodes(value, start, end))
    elif member.name is None:
        if isinstance(value, dict):
            inner.update(value)
        here.extend(kids)
    else:
        inner[member.name] = value
        name = member.name.lstrip("_")
        meaning_of = getattr(codec, "meaning", None)
        meaning = meaning_of(value) if meaning_of else None
        shown = None if kids else value.hex() if isinstance(value, bytes) else value
        here.append(Node(name, shown, unit_of(name), start, end, tuple(kids), meaning=meaning))


class When(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """A member of a record that is there only when `condition(fields)` holds, in parsing and in building.

    When parsing, `fields` are those before it; when building, all that were given (others read as None).
    """

    def __init__(self, condition: Callable[[Any], bool], subcon: Codec) -> None:
        super().__init__()
        self.condition = condition
        self.subcon: Any = subcon

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        if not self.condition(context):
            return OMIT
        return self.subcon._parsereport(stream, context, path)


class _View:
    """Fields being built, read as attributes by conditions; what is not given reads as None."""

    def __init__(self, fields: Any) -> None:
        self._fields = fields

    def __getattr__(self, name: str) -> Any:
        fields = self._fields
        return (
            (fields[name] if isinstance(fields, dict) else getattr(fields, name))
            if _has(fields, name)
            else None
        )


class Optional(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """A trailing member: at the end of the data it is `absent` (OMIT: left out, None: "not available")."""

    def __init__(self, subcon: Codec, absent: Any = OMIT) -> None:
        super().__init__()
        self.subcon: Any = subcon
        self.absent = absent
        self.flagbuildnone = True

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        here = stream.tell()
        more = stream.read(1)
        stream.seek(here)
        return self.subcon._parsereport(stream, context, path) if more else self.absent

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if obj is not None and obj is not OMIT:
            self.subcon._build(obj, stream, context, path)
        return obj


class Flagged(Optional):
    """A member that is there when the bit `flag` of an earlier `Flags` is set; built when it is given."""

    def __init__(self, flag: str, subcon: Codec) -> None:
        super().__init__(subcon)
        self.flag = flag

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        return self.subcon._parsereport(stream, context, path) if context[self.flag] else OMIT


class Choice(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """One of several codecs, picked by `select(fields so far)`; the same function picks when building."""

    def __init__(
        self, select: Callable[[Any], Any], cases: Mapping[Any, Codec], default: Codec
    ) -> None:
        super().__init__()
        self.select = select
        self.cases: Any = cases
        self.default: Any = default
        self.chosen: Any = default

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        chosen = self.cases.get(self.select(context), self.default)
        value = chosen._parsereport(stream, context, path)
        self.chosen = chosen  # after the walk: a case may hold this choice again
        return value

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        chosen = self.cases.get(self.select(_View(context._fields)), self.default)
        chosen._build(obj, stream, context, path)
        return obj


class Body(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """`subcon` inside a length-prefixed body: `length` octets (a codec, or a function of the fields so far).

    A length that reaches past the end is the fault `code` at the body's first octet (the length's, when it
    is a codec). Octets that `subcon` leaves over are the fault `leftover`, when named.
    """

    def __init__(
        self,
        length: Codec | Callable[[Any], int],
        subcon: Codec,
        code: str = "frame_length",
        *,
        leftover: str = "",
    ) -> None:
        super().__init__()
        self.length: Any = length
        self.subcon: Any = subcon
        self.code = code
        self.leftover = leftover

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        walk = _walk(context)
        first = stream.tell()
        is_codec = isinstance(self.length, construct.Construct)
        size = self.length._parsereport(stream, context, path) if is_codec else self.length(context)
        start = stream.tell()
        data = stream.read(max(size, 0))
        if len(data) != size:
            message = f"length {size} needs {size} octets, {len(data)} remain"
            walk.fatal(self.code, walk.base + first, message, _field_path(path))
        base, walk.base = walk.base, walk.base + start
        inner = io.BytesIO(data)
        try:
            value = self.subcon._parsereport(inner, context, path)
            if self.leftover and inner.tell() < size:
                message = f"{size - inner.tell()} octets left over"
                walk.fault(self.leftover, walk.base + inner.tell(), message, _field_path(path))
        finally:
            walk.base = base
        return value

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        inner = io.BytesIO()
        self.subcon._build(obj, inner, context, path)
        data = inner.getvalue()
        if isinstance(self.length, construct.Construct):
            self.length._build(len(data), stream, context, path)
        stream.write(data)
        return obj


class Sized(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """`subcon` over all octets that remain, whose number must be right: else the fault `code` at the first.

    Right is one of `sizes`, or `at_least` that many, or a multiple of `step`. The lenient walk leaves the
    member out. With `code=None` a wrong number is no fault either: the octets read as `otherwise`.
    """

    def __init__(
        self,
        subcon: Codec,
        code: str | None,
        *sizes: int,
        at_least: int = 0,
        step: int = 1,
        otherwise: Codec | None = None,
    ) -> None:
        super().__init__()
        self.subcon: Any = subcon
        self.code = code
        self.sizes = sizes
        self.at_least = at_least
        self.step = step
        self.otherwise: Any = otherwise

    def fits(self, size: int) -> bool:
        """Whether that many octets are right."""
        if self.sizes:
            return size in self.sizes
        return size >= self.at_least and size % self.step == 0

    def _parse(self, stream: Any, context: Any, path: str) -> Any:
        start = stream.tell()
        size = _end(stream) - start
        if self.fits(size):
            return self.subcon._parsereport(stream, context, path)
        if self.code is None:
            return self.otherwise._parsereport(stream, context, path) if self.otherwise else OMIT
        walk = _walk(context)
        walk.fault(
            self.code, walk.base + start, f"{size} octets, {self._wanted()}", _field_path(path)
        )
        stream.read()
        return OMIT

    def _wanted(self) -> str:
        if self.sizes:
            return f"needs {' or '.join(map(str, self.sizes))}"
        return (
            f"needs a multiple of {self.step}"
            if self.step > 1
            else f"needs {self.at_least} or more"
        )

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        self.subcon._build(obj, stream, context, path)
        return obj


class Records(construct.Construct):  # type: ignore[misc]  # construct is untyped
    """`element` again and again until the octets end, as a list.

    Any fault inside an element that has no code of its own (data cut off) is `overrun` at the element's
    first octet. With `pin`, every fault inside an element is moved to its first octet (inner records of
    section 5.1). Lenient: what came before an overrun is kept; an element with another fault is left out,
    unless all its faults are in `keep`.

    With `pad` = (octet, code), an element that would start with that octet ends the list: what follows is
    padding, and anything else in it is the fault `code` (lenient: the list goes on there).
    `meaning` puts an element into words for the tree.
    """

    def __init__(
        self,
        element: Codec,
        overrun: str = "frame_length",
        *,
        pin: bool = True,
        stop: Sequence[str] = (),
        keep: Sequence[str] = (),
        pad: tuple[int, str] | None = None,
        meaning: Callable[[Any], str | None] | None = None,
    ) -> None:
        super().__init__()
        self.element: Any = element
        self.overrun = overrun
        self.pin = pin
        self.stop = tuple(stop)
        self.keep = frozenset(keep)
        self.pad = pad
        self.meaning_of = meaning

    def _parse(self, stream: Any, context: Any, path: str) -> list[Any]:
        walk = _walk(context)
        out: list[Any] = []
        outer = walk.nodes
        while (start := stream.tell()) < _end(stream):
            if self.pad is not None and self._padding(stream, walk, outer, path):
                continue
            kids: list[Node] = []
            walk.nodes = kids
            found = self._one(stream, context, f"{path} -> [{len(out)}]", walk, start)
            if found is None:
                stream.seek(0, io.SEEK_END)  # nothing behind the fault can be trusted
                break
            value, faulty = found
            if not faulty:
                begin, end = walk.base + start, walk.base + stream.tell()
                shown = None if kids else value
                meaning = self.meaning_of(value) if self.meaning_of else None
                outer.append(
                    Node(f"[{len(out)}]", shown, None, begin, end, tuple(kids), meaning=meaning)
                )
                out.append(value)
        walk.nodes = outer
        return out

    def _one(
        self, stream: Any, context: Any, path: str, walk: Walk, start: int
    ) -> tuple[Any, bool] | None:
        """(value, faulty), or None when the walk must stop. Faults inside are judged here."""
        noted = len(walk.doubts)
        try:
            value = self.element._parsereport(stream, context, path)
        except construct.StreamError:
            walk.fault(self.overrun, walk.base + start, "reaches past the end", _field_path(path))
            return None
        except DecodeError as exc:
            offset = walk.base + start if self.pin else exc.offset
            walk.fault(exc.code, offset, exc.message, exc.path)
            return None
        fresh = walk.doubts[noted:]
        if self.pin and fresh:
            walk.doubts[noted:] = [
                msgspec.structs.replace(d, offset=walk.base + start) for d in fresh
            ]
        if any(doubt.code in self.stop for doubt in fresh):
            return None
        if stream.tell() == start:
            walk.fault(self.overrun, walk.base + start, "takes no octets", _field_path(path))
            return None
        return value, any(doubt.code not in self.keep for doubt in fresh)

    def _padding(self, stream: Any, walk: Walk, nodes: list[Node], path: str) -> bool:
        """Whether padding starts here; if so it is passed over."""
        octet, code = cast("tuple[int, str]", self.pad)
        start = stream.tell()
        rest = cast(bytes, stream.read())
        length = len(rest) - len(rest.lstrip(bytes((octet,))))
        stream.seek(start + length)
        if length == 0:
            return False
        if length < len(rest):
            message = f"octet {rest[length]:#04x} in the padding that starts here"
            walk.fault(code, walk.base + start, message, _field_path(path))
        begin = walk.base + start
        nodes.append(Node("padding", rest[:length].hex(), None, begin, begin + length, ()))
        return True

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if not isinstance(obj, (list, tuple)):
            raise EncodeError(_field_path(path), f"{obj!r} is not a list")
        for index, item in enumerate(obj):
            self.element._build(item, stream, context, f"{path} -> [{index}]")
        return obj


def _end(stream: Any) -> int:
    here = stream.tell()
    end = stream.seek(0, io.SEEK_END)
    stream.seek(here)
    return cast(int, end)


# --- entry points ---------------------------------------------------------------------------------


def parse(layout: Codec, data: bytes, walk: Walk, *, base: int = 0) -> Any:
    """Values of `data` by `layout`; spans go to `walk.nodes`, counted from `base`.

    Raises DecodeError: the first fault, or `frame_length` when octets are missing or left over.
    """
    outer, walk.base = walk.base, base
    nodes = walk.nodes
    stream = io.BytesIO(data)
    try:
        value = cast(Any, layout).parse_stream(stream, walk=walk)
    except construct.StreamError as exc:
        raise DecodeError("frame_length", None, f"{len(data)} octets are too few", path="") from exc
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
        return cast(bytes, cast(Any, layout).build(fields, walk=Walk()))
    except EncodeError:
        raise
    except construct.ConstructError as exc:
        message = str(exc).splitlines()[-1].rpartition("given value ")[2]
        raise EncodeError(_field_path(exc.path or ""), f"{message} does not fit the field") from exc
