"""FINN as a judge: exported models through its own steps to its hardware layers, executed after each.

FINN has an environment of its own, made once in the build folder, since its versions differ from Sterna's.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sterna
from sterna.exporters.onnx.files import writer
from sterna.graph import Conv, Graph, Input, Output, Requant, reference
from sterna.spec.paths import ROOT, build_cache
from support.network_graphs import random_network_graph
from support.onnx_models import execute_qonnx, raise_threshold
from support.random_graphs import random_image

pytestmark = pytest.mark.slow
HERE = Path(__file__).parent
#: What FINN's hardware is made of. Only the model's ends are transposed, as its maps have the channels last.
HARDWARE = {"ConvolutionInputGenerator", "DuplicateStreams", "FMPadding", "MVAU", "Thresholding"}


@pytest.fixture(scope="session")
def python() -> Path:
    """The interpreter of FINN's environment."""
    folder = build_cache().parent / "finn"
    python, ready = folder / "bin" / "python", folder / ".ready"
    wanted = (HERE / "constraints.txt").read_text()
    if not ready.is_file() or ready.read_text() != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        torch = next(line for line in (ROOT / "constraints.txt").read_text().splitlines() if line.startswith("torch=="))
        subprocess.run([*pip, torch], check=True)
        subprocess.run([*pip, "--no-deps", "--requirement", HERE / "constraints.txt"], check=True)
        ready.write_text(wanted)
    return python


@pytest.fixture(scope="module")
def demo() -> Graph:
    graph = sterna.load("demo-nano")
    assert isinstance(graph, Graph)
    return graph


def run(python: Path, *words: str | Path, folder: Path) -> str:
    """What FINN's Python prints, without a path to the modules of this one."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(
        [python, *words], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def steps_of(python: Path, folder: Path, model: bytes, image: np.ndarray, result: np.ndarray) -> list[dict[str, Any]]:
    (folder / "model.onnx").write_bytes(model)
    np.savez(folder / "data.npz", image=image.astype(np.float32), result=result.astype(np.float32))
    said = run(python, HERE / "steps.py", "model.onnx", "data.npz", folder=folder)
    return [json.loads(line) for line in said.splitlines() if line.startswith('{"step"')]


def test_the_demo_becomes_hardware_and_stays_equal(python: Path, demo: Graph, tmp_path: Path) -> None:
    image = sterna.prepare(demo, sterna.scene(7))[np.newaxis]
    result = reference.execute(demo, image)["output"]
    steps = steps_of(python, tmp_path, writer(demo, "finn").write().SerializeToString(), image, result)
    check(steps, HARDWARE | {"Pool", "StreamingConcat"})


def check(steps: list[dict[str, Any]], hardware: set[str]) -> None:
    """All steps leave the result as it is, and the last one leaves only `hardware`."""
    assert len(steps) == 16 and [step["step"] for step in steps if not step["equal"]] == []
    operators = steps[-1]["operators"]
    assert operators.pop("Transpose") == 2 and operators.keys() == hardware


def test_a_classifier_becomes_hardware_and_stays_equal(python: Path, tmp_path: Path) -> None:
    """With sums, a mean of the whole map, and a 1x1 convolution of one pixel."""
    graph = random_network_graph(np.random.default_rng(0), "resnet8", 28, 28, density=0.2)
    steps = steps_of(python, tmp_path, writer(graph, "finn").write().SerializeToString(), *example(graph))
    check(steps, HARDWARE | {"ElementwiseAdd", "VVAU"})


def example(graph: Graph) -> tuple[np.ndarray, np.ndarray]:
    """An image for `graph`, and its result."""
    image = random_image(np.random.default_rng(1), graph)
    image = image.reshape(1, *image.shape[-3:])
    return image, reference.execute(graph, image)[graph.outputs[0].name]


@pytest.mark.parametrize(("height", "width"), [(1, 8), (8, 1)])
def test_a_window_on_a_map_with_a_side_of_one_is_refused(python: Path, tmp_path: Path, height: int, width: int) -> None:
    def model(kernel: int) -> tuple[bytes, np.ndarray, np.ndarray]:
        weights = np.ones((4, 3, kernel, kernel), np.int8)
        requant = Requant(np.ones(4, np.int64), np.zeros(4, np.int64), 5, "relu")
        conv = Conv("conv", "image", weights, 1, (kernel // 2,) * 4, requant, 1.0)
        graph = Graph((Input("image", 3, height, width, 1.0, 0), conv, Output("output", "conv")))
        return writer(graph, "finn").write().SerializeToString(), *example(graph)

    check(steps_of(python, tmp_path, *model(1)), {"MVAU", "Thresholding"})
    with pytest.raises(AssertionError, match="Unexpected kernel shape and padding"):
        steps_of(python, tmp_path, *model(3))


def test_a_wrong_threshold_is_found(python: Path, demo: Graph, tmp_path: Path) -> None:
    image = sterna.prepare(demo, sterna.scene(7))[np.newaxis]
    model = writer(demo, "finn").write()
    raise_threshold(model, "head", execute_qonnx(model, demo.input.name, image))
    steps = steps_of(python, tmp_path, model.SerializeToString(), image, reference.execute(demo, image)["output"])
    assert not any(step["equal"] for step in steps)


def test_a_reorg_of_the_form_qonnx_stays_unknown(python: Path, demo: Graph, tmp_path: Path) -> None:
    """Which is why there is the form finn."""
    script = (
        "import sys; from qonnx.core.modelwrapper import ModelWrapper as M; "
        "from qonnx.transformation.lower_convs_to_matmul import LowerConvsToMatMul as L; "
        "print([n.op_type for n in M(sys.argv[1]).transform(L()).graph.node])"
    )
    (tmp_path / "model.onnx").write_bytes(writer(demo, "qonnx").write().SerializeToString())
    assert "SpaceToDepth" in run(python, "-c", script, "model.onnx", folder=tmp_path)
