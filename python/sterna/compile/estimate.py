"""Cycle estimate of a CONV step: the loader, the weight stream, the units and the drain, block by block."""

from __future__ import annotations

import numpy as np

from sterna.compile.encode import EncodedPass
from sterna.compile.lower import PHASES
from sterna.compile.schedule import Pass
from sterna.spec.config import EngineConfig

# Counted in RTL simulation with a memory that answers a burst after 20 cycles.
#: From a step's start to its first WEIGHTS beat, without the REQUANT words.
STEP_START = 40
#: From the end of a WEIGHTS stream to the first beat of the same stream again.
STREAM_AGAIN = 10
#: From a fetch word to its line in the line buffers and on to the first addition.
LINE_LATENCY = 12
#: From the last accumulator read to the last word in the feature memory.
DRAIN_LATENCY = 16
#: What LOAD and STORE take besides their beats.
MOVE_START = 180
#: Groups of tiles that are followed one by one before the rest is taken to repeat the last.
_FOLLOWED_GROUPS = 4


def move_cycles(config: EngineConfig, words: int) -> int:
    """Cycles of a LOAD or STORE of `words` feature memory words."""
    return words * config.word_beats + MOVE_START


def conv_cycles(
    config: EngineConfig, chosen: Pass, encoded: EncodedPass, *, pool: bool, tiles: int, tiles_at_once: int
) -> int:
    """Cycles that a pass takes over all tiles of its map."""
    groups = -(-tiles // tiles_at_once)
    followed = min(groups, _FOLLOWED_GROUPS)
    drain = chosen.channels * (len(PHASES) if pool else 1)
    ends = _follow(config, chosen, encoded, drain, tiles_at_once, followed)
    rest = (groups - followed) * (ends[-1] - ends[-2] if followed > 1 else 0)
    return round(STEP_START + chosen.filters.size + ends[-1] + rest + drain + DRAIN_LATENCY)


def _follow(
    config: EngineConfig, chosen: Pass, encoded: EncodedPass, drain: int, tiles_at_once: int, groups: int
) -> list[float]:
    """Time at which the slowest unit ends each group of tiles.

    One WEIGHTS stream feeds all: fetch words one block ahead, then rounds, which flow as fast as the bus or, once the
    unit FIFOs are full, the units. A block's lines are loaded when their half of the line buffers is left.
    """
    load = np.maximum(encoded.lines, encoded.fetches * tiles_at_once)
    beats = encoded.rounds * (encoded.busy.shape[1] * config.chunk_bytes / config.beat_bytes) + 1
    stolen = drain / min(config.units, chosen.channels)
    lead = config.fifo_chunks * config.chunk_bytes
    stream = loaded = 0.0
    units = np.zeros(encoded.busy.shape[1])
    left, drained, ends = [0.0, 0.0], [0.0, 0.0], list[float]()
    for _ in range(groups):
        units = np.maximum(units, drained[-2])
        stream += encoded.fetches[0] + 1
        fetched = stream
        for index in range(len(load)):
            loaded = max(loaded, left[-2], fetched) + load[index]
            if index + 1 < len(load):
                stream += encoded.fetches[index + 1] + 1
                fetched = stream
            units = np.maximum(units, max(loaded + LINE_LATENCY, stream)) + encoded.busy[index]
            stream = max(stream + beats[index], units.max() - lead)
            units = np.maximum(units, stream)
            left.append(float(units.max()))
        stream += STREAM_AGAIN
        units += stolen
        ends.append(float(units.max()))
        drained.append(max(drained[-1], ends[-1]) + drain)
    return ends
