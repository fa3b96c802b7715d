"""Evaluation of whatever holds a graph: its forms, the images, and the files with the results."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Self

from pydantic import ValidationError
from rich.console import Console

from sterna import recognise
from sterna.errors import SternaError
from sterna.files import check_file, check_folder, write_bytes
from sterna.graph import Graph
from sterna.package.graphs import read_graph
from sterna.train import run_folder
from sterna.train.data import (
    GENERATED,
    HARD_SCENES,
    SPLITS,
    Dataset,
    ReadOptions,
    SceneSet,
    corruptions,
    default_workers,
)
from sterna.train.loop import forms, tasks
from sterna.train.loop.detection import Detection
from sterna.train.loop.task import AnyTask
from sterna.train.model.network import Network
from sterna.train.options import TrainOptions, parse
from sterna.train.report import plots, report, robustness, summary_page
from sterna.train.report.compared import Compared, Progress
from sterna.train.report.evaluate import Execute
from sterna.train.report.layers import INTEGER, integer_graph
from sterna.train.run_folder import load_options
from sterna.vision.decoder import Decoder

#: How the title of a report's page begins, as opposed to that of a run.
TITLE = "Evaluation of "
#: What a graph that comes without a run folder is measured on, unless said otherwise.
SPLIT, SCENE_COUNT, SEED = "test", 200, 0


@dataclass(frozen=True)
class Wanted:
    """The images to measure on; None is what the run was started with, or the default.

    scenes: 1 or more. read: the fields of ReadOptions that are given. Raises SternaError for others.
    """

    data: str | None = None
    split: str | None = None
    scenes: int | None = None
    seed: int | None = None
    read: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ReadOptions.model_validate(dict(self.read), context="evaluate")
        if self.scenes is not None and self.scenes < 1:
            raise SternaError(
                "bad number of scenes",
                where="evaluate",
                attribute="scenes",
                value=self.scenes,
                allowed="1 or more",
                remedy="choose a number in that range",
            )


@dataclass(frozen=True)
class Evaluation:
    """The forms of the network in `path`; `options` are those of its run, if it is one."""

    path: Path
    options: TrainOptions | None
    forms: Mapping[str, Network | Graph]

    @property
    def graph(self) -> Graph:
        """The integer graph."""
        return integer_graph(self.forms)

    @property
    def task(self) -> AnyTask:
        """What it was trained for."""
        return tasks.of_graph(self.graph)

    @classmethod
    def of(cls, path: Path) -> Self:
        """All forms in a run folder, or the graph in a graph file or package. Raises SternaError if there is none."""
        if path.is_dir():
            recognise.check(path, recognise.RUN)
            return cls(path, load_options(path), forms.of_run(path))
        return cls(path, None, {INTEGER: read_graph(path)})

    def images(self, wanted: Wanted, console: Console) -> Dataset:
        """The labelled images that are `wanted`; what was read of a data set is printed to `console`.

        Raises SternaError for a data set that cannot be read, has other classes, or has no such split.
        """
        options, graph, task = self.options, self.graph, self.task
        if options and wanted.data and Path(wanted.data).resolve() == Path(options.data).resolve():
            wanted = replace(wanted, data=None)  # the run's own, however it is written
        if options and (replace(wanted, read={}) == Wanted() or _holds_back(options, wanted)):
            splits = task.open_data(parse(**(options.model_dump() | dict(wanted.read))), console)
            return {"train": splits.train, "val": splits.val}.get(wanted.split or "", splits.test)
        data = wanted.data or (options.data if options else None)
        if isinstance(task, Detection) and (data is None or data in GENERATED):
            return _scenes(wanted, options, graph, data == HARD_SCENES)
        # The names that a run has changed are those of its own data.
        rename = options.rename if options and wanted.data is None else None
        before = (options or ReadOptions()).model_dump(include=set(ReadOptions.model_fields))
        read = ReadOptions.model_validate(before | dict(wanted.read))
        return task.open_split(data, wanted.split or SPLIT, graph, rename, read, console)

    def measure(self, dataset: Dataset, progress: Progress | None = None, execute: Execute | None = None) -> Compared:
        """How good every form is on `dataset`, and how far apart the forms are, layer by layer.

        execute: what computes the integer graph; None: the emulator.
        """
        return self.task.compare(self.forms, dataset, default_workers(), progress, execute)

    def check_corruptions(self) -> None:
        """Raise SternaError if `corrupted` cannot measure this network here."""
        if not isinstance(self.task, Detection):
            raise SternaError(
                "images are made worse for detectors alone", where="eval", attribute="corruptions",
                value=str(self.path), allowed="a detector", remedy="leave --corruptions out",
            )  # fmt: skip
        corruptions.check()

    def corrupted(
        self, comparison: Compared, dataset: Dataset, progress: Progress | None = None, execute: Execute | None = None
    ) -> Compared:
        """`comparison`, which `measure` made of `dataset`, with every form on its images made worse, and under attack.

        execute: as for `measure`. Raises SternaError as `check_corruptions` does.
        """
        self.check_corruptions()
        evaluators = report.evaluators(self.forms, tuple(dataset.classes), execute)
        networks = {name: form for name, form in self.forms.items() if isinstance(form, Network)}
        anchors = Decoder.of(self.graph).anchors
        found = robustness.measure(evaluators, networks, anchors, dataset, default_workers(), progress)
        return comparison.model_copy(update={"hardships": found})

    def check_json(self, file: Path) -> None:
        """Raise SternaError if `write_json` could not write `file`, or would replace what is not its own."""
        check_file(file, inputs=[self.path, *(self.path / name for name in run_folder.LISTS)])
        recognise.check_replaces(file, recognise.JSON)
        try:
            if file.is_file() and file.stat().st_size:
                self.task.compared.model_validate_json(file.read_bytes())
        except ValidationError:
            raise SternaError(
                "is not a file of metrics and would be lost",
                where=str(file),
                remedy="name another file to write, or remove this one",
            ) from None

    def check_report(self, folder: Path) -> None:
        """Raise SternaError if `write_report` could not write to `folder`, or would replace what is not its own."""
        check_folder(folder, inputs=[self.path])
        page = folder / summary_page.NAME
        if page.is_file() and f"<title>{TITLE}".encode() in page.read_bytes():
            return
        other = next((path for path in (page, folder / self.task.compared.figure_file) if path.exists()), None)
        if other is not None:
            raise SternaError(
                "is not from an earlier report and would be lost",
                where=str(other),
                remedy="name another folder to write to, or move the file away",
            )

    def write_report(self, folder: Path, dataset: Dataset, comparison: Compared) -> tuple[Path, Path]:
        """Write a page with images of `dataset`, and the figure of `comparison`; the paths of both."""
        figure = folder / comparison.figure_file
        write_bytes(figure, plots.png(comparison.figure()))
        # One form is enough to look at: the forms find nearly the same.
        anchors = self.graph.metadata.get("anchors", [])
        samples = {INTEGER: self.task.samples(self.graph, anchors, dataset)}
        options = self.options
        page = summary_page.write_html(
            folder,
            title=f"{TITLE}{self.path.name}",
            options=options.model_dump(mode="json", exclude={"output", "resume", "data"}) if options else {},
            comparison=comparison,
            history=run_folder.read_json(self.path / run_folder.LOG) if options else (),
            samples=samples,
        )
        return page, figure


def write_json(file: Path, comparison: Compared) -> None:
    """Write all metrics to `file`."""
    write_bytes(file, f"{comparison.model_dump_json()}\n".encode())


def _scenes(wanted: Wanted, options: TrainOptions | None, graph: Graph, hard: bool) -> SceneSet:
    """Generated scenes, as many and by the seed that are wanted, or else those of the run."""
    split = wanted.split or SPLIT
    if split not in SPLITS:
        raise SternaError(
            "generated scenes have no such split",
            where="eval",
            attribute="split",
            value=split,
            allowed=", ".join(SPLITS),
            remedy="name one of these",
        )
    count = wanted.scenes or (options.test_scenes if options else SCENE_COUNT)
    seed = wanted.seed if wanted.seed is not None else (options.seed if options else SEED)
    return SceneSet(seed, split, count, graph.input.height, graph.input.width, hard)


def _holds_back(options: TrainOptions, wanted: Wanted) -> bool:
    """Whether the run alone knows which images of its data set are in the split that is wanted."""
    return wanted.data is None and wanted.split in SPLITS and bool(options.val_share or options.test_share)
