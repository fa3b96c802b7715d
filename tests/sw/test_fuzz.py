"""libFuzzer finds nothing in what takes the bytes of others, reaches it, and finds a planted error."""

from __future__ import annotations

from pathlib import Path

import pytest

from fuzz import __main__ as fuzz
from fuzz import coverage, programs, runs, seeds
from fuzz.coverage import Coverage
from results.makers import fuzz as maker
from sterna.errors import SternaError
from support.native_sources import sources_copied

#: For all fuzzers together, and the longest that a planted error may stay unseen.
SECONDS = 60
#: Inputs that each fuzzer executes at least, however busy the machine is: so many reach what is asked for.
LEAST = 25_000
#: A line of `package/arrays.cpp` that keeps it inside the signs, and the same off by one.
INSIDE, OUTSIDE = "if (byte >= signs_.size())", "if (byte > signs_.size())"


@pytest.mark.slow
def test_a_minute_finds_nothing_and_reaches_the_parsers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FOLDER", "CORPORA", "CRASHES"):
        monkeypatch.setattr(fuzz, name, tmp_path / name)
    found, reached = fuzz.fuzz(SECONDS, LEAST)
    assert found.keys() == set(programs.TARGETS)
    assert {name: each.reason for name, each in found.items() if each.crash} == {}
    assert all(each.executions > LEAST for each in found.values()), found
    assert sum(reached.values(), start=Coverage(0, 0)).share >= 0.9, reached


@pytest.mark.slow
def test_a_planted_overflow_is_found(tmp_path: Path) -> None:
    sources = sources_copied(tmp_path)
    file = sources / "src" / "package" / "arrays.cpp"
    text = file.read_text("utf-8")
    assert text.count(INSIDE) == 1
    file.write_text(text.replace(INSIDE, OUTSIDE), "utf-8")
    program = programs.build(tmp_path / "build", ["package"], sources)["package"]
    seeds.write("package", tmp_path / "corpus")
    found = runs.run("package", program, tmp_path / "corpus", tmp_path / "crashes", SECONDS)
    assert found.crash is not None and "heap-buffer-overflow" in found.reason and "next_sign" in found.reason


def test_seeds_are_the_same_every_time(tmp_path: Path) -> None:
    for target in set(programs.TARGETS) - {"signature"}:  # each has a key of its own
        for folder in ("first", "second"):
            seeds.write(target, tmp_path / folder)
        first, second = (
            {path.name: path.read_bytes() for path in (tmp_path / folder).iterdir()} for folder in ("first", "second")
        )
        assert first == second and len(first) >= seeds.COUNT


def test_a_tool_that_is_missing_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SternaError, match="clang is missing; remedy: install the package clang"):
        programs.check_tools()
    for tool in programs.TOOLS:
        (tmp_path / tool).write_text("#!/bin/sh\necho 14.0.6\n")
        (tmp_path / tool).chmod(0o755)
    with pytest.raises(SternaError, match="lacks libFuzzer; remedy: install the package libclang-rt-14-dev"):
        programs.check_tools()


def program(folder: Path, lines: str) -> Path:
    """A script in place of a fuzzer."""
    path = folder / "fuzzer"
    path.write_text(f"#!/bin/sh\n{lines}\n")
    path.chmod(0o755)
    return path


def test_runs_are_told(tmp_path: Path) -> None:
    counted = "echo 'stat::number_of_executed_units: 123' >&2"
    quiet = runs.run("tape", program(tmp_path, counted), tmp_path, tmp_path / "crashes", 1)
    assert quiet == runs.Run(123, None, "")
    slow = runs.run(
        "tape", program(tmp_path, f"touch {tmp_path}/crashes/slow-unit-1; {counted}"), tmp_path, tmp_path / "crashes", 1
    )
    assert slow == runs.Run(123, None, "")
    crashed = f"touch {tmp_path}/crashes/crash-1; echo 'SUMMARY: AddressSanitizer: it broke' >&2; {counted}"
    ended = runs.run("tape", program(tmp_path, crashed), tmp_path, tmp_path / "crashes", 1)
    assert ended == runs.Run(123, tmp_path / "crashes" / "crash-1", "SUMMARY: AddressSanitizer: it broke")
    with pytest.raises(SternaError, match="did not run"):
        runs.run("tape", program(tmp_path, "echo 'ERROR: no corpus' >&2"), tmp_path, tmp_path / "crashes", 1)


def test_what_is_published(tmp_path: Path) -> None:
    found = {"package": runs.Run(100, None, ""), "tape": runs.Run(23, tmp_path, "SUMMARY: x")}
    reached = {"a.cpp": Coverage(9, 10), "b.cpp": Coverage(27, 30)}
    metrics = maker.metrics(found, reached, 60)
    assert {name: metric.value for name, metric in metrics.items()} == {
        "executions": 123, "crashes": 1, "minutes": 1.0, "edges": 90.0
    }  # fmt: skip
    assert maker.rows(reached)[1] == {"file": "sw/src/b.cpp", "edges": 30, "taken": 27, "percent": 90.0}
    readers = {
        path.relative_to(programs.ROOT / "sw" / "src").as_posix()
        for folder in ("package", "graph", "compile", "tape")
        for path in (programs.ROOT / "sw" / "src" / folder).glob("*.cpp")
    }
    # The last one reads what Python writes for the driver.
    readers -= {"package/package.cpp", "package/program_records.cpp"}
    assert readers <= set(coverage.PARSERS), "what else reads bytes of others?"
