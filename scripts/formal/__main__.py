"""`make formal`: prove the properties of the RTL, and say what came of each proof; 1 if one failed."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from formal.proofs import Proof, by_name, proofs
from formal.prove import Outcome
from formal.runs import run
from sterna.errors import SternaError


def main(words: Sequence[str]) -> int:
    """Run the proofs that are named, or all."""
    names = [proof.name for proof in proofs()]
    parser = argparse.ArgumentParser(prog="make formal", description=__doc__)
    parser.add_argument("proofs", nargs="*", metavar="PROOF", help=f"{', '.join(names)}; default: all")
    given = parser.parse_args(words)
    if unknown := set(given.proofs) - set(names):
        parser.error(f"no such proof: {', '.join(sorted(unknown))}")
    wrong = 0
    try:
        for proof, parameters, outcome in run(by_name(given.proofs)):
            wrong += not outcome.ok(proof)
            print(line(proof, parameters, outcome), flush=True)
    except SternaError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return int(bool(wrong))


def line(proof: Proof, parameters: dict[str, int], outcome: Outcome) -> str:
    """What came of a proof, for people."""
    if outcome.failed:
        found = f"FAILED: {', '.join(outcome.failed)}"
    elif outcome.unreached:
        found = f"VACUOUS: {', '.join(outcome.unreached)} not reached"
    elif proof.bug.fails not in outcome.bug:
        found = f"BLIND: {proof.bug.what}, which {proof.bug.fails} does not notice"
    else:
        found = "proved" if proof.method == "induction" else f"holds for {proof.depth} cycles"
    where = " ".join(f"{name}={value}" for name, value in parameters.items())
    return f"{proof.name} {where}: {found} ({outcome.seconds} s)"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
