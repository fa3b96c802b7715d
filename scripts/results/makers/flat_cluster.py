"""docs/results/flat_cluster.json: the clock that a cluster supports when paths across its modules are counted.

`sterna estimate` times each module by itself. This is a small cluster with all that is in it, synthesised flat: the
request queues, vector buffers, decoders and lane groups of a large one, with fewer lanes.
"""

from __future__ import annotations

import sys

from results.record import Metric, write
from sterna.cli.guard import guarded
from sterna.estimate.engine import default_synthesis
from sterna.estimate.hierarchy import Instance, engine
from sterna.estimate.timing import GRADES, delays_of
from sterna.spec.config import load_config

CONFIG, MODULE = "arria10", "sterna_cluster"
#: A cluster small enough to be synthesised whole; its buffers are those of CONFIG.
SMALL = {"tile_h": 3, "tile_w": 3, "clusters": 2, "drains": 1, "pes": 4, "axi_data_w": 256}
METHOD = "flat netlist of 4 PEs and 9 lanes; delays of cells as Yosys has them, wires by the rule; a chip nearly empty"


def main() -> None:
    """Synthesise and write."""
    synthesis = default_synthesis()
    small = load_config(CONFIG).model_copy(update=SMALL)
    cluster = find(engine(small, synthesis.rtl))
    assert cluster is not None, f"an engine has a {MODULE}"
    metrics = {}
    for family, grade in GRADES.items():
        delays = delays_of(family, grade, full=False)
        flat = synthesis.model(cluster.part, delays, inside=[part.module for part in cluster.counts])
        nanoseconds = flat.inside[0].delay / 1000
        metrics[f"{family}_ns"] = Metric(
            what=f"Slowest path of a cluster, {family}, across its modules", value=round(nanoseconds, 2), unit="ns",
            method=METHOD,
        )  # fmt: skip
        metrics[f"{family}_mhz"] = Metric(
            what=f"Clock that it supports, {family}", value=int(1000 / nanoseconds), unit="MHz", method="the inverse"
        )
    write("flat_cluster", metrics, command="make results-flat_cluster", config=CONFIG)


def find(instance: Instance) -> Instance | None:
    """The first MODULE in `instance`."""
    if instance.part.module == MODULE:
        return instance
    return next((found for child, _ in instance.children if (found := find(child))), None)


if __name__ == "__main__":
    sys.exit(guarded(main))
