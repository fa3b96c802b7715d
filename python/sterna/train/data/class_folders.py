"""Images in folders named by their class, SPLIT/CLASS/IMAGE: the usual form of data sets for classification."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sterna.errors import SternaError
from sterna.vision import image_files

TRAIN, VAL, TEST = "train", "val", "test"


@dataclass(frozen=True)
class ClassImages:
    """The image files `paths`, at height x width pixels, each of one of `classes`. labels: int64 [N]."""

    paths: tuple[Path, ...]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    height: int
    width: int

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Image `index`, RGB uint8 [H, W, 3]. Raises SternaError if it cannot be read."""
        image = image_files.read(self.paths[index])
        return np.asarray(image.resize((self.width, self.height), Image.Resampling.BILINEAR))


@dataclass(frozen=True)
class ClassSplits:
    """Images to learn from, to watch the training by, and for the final metrics."""

    train: ClassImages
    val: ClassImages
    test: ClassImages


def open_classes(folder: Path, height: int, width: int) -> ClassSplits:
    """The images in `folder`: those for training in `train`, the others in `val` and `test`, or in one of these.

    The classes are the folders in `train`, in order of their names. Raises SternaError if a split or an image is
    missing, or if a class is in another split and not in `train`.
    """
    classes = _folders(folder / TRAIN)
    if len(classes) < 2:
        raise SternaError(
            "has no two classes", where=str(folder / TRAIN), attribute="folders", value=", ".join(classes) or "none",
            allowed="a folder of images for each of two classes or more", remedy="name a folder that holds these",
        )  # fmt: skip
    there = [name for name in (TRAIN, VAL, TEST) if (folder / name).is_dir()]
    found = {name: _split(folder / name, classes, height, width) for name in there}
    others = [name for name in (VAL, TEST) if name in found]
    if not others:
        raise SternaError(
            "holds no images but those for training", where=str(folder), attribute="folders", value=TRAIN,
            allowed=f"{VAL} or {TEST} beside it", remedy="move some images of each class into one",
        )  # fmt: skip
    return ClassSplits(found[TRAIN], found[others[0]], found[others[-1]])


def _folders(folder: Path) -> tuple[str, ...]:
    if not folder.is_dir():
        raise SternaError(
            "there is no such folder", where=str(folder), allowed="SPLIT/CLASS/IMAGE, with images of SPLIT train",
            remedy="name the folder that holds train, and val or test",
        )  # fmt: skip
    return tuple(sorted(path.name for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")))


def _split(folder: Path, classes: tuple[str, ...], height: int, width: int) -> ClassImages:
    unknown = [name for name in _folders(folder) if name not in classes]
    if unknown:
        raise SternaError(
            "holds a class that there is no training image of", where=str(folder), attribute="class", value=unknown[0],
            allowed=", ".join(classes), remedy="correct the folder's name, or add it to train",
        )  # fmt: skip
    paths: list[Path] = []
    labels: list[int] = []
    for number, name in enumerate(classes):
        images = image_files.among((folder / name).iterdir()) if (folder / name).is_dir() else []
        paths += images
        labels += [number] * len(images)
    if not paths:
        raise SternaError(
            "holds no images", where=str(folder), allowed=" ".join(image_files.SUFFIXES),
            remedy="put images into the folders of its classes",
        )  # fmt: skip
    return ClassImages(tuple(paths), np.array(labels, np.int64), classes, height, width)

