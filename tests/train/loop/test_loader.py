from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from sterna.errors import SternaError
from sterna.train.data import DataOptions, frames, open_data
from sterna.train.data.augment import sizes
from sterna.train.data.augment_options import AugmentOptions
from sterna.train.data.frames import Dataset, Frame, Labels
from sterna.train.data.stream import Stream, batches
from sterna.train.loop.loader import SIZE_STEPS, Batch, BoxBatches, Loader
from sterna.train.report.evaluate import from_integers
from sterna.vision.prepare import to_integers
from support import data_sets

ANCHORS = [[1.0, 1.0], [2.0, 1.0]]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Six images of 64x32."""
    folder = data_sets.write_yolo(tmp_path_factory.mktemp("data"))
    (folder / "data.yaml").write_text(
        "train: [images/train, images/val, images/test]\nval: images/val\nnames: [cat, dog]\n"
    )
    return open_data(DataOptions(data=str(folder), height=32, width=64)).train


def load(data: Dataset, batch: int = 2, **more: object) -> Loader:
    arguments = {"seed": 5, "batches": BoxBatches(ANCHORS, 16), "sizes": [(32, 64)], **more}
    return Loader(data, batch=batch, **arguments)  # type: ignore[arg-type]


def assert_same(first: Sequence[Batch], second: Sequence[Batch]) -> None:
    assert len(first) == len(second) > 0
    for mine, other in zip(first, second, strict=True):
        assert torch.equal(mine.images, other.images)
        assert mine.images.stride() == other.images.stride()
        for name, value in vars(mine.targets).items():
            assert torch.equal(value, getattr(other.targets, name)), name


@pytest.mark.parametrize("workers", [0, 1])
def test_augmentation_reaches_the_batches(data: Dataset, workers: int) -> None:
    still = AugmentOptions(mirror=0, zoom=1, stretch=1, shift=0, exposure=1, saturation=1, hue=0)
    images = {to_integers(data[index].image).tobytes() for index in range(len(data))}
    with load(data, augmentation=still, workers=workers) as loader:
        shown = {image.numpy().tobytes() for batch in loader.epoch(0, 0) for image in batch.images.contiguous()}
    assert shown == images


def test_batches_are_tensors_as_the_network_takes_them(data: Dataset) -> None:
    with load(data) as loader:
        assert loader.steps == 3
        found = list(loader.epoch(0, 0))
    assert len(found) == 3
    for batch in found:
        assert batch.images.shape == (2, 3, 32, 64) and batch.images.dtype == torch.int8
        assert batch.images.is_contiguous(memory_format=torch.channels_last)
        real = from_integers(batch.images)
        assert real.dtype == torch.float32 and real.is_contiguous(memory_format=torch.channels_last)
        assert -1 <= real.min() < real.max() < 1
        assert len(batch.targets.truths) == 2


def test_workers_change_nothing(data: Dataset) -> None:
    with load(data) as alone, load(data, workers=2) as helped:
        for stage, epoch in ((0, 0), (0, 1), (1, 0)):  # the workers stay from epoch to epoch
            assert_same(list(alone.epoch(stage, epoch)), list(helped.epoch(stage, epoch)))


def test_the_state_of_pytorch_and_numpy_is_neither_used_nor_changed(data: Dataset) -> None:
    with load(data) as loader:
        torch.manual_seed(1)
        before = torch.get_rng_state()
        first = list(loader.epoch(0, 0))
        assert torch.equal(torch.get_rng_state(), before)
        torch.manual_seed(2)
        assert_same(first, list(loader.epoch(0, 0)))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_epoch_goes_on_where_it_was_left(data: Dataset, workers: int) -> None:
    with load(data, batch=1, workers=workers) as loader:
        whole = list(loader.epoch(0, 3))
        left = loader.epoch(0, 3)
        assert_same([next(left), next(left)], whole[:2])
        assert_same(list(loader.epoch(0, 3, first=2)), whole[2:])
    assert list(load(data).epoch(0, 0, first=3)) == []


@pytest.mark.parametrize("world", [2, 4])
def test_processes_see_together_what_one_sees(data: Dataset, world: int) -> None:
    with load(data, batch=4) as alone:
        whole = list(alone.epoch(0, 0))
    shares = [list(load(data, batch=4, rank=rank, world=world).epoch(0, 0)) for rank in range(world)]
    for step, batch in enumerate(whole):
        assert torch.equal(torch.cat([share[step].images for share in shares]), batch.images)
        classes = torch.cat([share[step].targets.classes for share in shares])
        assert torch.equal(classes, batch.targets.classes)


def test_a_batch_that_cannot_be_shared_is_refused(data: Dataset) -> None:
    with pytest.raises(SternaError, match="batch = 3; allowed: multiples of 2"):
        load(data, batch=3, world=2)


@pytest.mark.parametrize("change", [{"seed": 6}, {"stage": 1}, {"epoch": 1}])
def test_seed_stage_and_epoch_give_other_batches(data: Dataset, change: dict[str, int]) -> None:
    chosen = {"seed": 5, "stage": 0, "epoch": 0}
    first, other = (
        torch.cat([batch.images for batch in load(data, seed=one["seed"]).epoch(one["stage"], one["epoch"])])
        for one in (chosen, chosen | change)
    )
    assert not torch.equal(first, other)


def test_an_epoch_shows_each_image_once() -> None:
    order = []

    class Spy(Coloured):
        def __getitem__(self, index: int) -> Frame:
            order.append(index)
            return super().__getitem__(index)

    with load(Spy(24), batch=5) as loader:
        list(loader.epoch(0, 0))
        first, order[:] = list(order), []
        list(loader.epoch(0, 1))
    assert len(set(first)) == len(first) == 20 and first != order
    with load(Spy(3), batch=8) as loader:
        order.clear()
        assert loader.steps == len(list(loader.epoch(0, 0))) == 1
    assert sorted(order) == [0, 0, 0, 1, 1, 1, 2, 2] or len(order) == 8


class Coloured:
    """`count` grey images with one object each."""

    classes = ("thing",)

    def __init__(self, count: int, height: int = 32, width: int = 32) -> None:
        self.count, self.height, self.width = count, height, width

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Frame:
        return Frame(np.full((self.height, self.width, 3), index, np.uint8), *self.labels(index))

    def labels(self, index: int) -> Labels:
        return Labels.of(np.array([[8, 8, 24, 24]], np.float32), np.zeros(1, np.int64))

    def resized(self, height: int, width: int) -> Coloured:
        return type(self)(self.count, height, width)


def test_sizes_change_every_few_steps_and_are_the_same_for_all() -> None:
    choice = sizes(64, 64, 0.5)
    assert len(choice) == 3
    with (
        load(Coloured(240), batch=2, sizes=choice) as loader,
        load(Coloured(240), batch=2, sizes=choice, rank=1, world=2) as other,
    ):
        shapes = [tuple(batch.images.shape[2:]) for batch in loader.epoch(0, 0)]
        assert shapes == [tuple(batch.images.shape[2:]) for batch in other.epoch(0, 0)]
    blocks = [set(shapes[start : start + SIZE_STEPS]) for start in range(0, len(shapes), SIZE_STEPS)]
    assert all(len(block) == 1 for block in blocks) and set.union(*blocks) == set(choice)


@pytest.mark.parametrize("workers", [0, 2])
def test_an_error_in_a_worker_is_the_same_error_here(tmp_path: Path, workers: int) -> None:
    folder = data_sets.write_yolo(tmp_path)
    train = open_data(DataOptions(data=str(folder), height=32, width=64)).train
    path = folder / "images/train/p1.jpg"
    path.write_bytes(path.read_bytes()[:400])
    with load(train, batch=1, workers=workers) as loader, pytest.raises(SternaError) as refused:
        list(loader.epoch(0, 0))
    assert refused.value.where == str(path) and refused.value.remedy
    assert str(refused.value).startswith(f"{path}: the image cannot be read") and "\n" not in str(refused.value)


def test_a_worker_that_is_killed_is_reported() -> None:
    def make(job: int) -> int:
        if job == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return job

    with Stream(make, 1) as stream, pytest.raises(SternaError, match=r"was killed.*fewer workers"):
        list(stream(range(9)))


@pytest.mark.parametrize("workers", [0, 2])
def test_an_evaluation_sees_all_frames_in_order(data: Dataset, workers: int) -> None:
    found = list(batches(data, 4, workers))
    assert [len(batch) for batch in found] == [4, 2]
    for index, frame in enumerate(frame for batch in found for frame in batch):
        for mine, other in zip(frame, data[index], strict=True):
            np.testing.assert_array_equal(mine, other)
            assert mine.dtype == other.dtype


def test_workers_compute_with_one_thread() -> None:
    with Stream(lambda job: torch.get_num_threads(), 1) as stream:
        assert list(stream([0])) == [1]


def children() -> set[int]:
    return {int(pid) for pid in Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()}


def test_workers_end_with_their_stream() -> None:
    before = children()
    with Stream(str, 2) as stream:
        results = stream(range(50))
        assert next(results) == "0" and len(children() - before) == 2
        results.close()
    assert children() <= before
    with pytest.raises(ZeroDivisionError), Stream(int, 2) as stream:  # what was raised holds on to the results
        for result in stream(range(50)):
            assert 1 / result
    assert children() <= before
    evaluation = frames(Coloured(20), 2)
    next(evaluation)
    evaluation.close()
    assert children() <= before


def run_until_ctrl_c(said: Path) -> None:
    """A process group of its own that heeds Ctrl-C and writes all it says to a file."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    with said.open("w") as file:
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
    with Stream(lambda job: time.sleep(0.01) or job, 2) as stream:
        try:
            for result in stream(range(10_000)):
                if result == 5:
                    os.killpg(0, signal.SIGINT)  # as a terminal does: to the workers as well
        except KeyboardInterrupt:
            os.write(1, b"stopped")


def test_ctrl_c_ends_a_run_without_words_of_its_workers(tmp_path: Path) -> None:
    process = multiprocessing.get_context("fork").Process(target=run_until_ctrl_c, args=(tmp_path / "said",))
    process.start()
    process.join()
    assert process.exitcode == 0
    assert (tmp_path / "said").read_text() == "stopped"
