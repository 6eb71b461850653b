"""Plain values as typed ones, one thread at a time.

msgspec 0.22 learns the members of a type when it first meets it, without a lock: two threads that do so at once read
memory that is no longer theirs, and the process dies. A world, a screen and a search for rules share types, so every
conversion of the project goes through here.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, TypeVar, overload

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["as_typed"]

T = TypeVar("T")
_LEARNING = threading.RLock()
"""Re-entrant: a hook may convert a part itself."""


@overload
def as_typed(value: Any, kind: type[T], hook: Callable[[type, Any], Any] | None = None) -> T: ...
@overload
def as_typed(value: Any, kind: Any, hook: Callable[[type, Any], Any] | None = None) -> Any: ...
def as_typed(value: Any, kind: Any, hook: Callable[[type, Any], Any] | None = None) -> Any:
    """`value` as `kind`; `hook` makes the types that msgspec does not know. Raises msgspec.ValidationError."""
    with _LEARNING:
        return msgspec.convert(value, kind, dec_hook=hook)
