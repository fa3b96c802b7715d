"""The steps of a tape as they are compiled, and the cycles that each of them takes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sterna.compile.build import BuiltStep, Streamed
from sterna.package import layout
from sterna.package.counters import StepCounters
from sterna.spec import tape
from sterna.spec.config import WORD_CHANNELS, EngineConfig
from sterna.spec.memory import Memory
from sterna.spec.tape import ALIGN, Op

if TYPE_CHECKING:
    from sterna.compile.clock.frame import Work

#: Cycles per streamed byte of the tape after which a frame is given up: no frame takes that long.
_PATIENCE, _LEAST_PATIENCE = 64, 1_000_000


@dataclass(frozen=True)
class FrameTime:
    """Cycles of a frame, and the counters of its steps."""

    cycles: int
    steps: tuple[StepCounters, ...]


class Clock:
    """Tells the time of the steps of a tape, which `build` made with what they stream."""

    def __init__(self, config: EngineConfig, steps: Sequence[BuiltStep]) -> None:
        self._config = config
        self._steps = [step.fields for step in steps]
        self._parts = [step.streamed for step in steps if step.streamed is not None]

    def frame(self, tape_bytes: int, *, queued: bool = False, memory: Memory | None = None) -> FrameTime:
        """The time of a frame with a tape of `tape_bytes`: a single one, or one of many that are `queued`.

        `memory` is on the bus, by default that of the config.
        A queued one finds its image loaded and loads the next one's, if the tape has a LOAD in the background.
        """
        # numba compiles the model and takes long to import.
        from sterna.compile.clock import frame, jit

        work = self._work()
        memory = memory or self._config.memory_timing
        streamed = sum(step["weights_bytes"] * step["tile_groups"] for step in self._steps if step["op"] == Op.CONV)
        overlaps = queued and any(step["next"] for step in self._steps)
        with jit.cache_in_use():
            parts = frame.parts(self._config, memory, work, tape_bytes // ALIGN, has_image=overlaps, is_queued=overlaps)
            patience = (_LEAST_PATIENCE + _PATIENCE * (tape_bytes + streamed)) * (1 + memory.latency // ALIGN)
            ends = frame.run(parts, work, int(patience / memory.share))
        assert ends[-1, 0], "the frame does not end"
        steps = np.diff(ends[:-1], axis=0, prepend=0)
        return FrameTime(int(ends[-1, 0]), tuple(StepCounters(*map(int, step)) for step in steps))

    def _work(self) -> Work:
        from sterna.compile.clock import state
        from sterna.compile.clock.frame import Work

        steps = np.zeros(len(self._steps), state.STEP)
        parts, sizes = iter(self._parts), np.zeros(3, np.int64)
        following = -1
        for index, fields in enumerate(self._steps):
            streamed = next(parts) if fields["op"] == Op.CONV else None
            values = self._plain_fields(fields) if streamed is None else self._conv_fields(fields, streamed, sizes)
            for name, value in values.items():
                steps[index][name] = value
            if streamed is not None:
                sizes += len(streamed.rounds), len(streamed.after), len(streamed.records)
        for index in reversed(range(len(steps))):
            steps[index]["next_conv"] = following
            following = index if steps[index]["op"] == Op.CONV else following
        return Work(
            steps,
            np.concatenate([np.zeros(0, np.uint8), *(part.rounds for part in self._parts)]),
            np.concatenate([np.zeros(0, np.uint8), *(part.operations for part in self._parts)]),
            np.concatenate([np.zeros(0, np.int64), *(part.after for part in self._parts)]),
            _records(state.RECORD, [part.records for part in self._parts]),
        )

    def _plain_fields(self, fields: dict[str, int]) -> dict[str, int]:
        """Of a step without WEIGHTS."""
        if fields["op"] in (Op.TABLE, Op.FIRST):
            return {"op": Op.TABLE, "requant_lines": fields["requant_bytes"] // tape.ALIGN}
        return self._move_fields(fields)

    def _conv_fields(self, fields: dict[str, int], streamed: Streamed, sizes: Any) -> dict[str, int]:
        config = self._config
        first, fetch, record = sizes.tolist()
        round_bytes = config.all_pes // fields["tiles_at_once"] * tape.ENTRY.size
        return {
            "op": fields["op"],
            **_beside(fields),
            "tiles": fields["out_plane"],
            "shared": fields["tiles_at_once"],
            "groups": fields["tile_groups"],
            "filters": fields["filters"],
            "pool": fields["pool"],
            "requant_lines": fields["requant_bytes"] // tape.ALIGN,
            "weights_lines": fields["weights_bytes"] // tape.ALIGN,
            "round": first,
            "rounds": len(streamed.rounds),
            "round_beats": max(1, round_bytes // config.beat_bytes),
            "beat_rounds": max(1, config.beat_bytes // round_bytes),
            "fetch": fetch,
            "fetches": len(streamed.after),
            "record": record,
            "records": len(streamed.records),
        }

    def _move_fields(self, fields: dict[str, int]) -> dict[str, int]:
        beat_bytes = self._config.beat_bytes
        # Frames and results begin at a page.
        address = fields["dram_offset"] // beat_bytes
        values = {"op": fields["op"], "address": address, "beats": fields["dram_bytes"] // beat_bytes}
        if fields["op"] == Op.LOAD:
            pieces = self._word_pieces if fields["scratch"] else self._pieces
            values |= pieces(fields) | {name: fields[name] for name in ("next", "scratch")}
            values |= self._first_layer(fields) if fields["group_words"] else {}
        return values | _beside(fields)

    def _pieces(self, fields: dict[str, int]) -> dict[str, int]:
        """The pieces of a LOAD's frame, laid out as the driver does: all, those of a row, bytes of a whole one and of
        the last one of a row."""
        config, channels = self._config, fields["filters"]
        interleaved = layout.is_interleaved(channels)
        row = fields["in_full_cols"] + (fields["in_extra_cols"] > 0)
        rows = fields["in_full_rows"] * config.tile_h + fields["in_extra_rows"]
        pixel = channels if interleaved else 1
        return {
            "pieces": rows * row * (1 if interleaved else channels),
            "row_pieces": row,
            "piece_bytes": config.tile_w * pixel,
            "last_bytes": (fields["in_extra_cols"] or config.tile_w) * pixel,
        }

    def _first_layer(self, fields: dict[str, int]) -> dict[str, int]:
        """The first layer that a LOAD computes."""
        config, pooled = self._config, int(fields["pool"] == tape.Pool.MAX)
        columns = fields["in_full_cols"] * config.tile_w + fields["in_extra_cols"]
        return {
            "first_words": fields["group_words"],
            "pooled": pooled,
            "rows": fields["in_full_rows"] * config.tile_h + fields["in_extra_rows"],
            "map_cols": columns // 2 if pooled else columns,
            "tile_w": config.tile_w,
            "last_pixels": fields["in_extra_cols"] or config.tile_w,
        }

    def _word_pieces(self, fields: dict[str, int]) -> dict[str, int]:
        """The pieces of a LOAD from scratch memory: the rows of each word, the last one with its padding."""
        config = self._config
        row = config.tile_w * WORD_CHANNELS
        return {
            "pieces": fields["fm_words"] * config.tile_h,
            "row_pieces": config.tile_h,
            "piece_bytes": row,
            "last_bytes": row + config.word_bytes - config.lanes * WORD_CHANNELS,
        }


def _beside(fields: dict[str, int]) -> dict[str, int]:
    """What may go on beside a step."""
    beside = fields["beside"]
    return {"beside_stores": beside % tape.BESIDE_LOADS, "beside_loads": beside // tape.BESIDE_LOADS}


def _records(layout: np.dtype[Any], parts: list[Any]) -> Any:
    """Rows of integers as an array of records."""
    rows = np.concatenate([np.zeros((0, len(layout.names or ())), np.int64), *parts])
    return np.ascontiguousarray(rows, np.int64).view(layout).ravel()
