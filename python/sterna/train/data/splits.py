"""The pictures of a run: generated scenes or a data set of other tools, in three splits."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from sterna.errors import SternaError
from sterna.train.data.formats.folder import open_source
from sterna.train.data.formats.record import Source
from sterna.train.data.frames import Dataset
from sterna.train.data.kept import Kept
from sterna.train.data.labelled import LabelledSet, Table
from sterna.train.data.options import GENERATED, HARD_SCENES, DataOptions, ReadOptions
from sterna.train.data.parts import Part, share
from sterna.train.data.reading import Reading, read
from sterna.train.data.scenes import SceneSet
from sterna.train.data.statistics import show
from sterna.train.data.stream import default_workers

TRAIN, VAL, TEST = "train", "val", "test"


@dataclass(frozen=True)
class Splits:
    """train to learn from, val to watch, test for the final figures."""

    train: Dataset
    val: Dataset
    test: Dataset


def open_data(options: DataOptions, console: Console | None = None) -> Splits:
    """The data that `options` name, all records and the headers of all pictures checked, and told of on `console`.

    Raises SternaError for a folder of no known format and for what in it is missing, damaged or inconsistent:
    FaultsError if that is more than one thing.
    """
    if options.data in GENERATED:
        return _scenes(options)
    source = open_source(Path(options.data), options.exif, options.format)
    names = _chosen_splits(source, options)
    readings = read(source, names, options, options.data, console)
    sets = _label(source, readings, options)
    if console:
        _tell_stand_ins(console, names)
        show(console, sets, {split: reading.summary for split, reading in readings.items()})
    train, order = sets[names[0]], readings[names[0]].order
    # A picture that its list names several times is as many pictures to learn from; it is judged by once.
    weighted = train if len(order) == len(train) else Part(train, order)
    return Splits(share(weighted, options.train_share, options.seed), sets[names[1]], sets[names[2]])


def open_split(
    path: Path,
    split: str,
    height: int,
    width: int,
    classes: Sequence[str],
    rename: Mapping[str, str] | None = None,
    options: ReadOptions | None = None,
    console: Console | None = None,
) -> LabelledSet:
    """One split of a data set for a network that knows `classes`; objects of others are left out.

    Raises SternaError as `open_data` does.
    """
    options = options or ReadOptions()
    source = open_source(path, options.exif, options.format)
    reading = read(source, [split], options, str(path), console)[split]
    _check_names(str(path), "rename", rename or {}, _known(source, {split: reading.table}))
    data = LabelledSet(reading.table, height, width, classes, rename, others_out=True)
    if console:
        show(console, {split: data}, {split: reading.summary})
    return data


def check_data(options: DataOptions, console: Console) -> None:
    """Read all splits of a data set and print what they hold; the classes are those of the training split.

    Raises SternaError as `open_data` does, for all splits together.
    """
    source = open_source(Path(options.data), options.exif, options.format)
    usual = {name: number for number, name in enumerate((options.train_split, VAL, TEST))}
    splits = sorted(source.splits, key=lambda name: (usual.get(name, len(usual)), name))
    readings = read(source, splits, options, options.data, console)
    show(console, _label(source, readings, options), {split: reading.summary for split, reading in readings.items()})


def _label(source: Source, readings: Mapping[str, Reading], options: DataOptions) -> dict[str, LabelledSet]:
    """The sets that were read, with the classes that `options` ask for, or else those of the first."""
    tables = {split: reading.table for split, reading in readings.items()}
    known = _known(source, tables)
    _check_names(options.data, "rename", options.rename, known)
    renamed = [options.rename.get(name, name) for name in known]
    _check_names(options.data, "classes", options.classes, dict.fromkeys(renamed))
    first = next(iter(tables))
    declared = source.classes(first)
    shown = sorted({options.rename.get(name, name) for name in tables[first].names})
    of_training = shown if declared is None else [options.rename.get(name, name) for name in declared]
    classes = options.classes or tuple(dict.fromkeys(of_training))
    return {
        split: LabelledSet(
            table, options.height, options.width, classes, options.rename, others_out=bool(options.classes)
        )
        for split, table in tables.items()
    }


def _tell_stand_ins(console: Console, names: Sequence[str]) -> None:
    """Say which split is used for more than one purpose."""
    train, val, test = names
    if val == test:
        console.print(f"note: split {val} both watches mAP and gives the final figures", markup=False, soft_wrap=True)
    for purpose, split in (("watches mAP", val), ("gives the final figures", test)):
        if split == train:
            console.print(f"warning: split {split} is trained on and {purpose}", markup=False, soft_wrap=True)


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
