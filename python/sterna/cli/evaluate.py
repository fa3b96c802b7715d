"""`sterna eval`: the precision of an integer graph, or of all forms in a run folder, on labelled images."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from sterna.cli.progress import bar
from sterna.train.evaluation import Evaluation, Wanted, write_json
from sterna.train.report import report


def evaluate(path: Path, wanted: Wanted, json_file: Path | None, folder: Path | None) -> None:
    """Print the precision of what is in `path`, a run folder, graph or package; write it as JSON and as a report."""
    evaluation = Evaluation.of(path)
    if json_file:
        evaluation.check_json(json_file)
    if folder:
        evaluation.check_report(folder)
    dataset = evaluation.images(wanted, Console())
    with bar("evaluate") as show:
        comparison = evaluation.measure(dataset, show)
    report.show(comparison, Console())
    if json_file:
        write_json(json_file, comparison)
        print(f"Metrics: {json_file}")
    if folder:
        page, curves = evaluation.write_report(folder, dataset, comparison)
        print(f"Report: {page} and {curves}")
