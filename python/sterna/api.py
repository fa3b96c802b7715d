"""The command line as a Python API. `import sterna` offers all functions.

Each imports what it needs when it is called, so `import sterna` is fast and only training needs PyTorch.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sterna.arguments import checked
from sterna.errors import SternaError
from sterna.graph import Graph
from sterna.graph import file as graph_file
from sterna.package import file as package_file
from sterna.package.graphs import read_graph
from sterna.package.package import Package
from sterna.spec.config import EngineConfig, load_config, make_config

if TYPE_CHECKING:
    from sterna.estimate.engine import EngineEstimate
    from sterna.estimate.explore import Point
    from sterna.generate.rtl.output import Replaced
    from sterna.run.backend import Backend
    from sterna.run.compare import Comparison
    from sterna.train.loop.trainer import TrainResult
    from sterna.train.options import TrainOptions
    from sterna.train.report.compared import Compared

#: Of a generated scene: its largest seed, as in training, and the largest height and width.
MOST_SEED, MOST_PIXELS = (1 << 31) - 1, 2048
#: Called with how much is done, of how much, and what comes next.
Progress = Callable[[int, int, str], None]


@checked
def load(path: str | Path, *, public_key: str | None = None) -> Graph | Package:
    """The integer graph or package in the file `path`, or the graph in the folder of a training run.

    `path` may also be the name of a network that comes with Sterna: `demo-nano`. With `public_key`, the text of
    minisign's file of a public key or its last line, only a package that this key has signed is loaded. Raises
    SternaError for a file that is missing, damaged, of another kind or not signed.

    >>> graph = sterna.load("demo-nano")
    >>> graph.metadata["classes"]
    ['vehicle', 'person']
    """
    from sterna.compile.packages import read_model

    return read_model(Path(path), public_key)


@checked
def save(model: Graph | Package, path: str | Path) -> None:
    """Write a graph or a package to the file `path`, atomically. Raises SternaError if it cannot be written.

    >>> package = sterna.compile("demo-nano")
    >>> sterna.save(package, "detector.sterna")
    >>> sterna.load("detector.sterna") == package
    True
    """
    if isinstance(model, Package):
        package_file.save(model, Path(path))
    else:
        graph_file.save(model, Path(path))


@checked
def compile(
    graph: Graph | Package | str | Path,
    config: EngineConfig | str = "nano",
    *,
    trace: bool = False,
    cycles: bool = True,
    progress: Progress | None = None,
) -> Package:
    """The package that runs `graph` on an engine.

    graph: also its file, a package, or the folder of a run. config: an engine config or the name of one. trace: store
    every layer, so that each can be compared. cycles: tell those of each step, which takes most of the time. Raises
    SternaError if the graph does not fit the engine.

    >>> package = sterna.compile("demo-nano", "nano")
    >>> f"{package.schedule.queued_cycles:,} cycles per frame"
    '135,820 cycles per frame'
    """
    from sterna.compile.compiler import compile_graph

    return compile_graph(_graph(graph), _config(config), trace=trace, cycles=cycles, progress=progress)


@checked
def export(
    graph: Graph | Package | str | Path,
    path: str | Path,
    form: str = "onnx",
    *,
    trace: bool = False,
    progress: Progress | None = None,
) -> None:
    """Write `graph` as an ONNX model to the file `path`, atomically; it computes the same maps, bit for bit.

    graph: also its file, a package, or the folder of a run. form: "onnx", for any runtime, "qonnx", for QONNX, or
    "finn", for FINN. trace: every layer's map is an output. Needs the extra `interop`. Raises SternaError if a package
    of it is missing, for what the form cannot hold, and if the file cannot be written.

    >>> sterna.export("demo-nano", "demo.onnx")
    """
    from sterna.exporters.onnx.files import save as write

    write(_graph(graph), Path(path), form, trace=trace, progress=progress)


@checked
def import_model(
    path: str | Path,
    *,
    pixels: tuple[float, float] | None = None,
    shape: tuple[int, ...] | None = None,
    until: tuple[str, ...] = (),
    round_results: bool = False,
    progress: Progress | None = None,
) -> Graph:
    """The ONNX or QONNX model in the file `path` as an integer graph that is exact on every image.

    pixels: the real values of the image's bytes 0 and 255, (0, 1) for torchvision's ToTensor; None: the image is what
    the model's first quantiser makes. shape: of the input, without the batch, where the model leaves it open. until:
    tensors that are taken as results, in place of the model's own. round_results: sums that are results are rounded to
    activations. Needs the extra `interop`. Raises SternaError if a package of it is missing, and by the node's name for
    what has no exact counterpart.

    >>> sterna.export("demo-nano", "demo.onnx")
    >>> sterna.import_model("demo.onnx").outputs == sterna.load("demo-nano").outputs
    True
    """
    from sterna.importers.onnx.files import Wanted, read

    return read(Path(path), Wanted(pixels, shape, until, round_results), progress).graph


@checked
def generate(
    config: EngineConfig | str,
    folder: str | Path,
    package: Package | None = None,
    image: NDArray[np.int8] | None = None,
    *,
    quartus: str | None = None,
    force: bool = False,
) -> Replaced:
    """Write the engine of `config` to `folder` as SystemVerilog, and return what was replaced.

    package: its memory images are written as well. image: int8 [C, H, W], for which a self-checking testbench is
    written too. quartus: the name of an FPGA, for which files for Quartus are written too. Raises SternaError if the
    package is for another config, the FPGA is unknown or has no part number, or the folder holds files that this
    function did not write and `force` is not set.

    >>> replaced = sterna.generate("nano", "engine")
    >>> Path("engine/sterna_top.sv").is_file()
    True
    """
    from sterna.generate.rtl.folder import generate as write
    from sterna.spec.fpga import load_fpga

    if image is not None and package is None:
        raise SternaError(
            "an image needs a package, whose graph takes it", where="generate", remedy="give the package as well"
        )
    if image is not None and image.ndim != len("CHW"):
        raise SternaError(
            "is not one image", where="generate", attribute="image", value=list(image.shape), allowed="int8 [C, H, W]",
            remedy="give one image, prepared by sterna.prepare",
        )  # fmt: skip
    chip = None if quartus is None else load_fpga(quartus)
    return write(_config(config), Path(folder), package, image, quartus=chip, force=force)


@checked
def estimate(
    config: EngineConfig | str = "nano", fpga: str = "gx1150", *, progress: Progress | None = None
) -> EngineEstimate:
    """The resources of the named FPGA that the engine of `config` needs, by open synthesis (minutes the first time).

    Raises SternaError for an unknown name, or if the tools are missing.
    """
    from sterna.estimate.engine import estimate_engine
    from sterna.spec.fpga import load_fpga

    return estimate_engine(_config(config), load_fpga(fpga), progress=progress)


@checked
def explore(
    graph: Graph | Package | str | Path,
    config: EngineConfig | str = "arria10",
    fpga: str = "gx1150",
    *,
    min_fps: float,
    progress: Progress | None = None,
) -> list[Point]:
    """The engines like `config` that run `graph` at `min_fps` frames/s or more on the named FPGA, by estimate.

    Results are cached: an interrupted search resumes. Raises SternaError for an unknown name.
    """
    from sterna.estimate.explore import search
    from sterna.spec.fpga import load_fpga
    from sterna.spec.paths import build_cache

    if not 0 < min_fps < math.inf:
        raise SternaError(
            "no such speed", where="explore", attribute="min_fps", value=min_fps, allowed="more than 0, finite",
            remedy="give the frames/s that you need",
        )  # fmt: skip
    cache, show = build_cache() / "explore", progress or (lambda *_: None)
    return search(_graph(graph), _config(config), load_fpga(fpga), min_fps, cache, show)


@checked
def scene(seed: int, height: int = 160, width: int = 160, *, hard: bool = False) -> NDArray[np.uint8]:
    """A generated street scene, RGB uint8 [height, width, 3], that was not used to train `demo-nano`.

    seed: 0 .. 2^31 - 1. height, width: 1 .. 2048 pixels. hard: at night, in rain, crowded, far away. Raises
    SternaError if a number is out of range.

    >>> sterna.scene(7).shape
    (160, 160, 3)
    """
    from sterna.train.data import SceneSet

    for name, value, least, most in (
        ("seed", seed, 0, MOST_SEED), ("height", height, 1, MOST_PIXELS), ("width", width, 1, MOST_PIXELS)
    ):  # fmt: skip
        if not least <= value <= most:
            raise SternaError(
                "a scene cannot be drawn", where="scene", attribute=name, value=value, allowed=f"{least} .. {most}",
                remedy="choose a number in that range",
            )  # fmt: skip
    return SceneSet(seed, "test", 1, height, width, hard)[0].image


@checked
def compare(first: Backend | str, second: Backend | str, package: Package, images: NDArray[np.int8]) -> Comparison:
    """Run `images` int8 [N, C, H, W], made by `sterna.prepare`, on two backends and compare every stored layer.

    Raises SternaError if a backend refuses the package or the images.

    >>> package = sterna.compile("demo-nano", trace=True)
    >>> image = sterna.prepare(package.graph, sterna.scene(7))
    >>> sterna.compare("reference:", "sim:", package, image[None]).equal
    True
    """
    from contextlib import ExitStack

    from sterna.run.compare import compare_backends
    from sterna.run.registry import open_backend

    with ExitStack() as stack:
        both = [stack.enter_context(open_backend(each)) if isinstance(each, str) else each for each in (first, second)]
        return compare_backends(both[0], both[1], package, images)


@checked
def train(options: TrainOptions | None = None, **values: object) -> TrainResult:
    """Train a detector or classifier with `options` or with named options: `train(data="FOLDER", output="runs/mine")`.

    Raises SternaError for wrong options or data, and `TrainingStoppedError` if it was interrupted: the same call with
    `resume=True` continues.

    >>> short = {f"{stage}_epochs": 1 for stage in ("float", "ternary", "quantised", "integer")}
    >>> few = {"train_scenes": 4, "val_scenes": 1, "test_scenes": 1, "batch": 4, "height": 32, "width": 32}
    >>> trained = sterna.train(output="runs/mine", density=0.2, threads=1, **short, **few)
    yolov2-nano on scenes: 4 training images, vehicle, person; run folder runs/mine
    ...
    >>> trained.graph
    PosixPath('runs/mine/graph.sterna-graph')
    """
    from sterna.train.loop.trainer import train as run
    from sterna.train.options import parse

    if options is not None and values:
        raise SternaError(
            "options are given in two ways", where="train", attribute="options", value=", ".join(values),
            remedy="give either TrainOptions or named options",
        )  # fmt: skip
    return run(options or parse(**values))


@checked
def evaluate(
    target: Graph | Package | str | Path,
    data: str | None = None,
    *,
    split: str | None = None,
    scenes: int | None = None,
    seed: int | None = None,
    **read: object,
) -> Compared:
    """How good a graph is on labelled images: `sterna.train.report.report.Comparison` with the average precision of a
    detector, by the rules of COCO and of Pascal VOC, or `sterna.train.report.accuracy.ClassComparison` of a classifier.

    target: an integer graph, its file, a package, or the folder of a run, in which case all forms are measured.
    data, split, scenes, seed: what to measure on; None: as the run was trained. read: the fields of
    `sterna.train.data.ReadOptions`. Raises SternaError if the graph is neither, and for wrong data.

    >>> found = sterna.evaluate("demo-nano", "scenes", scenes=4)
    >>> found.precision["integer"].map50 > 0.8
    True
    """
    from rich.console import Console

    from sterna.train.evaluation import Evaluation, Wanted
    from sterna.train.report.layers import INTEGER

    wanted = Wanted(data, split, scenes, seed, read)
    if isinstance(target, str | Path):
        evaluation = Evaluation.of(Path(target))
    else:
        evaluation = Evaluation(Path(), None, {INTEGER: _graph(target)})
    return evaluation.measure(evaluation.images(wanted, Console(quiet=True)))


def _graph(model: Graph | Package | str | Path) -> Graph:
    if isinstance(model, Package):
        return model.graph
    return model if isinstance(model, Graph) else read_graph(Path(model))


def _config(config: EngineConfig | str) -> EngineConfig:
    if isinstance(config, str):
        return load_config(config)
    # A config that model_copy changed has not been checked.
    return make_config(config.name, {name: value for name, value in vars(config).items() if name != "name"}, "config")
