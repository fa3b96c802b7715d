from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sterna.errors import SternaError
from sterna.exporters.darknet import for_darknet, write_cfg
from sterna.graph import networks
from sterna.train import options, run_folder
from sterna.train.loop import forms, inherit, unused
from sterna.train.loop.forms import Trained
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.stages import plan

ANCHORS = [[1.0, 1.0], [2.0, 2.0], [3.0, 3.0], [1.0, 3.0], [3.0, 1.0]]


@pytest.fixture
def cfg(tmp_path: Path) -> Path:
    """A cfg file for images of 96 x 64."""
    path = tmp_path / "own.cfg"
    write_cfg(for_darknet(networks.describe("yolov2-nano"), ANCHORS, 2, 64, 96), path)
    return path


@pytest.fixture
def started(tmp_path: Path) -> Path:
    """The folder of a run with images of 96 x 64, 3 bits in its first layer and no mirrored images."""
    folder = tmp_path / "earlier"
    network = Network(networks.describe("yolov2-nano").with_bits(3, 8), 2, Form.FLOAT)
    forms.save(folder / "float.pt", Trained(network, "yolov2-nano", ANCHORS, ("red", "green"), 64, 96))
    run_folder.save_options(options.parse(output=folder, height=64, width=96, mirror=0.0, first_bits=3))
    return folder


SIZE = pytest.mark.case(
    "cfg-image-size",
    kind="what a file states is dropped",
    expected="images have the size that the cfg file says, unless options say otherwise, which is said",
    source="AlexeyAB/darknet#281",
)


@SIZE
def test_size_of_the_cfg_file_is_used(cfg: Path, tmp_path: Path, got: Callable[[object], None]) -> None:
    found = inherit.settle(options.parse(output=tmp_path / "run", network=str(cfg)))
    assert (found.options.width, found.options.height) == (96, 64)
    got(f"cfg 96 x 64, training {found.options.width} x {found.options.height}")
    assert found.notes == (f"from {cfg}: --height 64 --width 96", f"{cfg}: not used: [net] batch")


@SIZE
def test_an_option_holds_and_is_said(cfg: Path, tmp_path: Path, got: Callable[[object], None]) -> None:
    found = inherit.settle(options.parse(output=tmp_path / "run", network=str(cfg), height=128))
    assert (found.options.width, found.options.height) == (96, 128)
    got(found.notes[1].replace(str(tmp_path), ""))
    assert f"{cfg} says --height 64; 128 is given and applies" in found.notes


def test_size_that_cannot_be_trained_is_refused(cfg: Path, tmp_path: Path) -> None:
    cfg.write_text(cfg.read_text().replace("width=96", "width=80"))
    with pytest.raises(SternaError, match=r"own.cfg: .*width = 80; allowed: .*32; remedy: give --width"):
        inherit.settle(options.parse(output=tmp_path / "run", network=str(cfg)))
    assert inherit.settle(options.parse(output=tmp_path / "run", network=str(cfg), width=64)).options.width == 64


def test_augmentation_and_frozen_layers_of_the_cfg_file_are_used(cfg: Path, tmp_path: Path) -> None:
    text = (
        cfg.read_text()
        .replace("[net]\n", "[net]\nflip=0\nhue=0\n")
        .replace("[maxpool]\n", "[maxpool]\nstopbackward=1\n", 1)
    )
    cfg.write_text(text)
    bare = inherit.settle(options.parse(output=tmp_path / "run", network=str(cfg), hue=0.2))
    assert (bare.options.mirror, bare.options.hue, bare.options.freeze) == (0, 0.2, ())
    assert "stopbackward (no weights to start from)" in bare.notes[-1]
    given = inherit.settle(options.parse(output=tmp_path / "run", network=str(cfg), darknet_weights=cfg))
    assert given.options.freeze == ("conv1",)


START = pytest.mark.case(
    "start-inherits",
    kind="what a file states is dropped",
    expected="network, image size, bits and augmentation are those of the run to start from; another size is warned of",
)


@START
def test_what_the_weights_were_trained_for_is_taken_over(
    started: Path, tmp_path: Path, got: Callable[[object], None]
) -> None:
    found = inherit.settle(options.parse(output=tmp_path / "run", start=started))
    kept = found.options
    assert (kept.network, kept.height, kept.width, kept.first_bits, kept.mirror) == ("yolov2-nano", 64, 96, 3, 0)
    got(found.notes[0].replace(str(tmp_path), ""))
    assert found.notes == (f"from {started}: --height 64 --width 96 --first-bits 3 --mirror 0.0",)
    assert not found.warnings


