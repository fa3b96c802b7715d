"""What the compiler decides for a graph on a config; graph, config and this give the tape, always the same."""

from __future__ import annotations

from dataclasses import dataclass
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
class Plan:
    """The decisions: what is stored, where maps lie, and how each operation is spread over the engine."""

    #: Layers that the engine stores to result memory.
    stored: tuple[str, ...]
    #: First feature memory word of each map, by the layer that names it.
    bases: dict[str, int]
    #: The operation after which the next image may be loaded (None: after none).
    load_after: int | None
    spreads: tuple[Spread, ...]


_Number = Annotated[int, Field(ge=0, lt=1 << 31)]
_Positive = Annotated[int, Field(ge=1, lt=1 << 16)]


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class _SpreadRecord(_Record):
    tiles_at_once: _Positive
    parts: _Positive
    channels: _Positive


class _PlanRecord(_Record):
    stored: Annotated[list[str], FailFast()]
    bases: dict[str, _Number]
    load_after: _Number | None
    spreads: Annotated[list[_SpreadRecord], FailFast()]


def to_sections(plan: Plan) -> tuple[dict[str, Any], bytes]:
    """The plan as JSON values, and the payload of the section `filters`."""
    spreads = [
        _SpreadRecord(tiles_at_once=spread.tiles_at_once, parts=len(spread.parts), channels=spread.parts[0].channels)
        for spread in plan.spreads
    ]
    record = _PlanRecord(stored=list(plan.stored), bases=plan.bases, load_after=plan.load_after, spreads=spreads)
    filters = [part.filters.ravel() for spread in plan.spreads for part in spread.parts]
    joined = np.concatenate([np.zeros(0, np.int64), *filters])
    return record.model_dump(), np.where(joined < 0, ABSENT, joined).astype(_FILTER).tobytes()


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
    return Plan(tuple(record.stored), record.bases, record.load_after, tuple(spreads))
