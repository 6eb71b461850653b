"""What the documents show of the interface: pictures of real runs and the key table; `python -m tests.tui.documents` writes them.

In pictures only what a browser draws without fetching anything is kept: the fonts of the reader's machine.
"""

from __future__ import annotations

import html
import re
from pathlib import Path

from tests.tui.bench import bench, play
from tui.keys import EVERYWHERE, KEYS, as_markdown

DOCS = Path(__file__).parents[2] / "docs"
PAGE = DOCS / "tui.md"
SIZE = (120, 34)
_MARKS = ("<!-- keys: from here -->\n", "<!-- keys: to here -->\n")


async def _pin(one):
    await one.asked("display")
    await one.press("4", "3")


async def _failed(one):
    await one.asked()
    await one.press("w")
    await one.ended()


async def _ladder(one):
    await _failed(one)
    await one.press("escape", "k")


async def _packets(one):
    await one.run_for(20)
    await one.press("3", "end")


async def _air(one):
    await one.run_for(6)
    await one.press("1")


async def _accessory(one):
    await one.run_for(6)
    await one.press("4")


async def _scenarios(one):
    await one.run_for(1)
    await one.press("5", "down", "down")


PICTURES = {
    "pin": ("demo", {}, _pin),
    "outcome": ("passkey_lock", {}, _failed),
    "ladder": ("passkey_lock", {}, _ladder),
    "packets": ("passkey_lock", {"play": ("none",)}, _packets),
    "accessory": ("just_works_headset", {"play": ("none",)}, _accessory),
    "scenarios": ("demo", {"play": ("none",)}, _scenarios),
    "air": ("demo", {"play": ("none",)}, _air),
}
"""name -> scenario, options of the run, what is done before the picture is taken."""


def plain(svg):
    """An SVG screen without what would be fetched, and without its maker's address."""
    return re.sub(r"@font-face \{.*?\}\s*|<!--.*?-->\s*", "", svg, flags=re.DOTALL)


def text_of(svg):
    """The words of an SVG screen, in their order."""
    return [html.unescape(words) for words in re.findall(r"<text[^>]*>([^<]*)</text>", svg)]


def take(name):
    """The picture as SVG."""
    scenario, options, prepare = PICTURES[name]
    taken = []

    async def story():
        async with bench(scenario, SIZE, **options) as one:
            await prepare(one)
            taken.append(one.app.export_screenshot(title="nearbench"))

    play(story())
    return plain(taken[0])


def key_tables():
    """A heading and a table for each scope, in the order of the key table."""
    scopes = list(dict.fromkeys(key.scope for key in KEYS))
    assert scopes[0] == EVERYWHERE
    return "\n".join(f"### {_title(scope)}\n\n{as_markdown(scope)}\n" for scope in scopes)


def _title(scope):
    return scope.removeprefix("modal:").replace("_", " ").replace(":", ", ").capitalize()


def with_keys(page):
    """The page with the key table of now."""
    before, first, rest = page.partition(_MARKS[0])
    _, last, after = rest.partition(_MARKS[1])
    return f"{before}{first}\n{key_tables()}\n{last}{after}"


def main():
    """Write them all."""
    for name in PICTURES:
        (DOCS / "pictures" / f"{name}.svg").write_text(take(name), encoding="utf-8")
    PAGE.write_text(with_keys(PAGE.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main()
