"""Detectors as darknet's files: a network description as a cfg file, arrays as a weights file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from sterna.errors import SternaError
from sterna.files import write_atomically, write_bytes
from sterna.graph.layers import Concat, Layer, MaxPool, Reorg
from sterna.graph.network import IMAGE, RGB, Add, Conv, Head, NetworkDescription
from sterna.importers.darknet.cfg import KERNELS, LEAK, SUM_ACTIVATIONS, Yolo2, darknet_padding
from sterna.importers.darknet.weights import FLOAT, SEEN, VERSION, Weights


def for_darknet(
    network: NetworkDescription, anchors: Sequence[Sequence[float]], classes: int, height: int, width: int
) -> Yolo2:
    """`network`, such as one of Sterna's own, as darknet has it: with its slope of the leaky ReLU.

    anchors: pairs of width and height in cells; there are as many in the head of the result.
    """
    pairs = tuple((float(w), float(h)) for w, h in anchors)
    layers = tuple(_for_darknet(layer, len(pairs)) for layer in network.layers)
    return Yolo2(NetworkDescription(layers), classes, pairs, height, width)


def _for_darknet(layer: Layer, anchors: int) -> Layer:
    match layer:
        case Conv(activation="leaky"):
            return replace(layer, leak=LEAK)
        case Head():
            return replace(layer, anchors=anchors)
        case _:
            return layer


def write_cfg(described: Yolo2, path: Path) -> None:
    """Write `described` as the cfg file `path`; `read_cfg` reads an equal one from it.

    The slope of darknet's leaky ReLU is fixed: raises SternaError for a convolution with another one, for a convolution
    or a pool with another padding than darknet's, for a layer of another kind, and if the file cannot be written.
    Quantisation has no place in the file.
    """
    text = "\n".join(_Writer(described).sections)
    write_bytes(path, text.encode("ascii"))


def write_weights(weights: Weights, path: Path) -> None:
    """Write `weights` as the weights file `path`; raises SternaError if it cannot be written."""
    write_atomically(path, lambda partial: _write(weights, partial))


def _write(weights: Weights, path: Path) -> None:
    header = weights.header
    with path.open("wb") as file:
        file.write(VERSION.pack(header.major, header.minor, header.revision))
        file.write(SEEN[header.wide].pack(header.seen))
        for layer in weights.convolutions:
            norm = (layer.norm.scales, layer.norm.means, layer.norm.variances) if layer.norm else ()
            for part in (layer.biases, *norm, layer.weights):
                file.write(part.astype(FLOAT, copy=False).tobytes())


class _Writer:
    """Collects sections. `_places` has the number of the section that computes each layer."""

    def __init__(self, described: Yolo2) -> None:
        self.sections: list[str] = []
        self._places: dict[str, int] = {}
        self._last = IMAGE
        self._section("net", batch=1, width=described.width, height=described.height, channels=RGB)
        for layer in described.network.layers:
            self._layer(layer, described)
        anchors = ", ".join(f"{width!r}, {height!r}" for width, height in described.anchors)
        self._section(
            "region", anchors=anchors, classes=described.classes, coords=4, num=len(described.anchors), softmax=1
        )

    def _layer(self, layer: Layer, described: Yolo2) -> None:
        if isinstance(layer, Concat):
            self._route(layer.sources)
        elif layer.sources[0] != self._last:
            self._route(layer.sources[:1])
        match layer:
            case Conv():
                _check_form(layer)
                more = {"groups": layer.groups} if layer.groups > 1 else {}
                self._convolution(
                    layer.filters, layer.kernel, layer.activation, layer.stride, batch_normalize=1, **more
                )
            case Head():
                self._convolution(layer.channels(described.classes), 1, layer.activation)
            case MaxPool():
                _check_pool(layer)
                self._section("maxpool", size=layer.kernel, stride=layer.stride)
            case Add():
                _check_sum(layer)
                other = self._places[layer.sources[1]] - self._here
                self._section("shortcut", **{"from": other}, activation=layer.activation)
            case Reorg():
                self._section("reorg3d" if layer.name in described.straight else "reorg", stride=2)
            case Concat():
                pass  # its route is all
            case _:
                raise _no_form(layer, "kind", type(layer).__name__, "Conv, Head, MaxPool, Add, Reorg, Concat")
        self._last = layer.name
        self._places[layer.name] = self._here - 1

    @property
    def _here(self) -> int:
        """The number that the next layer gets; the first section, [net], has none."""
        return len(self.sections) - 1

    def _convolution(self, filters: int, kernel: int, activation: str, stride: int = 1, **more: int) -> None:
        self._section(
            "convolutional", **more, filters=filters, size=kernel, stride=stride, pad=1, activation=activation
        )

    def _route(self, sources: tuple[str, ...]) -> None:
        self._section("route", layers=",".join(str(self._places[source] - self._here) for source in sources))

    def _section(self, name: str, **options: int | str) -> None:
        self.sections.append("".join([f"[{name}]\n", *(f"{key}={value}\n" for key, value in options.items())]))


def _check_pool(layer: MaxPool) -> None:
    expected = darknet_padding(layer.kernel, layer.stride)
    if layer.padding != expected:
        raise _no_form(layer, "padding", layer.padding, str(expected))


def _check_sum(layer: Add) -> None:
    if layer.activation not in SUM_ACTIVATIONS:
        raise _no_form(layer, "activation", layer.activation, ", ".join(SUM_ACTIVATIONS))


def _no_form(layer: Layer, attribute: str, value: object, allowed: str) -> SternaError:
    return SternaError(
        "has no form in the darknet that Sterna writes", where=layer.name, attribute=attribute, value=value,
        allowed=allowed, remedy="use a network without such a layer",
    )  # fmt: skip


def _check_form(layer: Conv) -> None:
    if layer.kernel not in KERNELS:
        raise _no_form(layer, "kernel", layer.kernel, ", ".join(map(str, KERNELS)))
    if layer.sides != (layer.kernel // 2,) * 4:
        raise _no_form(layer, "padding", layer.sides, str((layer.kernel // 2,) * 4))
    if layer.activation == "leaky" and layer.leak != LEAK:
        raise SternaError(
            "darknet has no leaky ReLU with this slope",
            where=layer.name,
            attribute="leak",
            value=layer.leak,
            allowed=str(LEAK),
            remedy="train the float network with darknet's slope",
        )
