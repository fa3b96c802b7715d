"""Writes a config, with a package if given, as a folder that simulators and synthesis tools can use as is."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.generate.boards.board import Board
from sterna.generate.boards.files import BOARD_COMMAND, board_files
from sterna.generate.quartus.files import FIT_COMMAND, quartus_files
from sterna.generate.rtl import testbench
from sterna.generate.rtl.images import images
from sterna.generate.rtl.output import BUILD, Replaced, write_folder
from sterna.generate.rtl.top import parameters
from sterna.generate.templates import Templates
from sterna.package.package import Package
from sterna.run.simulator import FILE_LIST, PARAMETERS
from sterna.spec.config import EngineConfig
from sterna.spec.fpga import Fpga
from sterna.spec.paths import LINT, RTL, TESTBENCH, rtl_sources
from sterna.spec.ports import ports

TOP, README = "sterna_top.sv", "README.txt"
WAIVERS = "lint/waivers.vlt"
#: To be run in the folder.
LINT_COMMAND = f"verilator --lint-only -Wall --top-module {Path(TOP).stem} {WAIVERS} -f {FILE_LIST}"
TESTBENCH_LIST, BENCH_PACKAGE = "testbench.f", "sterna_tb_pkg.sv"
TESTBENCH_COMMAND = (
    f"verilator --binary -j 0 --assert -CFLAGS -std=c++20 -MAKEFLAGS 'CFG_CXXFLAGS_PCH_I=-include PYTHON3=python3'"
    f" --Mdir {BUILD} --top-module sterna_tb {WAIVERS} -f {TESTBENCH_LIST} && {BUILD}/Vsterna_tb"
)
SOURCES, MEMORY, BENCH = "rtl", "memory", "tb"

_render = Templates("sterna.generate.rtl").render


def generate(
    config: EngineConfig,
    out_dir: Path,
    package: Package | None = None,
    image: NDArray[np.int8] | None = None,
    *,
    quartus: Fpga | None = None,
    board: Board | None = None,
    force: bool = False,
) -> Replaced:
    """Write the engine of `config` to `out_dir`: with the memory images of `package` if there is one, and with a
    testbench for `image` int8[C, H, W] if there is one too; with files for Quartus if an FPGA is named, and with the
    project of a board if one is.

    The same input gives the same bytes. An earlier generated folder is replaced. Raises SternaError if the package is
    for another config, its tape is damaged, the FPGA has no part number, or the folder holds what `generate` did not
    write and `force` does not say to overwrite it (see `write_folder`).
    """
    files = _engine_files(config)
    engine = _listed(files)
    chip = quartus if board is None else board.chip
    if chip is not None:
        files |= quartus_files(config, chip, engine, Path(TOP).stem)
    if board is not None:
        files |= board_files(board, config, engine)
    if package is not None:
        _check_package(config, package)
        files |= {f"{MEMORY}/{name}": data for name, data in images(package).items()}
    if package is not None and image is not None:
        files |= _testbench_files(package, image)
    files[README] = _render(
        README,
        name=config.name,
        axi_data_w=config.axi_data_w,
        has_package=package is not None,
        has_image=TESTBENCH_LIST in files,
        quartus=chip,
        fit=FIT_COMMAND,
        board=board,
        project=BOARD_COMMAND,
        lint=LINT_COMMAND,
        testbench=TESTBENCH_COMMAND,
    )
    return write_folder(out_dir, files, _about(config), force=force)


def _check_package(config: EngineConfig, package: Package) -> None:
    if package.config.hash != config.hash:
        raise SternaError(
            "the package is for another engine config",
            where="package",
            attribute="config",
            value=f"{package.config.name} ({package.config.hash:08x})",
            allowed=f"{config.name} ({config.hash:08x})",
            remedy="compile the graph for this config, or generate the engine of the package's config",
        )
    package.verify_tape()


def _engine_files(config: EngineConfig) -> dict[str, bytes]:
    """The engine and what tools need for it, by path inside the folder."""
    values = parameters(config)
    about = {**_about(config), "top": Path(TOP).stem, "parameters": values}
    files = {name: path.read_bytes() for name, path in _sources().items()}
    files[TOP] = _render(TOP, name=" ".join(config.name.split()), ports=ports(config), parameters=values)
    files[FILE_LIST] = _list(files)
    files[WAIVERS] = (LINT / Path(WAIVERS).name).read_bytes()
    files[PARAMETERS] = (json.dumps(about, indent=1) + "\n").encode()
    return files


def _testbench_files(package: Package, image: NDArray[np.int8]) -> dict[str, bytes]:
    package.schedule.check_timed("testbench")
    files = {f"{BENCH}/{BENCH_PACKAGE}": _render(BENCH_PACKAGE, **testbench.values(package))}
    files |= {f"{BENCH}/{path.name}": path.read_bytes() for path in sorted(TESTBENCH.glob("*.sv"))}
    memory = {f"{MEMORY}/{name}": data for name, data in testbench.memory_files(package, image).items()}
    return files | memory | {TESTBENCH_LIST: _list([*_sources(), TOP, *files])}


def _list(names: Iterable[str]) -> bytes:
    """A file list for tools."""
    return "".join(f"{name}\n" for name in names).encode()


def _listed(files: Mapping[str, bytes]) -> list[str]:
    """The sources in the file list."""
    return files[FILE_LIST].decode().split()


def _about(config: EngineConfig) -> dict[str, object]:
    return {"config": config.model_dump(), "config_hash": config.hash}


def _sources() -> dict[str, Path]:
    """The engine's sources by their paths inside the folder, in the order in which tools take them."""
    sources = {f"{SOURCES}/{path.relative_to(RTL)}": path for path in rtl_sources()}
    if not sources:
        raise SternaError("holds no RTL", where=str(RTL), remedy="install Sterna again")
    return sources
