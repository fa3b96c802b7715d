"""The named FPGAs of hw/configs/fpgas.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar, Literal

from pydantic import ConfigDict, Field

from sterna.errors import SternaError
from sterna.spec import named
from sterna.spec.paths import CONFIGS
from sterna.validated import Validated

FPGAS = CONFIGS.with_name("fpgas.yaml")

_Count = Annotated[int, Field(ge=1)]
_Taken = Annotated[int, Field(ge=0)]


class Fpga(Validated):
    """What an FPGA of Intel's ALM families has."""

    model_config = ConfigDict(strict=True, use_attribute_docstrings=True)
    _field: ClassVar[str] = "parameter"
    _remedy: ClassVar[str] = "correct the file"

    name: str
    """Name of the FPGA."""
    family: Literal["arria10", "cyclone5"]
    """Family whose cell delays apply; see python/sterna/estimate/timing.py."""
    part: str = ""
    """Part number by which Quartus knows the chip. Empty: no Quartus project can be made for it."""
    part_source: str = ""
    """Where the part number comes from."""
    speed_grade: _Count
    """Speed grade of the chip: larger is slower."""
    alms: _Count
    """Adaptive logic modules."""
    mlabs: _Count
    """Groups of ten ALMs that can be a memory of 32 words of 20 bits instead."""
    block_rams: _Count
    """M20K or M10K blocks."""
    block_ram_words: _Count
    """Words of such a block when they are 40 bits wide."""
    dsps: _Count
    """DSP blocks."""
    mhz: _Count
    """Target clock of an engine on it."""
    clocks: dict[str, _Count] = Field(default_factory=dict)
    """MHz that the named configs for it support, as estimated; tests hold them to it."""
    shell_clocks: dict[str, _Count] = Field(default_factory=dict)
    """MHz of those that the paths between engine and shell slow down on a board, likewise."""
    shell_alms: _Taken = 0
    """ALMs of what the board needs beside the engine: bridges, DMA, memory controller, clock crossings."""
    shell_mlabs: _Taken = 0
    """MLABs of the same; they are ALMs as well."""
    shell_block_rams: _Taken = 0
    """Block RAM of the same."""
    shell_dsps: _Taken = 0
    """DSP blocks of the same."""
    shell_own_alms: _Taken = 0
    """Of these ALMs, those of Sterna's own shell around the engine, as synthesised for the named configs."""
    shell_own_mlabs: _Taken = 0
    """MLABs of the same."""
    shell_source: str = "none counted"
    """Where these numbers come from."""

    @property
    def period(self) -> float:
        """Picoseconds of a cycle of that clock."""
        return 1e6 / self.mhz


def fpga_of(config: str, path: Path = FPGAS) -> str | None:
    """Name of the FPGA that the file says config `config` is for; None if it names none."""
    named_for = (name for name, fields in named.read_all(path, "FPGA").items() if config in fields.get("clocks", ()))
    return next(named_for, None)


def about_fpgas(path: Path = FPGAS) -> dict[str, str]:
    """What the file says about each FPGA, a sentence by name."""
    return named.about(path, "FPGA")


def load_fpga(spec: str) -> Fpga:
    """A named FPGA, or `FILE.yaml:NAME`. Raises SternaError if there is none or the file is wrong.

    >>> load_fpga("gx1150").family
    'arria10'
    """
    path, name = named.place(spec, FPGAS)
    name, fields = named.read(path, "FPGA", name, "name one of these or give FILE.yaml:NAME")
    where = f"{path}: {name}"
    if not isinstance(fields, dict):
        raise SternaError("is not a mapping of resources", where=where, remedy="describe it like the others there")
    return Fpga.model_validate({"name": name} | fields, context=where)
