"""What one file under `payloads/` exports: a `Format`, with its keys, its typed fields, decode and encode.

`decode(reader)` gives a frozen struct whose field names, units and nulls are those of the vector files:
null is None, a field whose octets (or key) are not there is UNSET. `encode(fields, context)` is the inverse.
No clock, no randomness, no IO.
"""

from __future__ import annotations

from collections.abc import Callable  # msgspec reads it
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, cast

import msgspec
from msgspec import UNSET, UnsetType

from protocols import layout
from protocols.conversion import as_typed
from protocols.errors import DecodeError, EncodeError, FormatCodeError, NearbenchError, UsageError
from protocols.layout import Codec, Doubt, Node

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "UNSET",
    "Example",
    "Fields",
    "Format",
    "Keys",
    "Outcome",
    "Reader",
    "UnsetType",
    "agree",
    "as_fields",
    "build",
    "converted",
    "examine",
    "run",
    "to_plain",
]


_WORDS = {
    **dict.fromkeys(("true", "yes", "on", "1"), True),
    **dict.fromkeys(("false", "no", "off", "0", "none"), False),
}


class Fields(msgspec.Struct, frozen=True, kw_only=True, gc=False, forbid_unknown_fields=True):
    """Base of all decoded values. UNSET = not in the octets; None = sent as "not available"."""

    def as_plain(self) -> dict[str, Any]:
        """As a JSON-like dict; UNSET ones are left out. A kind that overrides this has `of_plain` too."""
        return cast("dict[str, Any]", msgspec.to_builtins(self))


class Keys:
    """Keys, clocks and other inputs the octets do not carry (`context` of the vector files)."""

    __slots__ = ("_given",)

    def __init__(self, given: Mapping[str, Any] | None = None) -> None:
        self._given: dict[str, Any] = dict(given or {})

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def adding(self, more: Mapping[str, Any]) -> Keys:
        """These keys and those of `more` that are not None."""
        return Keys(
            {**self._given, **{name: value for name, value in more.items() if value is not None}}
        )

    def get(self, name: str) -> Any:
        """The value as given, None when absent."""
        return self._given.get(name)

    def octets(self, name: str, size: int) -> bytes | None:
        """`size` octets given as hex, None when absent. Raises UsageError when malformed."""
        if name not in self._given:
            return None
        text = str(self._given[name]).replace(":", "").replace("-", "")
        try:
            data = bytes.fromhex(text)
        except ValueError:
            wanted = "an even number of" if size == layout.REST else str(2 * size)
            raise UsageError(
                f"context {name}: {text!r} is not hexadecimal; give {wanted} hex digits"
            ) from None
        if len(data) != size and size != layout.REST:
            raise UsageError(f"context {name}: {len(data)} octets given, {size} needed")
        return data

    def need(self, name: str, size: int) -> bytes:
        """As `octets`, but raises EncodeError when absent."""
        data = self.octets(name, size)
        if data is None:
            raise EncodeError(f"context.{name}", f"is needed here ({size} octets as hex)")
        return data

    def number(self, name: str) -> int | None:
        """An integer, None when absent. Raises UsageError when it is none."""
        if name not in self._given:
            return None
        value = self._given[name]
        try:
            return int(value, 0) if isinstance(value, str) else int(value)
        except (TypeError, ValueError, OverflowError):
            raise UsageError(f"context {name}: {value!r} is not an integer") from None

    def bounded(self, name: str, most: int) -> int | None:
        """An integer from 0 to `most`, None when absent. Raises UsageError when it is none of these."""
        value = self.number(name)
        if value is not None and not 0 <= value <= most:
            raise UsageError(f"context {name}: {value} is not one of 0 to {most}")
        return value

    def flag(self, name: str) -> bool:
        """Yes or no, no when absent. Raises UsageError for any other word."""
        value = self._given.get(name, False)
        if isinstance(value, bool):
            return value
        found = _WORDS.get(str(value).lower())
        if found is None:
            raise UsageError(f"context {name}: {value!r} is neither true nor false")
        return found

    def text(self, name: str) -> str | None:
        """Text, None when absent."""
        return str(self._given[name]) if name in self._given else None

    def all_octets(self, name: str, size: int) -> list[bytes]:
        """A list of `size`-octet values given as hex (or one, comma separated)."""
        given = self._given.get(name, [])
        if not isinstance(given, (str, list, tuple)):
            raise UsageError(f"context {name}: {given!r} is neither hexadecimal nor a list of it")
        items: list[Any] = given.split(",") if isinstance(given, str) else [*given]
        return [cast("bytes", Keys({name: item}).octets(name, size)) for item in items]


