"""docs/results/demo.json and the README's image: the demo on a fresh clone of the commit that is checked out."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic

from PIL import Image

from results.record import ROOT, Metric, write
from sterna.report.demo import JSON_NAME, SHEET_NAME, Report

IMAGE = ROOT / "docs" / "demo.jpg"


def main() -> None:
    """Measure and write."""
    with TemporaryDirectory(prefix="sterna-demo-") as scratch:
        clone = Path(scratch) / "sterna"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        first, second = _make_demo(clone), _make_demo(clone)
        made = clone / "build" / "demo"
        report = Report.model_validate_json((made / JSON_NAME).read_text("utf-8"))
        Image.open(made / SHEET_NAME).save(IMAGE, quality=85)
    precision = report.precision
    metrics = {
        "fresh_clone_seconds": Metric(
            what="`make demo` on a fresh clone, installation included", value=round(first), unit="s",
            method="wall clock of the command; packages come from pip's usual sources and cache",
        ),
        "second_run_seconds": Metric(
            what="`make demo` again", value=round(second), unit="s", method="wall clock of the command"
        ),
        "scenes_simulated": Metric(
            what="Unseen scenes through the simulated engine", value=len(report.scenes), unit="",
            method="Verilated RTL; memory ddr3-shared",
        ),
        "layers_compared": Metric(
            what="Layers compared with the integer reference, on each scene", value=report.layers_compared, unit="",
            method="every map that the engine makes, every value",
        ),
        "layers_equal": Metric(what="All of them equal", value=report.layers_equal, unit="", method="bit for bit"),
        "integer_map50": Metric(
            what=f"mAP of the integer reference on {precision.scenes} unseen scenes", value=round(precision.map50, 4),
            unit="", method=precision.method,
        ),
        "density": Metric(
            what="Density of the weights", value=round(report.density, 4), unit="",
            method="nonzero weights / weights, all layers",
        ),
        "cycles": Metric(
            what="Clock cycles per frame, run alone, every layer stored", value=report.cycles, unit="",
            method="cycle counter of the engine, last scene",
        ),
    }  # fmt: skip
    write("demo", metrics, command="make results-demo", config=report.config, seed=report.seed)


def _make_demo(clone: Path) -> float:
    """Seconds that `make demo` takes; CalledProcessError if it fails."""
    # The clone's own modules and simulators, not those of the checkout that measures.
    environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "STERNA_BUILD_DIR")}
    start = monotonic()
    subprocess.run(["make", "-C", str(clone), "demo"], env=environment, check=True)
    return monotonic() - start


if __name__ == "__main__":
    main()
