"""What lies between an engine and a board's ports, by open synthesis: its size, its paths, those of both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from sterna.estimate import paths
from sterna.estimate.engine import estimate_engine
from sterna.estimate.hierarchy import Instance, Part, elaborate
from sterna.estimate.resources import Resources, resources, total
from sterna.estimate.supported_clock import SupportedClock, time_paths
from sterna.estimate.synthesis import Synthesis
from sterna.generate.boards.board import Board
from sterna.generate.boards.component import TOPS, parameters
from sterna.generate.rtl import generate
from sterna.generate.rtl.folder import TOP
from sterna.spec.config import EngineConfig
from sterna.spec.fpga import Fpga
from sterna.spec.paths import build_cache


@dataclass(frozen=True)
class ShellPart:
    """A module in a board's top beside the engine, with all that it holds.

    Its ports are taken for registers, as those of the vendor's bridges are. Paths of all its clocks are alike here, so
    the slowest has to meet the fastest of them.
    """

    module: str
    resources: Resources
    slowest: paths.Path


def estimate_shell(board: Board, config: EngineConfig) -> list[ShellPart]:
    """The parts of the shell of an engine of `config` on `board`, whose FPGA is 80 % full.

    Raises SternaError if the config has no clock on the board, or a tool fails.
    """
    with _elaborated(board, config) as (top, synthesis):
        return [_part(each, board.chip, synthesis) for each in _around(top)]


def estimate_board_clock(board: Board, config: EngineConfig) -> SupportedClock:
    """The clock of an engine of `config` in the shell of `board`, with the paths between both; raises likewise."""
    chip = board.chip
    with _elaborated(board, config) as (top, synthesis):
        alms = {part: resources(usage, chip).alms for part, _, usage in estimate_engine(config, chip).modules}
        for each in _around(top):
            alms |= {part: found.alms for part, found in _sizes(each, chip, synthesis).items()}
        # What is left is wires.
        alms = dict.fromkeys(top.counts, 0) | alms
        return time_paths(top, alms, chip, synthesis)


@contextmanager
def _elaborated(board: Board, config: EngineConfig) -> Iterator[tuple[Instance, Synthesis]]:
    """The instances of the board's top, and synthesis of its sources."""
    with TemporaryDirectory(prefix="sterna-") as name:
        folder = Path(name)
        generate(config, folder, board=board)
        # As for the engine alone: the hash costs nothing, and results are found again.
        engine = folder / TOP
        engine.write_text(engine.read_text("utf-8").replace(f"32'h{config.hash:08x}", "0"), "utf-8")
        values = {key: str(value) for key, value in parameters(board, config).items()}
        yield elaborate(TOPS[board.kind], values, folder), Synthesis(folder, build_cache() / "synthesis")


def _around(top: Instance) -> Iterator[Instance]:
    """The instances beside the engine."""
    return (each for _, each in top.named if each.part.module != Path(TOP).stem)


def _part(instance: Instance, fpga: Fpga, synthesis: Synthesis) -> ShellPart:
    sizes = _sizes(instance, fpga, synthesis)
    clock = time_paths(instance, {part: found.alms for part, found in sizes.items()}, fpga, synthesis)
    every = total(sizes[part] * count for part, count in instance.counts.items())
    return ShellPart(instance.part.module, every, clock.slowest[0])


def _sizes(instance: Instance, fpga: Fpga, synthesis: Synthesis) -> dict[Part, Resources]:
    return {part: resources(synthesis.usage(part, held), fpga) for part, held in instance.kinds.items()}
