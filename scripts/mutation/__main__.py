"""`make mutate`: put in the errors, run the tests, and say which went unnoticed. Goes on where it was stopped."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from mutation.areas import AREAS
from mutation.planted import MISSED
from mutation.reasons import reason
from mutation.trials import try_areas, try_planted

RTL = "RTL"


def main(words: Sequence[str]) -> int:
    """Try the requested errors that are not known yet; 1 if an error without a reason went unnoticed."""
    names = [*(area.name for area in AREAS), RTL]
    parser = argparse.ArgumentParser(prog="make mutate", description=__doc__)
    parser.add_argument("areas", nargs="*", metavar="AREA", help=f"{', '.join(names)}; default: all")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="tests at a time")
    given = parser.parse_args(words)
    if unknown := set(given.areas) - set(names):
        parser.error(f"no such area: {', '.join(sorted(unknown))}")
    areas = [area for area in AREAS if area.name in (given.areas or names)]
    tried = try_areas(areas, given.workers) if areas else []
    missed = [each for each in tried if not each.killed and reason(each.mutant) is None]
    for each in missed:
        before, after = each.mutant.change()
        print(f"SURVIVED {each.mutant.module}:{each.mutant.line}\n    {before}\n    {after}")
    for area in areas:
        mine = [each.killed for each in tried if each.area is area]
        print(f"{area.name}: {sum(mine)} of {len(mine)} killed")
    errors = try_planted(given.workers) if RTL in (given.areas or names) else []
    unseen = [error for error, code in errors if code == MISSED]
    for error in unseen:
        print(f"MISSED {error.module}: {error.what}")
    if errors:
        print(f"{RTL}: {len(errors) - len(unseen)} of {len(errors)} caught")
    return int(bool(missed or unseen))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
