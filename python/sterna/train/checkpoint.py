"""Files of a run folder, written so that a stop at any moment leaves the old or the new one whole."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sterna import recognise
from sterna.errors import SternaError
from sterna.files import write_atomically, write_bytes

FORMAT = 1


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    write_bytes(path, f"{json.dumps(value, indent=2)}\n".encode())


def save(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values as a checkpoint, atomically."""
    write_atomically(path, lambda partial: torch.save({"format": FORMAT, **state}, partial))


@dataclass(frozen=True)
class Role:
    """What a file is read as, in words, and what helps where it cannot be."""

    what: str
    missing: str
    damaged: str


_AGAIN = "train into another folder, from the start"
RESUMED = Role("checkpoint", _AGAIN, _AGAIN)


def load(path: Path, role: Role = RESUMED) -> dict[str, Any]:
    """Read a checkpoint without running any code in it. Raises SternaError if it is missing, damaged or foreign."""
    if not path.is_file():
        raise SternaError(f"there is no {role.what}", where=str(path), remedy=role.missing)
    kind = recognise.kind_of(path)
    if kind not in (None, recognise.CHECKPOINT):
        raise SternaError(f"is {kind}, not a {role.what}", where=str(path), remedy=role.missing)
    try:
        _check_size(path)
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a damaged file can make the reader raise anything
        raise damaged(path, role) from None
    if not isinstance(state, dict) or "format" not in state:
        raise SternaError(
            f"is not a {role.what} written by sterna train", where=str(path), value=_found(state), remedy=role.missing
        )
    if state["format"] != FORMAT:
        raise SternaError(
            f"is a {role.what} of another version",
            where=str(path),
            attribute="format",
            value=state["format"],
            allowed=str(FORMAT),
            remedy=role.damaged,
        )
    return state


def is_of_run(state: Mapping[str, Any]) -> bool:
    """Whether a run resumes from `state`; the weights at the end of a stage are without a learner."""
    return "learner" in state


def _found(state: object) -> str:
    """What another program has saved."""
    return f"a dict of {', '.join(map(str, list(state)[:4]))}, ..." if isinstance(state, dict) else type(state).__name__


def _check_size(path: Path) -> None:
    """Raise ValueError if the file is not as PyTorch writes one: nothing packed, nothing longer than the file."""
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    if any(info.compress_type != zipfile.ZIP_STORED for info in infos):
        raise ValueError("packed")
    if sum(info.file_size for info in infos) > path.stat().st_size:
        raise ValueError("members that overlap")


def damaged(path: Path, role: Role = RESUMED) -> SternaError:
    """The refusal of a checkpoint whose content is not as `save` wrote it."""
    return SternaError(f"the {role.what} is damaged, or contains code", where=str(path), remedy=role.damaged)
