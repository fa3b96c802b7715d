"""The training run: a float phase, a ternary phase that starts from it, and the integer graph at the end."""

from __future__ import annotations

import json
import math
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from sterna.errors import SternaError
from sterna.graph import file
from sterna.train import anchors as anchor_boxes
from sterna.train import checkpoint, evaluate, export, forms, loss, networks, report
from sterna.train.data import Splits, open_data
from sterna.train.frames import augment
from sterna.train.history import EpochLine
from sterna.train.networks import Form, Network
from sterna.train.options import TrainOptions

CHECKPOINT = "checkpoint.pt"
OPTIONS = "options.json"
LOG = "log.json"
SUMMARY = "summary.json"
GRAPH = "graph.sterna-graph"

WEIGHT_DECAY = 5e-4
WARM_UP = 0.05  # share of a phase in which the learning rate rises
START_DENSITY = 0.7  # ternary phase: sparsity grows from here ...
SPARSE_AT = 0.5  # ... to the target at this share of the phase
GRADIENT_LIMIT = 20.0
FORMS = (Form.FLOAT, Form.TERNARY)


@dataclass(frozen=True)
class TrainResult:
    """Where the graph of a finished run is, and its figures as plain JSON values."""

    graph: Path
    summary: dict[str, Any]


class TrainingStoppedError(SternaError):
    """The person stopped the run; its checkpoint is written."""


@dataclass
class _Batch:
    images: torch.Tensor
    targets: loss.Targets


def train(options: TrainOptions, console: Console | None = None) -> TrainResult:
    """Run (or continue) a training to its end.

    Leaves in `options.output`: options.json, checkpoint.pt, log.json, summary.json and graph.sterna-graph.
    Raises SternaError for data that cannot be read, a folder that holds another run, and as TrainingStoppedError after
    Ctrl-C, when the checkpoint holds the last finished step.
    """
    torch.set_num_threads(options.threads)
    return _Run(options, console or Console()).finish()


