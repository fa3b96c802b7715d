"""A run of a classifier, from folders of images to its graph, through the door of detectors."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from sterna.errors import SternaError
from sterna.graph import file, networks
from sterna.train import TrainingStoppedError, load_options
from sterna.train.data.class_folders import open_classes
from sterna.train.evaluation import Evaluation, Wanted, write_json
from sterna.train.loop import forms, trainer
from sterna.train.loop.learner import Learner
from sterna.train.options import TrainOptions, parse
from sterna.train.report import accuracy
from support.classes import SIDE, SMALL, small_classifier, write_classes
from support.float_models import Levels, save

MAPS = "small-maps"


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """A network that scores images of 12x12."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks.networks, "_registered", {SMALL: small_classifier, MAPS: partial(small_classifier, 5)})
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("classes"))


def options(folder: Path, output: Path, **changes: object) -> TrainOptions:
    given: dict[str, object] = {"network": SMALL, "batch": 8, "density": 0.5, "threads": 1, "workers": 0}
    given |= {f"{stage}_epochs": 2 for stage in ("float", "ternary", "quantised", "integer")}
    return parse(**given | {"data": str(folder), "output": output, "mirror": 0} | changes)


def quiet(given: TrainOptions) -> dict[str, object]:
    return trainer.train(given, Console(quiet=True)).summary


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    output = tmp_path_factory.mktemp("runs") / "run"
    quiet(options(folder, output))
    return output


def test_a_classifier_learns_in_every_form(run: Path) -> None:
    graph = file.load(run / "graph.sterna-graph")
    assert graph.metadata == {"kind": "classifier", "classes": ["bright", "dark"]}
    assert (graph.input.height, graph.input.width) == (SIDE, SIDE)
    found = accuracy.of_graph(graph, ("bright", "dark")).measure(open_classes(load_options(run)).test)
    assert found.top1 > 0.9 and found.top5 == 1.0
    summary = json.loads((run / "summary.json").read_bytes())
    assert summary["accuracy"]["integer"]["top1"] == found.top1 and set(summary["accuracy"]["float"]) == {
        "top1", "top5", "classes"
    }  # fmt: skip
    assert list(summary["top1_by_stage"]) == ["float", "ternary", "quantised", "integer"]
    assert "anchors" not in summary and summary["classes"] == ["bright", "dark"]


def test_the_folder_of_a_run_is_that_of_a_detector(run: Path) -> None:
    names = {path.name for path in run.iterdir()}
    assert names >= {
        "options.json",
        "checkpoint.pt",
        "log.json",
        "float.pt",
        "integer.pt",
        "summary.html",
        "tensorboard",
    }
    log = json.loads((run / "log.json").read_bytes())
    assert [line["stage"] for line in log[::2]] == ["float", "ternary", "quantised", "integer"]
    assert log[1]["val_top1"] > 0.9 and "box" not in log[0] and "distillation" in log[2]
    page = (run / "summary.html").read_text()
    for text in ("<h2>Accuracy</h2>", "dark, top-1", "Which class images of a class are taken for", "<h3>integer</h3>"):
        assert text in page
    trained = forms.load(run / "float.pt")
    assert trained.classes == ("bright", "dark") and trained.anchors == []


def test_a_run_repeats_to_the_bit(run: Path, folder: Path, tmp_path: Path) -> None:
    quiet(options(folder, tmp_path / "again", workers=1))
    assert results(tmp_path / "again") == results(run)


def results(run: Path) -> list[bytes]:
    return [(run / name).read_bytes() for name in ("graph.sterna-graph", "log.json")]


