"""The pictures of a run: generated scenes or a data set of other tools, in three splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track

from sterna.errors import SternaError
from sterna.train.data.formats.folder import open_source
from sterna.train.data.formats.record import Source
from sterna.train.data.frames import Dataset
from sterna.train.data.kept import Kept
from sterna.train.data.labelled import LabelledSet, Table
from sterna.train.data.options import GENERATED, HARD_SCENES, DataOptions
from sterna.train.data.parts import share
from sterna.train.data.scenes import SceneSet
from sterna.train.data.stream import default_workers

TRAIN, VAL, TEST = "train", "val", "test"
PROGRESS_FROM = 2000  # pictures; fewer are read before one has seen a bar


@dataclass(frozen=True)
class Splits:
    """train to learn from, val to watch, test for the final figures."""

    train: Dataset
    val: Dataset
    test: Dataset


def open_data(options: DataOptions, console: Console | None = None) -> Splits:
    """The data that `options` name, all records and the headers of all pictures checked.

    Raises SternaError for a folder of no known format and for anything in it that is missing, damaged or inconsistent.
    """
    if options.data in GENERATED:
        return _scenes(options)
    source = open_source(Path(options.data))
    names = _chosen_splits(source, options)
    tables = {split: _read(source, split, console) for split in dict.fromkeys(names)}
    known = _known(source, tables)
    _check_names(options.data, "rename", options.rename, known)
    renamed = [options.rename.get(name, name) for name in known]
    _check_names(options.data, "classes", options.classes, dict.fromkeys(renamed))
    declared = source.classes(names[0])
    shown = sorted({options.rename.get(name, name) for name in tables[names[0]].names})
    of_training = shown if declared is None else [options.rename.get(name, name) for name in declared]
    classes = options.classes or tuple(dict.fromkeys(of_training))
    sets = [
        LabelledSet(
            tables[name], options.height, options.width, classes, options.rename, others_out=bool(options.classes)
        )
        for name in names
    ]
    return Splits(share(sets[0], options.train_share, options.seed), sets[1], sets[2])


def open_split(
    path: Path, split: str, height: int, width: int, classes: Sequence[str], rename: Mapping[str, str] | None = None
) -> LabelledSet:
    """One split of a data set for a network that knows `classes`; objects of others are left out.

    Raises SternaError as `open_data` does.
    """
    source = open_source(path)
    table = _read(source, split, None)
    _check_names(str(path), "rename", rename or {}, _known(source, {split: table}))
    return LabelledSet(table, height, width, classes, rename, others_out=True)


def _scenes(options: DataOptions) -> Splits:
    counts = {TRAIN: options.train_scenes, VAL: options.val_scenes, TEST: options.test_scenes}
    workers = default_workers() if options.workers is None else options.workers
    size, hard = (options.height, options.width), options.data == HARD_SCENES
    sets = [SceneSet(options.seed, name, count, *size, hard) for name, count in counts.items()]
    train, val, test = (Kept(scenes, workers) for scenes in sets)
    return Splits(share(train, options.train_share, options.seed), val, test)


def _chosen_splits(source: Source, options: DataOptions) -> list[str]:
    """Names of the splits to train on, to watch and to judge by."""
    val = options.val_split or (VAL if VAL in source.splits else options.test_split or TEST)
    test = options.test_split or (TEST if TEST in source.splits else val)
    return [options.train_split, val, test]


def _read(source: Source, split: str, console: Console | None) -> Table:
    entries = source.entries(split)
    shown = track(
        entries,
        f"reading {split}",
        console=console,
        transient=True,
        disable=console is None or len(entries) < PROGRESS_FROM,
    )
    return Table.pack(source.record(entry) for entry in shown)


def _known(source: Source, tables: Mapping[str, Table]) -> list[str]:
    """All class names that the read splits declare or, where the format declares none, show."""
    names = [source.classes(split) or sorted(table.names) for split, table in tables.items()]
    return list(dict.fromkeys(name for of_split in names for name in of_split))


def _check_names(where: str, attribute: str, names: Iterable[str], known: Iterable[str]) -> None:
    known = list(known)
    for name in names:
        if name not in known:
            raise SternaError(
                "the data set has no such class",
                where=where,
                attribute=attribute,
                value=name,
                allowed=", ".join(known) or "none there",
                remedy="name classes that exist",
            )
