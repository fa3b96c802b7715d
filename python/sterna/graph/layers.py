"""The layers of the integer graph: plain frozen records, checked when a `Graph` is built from them."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from sterna.spec.tape import REQUANT_BIAS_BITS, REQUANT_MULTIPLIER_BITS

MAX_SIZE = 65535
"""Largest channel count, height and width of a tensor."""
LEVELS = 256
"""Values of a channel of a pixel of the image."""
MAX_KERNEL = 7
LEAST_POOL = 2
"""Smallest kernel of a pool."""
MAX_PADDING = 7
STRIDES = (1, 2)
MULTIPLIER_BITS = REQUANT_MULTIPLIER_BITS
BIAS_BITS = REQUANT_BIAS_BITS - 1
"""Of the magnitude."""
MAX_SHIFT = 32


@dataclass(frozen=True, eq=False)
class _Record:
    """A frozen value: owns read-only copies of its arrays, holds plain scalars, compares by content."""

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(self, field.name, _owned(getattr(self, field.name)))

    def __eq__(self, other: object) -> bool:
        if type(self) is not type(other):
            return NotImplemented
        return all(_same(getattr(self, field.name), getattr(other, field.name)) for field in fields(self))

    __hash__ = None  # type: ignore[assignment]


def _owned(value: object) -> object:
    if isinstance(value, np.ndarray):
        copy = np.array(value, order="C")
        copy.setflags(write=False)
        return copy
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return tuple(_owned(element) for element in value)
    return value


def _same(a: object, b: object) -> bool:
    if isinstance(a, np.ndarray) and isinstance(b, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    return type(a) is type(b) and bool(a == b)


@dataclass(frozen=True, eq=False)
class Requant(_Record):
    """Requantisation of an accumulator `s` of filter `f` to an activation, exact in integers.

    `t = s * multiplier[f] + bias[f]`; the activation of `t` (`sterna.spec.activations`); then
    `clip((t + half) >> shift, low, high)`: rounds half up, and with `half_even` a tie to the even result.
    """

    multiplier: NDArray[np.int64]
    """[F], 0 .. 2^18 - 1."""
    bias: NDArray[np.int64]
    """[F], magnitude below 2^45."""
    shift: int
    """0 .. 32."""
    activation: str
    """A name in `sterna.spec.activations`."""
    clamp: tuple[int, int] | None = None
    """The least and the largest result, two different activations; None: those of the graph."""
    half_even: bool = False
    """Whether a tie goes to the even result, not up: where the shift, and the slope before it, leave exactly 1/2."""

    def limits(self, act_min: int, act_max: int) -> tuple[int, int]:
        """The least and the largest result, in a graph whose activations are `act_min` .. `act_max`."""
        return self.clamp or (act_min, act_max)

    @property
    def half(self) -> int:
        """What makes the shift round half up."""
        return (1 << self.shift) >> 1


@dataclass(frozen=True, eq=False)
class Layer(_Record):
    """One step of a graph; it produces one tensor, known by the layer's name."""

    name: str
    """Unique in the graph; 1 .. 128 of A-Z a-z 0-9 _ . / -."""

    @property
    def sources(self) -> tuple[str, ...]:
        """Names of the layers whose tensors this one reads, in order."""
        return ()


@dataclass(frozen=True, eq=False)
class OneInput(Layer):
    """A layer that reads one tensor."""

    input: str

    @property
    def sources(self) -> tuple[str, ...]:
        """The one layer whose tensor this one reads."""
        return (self.input,)


@dataclass(frozen=True, eq=False)
class ManyInputs(Layer):
    """A layer that reads several tensors."""

    inputs: tuple[str, ...]

    @property
    def sources(self) -> tuple[str, ...]:
        """The layers whose tensors this one reads, in order; one may appear more than once."""
        return self.inputs


@dataclass(frozen=True, eq=False)
class Input(Layer):
    """The image: 8-bit values (rgb - 128), shifted right to the graph's activation width or looked up in a table.

    The tensor's integers stand for `scale * (integer - zero_point)`; the zero point is an activation.
    """

    channels: int
    height: int
    width: int
    scale: float
    zero_point: int
    table: NDArray[np.int8] | None = None
    """[C, 256], the activation for each value of rgb, 0 .. 255, of each channel; None: values are shifted."""


