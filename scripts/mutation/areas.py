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


_EVALUATE = "tests/train/report/test_evaluate.py"
_REPORT = "tests/train/report/test_report.py"
_REFERENCE = ("tests/graph/test_reference.py", "tests/graph/test_random_graphs.py")
_COMPILE = (
    "tests/compile/test_build.py", "tests/compile/test_lower.py", "tests/compile/test_memory.py",
    "tests/compile/test_schedule.py", "tests/compile/test_packages.py", "tests/compile/test_differential.py",
)  # fmt: skip


def _modules(room: str, names: str = "") -> tuple[str, ...]:
    """Paths of the modules `names`, or of all that define anything, of `room`."""
    wanted = names.split() or [path.stem for path in sorted((PACKAGE / room).glob("[a-z]*.py"))]
    return tuple(f"{room}/{name}.py" for name in wanted)


AREAS = (
    Area("boxes", ("vision/boxes.py",), ("tests/vision/test_boxes.py", _EVALUATE)),
    Area(
        "average precision",
        _modules("train/report", "evaluate coco_precision voc_precision"),
        ("tests/train/report/test_coco_precision.py", "tests/train/report/test_voc_precision.py", _EVALUATE, _REPORT),
    ),
    Area("density and reports", _modules("train/report", "compared layers report"), (_REPORT,)),
    Area(
        "requantisation",
        ("graph/reference.py", "graph/layers.py", "graph/thresholds.py", "spec/activations.py"),
        ("tests/spec/test_activations.py", "tests/graph/test_thresholds.py", *_REFERENCE, "tests/graph"),
    ),
    Area("requantisation of the tape", ("compile/lower.py",), _COMPILE, within=("_conv", "_repeat", "_identity")),
    Area("graph", _modules("graph", "checks csd file graph infer network records"), ("tests/graph",), sample=70),
    Area(
        "package and vision",
        (*_modules("package"), *_modules("vision", "anchors decoder drawing image_files prepare")),
        ("tests/package", "tests/vision"),
        sample=45,
    ),
    Area("run", (*_modules("run"), *_modules("run/backends"), *_modules("run/transports")), ("tests/run",), sample=60),
    Area(
        "compile",
        _modules("compile", "build compiler decide lower lowered memory packages schedule"),
        _COMPILE,
        sample=70,
    ),
    Area(
        "clock",
        _modules("compile/clock"),
        ("tests/compile/test_clock.py", "tests/sim/test_cycle_model.py"),
        sample=35,
    ),
    Area(
        "quantisers",
        ("train/model/quantisers.py", "train/model/patterns.py", "train/model/schedules.py"),
        ("tests/train/model/test_quantisers.py", "tests/train/model/test_export.py", "tests/test_seams.py"),
        sample=30,
    ),
    Area(
        "integer training",
        ("train/model/integer.py",),
        ("tests/train/model/test_export.py", "tests/train/model/test_network.py"),
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
