"""Rows of imported models: filters counted, refusals named, wrong graphs noticed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx

from results.makers.imports import Case, filters, row
from sterna.importers.onnx.files import Wanted
from support.onnx_builder import ModelBuilder


def case(folder: Path, *, last: str = "") -> Case:
    """A product of a vector and a convolution of it; the last operator reads what both make."""
    made = ModelBuilder((3, 4, 4))
    made.quant(0.5, bits=4)
    made.add("Conv", np.ones((5, 3, 1, 1), np.float32), kernel_shape=[1, 1])
    made.quant(1.0, bits=4)
    made.add("Flatten")
    made.add("MatMul", made.weights(np.ones((80, 2))))
    made.quant(4.0, bits=5)
    if last:
        made.add(last)
    onnx.save(made.model(), folder / "model.onnx")
    return Case("small", folder / "model.onnx", "here", Wanted())


def test_a_model_that_is_exact(tmp_path: Path) -> None:
    found = row(case(tmp_path))
    assert found == {
        "model": "small", "source": "here", "filters": 7, "exact": 7, "refused": "-", "reason": "-", "values": 40,
        "different": 0,
    }  # fmt: skip


def test_a_model_that_is_refused(tmp_path: Path) -> None:
    """Its product was not needed by anything that was read."""
    found = row(case(tmp_path, last="Sin"))
    assert (found["filters"], found["exact"], found["refused"]) == (7, 5, "node 'Sin7' (Sin)")
    assert found["reason"] == "is an operator that integer graphs have no counterpart for"


def test_filters_are_those_of_all_that_has_weights(tmp_path: Path) -> None:
    made = ModelBuilder((4,))
    made.add("MatMul", np.ones((4, 3), np.float32))
    made.add("Gemm", np.ones((6, 3), np.float32), transB=1)
    assert filters(made.model()) == 9
