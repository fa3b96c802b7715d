"""Brevitas' own networks, as it exports them, become graphs without one other activation."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from onnx import load

from sterna.graph import reference
from sterna.importers.onnx.files import Wanted, read
from support.brevitas_models import EXAMPLES, export_example
from support.onnx_builder import differences

QUICK = "TFC_2W2A"
NAMES = [name if name == QUICK else pytest.param(name, marks=pytest.mark.slow) for name in EXAMPLES]


@pytest.mark.parametrize("name", NAMES)
def test_examples(name: str, tmp_path: Path) -> None:
    """On images for which the results differ."""
    path = tmp_path / "model.onnx"
    export_example(name, path)
    graph = read(path, Wanted(pixels=(0.0, 1.0), rounds=True)).graph
    model, shape = load(path), graph.info[graph.input.name].shape
    pixels = np.random.default_rng(0).integers(0, 256, (8, *EXAMPLES[name]))
    images = (pixels - 128).astype(np.int8).reshape(8, *shape)
    assert not any(differences(model, graph, *pair) for pair in zip(images, pixels / 255, strict=True))
    scores = reference.execute(graph, images)[graph.outputs[0].name]
    assert len(np.unique(scores.reshape(8, -1), axis=0)) == 8