@pytest.mark.parametrize("steps", [1, 20])
def test_a_run_that_was_stopped_ends_with_the_same_bits(
    run: Path, folder: Path, tmp_path: Path, steps: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    done, whole = 0, Learner.step

    def step(*arguments: object) -> list[float]:
        nonlocal done
        done += 1
        if done == steps:
            signal.raise_signal(signal.SIGTERM)
        return whole(*arguments)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", step)
        with pytest.raises(TrainingStoppedError, match="continue with: sterna train --resume"):
            quiet(options(folder, tmp_path / "run"))
    assert not (tmp_path / "run" / "graph.sterna-graph").exists()
    quiet(load_options(tmp_path / "run"))
    assert results(tmp_path / "run") == results(run)


def test_labels_that_are_wrong_are_not_learnt(folder: Path, tmp_path: Path) -> None:
    swapped = tmp_path / "swapped"
    for name, other in (("bright", "dark"), ("dark", "bright")):
        (swapped / "train").mkdir(parents=True, exist_ok=True)
        (swapped / "train" / name).symlink_to(folder / "train" / other)
        (swapped / "test").mkdir(exist_ok=True)
        (swapped / "test" / name).symlink_to(folder / "test" / name)
    found = quiet(options(swapped, tmp_path / "run"))["accuracy"]
    assert found["integer"]["top1"] < 0.1  # type: ignore[index]


def test_a_run_starts_from_the_float_weights_of_another(run: Path, folder: Path, tmp_path: Path) -> None:
    few = dict.fromkeys(("ternary_epochs", "quantised_epochs", "integer_epochs"), 1)
    given = {name: value for name, value in options(folder, tmp_path).model_dump(exclude_unset=True).items()
             if name not in ("network", "float_epochs", "output")}  # fmt: skip
    quiet(parse(**given | few | {"start": run, "output": tmp_path / "run", "classes": "dark,bright"}))
    started = load_options(tmp_path / "run")
    assert (started.network, started.height, started.float_epochs) == (SMALL, SIDE, 0)
    mine, theirs = (
        forms.load(each / "float.pt").network.blocks["head"].get_parameter("bias") for each in (tmp_path / "run", run)
    )
    assert torch.equal(mine, theirs.flip(0))


def test_the_size_is_that_for_which_the_network_is_made(folder: Path, tmp_path: Path) -> None:
    named = {name: networks.describe(name).side for name in ("alexnet", "googlenet", "resnet50", "resnet8")}
    assert named == {"alexnet": 224, "googlenet": 224, "resnet50": 224, "resnet8": 28}


def test_a_tie_counts_against_the_class() -> None:
    scores = np.array([[3, 1, 0, 0, 0, 0, 0], [3, 3, 0, 0, 0, 0, 0], [1, 2, 3, 4, 5, 6, 7], [0, 0, 0, 0, 0, 0, 0]])
    found = accuracy.accuracy(scores, np.array([0, 0, 2, 1]), tuple("abcdefg"))
    assert (found.top1, found.top5) == (0.25, 0.75)
    assert found.classes == {"a": 0.5, "b": 0.0, "c": 0.0}
    assert [row[:2] for row in found.confusion[:2]] == [(1, 1), (1, 0)] and found.confusion[2][6] == 1


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"height": 16}, "gives more than one score of a class .* = 16, 12; allowed: a size .* as 12x12 does"),
        ({"width": 8}, "layer 'average1': has an output that is empty"),
        ({"unlabelled": "images"}, "for detectors, and the network is a classifier; unlabelled"),
        ({"allocation": "sensitivity"}, "allocation = sensitivity; remedy: leave --allocation out"),
        ({"multi_scale": 0.5}, "leave --multi-scale out"),
        ({"anchors": "1,1"}, "leave --anchors out"),
        ({"layer_density": {"conv9": 0.5}}, "layer_density = conv9; allowed: conv2"),
        ({"data": "scenes"}, "scenes: are not images in folders of classes; data = generated scenes"),
        ({"data": "nowhere"}, "nowhere: no such data set"),
        ({"classes": "bright"}, "has no two classes; classes = bright"),
        ({"classes": "bright,red"}, "no such class; classes = red; allowed: bright, dark"),
        ({"val_split": "other"}, "no such split; split = other; allowed: train, test"),
        ({"test_share": 0.5}, "a share for test of a data set that has such a split"),
    ],
)
def test_what_does_not_suit_a_classifier_is_refused(
    folder: Path, tmp_path: Path, changes: dict[str, object], message: str
) -> None:
    with pytest.raises(SternaError, match=message):
        quiet(options(folder, tmp_path / "run", **changes))
    assert not (tmp_path / "run" / "checkpoint.pt").exists()


