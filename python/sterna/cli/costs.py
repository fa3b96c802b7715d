"""The table of what each layer cost, on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console

from sterna.report.costs import LayerCost, cost_table

#: Characters that the table needs at most.
_WIDTH = 130


def print_costs(costs: Sequence[LayerCost]) -> None:
    """Print the table, as wide as it needs where no terminal sets the width."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(cost_table(costs))
