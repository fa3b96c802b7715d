"""The table of Sterna beside other systems: docs/results/peers.yaml, with Sterna's numbers from docs/results."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from results.record import FOLDER, Result
from sterna.errors import SternaError

FILE = FOLDER / "peers.yaml"
#: Heading by key of an entry, in the order of the columns.
COLUMNS = {
    "system": "system",
    "chip": "chip",
    "process": "process",
    "network": "network",
    "precision": "precision",
    "batch": "batch",
    "frames": "frames/s",
    "power": "power",
    "kind": "how the number came about",
    "source": "source",
}
_PLACE = re.compile(r"\{(.+?)\}")


def table(results: Mapping[str, Result], columns: tuple[str, ...] = tuple(COLUMNS)) -> str:
    """The table in Markdown. Raises SternaError for a result that there is not, or an entry of other keys."""
    entries = yaml.safe_load(FILE.read_text("utf-8"))
    for entry in entries:
        if list(entry) != list(COLUMNS):
            raise SternaError(
                "an entry with other keys", where=str(FILE), value=", ".join(entry), allowed=", ".join(COLUMNS),
                remedy="correct the entry",
            )  # fmt: skip
    head = "| " + " | ".join(COLUMNS[column] for column in columns) + " |"
    rows = ["| " + " | ".join(_cell(entry, column, results) for column in columns) + " |" for entry in entries]
    return "\n".join([head, "|---" * len(columns) + "|", *rows]) + "\n"


def _cell(entry: Mapping[str, Any], column: str, results: Mapping[str, Result]) -> str:
    value = entry[column]
    if column == "process":
        return f"{value} nm"
    if not isinstance(value, str):
        return f"{value:,}"
    return _PLACE.sub(lambda place: f"{_number(place[1], results):,.0f}", value)


def _number(place: str, results: Mapping[str, Result]) -> float:
    """The number that `place` names in the results; a clock in MHz over the cycles of a frame is frames/s."""
    clock, slash, cycles = place.partition(" / ")
    if slash:
        return 1e6 * _number(clock, results) / _number(cycles, results)
    name, _, metric = place.partition(".")
    try:
        return float(results[name].metrics[metric].value)
    except (KeyError, ValueError):
        pass
    raise SternaError("no such result", where=str(FILE), value=place, remedy="name a metric of docs/results")
