"""The stages of a recipe in one go, without checkpoints, for what learns something else than the classes of images."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated, Any, ClassVar, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import AfterValidator, Field, model_validator
from rich.console import Console

from sterna import files
from sterna.errors import SternaError
from sterna.graph import Graph, file
from sterna.graph.network import BITS, FIRST_BITS, HEAD_BITS, Classifier, NetworkDescription
from sterna.importers import registry
from sterna.importers.importer import ALONE
from sterna.train import checkpoint, run_folder, stages
from sterna.train.data import DataOptions, Dataset, Splits
from sterna.train.data.class_folders import open_classes
from sterna.train.data.stream import Stream
from sterna.train.loop.learner import Learner
from sterna.train.loop.loader import Batch
from sterna.train.loop.trainer import AIM_EVERY, TrainResult
from sterna.train.model import adapt, density, export, imported, integer, schedules
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.options import Allocation, RecipeOptions
from sterna.train.report import evaluate
from sterna.validated import Validated
from sterna.vision.prepare import to_integers

EVALUATED = 64  # images that are evaluated at once
ORDER, SHIFT = range(2)  # what a random number is for


class ShortOptions(RecipeOptions, Validated):
    """The options of a run; equal options with equal software and `threads` give equal weights.

    Raises SternaError for a wrong value.
    """

    _field: ClassVar[str] = "option"
    _remedy: ClassVar[str] = "correct the option"

    output: Path = Field(description="run folder: graph and summary")
    data: Path = Field(description="folder of images, SPLIT/CLASS/IMAGE")
    network: Annotated[str, AfterValidator(registry.check)] = Field(
        "resnet8", description="a classifier by name, or an .onnx model in floats to start from"
    )
    height: int = Field(28, ge=8, le=1024, description="image height")
    width: int = Field(28, ge=8, le=1024, description="image width")
    shift: int = Field(0, ge=0, le=64, description="move training images by up to so many pixels")
    first_bits: int = Field(FIRST_BITS, ge=BITS[0], le=BITS[1], description="weight bits of the first layer")
    head_bits: int = Field(HEAD_BITS, ge=BITS[0], le=BITS[1], description="weight bits of the scores")
    seed: int = Field(0, ge=0, lt=1 << 31, description="seed of order, shifts and fresh weights")
    threads: int = Field(1, ge=1, le=256, description="CPU threads of PyTorch")
    workers: int = Field(0, ge=0, le=256, description="processes that load images")

    @model_validator(mode="after")
    def _can_train(self) -> ShortOptions:
        if self.float_epochs == 0 or not (self.ternary_epochs or self.quantised_epochs):
            raise ValueError("float_epochs, or both ternary_epochs and quantised_epochs, are 0: nothing is learnt")
        if self.unlabelled or self.allocation is not Allocation.UNIFORM or self.accumulate > 1:
            raise ValueError("unlabelled, allocation and accumulate are for detectors: leave them out")
        return self


def begin(kind: type[ShortRun], options: ShortOptions, console: Console) -> ShortRun:
    """A run of `kind`, which leaves graph.sterna-graph, summary.json and log.json in the output folder.

    Raises SternaError for images that cannot be read, a network that does not score an image of this size, and a
    folder that holds another run.
    """
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True, warn_only=True)
    integer.need_all_bits()
    description = registry.describe(options.network).with_bits(options.first_bits, options.head_bits)
    read = DataOptions(data=str(options.data), height=options.height, width=options.width)
    data = open_classes(read, description.image_channels)
    check_network(description, options)
    _check_output(options.output)
    return kind(options, description, data, console)


def check_network(description: NetworkDescription, options: ShortOptions) -> None:
    """Raise SternaError unless the network gives one score of each class for an image."""
    if not isinstance(description.last, Classifier):
        raise SternaError(
            "is no classifier", where="train", attribute="network", value=options.network,
            allowed="a network that ends in scores, such as resnet8", remedy="name one of these",
        )  # fmt: skip
    scores = description.infer(2, options.height, options.width)[description.last.name]
    if (scores.height, scores.width) != (1, 1):
        raise SternaError(
            "gives more than one score of a class for an image of this size", where="train", attribute="height, width",
            value=f"{options.height}, {options.width}", allowed="a size that leaves one pixel",
            remedy="use the image size that the network is made for",
        )  # fmt: skip


def _check_output(folder: Path) -> None:
    files.check_folder(folder)
    there = [name for name in (run_folder.GRAPH, run_folder.SUMMARY, run_folder.LOG) if (folder / name).exists()]
    if there:
        raise SternaError(
            "the folder already holds a run", where=str(folder), attribute="files", value=", ".join(there),
            remedy="choose another folder",
        )  # fmt: skip


class ShortRun(ABC):
    """State of a run."""

    learner: ClassVar[type[Learner]]

    def __init__(self, options: ShortOptions, description: NetworkDescription, data: Splits, console: Console) -> None:
        self.options, self.description, self.data, self.console = options, description, data, console
        self.densities = density.uniform(description, options.density, options.layer_density)
        self.log: list[dict[str, Any]] = []
        self.by_stage: dict[str, Any] = {}

    @property
    @abstractmethod
    def outputs(self) -> tuple[str, ...]:
        """What the network's outputs are called."""

    @abstractmethod
    def validated(self, network: Network) -> Any:
        """How well `network` does on the images for that, a named tuple; the share of right answers comes first."""

    @abstractmethod
    def exported(self, network: Network, teacher: Network) -> tuple[Graph, dict[str, Any], dict[str, Any]]:
        """The graph of `network`, how well each form does on the test images, and what else the summary says."""

    def graph_of(self, network: Network) -> Graph:
        """The integer graph of `network`."""
        return export.to_graph(network, (), self.outputs, self.options.height, self.options.width)

    def start(self) -> Network | None:
        """The float network in the file that the options name, for these outputs; None for one of Sterna's own."""
        importer = registry.importer_of(self.options.network)
        found = None if importer is None else importer.load(Path(self.options.network), ALONE)
        if found is None:
            return None
        torch.manual_seed(self.options.seed)
        network = imported.to_network(found)
        matched = adapt.match(self.outputs, found.names, network.classes)
        for note in (*found.changes, *matched.notes):
            self.console.print(f"note: {note}", markup=False, soft_wrap=True)
        if matched.places != tuple(range(network.classes)):
            network = adapt.with_classes(network, matched.places).eval()
        images = np.stack([self.data.train[index].image for index in range(min(EVALUATED, len(self.data.train)))])
        unstated = {name for name, each in found.weights.items() if each.norm is None}
        adapt.state_statistics(network, unstated - {network.description.last.name}, evaluate.to_real(images))
        return network

    def finish(self) -> TrainResult:
        """Train all stages, then export and summarise."""
        network = self.start()
        teacher: Network | None = None
        with Stream(partial(_batch, self.data.train, self.options), self.options.workers) as stream:
            for number, stage in enumerate(stages.plan(self.options)):
                learner = self._learner(stage, network, teacher)
                for epoch in range(stage.epochs):
                    self._epoch(learner, stage, number, epoch, stream)
                network = learner.result().eval()
                if stage.form is Form.FLOAT:
                    teacher = network
                else:
                    network.aim(self.densities)
                self.by_stage[stage.name] = self.validated(network)
                self.console.print(f"{stage.name} stage: validation accuracy {self.by_stage[stage.name][0]:.4f}")
        assert network is not None and teacher is not None
        return self._result(network, teacher)

    def _learner(self, stage: stages.Stage, before: Network | None, teacher: Network | None) -> Learner:
        torch.manual_seed(self.options.seed)
        network = Network(self.description, len(self.outputs), stage.form, self.options.pattern)
        if before is not None:
            network.load_state_dict(before.state_dict(), strict=False)
        if stage.form is not Form.FLOAT and not stage.sparsifies:
            network.aim(self.densities)
        network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        distils = stage.distils and self.options.distillation
        return self.learner(network, [], teacher if distils else None, stage.optimiser, self.options)

    def _epoch(
        self, learner: Learner, stage: stages.Stage, number: int, epoch: int, stream: Stream[_Job, Batch]
    ) -> None:
        jobs = self._jobs(number, epoch)
        sums = np.zeros(len(learner.losses))
        for step, batch in enumerate(stream(jobs)):
            share = (epoch + step / len(jobs)) / stage.epochs
            if stage.form is not Form.FLOAT and step % AIM_EVERY == 0:
                learner.network.aim(self._density(stage, share))
            sums += learner.step([batch], stage.rate * stages.rate(share))
        means = dict(zip(learner.losses, (sums / len(jobs)).round(4).tolist(), strict=True))
        self.log.append({"stage": stage.name, "epoch": epoch + 1, **means})

    def _density(self, stage: stages.Stage, share: float) -> dict[str, float]:
        if not stage.sparsifies:
            return self.densities
        schedule = self.options.schedule
        return {name: schedules.density_at(schedule, share, target) for name, target in self.densities.items()}

    def _jobs(self, stage: int, epoch: int) -> list[_Job]:
        """The batches of an epoch; images that do not fill one wait for another epoch."""
        count, batch = len(self.data.train), min(self.options.batch, len(self.data.train))
        order = np.random.default_rng((ORDER, self.options.seed, stage, epoch)).permutation(count)
        return [_Job(stage, epoch, order[at : at + batch].tolist()) for at in range(0, count - batch + 1, batch)]

    def _result(self, network: Network, teacher: Network) -> TrainResult:
        options, data = self.options, self.data
        graph, found, more = self.exported(network, teacher)
        path = options.output / run_folder.GRAPH
        file.save(graph, path)
        for name, each in found.items():
            self.console.print(f"{name}: accuracy {each[0]:.4f} on {len(data.test)} test images")
        summary = {
            "network": options.network,
            "classes": list(data.train.classes),
            "images": {"train": len(data.train), "val": len(data.val), "test": len(data.test)},
            "accuracy": {name: each._asdict() for name, each in found.items()},
            "validation_by_stage": {name: each._asdict() for name, each in self.by_stage.items()},
            "density": _density_of(graph, network.description.ternary),
            **more,
            "options": options.model_dump(mode="json", exclude={"output", "data"}),
        }
        checkpoint.write_json(options.output / run_folder.LOG, self.log)
        checkpoint.write_json(options.output / run_folder.SUMMARY, summary)
        return TrainResult(path, summary)


