"""The package: a tape, the graph it computes, and where the driver finds image and results."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.graph.graph import Graph
from sterna.package.plan import Plan
from sterna.spec import tape as tape_format
from sterna.spec.config import WORD_CHANNELS, EngineConfig

#: Offsets and lengths in the driver's memory; full YOLOv2 with every layer stored takes 9 MB of it.
_Bytes = Annotated[int, Field(ge=0, lt=1 << 30)]
_Count = Annotated[int, Field(ge=0, lt=1 << 64)]
_Size = Annotated[int, Field(ge=1, lt=1 << 32)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class InputRegion(_Record):
    """Where the driver writes the image: its bytes from `dram_offset` on."""

    layer: str
    dram_offset: _Bytes
    channels: _Size
    height: _Size
    width: _Size


class StoreRegion(_Record):
    """Where the engine writes a layer: channel words of `tiles_h * tiles_w` feature memory words each.

    `split`: the map lies split by phase, a quarter of the tile rows for each.
    """

    layer: str
    dram_offset: _Bytes
    #: Channel words in the region.
    words: _Size
    tiles_h: _Size
    tiles_w: _Size
    height: _Size
    width: _Size
    split: bool
    #: (channel word, byte in it) of each channel of the layer.
    channels: Annotated[
        tuple[tuple[_Count, Annotated[int, Field(ge=0, lt=WORD_CHANNELS)]], ...], FailFast(), Field(min_length=1)
    ]


class StepInfo(_Record):
    """What one step of the tape is for."""

    layers: Annotated[tuple[str, ...], FailFast()]
    op: Literal["LOAD", "CONV", "STORE", "TABLE", "FIRST"]
    #: Which part of the layer, from 0: one computes some of the filters.
    part: int = Field(ge=0)
    #: What the compiler expects of the step's counters (`sterna.package.counters.StepCounters`); 0 if it did not time.
    cycles: _Count
    busy: _Count
    wait_vectors: _Count
    wait_weights: _Count
    wait_drain: _Count
    #: Nonzero digits of the weights, and additions times the lanes whose pixels exist.
    nonzeros: _Count
    lane_work: _Count


class Schedule(_Record):
    """The metadata of a package, checked."""

    model_config = ConfigDict(frozen=True, extra="allow")

    input: InputRegion
    stores: Annotated[tuple[StoreRegion, ...], FailFast(), Field(min_length=1)]
    outputs: Annotated[tuple[str, ...], FailFast()]
    #: Bytes of the frame and of the result memory.
    frame_bytes: _Bytes
    result_bytes: _Bytes
    #: Bytes of the scratch memory of a frame, for what the engine stores there and loads again.
    scratch_bytes: _Bytes = 0
    #: What the compiler expects a frame alone to cost, step by step.
    steps: Annotated[tuple[StepInfo, ...], FailFast()]
    #: Clock cycles from one frame's end to the next one's, when frames are queued, as the compiler expects them; 0 if
    #: it did not time.
    queued_cycles: _Count

    @property
    def timed(self) -> bool:
        """Whether the compiler ran the cycle model. If not, cycles and waits of all steps are 0."""
        return self.queued_cycles > 0

    def check_timed(self, where: str) -> None:
        """Raise SternaError, for `where` cycles are needed, if the schedule is not timed."""
        if not self.timed:
            raise SternaError(
                "the package does not tell its cycles", where=where,
                remedy="compile the graph again without --no-cycles (in Python: cycles=True)",
            )  # fmt: skip

    @property
    def alone_cycles(self) -> int:
        """Clock cycles of a frame alone, but for those after its last step, as the compiler expects them."""
        return sum(step.cycles for step in self.steps)

    def stored(self, layer: str) -> StoreRegion | None:
        """The region that holds `layer`, if the engine stores it."""
        return next((store for store in self.stores if store.layer == layer), None)


@checked
@dataclass(frozen=True)
class Package:
    """One compiled model for one engine config.

    Raises SternaError if the metadata does not agree with graph, config and itself. The tape is not read
    here: the backends verify it.

    >>> package = sterna.compile("demo-nano")
    >>> package.config.name, package.schedule.outputs
    ('nano', ('output',))
    """

    graph: Graph
    tape: bytes = field(repr=False)
    config: EngineConfig
    #: JSON values; `schedule` is the same, checked and typed.
    metadata: dict[str, Any] = field(repr=False)
    #: What the compiler decided. Graph, config and plan give the tape.
    plan: Plan = field(repr=False, compare=False)
    schedule: Schedule = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        try:
            schedule = Schedule.model_validate(self.metadata)
        except ValidationError as error:
            first = error.errors()[0]
            raise _inconsistent(".".join(map(str, first["loc"])), first["input"], first["msg"]) from error
        object.__setattr__(self, "schedule", schedule)
        _check_input(self)
        for store in schedule.stores:
            _check_store(self, store)
        _expect("result_bytes", schedule.result_bytes, max(_end(self, store) for store in schedule.stores))
        for name in schedule.outputs:
            self.source_of(name)

    @checked
    def source_of(self, output: str) -> StoreRegion:
        """The region that holds the Output layer `output`, which may be stored under its input's name."""
        layer = next((layer for layer in self.graph.outputs if layer.name == output), None)
        if layer is None:
            raise _inconsistent("outputs", output, ", ".join(o.name for o in self.graph.outputs))
        store = self.schedule.stored(output) or self.schedule.stored(layer.input)
        if store is None:
            raise _inconsistent("outputs", output, "a stored layer")
        return store

    def verify_tape(self) -> None:
        """Check every byte of the tape; SternaError names the segment at fault or the config it is for."""
        found = tape_format.read(self.tape)
        if found.config_hash != self.config.hash:
            raise SternaError(
                "the tape is for another engine config",
                where="tape header",
                attribute="config hash",
                value=f"{found.config_hash:08x}",
                allowed=f"{self.config.hash:08x} ('{self.config.name}')",
                remedy="compile the graph for this config",
            )
        if len(found.steps) != len(self.schedule.steps):
            raise _inconsistent("steps", len(self.schedule.steps), f"{len(found.steps)}, like the tape")


