"""Tries errors and keeps how each ended: a run that was stopped goes on, and only what changed is tried again."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from mutation import forks, planted
from mutation.areas import ROOT, Area, chosen
from mutation.forks import BUILD, Job, Outcome
from mutation.planted import Planted
from mutation.sites import Mutant

STATE, RTL_STATE = BUILD / "outcomes.jsonl", BUILD / "rtl.jsonl"
LEAST_SECONDS, TIMES = 20.0, 4.0  # the limit of a mutant: so much, and so many times what its tests take
FAILED = 1  # how pytest ends if a test fails


@dataclass(frozen=True)
class Tried:
    """A mutant of an area, and whether its tests noticed."""

    area: Area
    mutant: Mutant
    killed: bool


def try_areas(areas: Sequence[Area], workers: int) -> list[Tried]:
    """Every chosen mutant of `areas`; those whose module and tests are as they were are not run again."""
    forks.preload()
    known = {entry["key"]: Outcome(entry["key"], entry["code"], entry["seconds"]) for entry in _read(STATE)}
    tried = []
    for area in areas:
        wanted = {_key(area, mutant): mutant for mutant in chosen(area)}
        new = {name: mutant for name, mutant in wanted.items() if name not in known}
        if new:
            for number, outcome in enumerate(_outcomes(area, new, workers), 1):
                known[outcome.key] = outcome
                _keep(STATE, asdict(outcome) | {"mutant": _mutant_key(new[outcome.key])})
                _say(f"{area.name}: {number} of {len(new)}")
        tried += [Tried(area, mutant, known[name].killed) for name, mutant in wanted.items()]
    return tried


def _outcomes(area: Area, new: Mapping[str, Mutant], workers: int) -> Iterator[Outcome]:
    """Run the tests of `area` on the mutants `new`, by key; first, alone, what noticed a mutant before, if anything."""
    limit = _limit(area)
    before = _noticed_before(area)
    again = {name: (test,) for name, mutant in new.items() if (test := before.get(_mutant_key(mutant)))}
    done = set()
    for tests in (again, dict.fromkeys(new, area.tests)):
        left = (name for name in tests if name not in done)
        jobs = (Job(name, tests[name], new[name].dotted, new[name].source(), limit) for name in left)
        for outcome in forks.run(jobs, workers):
            # Alone, the test may have passed, or be gone.
            if tests is not again or outcome.code in (FAILED, None):
                done.add(outcome.key)
                yield outcome


def _noticed_before(area: Area) -> dict[str, str]:
    """By `_mutant_key`, the test that noticed a mutant last, if its file is one of `area`."""
    files = {str(path.relative_to(ROOT)) for path in _files(area)}
    noticed = ((entry["mutant"], entry["noticed"]) for entry in _read(STATE) if entry.get("noticed"))
    return {mutant: test for mutant, test in noticed if test.partition("::")[0] in files}


def try_planted(workers: int) -> list[tuple[Planted, int]]:
    """Every error of the RTL with CAUGHT, REFUSED or MISSED; those whose sources are as they were are not run again."""
    known = {entry["key"]: int(entry["code"]) for entry in _read(RTL_STATE)}
    errors = {_rtl_key(error): error for error in planted.planted()}
    new = [number for number, name in enumerate(errors) if name not in known]
    for done, (number, code) in enumerate(planted.run(new, workers), 1):
        name = list(errors)[number]
        known[name] = code
        _keep(RTL_STATE, {"key": name, "code": code})
        _say(f"RTL: {done} of {len(new)}")
    return [(error, known[name]) for name, error in errors.items()]


def _key(area: Area, mutant: Mutant) -> str:
    """What the outcome of `mutant` is known by: the error, and the state of the module and of the tests."""
    return f"{_digest(mutant.path, *_files(area))} {mutant.module} {mutant.operator} {mutant.occurrence}"


def _mutant_key(mutant: Mutant) -> str:
    """The error, and the state of the module alone."""
    return f"{_digest(mutant.path)} {mutant.module} {mutant.operator} {mutant.occurrence}"


def _files(area: Area) -> Iterator[Path]:
    for test in area.tests:
        path = ROOT / test
        yield from sorted(path.glob("test_*.py")) if path.is_dir() else [path]


def _rtl_key(error: Planted) -> str:
    """The error, and the state of the RTL, of the bench and of what benches share."""
    benches = (ROOT / "sim" / error.bench, ROOT / "sim" / "support")
    programs = [path for folder in benches for path in sorted(folder.glob("*.py"))]
    return f"{_digest(*planted.sources(), *programs)} {error.module}: {error.text} -> {error.replacement}"


def _digest(*paths: Path) -> str:
    return hashlib.sha256(b"".join(path.read_bytes() for path in paths)).hexdigest()[:12]


def _read(state: Path) -> Iterator[dict]:
    for line in state.read_text("utf-8").splitlines() if state.is_file() else []:
        yield json.loads(line)


def _keep(state: Path, entry: dict) -> None:
    state.parent.mkdir(parents=True, exist_ok=True)
    with state.open("a", encoding="utf-8") as file:
        file.write(json.dumps(entry) + "\n")


def _say(text: str) -> None:
    if sys.stderr.isatty():
        print(text, end="\r", file=sys.stderr, flush=True)


def _limit(area: Area) -> float:
    """Seconds of processor time that a mutant of `area` may take. The tests must pass on the code as it is."""
    first = area.mutants()[0]
    job = Job(f"{area.name}, unchanged", area.tests, first.dotted, first.path.read_text("utf-8"))
    (outcome,) = forks.run([job], 1)
    if outcome.killed:
        raise SystemExit(f"error: the tests of '{area.name}' fail on the code as it is; see {BUILD / 'logs'}")
    return LEAST_SECONDS + TIMES * outcome.seconds