class _Job(NamedTuple):
    stage: int
    epoch: int
    indices: list[int]


def _batch(images: Dataset, options: ShortOptions, job: _Job) -> Batch:
    """The images of `job`, shifted."""
    made = []
    for index in job.indices:
        rng = np.random.default_rng((SHIFT, options.seed, job.stage, job.epoch, index))
        made.append(shifted(images[index].image, *rng.integers(-options.shift, options.shift + 1, 2)))
    labels = torch.from_numpy(np.concatenate([images.labels(index).classes for index in job.indices]))
    return Batch(torch.from_numpy(to_integers(np.stack(made))), labels)


def shifted(image: NDArray[np.uint8], down: int, right: int) -> NDArray[np.uint8]:
    """`image` [H, W, 3] moved by so many pixels; what it leaves is filled with the pixels at its edge."""
    rows, columns = (np.clip(np.arange(size) - by, 0, size - 1) for size, by in zip(image.shape, (down, right)))  # noqa: B905
    return image[rows][:, columns]


def _density_of(graph: Graph, names: Sequence[str]) -> float:
    """The share of nonzero weights in the layers `names`; 1 if there are none."""
    if not names:
        return 1.0
    weights = [graph[name].weights for name in names]  # type: ignore[attr-defined]
    return float(sum(np.count_nonzero(each) for each in weights) / sum(each.size for each in weights))
