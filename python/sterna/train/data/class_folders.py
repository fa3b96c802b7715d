"""Images in folders named by their class, SPLIT/CLASS/IMAGE: the usual form of data sets for classification.

A network whose image has other channels than a colour image reads maps, bytes [height, width, channels] of numpy.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from rich.console import Console
from rich.table import Table

from sterna.errors import SternaError
from sterna.graph.network import RGB
from sterna.train.data.formats.folder import check_there, recognised
from sterna.train.data.formats.listing import is_of_system
from sterna.train.data.formats.places import exists
from sterna.train.data.frames import Dataset, Frame, Labels
from sterna.train.data.options import GENERATED, DataOptions, ReadOptions
from sterna.train.data.parts import Part, share
from sterna.train.data.reading import Faults
from sterna.train.data.shares import held_back
from sterna.train.data.splits import (
    TRAIN,
    VAL,
    Splits,
    check_names,
    choose_splits,
    stand_ins,
    tell,
    tell_held,
    tell_twice,
)
from sterna.vision import image_files, maps

#: Other names of folders of a split.
_ALSO = {"valid": VAL}
_FORM = "SPLIT/CLASS/IMAGE, with SPLIT as train, val and test, or CLASS/IMAGE"


@dataclass(frozen=True)
class ClassImages:
    """The files `paths`, at height x width pixels (aspect not kept), or maps of that size, each of one of `classes`.

    kinds: int64 [N], the number of each image's class. As frames, they have one object, which fills them.
    """

    paths: tuple[Path, ...]
    kinds: NDArray[np.int64]
    classes: tuple[str, ...]
    height: int
    width: int
    channels: int = RGB

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> Frame:
        """Frame `index`; its image is RGB, or a map [H, W, channels]. Raises SternaError if it cannot be read."""
        if self.channels != RGB:
            values = maps.read(self.paths[index], (self.height, self.width, self.channels))
            return Frame(values, *self.labels(index))
        image = image_files.read(self.paths[index])
        small = image.resize((self.width, self.height), Image.Resampling.BILINEAR)
        return Frame(np.asarray(small), *self.labels(index))

    def labels(self, index: int) -> Labels:
        """Its class, of a box around the whole image."""
        whole = np.array([[0, 0, self.width, self.height]], np.float32)
        return Labels.of(whole, self.kinds[index : index + 1])

    def resized(self, height: int, width: int) -> ClassImages:
        """The same images at another size."""
        return replace(self, height=height, width=width)


def fits(path: Path) -> bool:
    """Whether there are images in folders of classes at `path`."""
    return exists(path) and path.is_dir() and not recognised(path) and bool(_split_folders(path))


def open_classes(options: DataOptions, channels: int = RGB, console: Console | None = None) -> Splits:
    """The images in the folder `options.data`, or maps of so many channels if they are not three, all headers checked,
    and told of on `console`.

    The classes are the folders of the training images, in order of their names, unless `options` choose and rename
    them. Raises SternaError for a folder of another form, one whose split or class has no images, and for images that
    cannot be read: FaultsError if there are several.
    """
    path = Path(options.data)
    there = _found(path, options.data, channels)
    names, held = choose_splits(list(there), options)
    _check_split(options.data, names, there, held)
    classes = _classes(there[names[0]], options)
    left: list[str] = []
    read = _read(there, [name for name in names if name not in held], classes, options, options, left, channels)
    sets: dict[str, Dataset] = dict(read)
    if held:
        whole = read[names[0]]
        parts = held_back([str(each) for each in whole.paths], held, options.seed, options.data)
        sets |= {name: Part(whole, part) for name, part in zip([names[0], *held], parts, strict=True)}
    if console:
        tell(console, [*tell_held(names[0], held), *stand_ins(names), *tell_twice(_files(read)), *left])
        _show(console, {name: sets[name] for name in dict.fromkeys(names)}, options)
    train = share(sets[names[0]], options.train_share, options.seed)
    return Splits(train, sets[names[1]], sets[names[2]])


def open_class_split(
    path: Path,
    split: str,
    height: int,
    width: int,
    classes: Sequence[str],
    rename: Mapping[str, str] | None = None,
    options: ReadOptions | None = None,
    channels: int = RGB,
) -> ClassImages:
    """One split of a data set for a network that knows `classes`; of one that knows none, all classes of the split.

    Raises SternaError as `open_classes` does.
    """
    there = _found(path, str(path), channels)
    _check_split(str(path), [split], there, {})
    chosen = DataOptions(data=str(path), height=height, width=width, classes=tuple(classes), rename=dict(rename or {}))
    known = tuple(classes) or _classes(there[split], chosen)
    return _read(there, [split], known, chosen, options or ReadOptions(), [], channels)[split]


def check_classes(options: DataOptions, splits: Sequence[str], console: Console) -> None:
    """Read `splits` of a data set, or all if none are named, and print what they hold; the classes are the first's."""
    there = _found(Path(options.data), options.data, RGB)
    chosen = list(splits) or list(there)
    _check_split(options.data, chosen, there, {})
    left: list[str] = []
    read = _read(there, chosen, _classes(there[chosen[0]], options), options, options, left, RGB)
    tell(console, [*tell_twice(_files(read)), *left])
    _show(console, read, options)


