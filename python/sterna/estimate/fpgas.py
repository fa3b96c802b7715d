"""The named FPGAs of hw/configs/fpgas.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sterna.errors import SternaError
from sterna.spec import named
from sterna.spec.paths import CONFIGS

FPGAS = CONFIGS.with_name("fpgas.yaml")

_Count = Annotated[int, Field(ge=1)]


class Fpga(BaseModel):
    """What an FPGA of Intel's ALM families has."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, use_attribute_docstrings=True)

    name: str
    """Name of the FPGA."""
    family: Literal["arria10", "cyclone5"]
    """Family whose cell delays apply; see python/sterna/estimate/timing.py."""
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

    @property
    def period(self) -> float:
        """Picoseconds of a cycle of that clock."""
        return 1e6 / self.mhz


def about_fpgas(path: Path = FPGAS) -> dict[str, str]:
    """What the file says about each FPGA, a sentence by name."""
    return named.about(path, "FPGA")


def load_fpga(name: str, path: Path = FPGAS) -> Fpga:
    """The FPGA `name`. Raises SternaError if there is none or the file is wrong."""
    name, fields = named.read(path, "FPGA", name, "name one of these or describe it in that file")
    if not isinstance(fields, dict):
        raise SternaError(
            "is not a mapping of resources", where=f"{path}: {name}", remedy="describe it like the others in the file"
        )
    try:
        return Fpga.model_validate({"name": name} | fields)
    except ValidationError as error:
        first = error.errors()[0]
        where = f"{path}: {name}.{'.'.join(map(str, first['loc']))}"
        raise SternaError(
            "is not a legal FPGA", where=where, value=first["input"],
            allowed=first["msg"].removeprefix("Input should be "), remedy="correct the file",
        ) from error  # fmt: skip
