"""Each column and metric of docs/results is what it is called: from rows and runs whose right values are known."""

from __future__ import annotations

import gzip
import json
import socket
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PIL import Image

from results import density, exchange, fit, full_yolov2, slow_links
from results.clock import supported_mhz
from results.makers import (
    bandwidth,
    communication,
    configs,
    corruptions,
    cycle_model,
    digits,
    few_labels,
    first_layer,
    frame_arria10,
    hierarchy,
    host,
    kfac,
    memory,
    networks,
    package_size,
    siamese,
    smoothing,
    timing_calibration,
    training_speed,
    video,
    yolov2_compile,
)
from results.record import Metric, TableRow
from sterna.compile import compile_graph
from sterna.errors import SternaError
from sterna.estimate.bandwidth import MemoryPoint
from sterna.estimate.performance import performance
from sterna.graph import Conv, Graph, Input, Output, Requant, file
from sterna.package.file import to_bytes
from sterna.run import open_backend
from sterna.run.backend import Backend
from sterna.spec import load_config
from sterna.train import recipes
from sterna.train.model.form import Form
from sterna.train.optim.optimisers import Optimiser
from sterna.train.report.evaluate import Precision
from sterna.train.report.report import Comparison
from sterna.train.report.robustness import Hardship
from support.engines import count_frames, simulated
from support.packages import small_graph


def values(metrics: dict[str, Metric]) -> dict[str, object]:
    return {name: metric.value for name, metric in metrics.items()}


def run_folder(folder: Path, **precision: float) -> Path:
    """A finished run, of which only the summary is there; no two of its metrics are equal."""
    folder.mkdir()
    found = {form: {"map50": map50, "map": map50 / 3, "voc07": map50 / 2} for form, map50 in precision.items()}
    stages = {"float": 0.11, "ternary": 0.12, "quantised": 0.13, "integer": 0.14}
    summary = {"precision": found, "map50_by_stage": stages, "device": "cpu", "density": 0.123456}
    (folder / "summary.json").write_text(json.dumps(summary))
    (folder / "commit").write_text("abcdef")
    return folder


STUDY = density.Study("small", "DATA", lambda *_: None, (("balanced", 0.15),))  # type: ignore[arg-type, return-value]


def test_a_row_of_a_study_takes_each_form_from_the_run_that_trained_it(tmp_path: Path) -> None:
    folders = (
        run_folder(tmp_path / "first", float=0.81, ternary=0.21, integer=0.31),
        run_folder(tmp_path / "longer", float=0.82, ternary=0.22, integer=0.32),
        run_folder(tmp_path / "ternary", float=0.83, ternary=0.73, integer=0.74),
    )
    row = density._row(STUDY, 7, 0.15, "balanced", folders)
    assert row == {
        "data": "DATA", "seed": 7, "density": 0.15, "pattern": "balanced", "float_map50": 0.81,
        "float_longer_map50": 0.82, "ternary_map50": 0.73, "integer_map50": 0.74, "trained_on": "cpu",
        "commit": "abcdef",
    }  # fmt: skip


def study_row(
    seed: int, pattern: str, share: float, float_: float, longer: float, ternary: float, integer: float
) -> TableRow:
    return {
        "seed": seed, "pattern": pattern, "density": share, "float_map50": float_, "float_longer_map50": longer,
        "ternary_map50": ternary, "integer_map50": integer,
    }  # fmt: skip


ROWS = [
    study_row(0, "balanced", 0.1, 0.80, 0.84, 0.70, 0.72),
    study_row(0, "balanced", 0.2, 0.80, 0.84, 0.78, 0.77),
    study_row(0, "unstructured", 0.1, 0.80, 0.84, 0.79, 0.78),
    study_row(1, "balanced", 0.1, 0.90, 0.86, 0.80, 0.76),
    study_row(1, "balanced", 0.2, 0.90, 0.86, 0.85, 0.85),
    study_row(1, "unstructured", 0.1, 0.90, 0.86, 0.81, 0.82),
]


def test_metrics_of_a_study_are_means_over_the_seeds_of_one_density_and_pattern() -> None:
    assert values(density.metrics(ROWS, "images", "how")) == {
        "float_map50": 0.85,
        "float_longer_map50": 0.85,
        "integer_balanced_0.1": 0.74,
        "integer_balanced_0.2": 0.81,
        "integer_unstructured_0.1": 0.8,
        "apart": 4.0,  # the largest difference, where the integer form is the worse one
    }


def test_what_is_lost_is_against_the_float_network_that_was_trained_as_long() -> None:
    assert values(density.lost(ROWS, "balanced", 0.1)) == {"lost": 11.0, "lost_most": 12.0}
    rows = [row | {"frames_per_s_240mhz": 1000.0 + 10 * number} for number, row in enumerate(ROWS)]
    assert values(full_yolov2.metrics(rows, "how")) == {"lost_most": 12.0, "least_fps": 1000.0}


