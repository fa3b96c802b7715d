"""docs/results/random_graphs.json: random small graphs on random configs, simulated engine against reference."""

from __future__ import annotations

import importlib.util
import sys
from time import monotonic
from types import ModuleType

from results.record import ROOT, Metric, write

TEST = ROOT / "tests" / "sim" / "test_engine.py"


def main() -> int:
    """Run the graphs of the test, and write; 1 and nothing written if one differs."""
    test = _load()
    start = monotonic()
    for seed, act_bits in test.CONFIGS:
        try:
            test.check_graphs(test.config_of(seed, act_bits), 1000 * seed, test.GRAPHS)
        except AssertionError as difference:
            print(f"error: config {seed}: {difference}", file=sys.stderr)
            return 1
    configs, graphs = len(test.CONFIGS), len(test.CONFIGS) * test.GRAPHS
    metrics = {
        "configs": Metric(
            what="Random engine configs", value=configs, unit="", method="those of tests/sim/test_engine.py"
        ),
        "graphs": Metric(
            what="Random graphs simulated on them", value=graphs, unit="",
            method="all layer kinds, odd sizes, kernels 1 to 7, densities 0 to 1, weights of several digits",
        ),
        "equal": Metric(
            what="Every stored layer of each equals the reference", value=True, unit="",
            method="bit for bit; half of the graphs with a slow memory that stalls at random",
        ),
        "minutes": Metric(
            what="Time for all of them", value=round((monotonic() - start) / 60, 1), unit="min",
            method="wall clock, simulators built along the way",
        ),
    }  # fmt: skip
    write("random_graphs", metrics, command="make results-random_graphs")
    return 0


def _load() -> ModuleType:
    """The test module, which is no package."""
    spec = importlib.util.spec_from_file_location("test_engine", TEST)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
