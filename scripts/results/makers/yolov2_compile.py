"""docs/results/yolov2_compile.json: the kept full YOLOv2, from its graph's file to the package's bytes, for arria10.

Times are of the processor and not of the clock on the wall, so that other work on the machine changes them little.
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from time import process_time

from results.record import ROOT, Metric, write
from sterna.compile import compile_graph
from sterna.graph import file
from sterna.package.file import to_bytes
from sterna.package.package import Package
from sterna.spec.config import load_config

GRAPH, SMALL, CONFIG = "yolov2-scenes", "demo-nano", "arria10"
METHOD = "time of the processor, all threads together; {}"
_TRANSLATE = "import sterna; sterna.compile('demo-nano')"


def main() -> None:
    """Measure and write."""
    translation = _translation()
    compile_graph(file.load(_path(SMALL)), load_config("nano"))
    untimed_seconds, _ = _compiled(cycles=False)
    seconds, package = _compiled(cycles=True)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    what = f"YOLOv2 at 416x416, model {GRAPH}"
    metrics = {
        "seconds": Metric(
            what=f"Compile {what}", value=round(seconds, 1), unit="s",
            method=METHOD.format("from the graph's file to the package, cycle model translated before"),
        ),
        "seconds_without_cycles": Metric(
            what="The same with --no-cycles", value=round(untimed_seconds, 1), unit="s",
            method=METHOD.format("from the graph's file to the package"),
        ),
        "translation": Metric(
            what="Translate the cycle model, once for all configs", value=round(translation, 1), unit="s",
            method=METHOD.format(f"the first compile of {SMALL} with an empty cache, less the second"),
        ),
        "memory": Metric(
            what="Memory", value=round(peak / 1e9, 2), unit="GB", method="peak resident size of the process"
        ),
        "tape": Metric(what="Tape", value=round(len(package.tape) / 1e6, 2), unit="MB", method="size in bytes"),
        "cycles": Metric(
            what="Clock cycles from one frame to the next, estimated", value=package.schedule.queued_cycles, unit="",
            method="the compiler's cycle model, not simulated",
        ),
    }  # fmt: skip
    write("yolov2_compile", metrics, command="make results-yolov2_compile", config=CONFIG)


def _path(model: str) -> Path:
    return ROOT / "models" / f"{model}.sterna-graph"


def _compiled(*, cycles: bool) -> tuple[float, Package]:
    """Processor seconds, and the package."""
    start = process_time()
    package = compile_graph(file.load(_path(GRAPH)), load_config(CONFIG), cycles=cycles)
    to_bytes(package)
    return process_time() - start, package


def _translation() -> float:
    """Processor seconds that the first use of an empty cache takes longer than the second."""
    with TemporaryDirectory() as cache:
        environment = os.environ | {"STERNA_BUILD_DIR": cache}
        ends = [_children_seconds()]
        for _ in range(2):
            subprocess.run([sys.executable, "-c", _TRANSLATE], env=environment, check=True)
            ends.append(_children_seconds())
    return ends[1] - ends[0] - (ends[2] - ends[1])


def _children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
