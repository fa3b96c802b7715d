"""docs/results/fuzz.json: what libFuzzer did with libsterna's readers, and how much of them its inputs reach."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping

from fuzz.__main__ import fuzz
from fuzz.coverage import Coverage
from fuzz.runs import Run
from results.record import Metric, TableRow, write
from sterna.errors import SternaError

SECONDS = "FUZZ_SECONDS"


def main() -> int:
    """Fuzz for an hour, or as long as FUZZ_SECONDS says, and write; 1 and nothing written if it cannot run."""
    seconds = int(os.environ.get(SECONDS) or 3600)
    try:
        found, reached = fuzz(seconds)
    except SternaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    write("fuzz", metrics(found, reached, seconds), command="make results-fuzz", rows=rows(reached))
    return 0


def metrics(found: Mapping[str, Run], reached: Mapping[str, Coverage], seconds: int) -> dict[str, Metric]:
    """Of all fuzzers together."""
    names, edges = ", ".join(found), sum(reached.values(), start=Coverage(0, 0))
    return {
        "executions": Metric(
            what="Inputs that were tried", value=sum(each.executions for each in found.values()), unit="",
            method=f"libFuzzer with the sanitizers of addresses and undefined behaviour; programs {names}",
        ),
        "crashes": Metric(
            what="Programs that an input ended", value=sum(each.crash is not None for each in found.values()), unit="",
            method="a program ends at the first access outside, undefined step, exception that is no refusal, wrong "
            "map, or input that takes 20 s",
        ),
        "minutes": Metric(
            what="Time for all of them", value=round(seconds / 60, 1), unit="min",
            method="one process at a time, an equal share for each program; inputs of earlier runs are kept",
        ),
        "edges": Metric(
            what="Edges of the parsers that were taken", value=round(100 * edges.share, 1), unit="%",
            method=f"both ways out of each condition in the files below, as llvm-cov counts them: {edges.taken} of "
            f"{edges.edges}",
        ),
    }  # fmt: skip


def rows(reached: Mapping[str, Coverage]) -> list[TableRow]:
    """A row for each file."""
    return [
        {"file": f"sw/src/{name}", "edges": each.edges, "taken": each.taken, "percent": round(100 * each.share, 1)}
        for name, each in reached.items()
    ]


if __name__ == "__main__":
    sys.exit(main())
