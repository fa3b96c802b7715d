"""Images of a run: curves, losses, layers over time, and boxes on sample images."""

from __future__ import annotations

import io
import itertools
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from PIL import Image

from sterna.train.data import Dataset
from sterna.train.report.coco_precision import RECALL
from sterna.train.report.evaluate import Evaluator, Precision
from sterna.train.report.history import EpochLine, total_loss
from sterna.vision import drawing
from sterna.vision.defaults import SHOWN

SAMPLES = 6
SAMPLE_COLUMNS = 3
_DOTS = 110  # an inch
_COLUMNS = 4
_MARKS = ("-", "--", ":", "-.")  # forms often lie upon each other: colour alone would hide one


def png(figure: Figure | Image.Image) -> bytes:
    """`figure` as a PNG file."""
    content = io.BytesIO()
    if isinstance(figure, Figure):
        figure.savefig(content, format="png", dpi=_DOTS)
    else:
        figure.save(content, format="png")
    return content.getvalue()


def precision_recall(precision: Mapping[str, Precision]) -> Figure:
    """Precision against recall at IoU 0.5: an axes for each class, a line for each form of `precision`."""
    classes = list({name: None for each in precision.values() for name in each.classes})
    columns = max(1, min(_COLUMNS, len(classes)))
    rows = max(1, -(-len(classes) // columns))
    figure = Figure(figsize=(1 + 3.2 * columns, 0.4 + 3.2 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).flatten()
    for name, axis in itertools.zip_longest(classes, axes):
        if name is None:
            axis.set_visible(False)
            continue
        for (form, each), mark in zip(precision.items(), itertools.cycle(_MARKS), strict=False):
            if name in each.classes:
                found = each.classes[name]
                axis.plot(RECALL, found.curve.precision, mark, label=f"{form} {found.ap50:.3f}")
        axis.set(title=name, xlim=(0, 1), ylim=(0, 1.03), xlabel="recall", ylabel="precision")
        axis.grid(alpha=0.3)
        axis.legend(title="AP50", loc="lower left", fontsize="small")
        axis.label_outer()
    return figure


def losses_and_precision(history: Sequence[EpochLine]) -> Figure:
    """Loss with its parts, and validation precision, over the epochs of all stages."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = np.arange(1, len(history) + 1)
    left.plot(epochs, [total_loss(line) for line in history], "k", label="all")
    for part in ("box", "objectness", "classes", "distillation"):
        values = [line.get(part) for line in history]
        if any(values):
            left.plot(epochs, np.array(values, float), label=part)  # None becomes a gap
    left.set(yscale="log")
    for key, label in (("val_map50", "mAP50"), ("val_map", "mAP50-95")):
        known = [(number, line[key]) for number, line in enumerate(history, 1) if key in line]  # type: ignore[literal-required]
        right.plot(*np.array(known).reshape(-1, 2).T, "o-", markersize=4, label=label)
    right.set(ylim=(0, 1))
    for axis, title in ((left, "Loss"), (right, "Precision on the validation images")):
        axis.grid(alpha=0.3)
        axis.legend(loc="best", fontsize="small")
        _mark_stages(axis, title, history)
    return figure


def _mark_stages(axis: Axes, title: str, history: Sequence[EpochLine], first: int = 0) -> None:
    """`title`, a line where a stage begins with its name above, and whole epochs of `history` from index `first`."""
    axis.set_title(title, pad=18)
    axis.set(xlabel="epoch", xlim=(first + 0.5, len(history) + 0.5))
    axis.xaxis.set_major_locator(MaxNLocator(integer=True))
    for number in range(first, len(history)):
        stage = history[number]["stage"]
        if number == first or stage != history[number - 1]["stage"]:
            axis.axvline(number + 0.5, color="grey", linewidth=0.8)
            axis.annotate(
                stage, (number + 0.5, 1.0), (1, 3), xycoords=("data", "axes fraction"), textcoords="offset points",
                color="grey", fontsize="small",
            )  # fmt: skip


def layers_over_time(history: Sequence[EpochLine]) -> Figure | None:
    """Density and rho by layer and epoch as two heat maps; None if no stage has ternary weights yet."""
    first = next((number for number, line in enumerate(history) if "density_by_layer" in line), None)
    if first is None:
        return None
    layers = list(history[first]["density_by_layer"])
    figure = Figure(figsize=(11, 1.6 + 0.24 * len(layers)), layout="constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    density = [line.get("density_by_layer", {}) for line in history[first:]]
    rho = [line.get("rho_by_layer", {}) for line in history[first:]]
    for axis, title, found, highest in (
        (left, "Density (nonzero weights / weights)", density, 1.0),
        (right, "rho (threshold / mean magnitude)", rho, None),
    ):
        values = np.array([[line.get(layer, np.nan) for line in found] for layer in layers])
        image = axis.imshow(
            values, aspect="auto", interpolation="nearest", vmin=0.0, vmax=highest,
            extent=(first + 0.5, len(history) + 0.5, len(layers) - 0.5, -0.5),
        )  # fmt: skip
        axis.set(yticks=range(len(layers)), yticklabels=layers)
        _mark_stages(axis, title, history, first)
        figure.colorbar(image, ax=axis)
    return figure


def forms_apart(shares: Mapping[str, float]) -> Figure:
    """By layer, the share 0..1 of activations that ternary network and integer graph have different."""
    figure = Figure(figsize=(11, 3.2), layout="constrained")
    axis = figure.subplots()
    axis.bar(list(shares), [100 * share for share in shares.values()])
    axis.set(title="Activations that differ between ternary network and integer graph", ylabel="%")
    axis.tick_params("x", rotation=60 if len(shares) > 12 else 0)
    axis.grid(axis="y", alpha=0.3)
    return figure


def samples(evaluator: Evaluator, dataset: Dataset) -> Image.Image:
    """Images spread evenly over `dataset` with the boxes that are found, and in white those that are true."""
    chosen = np.unique(np.linspace(0, len(dataset) - 1, SAMPLES).round().astype(int))
    frames = [dataset[int(index)] for index in chosen]
    found = evaluator.find(frames, SHOWN)
    drawn = [
        drawing.boxes(frame.image, boxes, dataset.classes, frame.boxes)
        for frame, boxes in zip(frames, found, strict=True)
    ]
    return drawing.sheet(drawn, min(SAMPLE_COLUMNS, len(drawn)))
