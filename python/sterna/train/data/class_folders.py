"""Images in folders named by their class, SPLIT/CLASS/IMAGE: the usual form of data sets for classification.

A network whose image has other channels than a colour image reads maps, bytes [height, width, channels] of numpy.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from sterna.errors import SternaError
from sterna.graph.network import RGB
from sterna.vision import image_files

TRAIN, VAL, TEST = "train", "val", "test"
MAP_SUFFIX = ".npy"


@dataclass(frozen=True)
class ClassImages:
    """The files `paths`, at height x width pixels, each of one of `classes`. labels: int64 [N]."""

    paths: tuple[Path, ...]
    labels: NDArray[np.int64]
    classes: tuple[str, ...]
    height: int
    width: int
    channels: int = RGB

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int) -> NDArray[np.uint8]:
        """Image `index`, RGB uint8 [H, W, 3], or map [H, W, channels]. Raises SternaError if it cannot be read."""
        if self.channels != RGB:
            return read_map(self.paths[index], (self.height, self.width, self.channels))
        image = image_files.read(self.paths[index])
        return np.asarray(image.resize((self.width, self.height), Image.Resampling.BILINEAR))


@dataclass(frozen=True)
class ClassSplits:
    """Images to learn from, to watch the training by, and for the final metrics."""

    train: ClassImages
    val: ClassImages
    test: ClassImages


def read_map(path: Path, shape: tuple[int, int, int]) -> NDArray[np.uint8]:
    """The bytes of `shape` in the file `path`. Raises SternaError if it holds anything else."""
    try:
        # As large as the file is: what the file says of its size need not be true.
        found = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError, SyntaxError) as error:
        raise SternaError(
            "is no readable map", where=str(path), allowed=f"an array of numpy, {MAP_SUFFIX}",
            remedy="write it by numpy.save",
        ) from error  # fmt: skip
    if found.dtype != np.uint8 or found.shape != shape:
        raise SternaError(
            "is a map of another kind", where=str(path), attribute="dtype, shape", value=f"{found.dtype} {found.shape}",
            allowed=f"uint8 {shape}", remedy="make maps as the network reads them: height, width, channels",
        )  # fmt: skip
    return np.array(found)


def open_classes(folder: Path, height: int, width: int, channels: int = RGB) -> ClassSplits:
    """The images in `folder`, or maps of so many channels if they are not three.

    Those for training are in `train`, the others in `val` and `test`, or in one of these. The classes are the folders
    in `train`, in order of their names. Raises SternaError if a split or an image is missing, or if a class is in
    another split and not in `train`.
    """
    classes = _folders(folder / TRAIN)
    if len(classes) < 2:
        raise SternaError(
            "has no two classes", where=str(folder / TRAIN), attribute="folders", value=", ".join(classes) or "none",
            allowed="a folder of images for each of two classes or more", remedy="name a folder that holds these",
        )  # fmt: skip
    there = [name for name in (TRAIN, VAL, TEST) if (folder / name).is_dir()]
    found = {name: _split(folder / name, classes, height, width, channels) for name in there}
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


def _split(folder: Path, classes: tuple[str, ...], height: int, width: int, channels: int) -> ClassImages:
    unknown = [name for name in _folders(folder) if name not in classes]
    if unknown:
        raise SternaError(
            "holds a class that there is no training image of", where=str(folder), attribute="class", value=unknown[0],
            allowed=", ".join(classes), remedy="correct the folder's name, or add it to train",
        )  # fmt: skip
    suffixes = image_files.SUFFIXES if channels == RGB else (MAP_SUFFIX,)
    paths: list[Path] = []
    labels: list[int] = []
    for number, name in enumerate(classes):
        images = image_files.among((folder / name).iterdir(), suffixes) if (folder / name).is_dir() else []
        paths += images
        labels += [number] * len(images)
    if not paths:
        raise SternaError(
            "holds no images", where=str(folder), allowed=" ".join(suffixes),
            remedy="put images into the folders of its classes",
        )  # fmt: skip
    return ClassImages(tuple(paths), np.array(labels, np.int64), classes, height, width, channels)