class Reader:
    """What a format's `decode` receives: the octets, the keys, and the walk that notes spans and doubts."""

    __slots__ = ("data", "keys", "walk")

    def __init__(self, data: bytes, keys: Keys, *, strict: bool = True) -> None:
        self.data = data
        self.keys = keys
        self.walk = layout.Walk(strict=strict)

    def select(self, count: int) -> bytes:
        """The first `count` octets, which choose the layout; fewer are `frame_length` (section 5.1 step 2)."""
        if len(self.data) < count:
            self.fatal("frame_length", None, f"{len(self.data)} octets, at least {count} needed")
        return self.data[:count]

    def expect(self, octets: bytes, code: str) -> None:
        """The first octets are `octets`, else `code` at 0; too few are `frame_length`."""
        if (got := self.select(len(octets))) != octets:
            self.fatal(code, 0, f"expected {octets.hex()}, got {got.hex()}")

    def length(
        self, *allowed: int, at_least: int | None = None, at_most: int | None = None
    ) -> None:
        """Total length must be one of `allowed`, or within the bounds; else `frame_length` (step 4)."""
        size = len(self.data)
        if allowed:
            good, wanted = size in allowed, " or ".join(map(str, allowed))
        else:
            good = (at_least is None or size >= at_least) and (at_most is None or size <= at_most)
            least = 0 if at_least is None else at_least
            wanted = f"at least {least}" if at_most is None else f"{least} to {at_most}"
        if not good:
            self.fatal("frame_length", None, f"{size} octets, needs {wanted}")

    def fault(self, code: str, offset: int | None, message: str, path: str = "") -> None:
        """Strict: raise DecodeError. Lenient: note the doubt and return."""
        self.walk.fault(code, offset, message, path)

    def fatal(self, code: str, offset: int | None, message: str, path: str = "") -> NoReturn:
        """Raise DecodeError in either mode: nothing can be trusted."""
        self.walk.fatal(code, offset, message, path)

    def read(self, codec: Codec, data: bytes | None = None, *, base: int = 0) -> dict[str, Any]:
        """Values of the input (or of `data`, whose first octet is octet `base` of the input)."""
        return cast(
            "dict[str, Any]",
            layout.parse(codec, self.data if data is None else data, self.walk, base=base),
        )

    def inside(self, name: str, codec: Codec, data: bytes) -> dict[str, Any]:
        """Values of `data`, the opened octets of the top-level node `name`, whose children their nodes become."""
        outer, self.walk.nodes = self.walk.nodes, []
        at = next(index for index, node in enumerate(outer) if node.name == name)
        try:
            return self.read(codec, data, base=outer[at].start)
        finally:
            outer[at] = msgspec.structs.replace(outer[at], children=tuple(self.walk.nodes))
            self.walk.nodes = outer

    def note(
        self, name: str, value: Any, start: int, end: int, *, source: str | None = None
    ) -> None:
        """Add a derived or opaque node to the tree."""
        unit = layout.unit_of(name)
        self.walk.nodes.append(Node(name, value, unit, start, end, (), source=source))


class Example(msgspec.Struct, frozen=True):
    """A valid input: seed of the fuzz loop, shown by `nearbench show`."""

    hex: str
    context: dict[str, Any] = {}  # msgspec copies mutable defaults
    note: str = ""


class Format(msgspec.Struct, frozen=True, kw_only=True):
    """One advertised (or GATT) format; exported by its file as FORMAT."""

    name: str
    """as in the vector files, `eddystone-eid`; the file is `eddystone_eid.py`."""
    title: str
    source: str
    """document and clause."""
    fields: Any
    """the Fields struct, or the union of them, that `decode` gives and `encode` takes."""
    decode: Callable[[Reader], Fields]
    encode: Callable[[Any, Keys], bytes] | None = None
    keys: tuple[str, ...] = ()
    """as `KEYS`: "service_data/feaa/20": kind, selector ("*" any) and, optionally, first octets in hex."""
    claims: Callable[[bytes, Keys], bool] | None = None
    """further condition for the key to fit."""
    examples: tuple[Example, ...] = ()
    context: dict[str, str] = {}  # msgspec copies mutable defaults
    """what each key of the context says, for formats that list them."""
    confidence: str = "verified"
    """`verified` (known answers of an independent source), `documented`, or `unverified`, with the reason."""


