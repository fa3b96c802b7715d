"""Corrupt packages: all are refused by both readers, which read nothing outside and take little memory for them."""

from __future__ import annotations

import subprocess
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sterna import _native
from sterna.errors import SternaError
from sterna.package import file as package_file
from support import corrupt
from support.native_sources import package_reader

WHOLE = [corrupt.whole(number) for number in range(8)]
#: Corrupt packages of the slow test, and of them those that have right checksums.
ALL, CONTRADICTORY = 10_000, 2_000
QUICK = 400
#: What refusing may take of memory beside what reading a good one takes.
MOST_MEMORY = 2
#: For all of them; a reader that hangs takes longer.
SECONDS = 1800


def corrupt_packages(count: int) -> Iterator[tuple[int, bytes]]:
    """Which good package each was made of, and its bytes."""
    for seed in range(count):
        made_of = seed // 8 % len(WHOLE)
        make = corrupt.contradictory if seed % (ALL // CONTRADICTORY) == 0 else corrupt.damaged
        yield made_of, make(WHOLE[made_of], seed)


def refusal(read: Callable[[bytes, str], object], data: bytes) -> str:
    """What is said of `data`, in one line; empty if it is read."""
    try:
        read(data, "x")
    except SternaError as error:
        return str(error)
    return ""


def peak(read: Callable[[bytes, str], object], data: bytes) -> tuple[str, int]:
    """The refusal, and the most bytes that Python and NumPy held meanwhile."""
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    said = refusal(read, data)
    return said, tracemalloc.get_traced_memory()[1] - before


def check(said: str, data: bytes) -> None:
    assert said.startswith("x: ") and "\n" not in said and "; remedy: " in said, (said, data)


def test_some_are_refused() -> None:
    for whole in WHOLE:
        assert not refusal(package_file.from_bytes, whole) and not refusal(_native.package_graph, whole)
    for _, data in corrupt_packages(QUICK):
        for read in (package_file.from_bytes, _native.package_graph):
            check(refusal(read, data), data)


@pytest.mark.slow
def test_python_refuses_all_and_takes_little_memory() -> None:
    for whole in WHOLE:  # what is made once
        refusal(package_file.from_bytes, whole)
    tracemalloc.start()
    try:
        allowed = [MOST_MEMORY * peak(package_file.from_bytes, whole)[1] for whole in WHOLE]
        for made_of, data in corrupt_packages(ALL):
            said, taken = peak(package_file.from_bytes, data)
            check(said, data)
            assert taken <= allowed[made_of], (said, taken, allowed[made_of])
    finally:
        tracemalloc.stop()


@pytest.mark.slow
def test_libsterna_refuses_all_and_takes_little_memory(tmp_path: Path) -> None:
    reader = package_reader(tmp_path / "build")
    made = list(corrupt_packages(ALL))
    for number, data in enumerate([*WHOLE, *(data for _, data in made)]):
        (tmp_path / str(number)).write_bytes(data)
    names = map(str, range(len(WHOLE) + ALL))
    done = subprocess.run([reader, *names], cwd=tmp_path, capture_output=True, text=True, check=True, timeout=SECONDS)
    lines = [line.partition(" ")[::2] for line in done.stdout.splitlines()]
    good, bad = lines[: len(WHOLE)], lines[len(WHOLE) :]
    assert len(bad) == ALL and all(said == "read" and int(taken) > 10_000 for taken, said in good)
    for (made_of, data), (taken, said) in zip(made, bad, strict=True):
        assert said != "read" and "; remedy: " in said, (said, data)
        assert int(taken) <= MOST_MEMORY * int(good[made_of][0]), (said, taken, good[made_of])
