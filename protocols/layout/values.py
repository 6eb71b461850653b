"""Members that hold one value: numbers, octets, addresses, text, scaled and named numbers, constants.

Rule: a member here looks at its own octets only. Numbers are big- (`BE`) or little-endian (`LE`). No clock, no
randomness, no IO.
"""

# construct is untyped: what leaves this folder is typed as `Codec`.
# pyright: reportMissingTypeStubs=false, reportUnknownMemberType=false, reportUnknownVariableType=false
# pyright: reportUnknownArgumentType=false

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, cast

import construct

from protocols.errors import EncodeError
from protocols.layout.walk import OMIT, REST, Codec, Omit, field_path, typed, walk_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping


U8 = typed(construct.Int8ub)
U16BE = typed(construct.Int16ub)
U16LE = typed(construct.Int16ul)
U24BE = typed(construct.Int24ub)
U24LE = typed(construct.Int24ul)
U32BE = typed(construct.Int32ub)
U32LE = typed(construct.Int32ul)
U64BE = typed(construct.Int64ub)
U64LE = typed(construct.Int64ul)
S8 = typed(construct.Int8sb)
S16BE = typed(construct.Int16sb)
S16LE = typed(construct.Int16sl)
S24LE = typed(construct.Int24sl)
S32BE = typed(construct.Int32sb)
S32LE = typed(construct.Int32sl)


class Adapt(construct.Adapter):  # type: ignore[misc]  # construct is untyped
    """An adapter made of two functions; `meaning` puts the decoded value into words."""

    def __init__(
        self,
        subcon: Codec,
        decode: Callable[[Any], Any],
        encode: Callable[[Any], Any],
        meaning: Callable[[Any], str | None] | None = None,
    ) -> None:
        super().__init__(subcon)
        self.from_wire = decode
        self.to_wire = encode
        self.meaning = meaning

    def _decode(self, obj: Any, context: Any, path: str) -> Any:
        return self.from_wire(obj)

    def _encode(self, obj: Any, context: Any, path: str) -> Any:
        try:
            return self.to_wire(obj)
        except (TypeError, ValueError, OverflowError, AttributeError) as exc:
            raise EncodeError(field_path(path), str(exc)) from exc


def Mapped(  # noqa: N802  # the vocabulary reads like types
    base: Codec,
    decode: Callable[[Any], Any],
    encode: Callable[[Any], Any],
    meaning: Callable[[Any], str | None] | None = None,
) -> Codec:
    """The value of `base` through `decode`, and back through `encode` (ValueError: cannot be sent).

    `meaning` puts the decoded value into words for the tree.
    """
    return typed(Adapt(base, decode, encode, meaning))


BIT = Adapt(U8, bool, operator.index)
"""One bit of a number, as a bool."""


def _raw(size: int) -> Any:
    return construct.GreedyBytes if size == REST else construct.Bytes(size)


def Octets(size: int) -> Codec:  # noqa: N802  # the vocabulary reads like types
    """`size` raw octets (`REST`: all that remain) as bytes."""
    return typed(_raw(size))


def Hex(size: int) -> Codec:  # noqa: N802  # the vocabulary reads like types
    """`size` octets (`REST`: all that remain) as lower-case hex without separators."""
    return typed(Adapt(_raw(size), lambda b: b.hex(), lambda s: _sized(bytes.fromhex(s), size)))


def _sized(data: bytes, size: int) -> bytes:
    """`data`, held to `size` octets (`REST`: any number). Raises ValueError."""
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


Mac = typed(Adapt(_raw(6), _mac_text, _mac_octets))
"""Address sent most significant octet first, as `aa:bb:cc:dd:ee:ff`."""
MacLE = typed(Adapt(_raw(6), lambda b: _mac_text(b[::-1]), lambda s: _mac_octets(s)[::-1]))
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
    return typed(
        Adapt(_raw(size), lambda b: _uuid_text(b[::step]), lambda s: _uuid_octets(s, size)[::step])
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

    return typed(_Text(_raw(size), from_wire, to_wire, code))


class _Text(Adapt):
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
        data = cast("bytes", self.subcon._parsereport(stream, context, path))
        if self.code is not None:
            try:
                data.decode()
            except UnicodeDecodeError as exc:
                walk = walk_of(context)
                message = f"not UTF-8: {exc.reason} at octet {exc.start} of the text"
                walk.fault(self.code, walk.base + start, message, field_path(path))
                return OMIT
        return self.from_wire(data)


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

    return typed(Adapt(base, from_wire, to_wire))


def Nullable(base: Codec, null: int) -> Codec:  # noqa: N802  # the vocabulary reads like types
    """The integer of `base`; the raw code `null` is None ("not available")."""
    return typed(
        Adapt(
            base,
            lambda raw: None if raw == null else raw,
            lambda v: _null_code(null) if v is None else v,
        )
    )


def _null_code(null: int | None) -> int:
    if null is None:
        raise ValueError("null has no code here")
    return null


def Named(  # noqa: N802  # the vocabulary reads like types
    base: Codec, names: Mapping[int, str] | Callable[[int], str | None]
) -> Codec:
    """The number of `base`; the tree also puts it into the words of `names` (a table, or a function)."""
    words = names if callable(names) else names.get
    return Mapped(base, lambda raw: raw, lambda value: value, words)


class Coded(Adapt):
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
            walk = walk_of(context)
            walk.fault(
                self.code, walk.base + start, f"code {raw:#04x} is not defined", field_path(path)
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
            walk = walk_of(context)
            report = walk.fatal if self.is_fatal else walk.fault
            report(
                self.code,
                walk.base + start,
                f"expected {self.octets.hex()}, got {got.hex()}",
                field_path(path),
            )
        return cast("bytes", got).hex()

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
        got = cast("bytes", construct.stream_read(stream, self.size, path))
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
            octets = _sized(bytes.fromhex(obj), self.size) if obj is not None else bytes(self.size)
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