@dataclass(frozen=True, eq=False)
class Conv(OneInput):
    """Two-dimensional convolution (cross-correlation, as in PyTorch) followed by requantisation.

    `s[f, y, x]` is the sum over c, i, j of
    `weights[f, c, i, j] * in[first + c, stride*y + i - top, stride*x + j - left]`; outside the input, `in` is the
    input's zero point. Output size: `(size + padding - K) // stride + 1`. `first` is 0, or with `groups` the first
    channel of the filter's group: filters and channels are cut into groups of equal size, in order.
    """

    weights: NDArray[np.int8]
    """[F, C / groups, K, K], K 1 .. 7."""
    stride: int
    """1 or 2."""
    padding: tuple[int, int, int, int]
    """(top, left, bottom, right), 0 .. 7 each."""
    requant: Requant
    scale: float
    """Real value of one step of the result."""
    zero_point: int = 0
    """The activation that stands for real 0 in the result."""
    groups: int = 1
    """Divides the filters, F, and the input's channels, C."""


@dataclass(frozen=True, eq=False)
class MaxPool(OneInput):
    """Maximum of kernel x kernel pixels: of rows `stride*y + i - top` and columns `stride*x + j - left`.

    i and j go from 0 to kernel - 1; pixels outside do not count. Output size:
    `(size + padding - kernel) // stride + 1`.
    """

    stride: int
    """1 or 2."""
    kernel: int = 2
    """2 .. 7."""
    padding: tuple[int, int, int, int] = (0, 0, 0, 0)
    """(top, left, bottom, right), each below the kernel."""

    @property
    def halves(self) -> bool:
        """Whether it takes each 2x2 pixels, and drops an odd last row or column."""
        return self.stride == self.kernel == 2 and not any(self.padding)


def pool_padding(kernel: int, stride: int) -> tuple[int, int, int, int]:
    """The padding with which a pool of stride 1 keeps the size, and one of stride 2 halves it, rounded down."""
    before, after = (kernel - stride) // 2, (kernel - stride + 1) // 2
    return before, before, after, after


def pool_kernels(kernel: int) -> tuple[int, ...]:
    """Kernels of pools of stride 1 that keep the size and, one after the other, are one of an odd `kernel`.

    >>> from sterna.graph.layers import pool_kernels
    >>> pool_kernels(5), pool_kernels(13)
    ((5,), (7, 7))
    """
    most = MAX_KERNEL // 2
    whole, rest = divmod(kernel // 2, most)
    return (2 * most + 1,) * whole + (2 * rest + 1,) * (rest > 0)


@dataclass(frozen=True, eq=False)
class Reorg(OneInput):
    """Space to depth: `out[p*C + c, y, x] = in[c, 2*y + p//2, 2*x + p%2]` for p 0 .. 3.

    Needs even height and width.
    """


@dataclass(frozen=True, eq=False)
class Concat(ManyInputs):
    """The channels of all inputs, one after the other; inputs share height, width, scale and zero point."""


@dataclass(frozen=True, eq=False)
class Add(ManyInputs):
    """`s = weights[0] * a + weights[1] * b`, requantised per channel.

    The two inputs share their shape; those of equal weights share scale and zero point too.
    """

    requant: Requant
    scale: float
    """Real value of one step of the result."""
    zero_point: int = 0
    """The activation that stands for real 0 in the result."""
    weights: tuple[int, int] = (1, 1)
    """-128 .. 127 each, and not 0."""


@dataclass(frozen=True, eq=False)
class Output(OneInput):
    """Marks a tensor as a result; its values are those of the input. No layer reads an Output."""


STRUCTURE: tuple[type[Layer], ...] = (MaxPool, Reorg, Concat)
"""Kinds that only move and compare integers; network descriptions have them as well."""
KINDS: dict[str, type[Layer]] = {kind.__name__.lower(): kind for kind in (Input, Conv, *STRUCTURE, Add, Output)}
"""Every kind of layer by its name in files and reports."""