def _found(path: Path, said: str, channels: int) -> dict[str, dict[str, list[Path]]]:
    """The images of each split by the name of their folder. Raises SternaError for a folder of another form."""
    if said in GENERATED and not path.exists():
        found: str | None = "generated scenes, whose objects have boxes"
    else:
        check_there(path)
        found = next((f"a data set of boxes ({name})" for name in recognised(path)), None)
    suffixes = image_files.SUFFIXES if channels == RGB else (maps.SUFFIX,)
    there = {} if found else _split_folders(path, suffixes)
    if not there:
        what = "images" if channels == RGB else f"maps of {channels} channels, {maps.SUFFIX},"
        raise SternaError(
            "are not images in folders of classes" if found else f"holds no {what} in folders of classes",
            where=said, attribute="data" if found else None, value=found, allowed=_FORM,
            remedy="name such a folder with --data; boxes are for a detector, such as --network yolov2-nano",
        )  # fmt: skip
    return {name: {each.name: _images(each, suffixes) for each in _folders(folder)} for name, folder in there.items()}


def _split_folders(path: Path, suffixes: tuple[str, ...] = image_files.SUFFIXES) -> dict[str, Path]:
    """The folder of each split, train first; of a folder that has none, its own are classes of the split train."""
    inner = {_ALSO.get(each.name, each.name): each for each in _folders(path)}
    of_classes = {
        name: folder for name, folder in inner.items() if any(_images(each, suffixes) for each in _folders(folder))
    }
    if TRAIN not in of_classes and sum(bool(_images(each, suffixes)) for each in inner.values()) > 1:
        return {TRAIN: path}
    return {name: of_classes[name] for name in sorted(of_classes, key=lambda name: (name != TRAIN, name))}


def _folders(path: Path) -> list[Path]:
    """The folders in `path`, in order of their names, but for hidden ones and those of a system."""
    try:
        return sorted(each for each in path.iterdir() if each.is_dir() and not is_of_system(Path(each.name)))
    except OSError:
        return []


