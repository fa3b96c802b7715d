"""The training run: one stage of the recipe after the other, each from where the last one ended, then the graph."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from torch import Tensor

from sterna.errors import SternaError
from sterna.graph import file
from sterna.train import anchors as anchor_boxes
from sterna.train import (
    average,
    checkpoint,
    darknet,
    density,
    distributed,
    evaluate,
    export,
    forms,
    loss,
    networks,
    optimisers,
    report,
    run_folder,
    stages,
    stop,
)
from sterna.train.communication import Parallel
from sterna.train.data import Dataset, Splits, open_data, statistics
from sterna.train.data.augment import sizes
from sterna.train.data.loader import Batch, Loader
from sterna.train.data.stream import default_workers
from sterna.train.forms import Trained
from sterna.train.history import EpochLine
from sterna.train.networks import Form, Network
from sterna.train.options import Allocation, Precision, TrainOptions

GRADIENT_LIMIT = 20.0
FLOAT = "float"
AIM_EVERY = 4  # steps between two moves of the thresholds
SENSED = 32  # pictures on which the sensitivity of layers is measured


@dataclass(frozen=True)
class TrainResult:
    """Where the graph of a finished run is, and its figures as plain JSON values."""

    graph: Path
    summary: dict[str, Any]


class TrainingStoppedError(SternaError):
    """The person stopped the run; its checkpoint is written."""


def train(options: TrainOptions, console: Console | None = None) -> TrainResult:
    """Run (or continue) a training to its end; all processes of a `torchrun` call it alike.

    Leaves in `options.output`: options.json, checkpoint.pt, log.json, the weights of each stage, summary.json and
    graph.sterna-graph. Raises SternaError for data that cannot be read, a folder that holds another run, and as
    TrainingStoppedError after Ctrl-C, when the checkpoint holds the last finished step.
    """
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(options.deterministic, warn_only=True)
    # Integers of the last stage need all bits of a float.
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
    device = _device(options.device)
    with distributed.session(device):
        _check_share(options)
        return _Run(options, device, console or Console(quiet=not distributed.leads())).finish()


def _check_share(options: TrainOptions) -> None:
    """Every process has the same number of pictures in each part of a batch."""
    parts = distributed.size() * options.accumulate
    if options.batch % parts:
        raise SternaError(
            "the batch cannot be shared equally", where="train", attribute="batch", value=options.batch,
            allowed=f"a multiple of {distributed.size()} processes x {options.accumulate} parts",
            remedy="choose another batch or number of processes",
        )  # fmt: skip


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and torch.cuda.is_available():
        return torch.device("cuda", distributed.local_rank())
    if name == "cpu":
        return torch.device("cpu")
    raise SternaError(
        "no such device here", where="train", attribute="device", value=name,
        allowed="cpu" + ", cuda" * torch.cuda.is_available(), remedy="train on one of these",
    )  # fmt: skip


def _shown(value: object) -> str:
    return ", ".join(value) if isinstance(value, tuple) else str(value)


class _Run:
    """State of a run; all of it that matters goes through `_save` and `_restore`."""

    def __init__(self, options: TrainOptions, device: torch.device, console: Console) -> None:
        self.options, self.device, self.console = options, device, console
        self.folder = options.output
        self.stages = stages.plan(options)
        saved = distributed.from_leader(run_folder.open_folder(options) if distributed.leads() else None)
        self.data: Splits = open_data(options, console)
        self.number = self.epoch = self.step = 0
        self.sums = [0.0, 0.0, 0.0, 0.0]
        self.history: list[EpochLine] = []
        self.seconds = self.waited = 0.0
        self.map50: dict[str, float] = {}
        self.densities: dict[str, float] = {}
        if saved is None:
            self.layers = networks.describe(options.network, options.first_bits, options.head_bits)
            self._begin()
        else:
            try:
                self._restore(saved)
            except (KeyError, TypeError, ValueError, RuntimeError):
                raise checkpoint.damaged(self.folder / run_folder.CHECKPOINT) from None

    def _begin(self) -> None:
        """Set up the first stage, from float weights if the options name some; these are kept in the folder."""
        start = self._start()
        if start is None:
            self.anchors = self._choose_anchors()
            self._begin_stage(None)
            return
        self.anchors = start.anchors
        if distributed.leads():
            forms.save(self._weights_file(FLOAT), start)
            self.map50[FLOAT] = evaluate.evaluate_network(start.network, start.anchors, self.data.test).map50
        distributed.wait()
        self._begin_stage(start.network)

    def _start(self) -> Trained | None:
        """The float weights that the options name, fit for the data."""
        options, classes = self.options, self.data.train.classes
        if options.start is not None:
            return self._fitting(forms.load(forms.find(options.start)))
        if options.darknet_weights is None:
            return None
        imported = darknet.load(Path(options.network), options.darknet_weights, options.darknet_names)
        for change in imported.changes:
            self.console.print(f"note: {change}", markup=False)
        torch.manual_seed(options.seed)
        anchors = [list(anchor) for anchor in imported.described.anchors]
        network = darknet.for_classes(imported, classes)
        return Trained(network, options.network, anchors, classes, options.height, options.width)

    @property
    def stage(self) -> stages.Stage:
        """The stage that is being trained."""
        return self.stages[self.number]

    def _choose_anchors(self) -> list[list[float]]:
        """Those of the options, or else such as fit the training boxes."""
        if self.options.anchors:
            return self._given_anchors()
        sides = statistics.object_sizes(self.data.train)
        cells = anchor_boxes.cluster(sides / networks.stride(self.layers), self._boxes(), self.options.seed)
        return [[round(float(width), 3), round(float(height), 3)] for width, height in cells]

    def _given_anchors(self) -> list[list[float]]:
        given = np.reshape(self.options.anchors, (-1, 2)).tolist()
        if len(given) != self._boxes():
            raise SternaError(
                "another number of anchors than the network has boxes in a cell", where="train", attribute="anchors",
                value=f"{len(given)} pairs", allowed=f"{self._boxes()} pairs", remedy="give width and height of each",
            )  # fmt: skip
        return given

    def _boxes(self) -> int:
        """Boxes of a cell."""
        head = self.layers[-1]
        assert isinstance(head, networks.Head)
        return head.anchors

    def _fitting(self, start: Trained) -> Trained:
        """`start`, checked to be what this run can go on from."""
        wanted = {"network": self.options.network, "classes": self.data.train.classes, "form": Form.FLOAT}
        found = {"network": start.name, "classes": start.classes, "form": start.network.form}
        for name, value in found.items():
            if value != wanted[name]:
                raise SternaError(
                    "the weights to start from are of another kind", where=str(self.options.start), attribute=name,
                    value=_shown(value), allowed=_shown(wanted[name]),
                    remedy="start from the float weights of a run like this one",
                )  # fmt: skip
        return start

    def _begin_stage(self, start: Network | None) -> None:
        """Set up stage `number` from the weights of `start`, or random ones."""
        options = self.options
        torch.manual_seed(options.seed)
        self.epoch = self.step = 0
        self.network = self._new_network(self.stage.form)
        if start is not None:
            self.network.load_state_dict(start.state_dict(), strict=False)
        self.stride = networks.stride(self.network.layers)
        self.teacher = self._find_teacher()
        if self.stage.form is not Form.FLOAT:
            if not self.densities:
                self.densities = self._share_density()
            if not self.stage.sparsifies:
                self.network.aim(self.densities)
        self.optimiser = optimisers.build(options.optimiser, self.network)
        self.average = average.average(self.network, options.ema) if options.ema else None
        self.scaler = torch.amp.GradScaler(self.device.type, enabled=options.precision is Precision.FP16)
        self.parallel = Parallel(self.network, options.gradients)

    def _new_network(self, form: Form) -> Network:
        made = Network(self.layers, len(self.data.train.classes), form, self.options.pattern)
        # The channels stay last in memory, which is what convolutions and pooling are fastest on.
        return made.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]

    def _find_teacher(self) -> Network | None:
        """The float network that a later stage learns from."""
        if not (self.stage.distils and self.options.distillation):
            return None
        return forms.load(forms.find(self.folder)).network.to(self.device)

    def _weights_file(self, stage: str) -> Path:
        return self.folder / f"{stage}{forms.SUFFIX}"

    def _share_density(self) -> dict[str, float]:
        """The density by layer that the ternary stages aim at."""
        options = self.options
        given = options.layer_density
        shared = density.uniform(self.network, options.density, given)
        if options.allocation is Allocation.UNIFORM:
            return shared
        float_network = self._new_network(Form.FLOAT)
        float_network.load_state_dict(
            {name: value for name, value in self.network.state_dict().items() if name in float_network.state_dict()}
        )
        free = [name for name in shared if name not in given]
        count = len(free) * len(density.densities(options.density))
        with Progress(console=self.console) as progress:
            bar = progress.add_task("sensitivity of the layers", total=count)
            curves = density.sensitivities(
                float_network.eval(),
                self._sensed_loss(),
                options.density,
                options.pattern,
                lambda: progress.advance(bar),
            )
        sizes = {name: conv.weight.numel() for name, conv in self.network.ternary_layers() if name in free}
        return {**shared, **density.allocate({name: curves[name] for name in free}, sizes, options.density)}

    def _sensed_loss(self) -> Callable[[Network], float]:
        shown = [self.data.train[index] for index in range(min(SENSED, len(self.data.train)))]
        images = evaluate.to_real(np.stack([frame.image for frame in shown])).to(self.device)
        wanted = loss.targets(shown, np.asarray(self.anchors), self.stride).to(self.device)

        def measure(network: Network) -> float:
            return float(loss.losses(network(images), wanted, self._anchor_tensor()).total)

        return measure

    def _anchor_tensor(self) -> Tensor:
        return torch.tensor(self.anchors, device=self.device)

    def _restore(self, saved: dict[str, Any]) -> None:
        self.layers = forms.from_plain(saved["layers"])
        self.anchors, self.densities, self.number = saved["anchors"], saved["densities"], saved["stage"]
        self._begin_stage(None)
        self.epoch, self.step, self.sums = saved["epoch"], saved["step"], saved["sums"]
        self.history, self.map50 = saved["history"], saved["map50"]
        self.seconds, self.waited = saved["seconds"], saved["waited"]
        self.network.load_state_dict(saved["network"])
        self.optimiser.load_state_dict(saved["optimiser"])
        if self.average is not None:
            self.average.load_state_dict(saved["average"])
        self.scaler.load_state_dict(saved["scaler"])
        self.parallel.restore(saved["parallel"][distributed.rank()])

    def _save(self) -> None:
        parallel = distributed.gather(self.parallel.state())
        self.saved_at = time.monotonic()
        if not distributed.leads():
            return
        state = {
            "layers": forms.plain(self.layers),
            "anchors": self.anchors,
            "densities": self.densities,
            "stage": self.number,
            "epoch": self.epoch,
            "step": self.step,
            "sums": self.sums,
            "history": self.history,
            "seconds": self.seconds,
            "waited": self.waited,
            "map50": self.map50,
            "network": self.network.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "average": {} if self.average is None else self.average.state_dict(),
            "scaler": self.scaler.state_dict(),
            "parallel": parallel,
        }
        checkpoint.save(self.folder / run_folder.CHECKPOINT, state)
        checkpoint.write_json(self.folder / run_folder.LOG, self.history)

    def finish(self) -> TrainResult:
        """Train what is left of the stages, then export and summarise."""
        self.console.print(
            f"{self.options.network} on {self.options.data}: {len(self.data.train)} training pictures, "
            f"{', '.join(self.data.train.classes)}; run folder {self.folder}",
            markup=False,
        )
        with stop.on_request() as request:
            if distributed.leads() and not (self.folder / run_folder.OPTIONS).exists():
                run_folder.save_options(self.options)
            self.saved_at = time.monotonic()
            while True:
                self._train_stage(request)
                self._end_stage()
                if self.number + 1 == len(self.stages):
                    break
                trained = self._trained_network()
                self.number += 1
                self._begin_stage(trained)
                self._save()
        return self._conclude()

    def _trained_network(self) -> Network:
        """What the stage hands on: the average if there is one, its thresholds moved to the density aimed at."""
        network = self.network if self.average is None else average.averaged(self.average)
        if network.form is not Form.FLOAT:
            network.aim(self._density())
        return network

    def _share(self) -> float:
        """How much of the stage is done, 0..1."""
        return (self.epoch * self._steps() + self.step) / (self.stage.epochs * self._steps())

    def _density(self) -> dict[str, float]:
        """Density by layer at this moment."""
        if not self.stage.sparsifies:
            return self.densities
        return {name: density.schedule(self._share(), target) for name, target in self.densities.items()}

    def _steps(self) -> int:
        """Steps in an epoch; pictures that do not fill a batch wait for another epoch."""
        return max(1, len(self.data.train) // self.options.batch)

    def _train_stage(self, request: stop.Stop) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=self.console) as progress, self._loader() as loader:
            total = self.stage.epochs * self._steps()
            done = self.epoch * self._steps() + self.step
            bar = progress.add_task(self.stage.name, total=total, completed=done, note="")
            while self.epoch < self.stage.epochs:
                parts = loader.epoch(self.number, self.epoch, self.step * self.options.accumulate)
                while self.step < self._steps():
                    note = self._timed_step(parts)
                    progress.update(bar, advance=1, note=note)
                    self._save_if_due(request)
                self._end_epoch(progress.console)

    def _loader(self) -> Loader:
        options = self.options
        return Loader(
            self.data.train,
            batch=options.batch // options.accumulate,
            seed=options.seed,
            anchors=self.anchors,
            stride=self.stride,
            sizes=sizes(options.height, options.width, options.multi_scale),
            rank=distributed.rank(),
            world=distributed.size(),
            workers=self._workers(),
        )

    def _workers(self) -> int:
        return default_workers() if self.options.workers is None else self.options.workers

    def _timed_step(self, parts: Iterator[Batch]) -> str:
        """One step on the next `accumulate` of `parts`; waiting for them and working on them are timed."""
        asked = time.monotonic()
        batch = list(islice(parts, self.options.accumulate))
        began = time.monotonic()
        note = self._train_step(batch)
        self.waited += began - asked
        self.seconds += time.monotonic() - began
        return note

    def _save_if_due(self, request: stop.Stop) -> None:
        """Between two steps: stop if that is asked for, save if it is time. All processes do the same."""
        due = time.monotonic() - self.saved_at >= self.options.save_every
        asked, due = (bool(flag) for flag in distributed.largest(torch.tensor([request.asked, due], dtype=torch.int32)))
        if asked or due:
            self._save()
        if asked:
            raise TrainingStoppedError(
                f"training stopped in the {self.stage.name} stage, epoch {self.epoch + 1} of {self.stage.epochs}, "
                f"step {self.step} of {self._steps()}",
                where=str(self.folder),
                remedy=f"continue with: sterna train --resume --output {self.folder}",
            )

    def _train_step(self, batch: list[Batch]) -> str:
        """Train on the parts of `batch`; the losses of the epoch so far as a text."""
        if self.stage.form is not Form.FLOAT and self.step % AIM_EVERY == 0:
            self.network.aim(self._density())
        self.network.train()
        self.optimiser.zero_grad(set_to_none=True)
        losses = torch.zeros(len(self.sums), device=self.device)
        self.parallel.bytes = 0
        for number, part in enumerate(batch, 1):
            with self.parallel.gathering(number == len(batch)):
                losses += self._gradients(part, 1 / len(batch))
        self._descend(self.stage.rate * stages.rate(self._share()))
        if self.average is not None:
            self.average.update_parameters(self.network)
        self.step += 1
        self.sums = [before + value for before, value in zip(self.sums, losses.tolist(), strict=True)]
        return f"epoch {self.epoch + 1} loss: " + " ".join(
            f"{name} {value:.2f}" for name, value in self._losses().items()
        )

    def _losses(self) -> dict[str, float]:
        """Mean losses of the epoch so far by name."""
        names = ("box", "objectness", "classes", "distillation")
        means = {name: value / max(1, self.step) for name, value in zip(names, self.sums, strict=True)}
        if self.teacher is None:
            del means["distillation"]
        return means

    def _gradients(self, batch: Batch, share: float) -> Tensor:
        """Add the gradients of `batch`, times its `share` of the step; its losses [4], times that too."""
        images, wanted = batch.images.to(self.device, non_blocking=True), batch.targets.to(self.device)
        with self._autocast():
            head = self.parallel.module(images)
        head = head.float()
        parts = loss.losses(head, wanted, self._anchor_tensor())
        taught = head.new_zeros(())
        if self.teacher is not None:
            with torch.no_grad(), self._autocast():
                told = self.teacher(images)
            taught = self.options.distillation * loss.distillation(head, told.float(), len(self.anchors))
        self.scaler.scale(share * (parts.total + taught)).backward()
        return share * torch.stack([part.detach() for part in (parts.box, parts.objectness, parts.classes, taught)])

    def _autocast(self) -> AbstractContextManager[Any]:
        dtypes = {Precision.FP16: torch.float16, Precision.BF16: torch.bfloat16}
        dtype = dtypes.get(self.options.precision)
        return nullcontext() if dtype is None else torch.autocast(self.device.type, dtype)

    def _descend(self, rate: float) -> None:
        """One step down the gradients with learning rate `rate`."""
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.scaler.unscale_(self.optimiser)
        length = torch.nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_LIMIT)
        if not self.scaler.is_enabled() and not torch.isfinite(length):
            raise SternaError(
                "the gradient is no longer a number",
                where=str(self.folder),
                attribute="learning rate",
                value=f"{self.stage.rate:g} in the {self.stage.name} stage",
                remedy="train with a lower learning rate",
            )
        self.scaler.step(self.optimiser)
        self.scaler.update()

    def _end_epoch(self, console: Console) -> None:
        line: EpochLine = {"stage": self.stage.name, "epoch": self.epoch + 1, **self._losses()}  # type: ignore[typeddict-item]
        if distributed.size() > 1:
            line["bytes_per_step"] = self.parallel.bytes
        self.epoch, self.step, self.sums = self.epoch + 1, 0, [0.0] * len(self.sums)
        if self.stage.form is not Form.FLOAT:
            line["density"], line["density_by_layer"], line["rho_by_layer"] = report.sparsity(self.network)
        if self.epoch % self.options.evaluate_every == 0 or self.epoch == self.stage.epochs:
            if distributed.leads():
                found = self._evaluate(self.data.val)
                line["val_map50"], line["val_map"] = found.map50, found.map
                console.print(report.epoch_line(line))
            distributed.wait()
        self.history.append(line)
        self._save()

    def _evaluate(self, dataset: Dataset) -> evaluate.Precision:
        return evaluate.evaluate_network(self._trained_network(), self.anchors, dataset, self._workers())

    def _end_stage(self) -> None:
        """Keep what the stage made, and its precision on the test pictures."""
        if distributed.leads() and self.stage.name not in self.map50:
            self.map50[self.stage.name] = self._evaluate(self.data.test).map50
            self.console.print(
                f"{self.stage.name} stage: mAP {self.map50[self.stage.name]:.3f} on {len(self.data.test)} test pictures"
            )
            forms.save(self._weights_file(self.stage.name), self._trained())
        distributed.wait()

    def _trained(self) -> Trained:
        options, classes = self.options, self.data.train.classes
        return Trained(self._trained_network(), options.network, self.anchors, classes, options.height, options.width)

    def _conclude(self) -> TrainResult:
        path = self.folder / run_folder.GRAPH
        if not distributed.leads():
            distributed.wait()
            return TrainResult(path, json.loads((self.folder / run_folder.SUMMARY).read_text()))
        self.console.print("evaluating and exporting")
        network = self._trained_network()
        graph = export.to_graph(network, self.anchors, self.data.train.classes, self.options.height, self.options.width)
        checkpoint.write_atomically(path, lambda partial: file.save(graph, partial))
        comparison = report.compare(forms.of_run(self.folder, self.device), self.data.test, self._workers())
        summary = report.summarise(self.options, comparison, graph, self.map50, self.seconds)
        checkpoint.write_json(self.folder / run_folder.SUMMARY, summary)
        report.show(comparison, self.console)
        distributed.wait()
        return TrainResult(path, summary)
