"""Images: the speed of each engine of a search against its FPGA resources, and of one engine against its memory."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from matplotlib.figure import Figure

from sterna.errors import SternaError
from sterna.estimate.bandwidth import MemoryPoint
from sterna.estimate.engine import FULL
from sterna.estimate.explore import Point
from sterna.estimate.performance import Performance
from sterna.files import check_file, write_atomically
from sterna.spec.fpga import Fpga

#: Formats of an image.
SUFFIXES = (".png", ".svg", ".pdf")


def check_image(output: Path, source: Path) -> None:
    """Raise SternaError, before any work is done, if an image of what is in `source` could not be written."""
    if output.suffix.lower() not in SUFFIXES:
        raise SternaError(
            "is not an image name", where=str(output), attribute="output", value=output.suffix or "(no suffix)",
            allowed=" ".join(SUFFIXES), remedy=f"give for example {output.stem}.png",
        )  # fmt: skip
    check_file(output, inputs=[source])


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
    _save(figure, output)


def draw_memories(points: Sequence[MemoryPoint], own: Performance, output: Path) -> None:
    """Write an image of speed over sustained bandwidth, a line per latency, to `output`, with the point of `own`.

    Raises SternaError if the image cannot be written.
    """
    figure = Figure(figsize=(9, 6), layout="constrained")
    axes = figure.subplots()
    for latency in dict.fromkeys(point.latency for point in points):
        mine = [point for point in points if point.latency == latency]
        axes.plot(
            [point.bandwidth for point in mine], [own.mhz * 1e6 / point.cycles for point in mine],
            marker=".", label=f"{latency} cycles of latency",
        )  # fmt: skip
    axes.plot(own.sustained_bandwidth / 1e9, own.frames, "k*", markersize=12, label=own.config.memory)
    axes.axvline(own.bus_bandwidth / 1e9, color="tab:gray", linestyle="--", linewidth=1, label="bus")
    axes.set(xlabel="GB/s that the memory sustains", ylabel=f"frames/s at {own.mhz} MHz, frames queued", ylim=(0, None))
    axes.grid(alpha=0.3)
    axes.legend()
    _save(figure, output)


def _save(figure: Figure, output: Path) -> None:
    kind = output.suffix.lower().removeprefix(".")
    write_atomically(output, lambda partial: figure.savefig(partial, format=kind, dpi=150))
