"""Where an export goes: a name that somebody typed, as a path that may be written to. Looks at the disk, changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from protocols.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tui.export import Form, Plan
    from tui.export.job import Part
    from tui.session import Session

__all__ = ["files_of", "remark_on", "target_of"]

_ANY = {"ladder": (".md", ".log", "")}
"""Suffixes that nobody takes for another format."""


def target_of(text: str, session: Session) -> Path:
    """The path of an export. Raises UsageError when it cannot be one, or is a file that the session reads or writes."""
    name = text.strip()
    if not name:
        raise UsageError("give the file a name")
    if not name.isprintable():
        raise UsageError("the name of the file has characters that cannot be seen; type it anew")
    try:
        path = Path(name).expanduser()
    except RuntimeError as exc:
        raise UsageError(f"{name}: {exc}") from None
    if path.is_dir():
        raise UsageError(f"{name}: is a folder; add a file name")
    if not path.parent.is_dir():
        raise UsageError(f"{name}: there is no folder {path.parent}")
    if path.resolve() in {one.resolve() for one in _taken(session)}:
        raise UsageError(
            f"{name}: this run or capture is read from it, or written to it; take another name"
        )
    return path


def files_of(plan: Plan, path: Path) -> tuple[Part, ...]:
    """The files of an export called `path`. Raises UsageError when two of them would have one name."""
    parts = plan.files(path)
    if len({part.path for part in parts}) < len(parts):
        raise UsageError(f"{path.name}: the scenario beside it has this name; call it test_NAME.py")
    return parts


def remark_on(text: str, form: Form) -> str:
    """What to say of a name that does not look like the format; empty when it does."""
    path = Path(text.strip())
    if not path.name:
        return ""
    if form.name == "test":
        fits = path.name.startswith("test_") and path.suffix == ".py"
        return "" if fits else "pytest finds it by itself when it is called test_NAME.py"
    if path.suffix.lower() in (form.suffix, *_ANY.get(form.name, ())):
        return ""
    return f"the name does not end in {form.suffix}, by which programs know what it is"


def _taken(session: Session) -> Iterator[Path]:
    """Files that must stay as they are."""
    request, scenario = session.request, session.scenario
    if session.is_capture:
        yield Path(request.what)
    if scenario is not None:
        yield Path(scenario.base, Path(scenario.file).name)
    if request.jsonl:
        yield Path(request.jsonl)
    for target in request.captures:
        yield Path(target)
        yield Path(target.partition(":")[2] or target)
