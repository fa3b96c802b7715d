"""What cannot be exact, or cannot be read, is refused by name, with the reason."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper

from sterna.errors import FaultsError, SternaError
from sterna.exporters.onnx.files import save
from sterna.graph.onnx_property import KEY
from sterna.importers.onnx.files import Wanted, read
from support.onnx_builder import QONNX, ModelBuilder, imported
from support.onnx_models import random_case


def quantised() -> ModelBuilder:
    made = ModelBuilder((4, 6, 6))
    made.quant(0.5, bits=4)
    return made


def conv(made: ModelBuilder, weights: object = None, **attributes: object) -> None:
    values = np.ones((2, 4, 3, 3), np.float32) if weights is None else weights
    made.add("Conv", values, **{"kernel_shape": [3, 3], **attributes})


def of(operator: str, *inputs: object, **attributes: object) -> Callable[[ModelBuilder], object]:
    return lambda made: made.add(operator, *inputs, **attributes)


def unquantised_sum(made: ModelBuilder) -> None:
    first = made.tensor
    conv(made, pads=[1] * 4)
    made.add("Relu")
    made.add("Add", first)


def falls_after_pool(made: ModelBuilder) -> None:
    conv(made)
    made.add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
    made.add("Mul", np.float32(-1))
    made.quant(1.0)


def by_channel(made: ModelBuilder) -> None:
    conv(made)
    made.quant(np.array([1.0, 0.5]).reshape(1, 2, 1, 1))


def rises_and_falls(made: ModelBuilder) -> None:
    conv(made)
    first = made.tensor
    made.add("Neg")
    made.add("Max", first)


def unlike(made: ModelBuilder) -> None:
    conv(made, np.ones((4, 4, 1, 1), np.float32), kernel_shape=[1, 1])
    first = made.quant(0.5, bits=4)
    conv(made, np.ones((4, 4, 1, 1), np.float32), kernel_shape=[1, 1])
    made.quant(0.3, bits=4)
    made.add("Concat", first, axis=1)


def many_bits(made: ModelBuilder) -> None:
    conv(made)
    made.quant(0.01, bits=12)
    made.add("Flatten")


REFUSED: dict[str, tuple[Callable[[ModelBuilder], object], str]] = {
    "unknown": (of("LRN", size=3), "node 'LRN1' (LRN): normalises by local responses"),
    "foreign": (of("Quantum", domain="other.domain"), "(other.domain.Quantum): is an operator that integer graphs"),
    "sine": (of("Sin"), "node 'Sin1' (Sin): is an operator that integer graphs have no counterpart for"),
    "shuffle": (of("DepthToSpace", blocksize=2), "makes pixels of channels"),
    "softmax": (of("Softmax"), "node 'Softmax1' (Softmax): belongs to the program that reads the results"),
    "weights": (lambda made: conv(made, np.random.default_rng(0).normal(0, 1, (2, 4, 3, 3)).astype(np.float32)),
                "has weights that are no integers times a scale; filter = 0"),
    "large weights": (lambda made: conv(made, np.full((2, 4, 3, 3), 200, np.float32)),
                      "has weights that are too large; got 200 .. 200; allowed: -128 .. 127"),
    "endless weights": (lambda made: conv(made, np.full((2, 4, 3, 3), np.inf, np.float32)),
                        "node 'Conv1' (Conv): has weights that are far too large, or no numbers"),
    "stride": (lambda made: conv(made, strides=[3, 3]), "has strides or dilations that no layer has"),
    "dilation": (lambda made: conv(made, dilations=[2, 2]), "has strides or dilations that no layer has"),
    "channels": (lambda made: conv(made, np.ones((2, 3, 3, 3), np.float32)), "has weights for other channels"),
    "large kernel": (lambda made: conv(made, np.ones((2, 4, 9, 9), np.float32), kernel_shape=[9, 9], pads=[4] * 4),
                     "has a kernel that is too large"),
    "sum": (unquantised_sum, "node 'Add3' (Add): reads what is not quantised; got t3"),
    "product of tensors": (of("Mul", "t1"), "node 'Mul1' (Mul): combines tensors of the model"),
    "falls": (falls_after_pool, "(Quant): falls after a maximum was taken"),
    "rises and falls": (rises_and_falls, "combines a function that rises with one that falls"),
    "by channel": (by_channel, "quantises each channel by another scale"),
    "unlike": (unlike, "joins maps of different scales or zero points"),
    "bits": (many_bits, "has more values than an activation; integers = "),
    "slope": (of("LeakyRelu", alpha=-1.0), "falls and rises"),
    "batch": (of("Reshape", np.array([2, -1])), "reshapes the batch"),
    "moved batch": (of("Transpose", perm=[1, 0, 2, 3]), "moves the batch"),
    "edge": (of("Pad", np.array([0, 0, 1, 1, 0, 0, 1, 1]), mode="edge"), "pads otherwise than with a constant"),
    "pool": (of("MaxPool", kernel_shape=[3, 3], strides=[3, 3]), "is a pool that no layer is"),
    "blocks": (of("SpaceToDepth", blocksize=3), "takes other blocks than 2x2"),
    "floats": (of("HardSigmoid"), "(HardSigmoid): is an operator that"),
    "scale": (lambda made: made.quant(-1.0), "has a scale that is not above 0"),
    "rounding": (lambda made: made.quant(1.0, rounding_mode="ODD"), "has an unknown rounding; rounding_mode = ODD"),
    "sums": (lambda made: conv(made), "node 'Conv1' (Conv): gives sums as a result, which are no activations"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str, tmp_path: Path) -> None:
    made = quantised()
    make, expected = REFUSED[name]
    make(made)
    with pytest.raises(SternaError) as caught:
        imported(made.model(), tmp_path)
    assert expected in str(caught.value)


def test_all_that_is_refused_is_named(tmp_path: Path) -> None:
    """What follows a layer that is not exact is read as well."""
    made = quantised()
    for _ in range(2):
        conv(made, np.ones((4, 4, 3, 3), np.float32), pads=[1] * 4)
        made.add("Clip", np.float32(-7), np.float32(3))
        made.add("LeakyRelu", alpha=0.3)
        made.quant(0.25)
    with pytest.raises(FaultsError) as caught:
        imported(made.model(), tmp_path)
    assert [fault.where for fault in caught.value.faults] == ["node 'Quant4' (Quant)", "node 'Quant8' (Quant)"]


def test_an_image_of_unknown_values(tmp_path: Path) -> None:
    made = ModelBuilder((4, 6, 6))
    conv(made)
    with pytest.raises(SternaError, match=r"node 'Conv0' \(Conv\): needs to know what the image's bytes stand for"):
        imported(made.model(), tmp_path)


def test_pixels_that_no_scale_has(tmp_path: Path) -> None:
    """Normalised by channel and not quantised."""
    made = ModelBuilder((3, 4, 4))
    made.add("Div", np.array([0.2, 0.3, 0.25], np.float32).reshape(1, 3, 1, 1))
    conv(made, np.ones((2, 3, 3, 3), np.float32))
    with pytest.raises(SternaError, match="reads an image whose values are no evenly spaced numbers"):
        imported(made.model(), tmp_path, pixels=(0.0, 1.0))


def write(folder: Path, data: bytes) -> Path:
    (folder / "model.onnx").write_bytes(data)
    return folder / "model.onnx"


@pytest.mark.parametrize("data", [b"", b"onnx", b"\x08\x08\x12" + b"\xff" * 20, bytes(1000), b"\x89PNG"])
def test_no_model(data: bytes, tmp_path: Path) -> None:
    with pytest.raises(SternaError, match="not an ONNX model"):
        read(write(tmp_path, data), Wanted())


def test_a_damaged_model(tmp_path: Path) -> None:
    """Cut anywhere, or with any byte changed: read, or refused."""
    made = quantised()
    conv(made, strides=[2, 2])
    made.quant(1.0)
    data, rng = made.model().SerializeToString(), np.random.default_rng(0)
    for _ in range(150):
        broken = bytearray(data)
        broken[rng.integers(len(data))] = rng.integers(256)
        end = int(rng.integers(1, len(data))) if rng.random() < 0.3 else len(data)
        with contextlib.suppress(SternaError):
            read(write(tmp_path, bytes(broken[:end])), Wanted())


def test_missing_files(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match="is missing"):
        read(tmp_path / "none.onnx", Wanted())
    made = quantised()
    conv(made)
    made.quant(1.0)
    onnx.save(
        made.model(), tmp_path / "model.onnx", save_as_external_data=True, location="weights.bin", size_threshold=0
    )
    (tmp_path / "weights.bin").unlink()
    with pytest.raises(SternaError, match=r"weights\.bin"):
        read(tmp_path / "model.onnx", Wanted())


def test_open_shape(tmp_path: Path) -> None:
    made = quantised()
    conv(made)
    stored = made.model()
    stored.graph.input[0].type.tensor_type.shape.dim[2].dim_param = "height"
    with pytest.raises(
        SternaError, match=r"input 'image': has a shape that is left open; shape = 1, 4, height, 6;.*--shape"
    ):
        imported(stored, tmp_path)
    with pytest.raises(SternaError, match=r"has another shape; shape = 4,6; allowed: 4,any,6"):
        imported(stored, tmp_path, shape=(4, 6))


def test_inputs(tmp_path: Path) -> None:
    stored = quantised().model()
    stored.graph.input.append(helper.make_tensor_value_info("other", onnx.TensorProto.FLOAT, [1]))
    with pytest.raises(SternaError, match="has not exactly one input; inputs = image, other"):
        imported(stored, tmp_path)


def test_until(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match=r"makes no such tensor; until = none; allowed: t1"):
        imported(quantised().model(), tmp_path, until=("none",))


def test_a_constant_result(tmp_path: Path) -> None:
    made = quantised()
    made.add("Relu", of=made.constant(np.ones(3, np.float32)))
    with pytest.raises(SternaError, match="output 't2': is constant"):
        imported(made.model(), tmp_path)


def test_a_node_without_what_it_needs(tmp_path: Path) -> None:
    made = quantised()
    made.add("MaxPool")
    with pytest.raises(SternaError, match=r"node 'MaxPool1' \(MaxPool\): is not whole"):
        imported(made.model(), tmp_path)


@pytest.mark.parametrize("text", ["", "{}", '{"act_bits": 99, "tensors": {}, "metadata": {}}', "[" * 9999])
def test_a_property_that_is_not_whole(text: str, tmp_path: Path) -> None:
    save(random_case(0)[0], tmp_path / "model.onnx", "onnx")
    stored = onnx.load(tmp_path / "model.onnx")
    helper.set_model_props(stored, {KEY: text})
    with pytest.raises(SternaError, match="has a property that is not whole"):
        imported(stored, tmp_path)


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.startswith("sterna.importers.onnx.model")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(SternaError, match="sterna import needs a package that is not installed; package = onnx"):
        read(tmp_path / "model.onnx", Wanted())


def test_thresholds_of_other_channels(tmp_path: Path) -> None:
    made = quantised()
    made.add("MultiThreshold", np.zeros((3, 2), np.float32), domain=QONNX, out_dtype="INT4", data_layout="NCHW")
    with pytest.raises(SternaError, match="has thresholds for other channels than it reads"):
        imported(made.model(), tmp_path)
