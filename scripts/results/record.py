"""The form of docs/results/NAME.json."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from sterna.files import write_bytes
from sterna.machine import processor

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "docs" / "results"
#: `git describe` of a tree without changes.
CLEAN_COMMIT = r"^[0-9a-f]{7,40}$"


class Metric(BaseModel):
    """One measured value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: What it is, as a row of a table.
    what: str = Field(min_length=1)
    value: bool | int | float | str
    #: Empty for counts, yes or no.
    unit: str
    method: str = Field(min_length=1)


#: A row of a table, by column.
TableRow = dict[str, bool | int | float | str]


class Result(BaseModel):
    """The metrics that one command measures."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    command: str
    #: Engine config and random seed, where they matter.
    config: str | None
    seed: int | None
    commit: str
    #: Processor and cores of the machine.
    machine: str
    metrics: dict[str, Metric] = Field(min_length=1)
    #: A table with the same columns in each row.
    rows: tuple[TableRow, ...] = ()


def write(
    name: str,
    metrics: dict[str, Metric],
    *,
    command: str,
    config: str | None = None,
    seed: int | None = None,
    rows: Sequence[TableRow] = (),
) -> Path:
    """Write docs/results/`name`.json for the commit that is checked out."""
    result = Result(
        command=command,
        config=config,
        seed=seed,
        commit=commit(),
        machine=processor(),
        metrics=metrics,
        rows=tuple(rows),
    )
    path = FOLDER / f"{name}.json"
    write_bytes(path, f"{result.model_dump_json(indent=2)}\n".encode())
    return path


def read_all() -> dict[str, Result]:
    """Every result by name."""
    return {path.stem: Result.model_validate_json(path.read_text("utf-8")) for path in sorted(FOLDER.glob("*.json"))}


def commit() -> str:
    """The commit; with '-dirty' appended if anything but the generated results differs from it."""
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ".", ":!docs", ":!README.md")
    return _git("rev-parse", "--short=12", "HEAD") + ("-dirty" if changed else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", "-C", str(ROOT), *arguments], capture_output=True, text=True, check=True)
    return done.stdout.strip()
