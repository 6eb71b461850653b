"""What accessories and phones have in common: settings, commands, a console, and the world they live in.

A user's own device subclasses `Accessory` or `Phone` (one file, one constant) and uses nothing but what is
here and there. Time is `self.now_us`, chance is `self.draw`; no wall clock, no IO.
"""

from __future__ import annotations

import inspect
import keyword
import math
import re
import typing
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, TypeVar, cast

import msgspec

from protocols.conversion import as_typed
from protocols.errors import NearbenchError, NodeError, UnknownNameError, UsageError, origin_of
from sim.typed import as_declared, duration_hook, in_words, type_text
from sim.units import Duration, duration_text

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Coroutine
    from pathlib import Path

    from protocols.format import Format
    from sim.person import Face
    from sim.trace import TraceEvent

__all__ = [
    "CommandInfo",
    "Device",
    "Place",
    "Settings",
    "check_arguments",
    "command",
    "convert",
    "field_docs",
    "settings_table",
]

_PLAIN = (str, int, float, bool, list, dict)
F = TypeVar("F", bound="Callable[..., Awaitable[Any]]")


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Base of a device's settings: every field has a default and a doc line naming its unit."""


class CommandInfo(msgspec.Struct, frozen=True):
    """One command of a device, as `nearbench show` and `help` print it."""

    name: str
    about: str
    parameters: dict[str, str]
    """name -> type and default in words."""


class Place(Protocol):
    """The part of the world a device sees."""

    @property
    def now_us(self) -> int:
        """Simulated time."""
        ...

    @property
    def base(self) -> Path:
        """Folder that relative file names of the scenario are looked up in."""
        ...

    @property
    def formats(self) -> tuple[Format, ...]:
        """The scenario's own advertised formats."""
        ...

    def after_us(self, delay_us: int, callback: Callable[..., None], *args: Any) -> Any:
        """Call back later in simulated time; the result has `cancel()`."""
        ...

    def spawn(self, node: str, task: Coroutine[Any, Any, Any]) -> asyncio.Task[Any]:
        """Run a coroutine; what it raises ends the run with the node's name."""
        ...

    def draw(self, purpose: str, length: int) -> bytes:
        """Random octets from the scenario's seed."""
        ...

    def emit(self, node: str, layer: Any, event: str, **details: Any) -> TraceEvent:
        """Write to the trace."""
        ...

    def name_of(self, address: str) -> str:
        """Name of the node that uses this radio address, else the address."""
        ...

    @property
    def faces(self) -> dict[str, Face]:
        """What people can see of each node, by its name."""
        ...

    def secret(self, value: str) -> Any:
        """A PIN or key for the trace: as it is when the run reveals such, else dots that compare equal to it."""
        ...

    def address_of(self, name: str) -> str:
        """Current radio address of the node called `name` ("aa:bb:.. random"). Raises UnknownNameError."""
        ...


def check_address(text: str) -> tuple[str, str]:
    """A radio address as users write it -> ("aa:bb:cc:dd:ee:ff", "random" or "public").

    Without a word behind it an address that starts with c to f is a static random one, any other public.
    Raises ValueError that says how to write it.
    """
    found = re.fullmatch(
        r"((?:[0-9a-f]{2}:){5}[0-9a-f]{2})(?: (random|public))?", text.strip().lower()
    )
    if found is None:
        raise ValueError(
            f"address {text!r}: write it as 'c0:11:22:33:44:55', or with ' public' behind it"
        )
    address = found.group(1)
    kind = found.group(2) or ("random" if address[0] in "cdef" else "public")
    if kind == "random" and address[0] not in "cdef":
        raise ValueError(f"address {text!r}: a static random address starts with c, d, e or f")
    return address, kind


def command(method: F) -> F:
    """Mark a coroutine method as a command; its docstring and annotations are its help."""
    method.is_command = True  # type: ignore[attr-defined]  # a mark on a function
    return method


class Device:
    """One simulated device. Subclasses set `Settings` and write `start`."""

    Settings: ClassVar[type[Settings]] = Settings
    layer: ClassVar[str] = "accessory"
    about: ClassVar[str] = ""
    """where its behaviour comes from: documents, products, measurements."""
    radios: ClassVar[tuple[str, ...]] = ("ble",)
    """radios it has: `ble`, `wifi_aware`."""

    def __init__(self, name: str, settings: Any, place: Place) -> None:
        self.name = name
        self.settings = settings
        self.place = place

    @property
    def now_us(self) -> int:
        """Simulated time in microseconds."""
        return self.place.now_us

    def draw(self, purpose: str, length: int) -> bytes:
        """`length` random octets for `purpose`, from the scenario's seed."""
        return self.place.draw(f"{self.name}/{purpose}", length)

    def emit(self, event: str, **details: Any) -> TraceEvent:
        """Write `event` of this device to the trace."""
        return self.place.emit(self.name, self.layer, event, **details)

    def log(self, text: str) -> None:
        """A line on the device's console."""
        self.emit("log", note=text)

    async def start(self) -> None:
        """Switch on: build tables, start advertising or scanning."""

    async def stop(self) -> None:
        """Switch off."""

    @classmethod
    def commands(cls) -> dict[str, CommandInfo]:
        """Every command, by name."""
        found: dict[str, CommandInfo] = {}
        for name in dir(cls):
            method = getattr(cls, name)
            if getattr(method, "is_command", False):
                found[name] = _info(name, method)
        return found

    async def do(self, name: str, arguments: dict[str, Any]) -> Any:
        """Run a command. Raises UnknownNameError, UsageError (arguments), and what the command raises."""
        checked = check_arguments(self, name, arguments)
        return await getattr(self, name)(
            **{_python_name(key): value for key, value in checked.items()}
        )

    def guard(self, action: str, call: Callable[[], Any]) -> Any:
        """Run a device's own callback; anything it raises becomes a NodeError that names node and time."""
        try:
            return call()
        except NearbenchError:
            raise
        except (
            Exception,
            SystemExit,
        ) as exc:  # a user's device may raise anything: name it, not our stack
            raise node_error(self.name, self.now_us, action, exc) from exc


