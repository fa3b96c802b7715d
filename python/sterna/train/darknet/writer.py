"""A network description written as a darknet cfg file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sterna.errors import SternaError
from sterna.files import write_bytes
from sterna.train.darknet.cfg import LEAKY_SLOPE, Yolo2, inputs
from sterna.train.model.networks import IMAGE, Concat, Conv, Head, LayerSpec, Pool, Reorg
from sterna.vision.boxes import BOX_FIELDS


def for_darknet(
    layers: tuple[LayerSpec, ...], anchors: Sequence[Sequence[float]], classes: int, height: int, width: int
) -> Yolo2:
    """`layers`, such as those of one of Sterna's own networks, as darknet has them: with its slope of the leaky ReLU.

    anchors: pairs of width and height in cells; there are as many in the head of the result.
    """
    pairs = tuple((float(w), float(h)) for w, h in anchors)
    return Yolo2(tuple(_for_darknet(layer, len(pairs)) for layer in layers), classes, pairs, height, width)


def _for_darknet(layer: LayerSpec, anchors: int) -> LayerSpec:
    match layer:
        case Conv():
            return replace(layer, leak=LEAKY_SLOPE)
        case Head():
            return replace(layer, anchors=anchors)
        case _:
            return layer


def write_cfg(network: Yolo2, path: Path) -> None:
    """Write `network` as the cfg file `path`; `read_cfg` reads an equal one from it.

    The slope of darknet's leaky ReLU is fixed: raises SternaError for a convolution with another one, and if the
    file cannot be written. Quantisation has no place in the file.
    """
    text = "\n".join(_Writer(network).sections)
    write_bytes(path, text.encode("ascii"))


class _Writer:
    """Collects sections. `_places` has the number of the section that computes each layer."""

    def __init__(self, network: Yolo2) -> None:
        self.sections: list[str] = []
        self._places: dict[str, int] = {}
        self._last = IMAGE
        self._section("net", batch=1, width=network.width, height=network.height, channels=3)
        for layer in network.layers:
            self._layer(layer, network)
        anchors = ", ".join(f"{width!r}, {height!r}" for width, height in network.anchors)
        self._section("region", anchors=anchors, classes=network.classes, coords=4, num=len(network.anchors), softmax=1)

    def _layer(self, layer: LayerSpec, network: Yolo2) -> None:
        if isinstance(layer, Concat):
            self._route(layer.inputs)
        elif layer.input != self._last:
            self._route(inputs(layer))
        match layer:
            case Conv():
                if layer.leak != LEAKY_SLOPE:
                    raise SternaError(
                        "darknet has no leaky ReLU with this slope",
                        where=layer.name,
                        attribute="leak",
                        value=layer.leak,
                        allowed=str(LEAKY_SLOPE),
                        remedy="train the float network with darknet's slope",
                    )
                self._convolution(layer.filters, layer.kernel, "leaky", batch_normalize=1)
            case Head():
                self._convolution(layer.anchors * (BOX_FIELDS + network.classes), 1, "linear")
            case Pool():
                self._section("maxpool", size=2, stride=layer.stride)
            case Reorg():
                self._section("reorg3d" if layer.name in network.straight else "reorg", stride=2)
        self._last = layer.name
        self._places[layer.name] = self._here - 1

    @property
    def _here(self) -> int:
        """The number that the next layer gets; the first section, [net], has none."""
        return len(self.sections) - 1

    def _convolution(self, filters: int, kernel: int, activation: str, **more: int) -> None:
        self._section("convolutional", **more, filters=filters, size=kernel, stride=1, pad=1, activation=activation)

    def _route(self, sources: tuple[str, ...]) -> None:
        self._section("route", layers=",".join(str(self._places[source] - self._here) for source in sources))

    def _section(self, name: str, **options: int | str) -> None:
        self.sections.append("".join([f"[{name}]\n", *(f"{key}={value}\n" for key, value in options.items())]))
