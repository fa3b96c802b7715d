"""Studies of density: which run a column is of, and what the means and differences are."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from results import density
from results.density import Study
from sterna.train import recipes
from sterna.train.options import TrainOptions

CASES = (("balanced", 0.2), ("unstructured", 0.1))
SEEDS = (0, 1)
#: Precision of the float, ternary and integer form by run; no two are equal.
RUNS = {
    "float-0": (0.50, 0.01, 0.02),
    "longer-0": (0.60, 0.03, 0.04),
    "balanced-0.2-0": (0.05, 0.55, 0.56),
    "unstructured-0.1-0": (0.06, 0.45, 0.41),
    "float-1": (0.70, 0.07, 0.08),
    "longer-1": (0.66, 0.09, 0.10),
    "balanced-0.2-1": (0.11, 0.63, 0.64),
    "unstructured-0.1-1": (0.12, 0.53, 0.52),
}


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Study:
    """A study whose runs were made elsewhere."""
    for name, (first, ternary, whole) in RUNS.items():
        folder = tmp_path / "small" / name
        folder.mkdir(parents=True)
        precision = {
            form: {"map50": x} for form, x in zip(("float", "ternary", "integer"), (first, ternary, whole), strict=True)
        }
        (folder / "summary.json").write_text(json.dumps({"precision": precision, "device": "a GPU", "method": "how"}))
        (folder / "commit").write_text("0123456789ab")
    monkeypatch.setenv("TRAINED", str(tmp_path))
    return Study("small", "Small", lambda folder, **changes: recipes.harder("x", folder, **changes), CASES, SEEDS)


def test_rows_hold_each_network_and_where_it_was_trained(study: Study) -> None:
    rows = [row for row, _ in density.runs(study)]
    assert [(row["seed"], row["pattern"], row["density"]) for row in rows] == [
        (0, "balanced", 0.2), (0, "unstructured", 0.1), (1, "balanced", 0.2), (1, "unstructured", 0.1),
    ]  # fmt: skip
    assert rows[2] == {
        "data": "Small", "seed": 1, "density": 0.2, "pattern": "balanced", "float_map50": 0.7,
        "float_longer_map50": 0.66, "ternary_map50": 0.63, "integer_map50": 0.64, "trained_on": "a GPU",
        "commit": "0123456789ab",
    }  # fmt: skip


def test_the_longer_float_network_has_the_epochs_of_a_ternary_one(study: Study, tmp_path: Path) -> None:
    asked: list[TrainOptions] = []

    def recipe(folder: Path, **changes: object) -> TrainOptions:
        asked.append(recipes.harder("x", folder, **changes))
        return asked[-1]

    assert density.further(Study("s", "S", recipe, CASES), tmp_path) == 8
    assert (asked[0].ternary_epochs, asked[0].quantised_epochs, asked[0].integer_epochs) == (6, 1, 1)
