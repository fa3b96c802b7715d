"""How tensors lie in frame and result memory (docs/explanation/engine/memory.md).

A feature memory word holds four channels of one tile: `lanes * 4` bytes, lane `ly * tile_w + lx` first to
last, one byte per channel, padded to whole bus beats. Words lie channel word after channel word, in each tile
after tile by rows.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from sterna.package.package import Package, StoreRegion
from sterna.spec.config import WORD_CHANNELS, EngineConfig

_Element = TypeVar("_Element", np.int8, np.int64)


def pack_image(image: NDArray[np.int8], package: Package) -> bytes:
    """The bytes of the input region that hold `image` int8[C, H, W], which has 8 bits whatever the activations have."""
    return pack(image >> (8 - package.graph.act_bits), package.config).tobytes()


def pack(tensor: NDArray[np.int8], config: EngineConfig) -> NDArray[np.uint8]:
    """Memory bytes of `tensor` int8[C, H, W]: uint8[ceil(C/4), tiles, word_bytes].

    Channels and pixels that fill up words and tiles are 0.
    """
    channels, height, width = tensor.shape
    words, tiles_h, tiles_w = (
        -(-channels // WORD_CHANNELS),
        -(-height // config.tile_h),
        -(-width // config.tile_w),
    )
    whole = np.zeros((words * WORD_CHANNELS, tiles_h * config.tile_h, tiles_w * config.tile_w), np.int8)
    whole[:channels, :height, :width] = tensor
    split = whole.reshape(words, WORD_CHANNELS, tiles_h, config.tile_h, tiles_w, config.tile_w)
    lanes = split.transpose(0, 2, 4, 3, 5, 1).reshape(words, tiles_h * tiles_w, config.lanes * WORD_CHANNELS)
    memory = np.zeros((words, tiles_h * tiles_w, config.word_bytes), np.uint8)
    memory[..., : lanes.shape[-1]] = lanes.view(np.uint8)
    return memory


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