def test_the_speed_of_a_trained_graph_is_that_of_queued_frames(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = SimpleNamespace(queued_cycles=480_000, cycles=600_000)
    monkeypatch.setattr(full_yolov2, "file", SimpleNamespace(load=lambda path: path))
    monkeypatch.setattr(full_yolov2, "compile_graph", lambda graph, config: SimpleNamespace(schedule=schedule))
    row = full_yolov2.speed(run_folder(tmp_path / "run", integer=0.5))
    assert row == {
        "counted_density": 0.1235, "cycles": 480_000, "frames_per_s_240mhz": 500.0,
        "frames_per_s_supported_clock": round(supported_mhz() / 0.48, 1),
    }  # fmt: skip


def test_a_case_without_gpu_or_finished_runs_is_a_row_that_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRAINED", str(tmp_path))
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    (tmp_path / "study").mkdir()
    for name in ("float-0", "longer-0", "balanced-0.1-0"):
        run_folder(tmp_path / "study" / name, float=0.5, ternary=0.5, integer=0.5)
    study = density.Study("study", "eels", recipes.bccd, [("balanced", 0.1), ("balanced", 0.2)], on_gpu=True)
    assert study.trainable().cases == [("balanced", 0.1)]
    (row,) = density.untrained(study, ("data", "density", "integer_map50"))
    assert row == {
        "data": "eels", "seed": 0, "density": 0.2, "pattern": "balanced", "integer_map50": density.NOT_TRAINED,
    }  # fmt: skip
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    assert not density.untrained(study, ("data",))


def compared(noise: float, blur: float, attack: float) -> Comparison:
    """A detector in all forms, of which the integer one finds a tenth less, and the float one 0.8 of all images."""
    hardships = [
        Hardship(kind=kind, severity=2, amount="some", map50={"float": 0.5, "ternary": 0.4, "integer": map50})
        for kind, map50 in (("noise", noise), ("blur", blur), ("attack", attack))
    ]
    plain = {form: Precision(map50=map50, map=0, small=None, medium=None, large=None, voc07=0, voc10=0, classes={})
             for form, map50 in (("float", 0.8), ("ternary", 0.7), ("integer", 0.6))}  # fmt: skip
    return Comparison(images=9, layers={}, method="", voc_method="", precision=plain, hardships=tuple(hardships))


def test_corruptions_have_a_row_each_and_means_without_attacks() -> None:
    measured = {0.15: compared(0.3, 0.1, 0.05), 0.05: compared(0.2, 0.1, 0.02)}
    found = values(corruptions.metrics(measured))
    assert found == {
        "float_map50": 0.8, "float_corrupted": 0.5, "float_attacked": 0.5,
        "integer_0.15_map50": 0.6, "integer_0.15_corrupted": 0.2, "integer_0.15_attacked": 0.05,
        "integer_0.05_map50": 0.6, "integer_0.05_corrupted": 0.15, "integer_0.05_attacked": 0.02,
    }  # fmt: skip
    assert [row["images"] for row in corruptions.rows(measured)] == ["none", "noise 2", "blur 2", "attack 2", "mean"]
    assert corruptions.rows(measured)[1] == {
        "images": "noise 2", "amount": "some", "float": 0.5, "ternary_0.15": 0.4, "integer_0.15": 0.3,
        "ternary_0.05": 0.4, "integer_0.05": 0.2,
    }  # fmt: skip


def test_few_labels_are_means_of_their_column() -> None:
    rows = [
        {"seed": seed, "labels_10": 0.1 + seed, "labels_10_longer": 0.2 + seed, "labels_10_and_unlabelled": 0.3 + seed,
         "all_labels": 0.4 + seed}
        for seed in (0, 1, 5)
    ]  # fmt: skip
    assert list(values(few_labels.metrics(rows)).values()) == [2.1, 2.2, 2.3, 2.4]


def test_few_labels_reads_the_float_form(tmp_path: Path) -> None:
    assert few_labels._float_map50(run_folder(tmp_path / "run", float=0.61, ternary=0.62, integer=0.63)) == 0.61


def test_bytes_are_shares_of_those_of_plain_gradients() -> None:
    rows: list[TableRow] = [
        {"hook": hook, "bytes_per_step": size, "map50": map50}
        for hook, size, map50 in (("fp32", 4000, 0.5), ("fp16", 2000, 0.6), ("powersgd", 100, 0.4))
    ]
    found = values(communication.metrics(rows))
    assert found == {"fp32_share": 1.0, "fp16_share": 0.5, "powersgd_share": 0.025, "map50_least": 0.4}


def exchanged(size: int, hook: str, group: int, seconds: float, sent: float, apart: float) -> dict[str, object]:
    return {"size": size, "hook": hook, "group": group, "seconds": seconds, "sent": sent, "apart": apart}


def test_the_best_hierarchy_is_that_of_least_time_for_its_size_and_format() -> None:
    found = [
        exchanged(1024, "fp32", 1, 0.2, 4096, 0.0), exchanged(1024, "fp32", 4, 0.1, 2048, 1e-7),
        exchanged(1024, "bf16", 1, 0.15, 2048, 0.003), exchanged(1024, "bf16", 4, 0.16, 1024, 0.002),
        exchanged(2048, "fp32", 1, 0.4, 8192, 0.0), exchanged(2048, "fp32", 4, 0.5, 4096, 2e-7),
        exchanged(2048, "bf16", 1, 0.3, 4096, 0.003), exchanged(2048, "bf16", 4, 0.1, 2048, 0.002),
    ]  # fmt: skip
    rows = hierarchy.table(hierarchy.Placement(2, 4, (1, 4)), found)
    assert [row["best"] for row in rows] == [False, True, True, False, True, False, False, True]
    assert [row["time_ratio"] for row in rows] == [1, 0.5, 0.75, 0.8, 1, 1.25, 0.75, 0.25]
    assert rows[3] == {
        "machines": 2, "processes_of_each": 4, "message_KiB": 1, "between_groups": "bf16", "group": 4, "ms": 160.0,
        "time_ratio": 0.8, "sent_KiB": 1.0, "sent_ratio": 0.25, "apart": 0.002, "best": False,
    }  # fmt: skip
    fewer = [row | {"processes_of_each": 2} for row in rows]
    assert values(hierarchy.metrics([*fewer, *rows])) == {
        "fp32_time_ratio": 1.25, "fp32_sent_ratio": 0.5, "bf16_time_ratio": 0.25, "bf16_sent_ratio": 0.25,
        "apart": 2e-7,
    }  # fmt: skip


def test_bytes_that_a_device_has_sent_are_counted() -> None:
    before = exchange.sent_by("lo")
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver,
    ):
        receiver.bind(("127.0.0.1", 0))
        sender.sendto(b"x" * 5000, receiver.getsockname())
    assert exchange.sent_by("lo") >= before + 5000
    with pytest.raises(ValueError, match="no network device"):
        exchange.sent_by("none")


