"""docs/results/change_map.json: how many source files each kind of change touches, from the how-to pages."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from results.record import ROOT, Metric, TableRow, write
from sterna.cli.guard import guarded
from sterna.errors import SternaError
from support.changes import MORE, Change, changes

TESTS = "tests/docs/test_changes.py"


def main() -> None:
    """Apply all changes to a copy of Sterna by their test, and keep a row for each; nothing if one does not work."""
    command = [sys.executable, "-m", "pytest", "-q", "-m", "slow or not slow", TESTS]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        raise SternaError("a change does not work", where=TESTS, remedy="see what pytest says above")
    found = changes()
    write("change_map", metrics(found), command="make results-change_map", rows=[row(change) for change in found])


def metrics(found: Sequence[Change]) -> dict[str, Metric]:
    """What the rows say together."""
    usual = [len(change.files) for change in found if change.name not in MORE]
    return {
        "changes": Metric(
            what="Kinds of change with a how-to page", value=len(found), unit="", method="pages of docs/how-to"
        ),
        "applied": Metric(
            what="Of these, applied to a copy of Sterna and run by a test",
            value=sum(change.shown for change in found), unit="",
            method=f"{TESTS}: the page's diffs are applied, its proof runs, no other file changes",
        ),
        "most": Metric(
            what="Most source files that a change touches, except for a layer kind and a tape field",
            value=max(usual), unit="", method="files in the page's diffs, without generated ones, tests and documents",
        ),
        "most_of_all": Metric(
            what="The same, including these two", value=max(len(change.files) for change in found), unit="",
            method="the same",
        ),
    }  # fmt: skip


def row(change: Change) -> TableRow:
    """Change, files, and whether a test applies it."""
    return {
        "change": change.title,
        "files": len(change.files),
        "which": ", ".join(change.files) or "none of Sterna's",
        "applied_by_a_test": change.shown,
    }


if __name__ == "__main__":
    sys.exit(guarded(main))
