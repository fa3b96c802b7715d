"""`sterna eval`: how good is an integer graph, or of all forms in a run folder, on labelled images."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console

from sterna.cli.backends import opened, with_engine
from sterna.cli.progress import bar
from sterna.compile.packages import load as load_package
from sterna.run import Backend
from sterna.train.evaluation import Evaluation, Wanted, write_json
from sterna.train.report import compared


def evaluate(
    path: Path, wanted: Wanted, json_file: Path | None, folder: Path | None, uri: str | None, corruptions: bool = False
) -> None:
    """Print how good is what is in `path`, a run folder, graph or package; write it as JSON and as a report.

    uri: the backend that executes the package in `path`; None: the emulator computes the graph. corruptions: measure
    on images made worse as well.
    """
    evaluation = Evaluation.of(path)
    if json_file:
        evaluation.check_json(json_file)
    if folder:
        evaluation.check_report(folder)
    if corruptions:
        evaluation.check_corruptions()
    with _loaded(uri, path) as backend:
        dataset = evaluation.images(wanted, Console())
        with bar("evaluate") as show:
            execute = None if backend is None else backend.infer
            comparison = evaluation.measure(dataset, show, execute)
            if corruptions:
                comparison = evaluation.corrupted(comparison, dataset, show, execute)
        compared.show(comparison, Console())
        if backend and (note := backend.note()):
            print(note)
    if json_file:
        write_json(json_file, comparison)
        print(f"Metrics: {json_file}")
    if folder:
        page, figure = evaluation.write_report(folder, dataset, comparison)
        print(f"Report: {page} and {figure}")


@contextmanager
def _loaded(uri: str | None, path: Path) -> Iterator[Backend | None]:
    """The backend that `uri` names, with the package in `path`; None if none is named."""
    if uri is None:
        yield None
        return
    (name,) = with_engine([uri], None)
    package = load_package(path)
    with opened(name) as backend:
        backend.load(package)
        yield backend
