"""The table of detectors on other hardware, docs/results/peers.yaml, with Sterna's own rows from docs/results."""

from __future__ import annotations

from typing import Any

import yaml

from results.record import FOLDER, Result

PEERS = FOLDER / "peers.yaml"
#: Columns by the field that they show.
COLUMNS = {
    "system": "system",
    "chip": "chip",
    "network": "network",
    "precision": "precision",
    "batch": "batch",
    "frames_s": "frames/s",
    "power": "power",
    "kind": "kind of number",
    "source": "source",
}
_OWN = {
    "system": "**Sterna**",
    "chip": "config `arria10`, 240 MHz assumed",
    "precision": "ternary, 8-bit activations",
    "batch": 1,
    "power": "-",
    "kind": "cycles counted in simulation; memory: 20 cycles latency, then a beat per cycle",
}


def table(results: dict[str, Result]) -> str:
    """The table as Markdown, Sterna's rows first."""
    rows = [*_own(results), *yaml.safe_load(PEERS.read_text("utf-8"))]
    lines = [list(COLUMNS.values()), ["---"] * len(COLUMNS)]
    lines += [[_shown(row[name]) for name in COLUMNS] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def _own(results: dict[str, Result]) -> list[dict[str, Any]]:
    frame = results["frame_trained"].metrics["fps"].value
    scenes = {"network": "YOLOv2-416, street scenes, trained, density 0.15", "frames_s": frame}
    cells = [
        {"network": f"YOLOv2-416, {row['data']}, trained, density {row['density']}",
         "frames_s": row["frames_per_s_240mhz"]}
        for row in results["yolov2_trained"].rows
    ]  # fmt: skip
    return [_OWN | row | {"source": "[results](engine.md)"} for row in (scenes, *cells)]


def _shown(value: object) -> str:
    return f"{value:,}" if isinstance(value, int | float) else str(value)
