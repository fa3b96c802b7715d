"""The start of a run: weights, anchors, and the density of each layer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.progress import Progress

from sterna.errors import SternaError
from sterna.graph.network import FIRST_BITS, HEAD_BITS, NetworkDescription
from sterna.importers import registry
from sterna.importers.importer import Imported
from sterna.train.data import Dataset, statistics
from sterna.train.data import anchors as anchor_boxes
from sterna.train.loop import forms
from sterna.train.loop.forms import Trained
from sterna.train.loop.loader import Batch, collate
from sterna.train.model import adapt, density, imported
from sterna.train.model.form import Form
from sterna.train.model.network import Network
from sterna.train.optim import loss
from sterna.train.options import FLOAT_EPOCHS, Allocation, TrainOptions
from sterna.train.report.evaluate import from_integers, to_real
from sterna.vision import anchors as anchor_units

BAD_FIT, GOOD_FIT = 0.15, 0.4  # mean overlap of boxes with the best anchor; k-means reaches 0.6 and more
SENSED = 32  # images on which the sensitivity of layers is measured


#: Weights as a run or another program left them.
Read = Trained | Imported


@dataclass(frozen=True)
class Start(Trained):
    """Float weights to start from.

    fresh: what of them is not trained for this run, a word or two each. certain: whether the names of the classes tell
    that the head means them. notes: what a person should know, a sentence each. unstated: layers without statistics of
    their sums, as their normalisation was part of the weights.
    """

    fresh: tuple[str, ...] = ()
    certain: bool = True
    notes: tuple[str, ...] = ()
    unstated: tuple[str, ...] = ()


def read(options: TrainOptions) -> Read | None:
    """The float weights that `options` name, as they are; None for random ones. Needs no data.

    Seeds PyTorch's generator, which weights that are fresh come from. Raises SternaError for files that cannot be read,
    and for weights of another network or form.
    """
    torch.manual_seed(options.seed)
    if options.start is not None:
        return _trained(options, options.start)
    importer = registry.importer_of(options.network)
    return None if importer is None else importer.load(Path(options.network), options.given)


def weights(options: TrainOptions, found: Read | None, classes: tuple[str, ...], console: Console) -> Start | None:
    """The weights `found`, as `read` gives them, with a head for `classes`; their network is changed, not copied.

    Raises SternaError for anchors that are far above the map of the images.
    """
    if found is None:
        return None
    start = _of_run(options, found, classes) if isinstance(found, Trained) else _of_import(options, found, classes)
    for note in start.notes:
        console.print(f"note: {note}", markup=False, soft_wrap=True)
    return start


def classes(found: Read | None) -> tuple[str, ...]:
    """The classes of the run to start from; none if there is no such run."""
    return found.classes if isinstance(found, Trained) else ()


def head_notes(options: TrainOptions, classes: tuple[str, ...]) -> list[str]:
    """What a file that is trained without weights says about classes, where the data say otherwise."""
    importer = registry.importer_of(options.network)
    if importer is None:
        return []
    said = importer.describe(Path(options.network), options.given).classes
    note = f"{options.network} says {said} classes, the data have {len(classes)}, which apply"
    return [note] * (said != len(classes))


def _of_import(options: TrainOptions, found: Imported, classes: tuple[str, ...]) -> Start:
    boxes = [list(anchor) for anchor in found.described.anchors]
    network = imported.to_network(found)
    whole = Trained(network, options.network, boxes, classes, options.height, options.width)
    fitted = _fitted(whole, found.names, found.fresh + found.replaced, found.changes, options)
    unstated = tuple(name for name, each in found.weights.items() if each.norm is None)
    return replace(fitted, unstated=tuple(name for name in unstated if name != network.description.last.name))


def _of_run(options: TrainOptions, start: Trained, classes: tuple[str, ...]) -> Start:
    return _fitted(replace(start, name=options.network, classes=classes), start.classes, (), (), options)


def _trained(options: TrainOptions, path: Path) -> Trained:
    """The float weights at `path`, of the network of `options`."""
    start = forms.load(forms.find(path))
    if start.network.form is not Form.FLOAT:
        raise SternaError(
            "the weights to start from are not those of a float network", where=str(path), attribute="form",
            value=start.network.form.value, allowed=Form.FLOAT.value, remedy=forms.NAME_FLOAT,
        )  # fmt: skip
    if start.name != options.network and not _same_layers(options, start.network):
        raise SternaError(
            "the weights to start from are of another network", where=str(path), attribute="network",
            value=start.name, allowed=options.network, remedy="remove --network, or start from weights of that network",
        )  # fmt: skip
    return start


def _same_layers(options: TrainOptions, network: Network) -> bool:
    return registry.describe(options.network, options.given) == network.description.with_bits(FIRST_BITS, HEAD_BITS)


def _fitted(
    whole: Trained, known: tuple[str, ...] | None, fresh: tuple[str, ...], notes: tuple[str, ...], options: TrainOptions
) -> Start:
    """`whole`, which names the classes wanted but whose network has the `known` ones, for the run; `fresh` so far."""
    network, classes, certain = whole.network, whole.classes, True
    if network.description.last.name in fresh:  # no class of it is trained
        network = adapt.with_classes(network, [None] * len(classes))
    else:
        found = adapt.match(classes, known, network.classes)
        certain, notes = found.certain, notes + found.notes
        fresh += tuple(f"class {name}" for name in found.fresh)
        if found.places != tuple(range(network.classes)):
            network = adapt.with_classes(network, found.places)
    anchors = _given_anchors(options, network.description)
    if anchors is not None and whole.anchors and anchors != whole.anchors:
        adapt.change_anchors(network, whole.anchors, anchors)
        notes += (f"the anchors of the weights, {anchor_units.listed(whole.anchors)}, are replaced by --anchors",)
    anchors = anchors or whole.anchors
    if anchors:
        _checked(anchors, options, network.description)
    fitted = vars(whole) | {"network": network.eval(), "anchors": anchors}
    return Start(**fitted, fresh=fresh, certain=certain, notes=notes)


def float_epochs(options: TrainOptions, start: Start | None) -> int:
    """How long the float network is trained: as the options say, or as long as fresh weights and unsure classes need.

    An untrained head never becomes the teacher: raises SternaError for 0 with weights that are not whole.
    """
    if options.float_epochs is None:
        return 0 if start is not None and start.certain and not start.fresh else FLOAT_EPOCHS
    if options.float_epochs == 0 and start is not None and start.fresh:
        raise SternaError(
            "an untrained network would teach the ternary one: some of the weights to start from are fresh",
            where="train", attribute="float_epochs", value=0, allowed=f"1 or more for {', '.join(start.fresh)}",
            remedy=f"remove --float-epochs ({FLOAT_EPOCHS})"
            + ("" if options.darknet_weights is None else ", or name all classes in --darknet-names"),
        )  # fmt: skip
    return options.float_epochs


def frozen(options: TrainOptions, network: NetworkDescription) -> tuple[str, ...]:
    """The layers that keep their weights while the float network is trained; raises SternaError for wrong names."""
    names = [layer.name for layer in network.convolutions]
    given = options.freeze
    if len(given) == 1 and given[0].isdecimal():
        given = tuple(names[: int(given[0])])
    wrong = next((name for name in given if name not in names), None)
    if wrong is not None or len(set(given)) == len(names):
        raise SternaError(
            "no such layer" if wrong else "all layers are frozen, so nothing would learn", where="train",
            attribute="freeze", value=wrong or ",".join(given), allowed=", ".join(names) + ", but not all of them",
            remedy="name layers, or how many of the first",
        )  # fmt: skip
    return given


def check_frozen(options: TrainOptions, network: NetworkDescription, start: Start | None) -> None:
    """Raises SternaError if a layer is to be frozen that has not learnt anything yet."""
    names = [layer.name for layer in network.convolutions]
    untrained = list(names) if start is None else [*start.fresh, *[names[-1]] * bool(start.fresh)]
    wrong = next((name for name in frozen(options, network) if name in untrained), None)
    if wrong is not None:
        raise SternaError(
            "a layer with fresh weights cannot be frozen", where="train", attribute="freeze", value=wrong,
            allowed=", ".join(name for name in names if name not in untrained) or "none without weights to start from",
            remedy="freeze only layers with given weights",
        )  # fmt: skip


def check_size(options: TrainOptions, network: NetworkDescription) -> None:
    """Raises SternaError if the network cannot divide the image into cells."""
    cell = network.stride
    for name in ("height", "width"):
        value = getattr(options, name)
        if value % cell:
            raise SternaError(
                "the network cannot take images of this size", where="train", attribute=name, value=value,
                allowed=f"multiples of {cell}, the size of a cell in pixels", remedy=f"give --{name}",
            )  # fmt: skip


def anchors(
    options: TrainOptions, network: NetworkDescription, data: Dataset, console: Console | None = None
) -> list[list[float]]:
    """Pairs of width and height in cells: those of the options or the file, or such as fit the boxes of `data`.

    Raises SternaError if the options give another number than the network has or other units, or if `data` has no box.
    """
    given = _given_anchors(options, network)
    importer = registry.importer_of(options.network)
    if given is None and importer is not None:
        given = [list(anchor) for anchor in importer.describe(Path(options.network), options.given).anchors]
    if given:
        return _checked(given, options, network)
    head = network.head
    sides = statistics.object_sizes(data) / network.stride
    cells = anchor_boxes.cluster(sides, head.anchors, options.seed)
    found = [[round(float(width), 3), round(float(height), 3)] for width, height in cells]
    different = len(np.unique(sides, axis=0))
    if console is not None and different < head.anchors:
        console.print(
            f"note: the training boxes have {different} different size{'s' * (different > 1)}, the network "
            f"{head.anchors} anchors: others are scaled copies, {anchor_units.listed(found)}; --anchors gives others",
            markup=False,
            soft_wrap=True,
        )
    return found


def _given_anchors(options: TrainOptions, network: NetworkDescription) -> list[list[float]] | None:
    """The anchors of the options, checked; None if they give none."""
    if not options.anchors:
        return None
    head = network.head
    given: list[list[float]] = np.reshape(options.anchors, (-1, 2)).tolist()
    if len(given) != head.anchors:
        raise SternaError(
            "the number of anchors differs from the network's number of boxes per cell",
            where="train", attribute="anchors", value=f"{len(given)} pairs", allowed=f"{head.anchors} pairs",
            remedy="give width and height of each",
        )  # fmt: skip
    return given


def _checked(anchors: list[list[float]], options: TrainOptions, network: NetworkDescription) -> list[list[float]]:
    """`anchors`, unless they are far above the map of the run's images, which raises SternaError."""
    cell = network.stride
    anchor_units.check_cells(anchors, options.height // cell, options.width // cell, cell, "train")
    return anchors


def misfit(network: NetworkDescription, chosen: list[list[float]], data: Dataset) -> list[str]:
    """A warning if `chosen`, the anchors in cells, fit the boxes of `data` badly and would fit well in pixels."""
    cell = network.stride
    sides = statistics.object_sizes(data) / cell
    if not len(sides):
        return []
    as_cells, as_pixels = (anchor_boxes.fit(sides, np.array(chosen) / unit) for unit in (1, cell))
    if as_cells >= BAD_FIT or as_pixels < GOOD_FIT:
        return []
    return [
        f"the anchors overlap the training boxes by only {as_cells:.2f}, but by {as_pixels:.2f} if taken as pixels: "
        f"anchors are in cells of {cell} pixels; if these are in pixels, give "
        f"--anchors {anchor_units.listed([(width / cell, height / cell) for width, height in chosen])}"
    ]


def densities(
    network: Network, boxes: list[list[float]], options: TrainOptions, data: Dataset, console: Console
) -> dict[str, float]:
    """The density that each ternary layer of `network` (not float; its weights are those of the float network) gets."""
    shared = density.uniform(network.description, options.density, options.layer_density)
    if options.allocation is Allocation.UNIFORM:
        return shared
    twin = Network(network.description, network.classes, Form.FLOAT)
    twin.load_state_dict({name: value for name, value in network.state_dict().items() if name in twin.state_dict()})
    free = {name: conv for name, conv in twin.ternary_layers() if name not in options.layer_density}
    with Progress(console=console) as progress:
        bar = progress.add_task("sensitivity", total=len(free) * len(density.densities(options.density)))
        measure = _loss_on(data, boxes, network.description.stride)
        curves = density.sensitivities(
            twin.eval(), free, measure, options.density, options.pattern, lambda: progress.advance(bar)
        )
    sizes = {name: conv.weight.numel() for name, conv in free.items()}
    return {**shared, **density.allocate(curves, sizes, options.density)}


def state_statistics(start: Start, data: Dataset) -> None:
    """Let the normalisation of the start's `unstated` layers know their sums, on the first SENSED images of `data`."""
    if start.unstated:
        images = np.stack([data[index].image for index in range(min(SENSED, len(data)))])
        adapt.state_statistics(start.network, start.unstated, to_real(images))


def _loss_on(data: Dataset, boxes: list[list[float]], stride: int) -> Callable[[Network], float]:
    """The loss of a float network on the first SENSED images of `data`."""
    batch = _first(data, boxes, stride)
    images, anchors, wanted = from_integers(batch.images), torch.tensor(boxes), batch.targets
    assert isinstance(wanted, loss.Targets)
    return lambda network: float(loss.losses(network(images), wanted, anchors).total)


def _first(data: Dataset, boxes: list[list[float]], stride: int) -> Batch:
    return collate([data[index] for index in range(min(SENSED, len(data)))], boxes, stride)
