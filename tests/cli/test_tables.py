"""Tables are as wide as they need."""

from __future__ import annotations

import pytest

from sterna.cli.tables import print_wide
from sterna.package.counters import StepCounters
from sterna.report.costs import COST_TITLES, cost_table, layer_costs
from support.packages import small_package


def test_no_title_is_cut_where_there_is_no_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    package = small_package()
    counted = list(map(StepCounters.expected, package.schedule.steps))
    print_wide(cost_table(layer_costs(package, counted)))
    shown = capsys.readouterr().out
    assert all(title in shown for title in COST_TITLES[:-1])
