"""The mutation runs put in the errors that they name, and tell those that tests notice from those they do not."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from mutation import areas, forks, planted, reasons, sites, trials
from mutation.areas import AREAS, ROOT, Area, chosen
from mutation.forks import Job, Outcome
from mutation.planted import CAUGHT, MISSED, Planted
from mutation.sites import Mutant
from mutation.trials import Tried
from results.makers import mutation

#: Modules without a bench: `tests/sim/test_shells.py` runs whole frames through them.
TOPS = ("sterna_soc", "sterna_pcie")
BOXES = next(area for area in AREAS if area.name == "boxes")

TEXT = """from __future__ import annotations

LIMIT: int | None = None


def least(a: int, b: int | None = None) -> int:
    if b is not None and b < a:
        return b
    return a * 2
"""


def test_every_place_is_found_but_not_in_types(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "PACKAGE", tmp_path)
    (tmp_path / "small.py").write_text(TEXT)
    changes = [mutant.change() for mutant in sites.mutants(tmp_path / "small.py")]
    condition = "if b is not None and b < a:"
    assert sorted(after for before, after in changes if before == condition) == sorted(
        [
            "if not b is not None and b < a:",
            "if b is None and b < a:",
            "if b is not None or b < a:",
            "if b is not None and b <= a:",
            "if b is not None and b >= a:",
        ]
    )
    product = sorted(" ".join(after.split()) for before, after in changes if before == "return a * 2")
    assert product == ["return a * 1", "return a * 3", "return a + 2", "return a / 2"]
    assert len(changes) == 9


@pytest.mark.slow
def test_a_run_tells_what_is_noticed_from_what_is_not(tmp_path: Path) -> None:
    """A mutant that a test notices, one that it does not, and one that never ends; the file stays as it is."""
    boxes = ROOT / "python" / "sterna" / "vision" / "boxes.py"
    before = boxes.read_text("utf-8")
    test = tmp_path / "test_limit.py"
    test.write_text(
        "from sterna.vision import boxes\n\n\ndef test_others():\n    pass\n\n\n"
        "def test_it():\n    assert boxes.MOST_BOXES == 100 and not hasattr(boxes, 'lost')\n"
    )
    program = f"""
from mutation import forks
from mutation.forks import Job
forks.preload()
text = open({str(boxes)!r}).read()
changes = {{
    "same": text,
    "noticed": text.replace("MOST_BOXES = 100", "MOST_BOXES = 101"),
    "not": text.replace("LARGEST_LOG_SIZE = 8.0", "LARGEST_LOG_SIZE = 9.0"),
    "broken": text + "(",
    "endless": text + "\\nwhile True:\\n    pass\\n",
    "waits": text + "\\ndef __getattr__(name):\\n"
    "    while name == 'lost':\\n        pass\\n    raise AttributeError\\n",
}}
jobs = [Job(name, ({str(test)!r},), "sterna.vision.boxes", changed, 10) for name, changed in changes.items()]
for each in sorted(forks.run(jobs, 2), key=lambda each: each.key):
    print(each.key, each.killed, each.code is None, each.noticed and each.noticed.rpartition("/")[2])