def as_fields(kind: Any, plain: Mapping[str, Any]) -> Any:
    """A JSON-like mapping as the typed fields of `kind`. Raises EncodeError naming the path."""
    of_plain = getattr(kind, "of_plain", None)
    return of_plain(plain) if of_plain else converted(kind, plain)


def converted(kind: Any, plain: Mapping[str, Any]) -> Any:
    """What `as_fields` does for a kind without `of_plain`."""
    try:
        return as_typed(plain, kind)
    except msgspec.ValidationError as exc:
        message, _, path = str(exc).partition(" - at `")
    except UnicodeEncodeError as exc:
        raise EncodeError(_unwritable(plain) or "", "holds half of a surrogate pair") from exc
    try:
        return as_typed(_whole_numbers(plain), kind)
    except msgspec.ValidationError:
        raise EncodeError(path.rstrip("`").removeprefix("$").lstrip("."), message) from None


def _unwritable(plain: Any, path: str = "") -> str | None:
    """Path of the first text in `plain` that no UTF-8 can hold."""
    if isinstance(plain, str):
        return path if any("\ud800" <= c <= "\udfff" for c in plain) else None
    members: Iterable[tuple[str, Any]] = ()
    if isinstance(plain, dict):
        inside = cast("dict[str, Any]", plain)
        if any(_unwritable(name) is not None for name in inside):
            return path
        members = ((f"{path}.{name}".lstrip("."), value) for name, value in inside.items())
    elif isinstance(plain, list):
        items = cast("Iterable[Any]", plain)
        members = ((f"{path}[{at}]", value) for at, value in enumerate(items))
    return next((found for at, value in members if (found := _unwritable(value, at))), None)


def _whole_numbers(plain: Any) -> Any:
    """`plain` with 20.0 as 20, which is how other programs may write an integer."""
    if isinstance(plain, dict):
        members = cast("dict[str, Any]", plain)
        return {name: _whole_numbers(value) for name, value in members.items()}
    if isinstance(plain, list):
        return [_whole_numbers(value) for value in cast("Iterable[Any]", plain)]
    return int(plain) if isinstance(plain, float) and plain.is_integer() else plain


def agree(path: str, given: Any, told: Any) -> None:
    """For a field that repeats others, which say `told`. Raises EncodeError when it is given and differs."""
    if given is not UNSET and given != told:
        raise EncodeError(path, f"{given!r} contradicts the fields it repeats, which say {told!r}")


def to_plain(fields: Fields) -> dict[str, Any]:
    """Typed fields as a JSON-like dict; UNSET ones are left out."""
    return fields.as_plain()


def run(
    form: Format, data: bytes, keys: Keys, *, strict: bool
) -> tuple[Fields | None, Reader, DecodeError | None]:
    """(fields, reader with tree and doubts, first error). Lenient: fields are what could still be read."""
    reader = Reader(data, keys, strict=strict)
    try:
        return form.decode(reader), reader, None
    except DecodeError as exc:
        return None, reader, exc
    except NearbenchError:
        raise
    except (
        Exception
    ) as exc:  # a user's format may raise anything: say where instead of showing our stack
        raise FormatCodeError(form.name, exc) from exc


def build(form: Format, plain: Mapping[str, Any], keys: Keys) -> bytes:
    """Octets of JSON-like fields in `form`. Raises EncodeError, FormatCodeError."""
    if form.encode is None:
        raise EncodeError("", f"format {form.name} is decode only")
    try:
        data: Any = form.encode(as_fields(form.fields, plain), keys)
    except NearbenchError:
        raise
    except Exception as exc:  # as in `run`
        raise FormatCodeError(form.name, exc) from exc
    if not isinstance(data, bytes):
        raise FormatCodeError(form.name, TypeError(f"encode gave {type(data).__name__}, not bytes"))
    return data


class Outcome(NamedTuple):
    """What was found in octets whose format is known; `fields` is None when nothing could be trusted."""

    fields: Fields | None
    tree: tuple[Node, ...]
    error: DecodeError | None
    doubts: tuple[Doubt, ...]


def examine(form: Format, data: bytes, keys: Keys) -> Outcome:
    """`data` read strictly; with a fault it is the error, beside what a lenient reader has."""
    fields, reader, error = run(form, data, keys, strict=True)
    if error is not None:
        fields, reader, _ = run(form, data, keys, strict=False)
    return Outcome(fields, tuple(reader.walk.nodes), error, tuple(reader.walk.doubts))
