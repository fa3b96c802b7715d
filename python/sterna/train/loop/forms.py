"""The trained forms of a run: files of weights and their contents."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from sterna.errors import SternaError
from sterna.graph import Graph, file
from sterna.graph.layers import Layer, MaxPool, pool_padding
from sterna.graph.network import KINDS, RGB, NetworkDescription
from sterna.train import checkpoint, run_folder, stages
from sterna.train.model.form import Form
from sterna.train.model.network import Network

WEIGHTS = checkpoint.Role(
    "file of trained weights",
    "name a run folder or a weights file in one, such as float.pt; weights of darknet are read by --darknet-weights",
    "copy it again, or train its run again",
)
#: The remedy if weights other than float ones are named.
NAME_FLOAT = f"name the run folder, or the float weights in it, {stages.FLOAT}{run_folder.SUFFIX}"


@dataclass(frozen=True)
class Trained:
    """Weights at the end of a stage, and what is needed to use them. anchors: pairs of width and height in cells."""

    network: Network
    name: str
    anchors: list[list[float]]
    classes: tuple[str, ...]
    height: int
    width: int


def save(path: Path, trained: Trained) -> None:
    """Write `trained`, atomically."""
    network = trained.network
    checkpoint.save(
        path,
        {
            "name": trained.name,
            "layers": plain(network.description),
            "form": network.form.value,
            "pattern": network.pattern,
            "anchors": trained.anchors,
            "classes": list(trained.classes),
            "height": trained.height,
            "width": trained.width,
            "weights": network.state_dict(),
        },
    )


def load(path: Path) -> Trained:
    """Read what `save` wrote, the network in eval mode. Raises SternaError if it is missing, damaged or foreign."""
    state = checkpoint.load(path, WEIGHTS)
    if checkpoint.is_of_run(state):
        raise SternaError("is the checkpoint from which a run continues", where=str(path), remedy=NAME_FLOAT)
    try:
        description = from_plain(state["layers"])
        _check_size(state["weights"], description, len(state["classes"]))
        network = Network(description, len(state["classes"]), Form(state["form"]), state["pattern"])
        network.load_state_dict(state["weights"])
        return Trained(
            network.eval(), state["name"], state["anchors"], tuple(state["classes"]), state["height"], state["width"]
        )
    except (KeyError, TypeError, ValueError, AttributeError, RuntimeError):
        raise checkpoint.damaged(path, WEIGHTS) from None


def _check_size(weights: dict[str, Tensor], description: NetworkDescription, classes: int) -> None:
    """Raise ValueError if the network that is described, before it is made, has more weights than the file holds.

    A tensor may claim to be larger than what is stored of it.
    """
    with torch.device("meta"):
        wanted = Network(description, classes, Form.FLOAT).parameters()
    held = sum(each.untyped_storage().nbytes() // each.element_size() for each in weights.values())
    if sum(each.numel() for each in wanted) > held:
        raise ValueError("more weights are described than stored")


#: By the names in checkpoints; "Pool" is what a MaxPool was called once.
_KINDS = {**KINDS, "Pool": MaxPool}
#: What stands before the layers of a network whose image has other channels than a colour image.
_IMAGE = "Image"


def plain(description: NetworkDescription) -> list[dict[str, Any]]:
    """A description as plain values, as a checkpoint holds it."""
    image = [] if description.image_channels == RGB else [{"kind": _IMAGE, "channels": description.image_channels}]
    return [*image, *({"kind": type(layer).__name__, **asdict(layer)} for layer in description.layers)]


def from_plain(values: list[dict[str, Any]]) -> NetworkDescription:
    """The description that `plain` wrote; raises KeyError, TypeError or ValueError for anything else."""
    says_image = bool(values) and values[0]["kind"] == _IMAGE
    image = values[0]["channels"] if says_image else RGB
    layers = [_layer(**value) for value in values[says_image:]]
    try:
        return NetworkDescription(tuple(layers), image)
    except SternaError as error:
        raise ValueError(str(error)) from None


def _layer(kind: str, **values: Any) -> Layer:
    """The layer of a checkpoint; a pool of stride 1 without a kernel is of a time when it kept the size."""
    made = _KINDS[kind](**values)
    is_older = isinstance(made, MaxPool) and made.stride == 1 and "kernel" not in values
    return replace(made, padding=pool_padding(2, 1)) if is_older else made


def of_run(folder: Path, device: torch.device | None = None) -> dict[str, Network | Graph]:
    """The forms of the finished run in `folder`: `float`, `ternary` (quantised, in float arithmetic) and `integer`.

    Networks are put on `device`. Raises SternaError if the run has not ended, or one of its files is damaged.
    """
    graph = folder / run_folder.GRAPH
    last = stages.plan(run_folder.load_options(folder))[-1].name
    if not graph.is_file():
        raise SternaError(
            "the run has no integer graph yet",
            where=str(folder),
            remedy=f"finish it: sterna train --resume --output {folder}",
        )
    ternary = load(folder / f"{last}{run_folder.SUFFIX}").network.to(device)
    ternary.form = Form.QUANTISED
    return {"float": load(find(folder)).network.to(device), "ternary": ternary, "integer": file.load(graph)}


def find(path: Path) -> Path:
    """The file of float weights that `path` stands for: itself, or that of a run folder's last float stage."""
    if not path.is_dir():
        return path
    for name in (stages.UNLABELLED, stages.FLOAT):
        if (path / f"{name}{run_folder.SUFFIX}").is_file():
            return path / f"{name}{run_folder.SUFFIX}"
    raise SternaError(
        "the folder holds no float weights", where=str(path),
        remedy="name the folder of a run that has finished its float stage",
    )  # fmt: skip
