"""Simulated shells: a generated engine behind the clock crossings and the bus of a board, with a memory on that bus."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from sterna.generate.rtl import generate
from sterna.native import libsterna
from sterna.package.package import Package
from sterna.run import open_backend, simulator
from sterna.run.backend import Backend
from sterna.run.compare import Comparison, compare_backends
from sterna.run.engine import EngineBackend
from sterna.spec.config import EngineConfig
from sterna.spec.memory import Memory
from sterna.spec.paths import SHELL, rtl_sources
from support.engines import SIMULATORS

#: Where the memory lies: a system on chip has 32 bits of address.
BASES = {"sterna_soc": 0x3800_0000, "sterna_pcie": 0x1_2340_0000}
TOPS = tuple(BASES)
BYTES = 1 << 26


@dataclass(frozen=True)
class Shell:
    """A top of hw/boards/rtl and the width of its memory's bus in bits; sources read as synthesis reads them."""

    top: str
    memory_bits: int
    as_synthesised: bool = False

    def options(self, config: EngineConfig) -> tuple[str | Path, ...]:
        """What Verilator needs besides the engine of `config`."""
        values = {"EngineDataW": config.axi_data_w, "MemoryDataW": self.memory_bits}
        others = [path for path in rtl_sources(SHELL) if path.stem == self.top or path.stem not in TOPS]
        return (
            *("--top-module", self.top),
            *(f"-G{name}={value}" for name, value in values.items()),
            *(("-UVERILATOR",) if self.as_synthesised else ()),
            *others,
        )


@contextmanager
def simulated_shell(
    config: EngineConfig,
    shell: Shell,
    *,
    memory: Memory | None = None,
    stall: float = 0.0,
    seed: int = 1,
    plant: tuple[str, str] | None = None,
) -> Iterator[Backend]:
    """The engine of `config` in `shell` as an open backend.

    `memory` is by default that of the config; its cycles are those of the bus. `seed` decides the ratio of the clocks
    as well. `plant` (text, replacement) damages the shell's sources first, to show that a check can fail.
    """
    memory = memory or config.memory_timing
    with TemporaryDirectory() as name:
        generate(config, Path(name) / "engine")
        options = shell.options(config)
        if plant:
            options = _planted(options, Path(name), *plant)
        program = simulator.build(Path(name) / "engine", SIMULATORS, shell=options)
    transport = libsterna.Simulation(str(program), base=BASES[shell.top], bytes=BYTES)
    transport.timing = libsterna.SimulatedTiming(
        memory.latency, memory.latency, round(stall * 1000), seed,
        memory.refresh_every, memory.refresh_cycles, memory.gap_every, memory.gap_cycles,
    )  # fmt: skip
    with EngineBackend(transport) as backend:
        yield backend


def compare_frames(backend: Backend, package: Package, count: int = 2) -> Comparison:
    """Every stored map of `count` random images, one queued after the other, with the reference's."""
    shape = package.graph.info[package.graph.input.name].shape
    images = np.random.default_rng(0).integers(-128, 128, (count, *shape)).astype(np.int8)
    with open_backend("reference:") as reference:
        return compare_backends(reference, backend, package, images)


def frame_equal(shell: Shell, package: Package) -> bool:
    """Whether the engine of `package` in `shell` gives the reference's maps, every one that is stored."""
    with simulated_shell(package.config, shell) as backend:
        return compare_frames(backend, package).equal


def _planted(options: tuple[str | Path, ...], folder: Path, text: str, replacement: str) -> tuple[str | Path, ...]:
    """The options with the one file that holds `text` replaced by a damaged copy."""
    (damaged,) = (each for each in options if isinstance(each, Path) and text in each.read_text("utf-8"))
    before = damaged.read_text("utf-8")
    assert before.count(text) == 1
    copy = folder / damaged.name
    copy.write_text(before.replace(text, replacement), "utf-8")
    return tuple(copy if each == damaged else each for each in options)