"""
    environment = {"PYTHONPATH": f"{ROOT}/scripts", "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, env=environment, check=True
    )
    assert ended.stdout.splitlines() == [
        "broken True False None",
        "endless True True None",
        "not False False None",
        "noticed True False test_limit.py::test_it",
        "same False False None",
        "waits True True test_limit.py::test_it",
    ]
    assert boxes.read_text("utf-8") == before


def test_samples_are_large_enough_and_the_same_each_time() -> None:
    sampled = [area for area in AREAS if area.sample is not None]
    assert sum(len(chosen(area)) for area in sampled) >= 300
    for area in sampled:
        assert chosen(area) == chosen(area)
        assert {mutant.module for mutant in chosen(area)} == {mutant.module for mutant in area.mutants()}
    assert all(chosen(area) == area.mutants() for area in AREAS if area.sample is None)


def test_tests_and_modules_of_areas_are_there() -> None:
    for area in AREAS:
        assert all((ROOT / test).exists() for test in area.tests) and area.mutants()


def test_every_reason_is_of_an_error_that_can_be_made() -> None:
    kept = reasons.reasons()
    lines = {(module, before) for module, before, _ in kept}
    texts = {module: (sites.PACKAGE / module).read_text("utf-8").splitlines() for module, _ in lines}
    mine = {each for area in AREAS for each in area.mutants() if each.module in texts}
    near = [each for each in mine if (each.module, " ".join(texts[each.module][each.line - 1].split())) in lines]
    assert set(kept) <= {(each.module, *each.change()) for each in near}


@pytest.mark.parametrize("number", range(len(planted.planted())))
def test_an_error_of_the_rtl_can_be_planted(tmp_path: Path, number: int) -> None:
    error = planted.planted()[number]
    error.plant(tmp_path / "hw")
    copies = ((path, tmp_path / "hw" / path.relative_to(planted.HARDWARE)) for path in planted.sources())
    assert [path.stem for path, copy in copies if path.read_bytes() != copy.read_bytes()] == [error.module]
    assert (ROOT / "sim" / error.bench).is_dir()


def test_an_error_is_tried_again_when_any_module_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planted.copy(tmp_path / "hw")
    monkeypatch.setattr(planted, "HARDWARE", tmp_path / "hw")
    error, keys = planted.planted()[0], set()
    sources = sorted((tmp_path / "hw").rglob("*.sv"))
    for source in sources:
        keys.add(trials._rtl_key(error))
        source.write_text(source.read_text("utf-8") + "// changed\n", "utf-8")
    assert len(keys | {trials._rtl_key(error)}) == len(sources) + 1


def test_every_module_of_the_rtl_has_a_planted_error() -> None:
    modules = {path.stem for path in planted.sources()} - {"sterna_pkg", *TOPS}
    assert {error.module for error in planted.planted()} == modules


@pytest.mark.slow
def test_a_bench_catches_an_error_and_lets_the_rtl_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    number = next(n for n, error in enumerate(planted.planted()) if error.module == "sterna_word_serializer")
    assert planted.try_one(number) == CAUGHT
    monkeypatch.setattr(Planted, "plant", lambda error, folder: planted.copy(folder))
    assert planted.try_one(number) == MISSED


def tried(area: Area, killed: int, survived: int) -> list[Tried]:
    mutant = Mutant("vision/boxes.py", 1, 0, "core/NumberReplacer", 0, "")
    return [Tried(area, mutant, number < killed) for number in range(killed + survived)]


def test_shares_are_weighted_by_the_errors_of_an_area(monkeypatch: pytest.MonkeyPatch) -> None:
    graph, clock = (next(area for area in AREAS if area.name == name) for name in ("graph", "clock"))
    sizes = {graph: 100, clock: 300, BOXES: 7}
    monkeypatch.setattr(Area, "mutants", lambda area: [None] * sizes[area])
    all_tried = [*tried(graph, 10, 0), *tried(clock, 5, 5), *tried(BOXES, 3, 1)]
    found = mutation.metrics(all_tried, [(planted.planted()[0], code) for code in (CAUGHT, CAUGHT, MISSED, CAUGHT)])
    values = {name: metric.value for name, metric in found.items()}
    assert values["killed_share"] == 75.0 and values["sample_share"] == 62.5 and values["rtl_caught"] == 75.0
    assert (values["graph"], values["clock"], values["boxes"]) == (100.0, 50.0, 75.0)
    count = 1 / (0.25**2 / 10 + 0.75**2 / 10)
    low, high = mutation.wilson(0.625, count)
    assert values["sample_interval"] == f"{100 * low:.1f} to {100 * high:.1f}"


def test_wilsons_interval() -> None:
    """The example of Newcombe 1998, table I: 81 of 263."""
    assert mutation.wilson(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert mutation.wilson(1.0, 10)[1] == pytest.approx(1.0)


def test_each_survivor_has_a_row_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mutation, "reason", lambda mutant: "no difference" if mutant.line == 1 else None)
    known, unknown = (next(each for each in BOXES.mutants() if each.line != 1) for _ in range(2))
    known = Mutant(known.module, 1, known.column, known.operator, known.occurrence, known.definition)
    rows = mutation.survivors(
        [Tried(BOXES, known, False), Tried(BOXES, unknown, False), Tried(BOXES, unknown, True)],
        [(planted.planted()[0], MISSED), (planted.planted()[1], CAUGHT)],
    )
    assert [row["reason"] for row in rows] == ["no difference", mutation.NO_REASON, mutation.NO_REASON]
    assert rows[1]["before"] != rows[1]["after"] and rows[2]["where"] == planted.planted()[0].module


def test_an_outcome_holds_until_module_or_tests_change(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sites, "PACKAGE", tmp_path)
    monkeypatch.setattr(trials, "ROOT", tmp_path)
    (tmp_path / "small.py").write_text(TEXT)
    (tmp_path / "test_small.py").write_text("")
    area = Area("small", ("small.py",), ("test_small.py",))
    mutant = sites.mutants(tmp_path / "small.py")[0]
    first = trials._key(area, mutant)
    assert trials._key(area, mutant) == first
    (tmp_path / "test_small.py").write_text("# changed")
    second = trials._key(area, mutant)
    (tmp_path / "small.py").write_text(TEXT + "# changed")
    assert len({first, second, trials._key(area, mutant)}) == 3


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Area:
    """An area of one module with nine mutants, of which two survive in `tries`; no outcome is kept yet."""
    for module in (sites, areas):
        monkeypatch.setattr(module, "PACKAGE", tmp_path)
    monkeypatch.setattr(trials, "ROOT", tmp_path)
    monkeypatch.setattr(trials, "STATE", tmp_path / "state" / "outcomes.jsonl")
    monkeypatch.setattr(forks, "preload", lambda: None)
    (tmp_path / "small.py").write_text(TEXT)
    (tmp_path / "test_small.py").write_text("")
    return Area("small", ("small.py",), ("test_small.py",))


def tries(small: Area, monkeypatch: pytest.MonkeyPatch, test_it: int = 1) -> Counter[str]:
    """How often which tests are run; test_it: how pytest ends for that test alone, on mutants that do not survive."""
    codes = {"test_small.py": 1, "test_small.py::test_it": test_it}
    tests: Counter[str] = Counter()

    def run(jobs: Iterable[Job], workers: int) -> Iterator[Outcome]:
        for job in jobs:
            if job.key == "small, unchanged":
                yield Outcome(job.key, 0, 1.0)
                continue
            tests.update(job.tests)
            code = 0 if "_Lt_" in job.key else codes[job.tests[0]]
            yield Outcome(job.key, code, 1.0, "test_small.py::test_it" if code else None)

    monkeypatch.setattr(forks, "run", run)
    outcomes = trials.try_areas([small], 1)
    assert [each.killed for each in outcomes] == ["_Lt_" not in each.mutant.operator for each in outcomes]
    return tests


def test_what_a_test_noticed_is_tried_with_that_test_first(small: Area, monkeypatch: pytest.MonkeyPatch) -> None:
    """A survivor is tried with all tests, and so is what the test does not notice any more."""
    tests, module = trials.ROOT / "test_small.py", trials.ROOT / "small.py"
    assert tries(small, monkeypatch) == {"test_small.py": 9}
    assert tries(small, monkeypatch) == {}
    tests.write_text("# more")
    assert tries(small, monkeypatch) == {"test_small.py::test_it": 7, "test_small.py": 2}
    for text, code in (("# gone", 4), ("# passes", 0), ("# skipped", 5)):
        tests.write_text(text)
        assert tries(small, monkeypatch, test_it=code) == {"test_small.py::test_it": 7, "test_small.py": 9}
    assert tries(small, monkeypatch) == {}
    module.write_text(TEXT + "# changed")
    assert tries(small, monkeypatch) == {"test_small.py": 9}
    (trials.ROOT / "test_other.py").write_text("")
    assert trials._noticed_before(dataclasses.replace(small, tests=("test_other.py",))) == {}


def test_outcomes_kept_without_the_test_hold_until_tests_change(small: Area, monkeypatch: pytest.MonkeyPatch) -> None:
    tries(small, monkeypatch)
    entries = [json.loads(line) for line in trials.STATE.read_text().splitlines()]
    old = [json.dumps({name: entry[name] for name in ("key", "code", "seconds")}) for entry in entries]
    trials.STATE.write_text("\n".join(old) + "\n")
    assert tries(small, monkeypatch) == {}
    (trials.ROOT / "test_small.py").write_text("# more")
    assert tries(small, monkeypatch) == {"test_small.py": 9}
