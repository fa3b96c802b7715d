"""A classifier through the commands of detectors: train, eval, compile, compare."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sterna.graph import networks
from support.classes import SMALL, small_classifier, write_classes

from .conftest import Sterna

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
