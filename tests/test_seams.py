"""A pattern, a network and a schedule that somebody adds in a few lines: trained, exported, compiled and run."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

import sterna
from sterna.errors import SternaError
from sterna.graph import Conv, reference
from sterna.train import load_options, run_folder
from sterna.train.loop import forms, trainer
from sterna.train.loop.learner import Learner
from sterna.train.model.form import Form
from sterna.train.options import parse
from sterna.vision.prepare import to_integers
from support.engines import SIMULATORS
from support.other_backends import install

PATTERN = """
import sterna

@sterna.patterns.register("two-of-four")
class TwoOfFour(sterna.TernaryWeightQuant):
    def thresholds(self, relative, density):
        fours = relative.unflatten(1, (-1, 4))
        return fours.kthvalue(2, dim=2).values.repeat_interleave(4, 1)
"""
NETWORK = """
import sterna

@sterna.networks.register("mini")
def mini():
    trunk = sterna.Trunk()
    for filters in (8, 16, 16, 16):
        trunk.conv(filters, 3)
        trunk.pool()
    trunk.conv(24, 3)
    return trunk.head()
"""
SCHEDULE = """
import sterna

@sterna.schedules.register("steps")
def steps(share, target):
    return 1.0 if share < 0.5 else target
"""
ADDED = {"pattern": PATTERN, "network": NETWORK, "schedule": SCHEDULE}
CHOSEN = {"pattern": "two-of-four", "network": "mini", "schedule": "steps"}
SMALL = {
    "height": 32, "width": 32, "train_scenes": 8, "val_scenes": 1, "test_scenes": 2, "batch": 4, "float_epochs": 1,
    "ternary_epochs": 2, "quantised_epochs": 1, "integer_epochs": 1, "density": 0.4, "threads": 1, "workers": 0,
}  # fmt: skip


@pytest.fixture(autouse=True)
def registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a test registers is gone after it."""
    for names in (sterna.patterns, sterna.networks, sterna.schedules):
        monkeypatch.setattr(names, "_registered", {})


def add(source: str) -> None:
    """Run `source` as the importing of a file does."""
    exec(compile(source, "theirs.py", "exec"), {})


def train(output: Path, **chosen: object) -> None:
    trainer.train(parse(**SMALL | chosen, output=output), Console(quiet=True))


def check_bits(folder: Path, image: np.ndarray) -> sterna.Package:
    """The trained integer form, the graph's reference and the compiled package agree on every bit of every layer."""
    graph = sterna.load(folder)
    assert isinstance(graph, sterna.Graph)
    network = forms.of_run(folder)["ternary"]
    assert isinstance(network, torch.nn.Module)
    network.form = Form.INTEGER
    record: dict[str, torch.Tensor] = {}
    with torch.no_grad():
        network((torch.from_numpy(to_integers(image[None])) / 128).float(), record)
    exact = reference.execute(graph, to_integers(image[None]))
    for name, value in record.items():
        np.testing.assert_array_equal(value.numpy(), exact[name], name)
    package = sterna.compile(graph, trace=True)
    assert sterna.compare("reference:", "sim:", package, to_integers(image[None])).equal
    return package


