"""The memory on an engine's bus, as simulation and cycle model see it: one named set of timing parameters.

In a cycle of refresh or of a gap no beat moves. Both begin anew with each frame, when its tape is first read, so that
every frame takes the same time. `sim/harness/axi_memory.cpp`, `hw/tb/sterna_tb_memory.sv` and
`sterna.compile.clock.bus` do the same with these numbers.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import ConfigDict, Field, model_validator

from sterna.errors import SternaError
from sterna.spec import named
from sterna.spec.paths import CONFIGS
from sterna.validated import Validated

MEMORIES = CONFIGS.with_name("memories.yaml")
#: The memory of a config that names none.
DEFAULT = "ddr4-2133"
#: The memory that answers soon and never pauses.
IDEAL = "ideal"
#: Cycles of the slowest memory.
MOST_LATENCY = 100_000

#: What the file holds.
_KIND = "memory timing"
_Period = Annotated[int, Field(ge=1, le=1_000_000)]
_Cycles = Annotated[int, Field(ge=0, le=999_999)]


class Memory(Validated):
    """The timing of a memory, in clock cycles of the engine.

    >>> load_memory("ideal").share
    1.0
    """

    model_config = ConfigDict(strict=True, use_attribute_docstrings=True)
    _field: ClassVar[str] = "parameter"
    _remedy: ClassVar[str] = "see docs/reference/configs.md for each field"

    name: str
    """Name of the memory."""
    latency: Annotated[int, Field(ge=0, le=MOST_LATENCY)]
    """Cycles from the address of a burst to its first beat, or from its last beat to the response to a write."""
    refresh_every: _Period
    """Cycles from one refresh to the next."""
    refresh_cycles: _Cycles
    """Cycles of a refresh, in which no beat moves."""
    gap_every: _Period
    """Cycles from one gap to the next. Gaps are what changes of rows and other masters cost."""
    gap_cycles: _Cycles
    """Cycles of a gap, in which no beat moves."""

    @model_validator(mode="after")
    def _beats_move(self) -> Memory:
        if self.refresh_cycles >= self.refresh_every or self.gap_cycles >= self.gap_every:
            raise ValueError("refresh_cycles must be less than refresh_every, gap_cycles less than gap_every")
        return self

    @property
    def share(self) -> float:
        """Beats that it moves, of those that the bus could: 0 .. 1."""
        return (1 - self.refresh_cycles / self.refresh_every) * (1 - self.gap_cycles / self.gap_every)


def about_memories(path: Path = MEMORIES) -> dict[str, str]:
    """What the file says about each memory, a sentence by name."""
    return named.about(path, _KIND)


def load_memory(spec: str) -> Memory:
    """A named memory, or `FILE.yaml:NAME`. Raises SternaError if there is none or the file is wrong.

    >>> load_memory("ddr4-2133").latency
    60
    """
    path, name = named.place(spec, MEMORIES)
    name, fields = named.read(path, _KIND, name, "name one of these or give FILE.yaml:NAME")
    where = f"{path}: {name}"
    if not isinstance(fields, dict):
        raise SternaError("is not a mapping of cycles", where=where, remedy=f"describe it like those in {MEMORIES}")
    return Memory.model_validate({"name": name} | fields, context=where)
