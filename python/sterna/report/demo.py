"""The demo's report: report.json for programs, report.html with the images for people."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from sterna.files import write_bytes
from sterna.report import page
from sterna.report.costs import COST_TITLES, LayerCost, cost_cells

JSON_NAME, HTML_NAME, SHEET_NAME = "report.json", "report.html", "sheet.png"


class _Record(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Scene(_Record):
    """One simulated scene: its number, the drawn image and its boxes (class, score, pixels)."""

    scene: int
    drawn: str
    boxes: list[dict[str, Any]]


class Precision(_Record):
    """mAP of the integer reference at IoU 0.5 on unseen scenes; `method` says how it is computed."""

    scenes: int
    map50: float
    per_class: dict[str, float]
    method: str


class Report(_Record):
    """All results of the demo."""

    model: str
    config: str
    #: Seed of the scenes.
    seed: int
    scenes: list[Scene]
    layers: list[LayerCost]
    layers_compared: int
    layers_equal: bool
    #: The first difference from the reference in words; None if there is none.
    difference: str | None
    #: Clock cycles of the last simulated frame, which runs alone, as estimates by layer are of; every layer is stored
    #: to be checked, which costs cycles of its own.
    cycles: int
    density: float
    precision: Precision
    #: By stage.
    seconds: dict[str, float]


def write_report(report: Report, folder: Path) -> None:
    """Write both forms to `folder`."""
    write_bytes(folder / JSON_NAME, f"{report.model_dump_json(indent=1)}\n".encode())
    rows = [cost_cells(cost) for cost in report.layers]
    text = page.render("demo", report=report, titles=COST_TITLES, rows=rows)
    write_bytes(folder / HTML_NAME, text.encode())
