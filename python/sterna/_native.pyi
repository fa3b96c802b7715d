"""libsterna as Python sees it, built from sw/python/native.cpp. Refusals are SternaErrors.

Arrays are contiguous and read without a copy where nothing else is said.
"""

from collections.abc import Sequence
from enum import Enum

import numpy as np
from numpy.typing import NDArray

class Activation(Enum):
    LINEAR = ...
    RELU = ...
    LEAKY = ...

class Simd(Enum):
    SCALAR = ...
    AVX2 = ...
    AVX512 = ...

def available_simd() -> list[Simd]:
    """Those that this processor has, from the slowest to the fastest."""

class Requant:
    def __init__(
        self, multiplier: NDArray[np.int64], bias: NDArray[np.int64], shift: int, activation: Activation
    ) -> None: ...

class Input:
    """table: [channels, 256]; [0, 256] for none."""

    def __init__(
        self, channels: int, height: int, width: int, scale: float, zero_point: int, table: NDArray[np.int8]
    ) -> None: ...

class Conv:
    def __init__(
        self,
        weights: NDArray[np.int8],
        stride: int,
        padding: tuple[int, int, int, int],
        requant: Requant,
        scale: float,
    ) -> None: ...

class MaxPool:
    def __init__(self, stride: int) -> None: ...

class Reorg:
    def __init__(self) -> None: ...

class Concat:
    def __init__(self) -> None: ...

class Add:
    def __init__(self, requant: Requant, scale: float) -> None: ...

class Output:
    def __init__(self) -> None: ...

Operation = Input | Conv | MaxPool | Reorg | Concat | Add | Output

class Graph:
    """layers: name, names of the layers that it reads, operation; arrays are copied."""

    def __init__(
        self, layers: Sequence[tuple[str, tuple[Sequence[str], Operation]]], act_bits: int, acc_bits: int
    ) -> None: ...

class EncoderConfig:
    def __init__(
        self, tile_h: int, tile_w: int, buffer_vectors: int, acc_index_w: int, chunk_bytes: int, beat_bytes: int
    ) -> None: ...

def encode_part(
    config: EncoderConfig,
    streams: int,
    fetches: Sequence[NDArray[np.int64]],
    additions: Sequence[NDArray[np.int64]],
    subtract: NDArray[np.uint8],
    planes: Sequence[tuple[int, int, int]],
) -> tuple[bytes, NDArray[np.uint8], NDArray[np.int64]]:
    """The WEIGHTS payload of a part, the entries [round, stream, entry] and the records [record, 2], kind and count.

    fetches: plane, row, col, mask, after. additions: stream, vector, accumulator, digit plane. planes: digit plane, its
    last vector, doublings after it.
    """

def package_graph(data: bytes, where: str) -> Graph:
    """The graph in a package, its file's bytes; `where` names their origin in errors."""

class Emulator:
    """layers: names of those whose maps `run` gives."""

    def __init__(self, graph: Graph, layers: Sequence[str], threads: int, simd: Simd) -> None: ...
    def run(self, images: NDArray[np.int8]) -> list[NDArray[np.int8]]:
        """Maps int8 [N, F, H, W] of the kept layers, in order, of images int8 [N, C, H, W]. Other threads go on."""

MOST_BOXES: int
Found = tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]
"""Boxes [D, 4], left, top, right, bottom; scores [D]; numbers of classes [D]."""

def inner(image: tuple[int, int], input: tuple[int, int], letterbox: bool) -> tuple[int, int, int, int]:
    """Left, top, width and height of an image in an input, each given as height and width."""

def frame(image: NDArray[np.uint8], input: tuple[int, int], letterbox: bool) -> NDArray[np.int8]:
    """RGB [H, W, 3], whose pixels lie side by side, as the input [h, w, 3], less 128. Other threads go on."""

def in_pixels(
    boxes: NDArray[np.float32],
    scores: NDArray[np.float32],
    classes: NDArray[np.int64],
    image: tuple[int, int],
    input: tuple[int, int],
    letterbox: bool,
) -> Found:
    """Boxes in 0..1 of the input in pixels of the image; without those that are not on it."""

def decode_integers(
    head: NDArray[np.int8], anchors: NDArray[np.float32], scale: float, threshold: float
) -> Found:
    """Boxes in 0..1 of the input, best first, of a head [A * (5 + classes), h, w] whose values are `scale` as large."""

def decode_reals(head: NDArray[np.float32], anchors: NDArray[np.float32], threshold: float) -> Found:
    """The same of a head of real values."""

def suppress(
    boxes: NDArray[np.float32], scores: NDArray[np.float32], classes: NDArray[np.int64], overlap: float, limit: int
) -> NDArray[np.int64]:
    """Positions of the boxes that are kept, best first."""

def iou(a: NDArray[np.float32], b: NDArray[np.float32]) -> NDArray[np.float32]:
    """Intersection over union [Na, Nb] of boxes [Na, 4] and [Nb, 4]."""
