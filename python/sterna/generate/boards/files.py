"""All files of a board's project in a generated folder."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath

from sterna.generate.boards.board import README, Board
from sterna.generate.boards.component import TOPS, interfaces, parameters
from sterna.generate.quartus.files import component_file
from sterna.generate.quartus.project import FAMILIES, project_files
from sterna.generate.templates import Templates
from sterna.spec import board as spec
from sterna.spec.config import EngineConfig
from sterna.spec.paths import SHELL, rtl_sources

#: Where they lie in the folder, and what is around the engine.
FOLDER, AROUND = "board", "shell"
TOP, SYSTEM = "sterna_board", "sterna_system"
_SYSTEM, _PINS, _MAKEFILE, _OVERLAY = "system.tcl", "pins.tcl", "Makefile", "sterna.dts"
_BITSTREAM = "sterna.rbf"
_TIMING = "sterna_shell.sdc"

#: To be run in the generated folder. The copy takes what Quartus writes: this folder holds only what was generated.
BOARD_COMMAND = f"mkdir -p build && cp -r {FOLDER} build && make -C build/{FOLDER}"

#: Where a Cyclone V's processor sees what is at its lightweight bridge, and its interrupt of the fabric's first:
#: Intel's Cyclone V Hard Processor System Technical Reference Manual, 683126.
_BRIDGE, _FIRST_INTERRUPT = 0xFF20_0000, 40

_render = Templates("sterna.generate.boards").render


def board_files(board: Board, config: EngineConfig, sources: Iterable[str]) -> dict[str, bytes]:
    """The files by their paths in the generated folder: component, system, project, pins, constraints, README.

    `sources`: the engine's files in order, by their paths in the folder. Raises SternaError if no clock is known for
    the config on this board.
    """
    around = {f"{AROUND}/{path.name}": path.read_bytes() for path in [*rtl_sources(SHELL), SHELL / _TIMING]}
    component = TOPS[board.kind]
    constraints = ["quartus/sterna.sdc", f"{AROUND}/{_TIMING}"]
    shell = [path for path in around if path.endswith(".sv")]
    files = {
        f"{component}_hw.tcl": component_file(
            config, component, component, [*sources, *shell], constraints, interfaces(board), parameters(board, config)
        ),
        README: board.readme().encode(),
        **_project(board, config, component),
    }
    return around | {f"{FOLDER}/{name}": data for name, data in files.items()}


def _project(board: Board, config: EngineConfig, component: str) -> dict[str, bytes]:
    """What is written by templates, and the project by edalize."""
    family, is_pro = FAMILIES[board.chip.family]
    values: dict[str, object] = {
        "board": board,
        "component": component,
        "family": family,
        "part": board.chip.part,
        "mhz": board.mhz(config),
        "ports": board.pinout().ports,
        "spec": spec,
        "system": SYSTEM,
        "top": TOP,
        "bitstream": _BITSTREAM,
        "project": f" --quartus-project={TOP}" if is_pro else "",
        "edition": "Pro" if is_pro else "Lite or Standard",
        **_of_kind(board),
    }
    timing = f"{TOP}.sdc"
    files = {
        _SYSTEM: _render(f"{board.kind}_{_SYSTEM}", **values),
        f"{TOP}.sv": _render("board.sv", **values),
        _PINS: _render(_PINS, **values),
        timing: _render(f"{board.kind}.sdc", **values),
        _MAKEFILE: _render(_MAKEFILE, **values),
    }
    if board.kind == "soc":
        files[_OVERLAY] = _render("soc_overlay.dts", **values)
    # Quartus Pro learns of the system when it is generated; the others take the list of its files.
    listed = [f"{TOP}.sv", timing, _PINS, *([] if is_pro else [f"{SYSTEM}/synthesis/{SYSTEM}.qip"])]
    project = project_files(TOP, board.chip, TOP, listed)
    return files | {f"{TOP}.tcl": project[f"{TOP}.tcl"]}


def _of_kind(board: Board) -> Mapping[str, object]:
    if board.kind == "soc":
        return {
            "prefix": "hps",
            "owner": "the processor",
            "ties": {},
            "outputs": [_BITSTREAM, str(PurePosixPath(_OVERLAY).with_suffix(".dtbo"))],
            "registers": _BRIDGE + spec.SOC_REGISTERS,
            "interrupt": _FIRST_INTERRUPT + spec.SOC_INTERRUPT,
        }
    return {
        "prefix": "pcie",
        "owner": "PCI Express",
        "ties": {"pcie_npor_npor": "1'b1"},
        "outputs": [f"{TOP}.sof"],
        "memory_bits": _address_bits(board.parameters["memory"]),
    }


def _address_bits(memory: Mapping[str, str]) -> int:
    """Bits of a byte address in a memory whose controller has these parameters, with 64 bits beside those of an ECC."""
    counted = ("ROW_ADDR", "COL_ADDR", "BANK_ADDR", "BANK_GROUP")
    return 3 + sum(int(memory[f"MEM_DDR4_{name}_WIDTH"]) for name in counted)