@START
def test_another_size_than_that_of_the_weights_is_warned_of(
    started: Path, tmp_path: Path, got: Callable[[object], None]
) -> None:
    found = inherit.settle(options.parse(output=tmp_path / "run", start=started / "float.pt", width=160, height=160))
    (warning,) = found.warnings
    got(warning)
    assert "trained with images of 64x96, this run has 160x160" in warning


@pytest.mark.case(
    "start-with-other-images-held-back",
    kind="one flag for two meanings",
    expected="a run that judges by images which the weights to start from may have learnt is warned of",
)
def test_other_images_held_back_than_those_of_the_start_are_warned_of(
    started: Path, tmp_path: Path, got: Callable[[object], None]
) -> None:
    data, held = tmp_path / "data", {"val_share": 0.1, "test_share": 0.2}
    run_folder.save_options(options.parse(output=started, height=64, width=96, data=str(data), **held))

    def warned(**given: object) -> tuple[str, ...]:
        return inherit.settle(options.parse(output=tmp_path / "run", start=started, **given)).warnings

    assert not warned(data=f"{data}/", **held)
    assert not warned(data=str(tmp_path / "other"), val_share=0.3)
    assert not warned(seed=1)  # generated scenes
    for given in (held | {"seed": 1}, {"val_share": 0.1, "test_split": "train"}):
        (warning,) = warned(data=str(data), **given)
        assert "--val-share 0.1 --test-share 0.2" in warning
        got(warning)


def test_what_the_start_says_comes_before_the_cfg_file(started: Path, cfg: Path, tmp_path: Path) -> None:
    cfg.write_text(cfg.read_text().replace("[net]\n", "[net]\nflip=1\n").replace("=96", "=128"))
    found = inherit.settle(options.parse(output=tmp_path / "run", start=started, network=str(cfg))).options
    assert (found.width, found.mirror) == (96, 0)


def test_a_resumed_run_keeps_its_options(started: Path) -> None:
    found = inherit.settle(options.parse(output=started, resume=True, threads=1)).options
    assert (found.height, found.mirror, found.first_bits, found.threads, found.resume) == (64, 0, 3, 1, True)


@pytest.mark.case(
    "options-without-effect",
    kind="what a person says is dropped",
    expected="an option that has no effect together with the others is named",
)
@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"unlabelled_epochs": 3}, "--unlabelled-epochs (without --unlabelled)"),
        ({"data": "folder", "val_scenes": 5}, "--val-scenes (the data are a data set)"),
        ({"classes": "a,b"}, "--classes (the data are generated scenes)"),
        ({"darknet_names": "x.names"}, "--darknet-names (without --darknet-weights)"),
        ({"onnx_activation": "relu"}, "--onnx-activation (the network is no .onnx model)"),
        ({"start": "run", "float_epochs": 0, "freeze": "conv1", "float_rate": 0.1},
         "--float-rate (the float network is not trained), --freeze (the float network is not trained)"),
        ({"gradients": "fp16"}, "--gradients (one process sends no gradients)"),
        ({"hierarchy": 4}, "--hierarchy (one process sends no gradients)"),
        ({"unlabelled": "folder", "unlabelled_epochs": 0}, "--unlabelled (without --unlabelled-epochs)"),
        ({"multi_scale": 0.1}, "--multi-scale (there is no other multiple of 32 pixels in that range)"),
        ({"network": "resnet8", "data": "folder", "margin": 2}, "--margin (without --features)"),
        ({"network": "resnet8", "data": "folder", "features": 8, "margin": 2}, None),
        ({"multi_scale": 0.3}, None),
        ({"val_scenes": 100}, None),
        ({"data": "folder", "classes": "a"}, None),
    ],
)  # fmt: skip
def test_options_without_effect_are_named(
    given: dict[str, object], named: str | None, got: Callable[[object], None]
) -> None:
    chosen = options.parse(output="run", **given)
    found = unused.unused(chosen, plan(chosen), 1)
    assert found == ([] if named is None else [f"not used: {named}"])
    got(found[0] if found else "nothing named where all options count")
