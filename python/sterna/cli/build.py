"""`sterna compile` and `sterna generate`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sterna import recognise
from sterna.cli import hls
from sterna.cli.progress import bar
from sterna.cli.replaced import tell_replaced
from sterna.compile import compile_graph
from sterna.compile.packages import load as load_package
from sterna.errors import SternaError
from sterna.files import check_file
from sterna.generate.boards import files as boards
from sterna.generate.boards.board import Board, load_board
from sterna.generate.quartus.files import FOLDER
from sterna.generate.rtl import generate
from sterna.generate.rtl.folder import README
from sterna.package import file as package_file
from sterna.package.graphs import read_graph
from sterna.package.package import Package
from sterna.spec.config import EngineConfig, load_config
from sterna.spec.fpga import Fpga, about_fpgas, fpga_of, load_fpga
from sterna.vision import inputs

#: What project files can be written for.
_TARGET = "quartus"
#: The config that is generated if neither it nor a board is named.
_CONFIG = "nano"


def compile_package(graph: Path, config: str, output: Path, trace: bool, cycles: bool) -> None:
    """Compile the graph file for the named config and write the package."""
    source, engine = read_graph(graph), load_config(config)
    _check_output(output, graph)
    with bar("compile") as show:
        package = compile_graph(source, engine, trace=trace, cycles=cycles, progress=show)
    package_file.save(package, output)
    print(f"{output}: {len(package.tape):,} bytes of tape for '{engine.name}'")
    if cycles:
        alone, queued = package.schedule.alone_cycles, package.schedule.queued_cycles
        print(f"{alone:,} cycles for a single frame, {queued:,} per frame when frames are queued")


def _check_output(output: Path, graph: Path) -> None:
    """Raise SternaError, before any work is done, if the package could not be written or something would be lost."""
    # A package holds its graph.
    check_file(output, inputs=[graph], room=graph.stat().st_size if graph.is_file() else 0)
    recognise.check_replaces(output, recognise.PACKAGE)


def generate_engine(
    config: str | None,
    package: Path | None,
    image: Path | None,
    output: Path,
    target: str | None,
    fpga: str | None,
    board: str | None,
    force: bool,
) -> None:
    """Write the engine of the named config, with memory images of a package, a testbench for an image and project
    files for a target or a board, if given."""
    place = _board(board, target, fpga)
    engine = load_config(config or (_CONFIG if place is None else place.config))
    chip = _chip(engine, target, fpga) if place is None else place.chip
    model: Package | None = None if package is None else load_package(package)
    frame = None if image is None else _frame(model, image)
    replaced = generate(engine, output, model, frame, quartus=chip, board=place, force=force)
    tell_replaced(output, replaced)
    print(f"{output}: engine '{engine.name}' ({engine.lanes} lanes, {engine.all_pes} PEs)")
    if frame is not None:
        print(f"Run the testbench by the command in {output / README}.")
    if chip is not None:
        print(f"Quartus: {output / FOLDER}, for {chip.name} ({chip.part}); {output / README} tells how to use it.")
    if place is not None:
        print(f"Board: {output / boards.FOLDER}, for {place.name} at {place.mhz(engine)} MHz; see README.md there.")


def _board(name: str | None, target: str | None, fpga: str | None) -> Board | None:
    """The board that a project is for; None if there is to be none. It has its own FPGA, and comes with its target."""
    if name is None:
        return None
    if fpga is not None:
        raise SternaError(
            "a board has an FPGA of its own", where="--fpga", value=fpga, remedy="name --fpga or --board, not both"
        )
    if target not in (None, _TARGET):
        _chip(load_config(_CONFIG), target, fpga)
    return load_board(name)


def _chip(engine: EngineConfig, target: str | None, fpga: str | None) -> Fpga | None:
    """The FPGA that project files are for; None if there are to be none."""
    if target is None and fpga is None:
        return None
    if target != _TARGET:
        raise SternaError(
            "an FPGA is for a target" if target is None else "there is no such target",
            where="--target", value=target or "(none)",
            allowed=_TARGET if target is None else ", ".join((_TARGET, hls.TARGET)), remedy="name that target",
        )  # fmt: skip
    name = fpga or fpga_of(engine.name)
    if name is None:
        raise SternaError(
            "no FPGA is named for this config", where="--fpga", value="(none)", allowed=", ".join(about_fpgas()),
            remedy="name one of these, or name the config under clocks: of one in hw/configs/fpgas.yaml",
        )  # fmt: skip
    return load_fpga(name)


def _frame(package: Package | None, image: Path) -> NDArray[np.int8]:
    """The image, or map, as the input of the package's graph: int8 [C, H, W]."""
    if package is None:
        raise SternaError(
            "an image needs a package, whose graph takes it as input",
            where="--image",
            value=str(image),
            remedy="name the package with --package",
        )
    return inputs.read(package.graph, image)
