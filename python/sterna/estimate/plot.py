"""The image of a search: the speed of each engine against its FPGA resources."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from sterna.estimate.engine import FULL
from sterna.estimate.explore import Point
from sterna.estimate.fpgas import Fpga
from sterna.files import write_atomically

#: Formats of the image.
SUFFIXES = (".png", ".svg", ".pdf")


def draw(points: Sequence[Point], best: Sequence[Point], fpga: Fpga, min_fps: float, output: Path) -> None:
    """Write an image of speed over ALMs, coloured by block RAM, to `output`; the best engines by name.

    The dashed lines are FULL of the FPGA and `min_fps`. Raises SternaError if the image cannot be written.
    """
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    drawn = axes.scatter(
        [100 * point.alms / fpga.alms for point in points],
        [point.frames(fpga) for point in points],
        c=[100 * point.block_rams / fpga.block_rams for point in points],
        vmin=0, vmax=100, cmap="viridis",
    )  # fmt: skip
    axes.axvline(100 * FULL, color="tab:red", linestyle="--", linewidth=1)
    axes.axhline(min_fps, color="tab:gray", linestyle="--", linewidth=1)
    middle = sum(axes.get_xlim()) / 2
    for point in best:
        place = (100 * point.alms / fpga.alms, point.frames(fpga))
        # Names point towards the middle, so that none leaves the image.
        side, shift = ("right", -4) if place[0] > middle else ("left", 4)
        axes.annotate(point.config.name, place, textcoords="offset points", xytext=(shift, 4), fontsize=7, ha=side)
    axes.set(xlabel=f"ALMs, % of {fpga.name} (estimate)", ylabel=f"frames/s at {fpga.mhz} MHz (estimate)")
    figure.colorbar(drawn, label="block RAM, %")
    kind = output.suffix.lower().removeprefix(".")
    write_atomically(output, lambda partial: figure.savefig(partial, format=kind, dpi=150))
