"""A run of a Siamese network: it learns which images show the same, in every form, and its graph tells it of two."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from sterna.errors import SternaError
from sterna.graph import file, networks
from sterna.train import TrainingStoppedError, load_options
from sterna.train.data.class_folders import open_classes
from sterna.train.evaluation import Evaluation, Wanted, write_json
from sterna.train.loop import trainer
from sterna.train.loop.learner import Learner
from sterna.train.optim import contrast
from sterna.train.options import TrainOptions, parse
from sterna.train.report import distances
from sterna.train.report.distances import PairComparison
from support.classes import SIDE, SMALL, small_classifier

LEVELS = (40, 128, 210)


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """A network that takes images of 12x12."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks.networks, "_registered", {SMALL: small_classifier})
        yield


def write(folder: Path, counts: dict[str, int], levels: tuple[int, ...] = LEVELS) -> Path:
    """Images of a few levels with noise, so many of each in a split."""
    rng = np.random.default_rng(0)
    for split, count in counts.items():
        for level in levels:
            (folder / split / str(level)).mkdir(parents=True)
            for number in range(count):
                pixels = (level + rng.integers(-20, 20, (SIDE, SIDE, 3))).astype(np.uint8)
                Image.fromarray(pixels).save(folder / split / str(level) / f"{number}.png")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("classes"), {"train": 16, "val": 6, "test": 8})


def options(folder: Path, output: Path, **changes: object) -> TrainOptions:
    given: dict[str, object] = {"network": SMALL, "batch": 8, "density": 0.5, "threads": 1, "workers": 0, "features": 4}
    given |= {f"{stage}_epochs": 2 for stage in ("float", "ternary", "quantised", "integer")}
    return parse(**given | {"data": str(folder), "output": output, "mirror": 0, "exposure": 1} | changes)


def quiet(given: TrainOptions) -> dict[str, Any]:
    return trainer.train(given, Console(quiet=True)).summary


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("runs") / "run"
    quiet(options(folder, output))
    return output


def test_the_graph_tells_which_images_show_the_same(run: Path) -> None:
    graph = file.load(run / "graph.sterna-graph")
    assert graph.input.channels == 6 and graph.metadata["kind"] == "pairs"
    assert graph.metadata["classes"] == [str(level) for level in sorted(map(str, LEVELS))]
    found = distances.of_graph(graph).measure(open_classes(load_options(run)).test)
    assert found.threshold == graph.metadata["threshold"]
    assert found.accuracy > 0.9 and min(found.alike, found.others) > 0.8
    summary = json.loads((run / "summary.json").read_bytes())
    assert list(summary["accuracy"]) == ["float", "ternary", "integer"]
    assert summary["accuracy"]["integer"]["accuracy"] == found.accuracy and "histogram" not in str(summary)
    assert all(each["accuracy"] > 0.9 for each in summary["accuracy"].values())
    assert list(summary["accuracy_by_stage"]) == ["float", "ternary", "quantised", "integer"]
    shares = [each["share"] for each in summary["layers"].values() if each["share"] is not None]
    assert len(shares) == 5 and max(shares) < 0.01


def test_the_folder_of_a_run_is_that_of_a_classifier(run: Path) -> None:
    log = json.loads((run / "log.json").read_bytes())
    assert [line["stage"] for line in log[::2]] == ["float", "ternary", "quantised", "integer"]
    assert log[1]["val_pairs"] > 0.9 and log[0]["pairs"] > 0 and "classes" not in log[0] and "distillation" in log[2]
    page = (run / "summary.html").read_text()
    for text in ("<h2>Accuracy</h2>", "of two classes", "How far images are apart", "<h3>integer</h3>"):
        assert text in page


def results(run: Path) -> list[bytes]:
    return [(run / name).read_bytes() for name in ("graph.sterna-graph", "log.json")]