def test_slow_links_that_cannot_be_made_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SternaError, match=r"cannot be made.*root"), slow_links.machines(2, "1mbit"):
        pass


def limited(limit: int, peak: int, *seconds: float, **parts: int) -> SimpleNamespace:
    mib = 1 << 20
    plan = SimpleNamespace(bytes=(limit or 50) * mib, parts=parts)
    return SimpleNamespace(limit=limit * mib, plan=plan, peak=peak * mib, seconds=seconds)


def test_memory_of_a_step_is_relative_to_the_whole_batch() -> None:
    whole = limited(0, 40, 1.0, 2.0, 9.0)
    steps = [whole, limited(20, 18, 2.5, 3.0, 3.5, conv1=4, conv2=8), limited(10, 9, 4.0)]
    rows = [memory.row("float", "step", step, whole) for step in steps]
    assert rows[1] == {
        "form": "float", "step": "step", "limit_MiB": 20.0, "planned_MiB": 20.0, "peak_MiB": 18.0, "peak_ratio": 0.45,
        "time_ratio": 1.5, "images_at_a_time": "conv1 4, conv2 8",
    }  # fmt: skip
    assert values(memory.metrics(rows)) == {"kept": True, "float_peak_ratio": 0.225, "float_time_ratio": 2.0}
    too_much = memory.row("float", "step", limited(10, 11, 4.0), whole)
    assert values(memory.metrics([*rows, too_much]))["kept"] is False


def test_a_gap_is_what_training_images_have_above_test_images() -> None:
    cases = (smoothing.Case(Optimiser.ADAMW, 8, 0.1), smoothing.Case(Optimiser.KFAC, 205, 0.2, variational=0.5))
    rows = [smoothing.row(case, 12.345, 0.75, 0.5) for case in cases]
    assert rows[1] == {
        "optimiser": "kfac", "batch": 205, "rate": 0.2, "noise": "--variational 0.5", "steps": smoothing.EPOCHS,
        "training_loss": 12.35, "training_map50": 0.75, "test_map50": 0.5, "gap": 0.25,
    }  # fmt: skip
    assert rows[0]["steps"] == 25 * smoothing.EPOCHS and rows[0]["noise"] == "none"
    assert values(smoothing.metrics(rows)) == {"adamw_8_plain_gap": 0.25, "kfac_205_noisy_gap": 0.25}


def kfac_row(stage: Form, optimiser: Optimiser, steps: int, *map50: float) -> list[TableRow]:
    return [
        {"stage": stage.value, "optimiser": optimiser.value, "steps": steps, "seed": seed, "map50": each}
        for seed, each in enumerate(map50)
    ]