class _Run:
    """State of a run; all of it that matters goes through `_save` and `_restore`."""

    def __init__(self, options: TrainOptions, console: Console) -> None:
        self.options, self.console = options, console
        self.folder = options.output
        saved = _open_folder(options)
        self.data: Splits = open_data(options)
        self.phase = self.epoch = self.step = 0
        self.sums = [0.0, 0.0, 0.0]
        self.history: list[EpochLine] = []
        self.seconds = 0.0
        if saved is None:
            self.anchors = self._choose_anchors()
            self._start_phase(0, None)
        else:
            try:
                self._restore(saved)
            except (KeyError, TypeError, ValueError, RuntimeError):
                raise checkpoint.damaged(self.folder / CHECKPOINT) from None

    def _choose_anchors(self) -> list[list[float]]:
        with self.console.status("looking at the training pictures"):
            frames = [self.data.train[index] for index in range(len(self.data.train))]
        sizes = np.concatenate([(frame.boxes[:, 2:] - frame.boxes[:, :2])[~frame.difficult] for frame in frames])
        stride = networks.stride(networks.describe(self.options.network))
        cells = anchor_boxes.cluster(sizes / stride, networks.ANCHORS, self.options.seed)
        return [[round(float(width), 3), round(float(height), 3)] for width, height in cells]

    def _start_phase(self, phase: int, weights: dict[str, torch.Tensor] | None) -> None:
        self.phase, self.epoch, self.step = phase, 0, 0
        torch.manual_seed(self.options.seed)
        self.network: Network = networks.build(self.options.network, len(self.data.train.classes), FORMS[phase])
        if weights is not None:
            self.network.load_state_dict(weights, strict=False)
        self.stride = networks.stride(self.network.layers)
        self.optimizer = torch.optim.AdamW(self.network.parameters(), lr=0.0, weight_decay=WEIGHT_DECAY)

    def _restore(self, saved: dict[str, Any]) -> None:
        self.anchors = saved["anchors"]
        self._start_phase(saved["phase"], None)
        self.epoch, self.step, self.sums = saved["epoch"], saved["step"], saved["sums"]
        self.history, self.seconds = saved["history"], saved["seconds"]
        self.network.load_state_dict(saved["network"])
        self.optimizer.load_state_dict(saved["optimizer"])

    def _save(self) -> None:
        state = {
            "anchors": self.anchors,
            "phase": self.phase,
            "epoch": self.epoch,
            "step": self.step,
            "sums": self.sums,
            "history": self.history,
            "seconds": self.seconds,
            "network": self.network.state_dict(),
            "optimizer": self.optimizer.state_dict(),
        }
        checkpoint.save(self.folder / CHECKPOINT, state)
        checkpoint.write_json(self.folder / LOG, self.history)

    def finish(self) -> TrainResult:
        """Train what is left of both phases, then export and summarise."""
        self.console.print(
            f"{self.options.network} on {self.options.data}: {len(self.data.train)} training pictures, "
            f"{', '.join(self.data.train.classes)}; run folder {self.folder}",
            markup=False,
        )
        with _ctrl_c() as stop:
            if not (self.folder / CHECKPOINT).exists():
                options = self.options.model_dump(mode="json", exclude={"resume", "output"})
                checkpoint.write_json(self.folder / OPTIONS, options)
                self._save()
            self._train_phase(stop)
            if self.phase == 0:
                checkpoint.save(self.folder / forms.FLOAT_CHECKPOINT, {"network": self.network.state_dict()})
                self._start_phase(1, self.network.state_dict())
                self._save()
                self._train_phase(stop)
        return self._conclude()

    def _epochs(self) -> int:
        return (self.options.float_epochs, self.options.ternary_epochs)[self.phase]

    def _steps(self) -> int:
        return max(1, len(self.data.train) // self.options.batch)

    def _train_phase(self, stop: _Stop) -> None:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=self.console) as progress, ThreadPoolExecutor(1) as maker:
            total = self._epochs() * self._steps()
            done = self.epoch * self._steps() + self.step
            bar = progress.add_task(FORMS[self.phase].value, total=total, completed=done, note="")
            while self.epoch < self._epochs():
                for batch in self._batches(maker):
                    began = time.monotonic()
                    note = self._train_step(batch)
                    self.seconds += time.monotonic() - began
                    progress.update(bar, advance=1, note=note)
                    if stop.asked:
                        self._interrupt()
                self._end_epoch(progress.console)

    def _interrupt(self) -> None:
        self._save()
        raise TrainingStoppedError(
            f"training stopped in the {FORMS[self.phase]} phase, epoch {self.epoch + 1} of {self._epochs()}, "
            f"step {self.step} of {self._steps()}",
            where=str(self.folder),
            remedy="continue with resume; the checkpoint holds the last finished step",
        )

    def _batches(self, maker: ThreadPoolExecutor) -> Iterator[_Batch]:
        """The rest of this epoch; each batch is made while the one before it is trained on."""
        order = np.random.default_rng((self.options.seed, self.phase, self.epoch)).permutation(len(self.data.train))
        order = np.resize(order, max(len(order), self.options.batch))
        parts = [order[step * self.options.batch :][: self.options.batch] for step in range(self.step, self._steps())]
        ahead = maker.submit(self._batch, parts[0]) if parts else None
        for following in [*parts[1:], None]:
            if ahead is None:
                return
            batch = ahead.result()
            ahead = None if following is None else maker.submit(self._batch, following)
            yield batch

    def _batch(self, indices: np.ndarray) -> _Batch:
        key = (self.options.seed, self.phase, self.epoch)
        frames = [augment(self.data.train[int(index)], np.random.default_rng((*key, int(index)))) for index in indices]
        images = evaluate.to_real(np.stack([frame.image for frame in frames]))
        return _Batch(images, loss.targets(frames, np.asarray(self.anchors), self.stride))

    def _train_step(self, batch: _Batch) -> str:
        """Train on `batch`; the losses of the epoch so far as a text."""
        share = (self.epoch * self._steps() + self.step) / (self._epochs() * self._steps())
        if FORMS[self.phase] is Form.TERNARY:
            self.network.aim(_density(share, self.options.density))
        self.network.train()
        parts = loss.losses(self.network(batch.images), batch.targets, torch.tensor(self.anchors))
        self._descend(parts.total, _rate(share))
        self.step += 1
        for index, part in enumerate((parts.box, parts.objectness, parts.classes)):
            self.sums[index] += float(part.detach())
        box, objectness, classes = (value / self.step for value in self.sums)
        return f"epoch {self.epoch + 1} loss: box {box:.2f} object {objectness:.2f} class {classes:.2f}"

    def _descend(self, total: torch.Tensor, rate: float) -> None:
        """One step down the gradient of `total`; `rate` is a share of the phase's highest learning rate."""
        peak = (self.options.float_rate, self.options.ternary_rate)[self.phase]
        for group in self.optimizer.param_groups:
            group["lr"] = peak * rate
        self.optimizer.zero_grad(set_to_none=True)
        total.backward()  # type: ignore[no-untyped-call]
        length = torch.nn.utils.clip_grad_norm_(self.network.parameters(), GRADIENT_LIMIT)
        if not torch.isfinite(length):
            raise SternaError(
                "the gradient is no longer a number",
                where=str(self.folder),
                attribute=f"{FORMS[self.phase]}_rate",
                value=peak,
                remedy="train with a lower learning rate",
            )
        self.optimizer.step()

    def _end_epoch(self, console: Console) -> None:
        box, objectness, classes = (value / max(1, self.step) for value in self.sums)
        self.epoch, self.step, self.sums = self.epoch + 1, 0, [0.0, 0.0, 0.0]
        line: EpochLine = {
            "stage": FORMS[self.phase].value,
            "epoch": self.epoch,
            "box": box,
            "objectness": objectness,
            "classes": classes,
        }
        if FORMS[self.phase] is Form.TERNARY:
            line["density"], line["density_by_layer"], line["rho_by_layer"] = report.sparsity(self.network)
        if self.epoch % self.options.evaluate_every == 0 or self.epoch == self._epochs():
            found = evaluate.evaluate_network(self.network, self.anchors, self.data.val)
            line["val_map50"], line["val_map"] = found.map50, found.map
            console.print(report.epoch_line(line))
        self.history.append(line)
        self._save()

    def _conclude(self) -> TrainResult:
        self.console.print("evaluating and exporting")
        graph = export.to_graph(
            self.network, self.anchors, self.data.train.classes, self.options.height, self.options.width
        )
        path = self.folder / GRAPH
        checkpoint.write_atomically(path, lambda partial: file.save(graph, partial))
        comparison = report.compare(forms.load(self.folder), self.data.test)
        summary = report.summarise(self.options, comparison, graph, self.seconds)
        checkpoint.write_json(self.folder / SUMMARY, summary)
        report.show(comparison, self.console)
        return TrainResult(path, summary)


