"""Work that processes do in advance, in order."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Generator, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Generic, Self, TypeVar

import torch
from torch.utils.data import DataLoader, Sampler
from torch.utils.data import Dataset as TorchDataset

from sterna import signals
from sterna.errors import SternaError
from sterna.train.data.frames import Dataset, Frame

MOST_WORKERS = 8
AHEAD = 2  # results that each worker makes ahead

Job = TypeVar("Job")
Result = TypeVar("Result")


def default_workers() -> int:
    """One worker less than the cores that this process may use, 1 to 8."""
    return max(1, min(MOST_WORKERS, len(os.sched_getaffinity(0)) - 1))


class Stream(Generic[Job, Result]):
    """`make` of jobs, done by `workers` processes (0: by this one), in the order of the jobs.

    The processes stay between calls until `close`. They are forked, so they share the memory of what `make` holds; each
    computes with one thread, leaves signals to this process, and ends with it.
    """

    def __init__(self, make: Callable[[Job], Result], workers: int) -> None:
        self._jobs: _Jobs[Job] = _Jobs()
        self._running: Generator[Result, None, None] | None = None
        self._loader: DataLoader[Result | SternaError] | None = DataLoader(
            _Maker(make),
            batch_size=None,
            sampler=self._jobs,
            collate_fn=_as_it_is,
            num_workers=workers,
            persistent_workers=workers > 0,
            prefetch_factor=AHEAD if workers else None,
            multiprocessing_context=multiprocessing.get_context("fork") if workers else None,
            worker_init_fn=partial(_start_worker, os.getpid()),
            generator=torch.Generator(),  # a loader draws from it; PyTorch's own stays as it is
        )

    def __call__(self, jobs: Sequence[Job]) -> Generator[Result, None, None]:
        """The results of `jobs`; an earlier call ends. A SternaError in a worker is raised here."""
        if self._running is not None:
            self._running.close()
        self._running = self._run(jobs)
        return self._running

    def _run(self, jobs: Sequence[Job]) -> Generator[Result, None, None]:
        if self._loader is None:
            raise RuntimeError("the stream is closed")
        self._jobs.jobs = jobs
        try:
            for result in self._loader:
                if isinstance(result, SternaError):
                    raise result
                yield result
        except RuntimeError as error:
            if not str(error).startswith("DataLoader worker"):
                raise
            raise SternaError(
                "a process that loads images was killed, as happens when memory runs out",
                where="train data",
                remedy="use fewer workers, smaller batches, or more (shared) memory",
            ) from error

    def close(self) -> None:
        """End the processes."""
        if self._running is not None:
            self._running.close()  # it holds them as long as somebody holds it, if only a traceback
        self._loader = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def frames(dataset: Dataset, workers: int = 0) -> Iterator[Frame]:
    """All frames of `dataset` in order, made by `workers` processes."""
    with Stream(dataset.__getitem__, workers) as stream:
        yield from stream(range(len(dataset)))


def batches(dataset: Dataset, size: int, workers: int = 0) -> Iterator[list[Frame]]:
    """All frames of `dataset` in order, up to `size` at a time."""
    results = frames(dataset, workers)
    while batch := list(islice(results, size)):
        yield batch


class _Jobs(Sampler[Job]):
    """The jobs of the current call; only this process reads them."""

    jobs: Sequence[Job] = ()

    def __init__(self) -> None:
        pass

    def __iter__(self) -> Iterator[Job]:
        return iter(self.jobs)

    def __len__(self) -> int:
        return len(self.jobs)


class _Maker(TorchDataset[Result | SternaError], Generic[Job, Result]):
    def __init__(self, make: Callable[[Job], Result]) -> None:
        self._make = make

    def __getitem__(self, job: Job) -> Result | SternaError:
        try:
            return self._make(job)
        except SternaError as error:
            return error  # PyTorch would wrap an exception into one with a traceback as its message


def _as_it_is(result: Result) -> Result:
    return result


def _start_worker(parent: int, number: int) -> None:
    signals.leave_to(parent)
    torch.set_num_threads(1)