def test_a_run_that_was_stopped_ends_with_the_same_bits(
    run: Path, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, whole = 0, Learner.step

    def step(*arguments: object) -> list[float]:
        nonlocal done
        done += 1
        if done == 20:
            signal.raise_signal(signal.SIGTERM)
        return whole(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", step)
        with pytest.raises(TrainingStoppedError, match="continue with: sterna train --resume"):
            quiet(options(folder, tmp_path / "run"))
    quiet(load_options(tmp_path / "run"))
    assert results(tmp_path / "run") == results(run)


def test_the_forms_of_a_run_are_evaluated_on_classes_that_it_has_not_seen(run: Path, tmp_path: Path) -> None:
    evaluation = Evaluation.of(run)
    assert len(evaluation.images(Wanted(), Console(quiet=True))) == 24
    other = write(tmp_path / "other", {"test": 6, "train": 1}, (20, 90, 170, 230))
    data = evaluation.images(Wanted(str(other)), Console(quiet=True))
    assert data.classes == ("170", "20", "230", "90")
    found = evaluation.measure(data)
    assert isinstance(found, PairComparison) and found.images == 24 and found.accuracy["float"].accuracy > 0.75
    evaluation.check_json(tmp_path / "found.json")
    write_json(tmp_path / "found.json", found)
    evaluation.check_json(tmp_path / "found.json")
    assert PairComparison.model_validate_json((tmp_path / "found.json").read_bytes()) == found
    page, figure = evaluation.write_report(tmp_path / "report", data, found)
    assert figure.name == "distances.png" and "pairs told right" in page.read_text()
    alone = Evaluation.of(run / "graph.sterna-graph")
    again = alone.measure(alone.images(Wanted(str(other)), Console(quiet=True)))
    assert isinstance(again, PairComparison) and again.accuracy == {"integer": found.accuracy["integer"]}


def test_a_run_starts_from_another_and_learns_the_same(run: Path, folder: Path, tmp_path: Path) -> None:
    few = dict.fromkeys(("ternary_epochs", "quantised_epochs", "integer_epochs"), 1)
    given = parse(**few, start=run, data=str(folder), output=tmp_path / "run", batch=8, threads=1, density=0.5)
    assert quiet(given)["accuracy"]["integer"]["accuracy"] > 0.8
    started = load_options(tmp_path / "run")
    assert (started.network, started.features, started.float_epochs) == (SMALL, 4, 0)


def test_labels_that_mean_nothing_are_not_learnt(folder: Path, tmp_path: Path) -> None:
    mixed = tmp_path / "mixed"
    for split in ("train", "test"):
        files = sorted((folder / split).rglob("*.png"), key=lambda path: int(path.stem))
        for number, path in enumerate(files):
            target = mixed / split / str(number // 3 % 2) / f"{number}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.symlink_to(path)
    found = quiet(options(mixed, tmp_path / "run"))["accuracy"]
    assert found["integer"]["accuracy"] < 0.8


def test_half_of_the_pairs_are_of_one_class() -> None:
    labels = np.arange(30) % 3
    chosen = distances.some_pairs(labels, 40)
    assert chosen.alike.sum() == 20 == (~chosen.alike).sum()
    np.testing.assert_array_equal(labels[chosen.first] == labels[chosen.second], chosen.alike)
    assert (chosen.first != chosen.second).all()
    assert len({*zip(chosen.first.tolist(), chosen.second.tolist(), strict=True)}) == 40


def test_the_loss_draws_together_and_pushes_up_to_the_margin() -> None:
    apart, alike = torch.tensor([0.0, 0.5, 0.25, 1.0, 3.0]), torch.tensor([True, True, False, False, False])
    assert float(contrast.contrast(apart, alike, 1.0)) == 0.5**2 + 0.75**2
    assert float(contrast.contrast(apart[3:], alike[3:], 1.0)) == 0
    features = torch.tensor([[0.0, 0.0], [1.0, -2.0], [1.0, 1.0]])[:, :, None, None]
    assert contrast.between_all(features).tolist() == [1.5, 1.0, 1.5]
    assert contrast.are_equal(torch.tensor([3, 1, 3])).tolist() == [False, True, False]


def test_the_threshold_is_the_best_one() -> None:
    apart, alike = np.array([1, 2, 3, 4, 5]), np.array([True, True, False, True, False])
    assert distances.best_threshold(apart, alike) == 4
    assert distances.best_threshold(apart, apart < 4) == 3
    assert distances.best_threshold(np.array([2, 2, 2, 7]), np.array([True, True, False, False])) == 2
    found = distances.told(apart, alike, 2)
    assert (found.accuracy, found.alike, found.others) == (0.8, 2 / 3, 1.0)
    assert [sum(part) for part in found.histogram] == [3, 2] and found.largest == 5


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"features": 0}, "features = 0"),
        ({"margin": 0}, "margin = 0"),
        ({"accumulate": 2}, "accumulate = 2; allowed: 1; remedy: leave --accumulate out"),
        ({"batch": 1}, "a batch of one image has no pair; batch = 1"),
        ({"anchors": "1,1"}, "leave --anchors out"),
        ({"network": "yolov2-nano"}, "for classifiers, and the network is a detector; features = 4"),
    ],
)
def test_wrong_options_are_refused(folder: Path, tmp_path: Path, changes: dict[str, object], message: str) -> None:
    with pytest.raises(SternaError, match=message):
        quiet(options(folder, tmp_path / "run", **changes))


def test_images_without_pairs_of_both_kinds_are_refused(run: Path, tmp_path: Path) -> None:
    evaluation = Evaluation.of(run)
    single = write(tmp_path / "single", {"test": 1}, (20, 90))
    data = evaluation.images(Wanted(str(single)), Console(quiet=True))
    with pytest.raises(SternaError, match="holds no pairs to compare"):
        evaluation.measure(data)


def test_the_graph_of_a_detector_compares_nothing() -> None:
    import sterna

    with pytest.raises(SternaError, match="does not compare two images; kind = yolov2; allowed: 'pairs'"):
        distances.of_graph(sterna.load("demo-nano"))  # type: ignore[arg-type]
