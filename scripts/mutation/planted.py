"""Errors planted in the RTL, each of which a bench must catch. Run as a program, tries one by its number."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import yaml

from sterna.spec.paths import rtl_sources

ROOT = Path(__file__).resolve().parents[2]
HARDWARE = ROOT / "hw"
BUILD = ROOT / "build" / "mutation" / "rtl"
SETS = 2  # parameter sets of a bench that are tried
LONGEST = 1200  # seconds of a bench, after which it is ended: an error may let it wait for ever
MISSED, CAUGHT, REFUSED = 0, 1, 3  # how a try ends: the bench passes, fails, or cannot be built because lint refuses


@dataclass(frozen=True)
class Planted:
    """An error: `replacement` for `text` in the file of `module`; the bench of module `by` must catch it."""

    module: str
    what: str
    text: str
    replacement: str
    by: str = ""

    @property
    def bench(self) -> str:
        """The module whose bench is run."""
        return self.by or self.module

    def plant(self, folder: Path) -> None:
        """Copy the RTL to `folder`, with the error in it."""
        copy(folder)
        source = next(folder.rglob(f"{self.module}.sv"))
        before = source.read_text("utf-8")
        assert before.count(self.text) == 1, f"{self.module} holds {self.text!r} {before.count(self.text)} times"
        source.write_text(before.replace(self.text, self.replacement), "utf-8")


def sources() -> list[Path]:
    """The files of the RTL: of the engine, and of the shells of boards."""
    return [path for folder in ("rtl", "boards/rtl") for path in rtl_sources(HARDWARE / folder)]


def copy(folder: Path) -> None:
    """The RTL as it is, in `folder` and nothing else."""
    shutil.rmtree(folder, ignore_errors=True)
    for path in sources():
        place = folder / path.relative_to(HARDWARE)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, place)


def planted() -> list[Planted]:
    """All of them, as `planted.yaml` lists them."""
    return [Planted(**entry) for entry in yaml.safe_load((Path(__file__).with_name("planted.yaml")).read_text("utf-8"))]


def run(numbers: list[int], workers: int) -> Iterator[tuple[int, int]]:
    """Try the errors of these numbers, so many at a time; number, and CAUGHT, REFUSED or MISSED."""
    with ThreadPoolExecutor(workers) as pool:
        yield from zip(numbers, pool.map(_try, numbers), strict=True)


def _try(number: int) -> int:
    command = [sys.executable, "-m", "mutation.planted", str(number)]
    log = BUILD / f"{number}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("wb") as output:
        try:
            code = subprocess.run(command, cwd=ROOT, stdout=output, stderr=output, timeout=LONGEST).returncode
        except subprocess.TimeoutExpired:
            return CAUGHT
    if code not in (MISSED, CAUGHT, REFUSED):
        raise SystemExit(f"error: the error planted as number {number} could not be tried; see {log}")
    return code


def try_one(number: int) -> int:
    """CAUGHT, REFUSED or MISSED, by the bench on the RTL with that error."""
    sys.path.insert(0, str(ROOT))
    from sim.support import build

    error = planted()[number]
    folder = BUILD / f"{number}"
    error.plant(folder / "source")
    try:
        for parameters in build.parameter_sets(error.bench)[:SETS]:
            build.run_bench(error.bench, parameters, hardware=folder / "source", builds=folder / "build")
    except (AssertionError, SystemExit, RuntimeError) as caught:
        print(f"{type(caught).__name__}: {caught}")
        return CAUGHT if list(folder.rglob("run-*.log")) else REFUSED
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return MISSED


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="mutation.planted", description=__doc__)
    parser.add_argument("number", type=int)
    sys.exit(try_one(parser.parse_args().number))
