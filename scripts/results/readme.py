"""Writes the tables of README.md, and of the pages of the documentation site, from docs/results.

A table is between `<!-- results: NAME -->` and `<!-- end -->`, or after `<!-- metrics: NAME -->` without its rows; the
one of other systems is after `<!-- peers -->`, a single value after `<!-- value: NAME.METRIC -->`. `make readme` fills
those of README.md in place. Those of a page under docs stay empty in the repository: they are filled when the site is
built (`documents.hooks`).
"""

from __future__ import annotations

import re
import sys
from html import escape

from results import peers
from results.record import ROOT, Metric, Result, TableRow, read_all
from sterna.cli.guard import guarded
from sterna.errors import SternaError
from sterna.files import write_bytes

README = ROOT / "README.md"
_PLACE = re.compile(r"(<!-- (results|metrics): (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
_PEERS = re.compile(r"(<!-- peers -->\n).*?(<!-- end -->)", re.DOTALL)
#: A single value within a sentence.
_VALUE = re.compile(r"(<!-- value: (\w+)\.(\w+) -->).*?(<!-- end -->)")
#: Characters that Markdown would take for more than text.
_SPECIAL = re.compile(r"[\\`*_\[\]|]")
#: Columns of the table of other systems that README.md has room for.
SHORT = ("system", "chip", "process", "precision", "batch", "frames", "power", "kind")


def filled(text: str, results: dict[str, Result]) -> str:
    """`text` with every table as `results` have it. Raises SternaError for a table of a result that there is not."""

    def fill(place: re.Match[str]) -> str:
        kind, name = place[2], place[3]
        if name not in results:
            raise SternaError("no such result", where="docs/results", value=name, remedy=f"make results-{name}")
        return f"{place[1]}{_table(results[name], with_rows=kind == 'results')}{place[4]}"

    def value(place: re.Match[str]) -> str:
        metric = results[place[2]].metrics[place[3]]
        return f"{place[1]}{_value(metric)}{place[4]}"

    text = _VALUE.sub(value, text)
    return _PEERS.sub(lambda place: f"{place[1]}{peers.table(results, SHORT)}{place[2]}", _PLACE.sub(fill, text))


def tables_in(text: str) -> set[str]:
    """Names of the results that `text` has tables of."""
    return {place[3] for place in _PLACE.finditer(text)}


def _table(result: Result, *, with_rows: bool) -> str:
    rows = [f"| {metric.what} | {_value(metric)} |" for metric in result.metrics.values()]
    origin = [f"commit {result.commit}", result.machine]
    origin += [f"config `{result.config}`"] if result.config else []
    origin += [f"seed {result.seed}"] if result.seed is not None else []
    lines = ["| metric | value |", "|---|---|", *rows, "", *_rows(result.rows if with_rows else ())]
    return "\n".join([*lines, f"Measured by `{result.command}` ({', '.join(origin)})."]) + "\n"


def _rows(rows: tuple[TableRow, ...]) -> list[str]:
    if not rows:
        return []
    columns = [name.replace("_", " ") for name in rows[0]]
    shown = ["| " + " | ".join(map(_shown, row.values())) + " |" for row in rows]
    return ["| " + " | ".join(columns) + " |", "|---" * len(columns) + "|", *shown, ""]


def _value(metric: Metric) -> str:
    return f"{_shown(metric.value)} {metric.unit}".strip()


def _shown(value: bool | int | float | str) -> str:
    match value:
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case float():
            return f"{value:.3g}" if abs(value) < 10 else f"{value:,.1f}"
        case _:
            return _SPECIAL.sub(r"\\\g<0>", escape(value, quote=False))


def main() -> None:
    """Rewrite README.md."""
    write_bytes(README, filled(README.read_text("utf-8"), read_all()).encode())


if __name__ == "__main__":
    sys.exit(guarded(main))
