from __future__ import annotations

import io
import json
import re
import shutil
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from sterna.errors import SternaError
from sterna.exporters.darknet import for_darknet, write_cfg, write_weights
from sterna.graph import Conv, file, networks
from sterna.importers import darknet
from sterna.train import TrainingStoppedError, checkpoint, load_options, options, run_folder
from sterna.train.data import open_data
from sterna.train.data.scenes import SceneSet
from sterna.train.loop import detection, forms, trainer
from sterna.train.loop.learner import Learner
from sterna.train.loop.loader import Batch
from sterna.train.model import export
from sterna.train.model.form import Form
from sterna.train.model.imported import to_network
from sterna.train.model.network import Network
from sterna.train.optim import loss
from sterna.train.options import TrainOptions
from sterna.train.report import evaluate
from sterna.vision.prepare import to_integers
from support import data_sets, float_models
from support.darknet_networks import random_weights
from support.float_models import Backbone

SMALL = {
    "height": 64,
    "width": 64,
    "train_scenes": 12,
    "val_scenes": 2,
    "test_scenes": 3,
    "batch": 4,
    "float_epochs": 2,
    "ternary_epochs": 2,
    "quantised_epochs": 1,
    "integer_epochs": 1,
    "evaluate_every": 2,
    "threads": 1,
    "workers": 0,
}


def small(output: Path, **changes: object) -> TrainOptions:
    return options.parse(**{**SMALL, "output": output, **changes})


def quiet() -> Console:
    return Console(quiet=True)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that was never stopped."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    trainer.train(small(folder), quiet())
    return folder


def test_a_run_leaves_graph_summary_and_log(whole: Path) -> None:
    graph = file.load(whole / run_folder.GRAPH)
    assert graph.metadata["classes"] == ["vehicle", "person"] and len(graph.metadata["anchors"]) == 5
    summary = json.loads((whole / run_folder.SUMMARY).read_text())
    for form in ("float", "ternary", "integer"):
        assert 0 <= summary["precision"][form]["map50"] <= 1
    assert summary["weights"] == 189_092 and summary["density"] < 0.31
    assert set(summary["map50_by_stage"]) == {"float", "ternary", "quantised", "integer"}
    assert set(summary["layers"]) >= {"conv1", "head"}
    log = json.loads((whole / run_folder.LOG).read_text())
    assert [(line["stage"], line["epoch"]) for line in log] == [
        ("float", 1),
        ("float", 2),
        ("ternary", 1),
        ("ternary", 2),
        ("quantised", 1),
        ("integer", 1),
    ]
    assert "val_map50" in log[1] and "val_map50" not in log[0]
    assert not list(whole.glob("*.partial"))


def test_the_summary_is_of_the_test_images_and_of_what_each_stage_left(whole: Path) -> None:
    """Measured again from the files: each form on the test images, and the weights of each stage in their own form."""
    summary = json.loads((whole / run_folder.SUMMARY).read_text())
    test = open_data(load_options(whole)).test
    graph = file.load(whole / run_folder.GRAPH)
    again = {"integer": evaluate.evaluate_graph(graph, test)}
    for stage in summary["map50_by_stage"]:
        kept = forms.load(whole / f"{stage}.pt")
        found = evaluate.evaluate_network(kept.network, kept.anchors, test)
        assert summary["map50_by_stage"][stage] == found.map50
        if stage == "float":
            again["float"] = found
    last = forms.load(whole / "integer.pt")
    last.network.form = Form.QUANTISED
    again["ternary"] = evaluate.evaluate_network(last.network, last.anchors, test)
    assert summary["images"] == len(test) == SMALL["test_scenes"]
    assert set(summary["precision"]) == set(again)
    for form, found in again.items():
        written = summary["precision"][form]
        for name in ("map50", "map", "voc07", "voc10"):
            assert written[name] == getattr(found, name)


def test_forms_of_a_run_are_the_weights_of_its_stages(whole: Path) -> None:
    found = forms.of_run(whole)
    wanted = {"float": "float.pt", "ternary": "integer.pt"}
    for form, name in wanted.items():
        network, kept = found[form], forms.load(whole / name).network
        assert isinstance(network, Network)
        for mine, other in zip(network.state_dict().values(), kept.state_dict().values(), strict=True):
            assert torch.equal(mine, other)
    assert [getattr(found[name], "form", None) for name in ("float", "ternary")] == [
        Form.FLOAT,
        Form.QUANTISED,
    ]
    assert file.to_bytes(found["integer"]) == (whole / run_folder.GRAPH).read_bytes()  # type: ignore[arg-type]