def _inconsistent(attribute: str, value: object, allowed: str) -> SternaError:
    shown = str(value)
    return SternaError(
        "its parts contradict each other",
        where="package",
        attribute=attribute,
        value=shown if len(shown) <= 60 else shown[:57] + "...",
        allowed=allowed,
        remedy="compile the graph again",
    )


def _expect(attribute: str, value: object, expected: object) -> None:
    if value != expected:
        raise _inconsistent(attribute, value, str(expected))


def _expect_tiles(attribute: str, tiles: tuple[int, int], size: tuple[int, int], config: EngineConfig) -> None:
    _expect(attribute, tiles, (-(-size[0] // config.tile_h), -(-size[1] // config.tile_w)))


def _expect_inside(attribute: str, offset: int, size: int, total: int, config: EngineConfig) -> None:
    if offset + size > total:
        raise _inconsistent(attribute, f"{offset}..{offset + size}", f"inside {total} bytes")
    if offset % config.beat_bytes:
        raise _inconsistent(attribute, offset, f"a multiple of {config.beat_bytes}")


def _check_input(package: Package) -> None:
    region, layer = package.schedule.input, package.graph.input
    _expect("input.layer", region.layer, layer.name)
    shape = (region.channels, region.height, region.width)
    _expect("input.shape", shape, (layer.channels, layer.height, layer.width))
    total, size = package.schedule.frame_bytes, package.config.in_beats(math.prod(shape))
    _expect_inside("input.dram_offset", region.dram_offset, size, total, package.config)
    _expect("frame_bytes", total, region.dram_offset + size)


def _end(package: Package, store: StoreRegion) -> int:
    """The byte of the result memory after the region."""
    return store.dram_offset + store.words * store.tiles_h * store.tiles_w * package.config.word_bytes


def _tiles_and_size(store: StoreRegion) -> tuple[tuple[int, int], tuple[int, int]]:
    """Tiles and size of the map, or of one phase of it."""
    if store.split:
        return (store.tiles_h // 4, store.tiles_w), (store.height // 2, store.width // 2)
    return (store.tiles_h, store.tiles_w), (store.height, store.width)


def _check_store(package: Package, store: StoreRegion) -> None:
    where = f"stores['{store.layer}']"
    info = package.graph.info.get(store.layer)
    if info is None:
        raise _inconsistent(where, store.layer, "a layer of the graph")
    _expect(f"{where}.shape", (len(store.channels), store.height, store.width), info.shape)
    _expect_tiles(f"{where}.tiles", *_tiles_and_size(store), package.config)
    last = max(word for word, _ in store.channels)
    if last >= store.words:
        raise _inconsistent(f"{where}.channels", last, f"words 0 .. {store.words - 1}")
    size = store.words * store.tiles_h * store.tiles_w * package.config.word_bytes
    total = package.schedule.result_bytes
    _expect_inside(f"{where}.dram_offset", store.dram_offset, size, total, package.config)
