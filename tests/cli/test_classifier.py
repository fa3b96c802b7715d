"""A classifier through the commands of detectors: train, eval, compile, compare."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sterna.classifier import Classifier
from sterna.compile import compile_graph
from sterna.compile.packages import load
from sterna.errors import SternaError
from sterna.graph import networks
from sterna.package.graphs import read_graph
from sterna.spec.config import load_config
from support.classes import SIDE, SMALL, small_classifier, write_classes
from support.float_models import Levels, save

from .conftest import Ended, Sterna

SHORT = ("--float-epochs", "1", "--ternary-epochs", "1", "--quantised-epochs", "1", "--integer-epochs", "0")


@pytest.fixture(scope="module", autouse=True)
def small() -> Iterator[None]:
    """A network that scores images of 12x12."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(networks.networks, "_registered", {SMALL: small_classifier})
        yield


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_classes(tmp_path_factory.mktemp("classes"), (8, 2))


@pytest.fixture(scope="module")
def package(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of a run, both made by the command."""
    from sterna.cli.guard import guarded
    from sterna.cli.main import app

    made = tmp_path_factory.mktemp("run")
    for words in (
        ("train", "--network", SMALL, "--data", folder, "--output", made / "run", "--batch", 8, "--threads", 1, *SHORT),
        ("compile", made / "run", "-o", made / "small.sterna", "--trace"),
    ):
        assert guarded(lambda words=words: app([str(each) for each in words], standalone_mode=False)) == 0
    return made / "small.sterna"


def test_what_was_trained_is_evaluated(sterna: Sterna, package: Path, folder: Path, tmp_path: Path) -> None:
    done = sterna("eval", package.parent / "run", "--json", tmp_path / "all.json", "--report", tmp_path / "report")
    assert done.code == 0 and "Accuracy on 4 images" in done.out and "dark, top-1" in done.out
    found = json.loads((tmp_path / "all.json").read_bytes())
    assert set(found["accuracy"]) == {"float", "ternary", "integer"} and found["classes"] == ["bright", "dark"]
    assert (tmp_path / "report" / "confusion.png").is_file()
    alone = sterna("eval", package, "--data", folder, "--json", tmp_path / "one.json", "--backend", "reference:")
    assert alone.code == 0
    one = json.loads((tmp_path / "one.json").read_bytes())
    assert one["accuracy"] == {"integer": found["accuracy"]["integer"]}
    refused = sterna("eval", package)
    assert refused.code and "--data" in refused.err and "Traceback" not in refused.err


def test_a_folder_of_classes_is_checked(sterna: Sterna, folder: Path) -> None:
    done = sterna("data", folder)
    assert done.code == 0 and "bright" in done.out and "test" in done.out


def test_images_are_made_worse_for_detectors_alone(sterna: Sterna, package: Path, folder: Path) -> None:
    ended = sterna("eval", package, "--data", folder, "--corruptions")
    assert ended.code and "images are made worse for detectors alone" in ended.err and "Traceback" not in ended.err


def test_backends_agree_on_a_classifier(sterna: Sterna, package: Path, folder: Path) -> None:
    done = sterna("compare", package, folder / "test" / "dark", "--backends", "emulator,reference")
    assert done.code == 0 and "layers are equal" in done.out


def test_a_run_that_has_ended_is_resumed_without_harm(sterna: Sterna, package: Path) -> None:
    run = package.parent / "run"
    before = (run / "graph.sterna-graph").read_bytes()
    assert sterna("train", "--resume", "--output", run).code == 0
    assert (run / "graph.sterna-graph").read_bytes() == before
    refused = sterna("train", "--resume", "--output", run, "--density", "0.9")
    assert refused.code and "density" in refused.err


def test_images_are_classified(sterna: Sterna, package: Path, folder: Path, tmp_path: Path) -> None:
    done = sterna("detect", package, folder / "test" / "dark", folder / "test" / "bright", "-o", tmp_path / "found")
    assert done.code == 0 and "4 images, classified" in done.out
    listed = json.loads((tmp_path / "found" / "detections.json").read_bytes())
    assert listed["complete"] and listed["top"] == 5 and "overlap" not in listed
    for image in listed["images"]:
        scores = [each["score"] for each in image["classes"]]
        assert scores == sorted(scores, reverse=True) and abs(sum(scores) - 1) < 1e-3 and "boxes" not in image
        assert (tmp_path / "found" / image["drawn"]).is_file()
    one = sterna("detect", package, folder / "test" / "dark", "-o", "-", "--top", "1", "--backend", "reference:")
    lines = [json.loads(line) for line in one.out.splitlines()]
    assert [len(line["classes"]) for line in lines] == [1, 1]
    assert [line["classes"][0] for line in lines] == [image["classes"][0] for image in listed["images"][:2]]
    none = sterna("detect", package, folder / "test" / "dark", "-o", "-", "--threshold", "1")
    assert none.code == 0 and all(json.loads(line)["classes"] == [] for line in none.out.splitlines())


def classes_of(done: Ended) -> list[list[dict[str, object]]]:
    """The classes of each image that `sterna detect -o -` wrote."""
    assert done.code == 0, done.err
    return [json.loads(line)["classes"] for line in done.out.splitlines()]


def test_onnxruntime_classifies_alike(sterna: Sterna, package: Path, folder: Path, tmp_path: Path) -> None:
    runtime = ("--backend", "onnx:?threads=1")
    images = (folder / "test" / "dark", folder / "test" / "bright")
    found = [classes_of(sterna("detect", package, *images, "-o", "-", *more)) for more in ((), runtime)]
    assert found[0] == found[1] and len(found[0]) == 4 and found[0][0] != found[0][2]
    for name, more in (("emulator", ()), ("onnx", runtime)):
        assert sterna("eval", package, "--data", folder, "--json", tmp_path / name, *more).code == 0
    assert (tmp_path / "emulator").read_bytes() == (tmp_path / "onnx").read_bytes()


@pytest.mark.parametrize("form", ["onnx", "qonnx"])
def test_a_classifier_leaves_as_onnx_and_comes_back(
    sterna: Sterna, package: Path, folder: Path, tmp_path: Path, form: str
) -> None:
    model, graph, again = (tmp_path / name for name in ("a.onnx", "a.sterna-graph", "again.sterna"))
    for words in (
        ("export", package.parent / "run", "-o", model, "--form", form),
        ("import", model, "-o", graph),
        ("compile", graph, "-o", again),
    ):
        done = sterna(*words)
        assert done.code == 0, done.err
    assert read_graph(graph).metadata == {"kind": "classifier", "classes": ["bright", "dark"]}
    images = folder / "test" / "dark"
    both = [classes_of(sterna("detect", each, images, "-o", "-")) for each in (package, again)]
    assert both[0] == both[1] and len(both[0]) == 2


def test_training_starts_from_a_classifier_in_floats(sterna: Sterna, folder: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    save(Levels(), tmp_path / "levels.onnx", SIDE, names="['dark', 'bright']")
    train = ("train", "--network", tmp_path / "levels.onnx", "--data", folder, "--batch", 8, "--threads", 1, *SHORT)
    done = sterna(*train, "--output", tmp_path / "run")
    assert done.code == 0, done.err
    assert json.loads((tmp_path / "run" / "options.json").read_bytes())["height"] == SIDE
    assert read_graph(tmp_path / "run" / "graph.sterna-graph").metadata["classes"] == ["bright", "dark"]
    refused = sterna(*train, "--output", tmp_path / "other", "--height", 16)
    assert refused.code and "height" in refused.err and "Traceback" not in refused.err


def test_a_video_is_classified_frame_by_frame(
    sterna: Sterna, package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = bytes([10]) * (4 * 3 * 3) + bytes([240]) * (4 * 3 * 3)
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(frames)))
    done = sterna("detect", package, "-", "--raw", "4x3:rgb24", "-o", tmp_path / "found", "--write", "jsonl")
    assert done.code == 0
    lines = [json.loads(line) for line in (tmp_path / "found" / "detections.jsonl").read_text().splitlines()]
    assert [(line["frame"], len(line["classes"])) for line in lines] == [(0, 2), (1, 2)]
    (video,) = json.loads((tmp_path / "found" / "detections.json").read_bytes())["videos"]
    assert video["frames"] == 2 and "boxes" not in video


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--write", "coco"), "form of boxes"),
        (("--write", "drawn,yolo"), "form of boxes"),
        (("--tiles", "64"), "--tiles"),
        (("--overlap", "0"), "--overlap"),
        (("--track",), "--track"),
        (("--line", "0,0,1,1"), "--line"),
        (("--unusual",), "--unusual"),
    ],
)
def test_what_is_about_boxes_is_refused(
    sterna: Sterna, package: Path, folder: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    refused = sterna("detect", package, folder / "test" / "dark", "-o", tmp_path / "found", *words)
    assert refused.code and said in refused.err and "Traceback" not in refused.err
    assert not (tmp_path / "found").exists()


def test_what_is_about_classes_is_refused_for_a_detector(
    sterna: Sterna, package_path: Path, images: Path, tmp_path: Path
) -> None:
    refused = sterna("detect", package_path, images, "-o", tmp_path / "found", "--top", "3")
    assert refused.code and "--top" in refused.err and not (tmp_path / "found").exists()


def test_the_speed_of_a_classifier_is_measured(sterna: Sterna, package: Path) -> None:
    done = sterna("bench", package, "--size", "20x20", "--frames", "3", "--write", "jsonl")
    assert done.code == 0 and "classes" in done.out and "frames per second" in done.out


def test_a_classifier_in_python_gives_labels_and_scores(package: Path, folder: Path) -> None:
    made = load(package)
    path = next((folder / "test" / "dark").iterdir())
    with Classifier(made, "reference:", top=1) as classify:
        (best,) = classify(path)
        assert classify.classes == ("bright", "dark") and best.label in classify.classes
        assert classify(np.asarray(Image.open(path)))[0] == best
    with pytest.raises(SternaError, match="bad top"):
        Classifier(made, top=0)
    with pytest.raises(SternaError, match="is no classifier; kind = yolov2"):
        Classifier(compile_graph(read_graph(Path("demo-nano")), load_config("nano"), cycles=False))
