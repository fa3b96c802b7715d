"""Files of a run folder, written so that a stop at any moment leaves the old or the new one whole."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from sterna.errors import SternaError
from sterna.files import write_atomically, write_bytes

FORMAT = 1


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    write_bytes(path, f"{json.dumps(value, indent=2)}\n".encode())


def save(path: Path, state: dict[str, Any]) -> None:
    """Write tensors and plain values as a checkpoint, atomically."""
    write_atomically(path, lambda partial: torch.save({"format": FORMAT, **state}, partial))


def load(path: Path) -> dict[str, Any]:
    """Read a checkpoint without running any code in it. Raises SternaError if it is missing, damaged or foreign."""
    if not path.is_file():
        raise SternaError("no checkpoint to continue from", where=str(path), remedy="train without resume")
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except Exception:  # a damaged file can make the reader raise anything
        raise damaged(path) from None
    if not isinstance(state, dict) or state.get("format") != FORMAT:
        raise damaged(path)
    return state


def damaged(path: Path) -> SternaError:
    """The refusal of a checkpoint whose content is not as `save` wrote it."""
    return SternaError(
        "the checkpoint is damaged or of another version", where=str(path), remedy="train from the start"
    )
