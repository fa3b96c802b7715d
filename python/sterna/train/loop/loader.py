"""Training batches: the images of each step, augmented, as tensors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol, Self

import numpy as np
import torch
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph.network import RGB
from sterna.train.data.augment import augment, vary
from sterna.train.data.augment_options import AugmentOptions
from sterna.train.data.frames import Dataset, Frame
from sterna.train.data.stream import Stream
from sterna.train.optim import loss
from sterna.vision.prepare import to_integers

SIZE_STEPS = 10  # steps of one input size before the next (Redmon and Farhadi 2017, "Multi-Scale Training")
# What a random number is for, so that no two uses share one.
ORDER, SIZE, AUGMENTATION = range(3)


@dataclass(frozen=True)
class Batch:
    """images: int8 [N, 3, H, W], rgb - 128, channels last in memory. targets: labels of its images.

    A network takes real numbers; they are made of the images where it is, because bytes are sooner there.
    """

    images: torch.Tensor
    targets: loss.Targets | torch.Tensor


def collate(frames: Sequence[Frame], anchors: Sequence[Sequence[float]] | NDArray[np.floating], stride: int) -> Batch:
    """`frames`, all of one size, as a batch; anchors: [A, 2] and stride: as `loss.targets` takes them."""
    images = torch.from_numpy(to_integers(np.stack([frame.image for frame in frames])))
    return Batch(images, loss.targets(frames, np.asarray(anchors), stride))


class Batches(Protocol):
    """How frames become a batch."""

    def vary(self, frame: Frame, rng: np.random.Generator, options: AugmentOptions | None) -> Frame:
        """`frame` as training sees it this time."""

    def collate(self, frames: Sequence[Frame]) -> Batch:
        """`frames`, all of one size, as a batch."""


@dataclass(frozen=True)
class BoxBatches:
    """Those of a detector. anchors: [A, 2] and stride: as `loss.targets` takes them."""

    anchors: Sequence[Sequence[float]] | NDArray[np.floating]
    stride: int

    def vary(self, frame: Frame, rng: np.random.Generator, options: AugmentOptions | None) -> Frame:
        """The image and its boxes, varied."""
        return augment(frame, rng, options)

    def collate(self, frames: Sequence[Frame]) -> Batch:
        """As `collate`."""
        return collate(frames, self.anchors, self.stride)


class ClassBatches:
    """Those of a classifier: targets are int64 [N], the class of each image, which it keeps however it varies."""

    def vary(self, frame: Frame, rng: np.random.Generator, options: AugmentOptions | None) -> Frame:
        """The image, varied; a map of other channels than colours as it is."""
        if frame.image.shape[-1] != RGB:
            return frame
        return frame._replace(image=vary(frame.image, rng, options).image)

    def collate(self, frames: Sequence[Frame]) -> Batch:
        """The images and their classes."""
        images = torch.from_numpy(to_integers(np.stack([frame.image for frame in frames])))
        return Batch(images, torch.from_numpy(np.concatenate([frame.classes for frame in frames])))


class _Job(NamedTuple):
    stage: int
    epoch: int
    indices: tuple[int, ...]
    size: tuple[int, int]


class Loader:
    """Training batches that depend on nothing but the arguments: not on the number of workers or processes.

    dataset: what to learn from. batch: images of a step, over all `world` processes; process `rank` gets an equal
    share, so together they see what one would. seed: of order, sizes and augmentation. batches: how frames become one.
    sizes: (height, width) to choose from. augmentation: how much images vary; None: the defaults. workers: processes
    that make the batches ahead, 0: none. Raises SternaError if the processes cannot have equal shares.
    """

    def __init__(
        self,
        dataset: Dataset,
        *,
        batch: int,
        seed: int,
        batches: Batches,
        sizes: Sequence[tuple[int, int]],
        augmentation: AugmentOptions | None = None,
        rank: int = 0,
        world: int = 1,
        workers: int = 0,
    ) -> None:
        if batch % world:
            raise SternaError(
                "the batch cannot be divided equally among the processes",
                where="train",
                attribute="batch",
                value=batch,
                allowed=f"multiples of {world}, the number of processes",
                remedy="change the batch size or the number of processes",
            )
        self._count, self._batch, self._seed, self._sizes = len(dataset), batch, seed, tuple(sizes)
        share = batch // world
        self._share = slice(rank * share, (rank + 1) * share)
        self._stream = Stream(_BatchMaker(dataset, seed, batches, augmentation), workers)

    @property
    def steps(self) -> int:
        """Steps of an epoch; images that do not fill a batch wait for another epoch."""
        return max(1, self._count // self._batch)

    def epoch(self, stage: int, epoch: int, first: int = 0) -> Iterator[Batch]:
        """The batches of an epoch from step `first` on: the same as when all before were asked for as well."""
        order = self._rng(ORDER, stage, epoch, 0).permutation(self._count)
        order = np.resize(order, max(self._count, self._batch))
        jobs = []
        for step in range(first, self.steps):
            mine = order[step * self._batch :][: self._batch][self._share]
            sizes = self._rng(SIZE, stage, epoch, step // SIZE_STEPS)
            jobs.append(_Job(stage, epoch, tuple(mine.tolist()), self._sizes[sizes.integers(len(self._sizes))]))
        return self._stream(jobs)

    def _rng(self, use: int, stage: int, epoch: int, number: int) -> np.random.Generator:
        return np.random.default_rng((use, self._seed, stage, epoch, number))

    def close(self) -> None:
        """End the workers."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class _BatchMaker:
    """From a job to its batch."""

    def __init__(
        self,
        dataset: Dataset,
        seed: int,
        batches: Batches,
        augmentation: AugmentOptions | None,
    ) -> None:
        self._dataset, self._seed, self._batches, self._augmentation = dataset, seed, batches, augmentation

    def _vary(self, frame: Frame, job: _Job, index: int) -> Frame:
        rng = np.random.default_rng((AUGMENTATION, self._seed, job.stage, job.epoch, index))
        return self._batches.vary(frame, rng, self._augmentation)

    def __call__(self, job: _Job) -> Batch:
        dataset = self._dataset.resized(*job.size)
        frames = [self._vary(dataset[index], job, index) for index in job.indices]
        return self._batches.collate(frames)
