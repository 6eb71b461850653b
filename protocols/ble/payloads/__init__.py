"""Advertised formats, one file each; a file is registered by being here and defining FORMAT and KEYS.

KEYS stands on lines of its own as a literal tuple, so that the file for given octets is found by reading
text: only that file is imported. Rows and precedence: which format fits (the first that does) is decided
by the more specific selector, then by the longer prefix, then by `claims`.
"""

from __future__ import annotations

import ast
import functools
import re
from typing import TYPE_CHECKING, Any

from protocols.registry import Folder

if TYPE_CHECKING:
    from pathlib import Path

    from protocols.format import Format, Keys

__all__ = ["FORMATS", "describe", "find", "fits", "keys_of", "kind_of"]

FORMATS: Folder[Format] = Folder("protocols.ble.payloads", "FORMAT", "format", separator="-")

_KEYS = re.compile(r"^KEYS(?:: [^=]+)? = (\(.*?\))$", re.MULTILINE | re.DOTALL)


def keys_of(file: Path) -> tuple[str, ...]:
    """The literal KEYS of a format file, read as text."""
    found = _KEYS.search(file.read_text(encoding="utf-8"))
    return tuple(ast.literal_eval(found.group(1))) if found else ()


@functools.cache
def _index() -> dict[str, list[tuple[bytes, str]]]:
    """ "kind/selector" -> (prefix, file stem), longest prefix first."""
    index: dict[str, list[tuple[bytes, str]]] = {}
    for file in FORMATS.files():
        for key in keys_of(file):
            kind, selector, prefix = (*key.split("/"), "")[:3]
            index.setdefault(f"{kind}/{selector}", []).append((bytes.fromhex(prefix), file.stem))
    for rows in index.values():
        rows.sort(key=lambda row: (-len(row[0]), row[1]))
    return index


def find(kind: str, selector: str, data: bytes, keys: Keys) -> Format | None:
    """The format of these octets, None when nothing fits. `selector`: AD type (decimal), UUID or company (hex)."""
    index = _index()
    for row_key in (f"{kind}/{selector}", f"{kind}/*"):
        unclaimed: list[Format] = []
        for prefix, stem in index.get(row_key, []):
            if not data.startswith(prefix):
                continue
            form = FORMATS.get(stem)
            if form.claims is None:
                unclaimed.append(form)
            elif form.claims(data, keys):
                return form
        if unclaimed:
            return unclaimed[0]
    return None


def fits(form: Format, kind: str, selector: str, data: bytes, keys: Keys) -> bool:
    """Whether a format (a user's own, that no index holds) claims these octets."""
    for key in form.keys:
        kind_, selector_, prefix = (*key.split("/"), "", "")[:3]
        placed = (
            kind_ == kind
            and selector_ in (selector, "*")
            and data.startswith(bytes.fromhex(prefix))
        )
        if placed and (form.claims is None or form.claims(data, keys)):
            return True
    return False


def kind_of(form: Format) -> str:
    """The kind of octets a format is read from: that of its first key, or its own name (`ad`)."""
    if form.keys:
        return form.keys[0].split("/")[0]
    return form.name if form.name in ("ad", "advertisement") else "service_data"


def describe(form: Format) -> dict[str, Any]:
    """What `nearbench show format` prints."""
    return {
        "name": form.name,
        "title": form.title,
        "source": form.source,
        "confidence": form.confidence,
        "keys": list(form.keys),
        "encodes": form.encode is not None,
        "context": [{"name": name, "about": about} for name, about in form.context.items()],
        "fields": _field_table(form.fields),
        "examples": [{"hex": e.hex, "context": e.context, "note": e.note} for e in form.examples],
    }


def _field_table(kind: Any) -> list[str]:
    members = getattr(kind, "__args__", None) or (kind,)
    names = dict.fromkeys(
        name for member in members for name in getattr(member, "__struct_fields__", ())
    )
    tags = dict.fromkeys(getattr(m.__struct_config__, "tag_field", None) for m in members)
    return [tag for tag in tags if tag] + list(names)
