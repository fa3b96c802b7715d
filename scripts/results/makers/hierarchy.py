"""docs/results/hierarchy.json: gradients exchanged on one level and on two, over slow links between machines."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from results.exchange import TOGETHER, TURNS
from results.record import Metric, TableRow, write
from results.slow_links import DEVICE, machines
from sterna.cli.guard import guarded
from sterna.train.optim.communication import Hook

RATE = "100mbit"
KIB = 1024
SIZES = (256 * KIB, 1024 * KIB, 4096 * KIB)
HOOKS = (Hook.FP32, Hook.BF16)


class Placement(NamedTuple):
    """Processes on machines, and the groups that are tried; 1: no groups."""

    machines: int
    each: int
    groups: tuple[int, ...]


PLACEMENTS = (Placement(2, 2, (1, 2)), Placement(2, 4, (1, 2, 4)), Placement(4, 2, (1, 2, 4)))
METHOD = (
    f"median of {TURNS} turns of {TOGETHER} exchanges through DistributedDataParallel with gloo, kinds in turn, of the "
    f"slowest process; machines are network namespaces that send at {RATE} each by tc (tbf, no delay), on one "
    "computer"
)
SENT = "bytes that the device between machines counts, TCP's included, of the machine that sends most"


def main() -> None:
    """Exchange in every placement."""
    rows = [row for placement in PLACEMENTS for row in table(placement, _measured(placement))]
    write("hierarchy", metrics(rows), command="make results-hierarchy", seed=0, rows=rows)


def _measured(placement: Placement) -> list[dict[str, Any]]:
    kinds = [(size, hook.value, group) for size in SIZES for hook in HOOKS for group in placement.groups]
    with tempfile.TemporaryDirectory() as folder, machines(placement.machines, RATE) as made:
        plan, result = Path(folder) / "plan.json", Path(folder) / "result.json"
        plan.write_text(json.dumps(kinds), "utf-8")
        made.run("results.exchange", [str(plan), str(result), DEVICE], placement.each)
        return json.loads(result.read_text("utf-8"))


def table(placement: Placement, found: Sequence[dict[str, Any]]) -> list[TableRow]:
    """A row for each kind of exchange; ratios are to one level in fp32, and the best has the least time of its size."""
    plain = {each["size"]: each for each in found if (each["hook"], each["group"]) == (Hook.FP32.value, 1)}
    least = {
        (size, hook): min(e["seconds"] for e in found if (e["size"], e["hook"]) == (size, hook))
        for size in plain
        for hook in {each["hook"] for each in found}
    }
    return [
        {
            "machines": placement.machines,
            "processes_of_each": placement.each,
            "message_KiB": each["size"] // KIB,
            "between_groups": each["hook"],
            "group": each["group"],
            "ms": round(1000 * each["seconds"], 1),
            "time_ratio": round(each["seconds"] / plain[each["size"]]["seconds"], 3),
            "sent_KiB": round(each["sent"] / KIB, 1),
            "sent_ratio": round(each["sent"] / plain[each["size"]]["sent"], 3),
            "apart": float(f"{each['apart']:.2g}"),
            "best": each["seconds"] == least[each["size"], each["hook"]],
        }
        for each in found
    ]


def metrics(rows: Sequence[TableRow]) -> dict[str, Metric]:
    """Of the largest message between machines of most processes, in groups that are the machines."""
    each = max(int(row["processes_of_each"]) for row in rows)
    size = max(int(row["message_KiB"]) for row in rows)
    made = {}
    for hook in HOOKS:
        (row,) = (
            row for row in rows
            if (row["processes_of_each"], row["group"], row["message_KiB"], row["between_groups"])
            == (each, each, size, hook.value)
        )  # fmt: skip
        what = f"{row['machines']} machines of {each} processes, {size:,} KiB, {hook} between machines"
        made[f"{hook}_time_ratio"] = Metric(
            what=f"Two levels, {what}: time relative to one level in fp32", value=row["time_ratio"], unit="",
            method=METHOD,
        )  # fmt: skip
        made[f"{hook}_sent_ratio"] = Metric(
            what="The same: bytes between machines", value=row["sent_ratio"], unit="", method=SENT
        )
    made["apart"] = Metric(
        what="Largest difference of two levels in fp32 from one level",
        value=max(float(row["apart"]) for row in rows if row["between_groups"] == Hook.FP32.value), unit="",
        method="norm of the difference of the gradients, relative to the norm of one of them",
    )  # fmt: skip
    return made


if __name__ == "__main__":
    sys.exit(guarded(main))
