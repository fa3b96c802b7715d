"""The images of a run: generated scenes or a data set from other tools, in three splits."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from sterna.errors import SternaError
from sterna.train.data.augment import STEP
from sterna.train.data.formats.folder import open_source
from sterna.train.data.formats.record import Source
from sterna.train.data.frames import Dataset
from sterna.train.data.kept import Kept
from sterna.train.data.labelled import LabelledSet, Table
from sterna.train.data.options import GENERATED, HARD_SCENES, DataOptions, ReadOptions
from sterna.train.data.parts import Part, share
from sterna.train.data.reading import Reading, read
from sterna.train.data.same import shared
from sterna.train.data.scenes import SceneSet
from sterna.train.data.shares import hold_back
from sterna.train.data.statistics import show
from sterna.train.data.stream import default_workers

TRAIN, VAL, TEST = "train", "val", "test"


@dataclass(frozen=True)
class Splits:
    """train to learn from, val for validation, test for the final metrics."""

    train: Dataset
    val: Dataset
    test: Dataset


def open_data(options: DataOptions, console: Console | None = None) -> Splits:
    """The data that `options` name, all records and the headers of all images checked, and told of on `console`.

    Raises SternaError for a folder of no known format and for what in it is missing, damaged or inconsistent:
    FaultsError if that is more than one thing.
    """
    if options.data in GENERATED:
        return _scenes(options)
    source = open_source(Path(options.data), options.exif, options.format)
    names, held = choose_splits(source.splits, options)
    readings = read(source, [name for name in names if name not in held], options, options.data, console)
    if held:
        train, *others = hold_back(readings[names[0]], held, options.seed, options.data)
        readings |= {names[0]: train, **dict(zip(held, others, strict=True))}
    sets = _label(source, readings, options)
    if console:
        tell(console, [*tell_held(names[0], held), *stand_ins(names), *tell_twice(_files(readings))])
        _show(console, sets, readings, options)
    data, order = sets[names[0]], readings[names[0]].order
    # An image that its list names several times counts several times in training, and once in evaluation.
    weighted = data if len(order) == len(data) else Part(data, order)
    return Splits(share(weighted, options.train_share, options.seed), sets[names[1]], sets[names[2]])


def check_size(options: DataOptions) -> None:
    """Raise SternaError for a size of images that is none of a detector."""
    for name in ("height", "width"):
        value = getattr(options, name)
        if value % STEP:
            raise SternaError(
                "is no side of a detector's images", where="option", attribute=name, value=value,
                allowed=f"multiples of {STEP}", remedy=f"give --{name}",
            )  # fmt: skip


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
    check_names(str(path), "rename", rename or {}, _known(source, {split: reading.table}))
    data = LabelledSet(reading.table, height, width, classes, rename, others_out=True, split=f"{path}, split {split}")
    if console:
        show(console, {split: data}, {split: reading.summary}, (height, width))
    return data


def check_data(options: DataOptions, splits: Sequence[str], console: Console) -> None:
    """Read `splits` of a data set and print what they hold; the classes are those of the first.

    If none are named: train, val and test, as far as they are there, or else all. Raises SternaError as `open_data`
    does, for all splits together.
    """
    check_size(options)
    source = open_source(Path(options.data), options.exif, options.format)
    there = source.splits
    chosen = splits or [name for name in (TRAIN, VAL, TEST) if name in there] or there
    readings = read(source, chosen, options, options.data, console)
    sets = _label(source, readings, options)
    others = ", ".join(name for name in there if name not in chosen)
    tell(
        console,
        [*tell_twice(_files(readings)), *([f"note: not checked; name them with --splits: {others}"] if others else [])],
    )
    _show(console, sets, readings, options)


def _label(source: Source, readings: Mapping[str, Reading], options: DataOptions) -> dict[str, LabelledSet]:
    """The sets that were read, with the classes that `options` ask for, or else those of the first."""
    tables = {split: reading.table for split, reading in readings.items()}
    known = _known(source, tables)
    check_names(options.data, "rename", options.rename, known)
    renamed = [options.rename.get(name, name) for name in known]
    check_names(options.data, "classes", options.classes, dict.fromkeys(renamed))
    first = next(iter(tables))
    declared = source.classes(first)
    shown = sorted({options.rename.get(name, name) for name in tables[first].names})
    of_training = shown if declared is None else [options.rename.get(name, name) for name in declared]
    classes = options.classes or tuple(dict.fromkeys(of_training))
    return {
        split: LabelledSet(
            table,
            options.height,
            options.width,
            classes,
            options.rename,
            others_out=bool(options.classes),
            split=f"{options.data}, split {split}",
        )
        for split, table in tables.items()
    }


def tell(console: Console, lines: Iterable[str]) -> None:
    """Print `lines` as they are."""
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def _show(console: Console, sets: Mapping[str, Dataset], readings: Mapping[str, Reading], options: DataOptions) -> None:
    summaries = {split: reading.summary for split, reading in readings.items()}
    show(console, sets, summaries, (options.height, options.width))


def tell_held(train: str, held: Mapping[str, float]) -> Iterator[str]:
    """Notes on the splits that are shares of the split `train`."""
    for name, part in held.items():
        yield f"note: split {name} is a share of {part:g} of split {train}, held back by the seed"


def stand_ins(names: Sequence[str]) -> Iterator[str]:
    """Notes on splits that serve more than one purpose."""
    train, val, test = names
    if val == test:
        yield f"note: split {val} is used both for validation and for the final metrics"
    for purpose, split in (("used for validation", val), ("used for the final metrics", test)):
        if split == train:
            yield f"warning: split {split} is trained on and {purpose}"


def _files(readings: Mapping[str, Reading]) -> dict[str, list[str]]:
    return {split: reading.table.images for split, reading in readings.items()}


def tell_twice(images: Mapping[str, Sequence[str]]) -> Iterator[str]:
    """Warnings of image files that are in more than one split."""
    for (one, other), pairs in shared(images).items():
        first, second = (Path(path).name for path in pairs[0])
        example = f"{second} is {first}"
        yield f"warning: images of {other} that are identical to images of {one}: {len(pairs)} ({example})"


def _scenes(options: DataOptions) -> Splits:
    counts = {TRAIN: options.train_scenes, VAL: options.val_scenes, TEST: options.test_scenes}
    workers = default_workers() if options.workers is None else options.workers
    size, hard = (options.height, options.width), options.data == HARD_SCENES
    sets = [SceneSet(options.seed, name, count, *size, hard) for name, count in counts.items()]
    train, val, test = (Kept(scenes, workers) for scenes in sets)
    return Splits(share(train, options.train_share, options.seed), val, test)


def choose_splits(there: Sequence[str], options: DataOptions) -> tuple[list[str], dict[str, float]]:
    """Names of the splits for training, validation and test, of those that are `there`; and the shares of the first
    that are to be others.

    Raises SternaError for a share although there is such a split, and if there is neither.
    """
    held = {name: part for name, part in ((VAL, options.val_share), (TEST, options.test_share)) if part}
    named = {VAL: options.val_split, TEST: options.test_split}
    found = {name: named[name] or (name if name in there else None) for name in (VAL, TEST)}
    for name in held:
        if found[name]:
            raise SternaError(
                f"a share for {name} of a data set that has such a split",
                where=options.data,
                attribute=f"{name}_share",
                value=held[name],
                allowed=f"0, with split {found[name]}",
                remedy=f"leave --{name}-share out, or remove the split from the data set",
            )
    val, test = ((name if name in held else found[name]) for name in (VAL, TEST))
    if not (val or test):
        raise SternaError(
            "no split for validation and for the final metrics",
            where=options.data,
            attribute="splits",
            value=", ".join(there),
            allowed="splits val or test, or shares of the training split",
            remedy="hold images back with --val-share 0.1 --test-share 0.1, or name splits with --val-split",
        )
    return [options.train_split, str(val or test), str(test or val)], held


def _known(source: Source, tables: Mapping[str, Table]) -> list[str]:
    """All class names that the read splits declare or, where the format declares none, show."""
    names = [source.classes(split) or sorted(table.names) for split, table in tables.items()]
    return list(dict.fromkeys(name for of_split in names for name in of_split))


def check_names(where: str, attribute: str, names: Iterable[str], known: Iterable[str]) -> None:
    """Raise SternaError for one of `names`, given as `attribute`, that is no class of the data set `where`."""
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
