"""Every form is measured on the images that it is said to be measured on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest

from sterna.train.data import Frame
from sterna.train.data.corruptions import Corrupted, Corruption
from sterna.train.model.form import Form
from sterna.train.report import evaluate, report, robustness
from sterna.train.report.attack import Attack
from sterna.train.report.compared import Progress
from sterna.train.report.evaluate import Evaluator
from sterna.train.report.robustness import ATTACK, LEVELS, Hardship
from sterna.vision.boxes import Detections
from support.small_detector import ANCHORS, small_graph, small_network, small_scenes

SCENES = small_scenes(2)
FORMS = {"float": small_network(SCENES, Form.FLOAT), "ternary": small_network(SCENES)}


@dataclass(frozen=True)
class Seeing(Evaluator):
    """An evaluator that keeps what it sees."""

    seen: list[np.ndarray] = field(default_factory=list)

    def find(self, frames: Sequence[Frame], threshold: float = evaluate.THRESHOLD) -> list[Detections]:
        self.seen.append(np.stack([frame.image for frame in frames]))
        return super().find(frames, threshold)


def seeing(network: str) -> Seeing:
    return Seeing(evaluate.of_network(FORMS[network], ANCHORS).heads, ANCHORS, 1.0)


@pytest.fixture(scope="module")
def evaluators() -> dict[str, Seeing]:
    return {"float": seeing("float"), "ternary": seeing("ternary"), "integer": seeing("ternary")}


@pytest.fixture(scope="module")
def found(evaluators: dict[str, Seeing]) -> tuple[Hardship, ...]:
    parts: list[str] = []

    def note(done: int, total: int, part: str) -> None:
        assert (done, total) == (2, 2)
        parts.append(part)

    progress: Progress = note
    hardships = robustness.measure(evaluators, FORMS, ANCHORS, SCENES, progress=progress)
    assert parts[:2] == ["noise 1 float", "noise 1 ternary"] and parts[-1] == f"attack {len(LEVELS)}"
    return hardships


def test_every_corruption_and_attack_is_measured(found: tuple[Hardship, ...]) -> None:
    wanted = [(kind.value, severity) for kind in Corruption for severity in range(1, 6)]
    assert [(each.kind, each.severity) for each in found] == [*wanted, *((ATTACK, 1 + n) for n in range(len(LEVELS)))]
    assert all(list(each.map50) == ["float", "ternary", "integer"] for each in found)


def test_a_form_sees_the_corrupted_images(found: tuple[Hardship, ...], evaluators: dict[str, Seeing]) -> None:
    worse = Corrupted(SCENES, Corruption.JPEG, 4)
    number = next(n for n, each in enumerate(found) if (each.kind, each.severity) == ("jpeg", 4))
    wanted = np.stack([worse[index].image for index in range(2)])
    assert (evaluators["integer"].seen[number] == wanted).all()
    assert found[number].map50["float"] == evaluate.of_network(FORMS["float"], ANCHORS).measure(worse).map50


def test_a_network_meets_its_own_attack_and_the_graph_that_on_the_ternary_one(
    found: tuple[Hardship, ...], evaluators: dict[str, Seeing]
) -> None:
    frames = [SCENES[index] for index in range(2)]
    for form, network in FORMS.items():
        wanted = np.stack([frame.image for frame in Attack(network, ANCHORS, LEVELS[-1])(frames)])
        assert (evaluators[form].seen[len(found) - 1] == wanted).all()
    last = {form: each.seen[len(found) - 1] for form, each in evaluators.items()}
    assert (last["integer"] == last["ternary"]).all() and (last["float"] != last["ternary"]).any()


def test_a_graph_alone_is_not_attacked() -> None:
    graph = small_graph(FORMS["ternary"])
    found = robustness.measure(report.evaluators({"integer": graph}, SCENES.classes), {}, ANCHORS, small_scenes(1))
    assert {each.kind for each in found} == {kind.value for kind in Corruption}
    assert robustness.methods(found)[1] == robustness.NO_ATTACK and robustness.methods(()) == ()


def test_the_mean_is_that_of_the_corruptions() -> None:
    def hardship(kind: str, first: float, second: float) -> Hardship:
        return Hardship(kind=kind, severity=1, amount="some", map50={"float": first, "integer": second})

    found = [hardship("noise", 0.2, 0.1), hardship("blur", 0.4, 0.5), hardship(ATTACK, 0.0, 0.0)]
    assert robustness.means(found) == pytest.approx({"float": 0.3, "integer": 0.3})
    assert list(robustness.rows({"float": 0.9, "integer": 0.8}, found)) == [
        ("none", "", "0.900", "0.800"), ("noise 1", "some", "0.200", "0.100"), ("blur 1", "some", "0.400", "0.500"),
        ("attack 1", "some", "0.000", "0.000"), ("mean", "without attacks", "0.300", "0.300"),
    ]  # fmt: skip
    assert robustness.methods(found)[1] == robustness.ATTACK_METHOD
