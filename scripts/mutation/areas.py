"""Which modules are mutated, whole or by a sample, and the quick tests that must notice."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mutation.sites import Mutant, mutants

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "python" / "sterna"
SEED = 0  # chooses the samples
LEAST = 3  # mutants of a module in a sample, if it has as many


@dataclass(frozen=True)
class Area:
    """`modules`, paths in PACKAGE, and the pytest arguments of `tests`, those most likely to notice first.

    sample: how many mutants are run; None: every one. within: only definitions with one of these words in their name.
    """

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    sample: int | None = None
    within: tuple[str, ...] = ()

    def mutants(self) -> list[Mutant]:
        """All mutants of its modules, in order."""
        found = (mutant for module in self.modules for mutant in mutants(PACKAGE / module))
        return [each for each in found if not self.within or any(word in each.definition for word in self.within)]


_AVERAGES = ("tests/train/test_coco_precision.py", "tests/train/test_voc_precision.py", "tests/train/test_evaluate.py")
_REFERENCE = ("tests/graph/test_reference.py", "tests/graph/test_random_graphs.py")
_COMPILE = (
    "tests/compile/test_encode.py", "tests/compile/test_lower.py", "tests/compile/test_memory.py",
    "tests/compile/test_schedule.py", "tests/compile/test_differential.py",
)  # fmt: skip
_RUN_MODULES = (
    "compare", "detector", "device", "devices", "draw", "engine", "engine_error", "layout", "package", "pictures",
    "reference", "rtl", "simulation", "simulation_worker", "simulator", "transport",
)  # fmt: skip
_RUN = (
    "tests/run/test_package.py", "tests/run/test_layout.py", "tests/run/test_compare.py", "tests/run/test_detector.py",
    "tests/run/test_draw.py", "tests/run/test_devices.py", "tests/run/test_simulator.py",
)  # fmt: skip

AREAS = (
    Area("boxes", ("run/boxes.py",), ("tests/run/test_boxes.py", "tests/train/test_evaluate.py")),
    Area(
        "average precision",
        ("train/evaluate.py", "train/coco_precision.py", "train/voc_precision.py"),
        (*_AVERAGES, "tests/train/test_report.py"),
    ),
    Area("density and reports", ("train/report.py",), ("tests/train/test_report.py",)),
    Area("requantisation", ("graph/reference.py", "graph/layers.py"), (*_REFERENCE, "tests/graph")),
    Area("requantisation of the tape", ("compile/encode.py", "compile/lower.py"), _COMPILE, within=("requant",)),
    Area(
        "graph",
        ("graph/checks.py", "graph/csd.py", "graph/file.py", "graph/graph.py", "graph/infer.py"),
        ("tests/graph",),
        sample=70,
    ),
    Area(
        "run",
        tuple(f"run/{name}.py" for name in _RUN_MODULES),
        (*_RUN, "tests/run/test_simulation.py", "tests/cli/test_refusals.py"),
        sample=95,
    ),
    Area(
        "compile",
        ("compile/compiler.py", "compile/encode.py", "compile/lower.py", "compile/memory.py", "compile/schedule.py"),
        _COMPILE,
        sample=95,
    ),
    Area(
        "clock",
        tuple(f"compile/clock/{path.name}" for path in sorted((PACKAGE / "compile" / "clock").glob("[a-z]*.py"))),
        ("tests/compile/test_clock.py", "tests/sim/test_cycle_model.py"),
        sample=45,
    ),
    Area(
        "quantisers",
        ("train/quantisers.py",),
        ("tests/train/test_quantisers.py", "tests/train/test_export.py"),
        sample=30,
    ),
    Area(
        "integer training",
        ("train/integer.py",),
        ("tests/train/test_export.py", "tests/train/test_networks.py"),
        sample=15,
    ),
)


def chosen(area: Area) -> list[Mutant]:
    """The mutants of `area` that are run: all, or its sample.

    A sample is divided among the modules in proportion to their mutants, at least LEAST of each, and drawn by SEED.
    """
    everything = area.mutants()
    if area.sample is None:
        return everything
    share = area.sample / len(everything)
    return [
        mutant
        for module in area.modules
        for mutant in _drawn([each for each in everything if each.module == module], share)
    ]


def _drawn(found: list[Mutant], share: float) -> Iterable[Mutant]:
    if not found:
        return []
    count = min(len(found), max(LEAST, round(share * len(found))))
    picked = random.Random(f"{SEED} {found[0].module}").sample(range(len(found)), count)
    return [found[index] for index in sorted(picked)]
