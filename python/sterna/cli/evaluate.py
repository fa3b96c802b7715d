"""`sterna eval`: the precision of an integer graph, or of all forms in a run folder, on labelled images."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from sterna import recognise
from sterna.cli.progress import bar
from sterna.errors import SternaError
from sterna.files import check_file, check_folder, write_bytes
from sterna.graph import Graph
from sterna.package.graphs import read_graph
from sterna.train import load_options, run_folder
from sterna.train.data import (
    GENERATED,
    HARD_SCENES,
    SCENES,
    SPLITS,
    Dataset,
    ReadOptions,
    SceneSet,
    default_workers,
    open_data,
    open_split,
)
from sterna.train.data.options import validated
from sterna.train.loop import forms
from sterna.train.model.network import Network
from sterna.train.options import TrainOptions, parse
from sterna.train.report import plots, report, summary_page
from sterna.train.report.report import INTEGER, Comparison
from sterna.vision.decoder import Decoder

#: How the title of a report's page begins, which tells it from that of a run.
TITLE = "Evaluation of "
CURVES_NAME = "precision_recall.png"
#: What a graph that comes without a run folder is measured on, unless said otherwise.
SPLIT, SCENE_COUNT, SEED = "test", 200, 0


@dataclass(frozen=True)
class Wanted:
    """The images to measure on; None is what the run was started with, or the default.

    read: the fields of ReadOptions that are given.
    """

    data: str | None = None
    split: str | None = None
    scenes: int | None = None
    seed: int | None = None
    read: Mapping[str, object] = field(default_factory=dict)


def evaluate(path: Path, wanted: Wanted, json_file: Path | None, folder: Path | None) -> None:
    """Print the precision of what is in `path`, a run folder, graph or package; write it as JSON and as a report."""
    if path.is_dir():
        recognise.check(path, recognise.RUN)
    options = load_options(path) if path.is_dir() else None
    found: Mapping[str, Network | Graph] = forms.of_run(path) if options else {INTEGER: read_graph(path)}
    _check_outputs(path, json_file, folder)
    dataset = _open(wanted, options, found[INTEGER])
    with bar("evaluate") as show:
        comparison = report.compare(found, dataset, default_workers(), show)
    report.show(comparison, Console())
    if json_file:
        _write_json(json_file, comparison)
    if folder:
        _write_report(folder, path, options, found, dataset, comparison)


def _check_outputs(path: Path, json_file: Path | None, folder: Path | None) -> None:
    """Raise SternaError, before the work begins, if an output could not be written or would replace what is read."""
    if json_file:
        check_file(json_file, inputs=[path, *(path / name for name in run_folder.LISTS)])
        recognise.check_replaces(json_file, recognise.JSON)
        _check_figures(json_file)
    if folder:
        check_folder(folder, inputs=[path])
        _check_report(folder)


def _check_report(folder: Path) -> None:
    """Raise SternaError if `folder` holds a file of a name that a report has, and no earlier report wrote it."""
    page = folder / summary_page.NAME
    if page.is_file() and f"<title>{TITLE}".encode() in page.read_bytes():
        return
    other = next((path for path in (page, folder / CURVES_NAME) if path.exists()), None)
    if other is not None:
        raise SternaError(
            "is of no earlier report, and would be lost",
            where=str(other),
            remedy="name another folder to write to, or move the file away",
        )


def _check_figures(file: Path) -> None:
    """Raise SternaError if there is a JSON file that no evaluation wrote, such as annotations."""
    try:
        if file.is_file() and file.stat().st_size:
            Comparison.model_validate_json(file.read_bytes())
    except ValidationError:
        raise SternaError(
            "is no file of figures, and would be lost",
            where=str(file),
            remedy="name another file to write, or remove this one",
        ) from None


def _open(wanted: Wanted, options: TrainOptions | None, graph: Network | Graph) -> Dataset:
    assert isinstance(graph, Graph)
    if options and wanted.data and Path(wanted.data).resolve() == Path(options.data).resolve():
        wanted = replace(wanted, data=None)  # the run's own, however it is written
    if options and (replace(wanted, read={}) == Wanted() or _holds_back(options, wanted)):
        splits = open_data(parse(**(options.model_dump() | dict(wanted.read))), Console())
        return {"train": splits.train, "val": splits.val}.get(wanted.split or "", splits.test)
    height, width = graph.input.height, graph.input.width
    data = wanted.data or (options.data if options else SCENES)
    if data not in GENERATED:
        classes = Decoder.of(graph).classes
        # The names that a run has changed are those of its own data.
        rename = options.rename if options and wanted.data is None else None
        before = (options or ReadOptions()).model_dump(include=set(ReadOptions.model_fields))
        read = validated(ReadOptions, before | dict(wanted.read), "eval")
        return open_split(Path(data), wanted.split or SPLIT, height, width, classes, rename, read, Console())
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
    return SceneSet(seed, split, count, height, width, data == HARD_SCENES)


def _holds_back(options: TrainOptions, wanted: Wanted) -> bool:
    """Whether the run alone knows which images of its data set are in the split that is wanted."""
    return wanted.data is None and wanted.split in SPLITS and bool(options.val_share or options.test_share)


def _write_json(file: Path, comparison: Comparison) -> None:
    write_bytes(file, f"{comparison.model_dump_json()}\n".encode())
    print(f"Figures: {file}")


def _write_report(
    folder: Path,
    path: Path,
    options: TrainOptions | None,
    found: Mapping[str, Network | Graph],
    dataset: Dataset,
    comparison: Comparison,
) -> None:
    write_bytes(folder / CURVES_NAME, plots.png(plots.precision_recall(comparison.precision)))
    # One form is enough to look at: the forms find nearly the same boxes.
    integer = report.evaluators({INTEGER: found[INTEGER]}, tuple(dataset.classes))[INTEGER]
    page = summary_page.write_html(
        folder,
        title=f"{TITLE}{path.name}",
        options=options.model_dump(mode="json", exclude={"output", "resume", "data"}) if options else {},
        comparison=comparison,
        history=run_folder.read_json(path / run_folder.LOG) if options else (),
        samples={INTEGER: plots.samples(integer, dataset)},
    )
    print(f"Report: {page} and {folder / CURVES_NAME}")