def test_the_weights_that_are_kept_give_the_graph(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    trainer.train(small(folder, start=whole, float_epochs=0, pattern="balanced", density=0.15), quiet())
    kept, graph = forms.load(folder / "integer.pt"), file.load(folder / run_folder.GRAPH)
    again = export.to_graph(kept.network, kept.anchors, kept.classes, kept.height, kept.width)
    assert file.to_bytes(again) == file.to_bytes(graph)


@pytest.fixture
def foreground() -> Iterator[None]:
    """Ctrl-C is heeded, as in the foreground; a process in the background may have been told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def stop_after(monkeypatch: pytest.MonkeyPatch, steps: int) -> None:
    """Press Ctrl-C while step number `steps` runs."""
    train_step = Learner.step
    count = 0

    def step(self: Learner, batch: list[Batch], rate: float) -> list[float]:
        nonlocal count
        count += 1
        if count == steps:
            signal.raise_signal(signal.SIGINT)
        return train_step(self, batch, rate)

    monkeypatch.setattr(Learner, "step", step)


@pytest.mark.usefixtures("foreground")
@pytest.mark.parametrize("steps", [2, 6, 8, 18])  # inside the float stage, at its last step, inside ternary, integer
def test_a_stopped_run_resumes_to_the_same_result(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    folder = tmp_path / "run"
    with monkeypatch.context() as patch:
        stop_after(patch, steps)
        with pytest.raises(TrainingStoppedError, match="resume"):
            trainer.train(small(folder), quiet())
    trainer.train(load_options(folder), quiet())
    assert (folder / run_folder.GRAPH).read_bytes() == (whole / run_folder.GRAPH).read_bytes()
    assert json.loads((folder / run_folder.LOG).read_text()) == json.loads((whole / run_folder.LOG).read_text())
    stopped, straight = (json.loads((path / run_folder.SUMMARY).read_text()) for path in (folder, whole))
    for figure in ("step_seconds", "waited_seconds"):
        del stopped[figure], straight[figure]
    assert stopped == straight


@pytest.mark.usefixtures("foreground")
def test_a_stopped_run_of_another_kind_resumes_as_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """K-FAC, whose state is more than moments, variable sizes, worker processes, parts of batches left out."""
    kind = {"optimiser": "kfac", "multi_scale": 0.5, "workers": 1, "ema": 0.0, "quantised_epochs": 0}
    trainer.train(small(tmp_path / "whole", **kind), quiet())
    with monkeypatch.context() as patch:
        stop_after(patch, 8)
        with pytest.raises(TrainingStoppedError):
            trainer.train(small(tmp_path / "run", **kind), quiet())
    trainer.train(load_options(tmp_path / "run"), quiet())
    graphs = [(tmp_path / name / run_folder.GRAPH).read_bytes() for name in ("whole", "run")]
    assert graphs[0] == graphs[1]


@pytest.mark.usefixtures("foreground")
def test_ctrl_c_is_given_back_after_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stop_after(monkeypatch, 1)
    with pytest.raises(TrainingStoppedError):
        trainer.train(small(tmp_path / "run"), quiet())
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_another_seed_gives_another_graph(whole: Path, tmp_path: Path) -> None:
    trainer.train(small(tmp_path / "run", seed=1, float_epochs=1, ternary_epochs=1), quiet())
    assert (tmp_path / "run" / run_folder.GRAPH).read_bytes() != (whole / run_folder.GRAPH).read_bytes()


def test_a_folder_with_a_run_is_not_overwritten(whole: Path) -> None:
    before = (whole / run_folder.CHECKPOINT).read_bytes()
    with pytest.raises(SternaError, match=r"already holds a run.*--resume"):
        trainer.train(small(whole), quiet())
    assert (whole / run_folder.CHECKPOINT).read_bytes() == before


def test_resume_with_other_options_is_refused(whole: Path) -> None:
    with pytest.raises(SternaError, match=r"density = 0\.2; allowed: 0\.28"):
        trainer.train(small(whole, resume=True, density=0.2), quiet())


def test_resume_without_a_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match="no training run in the folder"):
        trainer.train(small(tmp_path, resume=True), quiet())


def test_a_run_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SternaError, match="cannot be written"):
        trainer.train(small(tmp_path / "file" / "run"), quiet())


@pytest.mark.parametrize("content", [b"", b"no file of trained weights", b"PK\x03\x04 cut"])
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "checkpoint.pt").write_bytes(content)
    with pytest.raises(SternaError, match=r"damaged|an empty file, not a|a ZIP archive, not a"):
        checkpoint.load(tmp_path / "checkpoint.pt")


def test_a_cut_checkpoint_is_refused(whole: Path, tmp_path: Path) -> None:
    content = (whole / run_folder.CHECKPOINT).read_bytes()
    for keep in (100, len(content) // 2, len(content) - 1):
        (tmp_path / "checkpoint.pt").write_bytes(content[:keep])
        with pytest.raises(SternaError, match="damaged"):
            checkpoint.load(tmp_path / "checkpoint.pt")


@pytest.mark.parametrize("loss_of", ["learner", "layers"])
def test_a_checkpoint_with_missing_parts_is_refused(whole: Path, tmp_path: Path, loss_of: str) -> None:
    folder = tmp_path / "run"
    shutil.copytree(whole, folder)
    state = checkpoint.load(folder / run_folder.CHECKPOINT)
    state[loss_of] = {}
    checkpoint.save(folder / run_folder.CHECKPOINT, state)
    with pytest.raises(SternaError, match="damaged"):
        trainer.train(load_options(folder), quiet())


class Payload:
    """What a hostile checkpoint would hold."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (Path("touched"),)


def test_a_checkpoint_runs_no_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"format": checkpoint.FORMAT, "payload": Payload()}, tmp_path / "checkpoint.pt")
    with pytest.raises(SternaError, match="damaged"):
        checkpoint.load(tmp_path / "checkpoint.pt")
    assert not (tmp_path / "touched").exists()


