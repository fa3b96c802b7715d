"""The power of an engine: activity of a simulated frame x resources x published energies x clock.

Only what switches in the engine is followed module by module. The bytes on the board's memory come from the cycle
model; leakage and the rest of the board are there at all times. Nothing was measured, so each part is a band.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from sterna.estimate.activity import Activity
from sterna.estimate.band import Band, total
from sterna.estimate.energies import Energies
from sterna.estimate.engine import EngineEstimate
from sterna.estimate.resources import MLAB_BITS, Resources, resources
from sterna.spec.fpga import Fpga

#: Input bits of a DSP block: twice 18 + 19.
DSP_INPUTS = 74
SHELL = "shell"


@dataclass(frozen=True)
class ModulePower:
    """Watts of all instances of a module, without those of the modules in it."""

    module: str
    #: LUTs, adders, registers and memory ALMs whose outputs change.
    logic: Band
    #: Registers that are clocked.
    clock: Band
    block_ram: Band
    dsp: Band

    @property
    def all(self) -> Band:
        """The four together."""
        return total((self.logic, self.clock, self.block_ram, self.dsp))


@dataclass(frozen=True)
class Power:
    """Watts of an engine on its board."""

    mhz: int
    #: Modules of the engine and the shell, the largest first.
    modules: tuple[ModulePower, ...]
    #: The board's memory, with the pins of both sides.
    memory: Band
    #: Leakage of the chip.
    static: Band
    #: What else is on the board.
    board: Band

    @property
    def fpga(self) -> Band:
        """The chip alone."""
        return total((*(each.all for each in self.modules), self.static))

    @property
    def all(self) -> Band:
        """Chip, memory and board."""
        return total((self.fpga, self.memory, self.board))

    def frames_per_joule(self, frames: float) -> Band:
        """At `frames` frames per second."""
        return Band(frames / self.all.high, frames / self.all.low)


def estimate_power(
    size: EngineEstimate, activity: Activity, energies: Energies, mhz: int, bytes_per_second: float
) -> Power:
    """The power of the engine whose size is `size`, at a clock of `mhz`.

    bytes_per_second: what moves between engine and memory. Block RAM is taken to be used in every cycle, the shell to
    be as active as the engine and to run at its clock.
    """
    held: dict[str, list[tuple[Resources, int]]] = defaultdict(list)
    for part, count, usage in size.modules:
        held[part.module].append((resources(usage, size.fpga), count))
    modules = [_module(name, each, activity.of(name), energies, mhz) for name, each in held.items()]
    modules.append(_module(SHELL, [(_shell(size.fpga), 1)], activity.everywhere, energies, mhz))
    return Power(
        mhz=mhz,
        modules=tuple(sorted(modules, key=lambda each: -each.all.middle)),
        memory=energies.memory_bit.band * (8 * bytes_per_second * 1e-12),
        static=energies.static_alm.band * (size.fpga.alms * 1e-6),
        board=energies.board.band,
    )


def _shell(fpga: Fpga) -> Resources:
    """What the board needs in the chip; as many registers as half ALMs are assumed."""
    return Resources(
        lut_alms=fpga.shell_alms, flip_flops=2 * fpga.shell_alms, block_rams=fpga.shell_block_rams,
        dsp_halves=2 * fpga.shell_dsps,
    )  # fmt: skip


def _module(name: str, held: list[tuple[Resources, int]], toggles: Band, energies: Energies, mhz: int) -> ModulePower:
    def of(attribute: str) -> int:
        return sum(getattr(each, attribute) * count for each, count in held)

    watts = mhz * 1e-6  # of 1 pJ a cycle
    return ModulePower(
        module=name,
        logic=energies.half_alm_toggle.band * toggles * (2 * of("alms") * watts),
        clock=energies.register_clock.band * ((of("flip_flops") + MLAB_BITS * of("mlabs")) * watts),
        block_ram=energies.block_ram_clock.band * (of("block_rams") * watts),
        dsp=energies.dsp_toggle.band * toggles * (DSP_INPUTS * of("dsps") * watts),
    )
