"""`nearbench verify`: known-answer files against this implementation."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from protocols.errors import UsageError
from tui.output import document, line, say
from tui.verify import FileReport, verify_file

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

SUMMARY = "check known-answer files (yours or ours) against this implementation"
EXAMPLE = "  nearbench verify tests/vectors/ble-adverts.json"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="known-answer files (JSON)"
    )
    parser.add_argument("--json", action="store_true", help="every check as one JSON document")


def run(options: argparse.Namespace) -> int:
    """0 all checks agree, 1 one does not (or a file held nothing to check), 2 a file cannot be read."""
    reports: list[FileReport] = []
    unreadable = False
    for path in options.files:
        try:
            reports.append(verify_file(path))
        except UsageError as exc:  # the other files are still checked
            say(f"nearbench: {exc}")
            unreadable = True
    if options.json:
        print(document({"files": [report.as_plain() for report in reports]}))
    else:
        for report in reports:
            _print(report)
        checks = sum(len(report.checks) for report in reports)
        good = sum(report.ok for report in reports)
        print(f"{good} of {len(reports)} files ok, {checks} checks")
    _say_unchecked(reports)
    if unreadable:
        return 2
    return 0 if all(report.ok for report in reports) else 1


def _say_unchecked(reports: Sequence[FileReport]) -> None:
    """On stderr: what the files also hold and this version does not check."""
    for what in dict.fromkeys(report.unchecked for report in reports if report.unchecked):
        files = [report.file for report in reports if report.unchecked == what]
        more = f" and {len(files) - 1} more" if len(files) > 1 else ""
        say(f"{files[0]}{more}: not checked by this version: {', '.join(what)}")


def _print(report: FileReport) -> None:
    bad = [check for check in report.checks if not check.ok]
    if report.ok:
        print(f"{report.file}: ok, {len(report.checks)} checks")
    elif not report.checks:
        print(f"{report.file}: nothing in it could be checked")
    else:
        first = bad[0]
        print(
            f"{report.file}: {len(bad)} of {len(report.checks)} checks differ; first: {first.name}"
        )
        print(f"  expected {line(first.expected)}")
        print(f"  got      {line(first.got)}")
