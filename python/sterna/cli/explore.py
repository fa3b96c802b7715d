"""`sterna explore`: the engines that run a graph fast enough on an FPGA, as a table and an image."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from sterna.cli.progress import bar
from sterna.estimate.explore import Point, front, search
from sterna.estimate.plot import check_image, draw
from sterna.package.graphs import read_graph
from sterna.spec.config import load_config
from sterna.spec.fpga import Fpga, load_fpga
from sterna.spec.paths import build_cache


def explore(graph: Path, config: str, fpga: str, min_fps: float, output: Path) -> None:
    """Search engines like the named config, print the best ones and draw all of them.

    Results are cached, so an interrupted search resumes.
    """
    base, target, source = load_config(config), load_fpga(fpga), read_graph(graph)
    check_image(output, graph)
    with bar("explore") as show:
        points = search(source, base, target, min_fps, build_cache() / "explore", show)
    best = front(points)
    Console().print(point_table(best, target))
    draw(points, best, target, min_fps, output)
    print(f"{len(points)} engines reach {min_fps:g} frames/s, {sum(p.fits(target) for p in points)} of them fit")
    print(f"Image: {output}")


def point_table(points: Sequence[Point], fpga: Fpga) -> Table:
    """A row per point, fastest first."""
    table = Table(
        title=f"Pareto-optimal engines in speed, ALMs and block RAM, on {fpga.name} (estimate)",
        caption="engine: tile - clusters x PEs - accumulators - drains; words: feature memory",
        box=SIMPLE_HEAD,
        collapse_padding=True,
        pad_edge=False,
    )
    table.add_column("engine", no_wrap=True)
    for name in ("words", "frames/s", "ALMs", "", "RAM", "", "DSP", "fits"):
        table.add_column(name, justify="right", no_wrap=True)
    for point in points:
        table.add_row(
            point.config.name,
            f"{point.config.fm_words:,}",
            f"{point.frames(fpga):,.0f}",
            f"{point.alms:,}",
            f"{point.alms / fpga.alms:.0%}",
            f"{point.block_rams:,}",
            f"{point.block_rams / fpga.block_rams:.0%}",
            f"{point.dsps:,}",
            "yes" if point.fits(fpga) else "no",
        )
    return table
