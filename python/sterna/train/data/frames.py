"""Labelled images, the common form of all data sets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SMALLEST_SIDE = 2.0  # pixels; a thinner box is not learnt, but evaluation counts it: it is there, and small


class Labels(NamedTuple):
    """The objects of one image.

    boxes: float32 [N, 4], left, top, right, bottom in pixels. classes: int64 [N]. difficult, crowd: bool [N], what
    Pascal VOC and COCO mark so; see `LabelledObject`.
    """

    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    difficult: NDArray[np.bool_]
    crowd: NDArray[np.bool_]

    @staticmethod
    def of(
        boxes: NDArray[np.float32], classes: NDArray[np.int64], difficult: NDArray[np.bool_] | None = None
    ) -> Labels:
        """Labels of objects of which none is crowd, nor difficult unless said so."""
        none = np.zeros(len(classes), bool)
        return Labels(boxes, classes, none if difficult is None else difficult, none)

    @property
    def thin(self) -> NDArray[np.bool_]:
        """Which boxes have a side under SMALLEST_SIDE, bool [N]."""
        return (self.boxes[:, 2:] - self.boxes[:, :2]).min(1, initial=np.inf) < SMALLEST_SIDE

    @property
    def learnt(self) -> NDArray[np.bool_]:
        """Which boxes training learns: all that are not difficult, crowd or thin; bool [N]."""
        return ~(self.difficult | self.crowd | self.thin)


class Frame(NamedTuple):
    """One image and its labels.

    image: uint8 [H, W, 3] RGB. boxes: float32 [N, 4], left, top, right, bottom in pixels of `image`.
    classes: int64 [N]. difficult, crowd: bool [N], as in `Labels`.
    """

    image: NDArray[np.uint8]
    boxes: NDArray[np.float32]
    classes: NDArray[np.int64]
    difficult: NDArray[np.bool_]
    crowd: NDArray[np.bool_]

    @property
    def labels(self) -> Labels:
        """The frame without its pixels."""
        return Labels(*self[1:])


class Dataset(Protocol):
    """Frames of one size by index, made on demand."""

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names; the index is the class number."""
        ...

    def __len__(self) -> int: ...

    def __getitem__(self, index: int) -> Frame: ...

    def labels(self, index: int) -> Labels:
        """Labels of frame `index`, without reading its pixels where that saves time."""
        ...

    def resized(self, height: int, width: int) -> Dataset:
        """The same images at height x width pixels."""
        ...


def resize_boxes(boxes: NDArray[np.float32], old: tuple[int, int], new: tuple[int, int]) -> NDArray[np.float32]:
    """`boxes` [N, 4] in an image of `old` height and width, when it is resized to `new`."""
    return boxes * np.array([new[1] / old[1], new[0] / old[0]] * 2, np.float32)


@dataclass(frozen=True)
class Derived:
    """Frames made from those of `source`, unless said otherwise one from each."""

    source: Dataset

    @property
    def classes(self) -> tuple[str, ...]:
        """Class names of the source."""
        return self.source.classes

    def __len__(self) -> int:
        return len(self.source)


@dataclass(frozen=True)
class Resized(Derived):
    """The frames of `source` at height x width pixels, aspect not kept."""

    height: int
    width: int

    def __getitem__(self, index: int) -> Frame:
        frame = self.source[index]
        height, width, _ = frame.image.shape
        boxes = resize_boxes(frame.boxes, (height, width), (self.height, self.width))
        small = Image.fromarray(frame.image).resize((self.width, self.height), Image.Resampling.BILINEAR)
        return frame._replace(image=np.asarray(small), boxes=boxes)

    def labels(self, index: int) -> Labels:
        """Labels of frame `index`."""
        return self[index].labels

    def resized(self, height: int, width: int) -> Dataset:
        """The source at another size."""
        return self.source.resized(height, width)
