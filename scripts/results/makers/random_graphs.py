"""docs/results/random_graphs.json: random small graphs on random configs, simulated engine against reference.

Parts that are done are kept in build/random_graphs by commit, so that an interrupted run goes on where it was.
"""

from __future__ import annotations

import importlib.util
import os
import sys
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import astuple, dataclass
from multiprocessing import get_context
from types import ModuleType

from results.record import ROOT, Metric, commit, write
from sterna.cli.progress import bar

TEST = ROOT / "tests" / "sim" / "test_engine.py"
#: Graphs of a part.
PART = 100


@dataclass(frozen=True)
class Part:
    """Some graphs of a config of the test."""

    seed: int
    act_bits: int
    first: int

    def __str__(self) -> str:
        return " ".join(map(str, astuple(self)))


def main() -> int:
    """Run the graphs of the slow test, and write; 1 and nothing written if one differs."""
    test = _load()
    parts = [Part(*config, first) for first in range(0, test.SLOW_GRAPHS, PART) for config in test.SLOW_CONFIGS]
    kept = ROOT / "build" / "random_graphs" / f"{commit()}.txt"
    kept.parent.mkdir(parents=True, exist_ok=True)
    done = set(kept.read_text("utf-8").splitlines()) if kept.exists() else set()
    with ProcessPoolExecutor(os.cpu_count(), get_context("spawn")) as pool, bar("parts of 100 graphs") as show:
        running = {pool.submit(_run, part): part for part in parts if str(part) not in done}
        show(len(done), len(parts), "")
        for future in as_completed(running):
            try:
                future.result()
            except AssertionError as difference:
                pool.shutdown(cancel_futures=True)
                print(f"error: config {running[future].seed}: {difference}", file=sys.stderr)
                return 1
            done.add(str(running[future]))
            with kept.open("a", encoding="utf-8") as file:
                file.write(f"{running[future]}\n")
            show(len(done), len(parts), "")
    metrics = {
        "configs": Metric(
            what="Random engine configs", value=len(test.SLOW_CONFIGS), unit="",
            method="those of tests/sim/test_engine.py",
        ),
        "graphs": Metric(
            what="Random graphs simulated on them", value=PART * len(parts), unit="",
            method="all layer kinds, odd sizes, kernels 1 to 7, densities 0 to 1, weights of several digits",
        ),
        "equal": Metric(
            what="Every stored layer of each equals the reference", value=True, unit="",
            method="bit for bit; half of the graphs with a slow memory that stalls at random",
        ),
    }  # fmt: skip
    write("random_graphs", metrics, command="make results-random_graphs")
    return 0


def _run(part: Part) -> None:
    _load().check_many(part.seed, part.act_bits, part.first, PART)


def _load() -> ModuleType:
    """The test module, which is no package."""
    spec = importlib.util.spec_from_file_location("test_engine", TEST)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if __name__ == "__main__":
    sys.exit(main())