def test_an_optimiser_has_reached_what_its_mean_reaches() -> None:
    rows = [
        *kfac_row(Form.FLOAT, Optimiser.SGD, 10, 0.1, 0.2), *kfac_row(Form.FLOAT, Optimiser.SGD, 20, 0.6, 0.8),
        *kfac_row(Form.FLOAT, Optimiser.KFAC, 10, 0.5, 0.85), *kfac_row(Form.FLOAT, Optimiser.KFAC, 20, 0.7, 0.7),
        *kfac_row(Form.TERNARY, Optimiser.KFAC, 10, 0.9, 0.9), *kfac_row(Form.TERNARY, Optimiser.SGD, 10, 0.9, 0.9),
        *kfac_row(Form.FLOAT, Optimiser.ADAMW, 10, 0.6, 0.8), *kfac_row(Form.FLOAT, Optimiser.ADAMW, 20, 0.1, 0.1),
    ]  # fmt: skip
    steps = {each: kfac._steps(rows, Form.FLOAT, each).value for each in Optimiser}
    assert steps == {Optimiser.SGD: 20, Optimiser.KFAC: 20, Optimiser.ADAMW: 10}
    never = [*kfac_row(Form.FLOAT, Optimiser.SGD, 20, 0.8), *kfac_row(Form.FLOAT, Optimiser.KFAC, 20, 0.7)]
    assert kfac._steps(never, Form.FLOAT, Optimiser.KFAC).value == "more than 20"


def test_the_slowest_step_is_of_the_forms_that_the_goal_is_about() -> None:
    ratios = {"float": 9.0, "ternary": 1.2, "quantised": 1.31, "integer": 1.3, training_speed.TAUGHT: 8.0}
    rows: list[TableRow] = [{"form": form, "step_ratio": ratio} for form, ratio in ratios.items()]
    assert training_speed.slowest(rows, "time").value == 1.31


def test_a_row_of_the_cycle_model_compares_sums_and_shares() -> None:
    package: Any = SimpleNamespace(config=SimpleNamespace(all_pes=10))

    def step(cycles: int, lines: int, weights: int, drain: int) -> Any:
        return SimpleNamespace(cycles=cycles, wait_vectors=lines, wait_weights=weights, wait_drain=drain)

    estimated, counted = [step(60, 10, 20, 0), step(30, 10, 0, 0)], [step(50, 10, 20, 50), step(50, 10, 10, 50)]
    row = cycle_model._row("kind", "name", package, estimated, counted)
    assert row == {
        "kind": "kind", "name": "name", "estimated": 90, "counted": 100, "error": -0.1, "wait_error": 0.1,
    }  # fmt: skip


@pytest.fixture(scope="module")
def graph() -> Graph:
    """Two convolutions to maps of the image's size: an image is loaded while the second one runs."""
    rng = np.random.default_rng(0)
    layers: list[Any] = [Input("image", 3, 20, 17, 1.0, 0)]
    for name, source, shape in (("first", "image", (20, 3, 3, 3)), ("second", "first", (24, 20, 3, 3))):
        requant = Requant(np.full(shape[0], 5), np.arange(shape[0]) * 7, 5, "linear")
        weights = rng.integers(-1, 2, shape).astype(np.int8)
        layers.append(Conv(name, source, weights, 1, (1, 1, 1, 1), requant, 1.0))
    return Graph((*layers, Output("out", "second")))


@pytest.fixture(scope="module")
def job(graph: Graph) -> frame_arria10.Job:
    images = np.random.default_rng(1).integers(-128, 128, (frame_arria10.FRAMES, 3, 20, 17)).astype(np.int8)
    nano = load_config("nano")
    return frame_arria10.Job(images, compile_graph(graph, nano, trace=True), compile_graph(graph, nano))


def test_a_frame_is_counted_among_queued_ones(graph: Graph, job: frame_arria10.Job) -> None:
    with simulated(load_config("nano")) as engine, open_backend("reference:") as reference:
        alone, queued = count_frames(engine, job.package)
        row = frame_arria10.simulate(job, engine, reference)
        wrong = frame_arria10.simulate(job, engine, Other(reference))
    assert alone.cycles > queued.cycles == row["cycles"] == job.package.schedule.queued_cycles
    assert row["cycles_alone"] == alone.cycles
    nonzeros = sum(np.count_nonzero(layer.weights) for layer in graph.layers if isinstance(layer, Conv))
    additions = nonzeros * 20 * 17  # each nonzero to each pixel of the map
    lanes = job.package.config.tile_h * job.package.config.tile_w * job.package.config.pes
    assert row["additions_per_lane"] == round(additions / (lanes * job.package.config.clusters * row["cycles"]), 4)
    assert (row["equal"], row["layers_compared"]) == (True, 3) and wrong["equal"] is False


def test_a_first_layer_is_published_if_its_cycles_are_those_predicted(job: frame_arria10.Job) -> None:
    schedule = job.package.schedule
    counts = {"cycles": schedule.queued_cycles, "cycles_alone": schedule.alone_cycles}
    found = counts | {"layers_compared": 3, "equal": True}
    assert first_layer.is_as_predicted(found, job.package)
    for name in ("cycles", "cycles_alone"):
        assert not first_layer.is_as_predicted(found | {name: found[name] + 1}, job.package)
    assert values(first_layer.metrics(found)) == {
        "cycles": schedule.queued_cycles, "alone": schedule.alone_cycles, "predicted": True, "equal": True
    }  # fmt: skip
    row = first_layer.row(job.package, {"ALM_share": 0.5})
    assert row == {
        "first_layer": False, "cycles_queued": schedule.queued_cycles, "cycles_alone": schedule.alone_cycles,
        "ALM_share": 0.5,
    }  # fmt: skip


