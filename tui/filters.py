"""The filter language: words and comparisons with `!`, `&&`, `||` and brackets, compiled to a predicate.

    smp        rssi>-80       addr~7E       from:phone-A       nan.id==0x03       !adv       a && (b || c)

A `Vocabulary` says which words and keys there are for one kind of row. Rules of the file: pure; every error names the
column and what would be right; a row that has no such value never matches a comparison.

`:` and `==` compare (text without regard to case), `!=` `<` `<=` `>` `>=` too; `~` is "contains", `!~` its opposite. A
key may stand for several values: one that matches is enough.
"""

from __future__ import annotations

import difflib
import operator
import re
from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from protocols.errors import UsageError
from tui.text import cut

__all__ = ["Filter", "FilterError", "Predicate", "Vocabulary", "compile_filter", "condition"]

T = TypeVar("T")
Predicate = Callable[[T], bool]
Getter = Callable[[T], Any]
_DEPTH = 50
_NAMED = 30
"""Columns of a text that an error repeats."""

_TOKEN = re.compile(
    r"""\s*(?:(?P<and>&&|\band\b)|(?P<or>\|\||\bor\b)|(?P<open>\()|(?P<close>\))
    |(?P<not>!(?![~=])|\bnot\b)|(?P<op>==|!=|<=|>=|!~|[<>~:=])
    |(?P<quoted>"[^"]*"|'[^']*')|(?P<word>[^\s&|()!<>~:='"]+))""",
    re.VERBOSE,
)
_VALUE = re.compile(r"""\s*(?:(?P<quoted>"[^"]*"|'[^']*')|(?P<word>[^\s&|()]+))""")
_NUMBER = re.compile(r"[+-]?(?:0x[0-9a-f]+|\d+(?:\.\d+)?)", re.IGNORECASE)
_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class FilterError(UsageError):
    """A filter that cannot be understood, at `column` (from 1)."""

    def __init__(self, column: int, message: str) -> None:
        self.column = column
        super().__init__(f"column {column}: {message}")


def _no_path(name: str) -> None:
    """For vocabularies without dotted names."""


class Vocabulary(NamedTuple, Generic[T]):
    """What a filter over rows of one kind may say."""

    words: Mapping[str, Predicate[T]]
    """word -> whether it fits a row."""
    keys: Mapping[str, Getter[T]]
    """key -> its value (or several, as a tuple or list); None where a row has none."""
    path: Callable[[str], Getter[T] | None] = _no_path
    """getter of a dotted name that is no key; None when there can be none."""


class Filter(NamedTuple, Generic[T]):
    """A filter and what it was made of."""

    text: str
    matches: Predicate[T]


def compile_filter(text: str, vocabulary: Vocabulary[T]) -> Filter[T]:
    """The filter that `text` means; everything matches an empty one. Raises FilterError."""
    if not text.strip():
        return Filter("", _everything)
    return Filter(text.strip(), _Parser(text, vocabulary).whole())


def _everything(row: object) -> bool:
    """What an empty filter lets through."""
    return True


def condition(key: str, value: object) -> str:
    """The filter text for rows whose `key` has `value`."""
    if isinstance(value, bool):
        return f"{key}=={int(value)}"
    text = str(value)
    plain = _VALUE.fullmatch(text) and not text.startswith(("'", '"'))
    return f"{key}=={text}" if plain else f'{key}=="{text.replace(chr(34), "?")}"'


class _Token(NamedTuple):
    kind: str
    text: str
    column: int