def test_a_run_with_little_memory_says_what_it_computes_in_parts(tmp_path: Path) -> None:
    shown = io.StringIO()
    few = {"batch": 12, "float_epochs": 1, "ternary_epochs": 1}
    trainer.train(small(tmp_path / "run", memory=7, **few), Console(file=shown, width=500))
    for stage in ("float", "ternary", "quantised", "integer"):
        assert re.search(
            rf"{stage} stage: a step needs \S+ MiB at most, of 12 images at a time: conv1 \d", shown.getvalue()
        )
    with pytest.raises(SternaError, match="does not fit; memory = 1 MiB"):
        trainer.train(small(tmp_path / "less", memory=1, **few), quiet())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"network": "yolov9"}, r"network = yolov9; allowed: .*yolov2-nano, .*darknet's .cfg files, and ONNX models"),
        ({"density": 0}, "density = 0"),
        ({"float_epochs": 0}, "float_epochs is 0 without weights to start from"),
        ({"darknet_weights": "a.weights"}, "need their .cfg file: name it with --network"),
        ({"darknet_weights": "a.weights", "start": "run"}, "--darknet-weights and --start both name weights"),
        ({"ternary_epochs": 0, "quantised_epochs": 0}, "nothing would learn the ranges"),
        ({"batch": 6, "accumulate": 4}, "batch"),
        ({"pattern": "striped"}, "pattern = striped"),
        ({"optimiser": "kfac", "accumulate": 2}, "accumulate must be 1"),
        ({"optimiser": "kfac", "precision": "fp16"}, "precision must be fp32 or bf16"),
        ({"optimiser": "kfac", "memory": 100}, "optimiser kfac needs whole batches .* leave --memory out"),
        ({"precision": "bf16", "memory": 100}, "memory is limited in fp32 alone"),
        ({"variational": 0.1}, "noise by the curvature of K-FAC: set --optimiser kfac, or use --smoothing"),
        ({"optimiser": "kfac", "variational": 0.1, "smoothing": 0.1}, "are both noise on the weights: set one"),
        ({"batch": "many"}, "batch = many"),
        ({"colour": "red"}, "colour = red"),
        ({"onnx_pixels": "1,0"}, "onnx_pixels are two numbers, the first the smaller one"),
        ({"onnx_activation": "silu"}, "onnx_activation = silu"),
    ],
)
def test_bad_options_are_refused_by_name(tmp_path: Path, change: dict[str, object], message: str) -> None:
    with pytest.raises(SternaError, match=message):
        small(tmp_path, **change)


