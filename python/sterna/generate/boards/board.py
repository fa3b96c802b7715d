"""The boards of hw/boards: one folder each, with a description, the pins and a README."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import ConfigDict, Field, model_validator

from sterna.errors import SternaError
from sterna.spec.config import EngineConfig
from sterna.spec.fpga import Fpga, load_fpga
from sterna.spec.memory import Memory, load_memory
from sterna.spec.paths import BOARDS
from sterna.text import read_text, read_yaml
from sterna.validated import Validated

DESCRIPTION, PINS, README = "board.yaml", "pins.yaml", "README.md"
_WHAT = "the description of a board"
#: Clock of the hard IP for PCI Express Gen3 x8 with 256 bits, and how many cycles of a DDR4's clock one of its
#: controller's takes, at the rate that boards have.
_PCIE_MHZ, _DDR4_RATE = 250.0, 4
_Text = Annotated[str, Field(min_length=1)]


class Bit(NamedTuple):
    """One wire of a port: its name in Quartus, its pin, and the pin of its complement, if it is a pair."""

    name: str
    pin: str
    negative: str | None


class _Described(Validated):
    """A record of a board's files."""

    model_config = ConfigDict(use_attribute_docstrings=True, strict=True)
    _field: ClassVar[str] = "field"
    _remedy: ClassVar[str] = "see python/sterna/generate/boards/board.py for each field"


class Port(_Described):
    """A port of the project's top, on pins of the chip."""

    name: _Text
    """Its name: that of an interface which the Platform Designer system exports, and the role in it."""
    direction: Literal["input", "output", "inout"]
    """As the chip sees it."""
    standard: _Text
    """I/O standard, as Quartus calls it."""
    pins: _Text
    """Names of the pins, the lowest bit first."""
    negative: str = ""
    """Pins of the complements of differential pairs, in the same order; the complement has no port."""
    bus: bool = False
    """Whether a port of one pin is a bus of one bit."""
    numbered: bool = False
    """Whether each of its pins is a port of its own, with its number at the end of the name."""
    settings: dict[str, str] = Field(default_factory=dict)
    """More that Quartus assigns to each of its pins: termination, strength."""
    source: _Text
    """Which of the file's sources says so."""
    tested: bool | None = None
    """Whether the source has tested the pins on the board; None: it is the maker's, or does not say."""

    @property
    def width(self) -> int:
        """Number of its pins."""
        return len(self.pins.split())

    @property
    def range(self) -> str:
        """Its range in SystemVerilog; empty for plain wires."""
        return f"[{self.width - 1}:0]" if self.bus or (self.width > 1 and not self.numbered) else ""

    @property
    def names(self) -> list[str]:
        """The ports that it is in SystemVerilog."""
        return [f"{self.name}{number}" for number in range(self.width)] if self.numbered else [self.name]

    def bits(self) -> Iterator[Bit]:
        """Its wires, the lowest first."""
        negatives: list[str | None] = [*self.negative.split()] or [None] * self.width
        names = [f"{self.name}[{index}]" for index in range(self.width)] if self.range else self.names
        yield from map(Bit, names, self.pins.split(), negatives)

    @model_validator(mode="after")
    def _pairs(self) -> Port:
        if self.negative and len(self.negative.split()) != self.width:
            raise ValueError(f"negative must name {self.width} pins, one per pin")
        return self


class Pinout(_Described):
    """The pins of a board that its project uses."""

    sources: dict[str, _Text]
    """Public documents by a short name."""
    settings: dict[str, dict[str, str]] = Field(default_factory=dict)
    """What ports have in common, for the file to refer to."""
    ports: list[Port] = Field(min_length=1)
    """All ports of the top."""

    @model_validator(mode="after")
    def _sourced(self) -> Pinout:
        unknown = sorted({port.source for port in self.ports} - self.sources.keys())
        if unknown:
            raise ValueError(f"source must be one of {', '.join(self.sources)}, not {', '.join(unknown)}")
        return self