def node_error(node: str, t_us: int, action: str, exc: BaseException) -> NodeError:
    """`exc`, raised by code of `node`, as an error that names file and line."""
    return NodeError(node, t_us, f"{action} raised {type(exc).__name__}: {exc} ({origin_of(exc)})")


def _hints(function: Any) -> dict[str, Any]:
    return typing.get_type_hints(function)


def _shown_name(name: str) -> str:
    """A parameter as users write it: `for_` is `for`, which Python keeps for itself."""
    return name.removesuffix("_")


def _python_name(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _info(name: str, method: Any) -> CommandInfo:
    parameters: dict[str, str] = {}
    hints = _hints(method)
    for parameter in list(inspect.signature(method).parameters.values())[1:]:
        kind = type_text(hints.get(parameter.name))
        default = (
            "" if parameter.default is parameter.empty else f" = {_shown(parameter.default)!r}"
        )
        parameters[_shown_name(parameter.name)] = f"{kind}{default}"
    about = (inspect.getdoc(method) or "").split("\n\n")[0].replace("\n", " ")
    return CommandInfo(name, about, parameters)


def check_arguments(device: Device, name: str, given: dict[str, Any]) -> dict[str, Any]:
    """Arguments of a command in their types. Raises UnknownNameError, UsageError."""
    node = device.name
    if not getattr(getattr(type(device), name, None), "is_command", False):
        raise UnknownNameError(f"command of {node}", name, type(device).commands())
    method = getattr(device, name)
    hints = {_shown_name(key): hint for key, hint in _hints(method).items()}
    parameters = {
        _shown_name(key): one for key, one in inspect.signature(method).parameters.items()
    }
    for key in given:
        if key not in parameters:
            raise UnknownNameError(f"argument of {node}.{name}", key, parameters)
    missing = [
        key for key, one in parameters.items() if one.default is one.empty and key not in given
    ]
    if missing:
        raise UsageError(f"{node}.{name} needs {', '.join(missing)}")
    return {
        key: convert(value, hints.get(key, Any), f"{node}.{name}: {key}")
        for key, value in given.items()
    }


def convert(value: Any, kind: Any, where: str) -> Any:
    """`value` as `kind`; durations with units. Raises UsageError that names `where`."""

    try:
        made = as_typed(as_declared(value, kind), kind, hook=duration_hook)
    except msgspec.ValidationError as exc:
        message, _, path = str(exc).partition(" - at `")
        inner = path.rstrip("`").removeprefix("$").lstrip(".")
        said = in_words(message, kind, inner)
        raise UsageError(f"{where}{'.' if inner else ''}{inner}: {said}") from None
    if isinstance(made, Settings):
        _check_ranges(made, where)
    return made


_RANGES = {
    "dbm": (-127, 20),
    "ms": (0, 3_600_000),
    "c": (-273.15, 1e6),
    "mv": (0, 65_535),
    "pct": (0, 100),
}
"""What settings with these units can be; narrower limits are a device's own."""


def _check_ranges(settings: Settings, where: str) -> None:
    """Numbers must be numbers, and in the range of their unit. Raises UsageError that names the setting."""
    for field in settings.__struct_fields__:
        value: Any = getattr(settings, field)
        if isinstance(value, Settings):
            _check_ranges(value, f"{where}.{field}")
        if isinstance(value, bool) or not isinstance(value, int | float):
            continue
        low, high = _RANGES.get(field.rpartition("_")[2], (-math.inf, math.inf))
        if not math.isfinite(value) or not low <= value <= high:
            raise UsageError(
                f"{where}.{field}: {value} is out of range"
                + (f", {low:g} to {high:g}" if math.isfinite(low) else "")
            )


def _shown(value: Any) -> Any:
    """A default as users write it."""
    if isinstance(value, Duration):
        return duration_text(value)
    if value is None or isinstance(value, _PLAIN):
        return cast(Any, value)
    return repr(value)


def settings_table(kind: type[Settings]) -> list[dict[str, Any]]:
    """Settings of a device: name, type, default and doc line (from the source)."""
    docs = field_docs(kind)
    rows: list[dict[str, Any]] = []
    for field in msgspec.structs.fields(kind):
        default = None if field.default is msgspec.NODEFAULT else field.default
        if field.default_factory is not msgspec.NODEFAULT:
            default = field.default_factory()
        shown = _shown(default)
        kind_name = getattr(field.type, "__name__", str(field.type))
        rows.append(
            {
                "name": field.name,
                "type": kind_name,
                "default": shown,
                "about": docs.get(field.name, ""),
            }
        )
    return rows


def field_docs(kind: type) -> dict[str, str]:
    """The string under each field of a class and its bases, read from the source."""
    import ast
    import itertools
    import textwrap

    docs: dict[str, str] = {}
    for base in reversed(kind.__mro__):
        try:
            tree = ast.parse(textwrap.dedent(inspect.getsource(base)))
        except (OSError, TypeError):
            continue
        body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
        for field, text in itertools.pairwise(body):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(text, ast.Expr)
            ):
                value = text.value
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    docs[field.target.id] = " ".join(value.value.split())
    return docs
