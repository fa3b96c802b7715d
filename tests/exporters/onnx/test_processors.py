"""Convolution in onnxruntime is exact on a processor without VNNI too, which QEMU emulates: an Intel of 2013."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import numpy as np
import onnx
import pytest

from sterna.exporters.onnx.files import writer
from sterna.graph import Conv, Graph, Input, Output, Requant, reference

QEMU = "qemu-x86_64"
#: Prints, of each model, how many values of its map are not those expected.
RUN = """
import json, sys
sys.path.insert(0, sys.argv[1])
import numpy, onnxruntime
wrong = {}
for name in sys.argv[2:]:
    session = onnxruntime.InferenceSession(name + ".onnx", providers=["CPUExecutionProvider"])
    found = session.run(["conv"], {"image": numpy.load("image.npy")})[0]
    wrong[name] = int((found != numpy.load(name + ".npy")).sum())
print(json.dumps(wrong))
"""


def graph_of(low: int, high: int) -> Graph:
    """A convolution of weights low .. high, with filters that have only the smallest and only the largest."""
    weights = np.random.default_rng(0).integers(low, high + 1, (4, 32, 1, 1)).astype(np.int8)
    weights[0], weights[1] = low, high
    gain = np.abs(weights.astype(int)).sum(axis=(1, 2, 3)).max()
    requant = Requant(np.full(4, (1 << 17) // gain), np.zeros(4, np.int64), 17, "linear")
    conv = Conv("conv", "image", weights, 1, (0, 0, 0, 0), requant, 1.0)
    return Graph((Input("image", 32, 8, 8, 1.0, 0), conv, Output("out", "conv")), acc_bits=32)


def with_large_unsigned_weights(model: onnx.ModelProto, conv: Conv) -> None:
    """Give the weights of `model`, which are signed, as unsigned bytes with the zero point 128."""
    (weights,) = (each for each in model.graph.initializer if each.name == "conv:weights")
    unsigned = (conv.weights.astype(int) + 128).astype(np.uint8)
    weights.CopyFrom(onnx.numpy_helper.from_array(unsigned, weights.name))
    model.graph.initializer.append(onnx.numpy_helper.from_array(np.array(128, np.uint8), "zero"))
    model.graph.node[0].input.extend(["", "zero"])


@pytest.mark.slow
def test_no_product_saturates(tmp_path: Path) -> None:
    """Unsigned weights of eight bits, the planted error, do."""
    assert shutil.which(QEMU), f"{QEMU} is missing: install the package qemu-user (Debian's name)"
    cases = {"ternary": (-1, 1), "seven_bits": (-64, 63), "eight_bits": (-128, 127), "planted": (-128, 127)}
    image = np.random.default_rng(1).choice([-128, 127], (1, 32, 8, 8)).astype(np.int8)
    image[..., :2] = 127
    np.save(tmp_path / "image.npy", image)
    for name, limits in cases.items():
        graph = graph_of(*limits)
        model, conv = writer(graph, "onnx").write(["conv"]), graph["conv"]
        if name == "planted" and isinstance(conv, Conv):
            with_large_unsigned_weights(model, conv)
        onnx.save(model, tmp_path / f"{name}.onnx")
        np.save(tmp_path / f"{name}.npy", reference.execute(graph, image)["conv"])
    words = [QEMU, "-cpu", "Haswell", str(Path(sys.executable).resolve()), "-c", RUN, sysconfig.get_path("purelib")]
    done = subprocess.run([*words, *cases], cwd=tmp_path, capture_output=True, text=True, check=True)
    wrong = json.loads(done.stdout.splitlines()[-1])
    assert wrong.pop("planted") > 0
    assert wrong == {"ternary": 0, "seven_bits": 0, "eight_bits": 0}
