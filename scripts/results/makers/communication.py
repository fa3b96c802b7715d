"""docs/results/communication.json: bytes that a process sends per step, and mAP, by gradient format."""

from __future__ import annotations

import subprocess
import sys

from results.record import ROOT, Metric, TableRow, write
from results.runs import SMALL, data, folder_of, log, summary
from sterna.cli.guard import guarded
from sterna.train import recipes, run_folder
from sterna.train.optim.communication import Hook
from sterna.train.report.evaluate import METHOD
from support.training import command, environment

PROCESSES, EPOCHS = 2, 30


def main() -> None:
    """The same run with each kind of gradient, in two processes."""
    rows: list[TableRow] = [_row(hook) for hook in Hook]
    write(
        "communication", metrics(rows), command="make results-communication BCCD=FOLDER", seed=0, rows=rows
    )  # fmt: skip


def metrics(rows: list[TableRow]) -> dict[str, Metric]:
    """The metrics that `rows` come to; the first one is that of plain gradients."""
    plain = rows[0]
    return {
        f"{row['hook']}_share": Metric(
            what=f"Bytes sent per step with gradients as {row['hook']}, relative to fp32",
            value=round(float(row["bytes_per_step"]) / float(plain["bytes_per_step"]), 3), unit="",
            method="numbers given to the all-reduce in the last step of an epoch, times their bytes",
        )
        for row in rows
    } | {
        "map50_least": Metric(
            what="Least mAP of the float network among them", value=min(float(row["map50"]) for row in rows), unit="",
            method=METHOD,
        ),
    }  # fmt: skip


def _row(hook: Hook) -> TableRow:
    folder = folder_of(f"communication/{hook}")
    if not (folder / run_folder.SUMMARY).is_file():
        options = recipes.bccd(
            data(), folder, gradients=hook, float_epochs=EPOCHS, ternary_epochs=0, quantised_epochs=1, integer_epochs=0,
            workers=0, **SMALL,
        ).model_dump(mode="json", exclude_defaults=True)  # fmt: skip
        resume = ["--resume"] if (folder / run_folder.OPTIONS).is_file() else []
        subprocess.run(command(options, *resume, processes=PROCESSES), cwd=ROOT, env=environment(), check=True)
    return {
        "hook": hook.value,
        "bytes_per_step": next(line["bytes_per_step"] for line in reversed(log(folder)) if line["stage"] == "float"),
        "map50": round(summary(folder)["precision"]["float"]["map50"], 4),
    }


if __name__ == "__main__":
    sys.exit(guarded(main))
