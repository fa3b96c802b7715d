"""Inference for a layer from the tensors that it reads: shape, scale, zero point, accumulator bound, widths."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from sterna.errors import SternaError
from sterna.graph import csd
from sterna.graph.checks import check_requant, where
from sterna.graph.layers import MAX_SIZE, Add, Concat, Conv, Input, Layer, ManyInputs, MaxPool, Output, Reorg, Requant

PEAKS_AT_ONCE = 1 << 20
"""Weights whose peaks are looked up together."""


@dataclass(frozen=True)
class TensorInfo:
    """What is known of a layer's tensor before it is computed.

    Its integers stand for `scale * (integer - zero_point)`.
    """

    channels: int
    height: int
    width: int
    scale: float
    zero_point: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """(channels, height, width)."""
        return self.channels, self.height, self.width


def infer(layer: Layer, sources: list[TensorInfo]) -> TensorInfo:
    """The tensor that `layer` makes of `sources`; raises SternaError if they do not fit it or each other."""
    info = _INFER[type(layer)](layer, *sources)
    check_tensor(layer, info)
    return info


def check_tensor(layer: Layer, info: TensorInfo) -> None:
    """Refuse a layer whose tensor is empty or too large."""
    for attribute, size in zip(("channels", "height", "width"), info.shape, strict=True):
        if not 1 <= size <= MAX_SIZE:
            raise SternaError(
                "has an output that is empty or too large", where=where(layer), attribute=attribute, value=size,
                allowed=f"1 .. {MAX_SIZE}", remedy="use a larger image, a smaller kernel or fewer strides",
            )  # fmt: skip


def _infer_input(layer: Input) -> TensorInfo:
    return TensorInfo(layer.channels, layer.height, layer.width, float(layer.scale), layer.zero_point)


def _infer_conv(layer: Conv, source: TensorInfo) -> TensorInfo:
    filters, channels, kernel, _ = layer.weights.shape
    if channels * layer.groups != source.channels:
        of_group = f"{source.channels} / {layer.groups}" if layer.groups > 1 else source.channels
        raise SternaError(
            "has weights for a different number of input channels", where=where(layer), attribute="weights.shape",
            value=layer.weights.shape, allowed=f"(filters, {of_group}, K, K), like '{layer.input}'",
            remedy="check which layer feeds it",
        )  # fmt: skip
    check_requant(layer, filters)
    height, width = windows(source, kernel, layer.stride, layer.padding)
    return TensorInfo(filters, height, width, float(layer.scale), layer.zero_point)


def windows(source: TensorInfo, kernel: int, stride: int, padding: tuple[int, int, int, int]) -> tuple[int, int]:
    """How many windows there are in `source`, downwards and across; less than 1 if it is too small.

    padding: (top, left, bottom, right).
    """
    top, left, bottom, right = padding
    height, width = source.height + top + bottom, source.width + left + right
    return (height - kernel) // stride + 1, (width - kernel) // stride + 1


def _infer_max_pool(layer: MaxPool, source: TensorInfo) -> TensorInfo:
    height, width = windows(source, layer.kernel, layer.stride, layer.padding)
    return replace(source, height=height, width=width)


def _infer_reorg(layer: Reorg, source: TensorInfo) -> TensorInfo:
    if source.height % 2 or source.width % 2:
        raise SternaError(
            "cannot halve an odd size", where=where(layer), attribute=f"height, width of '{layer.input}'",
            value=f"{source.height}, {source.width}", allowed="even numbers",
            remedy="choose another image size",
        )  # fmt: skip
    return replace(source, channels=4 * source.channels, height=source.height // 2, width=source.width // 2)


def check_alike(layer: ManyInputs, sources: tuple[TensorInfo, ...], attributes: tuple[str, ...]) -> None:
    """Refuse a layer whose inputs differ in one of `attributes`."""
    for attribute in attributes:
        first = getattr(sources[0], attribute)
        for name, source in zip(layer.inputs, sources, strict=True):
            if getattr(source, attribute) != first:
                raise SternaError(
                    "has inputs that do not match", where=where(layer), attribute=f"{attribute} of '{name}'",
                    value=getattr(source, attribute), allowed=f"{first}, like '{layer.inputs[0]}'",
                    remedy="give all inputs the same size and scale",
                )  # fmt: skip


def _infer_concat(layer: Concat, *sources: TensorInfo) -> TensorInfo:
    check_alike(layer, sources, ("height", "width", "scale", "zero_point"))
    return replace(sources[0], channels=sum(source.channels for source in sources))


def _infer_add(layer: Add, *sources: TensorInfo) -> TensorInfo:
    first, second = layer.weights
    alike = ("scale", "zero_point") if first == second else ()
    check_alike(layer, sources, ("channels", "height", "width", *alike))
    check_requant(layer, sources[0].channels)
    return replace(sources[0], scale=float(layer.scale), zero_point=layer.zero_point)


def _infer_output(layer: Output, source: TensorInfo) -> TensorInfo:
    return source


_INFER: dict[type[Layer], Callable[..., TensorInfo]] = {
    Input: _infer_input,
    Conv: _infer_conv,
    MaxPool: _infer_max_pool,
    Reorg: _infer_reorg,
    Concat: _infer_concat,
    Add: _infer_add,
    Output: _infer_output,
}


def accumulator_bounds(layer: Conv | Add, channels: int, act_bits: int) -> NDArray[np.int64]:
    """[channels], the largest magnitude that each filter's accumulator can reach, on the way or at the end.

    It is `2^(act_bits-1)`, the largest activation magnitude, times the sum of `csd.peak` of the weights. No
    image exceeds it, nor any order in which the digits of one significance are applied.
    """
    largest = 1 << (act_bits - 1)
    if isinstance(layer, Add):
        peaks = csd.peak(np.array(layer.weights, np.int8))
        return np.full(channels, largest * peaks.sum(dtype=np.int64), np.int64)
    # Some filters at a time: looking up takes many bytes for each weight.
    step = max(1, PEAKS_AT_ONCE // layer.weights[0].size)
    parts = (layer.weights[start : start + step] for start in range(0, len(layer.weights), step))
    sums = np.concatenate([csd.peak(part).sum(axis=(1, 2, 3), dtype=np.int64) for part in parts])
    return largest * sums


def check_accumulators(layer: Conv | Add, bounds: NDArray[np.int64], acc_bits: int) -> None:
    """Refuse a layer with a filter whose accumulator could leave `acc_bits` signed bits."""
    limit = (1 << (acc_bits - 1)) - 1
    over = np.flatnonzero(bounds > limit)
    if over.size:
        raise SternaError(
            "the accumulator may overflow", where=f"{where(layer)}, filter {over[0]}",
            attribute="largest magnitude", value=bounds[over[0]],
            allowed=f"0 .. {limit} (acc_bits = {acc_bits})",
            remedy="make the filter sparser or its weights smaller, or use wider accumulators",
        )  # fmt: skip


def requant_bits(requant: Requant, bounds: NDArray[np.int64]) -> int:
    """Signed bits that hold `t = s * M + B` and its rounding, for every filter and |s| within `bounds`."""
    magnitude = int((bounds * requant.multiplier + np.abs(requant.bias)).max())
    return (magnitude + requant.half).bit_length() + 1