def _open_folder(options: TrainOptions) -> dict[str, Any] | None:
    """Check and prepare the run folder; the checkpoint if the run is to go on."""
    if options.resume:
        earlier = load_options(options.output)
        changed = options.same_run(earlier)
        if changed is not None:
            raise SternaError(
                "the run in the folder was started with another option",
                where=str(options.output),
                attribute=changed,
                value=getattr(options, changed),
                allowed=str(getattr(earlier, changed)),
                remedy="continue with the same options or choose another folder",
            )
        return checkpoint.load(options.output / CHECKPOINT)
    if (options.output / CHECKPOINT).exists():
        raise SternaError(
            "the folder already holds a run",
            where=str(options.output),
            remedy="continue it with resume, or choose another folder",
        )
    try:
        options.output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SternaError(f"the run folder cannot be written ({error.strerror})", where=str(options.output)) from None
    return None


def load_options(folder: Path) -> TrainOptions:
    """The options of the run in `folder`, set to resume it; raises SternaError if there is none."""
    path = folder / OPTIONS
    try:
        text = path.read_bytes()
    except OSError:
        raise SternaError("no training run in the folder", where=str(folder), remedy="train without resume") from None
    try:
        return TrainOptions.model_validate({**json.loads(text), "output": folder, "resume": True})
    except (ValueError, TypeError):
        raise SternaError("the options of the run cannot be read", where=str(path)) from None


def _rate(share: float) -> float:
    """Learning rate as a share of its peak: a linear rise, then half a cosine down to 1 %."""
    if share < WARM_UP:
        return (share + 1e-3) / (WARM_UP + 1e-3)
    return 0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (share - WARM_UP) / (1 - WARM_UP)))


def _density(share: float, target: float) -> float:
    """Density to aim at: falls as a cubic to `target` at SPARSE_AT (Zhu and Gupta 2017), then stays."""
    left = max(0.0, 1.0 - share / SPARSE_AT)
    return target + (max(START_DENSITY, target) - target) * left**3


class _Stop:
    """Whether Ctrl-C was pressed."""

    asked = False


@contextmanager
def _ctrl_c() -> Iterator[_Stop]:
    """Turn Ctrl-C into a flag that is looked at between steps; a second Ctrl-C acts at once."""
    stop = _Stop()

    def on_signal(number: int, frame: Any) -> None:
        stop.asked = True
        signal.signal(signal.SIGINT, signal.default_int_handler)

    before = signal.getsignal(signal.SIGINT)
    try:
        signal.signal(signal.SIGINT, on_signal)
    except ValueError:  # not in the main thread: the caller's business
        yield stop
        return
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
