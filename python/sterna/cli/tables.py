"""Tables on the terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

#: Characters that the widest table needs at most.
_WIDTH = 130


def print_wide(table: Table) -> None:
    """Print the table, as wide as it needs where no terminal sets the width."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH)
    console.print(table)