def test_a_height_between_cells_is_refused_before_data_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "open_data", lambda *_: pytest.fail("data were read"))
    with pytest.raises(SternaError, match="height = 100; allowed: multiples of 32; remedy: give --height"):
        trainer.train(small(tmp_path / "run", height=100), quiet())


def test_a_folder_without_data_is_refused_before_training(tmp_path: Path) -> None:
    with pytest.raises(SternaError, match="is not a data set of a known format"):
        trainer.train(small(tmp_path / "run", data=str(tmp_path)), quiet())
    assert not (tmp_path / "run" / run_folder.CHECKPOINT).exists()


def test_a_loss_that_overflows_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loss, "COORDINATE_WEIGHT", 1e39)
    with pytest.raises(SternaError, match="gradient is not a number"):
        trainer.train(small(tmp_path / "run"), quiet())


def test_a_run_can_start_from_the_float_weights_of_another(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    trainer.train(small(folder, start=whole, float_epochs=0), quiet())
    assert (folder / run_folder.GRAPH).read_bytes() != (whole / run_folder.GRAPH).read_bytes()
    mine, theirs = (forms.load(path / "float.pt") for path in (folder, whole))
    assert mine.anchors == theirs.anchors
    for name, tensor in mine.network.state_dict().items():
        assert torch.equal(tensor, theirs.network.state_dict()[name])
    log = json.loads((folder / run_folder.LOG).read_text())
    assert [line["stage"] for line in log] == ["ternary", "ternary", "quantised", "integer"]


@pytest.mark.usefixtures("foreground")
def test_a_run_resumes_without_the_run_it_started_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"ternary_epochs": 0, "integer_epochs": 0}
    first, data = tmp_path / "first", data_sets.write_yolo(tmp_path / "data")
    trainer.train(small(first, **few, data=str(data), batch=2, float_epochs=1), quiet())
    with monkeypatch.context() as patch:
        stop_after(patch, 1)
        with pytest.raises(TrainingStoppedError):
            trainer.train(small(tmp_path / "run", **few, data=str(data), batch=1, start=first, float_epochs=0), quiet())
    shutil.rmtree(first)
    trainer.train(load_options(tmp_path / "run"), quiet())
    assert (tmp_path / "run" / run_folder.GRAPH).is_file()


def test_given_float_weights_can_be_trained_further(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    trainer.train(small(folder, start=whole, float_epochs=1, ternary_epochs=0, integer_epochs=0), quiet())
    log = json.loads((folder / run_folder.LOG).read_text())
    assert [line["stage"] for line in log] == ["float", "quantised"]
    further, before = (forms.load(path / "float.pt").network.blocks["head"].weight for path in (folder, whole))
    assert not torch.equal(further, before)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"start": "nowhere"}, "no file of trained weights"),
        ({"start": ""}, "no float weights"),
        ({"start": "checkpoint.pt"}, r"checkpoint\.pt: is the checkpoint from which.*folder.*float\.pt"),
        ({"start": "ternary.pt"}, r"not those of a float network; form = ternary; allowed: float.*name the run folder"),
        ({"network": "yolov2-tiny"}, "network = yolov2-nano; allowed: yolov2-tiny; remedy: remove --network"),
    ],
)
def test_weights_that_do_not_fit_are_refused_before_data_are_read(
    whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: dict[str, object], message: str
) -> None:
    monkeypatch.setattr(detection, "open_data", lambda *_: pytest.fail("data were read"))
    if "start" in change:
        folder = whole if str(change["start"]).endswith(".pt") else tmp_path
        change["start"] = folder / str(change["start"])
    with pytest.raises(SternaError, match=message):
        trainer.train(small(tmp_path / "run", **{"start": whole, **change}), quiet())


@pytest.mark.parametrize("precision", ["bf16", "fp16"])
def test_every_stage_trains_in_16_bits(tmp_path: Path, precision: str) -> None:
    folder = tmp_path / "run"
    trainer.train(small(folder, precision=precision, float_epochs=1, ternary_epochs=1), quiet())
    log = json.loads((folder / run_folder.LOG).read_text())
    assert [line["stage"] for line in log] == ["float", "ternary", "quantised", "integer"]
    for stage in ("float", "integer"):
        weights = forms.load(folder / f"{stage}.pt").network.state_dict().values()
        assert all(tensor.isfinite().all() for tensor in weights)


