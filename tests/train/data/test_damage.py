"""Damaged data sets are read right, or refused in one line for each fault, or what is lost is counted."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings

from sterna.errors import SternaError, single
from sterna.train.data.formats.folder import open_source
from sterna.train.data.labelled import LabelledSet
from sterna.train.data.options import ReadOptions
from sterna.train.data.reading import Reading, read
from support import damage, data_sets
from support.damage import Damaged, Known
from support.data_sets import IMAGES, SPLITS, WRITERS

QUICK, MANY = 60, 1500
CASE = {
    "kind": "damage",
    "expected": "damaged data are read right, or refused in one line for each fault, or what is lost is counted",
}


def reading(folder: Path, **options: object) -> dict[str, Reading]:
    """All splits, and all of their images."""
    source = open_source(folder)
    found = read(source, source.splits, ReadOptions.model_validate(options), str(folder))
    for each in found.values():
        if len(each.table.kinds):
            data = LabelledSet(each.table, 32, 32, sorted(each.table.names))
            for index in range(len(data)):
                assert data[index].image.shape == (32, 32, 3)
    return found


def tried(folder: Path, **options: object) -> dict[str, Reading] | None:
    """What is read; None if it is refused, as a refusal should be."""
    try:
        return reading(folder, **options)
    except SternaError as refused:
        for fault in (*single(refused), refused):
            message = str(fault)
            assert len(message.splitlines()) == 1 and len(message) < 3000, message
            assert str(folder) in message, message
        return None


def check_same(found: dict[str, Reading] | None) -> None:
    """The objects are those that were written."""
    assert found is not None and found.keys() == SPLITS.keys()
    for split, numbers in SPLITS.items():
        table = found[split].table
        assert sorted(Path(path).stem for path in table.images) == [data_sets.name(number) for number in numbers]
        for index, path in enumerate(table.images):
            mine = slice(table.starts[index], table.starts[index + 1])
            things = IMAGES[int(Path(path).stem[1:])]
            assert [table.names[kind] for kind in table.kinds[mine]] == [thing.name for thing in things]
            wanted = np.array([thing.box for thing in things]).reshape(-1, 4)
            np.testing.assert_allclose(table.boxes[mine], wanted, atol=1e-4)


def check_counts(found: dict[str, Reading], counts: dict[str, dict[str, int]]) -> None:
    """What was written is read, left out, repeated, or of images and label files that the summary names."""
    for split, of_split in counts.items():
        if split not in found:
            assert not any(of_split.values()) or len(counts) > len(found)
            continue
        summary, table = found[split].summary, found[split].table
        shown = {Path(path).stem for path in table.images}
        told = " ".join([*summary.bad, *map(str, summary.without_image)])
        lost = {stem: count for stem, count in of_split.items() if stem not in shown}
        assert all(stem in told for stem in lost), (lost, told)
        left_out = sum(summary.left_out.values())
        assert summary.objects == len(table.kinds)
        assert summary.objects + summary.repeated + left_out + sum(lost.values()) == sum(of_split.values())


def check(kind: str, made: Damaged, folder: Path) -> str:
    """Hold a damaged data set against the rule; gives what came of it."""
    damage.store(made.files, folder)
    found = tried(folder)
    if made.known is Known.SAME:
        check_same(found)
        return "read right"
    if found is not None:
        outcome = "read"
    else:
        found = tried(folder, skip_bad=True, missing_share=1.0)
        outcome = "refused" if found is None else "refused, and read with --skip-bad"
    counts = damage.written(kind, made.files) if made.known is Known.COUNTED else None
    if found is not None and counts is not None:
        check_counts(found, counts)
        outcome += ", counted"
    return outcome


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, damage.Files]:
    return {kind: damage.load(write(tmp_path_factory.mktemp(kind) / "set")) for kind, write in WRITERS.items()}


def hold(kind: str, files: damage.Files, root: Path, examples: int) -> list[str]:
    """Check so many damaged data sets, always the same; gives the outcomes."""
    outcomes: list[str] = []

    @settings(
        max_examples=examples,
        derandomize=True,
        database=None,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    @given(made=damage.damaged(kind, files))
    def every(made: Damaged) -> None:
        folder = root / "set"
        shutil.rmtree(folder, ignore_errors=True)
        outcomes.append(check(kind, made, folder))
        event(outcomes[-1])

    every()
    return outcomes


@pytest.mark.case("damaged-data-sets", **CASE)
@pytest.mark.parametrize("kind", WRITERS)
def test_damage_is_never_silent(
    tmp_path: Path, good: dict[str, damage.Files], kind: str, got: Callable[[str], None]
) -> None:
    outcomes = hold(kind, good[kind], tmp_path, QUICK)
    found = {outcome: outcomes.count(outcome) for outcome in sorted(set(outcomes))}
    assert len(outcomes) == QUICK and len(found) > 2  # the damage is neither always harmless nor always refused
    got(f"{kind}: " + ", ".join(f"{outcome}: {count}" for outcome, count in found.items()))


@pytest.mark.slow
@pytest.mark.parametrize("kind", WRITERS)
def test_much_more_damage_is_never_silent(tmp_path: Path, good: dict[str, damage.Files], kind: str) -> None:
    assert len(hold(kind, good[kind], tmp_path, MANY)) >= MANY


def test_a_lost_object_would_be_seen(tmp_path: Path, good: dict[str, damage.Files]) -> None:
    """The check can fail: an object more is written than is read."""
    damage.store(good["yolo"], tmp_path)
    counts = damage.written("yolo", good["yolo"])
    assert counts is not None
    check_counts(reading(tmp_path), counts)
    counts["train"]["p0"] += 1
    with pytest.raises(AssertionError):
        check_counts(reading(tmp_path), counts)
