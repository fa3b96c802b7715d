"""Images of a run: curves, losses, layers over time, and boxes on sample images."""

from __future__ import annotations

import io
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray
from PIL import Image

from sterna.graph.network import RGB
from sterna.train.data import Dataset, Frame
from sterna.train.report.coco_precision import RECALL
from sterna.train.report.evaluate import Evaluator, Precision
from sterna.train.report.history import LOSSES, MEASURED, EpochLine, total_loss
from sterna.vision import drawing
from sterna.vision.defaults import SHOWN
from sterna.vision.ranking import rank

SAMPLES = 6
SAMPLE_COLUMNS = 3
SAMPLE_CLASSES = 3  # of an image that are shown
_ALIKE = ("different", "alike")
_DOTS = 110  # an inch
_COLUMNS = 4
_NAMED = 20  # most classes whose names and counts a table of confusion has room for
_MARKS = ("-", "--", ":", "-.")  # forms often lie upon each other: colour alone would hide one


class Histogram(NamedTuple):
    """Pairs by their distance, in equal parts from 0 to the `largest`, and the threshold up to which they are alike."""

    alike: Sequence[int]
    others: Sequence[int]
    largest: float
    threshold: float


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


def confusion(forms: Mapping[str, Sequence[Sequence[int]]], classes: Sequence[str]) -> Figure:
    """Of the images of each class, the share that each form takes for each class: an axes for each of `forms`."""
    side = max(3.2, min(9.0, 1.2 + 0.32 * len(classes)))
    figure = Figure(figsize=(0.8 + side * len(forms), 0.8 + side), layout="constrained")
    for axis, (form, counts) in zip(figure.subplots(1, len(forms), squeeze=False)[0], forms.items(), strict=True):
        table = np.array(counts)
        shares = table / np.maximum(table.sum(1, keepdims=True), 1)
        axis.imshow(shares, vmin=0, vmax=1, cmap="Blues")
        axis.set(title=form, xlabel="taken for", ylabel="class of the image")
        if len(classes) <= _NAMED:
            axis.set(xticks=range(len(classes)), yticks=range(len(classes)), yticklabels=classes)
            axis.set_xticklabels(classes, rotation=60, ha="right", rotation_mode="anchor")
            for (row, column), count in np.ndenumerate(table):
                if count:
                    shade = "white" if shares[row, column] > 0.5 else "black"
                    axis.text(column, row, str(count), ha="center", va="center", color=shade, fontsize="x-small")
    return figure


def distances(forms: Mapping[str, Histogram]) -> Figure:
    """How many pairs are how far apart, those that are alike and the others: an axes for each of `forms`."""
    figure = Figure(figsize=(0.8 + 3.6 * len(forms), 3.6), layout="constrained")
    for axis, (form, found) in zip(figure.subplots(1, len(forms), squeeze=False)[0], forms.items(), strict=True):
        edges = np.linspace(0, found.largest, len(found.alike) + 1)
        for counts, mark, label in ((found.alike, "-", "alike"), (found.others, "--", "different")):
            axis.stairs(counts, edges, linestyle=mark, label=label)
        axis.axvline(found.threshold, color="grey", linewidth=0.8)
        axis.set(title=form, xlabel="distance", ylabel="pairs", ylim=(0, None))
        axis.legend(loc="best", fontsize="small")
    return figure


def losses_and_precision(history: Sequence[EpochLine]) -> Figure:
    """Loss with its parts, and what is measured on the validation images, over the epochs of all stages."""
    figure = Figure(figsize=(11, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    epochs = np.arange(1, len(history) + 1)
    left.plot(epochs, [total_loss(line) for line in history], "k", label="all")
    for part in LOSSES:
        values = [line.get(part) for line in history]
        if any(values):
            left.plot(epochs, np.array(values, float), label=part)  # None becomes a gap
    left.set(yscale="log")
    for key, label in MEASURED.items():
        known = [(number, line[key]) for number, line in enumerate(history, 1) if key in line]  # type: ignore[literal-required]
        if known:
            right.plot(*np.array(known).reshape(-1, 2).T, "o-", markersize=4, label=label)
    right.set(ylim=(0, 1))
    for axis, title in (
        (left, "Loss"),
        (right, f"{'Precision' if 'box' in history[0] else 'Accuracy'} on the validation images"),
    ):
        axis.grid(alpha=0.3)
        if axis.lines:
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
    frames = _spread(dataset)
    found = evaluator.find(frames, SHOWN)
    drawn = [
        drawing.boxes(frame.image, boxes, dataset.classes, frame.boxes)
        for frame, boxes in zip(frames, found, strict=True)
    ]
    return drawing.sheet(drawn, min(SAMPLE_COLUMNS, len(drawn)))


def class_samples(score: Callable[[NDArray[np.uint8]], NDArray[np.floating]], dataset: Dataset) -> Image.Image:
    """Images spread evenly over `dataset` with the best classes and their scores, and in white the true one.

    score: from images uint8 [N, H, W, 3] to real scores [N, C].
    """
    frames = _spread(dataset)
    scores = score(np.stack([frame.image for frame in frames]))
    drawn = [
        drawing.ranking(_colours(frame.image), rank(each, SAMPLE_CLASSES), dataset.classes, int(frame.classes[0]))
        for frame, each in zip(frames, scores, strict=True)
    ]
    return drawing.sheet(drawn, min(SAMPLE_COLUMNS, len(drawn)))


def pair_samples(
    both: Sequence[tuple[NDArray[np.uint8], NDArray[np.uint8]]],
    alike: Sequence[bool] | NDArray[np.bool_],
    apart: Sequence[float] | NDArray[Any],
    threshold: float,
) -> Image.Image:
    """Images [H, W, C] of pairs side by side with their distance and what it says; in white what is true."""
    drawn = []
    for images, truth, distance in zip(both, alike, apart, strict=True):
        found = int(distance <= threshold)
        text = f"{_ALIKE[found]}: distance {distance:.3g}, threshold {threshold:.3g}"
        lines = [(_ALIKE[int(truth)], drawing.WHITE), (text, drawing.colour(found))]
        drawn.append(drawing.captioned(np.concatenate([_colours(image) for image in images], 1), lines))
    return drawing.sheet(drawn, min(SAMPLE_COLUMNS, len(drawn)))


def _colours(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`image` [H, W, 3]; of a map with other channels, their mean in grey."""
    if image.shape[-1] == RGB:
        return image
    return np.repeat(image.mean(-1, keepdims=True).astype(np.uint8), RGB, -1)


def _spread(dataset: Dataset) -> list[Frame]:
    """SAMPLES frames spread evenly over `dataset`, or all."""
    chosen = np.unique(np.linspace(0, len(dataset) - 1, SAMPLES).round().astype(int))
    return [dataset[int(index)] for index in chosen]
