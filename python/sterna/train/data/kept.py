"""Images that take long to make, cached in memory."""

from __future__ import annotations

import numpy as np

from sterna.train.data.frames import Dataset, Frame, Labels, Resized
from sterna.train.data.stream import frames


class Kept:
    """The frames of `source`, made at once by worker processes and kept.

    Meant for generated scenes: drawing one takes longer than a training step on it. The images are one block of
    memory, which later workers share.
    """

    def __init__(self, source: Dataset, workers: int = 0) -> None:
        self.classes = source.classes
        self._labels: list[Labels] = []
        for index, frame in enumerate(frames(source, workers)):
            if index == 0:
                self._images = np.empty((len(source), *frame.image.shape), np.uint8)
            self._images[index] = frame.image
            self._labels.append(frame.labels)

    def __len__(self) -> int:
        return len(self._labels)

    def __getitem__(self, index: int) -> Frame:
        return Frame(self._images[index], *self._labels[index])

    def labels(self, index: int) -> Labels:
        """Labels of frame `index`."""
        return self._labels[index]

    def resized(self, height: int, width: int) -> Dataset:
        """The kept images at another size."""
        return Resized(self, height, width)
