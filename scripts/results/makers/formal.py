"""docs/results/formal.json: what is proved of the RTL, and the bug that each proof finds."""

from __future__ import annotations

import sys

from formal.proofs import proofs
from formal.runs import run
from results.record import Metric, TableRow, write
from sterna.cli.guard import guarded
from sterna.errors import SternaError

METHOD = "smtbmc with yices on what Yosys reads of the RTL"


def main() -> None:
    """Run the proofs that are not kept, and write. Raises SternaError if one is not as it has to be."""
    rows: list[TableRow] = []
    wrong = []
    for proof, parameters, outcome in run(proofs()):
        if not outcome.ok(proof):
            wrong.append(proof.name)
        rows.append({
            "module": proof.module,
            "properties": proof.properties,
            "parameters": ", ".join(f"{name} {value}" for name, value in parameters.items()),
            "result": "failed" if outcome.failed else "proved" if proof.method == "induction" else "bounded",
            "depth": proof.depth,
            "seconds": outcome.seconds,
            "planted_bug": proof.bug.what,
            "found": proof.bug.fails in outcome.bug,
        })  # fmt: skip
    proved = [row for row in rows if row["result"] == "proved"]
    metrics = {
        "proofs": Metric(what="Proofs", value=len(rows), unit="", method=METHOD),
        "unbounded": Metric(
            what="Of them for all cycles", value=len(proved), unit="",
            method="induction over as many cycles as the column depth says",
        ),
        "bugs_found": Metric(
            what="Planted bugs that are found", value=sum(bool(row["found"]) for row in rows), unit="",
            method="one for each proof, by the one assertion that is to find it",
        ),
        "ok": Metric(
            what="All hold, none of them vacuous", value=not wrong, unit="",
            method="all assertions hold, all covers are reached, all planted bugs are found",
        ),
    }  # fmt: skip
    write("formal", metrics, command="make results-formal", rows=rows)
    if wrong:
        raise SternaError("proofs are not as they have to be", where="formal", value=", ".join(dict.fromkeys(wrong)))


if __name__ == "__main__":
    sys.exit(guarded(main))
