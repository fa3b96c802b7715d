"""Whether links in the documents outside the site lead somewhere; `make lint` runs it, mkdocs checks the site's own."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from markdown.extensions.toc import slugify

from results.record import ROOT

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


def broken(page: Path) -> list[str]:
    """The links of a Markdown file that lead nowhere: to a file that is missing, or a heading that it does not have.

    Links to the net are not followed.
    """
    links = _LINK.findall(page.read_text("utf-8"))
    return [link for link in links if not link.startswith("https://") and not _leads_somewhere(page, link)]


def _leads_somewhere(page: Path, link: str) -> bool:
    path, _, anchor = link.partition("#")
    target = page.parent / path if path else page
    return target.exists() and (not anchor or anchor in _anchors(target))


def _anchors(page: Path) -> set[str]:
    return {slugify(heading, "-") for heading in _HEADING.findall(page.read_text("utf-8"))}


def main() -> int:
    """Print every broken link."""
    found = [f"{page.name}: {link} leads nowhere" for page in sorted(ROOT.glob("*.md")) for link in broken(page)]
    print("\n".join(found), end="\n" if found else "", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
