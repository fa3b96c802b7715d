"""`make demo`: the kept model, from images to boxes through the simulated engine, every layer checked."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic
from typing import Annotated

import numpy as np
import typer
from numpy.typing import NDArray

from sterna.cli.backends import announce
from sterna.cli.guard import FAILED, guarded
from sterna.cli.progress import bar
from sterna.cli.tables import print_wide
from sterna.compile import compile_graph
from sterna.files import check_folder
from sterna.generate.rtl import generate
from sterna.generate.rtl.sim import SimBackend
from sterna.graph import file as graph_file
from sterna.package import file as package_file
from sterna.package.counters import Counters
from sterna.package.package import Package
from sterna.report.costs import cost_table, density, layer_costs
from sterna.report.demo import HTML_NAME, JSON_NAME, SHEET_NAME, Precision, Report, Scene, write_report
from sterna.run import Backend, open_backend
from sterna.run.backend import Results
from sterna.run.compare import Comparison, compare_results
from sterna.spec.config import load_config
from sterna.spec.paths import ROOT
from sterna.train import evaluate_graph
from sterna.train.data.scenes import SceneSet
from sterna.train.report.evaluate import METHOD
from sterna.vision import drawing
from sterna.vision.decoder import Decoder
from sterna.vision.defaults import OVERLAP, SHOWN
from sterna.vision.forms.lines import as_json
from sterna.vision.prepare import prepare

MODEL = ROOT / "models" / "demo-nano.sterna-graph"
#: Scenes not used in training, and how many of them are simulated.
SEED, SPLIT, SIMULATED = 0, "test", 4
SHEET_COLUMNS = 2

Images = list[NDArray[np.uint8]]
app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@dataclass(frozen=True)
class Run:
    """What the engine computed, the counters of the last image, a frame alone, and whether the results are right."""

    results: Results
    counters: Counters
    comparison: Comparison


class Stages:
    """Prints what is being done, and records how long each stage takes."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def __call__(self, name: str) -> Iterator[None]:
        """Run a stage of this name."""
        print(f"{name} ...", flush=True)
        start = monotonic()
        yield
        self.seconds[name] = round(monotonic() - start, 1)


@app.command()
def demo(
    model: Annotated[Path, typer.Option(help="Integer graph of a detector.")] = MODEL,
    output: Annotated[Path, typer.Option(help="Folder to write.")] = ROOT / "build" / "demo",
    config: Annotated[str, typer.Option(help="Named engine config.")] = "nano",
    judged: Annotated[int, typer.Option(min=1, help="Scenes to measure the reference on.")] = 200,
) -> None:
    """Compile the model, simulate its engine on unseen scenes, check every layer, draw the boxes."""
    graph, stage = graph_file.load(model), Stages()
    decoder = Decoder.of(graph)
    engine = load_config(config)
    check_folder(output)
    with stage("Compile the graph to a tape"):
        package = compile_graph(graph, engine, trace=True)
        package_file.save(package, output / "demo.sterna")
    scenes = SceneSet(SEED, SPLIT, judged, graph.input.height, graph.input.width)
    images = [scenes[index].image for index in range(SIMULATED)]
    run = _run(package, np.stack([prepare(graph, image) for image in images]), output / "rtl", stage)
    with stage(f"Measure the precision of the integer reference on {judged} unseen scenes"):
        found = evaluate_graph(graph, scenes)
    report = Report(
        model=model.name,
        config=engine.name,
        seed=SEED,
        scenes=_draw(images, run.results[decoder.output], decoder, output),
        layers=layer_costs(package, run.counters.steps, run.comparison.equal_layers),
        layers_compared=len(run.comparison.layers),
        layers_equal=run.comparison.equal,
        difference=None if run.comparison.equal else str(run.comparison.first),
        cycles=run.counters.cycles,
        density=density(graph) or 0.0,
        precision=Precision(
            scenes=judged,
            map50=found.map50,
            per_class={name: found.classes[name].ap50 for name in found.classes},
            method=METHOD,
        ),
        seconds=stage.seconds,
    )
    write_report(report, output)
    raise typer.Exit(_conclude(report, output))


def _run(package: Package, images: NDArray[np.int8], folder: Path, stage: Stages) -> Run:
    """The reference and the engine, which is written to `folder`, on the same images int8 [N, 3, H, W]."""
    with stage("Compute every layer with the integer reference"), open_backend("reference:") as reference:
        reference.load(package)
        expected = reference.infer(images)
    with SimBackend(folder, announce=announce) as engine:
        with stage("Generate the engine and build its simulation"):
            generate(package.config, folder)
            engine.load(package)
        with stage(f"Simulate the engine on {len(images)} scenes, every layer stored"):
            results = _infer(engine, images, len(package.schedule.steps))
            counters = engine.counters()
    assert counters is not None, "an engine that has run an image has counters"
    return Run(results, counters, compare_results(expected, results, (layer.name for layer in package.graph.layers)))


def _infer(engine: Backend, images: NDArray[np.int8], steps: int) -> Results:
    """Queued frames, then the last one alone, as the compiler estimates the steps that its counters are of."""
    with bar("simulate") as show:

        def infer(first: int, end: int) -> Results:
            def progress(image: int, done: int) -> None:
                show((first + image) * steps + done, len(images) * steps, f"scene {first + image}")

            return engine.infer(images[first:end], progress)

        last = len(images) - 1
        queued, alone = infer(0, last), infer(last, len(images))
    return {name: np.concatenate([queued[name], alone[name]]) for name in queued}


def _draw(images: Images, heads: NDArray[np.int8], decoder: Decoder, output: Path) -> list[Scene]:
    """The images with the engine's boxes, one by one and together on a sheet."""
    drawn, scenes = [], []
    for number, (image, head) in enumerate(zip(images, heads, strict=True)):
        found = decoder.boxes(head, image, threshold=SHOWN, overlap=OVERLAP)
        drawn.append(drawing.boxes(image, found, decoder.classes))
        name = f"scene_{number}.png"
        drawing.save(drawn[-1], output / name)
        scenes.append(Scene(scene=number, drawn=name, boxes=as_json(found, decoder.classes)))
    drawing.save(drawing.sheet(drawn, SHEET_COLUMNS), output / SHEET_NAME)
    return scenes


def _conclude(report: Report, output: Path) -> int:
    """Print the report and return the exit code."""
    print_wide(cost_table(report.layers))
    precision = report.precision
    print(f"mAP at IoU 0.5 on {precision.scenes} unseen scenes: {precision.map50:.3f}; density {report.density:.3f}")
    print(f"Images with boxes: {output / SHEET_NAME} and {output}/scene_*.png")
    print(f"Report: {output / HTML_NAME} and {output / JSON_NAME}")
    if not report.layers_equal:
        print(f"error: the engine differs from the reference: {report.difference}", file=sys.stderr)
        return FAILED
    print(f"All {report.layers_compared} stored layers equal the reference on {len(report.scenes)} scenes.")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(lambda: app(standalone_mode=False)))
