"""Full YOLOv2 trained on a GPU, float and ternary, and its speed on arria10: the rows of several results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from results import density
from results.clock import supported_mhz
from results.density import Study, number
from results.makers.frame_arria10 import CONFIG, MHZ
from results.record import Metric, TableRow, write
from results.runs import summary
from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.graph import file
from sterna.spec.config import load_config
from sterna.train import run_folder

#: Pattern and density of the ternary networks.
CASES = (("balanced", 0.05), ("balanced", 0.1), ("balanced", 0.15))


def record(name: str, studies: Sequence[Study], command: str) -> None:
    """Train what `studies` want, as far as there is a GPU, and write docs/results/`name`.json, which `command` makes.

    Of each data set a float network, and from it a longer trained one and a ternary one for each density. What was not
    trained has a row that says so. Raises SternaError if nothing was trained.
    """
    found = [each for study in studies for each in density.runs(study.trainable())]
    if not found:
        remedy = "run it on a machine that has one, or bring finished runs: TRAINED=FOLDER"
        raise SternaError("there is no GPU here", where="results", remedy=remedy)
    rows = [row | speed(folder) for row, folder in found]
    measured = density.method(folder for _, folder in found)
    missing = [row for study in studies for row in density.untrained(study, rows[0])]
    write(name, metrics(rows, measured), command=command, config=CONFIG, rows=[*rows, *missing])


def metrics(rows: list[TableRow], measured: str) -> dict[str, Metric]:
    """The worst of `rows`, whose precisions were `measured` so, in each respect."""
    points = [100 * (number(row, "float_longer_map50") - number(row, "integer_map50")) for row in rows]
    return {
        "lost_most": Metric(
            what="Points of mAP below float trained equally long, integer, at most", value=round(max(points), 2),
            unit="", method=measured,
        ),
        "least_fps": Metric(
            what="Frames per second at 240 MHz, at least",
            value=min(number(row, "frames_per_s_240mhz") for row in rows), unit="frames/s",
            method="cycle model of the compiler, frames queued, every weight as trained",
        ),
    }  # fmt: skip


def speed(folder: Path) -> TableRow:
    """Columns of the graph of the run in `folder`: its density, and the engine's cycles for queued frames."""
    package = compile_graph(file.load(folder / run_folder.GRAPH), load_config(CONFIG))
    cycles = package.schedule.queued_cycles
    return {
        "counted_density": round(float(summary(folder)["density"]), 4),
        "cycles": cycles,
        "frames_per_s_240mhz": round(MHZ * 1e6 / cycles, 1),
        "frames_per_s_supported_clock": round(supported_mhz() * 1e6 / cycles, 1),
    }
