"""docs/results/clock.json: the clock that each named config supports, by its slowest paths; an estimate.

By itself, and in the shell of each board that it is the config of.
"""

from __future__ import annotations

from results.record import Metric, TableRow, write
from sterna.cli.estimate import measure, measure_clock, shown_end
from sterna.estimate.paths import Path
from sterna.estimate.shell import estimate_board_clock
from sterna.estimate.whole import compare_paths
from sterna.generate.boards.board import about_boards, load_board
from sterna.spec.config import load_config
from sterna.spec.fpga import about_fpgas, load_fpga

METHOD = "cells and wires of all modules that a path crosses; speed grade of the FPGA, a chip 80 % full"


def main() -> None:
    """Synthesise and write."""
    metrics: dict[str, Metric] = {}
    rows: list[TableRow] = []
    for fpga in about_fpgas():
        for name in load_fpga(fpga).clocks:
            clock = measure_clock(measure(load_config(name), load_fpga(fpga)))
            metrics |= _metrics(name, fpga, clock.slowest[0].delay, clock.mhz)
            rows += [row(name, path) for path in clock.slowest]
        for board in filter(lambda each: each.fpga == fpga, map(load_board, about_boards())):
            in_shell = estimate_board_clock(board, load_config(board.config))
            metrics[f"{board.name}_mhz"] = Metric(
                what=f"Clock of {board.config} in the shell of {board.name}", value=in_shell.mhz, unit="MHz",
                method=f"the same, with the paths between engine and shell; {in_shell.slowest[0].delay:,} ps",
            )  # fmt: skip
        composed, flat = compare_paths(fpga)
        metrics[f"bound_{fpga.replace('-', '_')}"] = Metric(
            what=f"Slowest path of a small engine on {fpga}, joined / synthesised as a whole",
            value=round(composed / flat, 2), unit="", method=f"{composed:,} ps joined, {flat:,} flat",
        )  # fmt: skip
    write("clock", metrics, command="make results-clock", rows=rows)


def _metrics(config: str, fpga: str, picoseconds: int, mhz: int) -> dict[str, Metric]:
    return {
        f"{config}_ns": Metric(
            what=f"Slowest path of {config} on {fpga}", value=round(picoseconds / 1000, 2), unit="ns", method=METHOD
        ),
        f"{config}_mhz": Metric(what="Clock that it supports", value=mhz, unit="MHz", method="the inverse"),
    }


def row(config: str, path: Path) -> TableRow:
    """One of the slowest paths of a config."""
    return {
        "config": config,
        "ns": round(path.delay / 1000, 2),
        "levels": path.levels,
        "from": shown_end(path.start),
        "to": shown_end(path.end),
    }


if __name__ == "__main__":
    main()
