"""Hooks of mkdocs: fill the places that pages leave for tables and diagrams.

| in a page | what the site shows |
|---|---|
| `<!-- results: NAME -->` ... `<!-- end -->` | the tables of docs/results/NAME.json; with `metrics:` without its rows |
| `<!-- generated: NAME -->` | what the code knows best, by a function of `GENERATED` |
| `<!-- diagram: NAME -->` | docs/diagrams/NAME.svg, inside the page, so that it follows the page's colours |
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache

from documents import command_line, configs
from results import peers
from results.readme import filled
from results.record import ROOT, Result, read_all
from sterna.errors import SternaError
from sterna.generate.spec import markdown

DIAGRAMS = ROOT / "docs" / "diagrams"
#: Writers of Markdown by the name that pages ask for.
GENERATED: dict[str, Callable[[], str]] = {
    "command-line": command_line.text,
    "configs": configs.configs,
    "energies": configs.energies,
    "fpgas": configs.fpgas,
    "memories": configs.memories,
    "package": lambda: markdown.package_page(level=3),
    "peers": lambda: peers.table(_results()),
    "registers": markdown.registers_page,
    "serial": lambda: "\n".join(markdown.serial_table()),
    "tape": lambda: markdown.tape_page(level=3),
}
_PLACE = re.compile(r"<!-- (generated|diagram): ([\w-]+) -->")


def on_page_markdown(markdown: str, **_: object) -> str:
    """Fill a page (called by mkdocs). Raises SternaError for a name that there is not."""
    return _PLACE.sub(_content, filled(markdown, _results()))


@cache
def _results() -> dict[str, Result]:
    return read_all()


def _content(place: re.Match[str]) -> str:
    kind, name = place[1], place[2]
    if kind == "diagram":
        return f'<div class="diagram">\n{(DIAGRAMS / f"{name}.svg").read_text("utf-8").strip()}\n</div>'
    if name not in GENERATED:
        raise SternaError("nothing generates this", where="docs", value=name, allowed=", ".join(GENERATED))
    return GENERATED[name]()
