"""`sterna generate --target hls`: a network as a project of high-level synthesis."""

from __future__ import annotations

from pathlib import Path

from sterna.cli.replaced import tell_replaced
from sterna.errors import SternaError
from sterna.generate.hls.folder import README, generate_hls
from sterna.generate.hls.tools import IO, TOOLS, check_tool
from sterna.package.graphs import read_graph

TARGET = "hls"


def check_unused(target: str | None, options: dict[str, object]) -> None:
    """Raise SternaError if one of `options`, by their names, is given that the target does not use."""
    for name, value in options.items():
        if value is not None:
            raise SternaError(
                "the option is for another target", where=f"--{name}", value=str(value),
                allowed=f"none with --target {target}" if target else f"with --target {TARGET}",
                remedy="leave it out, or name its target",
            )  # fmt: skip


def generate_network(package: Path | None, output: Path, tool: str | None, io: str | None, force: bool) -> None:
    """Write the network of a package or graph, and say what was estimated of it."""
    if package is None:
        raise SternaError(
            "no network is named", where="--package", value="(none)", allowed="a package or a graph file",
            remedy="name one",
        )  # fmt: skip
    tool, io = tool or next(iter(TOOLS)), io or IO[0]
    check_tool(tool, io)
    replaced, cycles = generate_hls(read_graph(package), output, tool, io, force=force)
    tell_replaced(output, replaced)
    print(f"{output}: project for {TOOLS[tool].title}, maps: {io}; see {README} there")
    print(f"estimate: {cycles.alone:,} cycles for a single frame, {cycles.queued:,} per frame when frames are queued")