class Other:
    """A backend whose outputs of several images differ in one value from those of the one inside."""

    def __init__(self, inner: Backend) -> None:
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def infer(self, images: np.ndarray, *rest: Any, **more: Any) -> Any:
        results = self._inner.infer(images, *rest, **more)
        if len(images) > 1:
            results = {name: values.copy() for name, values in results.items()}
            for each in results.values():
                each[-1, -1, -1, -1] ^= 1
        return results


def test_frames_and_bandwidth_at_two_clocks(graph: Graph, job: frame_arria10.Job) -> None:
    found = {"cycles": 1000, "cycles_alone": 2000, "additions_per_lane": 0.5, "layers_compared": 3, "equal": True}
    case = frame_arria10.Case("mine", 0.1, "balanced", graph, job.images)
    row = frame_arria10.row(case, job, found | {"seconds_per_frame": 1.0})
    assert (row["queued_per_s_240mhz"], row["alone_per_s_240mhz"]) == (240e3, 120e3)
    assert row["queued_per_s_supported_clock"] == supported_mhz() * 1e3 == 2 * float(row["alone_per_s_supported_clock"])
    assert row["GB_per_s_240mhz"] == round(performance(job.package, 240).frame_traffic * 240e3 / 1e9, 2)


def test_a_trained_graph_is_named_by_its_file_and_measured() -> None:
    case = frame_arria10.trained_case(frame_arria10.MODELS / "demo-nano.sterna-graph")
    assert (case.weights, case.pattern) == ("demo-nano", "unstructured") and 0 < case.density < 0.3
    assert case.images.shape == (frame_arria10.FRAMES, 3, 160, 160)


def test_metrics_of_frames_are_those_of_the_case_they_name() -> None:
    cases = [("random", 0.15, "balanced"), ("mine", 0.15, "balanced"), ("random", 0.05, "balanced")]
    cases += [("random", 0.05, "unstructured"), ("random", 0.1, "balanced")]
    rows: list[TableRow] = [
        {"weights": weights, "density": share, "pattern": pattern, "queued_per_s_240mhz": 1000.0 + number,
         "queued_per_s_supported_clock": 700.0 + number, "additions_per_lane": number / 10, "equal": True,
         "seconds_per_frame": 9.0 - number}
        for number, (weights, share, pattern) in enumerate(cases)
    ]  # fmt: skip
    found = values(frame_arria10._metrics(rows))
    assert found == {
        "fps_015": 1000.0, "fps_010": 1004.0, "fps_005": 1002.0,
        "supported_fps_015": 700.0, "supported_fps_010": 704.0, "supported_fps_005": 702.0,
        "additions_015": 0.0, "clock": supported_mhz(), "equal": True, "seconds": 9.0,
    }  # fmt: skip
    rows[3]["equal"] = False
    assert values(frame_arria10._metrics(rows))["equal"] is False


def test_points_of_bandwidth_are_equal_where_they_are_counted() -> None:
    points = [MemoryPoint(bandwidth, 60, 1000 * number) for number, bandwidth in enumerate((4.0, 10.0, 14.0), 1)]
    counted = {(10.0, 60): 2000, (4.0, 400): 5}
    rows = [bandwidth.row(point, counted) for point in points]
    assert [row["counted"] for row in rows] == ["", 2000, ""]
    assert values(bandwidth.metrics(rows)) == {"fps_4": 240e3, "fps_10": 120e3, "fps_14": 80e3, "equal": True}
    rows[1]["counted"] = 2001
    assert values(bandwidth.metrics(rows))["equal"] is False


def test_frames_of_a_config_are_those_of_queued_frames(job: frame_arria10.Job) -> None:
    found, schedule = performance(job.package, 150), job.package.schedule
    assert found.cycles == schedule.queued_cycles != sum(step.cycles for step in schedule.steps)
    assert found.frames == 150e6 / found.cycles


def test_a_config_fits_if_every_share_does(monkeypatch: pytest.MonkeyPatch) -> None:
    shares = [SimpleNamespace(share=0.5), SimpleNamespace(share=0.85)]
    size = SimpleNamespace(alms=100, resources=SimpleNamespace(block_rams=7, dsps=3), shares=shares)
    monkeypatch.setattr(configs, "measure", lambda config, device: size)
    monkeypatch.setattr(configs, "compile_graph", lambda graph, config: graph)
    monkeypatch.setattr(configs, "performance", lambda cycles, mhz: SimpleNamespace(frames=mhz * 1e6 / cycles))
    graphs: Any = {"yolov2": 1_000_000, "yolov2-tiny": 500_000, "yolov2-nano": 100_000}
    row = configs._row(load_config("nano"), "de10-nano", graphs)
    mhz = 100  # the board's clock, as the engine supports a little more
    assert row == {
        "config": "nano", "FPGA": row["FPGA"], "ALM": 100, "block_RAM": 7, "DSP": 3, "fits": True, "MHz": mhz,
        "frames/s_yolov2_416": mhz / 1.0, "frames/s_yolov2-tiny_224": mhz / 0.5, "frames/s_yolov2-nano_160": mhz / 0.1,
    }  # fmt: skip
    shares[0].share = 0.86
    assert configs._row(load_config("nano"), "de10-nano", graphs)["fits"] is False


