"""What circuits of an FPGA family take, from hw/configs/energies.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sterna.errors import SternaError
from sterna.estimate.band import Band
from sterna.spec import named
from sterna.spec.paths import CONFIGS
from sterna.validated import Validated

ENERGIES = CONFIGS.with_name("energies.yaml")
#: The most value is at most so many times the least one: more is a slip of a unit.
MOST_APART = 10

#: What the file holds.
KIND = "family of energies"
_Value = Annotated[float, Field(ge=0.001, le=1000)]


class Figure(BaseModel):
    """A published value, between its least and its most."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")

    low: _Value
    high: _Value
    source: Annotated[str, Field(min_length=20)]

    @model_validator(mode="after")
    def _is_a_band(self) -> Figure:
        if not self.low <= self.high <= MOST_APART * self.low:
            raise ValueError(f"high must be from low to {MOST_APART} times low")
        return self

    @property
    def band(self) -> Band:
        """Without the source."""
        return Band(self.low, self.high)


class Energies(Validated):
    """What the circuits of a family take."""

    model_config = ConfigDict(strict=True, use_attribute_docstrings=True)
    _field: ClassVar[str] = "figure"
    _remedy: ClassVar[str] = "correct the file"

    name: str
    """Name of the family."""
    half_alm_toggle: Figure
    """pJ when the output of half an ALM changes, its wires included."""
    register_clock: Figure
    """pJ of a register in a cycle of the clock, the clock's wires included."""
    block_ram_clock: Figure
    """pJ of a block RAM in a cycle in which it is used."""
    dsp_toggle: Figure
    """pJ when an input bit of a DSP block changes."""
    memory_bit: Figure
    """pJ of a bit that is read from the board's memory or written to it."""
    static_alm: Figure
    """uW for each ALM that the chip has, at all times: leakage of everything on it."""
    board: Figure
    """W of the board at all times, besides FPGA and memory."""


def load_energies(family: str, path: Path = ENERGIES) -> Energies:
    """The energies of a family of FPGAs. Raises SternaError if none are known or the file is wrong."""
    remedy = "name an FPGA of one of these families, or add this one to the file with the sources of its figures"
    name, fields = named.read(path, KIND, family, remedy)
    where = f"{path}: {name}"
    if not isinstance(fields, dict):
        raise SternaError("is not a mapping of figures", where=where, remedy="describe it like the others there")
    return Energies.model_validate({"name": name} | fields, context=where)
