"""`make fuzz`: run each fuzzer for its share of the time, and tell what they reached; 1 if an input ended one."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from fuzz import coverage, seeds
from fuzz.programs import ROOT, TARGETS, build
from fuzz.runs import Run, run
from sterna.errors import SternaError

FOLDER = ROOT / "build" / "fuzz"
CORPORA, CRASHES = FOLDER / "corpora", FOLDER / "crashes"


def main(words: Sequence[str]) -> int:
    """Fuzz; what the inputs found is kept for the next time."""
    parser = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    parser.add_argument("--seconds", type=int, default=3600, help="for all fuzzers together")
    seconds = parser.parse_args(words).seconds
    try:
        found, reached = fuzz(seconds)
    except SternaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for name, each in found.items():
        print(f"{name}: {each.executions} executions, {f'{each.crash}: {each.reason}' if each.crash else 'no crash'}")
    for name, each in reached.items():
        print(f"{name}: {each.taken} of {each.edges} edges, {each.share:.1%}")
    return int(any(each.crash for each in found.values()))


def fuzz(seconds: int, least: int = 0) -> tuple[dict[str, Run], dict[str, coverage.Coverage]]:
    """What the runs of all fuzzers came to, and what their inputs reach.

    A busy machine may take longer: each runs for its share of the time, and again until it has executed `least` inputs.
    """
    programs = build(FOLDER / "build")
    found = {}
    for name, program in programs.items():
        seeds.write(name, CORPORA / name)
        found[name] = Run(0, None, "")
        while not found[name].crash and found[name].executions <= least:
            found[name] += run(name, program, CORPORA / name, CRASHES / name, max(1, seconds // len(TARGETS)))
    return found, coverage.measure(programs, CORPORA)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
