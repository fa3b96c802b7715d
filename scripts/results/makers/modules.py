"""docs/results/modules.json: what each module takes and its longest path, in small engines; an estimate."""

from __future__ import annotations

from results import modules
from results.record import Metric, TableRow, write
from sterna.cli.estimate import measure, measure_clock
from sterna.spec.fpga import load_fpga


def main() -> None:
    """Synthesise and write."""
    rows: list[TableRow] = []
    for name in (modules.SMALL, *modules.NAMED):
        size = measure(modules.engine(name), load_fpga(modules.FPGA))
        rows += modules.with_paths(modules.sizes(size), measure_clock(size))
    limit = Metric(
        what="Growth of a module that tests notice", value=round(100 * modules.LIMIT), unit="%",
        method=f"on {modules.FPGA}: all instances without the modules in them; longest path that ends in the module",
    )  # fmt: skip
    write("modules", {"limit": limit}, command="make results-modules", rows=rows)


if __name__ == "__main__":
    main()