class _Parser(Generic[T]):
    """Recursive descent over one text: or, and, not, term."""

    def __init__(self, text: str, vocabulary: Vocabulary[T]) -> None:
        self._text = text
        self._at = 0
        self._depth = 0
        self._vocabulary = vocabulary

    def whole(self) -> Predicate[T]:
        """The predicate of the whole text."""
        made = self._either()
        token = self._peek()
        if token.kind == "close":
            raise FilterError(token.column, "this bracket was never opened")
        if token.kind:
            raise FilterError(token.column, f"put && or || before {token.text!r}")
        return made

    def _either(self) -> Predicate[T]:
        return _or(self._chain("or", self._both))

    def _both(self) -> Predicate[T]:
        return _and(self._chain("and", self._negated))

    def _chain(self, kind: str, part: Callable[[], Predicate[T]]) -> list[Predicate[T]]:
        parts = [part()]
        while self._peek().kind == kind:
            self._next()
            parts.append(part())
        return parts

    def _negated(self) -> Predicate[T]:
        token = self._peek()
        if token.kind not in ("not", "open"):
            return self._term()
        self._next()
        self._depth += 1
        if self._depth > _DEPTH:
            raise FilterError(token.column, f"more than {_DEPTH} brackets and ! inside each other")
        made = self._negated() if token.kind == "not" else self._either()
        self._depth -= 1
        if token.kind == "not":
            return _not(made)
        close = self._next()
        if close.kind != "close":
            raise FilterError(token.column, "this bracket is not closed")
        return made

    def _term(self) -> Predicate[T]:
        name = self._next()
        if name.kind == "quoted":
            return self._text_anywhere(name)
        if name.kind != "word":
            raise FilterError(name.column, _wanted(name))
        follows = self._peek()
        if follows.kind != "op":
            return self._word(name)
        self._next()
        return _comparison(self._getter(name), follows, self._value(follows))

    def _text_anywhere(self, token: _Token) -> Predicate[T]:
        getter = self._vocabulary.keys.get("text")
        if getter is None:
            raise FilterError(token.column, "a text needs a key before it, as in name~text")
        return _comparison(
            getter, _Token("op", "~", token.column), token._replace(text=token.text[1:-1])
        )

    def _word(self, token: _Token) -> Predicate[T]:
        words = self._vocabulary.words
        found = words.get(token.text.lower())
        if found is not None:
            return found
        if token.text.lower() in self._vocabulary.keys:
            raise FilterError(
                token.column + len(token.text),
                f"{token.text} needs a comparison, as in {token.text}==1",
            )
        raise FilterError(token.column, _unknown(token.text, [*words, *self._vocabulary.keys]))

    def _getter(self, token: _Token) -> Getter[T]:
        keys = self._vocabulary.keys
        found = keys.get(token.text.lower()) or self._vocabulary.path(token.text)
        if found is None:
            raise FilterError(token.column, _unknown(token.text, [*keys, *self._vocabulary.words]))
        return found

    # Tokens

    def _value(self, op: _Token) -> _Token:
        found = _VALUE.match(self._text, self._at)
        if found is None:
            column = op.column + len(op.text)
            raise FilterError(column, f"a value is missing behind {op.text}")
        self._at = found.end()
        kind = found.lastgroup or ""
        text = found.group(kind)
        column = found.start(kind) + 1
        return _Token(kind, text[1:-1] if kind == "quoted" else text, column)

    def _peek(self) -> _Token:
        at, token = self._at, self._next()
        self._at = at
        return token

    def _next(self) -> _Token:
        if not self._text[self._at :].strip():
            return _Token("", "", len(self._text.rstrip()) + 1)
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            left = self._text[self._at :]
            column = self._at + len(left) - len(left.lstrip()) + 1
            raise FilterError(column, _stray(left.lstrip()[0]))
        self._at = found.end()
        kind = found.lastgroup or ""
        return _Token(kind, found.group(kind), found.start(kind) + 1)


def _stray(sign: str) -> str:
    doubled = {"&": "&&", "|": "||", '"': 'a second "', "'": "a second '"}
    return f"write {doubled[sign]}" if sign in doubled else f"{sign!r} means nothing here"


def _wanted(token: _Token) -> str:
    if not token.kind:
        return "a condition is missing here"
    return f"a condition is missing before {token.text!r}"


def _unknown(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=2, cutoff=0.5)
    hint = (
        f"did you mean {' or '.join(near)}?"
        if near
        else f"known: {', '.join(sorted(known)[:12])}, …"
    )
    return f"unknown word {cut(name, _NAMED)!r}; {hint}"


# Predicates


def _or(parts: list[Predicate[T]]) -> Predicate[T]:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:  # the usual case, a third faster
        left, right = parts
        return lambda row: left(row) or right(row)
    return lambda row: any(part(row) for part in parts)


def _and(parts: list[Predicate[T]]) -> Predicate[T]:
    if len(parts) == 1:
        return parts[0]
    if len(parts) == 2:  # likewise
        left, right = parts
        return lambda row: left(row) and right(row)
    return lambda row: all(part(row) for part in parts)


def _not(inner: Predicate[T]) -> Predicate[T]:
    return lambda row: not inner(row)


def _comparison(getter: Getter[T], op: _Token, value: _Token) -> Predicate[T]:
    test = _test(op, value)

    def matches(row: T) -> bool:
        found = getter(row)
        if found is None:
            return False
        if isinstance(found, (tuple, list)):
            return any(test(one) for one in found)  # pyright: ignore[reportUnknownVariableType]  # of whatever the key has
        return test(found)

    return matches


def _test(op: _Token, value: _Token) -> Callable[[Any], bool]:
    wanted = _number(value.text) if value.kind == "word" else None
    if op.text in _ORDERS:
        if wanted is None:
            raise FilterError(value.column, f"{op.text} needs a number, and {value.text!r} is none")
        order = _ORDERS[op.text]
        return lambda found: isinstance(found, (int, float)) and order(found, wanted)
    text = value.text.casefold()
    if op.text in ("~", "!~"):
        is_in = op.text == "~"
        return lambda found: (text in str(found).casefold()) is is_in
    is_same = op.text != "!="
    return lambda found: _equal(found, wanted, text) is is_same


def _equal(found: Any, wanted: float | None, text: str) -> bool:
    if wanted is not None and isinstance(found, (int, float)):
        return found == wanted
    return str(found).casefold() == text


def _number(text: str) -> float | None:
    if not _NUMBER.fullmatch(text):
        return None
    try:
        return int(text, 0)
    except ValueError:
        return float(text)
