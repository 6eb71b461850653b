"""`nearbench list`: what there is of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui import catalogue
from tui.output import document, table

if TYPE_CHECKING:
    import argparse

SUMMARY = "what there is: scenarios, accessories, phones, formats, ..."
EXAMPLE = "  nearbench list scenarios"


def configure(parser: argparse.ArgumentParser) -> None:
    """Options."""
    parser.add_argument("kind", help=", ".join(catalogue.KINDS))
    parser.add_argument("--json", action="store_true", help="a JSON array")


def run(options: argparse.Namespace) -> int:
    """0."""
    kind = catalogue.kind_of(options.kind)
    found = catalogue.rows(kind)
    if options.json:
        print(document(found))
    elif not found:
        print(catalogue.KINDS[kind].empty)
    elif lines := catalogue.KINDS[kind].lines:
        for row in found:
            print("\n".join(lines(row)))
        for text in catalogue.KINDS[kind].legend():
            print(text)
    else:
        for text in table([(str(row["name"]), str(row["title"])) for row in found]):
            print(text)
    return 0