def test_a_part_of_an_engine_is_shown_by_itself_and_times_its_number() -> None:
    each = SimpleNamespace(
        lut_alms=1,
        mux_alms=20,
        adder_bits=300,
        flip_flops=4000,
        register_alms=50,
        mlabs=6,
        alms=77,
        block_rams=1,
        dsps=2,
    )
    row: Any = SimpleNamespace(
        part=SimpleNamespace(module="sterna_pe"),
        count=3,
        each=each,
        alms=231,
        all=SimpleNamespace(block_rams=3, dsps=6),
    )
    assert fit.row(row) == {
        "part": "pe", "times": 3, "LUT_ALMs": 21, "adder_bits": 300, "registers": 4000, "register_ALMs": 50,
        "MLABs": 6, "ALMs_each": 77, "ALMs": 231, "M20K": 3, "DSP": 6,
    }  # fmt: skip


def test_what_is_compiled_is_told_as_queued_cycles(monkeypatch: pytest.MonkeyPatch) -> None:
    written: dict[str, Metric] = {}
    monkeypatch.setattr(yolov2_compile, "GRAPH", "demo-nano")
    monkeypatch.setattr(yolov2_compile, "CONFIG", "nano")
    monkeypatch.setattr(yolov2_compile, "_translation", lambda: 3.21)
    monkeypatch.setattr(yolov2_compile, "write", lambda name, metrics, **_: written.update(metrics))
    yolov2_compile.main()
    package = compile_graph(file.load(yolov2_compile._path("demo-nano")), load_config("nano"))
    assert written["cycles"].value == package.schedule.queued_cycles
    assert written["tape"].value == round(len(package.tape) / 1e6, 2)
    assert written["translation"].value == 3.2


def test_a_package_is_compared_with_its_weights_and_their_entropy() -> None:
    ternary = np.array([0, 0, 1, -1] * 12, np.int8)
    assert package_size.entropy(ternary) == 1.5 * 48 / 8
    graph = small_graph()
    row = package_size.row("small", graph, "nano")
    size = len(to_bytes(compile_graph(graph, load_config("nano"))))
    weights = [layer.weights for layer in graph.layers if isinstance(layer, Conv)]
    assert row["count"] == sum(each.size for each in weights) == 192
    assert row["density"] == round(sum(map(np.count_nonzero, weights)) / 192, 2)
    bound = sum(map(package_size.entropy, weights))
    assert row["ratio"] == round(4 * 192 / size, 1) and row["package_MB"] == round(size / 1e6, 3)
    assert row["entropy_ratio"] == round(4 * 192 / bound, 1)
    assert row["over_entropy_percent"] == round(100 * (size / bound - 1), 1)


def test_a_core_is_shown_with_the_error_of_its_estimate() -> None:
    fast, slow = timing_calibration.KNOWN[0], timing_calibration.KNOWN[1]
    rows = [timing_calibration.row(fast, 1.02 * fast.mhz), timing_calibration.row(slow, 0.5 * slow.mhz)]
    assert (rows[0]["error_percent"], rows[1]["error_percent"]) == (2.0, -50.0)
    assert rows[0]["published_MHz"] == fast.mhz and str(rows[0]["published_at"]).startswith(fast.repository)
    found = values(timing_calibration.metrics(rows))
    assert (found["cores"], found["most_overestimated"], found["most_underestimated"]) == (2, 2.0, -50.0)


def test_a_core_comes_from_the_commit_that_published_its_clock(tmp_path: Path) -> None:
    folder = tmp_path / "some"
    (folder / timing_calibration.SOURCES).mkdir(parents=True)
    source = folder / timing_calibration.SOURCES / "some.v"
    author = ("-c", "user.name=a", "-c", "user.email=a@example.com")
    for text in ("first", "second"):
        source.write_text(text)
        for command in (("init", "-q"), ("add", "."), (*author, "commit", "-q", "-m", text)):
            subprocess.run(["git", "-C", folder, *command], check=True)
    log = subprocess.run(["git", "-C", folder, "log", "--format=%H"], check=True, capture_output=True, text=True)
    core = timing_calibration.Core("some", log.stdout.split()[1], "Cyclone V", 7, 100)
    ((path, content),) = timing_calibration.sources(core, tmp_path)
    assert (path.name, content) == ("some.v", b"first")
    with pytest.raises(SternaError, match="there is no clone with commit 000000000000"):
        timing_calibration.sources(core._replace(commit="0" * 40), tmp_path)


