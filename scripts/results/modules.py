"""What each module of an engine takes and its longest path, as rows of a result, and which of them grew."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from results.record import TableRow
from sterna.estimate import whole
from sterna.estimate.engine import EngineEstimate
from sterna.estimate.resources import resources
from sterna.estimate.supported_clock import SupportedClock
from sterna.spec.config import EngineConfig, load_config

FPGA = "de10-nano"
#: The engines whose modules are kept: the smallest one is for a quick check.
SMALL = whole.SMALL.name
NAMED = ("nano", "cyclone5")
#: By how much a module may grow.
LIMIT = 0.02
SIZES = ("ALM", "block_RAM", "DSP")
PATH = "path_ns"


def engine(name: str) -> EngineConfig:
    """The config of one of the engines."""
    return whole.SMALL if name == SMALL else load_config(name)


def sizes(size: EngineEstimate) -> list[TableRow]:
    """A row for each module: its instances, and what they take without the modules in them."""
    found: dict[str, TableRow] = defaultdict(lambda: dict.fromkeys(("instances", *SIZES), 0))
    for part, count, usage in size.modules:
        each = resources(usage, size.fpga)
        row = found[part.module]
        for key, value in zip(row, (1, each.alms, each.block_rams, each.dsps), strict=True):
            row[key] = int(row[key]) + value * count
    return [{"config": size.config.name, "module": module} | row for module, row in sorted(found.items())]


def with_paths(rows: Iterable[TableRow], clock: SupportedClock) -> list[TableRow]:
    """The rows with the longest path into a register of each module; 0 where there is none."""
    slowest = {module: path.delay for module, path in clock.into_modules.items()}
    return [row | {PATH: round(slowest.get(str(row["module"]), 0) / 1000, 2)} for row in rows]


def grown(kept: Iterable[TableRow], now: Iterable[TableRow]) -> Iterator[str]:
    """Modules of which a number is more than `LIMIT` above the kept one, and those that are not kept."""
    before = {(row["config"], row["module"]): row for row in kept}
    for row in now:
        name = f"{row['module']} of {row['config']}"
        old = before.get((row["config"], row["module"]))
        if old is None:
            yield f"{name} is new"
            continue
        for key in (*SIZES, PATH):
            if key in row and float(row[key]) > float(old[key]) * (1 + LIMIT):
                yield f"{name}: {key} grew from {old[key]} to {row[key]}"