@pytest.mark.parametrize("option", ADDED)
def test_a_few_lines_train_and_run_on_the_engine(option: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STERNA_BUILD_DIR", str(SIMULATORS))
    assert ADDED[option].count("\n") <= 12
    add(ADDED[option])
    train(tmp_path / "run", **{option: CHOSEN[option]})
    graph = check_bits(tmp_path / "run", sterna.scene(1, 32, 32)).graph
    weights = {layer.name: layer.weights for layer in graph.layers if isinstance(layer, Conv)}
    if option == "pattern":
        fours = weights["conv4"].reshape(-1, 4)
        assert np.count_nonzero(fours, 1).max() == 2 and np.count_nonzero(fours) == fours.size / 2
    if option == "network":
        assert [len(array) for array in weights.values()] == [8, 16, 16, 16, 24, 35]
    if option == "schedule":
        log = [line for line in run_folder.read_json(tmp_path / "run" / run_folder.LOG) if line["stage"] == "ternary"]
        assert [line["density_by_layer"]["conv4"] for line in log] == pytest.approx([1.0, 0.4], abs=0.02)


def test_a_stopped_run_goes_on_and_is_evaluated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the same graph as one that was not stopped."""
    for source in ADDED.values():
        add(source)
    train(tmp_path / "whole", **CHOSEN)
    with monkeypatch.context() as patch:
        patch.setattr(Learner, "step", stopping(Learner.step, 5))
        with pytest.raises(InterruptedError):
            train(tmp_path / "run", **CHOSEN, save_every=0)
    trainer.train(load_options(tmp_path / "run").model_copy(update={"resume": True}), Console(quiet=True))
    whole, run = ((tmp_path / name / run_folder.GRAPH).read_bytes() for name in ("whole", "run"))
    assert whole == run
    assert set(sterna.evaluate(tmp_path / "run").precision) == {"float", "ternary", "integer"}


def stopping(step: Callable[..., list[float]], after: int) -> Callable[..., list[float]]:
    """`step`, which fails when it is called once more than `after` times."""
    calls: Iterator[int] = iter(range(after))

    def counted(*arguments: object) -> list[float]:
        if next(calls, None) is None:
            raise InterruptedError
        return step(*arguments)

    return counted


def test_the_command_line_finds_what_a_distribution_brings(tmp_path: Path) -> None:
    groups = {option: f"[sterna.{option}s]\n{CHOSEN[option]} = theirs:{name}\n" for option, name in THEIRS.items()}
    install(tmp_path, "theirs", "\n".join(ADDED.values()), "\n".join(groups.values()))
    words = {**SMALL, **CHOSEN, "ternary_epochs": 1, "integer_epochs": 0, "output": tmp_path / "run"}
    arguments = [word for name, value in words.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    paths = os.pathsep.join([str(tmp_path), *sys.path])
    for command in (["train", *arguments], ["eval", tmp_path / "run"]):
        done = subprocess.run(
            [sys.executable, "-m", "sterna", *command], env={**os.environ, "PYTHONPATH": paths}, capture_output=True
        )
        assert done.returncode == 0, done.stderr.decode()
    with pytest.raises(SternaError, match=r"no such \w+; .*; remedy: .* import"):
        sterna.evaluate(tmp_path / "run")


THEIRS = {"pattern": "TwoOfFour", "network": "mini", "schedule": "steps"}


@pytest.mark.parametrize("option", ADDED)
def test_an_unknown_name_is_refused(option: str, tmp_path: Path) -> None:
    said = f"no such {option}; {option} = {CHOSEN[option]}; allowed: .* import or install what brings it"
    with pytest.raises(SternaError, match=said):
        parse(**{option: CHOSEN[option]}, output=tmp_path)


@pytest.mark.parametrize("density", [0.0, -1.0, 1.5, float("nan")])
def test_a_schedule_that_gives_no_density(tmp_path: Path, density: float) -> None:
    sterna.schedules.register("wrong")(lambda share, target: density)
    with pytest.raises(SternaError, match=r"schedule 'wrong': gives no density; after 0\.000 of the stage = "):
        train(tmp_path / "run", schedule="wrong", train_scenes=4, float_epochs=1)


def test_a_network_that_is_none() -> None:
    sterna.networks.register("wrong")(list)  # type: ignore[arg-type, return-value]
    with pytest.raises(SternaError, match="network 'wrong': is no network; returned = list"):
        sterna.graph.networks.describe("wrong")


def test_a_pattern_without_thresholds_is_none() -> None:
    class Wrong(sterna.TernaryWeightQuant):
        pass

    for wrong in (Wrong, dict, "text"):
        with pytest.raises(SternaError, match=r"pattern 'wrong': is no pattern; .*TernaryWeightQuant that has"):
            sterna.patterns.register("wrong")(wrong)


def test_thresholds_of_another_shape() -> None:
    class Wrong(sterna.TernaryWeightQuant):
        def thresholds(self, relative: torch.Tensor, density: float) -> torch.Tensor:
            return relative.new_zeros(7)

    with pytest.raises(SternaError, match=r"pattern Wrong: gives .*thresholds = \[7\]; allowed: .*\[4, 18\]"):
        Wrong(4, 18).aim(torch.ones(4, 2, 3, 3), 0.5)
