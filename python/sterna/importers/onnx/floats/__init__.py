"""ONNX models in floats as network descriptions with the weights that a training starts from."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from sterna.extras import INTEROP, needed_for
from sterna.importers.importer import ALONE, DetectorDescription, Given, Imported, Importer, Training

SUFFIX = ".onnx"


def load(path: Path, given: Given = ALONE) -> Imported:
    """The network of the ONNX model in the file `path`, with its weights.

    Raises SternaError if a package is missing, for a file that is no ONNX model, and by the node's name for what
    network descriptions have no counterpart for.
    """
    with needed_for("a network from an ONNX model", INTEROP):
        from sterna.importers.onnx.floats.reader import read

    return read(path, given)


def describe(path: Path, given: Given = ALONE) -> DetectorDescription:
    """The network of `load` alone."""
    return load(path, given).described


def _training(path: Path, usual: Mapping[str, float]) -> Training:
    return Training()


IMPORTER = Importer(SUFFIX, f"ONNX models ({SUFFIX})", describe, _training, load, holds_weights=True)
