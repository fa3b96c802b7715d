"""The changes of Sterna that how-to pages describe: which source files each touches."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from support.page_blocks import ROOT, blocks, files

HOW_TO = ROOT / "docs" / "how-to"
#: Most source files that a change may touch, besides tests and documents.
MOST = 3
MORE = {"add-a-layer-kind": 6, "add-a-tape-field": 6}
#: Changes that are described and not shown, since what they are like depends on what is wanted.
DESCRIBED = ("add-a-tape-field", "add-an-hls-backend")
_NAMED = re.compile(r"^\*\*Files?:\*\*(?:.|\n(?!\n))*", re.MULTILINE)


@dataclass(frozen=True)
class Change:
    """files: of Sterna, new ones too, that the page's diffs and titles name, or its list where it only describes."""

    page: Path
    title: str
    files: tuple[str, ...]

    @property
    def name(self) -> str:
        """Of the page."""
        return self.page.stem

    @property
    def shown(self) -> bool:
        """Whether the page shows all of the change, so that it can be applied."""
        return self.name not in DESCRIBED

    @property
    def most(self) -> int:
        """How many files it may touch."""
        return MORE.get(self.name, MOST)

    @property
    def named(self) -> str:
        """The page's own list of the files."""
        (found,) = _NAMED.findall(self.page.read_text("utf-8"))
        return str(found)


def changes() -> list[Change]:
    """The change of each page that tells how to add or change something."""
    return [_change(path) for path in sorted(HOW_TO.glob("*.md")) if path.stem.startswith(("add-", "change-"))]


def _change(page: Path) -> Change:
    title = page.read_text("utf-8").partition("\n")[0].removeprefix("# ")
    touched = tuple(sorted({name for block in blocks(page) for name in files(block) if "/" in name}))
    change = Change(page, title, touched)
    return change if change.shown else Change(page, title, tuple(re.findall(r"`([\w./]+/[\w./]+)`", change.named)))
