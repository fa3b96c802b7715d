"""Random legal engine configs for differential tests."""

from __future__ import annotations

import numpy as np

from sterna.spec.config import EngineConfig


def random_config(rng: np.random.Generator, *, act_bits: int = 8, acc_bits: int = 20) -> EngineConfig:
    """A small legal config with room for the graphs of `random_graph`; equal generator states give equal configs."""
    axi_data_w = int(rng.choice([64, 128, 256]))
    pes = int(rng.choice([4, 4, 8]))
    clusters = int(rng.choice([1, 2, 4]))
    return EngineConfig(
        name="random",
        tile_h=int(rng.choice([3, 5, 7])),
        tile_w=int(rng.choice([3, 5, 7])),
        clusters=clusters,
        drains=int(rng.choice([drains for drains in (1, 2, 4) if drains <= clusters])),
        pes=pes,
        accumulators=int(rng.choice([4, 8, 16])),
        act_w=act_bits,
        acc_w=max(acc_bits, int(rng.choice([acc_bits, 24]))),
        mul_w=18,
        fm_words=8192,
        axi_data_w=axi_data_w,
        burst_beats=int(rng.choice([16, 32, 64])),
    )
