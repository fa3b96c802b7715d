"""What the compiler decides for a graph on a config; graph, config and this give the tape, always the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, FailFast, Field, ValidationError

from sterna.errors import SternaError
from sterna.package.container import AGAIN
from sterna.spec.config import WORD_CHANNELS, EngineConfig
from sterna.spec.package import ABSENT, PackageSection

_FILTER = np.dtype("<u2")


@dataclass(frozen=True)
class Part:
    """The filters that one CONV step computes. `filters[s, i]` is drained channel i of filter group s, or -1."""

    filters: NDArray[np.int64]

    @property
    def channels(self) -> int:
        """Channels that each cluster drains."""
        return int(self.filters.shape[1])

    @property
    def group_words(self) -> int:
        """Channel words of a filter group."""
        return -(-self.channels // WORD_CHANNELS)

    @property
    def words(self) -> int:
        """Channel words of the part."""
        return int(self.filters.shape[0]) * self.group_words


@dataclass(frozen=True)
class Spread:
    """An operation's parts and the number of tiles that the clusters work on at once."""

    tiles_at_once: int
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Bands:
    """How an operation runs that reads scratch memory, or makes maps for it: band after band of rows of tiles."""

    #: Rows of tiles of its map in a band.
    rows: int
    #: First word of the buffer that rows of its sources are loaded into, and how many it holds; 0 if nothing is loaded.
    input_base: int
    input_rows: int
    #: First words of the buffers in which bands are made in turn; none if what it makes stays in the feature memory.
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Plan:
    """The decisions: what is stored, where maps lie, and how each operation is spread over the engine."""

    #: Layers that the engine stores to result memory.
    stored: tuple[str, ...]
    #: First feature memory word of each map that lies in it as a whole, by the layer that names it. Others spill: they
    #: lie in scratch memory, or of the image in the frame's.
    bases: dict[str, int]
    #: The operation after which the next image may be loaded (None: after none).
    load_after: int | None
    spreads: tuple[Spread, ...]
    #: Of the operations that read or make what spills, by their numbers.
    bands: Mapping[int, Bands] = field(default_factory=dict)
    #: LOAD computes the first operation: its map lies where the image would.
    first_layer: bool = False


_Number = Annotated[int, Field(ge=0, lt=1 << 31)]
_Positive = Annotated[int, Field(ge=1, lt=1 << 16)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _SpreadRecord(_Record):
    tiles_at_once: _Positive
    parts: _Positive
    channels: _Positive


class _BandsRecord(_Record):
    operation: _Number
    rows: _Positive
    input_base: _Number
    input_rows: _Number
    outputs: Annotated[list[_Number], Field(max_length=2)]


class _PlanRecord(_Record):
    stored: Annotated[list[str], FailFast()]
    bases: dict[str, _Number]
    load_after: _Number | None
    spreads: Annotated[list[_SpreadRecord], FailFast()]
    #: Plans by which nothing spills say nothing of it.
    bands: Annotated[list[_BandsRecord], FailFast()] = Field(default_factory=list)
    #: Nor do plans by which LOAD only loads.
    first_layer: bool = False


def to_sections(plan: Plan) -> tuple[dict[str, Any], bytes]:
    """The plan as JSON values, and the payload of the section `filters`."""
    spreads = [
        _SpreadRecord(tiles_at_once=spread.tiles_at_once, parts=len(spread.parts), channels=spread.parts[0].channels)
        for spread in plan.spreads
    ]
    bands = [
        _BandsRecord(operation=operation, **asdict(each) | {"outputs": list(each.outputs)})
        for operation, each in plan.bands.items()
    ]
    record = _PlanRecord(
        stored=list(plan.stored), bases=plan.bases, load_after=plan.load_after, spreads=spreads, bands=bands,
        first_layer=plan.first_layer,
    )  # fmt: skip
    filters = [part.filters.ravel() for spread in plan.spreads for part in spread.parts]
    joined = np.concatenate([np.zeros(0, np.int64), *filters])
    packed = np.where(joined < 0, ABSENT, joined).astype(_FILTER).tobytes()
    unsaid = {name for name in ("bands", "first_layer") if not getattr(record, name)}
    return record.model_dump(exclude=unsaid), packed


def from_sections(values: object, filters: bytes, config: EngineConfig) -> Plan:
    """The plan that `to_sections` wrote. Raises SternaError if it is none; the compiler checks it against the graph."""
    try:
        record = _PlanRecord.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        raise SternaError(
            f"its schedule is damaged ({first['msg']})", attribute=".".join(map(str, first["loc"])), remedy=AGAIN
        ) from error
    if len(filters) % _FILTER.itemsize:
        raise SternaError("holds a part of a filter's number", remedy=AGAIN)
    numbers = np.frombuffer(filters, _FILTER).astype(np.int64)
    numbers[numbers == ABSENT] = -1
    spreads, at = [], 0
    for spread in record.spreads:
        shape = (config.clusters // spread.tiles_at_once, spread.channels)
        size = shape[0] * shape[1]
        if at + spread.parts * size > len(numbers) or not size:
            break
        parts = numbers[at : at + spread.parts * size].reshape(spread.parts, *shape)
        spreads.append(Spread(spread.tiles_at_once, tuple(Part(part) for part in parts)))
        at += spread.parts * size
    if at != len(numbers) or len(spreads) != len(record.spreads):
        section = PackageSection.FILTERS.text
        raise SternaError("its parts contradict each other", attribute=section, value=len(numbers), remedy=AGAIN)
    bands = {
        each.operation: Bands(each.rows, each.input_base, each.input_rows, tuple(each.outputs)) for each in record.bands
    }
    return Plan(tuple(record.stored), record.bases, record.load_after, tuple(spreads), bands, record.first_layer)