def test_stages_without_epochs_are_skipped(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    changes = {
        "float_epochs": 0,
        "ternary_epochs": 0,
        "integer_epochs": 0,
        "pattern": "balanced",
        "density": 0.15,
        "ema": 0,
    }
    trainer.train(small(folder, start=whole, **changes), quiet())
    log = json.loads((folder / run_folder.LOG).read_text())
    assert [line["stage"] for line in log] == ["quantised"]
    graph = file.load(folder / run_folder.GRAPH)
    for layer in graph.layers:
        if isinstance(layer, Conv) and layer.name not in ("conv1", "head"):
            nonzeros = np.count_nonzero(layer.weights, (1, 2, 3))
            assert set(nonzeros) == {round(0.15 * layer.weights[0].size)}


def test_density_follows_the_sensitivity_of_the_layers(whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    changes = {"float_epochs": 0, "ternary_epochs": 1, "quantised_epochs": 0, "integer_epochs": 0}
    allocated = {"allocation": "sensitivity", "layer_density": "conv4=0.5", "density": 0.2}
    trainer.train(small(folder, start=whole, **allocated, **changes), quiet())
    found = json.loads((folder / run_folder.SUMMARY).read_text())["layers"].items()
    by_layer = {name: layer["density"] for name, layer in found if layer["density"] is not None}
    layers = file.load(folder / run_folder.GRAPH).layers
    sizes = {layer.name: layer.weights.size for layer in layers if isinstance(layer, Conv)}
    assert by_layer["conv4"] == pytest.approx(0.5, abs=0.001)
    free = set(by_layer) - {"conv1", "conv4", "head"}
    assert len({round(by_layer[name], 3) for name in free}) > 1
    assert sum(by_layer[name] * sizes[name] for name in free) == pytest.approx(
        0.2 * sum(sizes[name] for name in free), rel=0.01
    )


def test_parts_of_a_batch_add_up_to_it(whole: Path) -> None:
    """In the last stage, where batch normalisation has no statistics of its own in each part."""
    run = trainer._Run(load_options(whole), torch.device("cpu"), quiet())
    run.learner.network.train()
    with run._loader() as loader:
        (batch,) = loader.epoch(0, 0, 2)
    frames = [run.data.train[index] for index in range(4)]
    stride = run.network.stride
    images = torch.from_numpy(to_integers(np.stack([frame.image for frame in frames])))
    parts = [
        Batch(images[part], loss.targets(frames[part], np.asarray(run.anchors), stride))
        for part in (slice(0, 4), slice(0, 2), slice(2, 4))
    ]
    gradients = []
    for batches in (parts[:1], parts[1:]):
        run.learner.network.zero_grad()
        losses = sum(run.learner.gradients(part, 1 / len(batches)) for part in batches)
        gradients.append([losses, *(tensor.grad.clone() for tensor in run.learner.network.parameters())])
    assert batch.images.shape == images.shape
    torch.testing.assert_close(gradients[0], gradients[1], rtol=1e-4, atol=1e-4)


def test_images_without_labels_are_learnt_from(tmp_path: Path) -> None:
    images = tmp_path / "images"
    images.mkdir()
    scenes = SceneSet(5, "train", 6, 64, 64)
    for index in range(len(scenes)):
        Image.fromarray(scenes[index].image).save(images / f"{index}.png")
    options = {
        "unlabelled": images,
        "float_epochs": 1,
        "unlabelled_epochs": 2,
        "ternary_epochs": 0,
        "integer_epochs": 0,
    }
    folder = tmp_path / "run"
    trainer.train(small(folder, train_share=0.5, **options), quiet())
    log = json.loads((folder / run_folder.LOG).read_text())
    assert [line["stage"] for line in log] == ["float", "unlabelled", "unlabelled", "quantised"]
    assert {"float", "unlabelled"} <= set(json.loads((folder / run_folder.SUMMARY).read_text())["map50_by_stage"])
    first, second = (forms.load(folder / f"{stage}.pt").network for stage in ("float", "unlabelled"))
    assert not torch.equal(first.blocks["head"].weight, second.blocks["head"].weight)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A cfg file with its weights, for images of 64 x 64 and two classes."""
    cfg, anchors = tmp_path / "small.cfg", [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [1.0, 3.0], [3.0, 1.0]]
    write_cfg(for_darknet(networks.describe("yolov2-nano"), anchors, 2, 64, 64), cfg)
    write_weights(random_weights(darknet.read_cfg(cfg)), cfg.with_suffix(".weights"))
    return cfg


def test_training_starts_from_darknet_weights(own: Path, tmp_path: Path) -> None:
    weights, folder = own.with_suffix(".weights"), tmp_path / "run"
    trainer.train(small(folder, network=str(own), darknet_weights=weights, float_epochs=0), quiet())
    log = json.loads((folder / run_folder.LOG).read_text())
    assert [line["stage"] for line in log] == ["ternary", "ternary", "quantised", "integer"]
    assert file.load(folder / run_folder.GRAPH).metadata["anchors"][1] == [2.0, 2.0]
    imported = to_network(darknet.load(own, weights))
    kept = forms.load(folder / "float.pt").network
    assert torch.equal(kept.blocks["conv1"].conv.weight, imported.blocks["conv1"].conv.weight)


@pytest.mark.parametrize("headed", [True, False])
def test_training_starts_from_an_onnx_model(headed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose head, if it says its anchors, is kept; its normalisation, part of the weights, gets statistics again."""
    monkeypatch.chdir(tmp_path)
    torch.manual_seed(0)
    module = Backbone(torch.nn.ReLU if headed else torch.nn.SiLU, 5 * (5 + 2))
    stated = {"anchors": str([[1, 1], [2, 2], [3, 3], [1, 3], [3, 1]]), "names": "['vehicle', 'person']"}
    float_models.save(module, Path("a.onnx"), 64, **(stated if headed else {}))
    said = Console(file=io.StringIO(), width=300)
    trainer.train(small(Path("run"), network="a.onnx", onnx_activation="leaky", float_epochs=0 if headed else 1), said)
    stages = [line["stage"] for line in json.loads((Path("run") / run_folder.LOG).read_text())]
    assert stages == ["float"] * (not headed) + ["ternary", "ternary", "quantised", "integer"]
    assert isinstance(said.file, io.StringIO)
    assert "note: the image's bytes 0 and 255 are 0 and 1" in said.file.getvalue()
    assert ("a fresh head with 5 anchors" in said.file.getvalue()) == (not headed)
    kept = forms.load(Path("run/float.pt"))
    graph = file.load(Path("run") / run_folder.GRAPH)
    assert graph.metadata["anchors"] == [[1, 1], [2, 2], [3, 3], [1, 3], [3, 1]] if headed else kept.anchors
    norm = kept.network.blocks["conv2"].norm
    assert norm.running_mean.std() > 0 and kept.network.description.layers[0].name == "reorg1"
    if headed:
        assert torch.equal(kept.network.blocks["head"].bias, module.head.bias)


def test_onnx_models_that_are_not_whole_are_not_taught_by(tmp_path: Path) -> None:
    float_models.save(Backbone(torch.nn.SiLU, 35), tmp_path / "a.onnx", 64, anchors=str([[1, 1]] * 5))
    chosen = small(tmp_path / "run", network=str(tmp_path / "a.onnx"), float_epochs=0, onnx_activation="relu")
    with pytest.raises(SternaError, match="float_epochs = 0; allowed: 1 or more for relu in place of SiLU"):
        trainer.train(chosen, quiet())


def test_damaged_darknet_weights_are_refused_before_data_are_read(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(detection, "open_data", lambda *_: pytest.fail("data were read"))
    weights = own.with_suffix(".weights")
    weights.write_bytes(weights.read_bytes()[:30])
    with pytest.raises(SternaError, match=r"small\.weights: the weights file is too short"):
        trainer.train(small(tmp_path / "run", network=str(own), darknet_weights=weights), quiet())


BACKBONE = pytest.mark.case(
    "backbone-weights",
    kind="weights without a word",
    expected="weights of the first layers start a training; what has weights and what is fresh is said",
    source="AlexeyAB/darknet#51",
)


@BACKBONE
@pytest.mark.usefixtures("foreground")
@pytest.mark.parametrize("optimiser", ["adamw", "kfac"])
def test_training_starts_from_a_backbone(
    own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, got: Callable[[object], None], optimiser: str
) -> None:
    """With its first layers frozen, and stopped and resumed in between."""
    weights, folder, console = own.with_suffix(".weights"), tmp_path / "run", Console(file=io.StringIO(), width=300)
    whole = darknet.read_weights(weights, darknet.convert.shapes(darknet.read_cfg(own)))
    write_weights(replace(whole, convolutions=whole.convolutions[:4]), weights)
    chosen = {"network": str(own), "darknet_weights": weights, "freeze": "2", "optimiser": optimiser, "float_epochs": 1}
    with monkeypatch.context() as patch:
        stop_after(patch, 2)
        with pytest.raises(TrainingStoppedError):
            trainer.train(small(folder, **chosen, ternary_epochs=0, integer_epochs=0), console)
    trainer.train(small(folder, **chosen, ternary_epochs=0, integer_epochs=0, resume=True), quiet())
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert "conv1, conv2, conv3, conv4; fresh weights: conv5, " in told
    assert "the float network is trained first, for 1 epoch: untrained are conv5, " in told
    before = to_network(darknet.load(own, weights)).state_dict()
    after = forms.load(folder / "float.pt").network.state_dict()
    same = {key.split(".")[1] for key, value in after.items() if torch.equal(value, before[key])}
    assert {"conv1", "conv2"} <= same and not {"conv3.conv", "conv4.conv"} & same
    for name in ("conv1", "conv2"):
        for key, value in after.items():
            assert not key.startswith(f"blocks.{name}.") or torch.equal(value, before[key]), key
    assert not torch.equal(after["blocks.conv3.conv.weight"], before["blocks.conv3.conv.weight"])
    got("trained from weights of 4 layers, 2 of them frozen, after a float stage")


@pytest.mark.case(
    "start-inherits",
    kind="what a file states is dropped",
    expected="network, image size, bits and augmentation are those of the run to start from; another size is warned of",
)
def test_another_size_is_warned_of_at_the_end_as_well(
    whole: Path, tmp_path: Path, got: Callable[[object], None]
) -> None:
    console, few = Console(file=io.StringIO(), width=300), {"ternary_epochs": 0, "integer_epochs": 0}
    chosen = {name: value for name, value in SMALL.items() if name not in ("height", "width", "float_epochs")}
    run = options.parse(**{**chosen, **few, "output": tmp_path / "run", "start": whole, "width": 96})
    trainer.train(run, console)
    assert isinstance(console.file, io.StringIO)
    told = console.file.getvalue()
    assert told.count("WARNING: the weights to start from were trained with images of 64x64") == 2
    assert "WARNING" in told[told.index("evaluating and exporting") :]
    saved = load_options(tmp_path / "run")
    assert (saved.height, saved.width, saved.float_epochs) == (64, 96, 0)
    got(f"height {saved.height} as the run to start from, width {saved.width} as given, warned of at the end")


def test_a_start_that_finds_nothing_is_warned_of_at_the_end_as_well(whole: Path, tmp_path: Path) -> None:
    blind = forms.load(whole / "float.pt")
    torch.nn.init.constant_(blind.network.blocks["head"].get_parameter("bias"), -30.0)
    torch.nn.init.zeros_(blind.network.blocks["head"].get_parameter("weight"))
    forms.save(tmp_path / "blind.pt", blind)
    console, few = Console(file=io.StringIO(), width=300), {"ternary_epochs": 0, "integer_epochs": 0}
    trainer.train(small(tmp_path / "run", **few, start=tmp_path / "blind.pt", float_epochs=0), console)
    assert isinstance(console.file, io.StringIO)
    warning = "WARNING: the float network to start from detects nothing: mAP 0.000 on 3 test images"
    assert console.file.getvalue().count(warning) == 2


def test_a_start_with_a_part_of_the_classes_keeps_to_them(whole: Path, tmp_path: Path) -> None:
    data = data_sets.write_yolo(tmp_path / "data")
    few = {"ternary_epochs": 0, "integer_epochs": 0, "data": str(data), "batch": 2}
    trainer.train(small(tmp_path / "first", **few, classes="dog", float_epochs=1), quiet())
    chosen = {name: value for name, value in SMALL.items() if name != "float_epochs"}
    run = options.parse(**{**chosen, **few, "output": tmp_path / "second", "start": tmp_path / "first"})
    trainer.train(run, quiet())
    assert forms.load(tmp_path / "second" / "float.pt").classes == ("dog",)
    log = json.loads((tmp_path / "second" / run_folder.LOG).read_text())
    assert [line["stage"] for line in log] == ["quantised"]