class Place(_Described):
    """An assignment to a place in the design."""

    name: _Text
    """What Quartus is told."""
    value: _Text
    """Its value."""
    to: _Text
    """The place, from the top."""


class Board(_Described):
    """A board: what its project is made of."""

    name: _Text
    """Name of its folder."""
    about: _Text
    """A sentence for people."""
    kind: Literal["soc", "pcie"]
    """How a host reaches the engine: the backend by that name."""
    fpga: _Text
    """Its chip, in hw/configs/fpgas.yaml."""
    part: str = ""
    """The chip's part number, if it is not that of `fpga`: the same chip, no slower, in another package."""
    config: _Text
    """The config that is generated if none is named."""
    memory: _Text
    """The timing of its memory, in hw/configs/memories.yaml."""
    memory_data_w: Literal[64, 128, 256, 512, 1024]
    """Bits of data of the port to the memory."""
    clock_mhz: Annotated[int, Field(ge=1)]
    """Clock of the oscillator that the engine's PLL starts from."""
    parameters: dict[str, dict[str, str]]
    """Parameters of the vendor's IP that are facts of this board, by instance."""
    sources: dict[str, _Text]
    """Public documents that they come from, by instance."""
    places: list[Place] = Field(default_factory=list)
    """What the memory's controller asks of the Fitter."""

    @property
    def folder(self) -> Path:
        """Where its files are."""
        return BOARDS / self.name

    @property
    def chip(self) -> Fpga:
        """The chip, with the part number of this board."""
        chip = load_fpga(self.fpga)
        return chip.model_copy(update={"part": self.part or chip.part})

    @property
    def memory_timing(self) -> Memory:
        """The timing of its memory."""
        return load_memory(self.memory)

    def pinout(self) -> Pinout:
        """Its pins. Raises SternaError if the file is wrong."""
        return Pinout.model_validate(_read(self.folder / PINS), context=str(self.folder / PINS))

    def readme(self) -> str:
        """Parts, steps, what to expect, and what nobody has run."""
        return read_text(self.folder / README, "how to use a board")

    def mhz(self, config: EngineConfig) -> int:
        """The clock of `config` in the shell of this board, as the estimate supports it.

        Raises SternaError if there is none.
        """
        clocks = self.chip.clocks | self.chip.shell_clocks
        if config.name in clocks:
            return clocks[config.name]
        raise SternaError(
            "no clock is known for the config on this board",
            where=f"board {self.name}",
            attribute="config",
            value=config.name,
            allowed=", ".join(clocks),
            remedy=f"estimate it (sterna estimate), and add it to clocks: of {self.fpga} in hw/configs/fpgas.yaml",
        )

    def bus_mhz(self, config: EngineConfig) -> dict[str, float]:
        """The clocks of the buses to registers and memory. Raises SternaError like `mhz`."""
        if self.kind == "soc":
            return dict.fromkeys(("registers", "memory"), float(self.mhz(config)))
        return {
            "registers": _PCIE_MHZ,
            "memory": float(self.parameters["memory"]["PHY_DDR4_MEM_CLK_FREQ_MHZ"]) / _DDR4_RATE,
        }


def about_boards() -> dict[str, str]:
    """A sentence about each board by name."""
    return {name: load_board(name).about for name in _names()}


def load_board(name: str) -> Board:
    """The board of that name. Raises SternaError if there is none or its file is wrong."""
    if name not in _names():
        raise SternaError(
            "no such board", where=str(BOARDS), attribute="board", value=name or "(none)",
            allowed=", ".join(_names()), remedy="name one of these, or describe it in a folder there",
        )  # fmt: skip
    path = BOARDS / name / DESCRIPTION
    return Board.model_validate({"name": name} | _read(path), context=str(path))


def _names() -> list[str]:
    return sorted(path.parent.name for path in BOARDS.glob(f"*/{DESCRIPTION}"))


def _read(path: Path) -> dict[str, Any]:
    found = read_yaml(path, _WHAT, "correct the file")
    if not isinstance(found, dict):
        raise SternaError("is no mapping of fields", where=str(path), remedy="describe the board like the others")
    return found