def test_a_row_of_the_video_judges_boxes_and_tracks_by_their_truth() -> None:
    """Two objects that stand still for six frames; without tiles one is lost, with tiles they change places once."""
    boxes = np.array([[10, 10, 40, 40], [100, 10, 140, 60]], np.float32)
    labels = video.Labels.of(boxes, np.array([0, 1]))
    scores = np.array([0.9, 0.8], np.float32)

    def found(*order: int) -> video.Detections:
        return video.Detections(boxes[list(order)], scores[: len(order)], np.array(order, np.int64))

    scene = [video.Measured(labels, np.array([5, 9]), (found(0), found(0, 1), found(0, 1))) for _ in range(6)]
    whole, _, fine = (video.row(index, [scene, scene], ratio) for index, ratio in enumerate((1.0, 4.0, 9.126)))
    assert (whole["tiles"], whole["images_per_frame"], whole["map50"], whole["time_ratio"]) == ("none", 1, 0.5, 1.0)
    assert (fine["tiles"], fine["images_per_frame"], fine["map50"], fine["map"]) == ("480x480", 61, 1.0, 1.0)
    assert fine["switches"] == 0 and fine["time_ratio"] == 9.13
    assert fine["idf1"] > whole["idf1"]
    speed = video.Speed(10, 2.0, dict.fromkeys(video.PARTS, 0.2))
    said = values(video.metrics([whole, fine], [scene, scene], speed))
    assert (said["map50_whole"], said["map50_tiles"], said["frames"], said["objects"]) == (0.5, 1.0, 12, 24)
    assert said["median_height"] == 40.0 and said["slower"] == 9.13 and said["share_read"] == 10.0


def test_a_track_that_changes_its_object_is_a_switch() -> None:
    boxes = np.array([[10, 10, 40, 40], [1000, 10, 1040, 60]], np.float32)
    found = video.Detections(boxes, np.array([0.9, 0.9], np.float32), np.array([0, 0]))
    numbers = [np.array(order) for order in ((5, 9), (5, 9), (5, 9), (9, 5), (9, 5))]
    scene = [video.Measured(video.Labels.of(boxes, np.array([0, 0])), each, (found,) * 3) for each in numbers]
    assert video.row(0, [scene], 1.0)["switches"] == 2


def test_a_row_of_the_host_names_what_holds_back() -> None:
    assert host.row("raw 2 0.4 0 0.5 0.1") == {
        "frame": "raw", "threads": 2, "ms": 0.4, "decode_ms": 0.0, "resize_ms": 0.5, "boxes_ms": 0.1,
        "at_1000": "nothing", "at_3000": "nothing",
    }  # fmt: skip
    found = host.row("jpeg 2 6 9.5 0.5 0.1")
    assert (found["at_1000"], found["at_3000"]) == ("decode: 10.1 threads needed", "decode: 30.3 threads needed")


def test_a_row_of_a_network_counts_a_batch_once_for_its_images(graph: Graph) -> None:
    first, second = (compile_graph(graph, load_config("arria10")) for _ in range(2))
    case = networks.Case("small", 4, (networks.Part(graph), networks.Part(graph, 4)))
    found = [{"package": first, "cycles_alone": 10, "rtl": True, "layers": 2, "equal": True}]
    found.append({"package": second, "cycles_alone": 20, "rtl": True, "layers": 3, "equal": True})
    row = networks.row(case, found)
    cycles = first.schedule.queued_cycles * 1.25
    work = sum(step.lane_work for step in first.schedule.steps) * 1.25
    assert row["cycles"] == round(cycles) and row["frames_per_s_240mhz"] == round(240e6 / cycles, 1)
    assert row["additions_per_lane"] == pytest.approx(work / (first.config.all_lanes * cycles), abs=1e-4)
    assert row["fm_words"] == 3072 and (row["alone_counted"], row["layers"], row["equal"]) == (30, 5, True)
    assert row["alone_predicted"] == 2 * first.schedule.alone_cycles
    assert row["checked_in"] == "RTL"
    found[1]["equal"] = found[0]["rtl"] = False
    row = networks.row(case, found)
    assert not row["equal"] and row["checked_in"] == "emulator" and row["alone_counted"] == "not counted"


def test_what_a_network_waits_for_is_the_most_of_its_steps(graph: Graph) -> None:
    def step(layer: str, **waits: int) -> SimpleNamespace:
        return SimpleNamespace(op="CONV", layers=(layer,), **{name: waits.get(name, 0) for name in networks.WAITS})

    name = next(layer.name for layer in graph.layers if isinstance(layer, Conv))
    config = load_config("arria10")
    steps = [step(name, wait_weights=30), step(name, wait_weights=34, wait_vectors=50)]
    schedule = SimpleNamespace(steps=steps, alone_cycles=8)
    package: Any = SimpleNamespace(graph=graph, config=config, schedule=schedule)
    assert networks.waits_for([(package, 1)]) == "weights of convolutions, 25%"
    steps += [SimpleNamespace(op="STORE", layers=(layer,), cycles=4) for layer in ("first", "second")]
    assert networks.waits_for([(package, 1)]) == "memory of maps that spill, 50%"
    steps.append(SimpleNamespace(op="LOAD", layers=("image",), cycles=5))
    assert networks.waits_for([(package, 1)]) == "memory of images and results, 112%"


