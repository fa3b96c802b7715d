"""How tensors lie in frame and result memory (docs/explanation/engine/memory.md).

A frame is the image's bytes; the engine places its pixels.

In a result, a feature memory word holds four channels of one tile: `lanes * 4` bytes, lane `ly * tile_w + lx` first to
last, one byte per channel, padded to whole bus beats. Words lie channel word after channel word, in each tile
after tile by rows.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sterna.graph.network import RGB
from sterna.package.package import StoreRegion
from sterna.spec.config import WORD_CHANNELS, EngineConfig

_Element = TypeVar("_Element", np.int8, np.int64)


def is_interleaved(channels: int) -> bool:
    """Whether the driver puts a frame of so many channels into memory pixel by pixel."""
    return channels == RGB


def frame_bytes(channels: int, height: int, width: int, config: EngineConfig) -> int:
    """Bytes of a frame, whole bus beats."""
    return config.in_beats(channels * height * width)


def frame(image: NDArray[np.int8]) -> bytes:
    """`image` int8[C, H, W] as a frame: a byte for each channel of each pixel, by rows.

    An image that is a view of pixels, as `sterna.prepare` makes it, lies so already.
    """
    return (np.moveaxis(image, 0, -1) if is_interleaved(len(image)) else image).tobytes()


def unpack(memory: bytes | memoryview, store: StoreRegion, config: EngineConfig) -> NDArray[np.int8]:
    """The layer int8[C, H, W] that `memory`, the bytes of its region, holds; one that is split by phase is joined."""
    return _layer(np.frombuffer(memory, np.int8), store, config)


def places(store: StoreRegion, config: EngineConfig) -> NDArray[np.int64]:
    """Where each value of a stored layer lies: int64[C, H, W], in bytes from the start of its region."""
    return _layer(np.arange(region_bytes(store, config)), store, config)


def _layer(region: NDArray[_Element], store: StoreRegion, config: EngineConfig) -> NDArray[_Element]:
    """Those of `region`, one for each byte of a region, that are the layer's, as [C, H, W]."""
    lanes = region.reshape(store.words, store.tiles_h, store.tiles_w, config.word_bytes)
    split = lanes[..., : config.lanes * WORD_CHANNELS].reshape(
        store.words, store.tiles_h, store.tiles_w, config.tile_h, config.tile_w, WORD_CHANNELS
    )
    words, lane_bytes = np.array(store.channels).T
    tensor = split.transpose(0, 5, 1, 3, 2, 4)[words, lane_bytes]
    height, width = store.tiles_h * config.tile_h, store.tiles_w * config.tile_w
    whole: NDArray[_Element] = tensor.reshape(len(words), height, width)
    if store.split:
        phases = whole.reshape(len(words), 2, 2, height // 4, width)[..., : store.height // 2, : store.width // 2]
        whole = phases.transpose(0, 3, 1, 4, 2).reshape(len(words), store.height, store.width)
    return whole[:, : store.height, : store.width]


def region_bytes(store: StoreRegion, config: EngineConfig) -> int:
    """Bytes of the memory region of a stored layer."""
    return store.words * store.tiles_h * store.tiles_w * config.word_bytes
