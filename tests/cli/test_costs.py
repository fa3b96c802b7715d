"""The table of costs on the terminal."""

from __future__ import annotations

import pytest

from sterna.cli.costs import print_costs
from sterna.package.counters import StepCounters
from sterna.report.costs import COST_TITLES, layer_costs
from support.packages import small_package


def test_no_title_is_cut_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    package = small_package()
    print_costs(layer_costs(package, list(map(StepCounters.expected, package.schedule.steps))))
    shown = capsys.readouterr().out
    assert all(title in shown for title in COST_TITLES[:-1])
