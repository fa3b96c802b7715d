"""docs/results/boards.json: boards that projects are generated for, and what was checked of each without Quartus."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree

from results.record import ROOT, Metric, TableRow, write
from sterna.cli.guard import guarded
from sterna.compile import compile_graph
from sterna.generate.boards.board import about_boards, load_board
from sterna.generate.boards.component import TOPS
from sterna.generate.boards.files import AROUND, FOLDER
from sterna.generate.rtl import generate
from sterna.spec.config import load_config
from support.packages import small_graph
from support.shells import Shell, frame_equal

TESTS = "tests/generate/boards"
#: The config that is simulated in the tops of the boards.
_CONFIG = "nano"
_NOT_RUN = "Quartus, the board"


def main() -> None:
    """Run the tests, simulate the tops, count the files, and write a row for each board."""
    outcomes = list(tested())
    rows: list[TableRow] = []
    for name in about_boards():
        board = load_board(name)
        mine = [passed for case, passed in outcomes if name in case]
        rows.append(
            {
                "board": name,
                "files": files(name),
                "checks_run": len(mine),
                "checks_passed": sum(mine),
                "frame_equal": is_equal(TOPS[board.kind], board.memory_data_w),
                "not_run": _NOT_RUN,
            }
        )
        print(rows[-1], flush=True)
    write("boards", metrics(rows), command="make results-boards", config=_CONFIG, seed=0, rows=rows)


def metrics(rows: Iterable[TableRow]) -> dict[str, Metric]:
    """What the rows say together."""
    rows = list(rows)
    run, passed = (sum(int(str(row[name])) for row in rows) for name in ("checks_run", "checks_passed"))
    return {
        "boards": Metric(
            what="Boards with a project", value=len(rows), unit="",
            method="folders of hw/boards; files: of the project and of what is around the engine",
        ),
        "checks": Metric(
            what="Checks of their projects without Quartus", value=run, unit="",
            method=f"tests of {TESTS} about one board, long ones and those that look for planted faults too",
        ),
        "failed": Metric(what="Of these, failed", value=run - passed, unit="", method="the same"),
        "equal": Metric(
            what="Boards around whose engine frames equal the reference",
            value=sum(row["frame_equal"] is True for row in rows), unit="",
            method=f"RTL of the top around config {_CONFIG} in Verilator, with models of buses: two frames, all maps",
        ),
    }  # fmt: skip


def tested() -> Iterable[tuple[str, bool]]:
    """Each test about boards, and whether it passed."""
    with TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-m", "slow or not slow", f"--junitxml={report}", TESTS]
        subprocess.run(command, cwd=ROOT, check=False)
        for case in ElementTree.parse(report).iter("testcase"):
            yield case.attrib["name"], not list(case)


def files(name: str) -> int:
    """Files that are written for the board, besides its engine's."""
    board = load_board(name)
    with TemporaryDirectory() as scratch:
        folder = Path(scratch) / "engine"
        generate(load_config(board.config), folder, board=board)
        return sum(path.is_file() for part in (FOLDER, AROUND) for path in (folder / part).rglob("*"))


@cache
def is_equal(top: str, memory_bits: int) -> bool:
    """Whether frames of a small network equal the reference in a top of hw/boards/rtl."""
    package = compile_graph(small_graph(), load_config(_CONFIG), trace=True)
    return frame_equal(Shell(top, memory_bits), package)


if __name__ == "__main__":
    sys.exit(guarded(main))
