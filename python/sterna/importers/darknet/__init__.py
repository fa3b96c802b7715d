"""Networks of darknet (github.com/pjreddie/darknet): cfg files and weights files."""

from __future__ import annotations

from pathlib import Path

from sterna.importers.darknet.cfg import Yolo2, read_cfg
from sterna.importers.darknet.load import load, load_files
from sterna.importers.darknet.training import read_training
from sterna.importers.darknet.weights import Weights, read_weights
from sterna.importers.importer import ALONE, Given, Importer

SUFFIX = ".cfg"


def describe(path: Path, given: Given = ALONE) -> Yolo2:
    """The network of `read_cfg`, for which the file alone is enough."""
    return read_cfg(path)


IMPORTER = Importer(SUFFIX, f"darknet's {SUFFIX} files", describe, read_training, load_files)

__all__ = ["IMPORTER", "SUFFIX", "Weights", "Yolo2", "load", "read_cfg", "read_training", "read_weights"]
