"""The metrics in docs/results are whole, can be measured again, and are what README and site show."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from results.density import NOT_TRAINED
from results.readme import README, filled, tables_in
from results.record import CLEAN_COMMIT, ROOT, Metric, Result, read_all

RESULTS = read_all()
MAKERS = {path.stem for path in (ROOT / "scripts" / "results" / "makers").glob("[a-z]*.py")}


@pytest.mark.parametrize("name", RESULTS)
def test_result_can_be_measured_again(name: str) -> None:
    assert name in MAKERS
    assert RESULTS[name].command.startswith(f"make results-{name}")
    assert re.match(CLEAN_COMMIT, RESULTS[name].commit), "measured on a tree with changes"


def in_history(commit: str) -> bool:
    """Whether `commit` is the one that is checked out or one before it."""
    command = ["git", "-C", str(ROOT), "merge-base", "--is-ancestor", commit, "HEAD"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a copy without history")
@pytest.mark.case("results-name-their-commits", kind="numbers", expected="commits that results name are in the history")
@pytest.mark.parametrize("name", RESULTS)
def test_commits_that_results_name_are_in_the_history(name: str) -> None:
    named = {RESULTS[name].commit} | {str(row["commit"]) for row in RESULTS[name].rows if "commit" in row}
    named -= {NOT_TRAINED}
    assert {commit for commit in named if not in_history(commit)} == set()


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a copy without history")
def test_a_commit_that_is_not_in_the_history_is_noticed() -> None:
    assert not in_history("0123456789abcdef0123456789abcdef01234567")


#: Results whose rows are of trained networks: each row says where its network was trained.
TRAINED = ("bccd_density", "harder_density", "yolov2_trained")


@pytest.mark.case(
    "fair-float-baseline", kind="numbers", expected="beside each ternary row a float network trained as long, and where"
)
@pytest.mark.parametrize("name", TRAINED)
def test_rows_of_trained_networks_say_where_and_have_a_fair_float(name: str) -> None:
    assert RESULTS[name].rows
    for row in RESULTS[name].rows:
        if row["trained_on"] == NOT_TRAINED:
            continue
        assert row["trained_on"] and re.match(CLEAN_COMMIT, str(row["commit"]))
        assert isinstance(row["float_longer_map50"], float)


def test_every_result_has_its_maker() -> None:
    assert set(RESULTS) <= MAKERS


PAGES = sorted((ROOT / "docs").rglob("*.md"))


def test_the_site_shows_all_results() -> None:
    assert set().union(*(tables_in(page.read_text("utf-8")) for page in PAGES)) == set(RESULTS)


def test_the_readme_shows_results_as_they_are() -> None:
    text = README.read_text("utf-8")
    assert filled(text, RESULTS) == text, "make readme"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_pages_leave_tables_to_the_build(page: Path) -> None:
    places = re.findall(r"<!-- (?:results|metrics): \w+ -->\n(.*?)<!-- end -->", page.read_text("utf-8"), re.DOTALL)
    assert not any(places)


def test_a_changed_metric_changes_a_page() -> None:
    text = README.read_text("utf-8")
    result = RESULTS["frame_trained"]
    metric = result.metrics["cycles"].model_copy(update={"value": 7})
    changed = result.model_copy(update={"metrics": result.metrics | {"cycles": metric}})
    assert filled(text, RESULTS | {"frame_trained": changed}).count("-->7<!--") == 1


def test_values_read_well() -> None:
    metrics = {
        f"f{index}": Metric(what=f"F{index}", value=value, unit=unit, method="count")
        for index, (value, unit) in enumerate([(True, ""), (False, ""), (12345, ""), (0.6274, ""), (301.25, "s")])
    }
    result = Result(command="make results-x", config="nano", seed=0, commit="abcdef0", machine="m", metrics=metrics)
    table = filled("<!-- results: x -->\nold\n<!-- end -->\n", {"x": result})
    for shown in ("| yes |", "| no |", "| 12,345 |", "| 0.627 |", "| 301.2 s |", "config `nano`, seed 0"):
        assert shown in table
    assert "old" not in table


def test_texts_of_rows_are_shown_as_they_are() -> None:
    """What a test saw may look like Markdown or HTML."""
    metrics = {"f": Metric(what="F", value=1, unit="", method="count")}
    rows = ({"got": "[*x5, *x5] in <unicode> a|b _c_"},)
    result = Result(command="c", config=None, seed=None, commit="abcdef0", machine="m", metrics=metrics, rows=rows)
    shown = filled("<!-- results: x -->\n<!-- end -->\n", {"x": result})
    assert r"| \[\*x5, \*x5\] in &lt;unicode&gt; a\|b \_c\_ |" in shown


def test_rows_are_shown_where_they_are_wanted() -> None:
    metrics = {"f": Metric(what="F", value=1, unit="", method="count")}
    rows = ({"layer": "conv", "cycles": 5},)
    result = Result(command="c", config=None, seed=None, commit="abcdef0", machine="m", metrics=metrics, rows=rows)
    text = "<!-- results: x -->\n<!-- end -->\n<!-- metrics: x -->\n<!-- end -->\n"
    whole, short = filled(text, {"x": result}).split("<!-- metrics")
    assert "| conv | 5 |" in whole and "conv" not in short
    assert "| F | 1 |" in whole and "| F | 1 |" in short
