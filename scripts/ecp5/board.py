"""The board in simulation, FPGA and memory, behind a pseudo-terminal as on a desk behind a USB serial port."""

from __future__ import annotations

import os
import struct
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ecp5 import flow
from sterna.errors import SternaError
from sterna.run.simulator import make_flags, verilator_root
from sterna.run.transports.serial import SerialTransport
from sterna.spec.serial import BAUD

#: Cycles of a bit on the line in simulation of the RTL, which is shorter than on the board to save time.
SHORT_BIT = 4
#: Cycles of a bit in the netlist; `BitCycles` of ulx3s_top.
BIT = round(flow.MHZ * 1_000_000 / BAUD)

_OPTIONS = (
    "--cc", "--exe", "--build", "--build-jobs", "2", "--no-timing", "--assert", "-O3", "--x-assign", "fast",
    "--x-initial", "unique", "-Wno-fatal", "-Wno-lint", "-Wno-style", "--top-module", "ulx3s_sim",
)  # fmt: skip


def build_rtl(folder: Path) -> Path:
    """The program that simulates the board with the RTL, built in `folder`."""
    listed = flow.sources(folder / "engine")
    return _build(folder, listed, SHORT_BIT, [f"-GBitCycles={SHORT_BIT}"])


def build_netlist(folder: Path, netlist: Path) -> Path:
    """The program that simulates the board with the netlist in Verilog of place and route."""
    return _build(folder, [netlist], BIT, ["+define+NETLIST"])


class Board:
    """A board that `process` simulates."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stdin and process.stdout
        self._asked, self._answers = process.stdin, process.stdout
        #: The board's serial port.
        self.port = Path(self._answers.readline().decode().strip())

    def read(self, address: int, size: int) -> bytes:
        """`size` bytes of the SDRAM, in no time."""
        self._ask(b"r", address, size)
        return self._answers.read(size)

    def write(self, address: int, data: bytes) -> None:
        """Write `data` to the SDRAM, in no time."""
        self._ask(b"w", address, len(data), data)
        self._answers.read(1)

    def _ask(self, command: bytes, address: int, size: int, data: bytes = b"") -> None:
        self._asked.write(struct.pack("<cII", command, address, size) + data)
        self._asked.flush()


class NearTransport(SerialTransport):
    """Registers by the serial line of a simulated board, memory beside it, which saves the cycles of its bytes."""

    def __init__(self, board: Board, *, patience: float) -> None:
        super().__init__(board.port, patience=patience)
        self._board = board

    def read_memory(self, address: int, size: int) -> bytes:
        """`size` bytes of the SDRAM from `address` on."""
        return self._board.read(address, size)

    def write_memory(self, address: int, data: bytes) -> None:
        """Write `data` to the SDRAM."""
        self._board.write(address, bytes(data))


@contextmanager
def running(program: Path) -> Iterator[Board]:
    """The board that `program` simulates, as long as it runs."""
    process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert process.stdin and process.stdout
    try:
        yield Board(process)
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def _build(folder: Path, sources: Iterable[Path], bit_cycles: int, options: list[str]) -> Path:
    made = folder / "simulator"
    models = [*sorted(flow.MODELS.glob("*.sv")), flow.MODELS / "cells.v", flow.MODELS / "simulator.cpp"]
    made.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [
            verilator_root() / "bin" / "verilator", *_OPTIONS, *options, "-CFLAGS", f"-DBIT_CYCLES={bit_cycles}",
            "--Mdir", made, *sources, *models,
        ],
        env=os.environ | {"MAKEFLAGS": make_flags(OPT_FAST="-O1")}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        lines = [line for line in (done.stdout + done.stderr).splitlines() if "rror" in line]
        raise SternaError(
            f"the build failed: {lines[0] if lines else 'no output'}", where=str(made), remedy="correct it"
        )
    return made / "Vulx3s_sim"