def _images(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    try:
        return image_files.among(folder.iterdir(), suffixes)
    except OSError as error:
        raise SternaError(
            f"cannot be read ({error.strerror})", where=str(folder), remedy="check its permissions"
        ) from None


def _check_split(where: str, names: Sequence[str], there: Mapping[str, object], held: Mapping[str, float]) -> None:
    for name in names:
        if name not in there and name not in held:
            raise SternaError(
                "the data set has no such split", where=where, attribute="split", value=name,
                allowed=", ".join(there), remedy="name one of these",
            )  # fmt: skip


def _classes(found: Mapping[str, Sequence[Path]], options: DataOptions) -> tuple[str, ...]:
    """The classes that `options` ask for, or else those of the folders that are `found`."""
    check_names(options.data, "rename", options.rename, found)
    renamed = sorted({options.rename.get(name, name) for name in found})
    check_names(options.data, "classes", options.classes, renamed)
    classes = options.classes or tuple(renamed)
    if len(classes) < 2:
        raise SternaError(
            "has no two classes", where=options.data, attribute="classes", value=", ".join(classes) or "none",
            allowed="a folder of images for each of two classes or more", remedy="add a class, or keep more of them",
        )  # fmt: skip
    return classes


def _read(
    there: Mapping[str, Mapping[str, list[Path]]],
    splits: Sequence[str],
    classes: tuple[str, ...],
    options: DataOptions,
    reading: ReadOptions,
    left: list[str],
    channels: int,
) -> dict[str, ClassImages]:
    """The `splits`, all headers checked; `left` takes a line for each image that is left out as faulty.

    Raises SternaError for one without images, and for those that are faulty."""
    faults, made = Faults(), {}
    size = (options.height, options.width, channels)
    for split in dict.fromkeys(splits):
        paths: list[Path] = []
        kinds: list[int] = []
        for folder, images in there[split].items():
            name = options.rename.get(folder, folder)
            if name not in classes:
                if images and not options.classes:
                    faults.splits.append(_unknown(options.data, split, folder, classes))
                continue
            good = [path for path in images if _is_good(path, size, reading, faults, left)]
            paths += good
            kinds += [classes.index(name)] * len(good)
        order = sorted(range(len(paths)), key=lambda index: (kinds[index], paths[index]))
        ordered = np.array([kinds[index] for index in order], np.int64)
        made[split] = ClassImages(tuple(paths[index] for index in order), ordered, classes, *size)
    faults.refuse(options.data)
    for split, data in made.items():
        if not len(data):
            raise SternaError(
                "the split holds no images of the classes", where=f"{options.data}, split {split}",
                allowed=f"{' '.join(image_files.SUFFIXES)}, in folders {', '.join(classes)}",
                remedy="put images into the folders of its classes",
            )  # fmt: skip
    return made


def _unknown(where: str, split: str, folder: str, classes: tuple[str, ...]) -> SternaError:
    return SternaError(
        "holds a class that there is no training image of", where=f"{where}, split {split}", attribute="class",
        value=folder, allowed=", ".join(classes), remedy="correct the folder's name, or add it to the training images",
    )  # fmt: skip


def _is_good(path: Path, shape: tuple[int, int, int], options: ReadOptions, faults: Faults, left: list[str]) -> bool:
    """Whether the image can be read; `faults` or `left` are told if not."""
    try:
        if shape[2] != RGB:
            maps.opened(path, shape)
        elif options.decode:
            image_files.read(path)
        else:
            image_files.header(path)
    except SternaError as fault:
        if options.skip_bad:
            left.append(f"warning: left out: {fault}")
        else:
            faults.records.append(fault)
        return False
    return True


def _files(sets: Mapping[str, ClassImages]) -> dict[str, list[str]]:
    return {split: [str(path) for path in images.paths] for split, images in sets.items()}


def counts(data: Dataset) -> dict[str, int]:
    """How many images of each class `data` has."""
    numbers = np.bincount([int(data.labels(index).classes[0]) for index in range(len(data))],
                          minlength=len(data.classes))  # fmt: skip
    return dict(zip(data.classes, numbers.tolist(), strict=True))


def _show(console: Console, sets: Mapping[str, Dataset], options: DataOptions) -> None:
    """Print how many images of each class the splits hold, side by side."""
    table = Table("", title=f"Data at {options.height}x{options.width}")
    found = {split: counts(data) for split, data in sets.items()}
    for split in found:
        table.add_column(split, justify="right")
    table.add_row("images", *(f"{len(sets[split]):,}" for split in found))
    for name in next(iter(sets.values())).classes:
        table.add_row(name, *(f"{found[split][name]:,}" for split in found))
    console.print(table)