def test_maps_of_other_channels_are_learnt(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for split, count in (("train", 24), ("test", 8)):
        for name, level in (("bright", 200), ("dark", 50)):
            (tmp_path / split / name).mkdir(parents=True)
            for number in range(count):
                values = (level + rng.integers(-40, 40, (SIDE, SIDE, 5))).astype(np.uint8)
                np.save(tmp_path / split / name / f"{number}.npy", values)
    found = quiet(options(tmp_path, tmp_path / "run", network=MAPS))["accuracy"]
    assert found["integer"]["top1"] > 0.9  # type: ignore[index]
    assert file.load(tmp_path / "run" / "graph.sterna-graph").input.channels == 5


@pytest.mark.parametrize(("names", "order"), [(None, [0, 1]), (["dark", "bright"], [1, 0])])
def test_a_run_starts_from_an_onnx_model(
    folder: Path, tmp_path: Path, names: list[str] | None, order: list[int]
) -> None:
    torch.manual_seed(0)
    module = Levels()
    save(module, tmp_path / "a.onnx", SIDE, **({} if names is None else {"names": str(names)}))
    longer = {f"{stage}_epochs": 6 for stage in ("float", "ternary", "quantised", "integer")}
    given = options(folder, tmp_path / "run", network=str(tmp_path / "a.onnx"), **longer)
    run = trainer._Run(given, torch.device("cpu"), Console(quiet=True))
    pixels = torch.randint(0, 256, (4, 3, SIDE, SIDE))
    with torch.no_grad():
        found, expected = run.learner.network.eval()((pixels - 128) / 128).flatten(1), module(pixels / 255)
    assert float((found - expected[:, order]).abs().max()) < 1e-4
    assert float((found - expected[:, order[::-1]]).abs().max()) > 1e-2
    assert (run.options.height, run.options.width) == (SIDE, SIDE)
    if names is None:
        assert run.finish().summary["accuracy"]["integer"]["top1"] > 0.9


def test_a_detector_refuses_folders_of_classes(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SternaError, match=r"holds images in folders of classes, .*--network resnet8"):
        quiet(options(folder, tmp_path / "run", network="yolov2-nano"))


def test_a_folder_that_holds_a_run_is_refused(run: Path, folder: Path) -> None:
    with pytest.raises(SternaError, match="the folder already holds a run"):
        quiet(options(folder, run))


def test_the_forms_of_a_run_are_evaluated(run: Path, folder: Path, tmp_path: Path) -> None:
    evaluation = Evaluation.of(run)
    data = evaluation.images(Wanted(), Console(quiet=True))
    found = evaluation.measure(data)
    assert isinstance(found, accuracy.ClassComparison) and list(found.accuracy) == ["float", "ternary", "integer"]
    assert found.images == 16 and found.accuracy["integer"].top1 > 0.9
    assert np.sum(found.accuracy["integer"].confusion, 1).tolist() == [8, 8]
    evaluation.check_json(tmp_path / "found.json")
    write_json(tmp_path / "found.json", found)
    evaluation.check_json(tmp_path / "found.json")
    assert accuracy.ClassComparison.model_validate_json((tmp_path / "found.json").read_bytes()) == found
    page, figure = evaluation.write_report(tmp_path / "report", data, found)
    assert figure.name == "confusion.png" and "Confusion" not in page.read_text()
    evaluation.check_report(tmp_path / "report")
    train = evaluation.images(Wanted(split="train"), Console(quiet=True))
    assert len(train) == 48
    with pytest.raises(SternaError, match="no such split; split = rest"):
        evaluation.images(Wanted(split="rest"), Console(quiet=True))


def test_a_graph_alone_is_evaluated_on_data_that_are_named(run: Path, folder: Path) -> None:
    evaluation = Evaluation.of(run / "graph.sterna-graph")
    found = evaluation.measure(evaluation.images(Wanted(str(folder)), Console(quiet=True)))
    assert isinstance(found, accuracy.ClassComparison) and list(found.accuracy) == ["integer"]
    with pytest.raises(SternaError, match=r"no images are named.*--data"):
        evaluation.images(Wanted(), Console(quiet=True))


def test_the_graph_of_a_detector_is_no_classifier() -> None:
    import sterna

    with pytest.raises(SternaError, match="is no classifier; kind = yolov2; allowed: 'classifier' with its classes"):
        accuracy.of_graph(sterna.load("demo-nano"), ("vehicle", "person"))  # type: ignore[arg-type]
