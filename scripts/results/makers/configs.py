"""docs/results/configs.json: the named engine configs on their FPGAs, with the frames per second of three networks.

Sizes and frames are estimates, from open synthesis and from the compiler's cycle model.
"""

from __future__ import annotations

import numpy as np

from results.record import Metric, TableRow, write
from sterna.cli.estimate import measure
from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.estimate.engine import FULL
from sterna.estimate.performance import performance
from sterna.graph import Graph
from sterna.spec.config import EngineConfig, load_config
from sterna.spec.fpga import load_fpga
from support.network_graphs import random_network_graph

SEED, DENSITY = 0, 0.15
#: The FPGA that each config is meant for.
FPGAS = {"arria10": "gx1150", "cyclone5": "de10-nano", "nano": "de10-nano"}
#: Side of the image of each network.
NETWORKS = {"yolov2": 416, "yolov2-tiny": 224, "yolov2-nano": 160}
TOO_LARGE = "memory too small"


def main() -> None:
    """Estimate and write."""
    graphs = {
        name: random_network_graph(np.random.default_rng(SEED), name, side, side, density=DENSITY)
        for name, side in NETWORKS.items()
    }
    rows = [_row(load_config(config), fpga, graphs) for config, fpga in FPGAS.items()]
    metrics = {
        "configs": Metric(
            what="Engine configs", value=len(rows), unit="",
            method=f"sizes: open synthesis; frames: the compiler's cycle model, batch 1, density {DENSITY}",
        ),
        "over_the_line": Metric(
            what="Of these, larger than 85 % of their FPGA", value=sum(not row["fits"] for row in rows), unit="",
            method="ALMs, MLABs, block RAM and DSP blocks, estimated",
        ),
    }  # fmt: skip
    write("configs", metrics, command="make results-configs", seed=SEED, rows=rows)


def _row(config: EngineConfig, fpga_name: str, graphs: dict[str, Graph]) -> TableRow:
    fpga = load_fpga(fpga_name)
    size, mhz = measure(config, fpga), min(fpga.mhz, fpga.clocks[config.name])
    row: TableRow = {
        "config": config.name,
        "FPGA": fpga.name,
        "ALM": size.alms,
        "block_RAM": size.resources.block_rams,
        "DSP": size.resources.dsps,
        "fits": all(each.share <= FULL for each in size.shares),
        "MHz": mhz,
    }
    for name, side in NETWORKS.items():
        try:
            found = round(performance(compile_graph(graphs[name], config), mhz).frames, 1)
        except SternaError:
            found = TOO_LARGE
        row[f"frames/s_{name}_{side}"] = found
    print(row, flush=True)
    return row


if __name__ == "__main__":
    main()
