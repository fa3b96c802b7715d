"""docs/results/mutation.json: how many small errors, put into the code one at a time, the tests notice."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from math import sqrt

from mutation.areas import AREAS, SEED
from mutation.planted import CAUGHT, MISSED, Planted
from mutation.reasons import reason
from mutation.trials import Tried, try_areas, try_planted
from results.record import Metric, TableRow, write
from sterna.cli.guard import guarded
from sterna.errors import SternaError

QUANTILE = 1.96  # of the normal distribution, for an interval of 95 %
NO_REASON = "none yet"


def main() -> None:
    """Try the errors that are not known yet, and write. Raises SternaError if one went unnoticed without a reason."""
    workers = os.cpu_count() or 1
    tried, errors = try_areas(AREAS, workers), try_planted(workers)
    rows = survivors(tried, errors)
    write("mutation", metrics(tried, errors), command="make results-mutation", seed=SEED, rows=rows)
    if any(row["reason"] == NO_REASON for row in rows):
        raise SternaError("errors went unnoticed", where="mutation", remedy="write tests that fail on them")


def metrics(tried: Sequence[Tried], errors: Sequence[tuple[Planted, int]]) -> dict[str, Metric]:
    """Shares that are noticed: of all, of the sample with its interval, by area, and of the RTL."""
    sampled = [each for each in tried if each.area.sample is not None]
    share, low, high = interval(sampled)
    found = {
        "killed_share": Metric(
            what=f"Errors in Python that the tests notice, of {len(tried):,}",
            value=_percent([each.killed for each in tried]), unit="%",
            method="cosmic-ray's operators, one at a time, quick tests of the area; those that change no result count "
            "as not noticed",
        ),
        "sample_share": Metric(
            what=f"Of the areas of which a sample is tried: {len(sampled)} errors, estimated for all",
            value=round(100 * share, 1), unit="%",
            method=f"mean of the areas by their errors; sample drawn by module, seed {SEED}",
        ),
        "sample_interval": Metric(
            what="The same, 95 % interval", value=f"{100 * low:.1f} to {100 * high:.1f}", unit="%",
            method="Wilson's score interval for as many errors as an even sample would need",
        ),
        "rtl_caught": Metric(
            what=f"Errors planted in the RTL that a bench catches, of {len(errors)}",
            value=_percent([code != MISSED for _, code in errors]), unit="%",
            method=f"bench of the module, of which {sum(code == CAUGHT for _, code in errors)} in simulation; "
            "the others by lint",
        ),
    }  # fmt: skip
    for area in dict.fromkeys(each.area for each in tried):
        mine = [each.killed for each in tried if each.area is area]
        found[area.name.replace(" ", "_")] = Metric(
            what=f"{area.name}: {len(mine)} errors", value=_percent(mine), unit="%",
            method="all places" if area.sample is None else f"sample of {len(area.mutants())}",
        )  # fmt: skip
    return found


def interval(tried: Sequence[Tried]) -> tuple[float, float, float]:
    """Share of errors noticed in all areas of `tried`, from a sample of each, and its 95 % interval after Wilson."""
    areas = list(dict.fromkeys(each.area for each in tried))
    sizes = [len(area.mutants()) for area in areas]
    weights = [size / sum(sizes) for size in sizes]
    samples = [[each.killed for each in tried if each.area is area] for area in areas]
    share = sum(weight * sum(sample) / len(sample) for weight, sample in zip(weights, samples, strict=True))
    # An even sample of so many tells as much.
    count = 1 / sum(weight**2 / len(sample) for weight, sample in zip(weights, samples, strict=True))
    return share, *wilson(share, count)


def wilson(share: float, count: float) -> tuple[float, float]:
    """Wilson's score interval of a share seen in `count` trials (Wilson 1927)."""
    square = QUANTILE**2 / count
    centre = (share + square / 2) / (1 + square)
    half = QUANTILE * sqrt(share * (1 - share) / count + square / (4 * count)) / (1 + square)
    return centre - half, centre + half


def survivors(tried: Sequence[Tried], errors: Sequence[tuple[Planted, int]]) -> list[TableRow]:
    """A row for each error that went unnoticed, with the reason."""
    rows: list[TableRow] = []
    for each in tried:
        if not each.killed:
            before, after = each.mutant.change()
            why = reason(each.mutant) or NO_REASON
            rows.append({"where": each.mutant.module, "before": before, "after": after, "reason": why})
    for error, code in errors:
        if code == MISSED:
            rows.append({
                "where": error.module, "before": error.text, "after": error.replacement, "reason": NO_REASON,
            })  # fmt: skip
    return rows


def _percent(noticed: Sequence[bool]) -> float:
    return round(100 * sum(noticed) / len(noticed), 1)


if __name__ == "__main__":
    sys.exit(guarded(main))
