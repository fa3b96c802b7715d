"""Cycle estimate of a CONV step: the loader, the weight stream, the units and the drain, block by block."""

from __future__ import annotations

import numpy as np

from sterna.compile.encode import EncodedPass
from sterna.compile.lower import PHASES
from sterna.compile.schedule import Pass
from sterna.spec.config import WORD_CHANNELS, EngineConfig

#: Cycles from a step's descriptor to its first weight beat, and from the last addition to the last written word,
#: with memory that answers at once; counted in RTL simulation.
STEP_START = 40
DRAIN_LATENCY = 16
#: Groups of tiles that are followed one by one before the rest is taken to repeat the last.
_FOLLOWED_GROUPS = 4


def conv_cycles(
    config: EngineConfig, chosen: Pass, encoded: EncodedPass, *, pool: bool, tiles: int, tiles_at_once: int
) -> int:
    """Cycles that a pass takes over all tiles of its map."""
    groups = -(-tiles // tiles_at_once)
    followed = min(groups, _FOLLOWED_GROUPS)
    ends = _follow(config, chosen, encoded, pool, tiles_at_once, followed)
    rest = (groups - followed) * (ends[-1] - ends[-2] if followed > 1 else 0)
    drain = chosen.channels * (len(PHASES) if pool else 1)
    return round(STEP_START + chosen.filters.size * config.beat_bytes / 8 / config.beat_bytes + ends[-1] + rest) + (
        drain + DRAIN_LATENCY
    )


def _follow(
    config: EngineConfig, chosen: Pass, encoded: EncodedPass, pool: bool, tiles_at_once: int, groups: int
) -> list[float]:
    """Time at which the units end each group of tiles."""
    streams = encoded.entries.shape[1]
    load = np.maximum(encoded.lines, encoded.fetches * tiles_at_once)
    beats = encoded.fetches + encoded.rounds * (streams * config.chunk_bytes / config.beat_bytes) + 2
    drain = chosen.channels * (len(PHASES) if pool else 1)
    stolen = drain / min(config.units, chosen.channels)
    lead = config.fifo_chunks * config.chunk_bytes
    loaded = streamed = 0.0
    units = np.zeros(streams)
    released = [0.0, 0.0]
    drained = [0.0, 0.0]
    ends = []
    for _ in range(groups):
        units = np.maximum(units, drained[-2])
        for index in range(len(load)):
            loaded = max(loaded, released[-2]) + load[index]
            streamed = max(streamed, units.min() - lead) + beats[index]
            units = np.maximum(units, loaded + WORD_CHANNELS) + encoded.entries[index]
            units = np.maximum(units, streamed)
            released.append(float(units.max()))
        units += stolen
        ends.append(float(units.max()))
        drained.append(max(drained[-1], ends[-1]) + drain)
    return ends
