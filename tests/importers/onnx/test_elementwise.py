"""What is computed in numpy is what onnxruntime computes, to the last bit."""

from __future__ import annotations

import numpy as np

from sterna.importers.onnx.elementwise import normalisation
from support.onnx_builder import ModelBuilder, execute


def test_normalisation() -> None:
    """Where its float is one off, a step may lie elsewhere."""
    rng = np.random.default_rng(0)
    filters, values = 64, rng.normal(0, 300, (64, 1, 500)).astype(np.float32)
    given = (
        rng.normal(0, 1, filters),
        rng.normal(0, 1, filters),
        rng.normal(0, 100, filters),
        rng.uniform(0, 1e4, filters),
    )
    scale, bias, mean, variance = (each.astype(np.float32) for each in given)
    made = ModelBuilder((filters, 1, 500))
    made.add("BatchNormalization", scale, bias, mean, variance, epsilon=1e-4)
    function = normalisation(*(each[:, np.newaxis] for each in (scale, bias, mean, variance)), 1e-4)
    assert np.array_equal(function(values[:, 0]), execute(made.model(), values)["t1"][0, :, 0])
