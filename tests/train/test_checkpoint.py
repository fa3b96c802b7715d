"""Files of weights that people give: damaged, of another program, or claiming far more than they hold."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from sterna.errors import SternaError
from sterna.graph.network import Conv
from sterna.graph.networks import describe
from sterna.train import checkpoint
from sterna.train.loop import forms
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from support.bombs import GIGABYTE, Member, forged, zeros

Got = Callable[[object], None]


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("weights") / "float.pt"
    network = Network(describe("yolov2-nano"), 1, Form.FLOAT)
    forms.save(path, forms.Trained(network, "float", [[1.0, 1.0]] * 5, ("dog",), 32, 32))
    return path


@pytest.fixture
def path(saved: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(saved, tmp_path / "some.pt"))


def change(path: Path, **parts: Any) -> None:
    checkpoint.save(path, checkpoint.load(path) | parts)


def refusal(path: Path) -> str:
    with pytest.raises(SternaError) as caught:
        forms.load(path)
    return str(caught.value)


@pytest.mark.parametrize("form", list(Form))
def test_weights_of_every_form_are_read(tmp_path: Path, form: Form) -> None:
    network = Network(describe("yolov2-nano"), 2, form)
    forms.save(tmp_path / "some.pt", forms.Trained(network, "some", [[1.0, 1.0]] * 5, ("a", "b"), 32, 64))
    again = forms.load(tmp_path / "some.pt")
    assert again.network.form is form and (again.height, again.width) == (32, 64)
    assert all(map(torch.equal, again.network.state_dict().values(), network.state_dict().values()))


BOMB: dict[str, Any] = {
    "kind": "bomb",
    "expected": "refused before memory is taken for what the file only claims",
    "source": "https://www.bamsoftware.com/hacks/zipbomb/",
}


@pytest.mark.case("weights-that-are-a-bomb", **BOMB)
def test_a_packed_file_is_refused_unread(path: Path, got: Got) -> None:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
    path.write_bytes(forged([Member(name, zeros(GIGABYTE), GIGABYTE) for name in names[:1]]))
    assert "is damaged" in refusal(path)
    got(f"{path.stat().st_size >> 20} MiB that unpack to a gigabyte: damaged")


@pytest.mark.case("weights-that-are-a-bomb", **BOMB)
def test_a_description_larger_than_the_weights_is_refused_unmade(path: Path, got: Got) -> None:
    layers = checkpoint.load(path)["layers"]
    for layer in layers:
        if layer["kind"] == Conv.__name__:
            layer["filters"] = 65_535
    change(path, layers=layers)
    assert "is damaged" in refusal(path)
    got("layers of 65,535 filters, weights of a small network: damaged")


@pytest.mark.case("weights-that-are-a-bomb", **BOMB)
def test_weights_that_repeat_one_value_are_refused(path: Path, got: Got) -> None:
    weights = checkpoint.load(path)["weights"]
    change(path, weights={name: torch.zeros([], dtype=each.dtype).expand(each.shape) for name, each in weights.items()})
    assert "is damaged" in refusal(path)
    got("tensors of one stored value each: damaged")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"\0\0\0\0\2\0\0\0" + bytes(99), "is damaged"),
        (b"[net]\nwidth=416\n", "is a darknet cfg file, not a file of trained weights; remedy: .*--darknet-weights"),
        (b"version https://git-lfs.github.com/spec/v1\n", "is a git-lfs pointer"),
        (b"<!DOCTYPE html>", "is a web page"),
    ],
)
def test_files_of_other_kinds_are_named(path: Path, content: bytes, said: str) -> None:
    path.write_bytes(content)
    with pytest.raises(SternaError, match=said):
        forms.load(path)


@pytest.mark.case(
    "weights-of-another-program",
    kind="remedy",
    expected="the refusal says that sterna train did not write the file, and what it holds",
)
def test_weights_of_another_program(path: Path, got: Got) -> None:
    torch.save({"epoch": 3, "model": {}, "optimizer": {}}, path)
    said = refusal(path)
    assert "is not a file of trained weights written by sterna train; got a dict of epoch, model, optimizer" in said
    got(said.removeprefix(str(path)))


def test_another_version_and_none(path: Path, tmp_path: Path) -> None:
    change(path, format=7)
    assert "is a file of trained weights of another version; format = 7; allowed: 1" in refusal(path)
    assert "none.pt: there is no file of trained weights; remedy: name a run folder" in refusal(tmp_path / "none.pt")