def test_a_graph_that_does_not_fit_gets_a_larger_memory(monkeypatch: pytest.MonkeyPatch, graph: Graph) -> None:
    small = load_config("arria10").model_copy(update={"fm_words": 64})
    monkeypatch.setattr(networks, "load_config", lambda name: small)
    wide = Graph((Input("image", 300, 13, 13, 1.0, 0), Output("output", "image")))
    assert networks.compiled(wide, trace=False).config.fm_words == 64 + 512
    narrow = small.model_copy(update={"mul_w": 1})
    monkeypatch.setattr(networks, "load_config", lambda name: narrow)
    with pytest.raises(SternaError, match="multiplier"):
        networks.compiled(graph, trace=False)


def test_what_fits_no_engine_of_the_config_is_computed_by_the_emulator(graph: Graph) -> None:
    config = load_config("arria10").model_copy(update={"fm_words": 4096})
    packages = [compile_graph(graph, config, trace=trace) for trace in (False, True)]
    image = np.zeros((1, 3, 20, 17), np.int8)
    found = networks.simulate(packages[0], packages[1], image)
    assert found == {"cycles_alone": packages[0].schedule.alone_cycles, "rtl": False, "layers": 3, "equal": True}


def test_the_emulator_computes_all_if_no_rtl_is_wanted(monkeypatch: pytest.MonkeyPatch) -> None:
    assert networks.in_rtl(load_config("arria10")) and not networks.in_rtl(load_config("nano"))
    monkeypatch.setenv("RTL", "no")
    assert not networks.in_rtl(load_config("arria10"))


def test_metrics_of_networks_are_those_of_the_best_and_the_worst_row() -> None:
    def row(network: str, frames: float, counted: int, words: int = 3072) -> TableRow:
        return {
            "network": network, "fm_words": words, "frames_per_s_240mhz": frames, "alone_counted": counted,
            "alone_predicted": 100, "equal": True, "checked_in": "emulator" if counted > 105 else "RTL",
        }  # fmt: skip

    names = ("alexnet", "googlenet", "resnet50")
    rows = [row(name, 10.0 * number, 100 + number) for number, name in enumerate(names * 2, 1)]
    rows.append(row("alexnet", 99.0, 100, 3584))  # of no engine of the config
    found = values(networks.metrics(rows))
    assert [found[f"fps_{name}"] for name in names] == [40.0, 50.0, 60.0]
    assert "counted" not in networks.metrics([row(name, 1.0, 106) for name in names])
    assert found["counted"] == 0.05 and found["equal"] is True and found["clock"] == supported_mhz()


def test_digits_become_folders_of_three_splits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(digits, "TRAIN", 3)
    monkeypatch.setattr(digits, "VAL", 2)
    rows = np.zeros((7, 65), int)
    rows[:, 0], rows[:, 1], rows[:, 64] = 16, 3, np.arange(7)
    with gzip.open(tmp_path / "digits.csv.gz", "wt") as text:
        np.savetxt(text, rows, "%d", ",")
    digits.to_folders(tmp_path / "digits.csv.gz", tmp_path / "images")
    found = sorted((tmp_path / "images").glob("*/*/*.png"))
    splits = [path.relative_to(tmp_path / "images").parts[0] for path in found]
    assert [splits.count(name) for name in ("train", "val", "test")] == [3, 2, 2]
    assert {path.parent.name for path in found} == set("0123456")
    assert all(int(path.stem) == int(path.parent.name) for path in found)
    assert np.asarray(Image.open(found[0]))[0, :3].tolist() == [255, 48, 0]


def test_metrics_of_digits_are_means_over_the_seeds() -> None:
    rows: list[TableRow] = [
        {"float": 0.9, "float_as_long": 0.95, "integer": 0.8, "images_in_rtl": 1, "equal": True},
        {"float": 0.92, "float_as_long": 0.97, "integer": 0.9, "images_in_rtl": 1, "equal": True},
    ]
    assert values(digits.metrics(rows)) == {"float": 91.0, "float_as_long": 96.0, "integer": 85.0, "equal": True}
    rows[1]["equal"] = False
    assert digits.metrics(rows)["equal"].value is False


def test_metrics_of_pairs_are_means_over_the_seeds() -> None:
    rows: list[TableRow] = [
        {"float": share, "integer": share - 0.1, "images_in_rtl": 4, "equal": True} for share in (0.9, 0.92)
    ]
    assert values(siamese.metrics(rows)) == {"float": 91.0, "integer": 81.0, "equal": True}
    rows[1]["equal"] = False
    assert siamese.metrics(rows)["equal"].value is False


def test_the_density_of_pairs_is_that_of_ternary_layers() -> None:
    graph = small_graph()
    convs = [layer for layer in graph.layers if isinstance(layer, Conv)]
    layers = {layer.name: {"rho": None if layer is convs[0] else 1.5} for layer in convs[:2]}
    weights = convs[1].weights
    assert siamese.density_of(graph, layers) == np.count_nonzero(weights) / weights.size < 1
