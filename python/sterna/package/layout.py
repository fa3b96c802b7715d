"""How tensors lie in frame and result memory (docs/explanation/engine/memory.md).

A frame is the image's bytes; the engine places its pixels.

In a result, a feature memory word holds four channels of one tile: `lanes * 4` bytes, lane `ly * tile_w + lx` first to
last, one byte per channel, padded to whole bus beats. Words lie channel word after channel word, in each tile
after tile by rows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sterna.graph.network import RGB
from sterna.native import libsterna
from sterna.package.package import StoreRegion
from sterna.spec.config import EngineConfig


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
    return libsterna.unpack(np.frombuffer(memory, np.int8), native_store(store), memory_word(config))


def places(store: StoreRegion, config: EngineConfig) -> NDArray[np.int64]:
    """Where each value of a stored layer lies: int64[C, H, W], in bytes from the start of its region."""
    return libsterna.unpack(np.arange(region_bytes(store, config)), native_store(store), memory_word(config))


def native_store(store: StoreRegion) -> libsterna.Store:
    """`store` as libsterna holds it."""
    return libsterna.Store(
        store.layer, store.dram_offset, store.words, store.tiles_h, store.tiles_w, store.height, store.width,
        store.split, store.channels,
    )  # fmt: skip


def memory_word(config: EngineConfig) -> libsterna.MemoryWord:
    """A word of the feature memory, as libsterna describes it."""
    return libsterna.MemoryWord(config.tile_h, config.tile_w, config.word_bytes)


def region_bytes(store: StoreRegion, config: EngineConfig) -> int:
    """Bytes of the memory region of a stored layer."""
    return store.words * store.tiles_h * store.tiles_w * config.word_bytes
