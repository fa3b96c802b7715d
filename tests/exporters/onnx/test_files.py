"""ONNX files: what is in them, and what is refused."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
import pytest

import sterna
from sterna.errors import SternaError
from sterna.exporters.onnx import writer as writer_module
from sterna.exporters.onnx.files import FORMS, save, writer
from sterna.exporters.onnx.writer import OPSET
from sterna.graph import KINDS, Conv, Graph, Input, Output, Requant, infer
from sterna.graph.layers import OneInput
from sterna.graph.onnx_property import KEY
from support.random_graphs import random_graph


def small(value: int = 1, channels: int = 3, acc_bits: int = 20) -> Graph:
    weights = np.full((2, channels, 1, 1), value, np.int8)
    requant = Requant(np.array([5, 5]), np.array([-300, 0]), 4, "leaky")
    conv = Conv("conv", "image", weights, 1, (0, 0, 0, 0), requant, 0.5)
    layers = (Input("image", channels, 4, 5, 0.25, 0), conv, Output("out", "conv"))
    return Graph(layers, acc_bits=acc_bits, metadata={"classes": ["cat"]})


def random(seed: int) -> Graph:
    return random_graph(np.random.default_rng(seed), act_bits=6, input_table=True)


@pytest.mark.parametrize("form", FORMS)
def test_file(form: str, tmp_path: Path) -> None:
    """It is legal, says what its integers stand for, and holds the graph's outputs."""
    path = tmp_path / "small.onnx"
    said: list[tuple[int, int, str]] = []
    size = save(small(), path, form, progress=lambda *each: said.append(each))
    assert size == path.stat().st_size and list(tmp_path.iterdir()) == [path]
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=form == "onnx")
    assert [each.name for each in model.graph.input] == ["image"]
    assert [each.name for each in model.graph.output] == ["out"]
    (about,) = (json.loads(each.value) for each in model.metadata_props if each.key == KEY)
    assert about["metadata"] == {"classes": ["cat"]} and about["act_bits"] == 8
    assert about["tensors"] == {"image": {"scale": 0.25, "zero_point": 0}, "out": {"scale": 0.5, "zero_point": 0}}
    assert said == [(0, 3, "image"), (1, 3, "conv"), (2, 3, "out")]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", range(4))
def test_models_are_legal(form: str, seed: int) -> None:
    graph = random(seed)
    onnx.checker.check_model(writer(graph, form).write(list(graph.info)), full_check=form == "onnx")


def test_maps_of_all_layers_are_outputs(tmp_path: Path) -> None:
    """The image too, which as an input of the model cannot be one of its outputs."""
    save(small(), tmp_path / "a.onnx", "onnx", trace=True)
    assert [each.name for each in onnx.load(tmp_path / "a.onnx").graph.output] == ["out", "image:map", "conv"]


def test_types_of_qonnx() -> None:
    """The smallest that hold the values."""
    model = writer(small(-7), "qonnx").write()
    found = {
        each.tensor_name: each.quant_parameter_tensor_names[0].value for each in model.graph.quantization_annotation
    }
    # 3 weights of -7, which is 1 - 8 in signed digits and peaks at 8, and activations of up to 128: 3 * 8 * 128 = 3072.
    assert found == {"image": "INT8", "conv": "INT8", "out": "INT8", "conv:weights": "INT4", "conv:sums": "INT13",
                     "conv:thresholds": found["conv:thresholds"]}  # fmt: skip
    annotated = writer(small(), "qonnx").write().graph.quantization_annotation
    assert "TERNARY" in {each.quant_parameter_tensor_names[0].value for each in annotated}


def test_opsets() -> None:
    for form, domains in {"onnx": {""}, "qonnx": {"", "qonnx.custom_op.general"}}.items():
        model = writer(random(0), form).write()
        assert {each.domain for each in model.opset_import} == domains
        assert {node.domain for node in model.graph.node} <= domains
        assert next(each.version for each in model.opset_import if not each.domain) == OPSET


def test_accumulators_that_floats_do_not_hold() -> None:
    """2^24 is the first; onnxruntime takes them as integers."""
    writer(small(127, 1023, 32), "qonnx").write()
    with pytest.raises(SternaError, match=r"'conv', filter 0: .*magnitude = 16777216; allowed: 0 .. 16777215; remedy"):
        writer(small(-128, 1024, 32), "qonnx").write()
    writer(small(-128, 1024, 32), "onnx").write()


@pytest.mark.parametrize("form", FORMS)
def test_models_that_are_too_large(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "MOST_BYTES", writer_module._ROOM + 5)
    with pytest.raises(SternaError, match=r"'conv': the model becomes too large .*; allowed: at most 5; remedy: .*"):
        save(small(), tmp_path / "large.onnx", form)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("form", "package"), [("onnx", "onnx"), ("qonnx", "qonnx")])
def test_packages_that_are_missing(form: str, package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("sterna.exporters.onnx.")]:
        if not name.endswith((".files", ".backend", ".session")):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, f"{package}.core.datatype" if package == "qonnx" else package, None)
    with pytest.raises(
        SternaError, match=rf"the form {form} needs a package.*{package}.*pip install 'sterna\[interop\]'"
    ):
        save(small(), tmp_path / "a.onnx", form)


def test_a_form_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match="there is no such form; form = tflite; allowed: onnx, qonnx"):
        sterna.export("demo-nano", tmp_path / "a.onnx", "tflite")


@dataclass(frozen=True, eq=False)
class Turn(OneInput):
    """A kind of layer that has no form in ONNX."""


def test_a_kind_of_layer_without_a_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "turn", Turn)
    monkeypatch.setitem(infer._INFER, Turn, lambda layer, source: source)
    graph = Graph((Input("image", 1, 2, 3, 1.0, 0), Turn("turn", "image"), Output("out", "turn")))
    with pytest.raises(SternaError, match="'turn': has no form in ONNX; kind = Turn; allowed: input, conv"):
        writer(graph, "onnx").write()
