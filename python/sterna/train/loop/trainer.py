"""The training run: the stages of the recipe in order, each from where the last one ended, then the graph."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import torch
from PIL.Image import Image
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sterna.errors import SternaError, StoppedError
from sterna.graph import file
from sterna.importers import registry
from sterna.machine import processor
from sterna.train import checkpoint, distributed, run_folder, stages
from sterna.train.data import Dataset, Labels, Splits
from sterna.train.data.options import GENERATED
from sterna.train.data.parts import Images, Part, open_images
from sterna.train.data.stream import default_workers
from sterna.train.loop import forms, inherit, pseudo, start, stop, tasks, unused
from sterna.train.loop.forms import Trained
from sterna.train.loop.loader import Batch, Loader
from sterna.train.model import density, integer, memory, schedules
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.optim.communication import check_groups
from sterna.train.options import TrainOptions
from sterna.train.report import compared, evaluate, findings, layers, summary_page
from sterna.train.report.board import Board
from sterna.train.report.compared import Compared
from sterna.train.report.history import EpochLine, epoch_line
from sterna.vision.boxes import MOST_BOXES

AIM_EVERY = 4  # steps between two moves of the thresholds
LEAST_SHOWN = 0.0005  # the least of a metric that is not shown as 0.000

Done = TypeVar("Done")


@dataclass(frozen=True)
class TrainResult:
    """Where the graph of a finished run is, and its metrics as plain JSON values."""

    graph: Path
    summary: dict[str, Any]


class TrainingStoppedError(StoppedError):
    """The person stopped the run; its checkpoint is written."""


def train(options: TrainOptions, console: Console | None = None) -> TrainResult:
    """Run (or continue) a training to its end; all processes of a `torchrun` call it alike.

    Leaves in `options.output`: options.json, checkpoint.pt, log.json, the weights of each stage, what TensorBoard
    shows, summary.json, summary.html and graph.sterna-graph. Raises SternaError for data that cannot be read, a folder
    that holds another run, and as TrainingStoppedError when a signal asked to stop once training had begun: the
    checkpoint then holds the last finished step.
    """
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(options.deterministic, warn_only=True)
    integer.need_all_bits()
    device = _device(options.device)
    with distributed.session(device):
        _check_share(options)
        shown = console or Console() if distributed.leads() else Console(quiet=True)
        return _Run(options, device, shown).finish()


def _check_share(options: TrainOptions) -> None:
    """Every process has the same number of images in each part of a batch, and every group of processes."""
    parts = distributed.size() * options.accumulate
    if options.batch % parts:
        raise SternaError(
            "the batch cannot be divided equally", where="train", attribute="batch", value=options.batch,
            allowed=f"a multiple of {distributed.size()} processes x {options.accumulate} parts",
            remedy="choose another batch or number of processes",
        )  # fmt: skip
    check_groups(options.hierarchy)


def _device(name: str) -> torch.device:
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and torch.cuda.is_available():
        return torch.device("cuda", distributed.local_rank())
    if name == "cpu":
        return torch.device("cpu")
    raise SternaError(
        "this machine has no such device", where="train", attribute="device", value=name,
        allowed="auto, cpu" + ", cuda" * torch.cuda.is_available(), remedy="train on one of these",
    )  # fmt: skip


class _Run:
    """State of a run; all of it that matters goes through `_save` and `_restore`."""

    def __init__(self, options: TrainOptions, device: torch.device, console: Console) -> None:
        self.device, self.console = device, console
        #: Warnings: printed when they are found, and again at the end.
        self.warnings: list[str] = []
        settled = inherit.settle(options)
        self.options, self.folder = settled.options, options.output
        self.task = tasks.of_network(self.options)
        self.task.check(self.options)
        saved = distributed.from_leader(run_folder.open_folder(self.options) if distributed.leads() else None)
        self._say(*settled.notes)
        self._warn(*settled.warnings)
        found = start.read(self.options) if saved is None else None
        self.data: Splits = self._open_data(start.classes(found))
        self.outputs = self.task.outputs(self.options, self.data.train)
        self.unlabelled = self._open_unlabelled()
        self.workers = default_workers() if self.options.workers is None else self.options.workers
        self.number = self.epoch = self.step = 0
        self.sums = [0.0] * len(self.task.learner.losses)
        self.history: list[EpochLine] = []
        self.seconds = self.waited = 0.0
        #: The first metric at the end of each stage.
        self.by_stage: dict[str, float] = {}
        self.densities: dict[str, float] = {}
        self.found: list[Labels] = []
        self.board: Board | None = None
        self.request = stop.Stop()
        given = self._settle_weights(found) if saved is None else None
        self.stages = stages.plan(self.options)
        #: Steps in an epoch of each stage; images that do not fill a batch wait for another epoch.
        self.epoch_steps = [max(1, len(self._images(stage)) // self.options.batch) for stage in self.stages]
        if saved is None:
            if not options.resume:
                self._say(*unused.unused(options, self.stages, distributed.size()))
            self._warn(*self._missing_classes())
            self._begin(given)
        else:
            try:
                self._restore(saved)
            except (KeyError, TypeError, ValueError, RuntimeError):
                raise checkpoint.damaged(self.folder / run_folder.CHECKPOINT) from None

    def _say(self, *notes: str) -> None:
        for note in notes:
            self.console.print(f"note: {note}", markup=False, soft_wrap=True)

    def _warn(self, *warnings: str) -> None:
        """Print a warning now and at the end."""
        self.warnings += warnings
        self._show_warnings(warnings)

    def _show_warnings(self, warnings: Sequence[str]) -> None:
        for warning in warnings:
            self.console.print(f"WARNING: {warning}", style="bold yellow", markup=False, soft_wrap=True)

    def _open_data(self, known: tuple[str, ...]) -> Splits:
        """The data; if no classes are named, only those `known` to the run to start from, where it knows a part."""
        opened = self.task.open_data(self.options, self.console)
        if self.options.resume or self.options.classes or self.options.data in GENERATED:
            return opened
        if not known or not set(known) < set(opened.train.classes):
            return opened
        self._say(f"classes {', '.join(known)}, as in {self.options.start}; choose others with --classes")
        self.options = self.options.model_copy(update={"classes": known})
        return self.task.open_data(self.options, self.console)

    def _missing_classes(self) -> list[str]:
        """What labelled images do not show; generated ones show every class sooner or later."""
        if self.options.data in GENERATED:
            return []
        return self.task.missing(self.data)

    def _open_unlabelled(self) -> Images | None:
        options = self.options
        if options.unlabelled is None:
            return None
        classes = self.data.train.classes
        return open_images(options.unlabelled, classes, options.height, options.width, options, self.console)

    @property
    def stage(self) -> stages.Stage:
        """The stage that is being trained."""
        return self.stages[self.number]

    def _settle_weights(self, found: start.Read | None) -> start.Start | None:
        """The weights to start from, if any were `found`, and the options that depend on them."""
        options = self.options
        given = start.weights(options, found, self.outputs, self.console)
        described = registry.describe(options.network, options.given) if given is None else given.network.description
        self.network = described.with_bits(options.first_bits, options.head_bits)
        self.task.check_size(options, self.network)
        density.uniform(self.network, options.density, options.layer_density)  # refuses wrong layers at once
        start.check_frozen(options, self.network, given)
        epochs = start.float_epochs(options, given)
        if given is not None and epochs and (given.fresh or not given.certain):
            why = f"untrained are {', '.join(given.fresh)}" if given.fresh else "the names of its classes are not known"
            self._say(f"the float network is trained first, for {epochs} epoch{'s' * (epochs > 1)}: {why}")
        if given is None:
            self._say(*start.head_notes(options, self.outputs))
        self.options = options.model_copy(update={"float_epochs": epochs})
        return given

    def _begin(self, given: start.Start | None) -> None:
        """Set up the first stage, from the float weights that are `given`; these are kept in the folder."""
        data = self.data.train
        known = [] if given is None else given.anchors
        self.anchors = known or self.task.anchors(self.options, self.network, data, self.console)
        self._warn(*self.task.misfit(self.network, self.anchors, data))
        if given is not None:
            start.state_statistics(given, data)
        if given is not None and distributed.leads() and self.stage.name != stages.FLOAT:
            found = self.task.first(self.task.measure(given.network, given.anchors, self.data.test, self.workers))
            self.by_stage[stages.FLOAT] = found
            measured = f"{self.task.metric} {found:.3f} on {len(self.data.test)} test images"
            if found < LEAST_SHOWN:
                self._warn(f"the float network to start from detects nothing: {measured}")
            else:
                self._say(f"float network to start from: {measured}")
            forms.save(self._weights_file(stages.FLOAT), given)
        distributed.wait()
        self._begin_stage(None if given is None else given.network)

    def _begin_stage(self, before: Network | None) -> None:
        """Set up stage `number` from the weights of `before`, or random ones."""
        torch.manual_seed(self.options.seed)
        self.epoch = self.step = 0
        network = Network(self.network, len(self.outputs), self.stage.form, self.options.pattern)
        if before is not None:
            network.load_state_dict(before.state_dict(), strict=False)
        if self.stage.form is Form.FLOAT:
            network.freeze(start.frozen(self.options, self.network))
        else:
            if not self.densities:
                self.densities = self._unless_stopped(
                    lambda: self.task.densities(network, self.anchors, self.options, self.data.train, self.console)
                )
            if not self.stage.sparsifies:
                network.aim(self.densities)
        # The channels stay last in memory, which is what convolutions and pooling are fastest on.
        network.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        network.parts = self._parts()
        self.learner = self.task.learner(network, self.anchors, self._teacher(), self.stage.optimiser, self.options)

    def _parts(self) -> Mapping[str, int]:
        """The images at a time by layer with which a step of this stage stays under the limit of memory."""
        options = self.options
        if options.memory is None:
            return {}
        images = options.batch // options.accumulate // distributed.size()
        height, width = max(self.task.sizes(options, self.network), key=math.prod)
        boxes = MOST_BOXES if self.stage.pseudo else self._most_boxes
        batch = memory.Batch(images, height, width, boxes)
        plan = memory.plan(self.network, len(self.outputs), self.stage.form, batch, options.memory * memory.MIB)
        self._say(f"{self.stage.name} stage: {plan.told(batch)}")
        return plan.parts

    @cached_property
    def _most_boxes(self) -> int:
        """Labels of the training image that has most; of a classifier one each, which its loss does not compare."""
        return max(len(self.data.train.labels(index).boxes) for index in range(len(self.data.train)))

    def _teacher(self) -> Network | None:
        """The float network that a later stage learns from."""
        if not (self.stage.distils and self.options.distillation):
            return None
        return forms.load(forms.find(self.folder)).network.to(self.device)

    def _weights_file(self, stage: str) -> Path:
        return self.folder / f"{stage}{run_folder.SUFFIX}"

    def _restore(self, saved: dict[str, Any]) -> None:
        self.network = forms.from_plain(saved["layers"])
        self.anchors, self.densities, self.number = saved["anchors"], saved["densities"], saved["stage"]
        self._begin_stage(None)
        self.epoch, self.step, self.sums = saved["epoch"], saved["step"], saved["sums"]
        self.history, self.by_stage, self.warnings = saved["history"], saved["by_stage"], saved["warnings"]
        self.seconds, self.waited = saved["seconds"], saved["waited"]
        self.found = pseudo.from_tensors(saved["found"])
        self.learner.restore(saved["learner"])

    def _save(self) -> None:
        learner = self.learner.state()
        self.saved_at = time.monotonic()
        if not distributed.leads():
            return
        state = {
            "layers": forms.plain(self.network),
            "anchors": self.anchors,
            "densities": self.densities,
            "stage": self.number,
            "epoch": self.epoch,
            "step": self.step,
            "sums": self.sums,
            "history": self.history,
            "seconds": self.seconds,
            "waited": self.waited,
            "by_stage": self.by_stage,
            "warnings": self.warnings,
            "found": pseudo.to_tensors(self.found),
            "learner": learner,
        }
        checkpoint.save(self.folder / run_folder.CHECKPOINT, state)
        checkpoint.write_json(self.folder / run_folder.LOG, self.history)
        if self.board is not None:
            self.board.flush()

    def finish(self) -> TrainResult:
        """Train what is left of the stages, then export and summarise."""
        self.console.print(
            f"{self.options.network} on {self.options.data}: {len(self.data.train)} training images, "
            f"{', '.join(self.data.train.classes)}; run folder {self.folder}",
            markup=False,
        )
        with stop.on_request(say=not self.console.quiet) as self.request, ExitStack() as stack:
            if distributed.leads():
                self.board = stack.enter_context(Board(self.folder, self._steps_done()))
                run_folder.save_options(self.options)
            self._save()
            try:
                return self._train_stages()
            except stop.Asked:
                raise self._stopped() from None

    def _train_stages(self) -> TrainResult:
        while True:
            self._train_stage()
            self._unless_stopped(self._end_stage)
            if self.number + 1 == len(self.stages):
                return self._conclude()
            trained = self._result()
            self.number += 1
            self._begin_stage(trained)
            self._save()

    def _unless_stopped(self, work: Callable[[], Done]) -> Done:
        """What `work` gives; it changes nothing that a checkpoint holds, and speaks to no other process.

        All processes wait here for each other. If one is asked to stop in the middle of it, all raise stop.Asked.
        """
        done: list[Done] = []
        with suppress(stop.Asked), self.request.at_once():
            done.append(work())
        (stopped,) = _any(not done)
        if stopped:
            raise stop.Asked
        return done[0]

    def _stopped(self) -> TrainingStoppedError:
        where = f"in the {self.stage.name} stage, epoch {self.epoch + 1} of {self.stage.epochs}"
        where += f", step {self.step} of {self._steps()}"
        if self.epoch == self.stage.epochs:
            where = f"after the {self.stage.name} stage"
        return TrainingStoppedError(
            f"training stopped {where}",
            where=str(self.folder),
            remedy=f"continue with: sterna train --resume --output {self.folder}",
        )

    def _result(self) -> Network:
        """What the stage hands on, its thresholds moved to the density aimed at."""
        network = self.learner.result()
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
        schedule, share = self.options.schedule, self._share()
        return {name: schedules.density_at(schedule, share, target) for name, target in self.densities.items()}

    def _images(self, stage: stages.Stage) -> Dataset:
        """What `stage` learns from."""
        if not stage.pseudo:
            return self.data.train
        assert self.unlabelled is not None
        return pseudo.mixed(self.data.train, self.unlabelled, self.found)

    def _steps(self) -> int:
        """Steps in an epoch of this stage."""
        return self.epoch_steps[self.number]

    def _steps_done(self) -> int:
        """Steps of the run so far, as TensorBoard counts them."""
        before = sum(
            stage.epochs * steps for stage, steps in zip(self.stages[: self.number], self.epoch_steps, strict=False)
        )
        return before + self.epoch * self._steps() + self.step

    def _train_stage(self) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        watched = self.console.is_terminal
        with Progress(*columns, console=self.console, transient=True, disable=not watched) as progress:
            total = self.stage.epochs * self._steps()
            done = self.epoch * self._steps() + self.step
            bar = progress.add_task(self.stage.name, total=total, completed=done, note="")
            try:
                self._train_epochs(lambda: progress.update(bar, advance=1, note=self._note()))
            except stop.Asked:
                self._save()
                raise
            self._save()

    def _train_epochs(self, advance: Callable[[], None]) -> None:
        """Train what is left of the stage; `advance` is called after each step.

        Raises stop.Asked when the state is that after a step, which may be the last of an epoch that has not ended.
        """
        with closing(self._loaders()) as loaders:
            for loader in loaders:
                parts = loader.epoch(self.number, self.epoch, self.step * self.options.accumulate)
                while self.step < self._steps():
                    self._train_step(parts)
                    advance()
                    self._save_if_due()
                self._end_epoch()
                self._save_if_due()

    def _loaders(self) -> Generator[Loader]:
        """The batches of each remaining epoch; their worker processes run ahead as far as they can."""
        if not self.stage.pseudo:
            with self._loader() as loader:
                while self.epoch < self.stage.epochs:
                    yield loader
            return
        while self.epoch < self.stage.epochs:
            if self.step == 0:
                self.found = self._label()
            with self._loader() as loader:
                yield loader

    def _loader(self) -> Loader:
        options = self.options
        return Loader(
            self._images(self.stage),
            batch=options.batch // options.accumulate,
            seed=options.seed,
            batches=self.task.batches(self.network, self.anchors),
            sizes=self.task.sizes(options, self.network),
            augmentation=options,
            rank=distributed.rank(),
            world=distributed.size(),
            workers=self.workers,
        )

    def _label(self) -> list[Labels]:
        """Labels for the images without any; each process finds its share of them."""
        assert self.unlabelled is not None
        evaluator = evaluate.of_network(self._result(), self.anchors)
        mine = range(distributed.rank(), len(self.unlabelled), distributed.size())
        share = Part(self.unlabelled, mine)
        found = self._unless_stopped(lambda: pseudo.label(evaluator, share, self.workers))
        shares = distributed.gather(found)
        return [shares[index % len(shares)][index // len(shares)] for index in range(len(self.unlabelled))]

    def _train_step(self, parts: Iterator[Batch]) -> None:
        """One step on the next `accumulate` of `parts`; waiting for them and working on them are timed."""
        asked = time.monotonic()
        batch = list(islice(parts, self.options.accumulate))
        began = time.monotonic()
        if self.stage.form is not Form.FLOAT and self.step % AIM_EVERY == 0:
            self.learner.network.aim(self._density())
        rate = self.stage.rate * stages.rate(self._share())
        losses = self.learner.step(batch, rate)
        self.sums = [before + value for before, value in zip(self.sums, losses, strict=True)]
        if self.board is not None:
            self.board.losses(self._steps_done(), self.stage.name, self._named(losses), rate)
        self.step += 1
        self.waited += began - asked
        self.seconds += time.monotonic() - began

    def _named(self, losses: list[float]) -> dict[str, float]:
        named = dict(zip(self.learner.losses, losses, strict=True))
        if not self.learner.learns_from_teacher:
            del named["distillation"]
        return named

    def _losses(self) -> dict[str, float]:
        """Mean losses of the epoch so far by name."""
        return self._named([value / max(1, self.step) for value in self.sums])

    def _note(self) -> str:
        """The loss of the epoch so far as a text."""
        return f"epoch {self.epoch + 1} loss {sum(self._losses().values()):.2f}"

    def _save_if_due(self) -> None:
        """Between two steps: stop if requested, save if it is time. All processes do the same."""
        due = time.monotonic() - self.saved_at >= self.options.save_every
        asked, due = _any(self.request.asked, due)
        if asked:
            raise stop.Asked
        if due:
            self._save()

    def _end_epoch(self) -> None:
        line: EpochLine = {"stage": self.stage.name, "epoch": self.epoch + 1, **self._losses()}  # type: ignore[typeddict-item]
        if distributed.size() > 1:
            line["bytes_per_step"] = self.learner.bytes_sent
        if self.stage.form is not Form.FLOAT:
            line["density"], line["density_by_layer"], line["rho_by_layer"] = layers.sparsity(self.learner.network)
        self._unless_stopped(lambda: self._watch(line))
        # Now it has ended: a run that was stopped before watches it again.
        self.epoch, self.step, self.sums = self.epoch + 1, 0, [0.0] * len(self.sums)
        self.history.append(line)

    def _watch(self, line: EpochLine) -> None:
        """Show an epoch, with how good it is if that is to be measured; process 0 does it."""
        board = self.board
        if board is None:
            return
        if "density_by_layer" in line:
            board.layers(self._steps_done(), line["density_by_layer"], line["rho_by_layer"])
        if line["epoch"] % self.options.evaluate_every and line["epoch"] < self.stage.epochs:
            return
        network, done = self._result(), self._steps_done()
        self.task.tell(self.task.measure(network, self.anchors, self.data.val, self.workers), line, board, done)
        board.samples(done, self.stage.name, self.task.samples(network, self.anchors, self.data.val))
        self.console.print(epoch_line(line))

    def _end_stage(self) -> None:
        """Keep what the stage made, and how good it is on the test images; process 0 does it."""
        if distributed.leads() and self.stage.name not in self.by_stage:
            network, options = self._result(), self.options
            found = self.task.first(self.task.measure(network, self.anchors, self.data.test, self.workers))
            self.by_stage[self.stage.name] = found
            self.console.print(
                f"{self.stage.name} stage: {self.task.metric} {found:.3f} on {len(self.data.test)} test images"
            )
            forms.save(
                self._weights_file(self.stage.name),
                Trained(network, options.network, self.anchors, self.outputs, options.height, options.width),
            )

    def _write_page(self, comparison: Compared, samples: dict[str, Image]) -> None:
        summary_page.write_html(
            self.folder,
            title=f"{self.options.network} on {self.options.data}",
            options=self.options.model_dump(mode="json", exclude={"output", "resume"}),
            comparison=comparison,
            history=self.history,
            samples=samples,
            warnings=self.warnings,
        )

    def _conclude(self) -> TrainResult:
        self._unless_stopped(self._export)
        return TrainResult(self.folder / run_folder.GRAPH, run_folder.read_json(self.folder / run_folder.SUMMARY))

    def _export(self) -> None:
        """Write graph, summary and page; process 0 does it."""
        if not distributed.leads():
            return
        self.console.print("evaluating and exporting")
        graph = self.task.graph(self._result(), self.anchors, self.outputs, self.options, self.data)
        file.save(graph, self.folder / run_folder.GRAPH)
        self.warnings += findings.of_graph(graph, self.densities)
        trained = forms.of_run(self.folder, self.device)
        comparison = self.task.compare(trained, self.data.test, self.workers)
        device = torch.cuda.get_device_name(self.device) if self.device.type == "cuda" else processor()
        summary = compared.summarise(
            self.options, comparison, graph, self.by_stage, self.seconds, self.waited, device, self.warnings
        )
        checkpoint.write_json(self.folder / run_folder.SUMMARY, summary)
        shown = {
            name: self.task.samples(form, self.anchors, self.data.test)
            for name, form in trained.items()
            if name != layers.TERNARY
        }
        self._write_page(comparison, shown)
        compared.show(comparison, self.console)
        self._show_warnings(self.warnings)


def _any(*mine: bool) -> list[bool]:
    """Of each of `mine` whether it is true in any process. All must come here, and wait for each other."""
    return [bool(flag) for flag in distributed.largest(torch.tensor(mine, dtype=torch.int32))]
