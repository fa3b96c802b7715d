"""summary.html: a run at a glance, one file that needs no other."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image

from sterna.files import write_bytes
from sterna.report import page
from sterna.train import run_folder
from sterna.train.report import layers, plots
from sterna.train.report.compared import Compared
from sterna.train.report.history import EpochLine
from sterna.train.report.versions import versions

NAME = run_folder.PAGE


def write_html(
    folder: Path,
    *,
    title: str,
    options: Mapping[str, object],
    comparison: Compared | None = None,
    history: Sequence[EpochLine] = (),
    samples: Mapping[str, Image.Image] | None = None,
    warnings: Sequence[str] = (),
) -> Path:
    """Write the page to `folder`, in place of the one that is there; its path.

    What is not given is left out of the page. comparison: the forms that there are, on the same images. samples: by
    form, as `plots.samples` or `plots.class_samples` make them. warnings: what a person should not overlook, a line
    each. Raises SternaError if the file cannot be written.
    """
    images = {name: _embedded(figure) for name, figure in _plots(comparison, history).items() if figure}
    text = page.render(
        "training",
        title=title,
        options=options,
        versions=versions(),
        warnings=warnings,
        comparison=comparison,
        rows=[] if comparison is None else list(comparison.rows()),
        further=[] if comparison is None else list(comparison.more()),
        notes=[] if comparison is None else comparison.notes(),
        layer_titles=layers.TITLES,
        layer_rows=[] if comparison is None else list(layers.rows(comparison.layers)),
        images=images,
        samples={form: _embedded(image) for form, image in (samples or {}).items()},
    )
    path = folder / NAME
    write_bytes(path, text.encode())
    return path


def _plots(comparison: Compared | None, history: Sequence[EpochLine]) -> dict[str, Figure | None]:
    shares = {} if comparison is None else _shares(comparison)
    return {
        "figure": comparison.figure() if comparison else None,
        "history": plots.losses_and_precision(history) if history else None,
        "layers": plots.layers_over_time(history),
        "apart": plots.forms_apart(shares) if shares else None,
    }


def _shares(comparison: Compared) -> dict[str, float]:
    return {name: layer.share for name, layer in comparison.layers.items() if layer.share is not None}


def _embedded(figure: Figure | Image.Image) -> str:
    """`figure` as the source of an image element."""
    return "data:image/png;base64," + base64.b64encode(plots.png(figure)).decode("ascii")
