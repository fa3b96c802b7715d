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
