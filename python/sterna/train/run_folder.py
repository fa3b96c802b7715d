"""The folder of a run: the names of its files, and whether a run may start or resume in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sterna import files
from sterna.errors import SternaError
from sterna.graph import file as graph_file
from sterna.train import checkpoint
from sterna.train.model.form import Form
from sterna.train.options import TrainOptions
from sterna.train.stages import UNLABELLED
from sterna.validated import WrongValueError

CHECKPOINT = "checkpoint.pt"
OPTIONS = "options.json"
LOG = "log.json"
SUMMARY = "summary.json"
MOST_JSON = 1 << 30  # bytes
#: What a run writes as JSON.
LISTS = (OPTIONS, LOG, SUMMARY)
PAGE = "summary.html"
SUFFIX = ".pt"  # of the weights at the end of a stage
GRAPH = graph_file.IN_RUN
#: What a run writes beside its options and its checkpoint; people keep some of it when they delete these.
RESULTS = (LOG, SUMMARY, PAGE, GRAPH, *(f"{name}{SUFFIX}" for name in (*Form, UNLABELLED)))


def open_folder(options: TrainOptions) -> dict[str, Any] | None:
    """Check the folder of a run; the checkpoint if it is to go on and has come so far.

    Raises SternaError if the folder holds another run, or none to go on with, or cannot be written.
    """
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
        files.remove_partial(options.output)
        path = options.output / CHECKPOINT
        return checkpoint.load(path) if path.exists() else None
    files.check_folder(options.output)
    if (options.output / OPTIONS).exists() or (options.output / CHECKPOINT).exists():
        raise SternaError(
            "the folder already holds a run",
            where=str(options.output),
            remedy="continue it with --resume, or choose another folder",
        )
    replaced = [name for name in RESULTS if (options.output / name).exists()]
    if replaced:
        raise SternaError(
            "the folder holds files that the run would replace",
            where=str(options.output),
            attribute="files",
            value=", ".join(replaced),
            remedy="choose another folder, or move the files",
        )
    return None


def save_options(options: TrainOptions) -> None:
    """Write the options of the run."""
    checkpoint.write_json(options.output / OPTIONS, options.model_dump(mode="json", exclude={"resume", "output"}))


def load_options(folder: Path) -> TrainOptions:
    """The options of the run in `folder`, set to resume it; raises SternaError if there is none."""
    path = folder / OPTIONS
    if not path.is_file():
        raise SternaError(
            "no training run in the folder",
            where=str(folder),
            remedy="name the folder of a run, or start one without --resume",
        )
    written = read_json(path)
    try:
        return TrainOptions.model_validate({**written, "output": folder, "resume": True})
    except (WrongValueError, TypeError):
        raise SternaError(
            "the options of the run are damaged or of another version",
            where=str(path),
            remedy="use the version of Sterna that started the run, or train into another folder",
        ) from None


def read_json(path: Path) -> Any:
    """What a run has written as JSON. Raises SternaError if it is missing or damaged."""
    data = files.read_bytes(path, MOST_JSON, "list of a run")
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        raise SternaError("is damaged", where=str(path), remedy="copy it again, or train into another folder") from None
