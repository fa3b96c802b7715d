"""Frame and result memory against the formulas of docs/explanation/engine/memory.md, written out pixel by pixel."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sterna.package import layout
from sterna.package.package import StoreRegion
from sterna.spec.config import EngineConfig, load_config
from sterna.vision.prepare import to_integers

NANO = load_config("nano")


def config_of(tile_h: int, tile_w: int, axi_data_w: int) -> EngineConfig:
    return NANO.model_copy(update={"tile_h": tile_h, "tile_w": tile_w, "axi_data_w": axi_data_w})


def address(config: EngineConfig, width: int, height: int, y: int, x: int, word: int, byte: int) -> int:
    """Byte of channel `byte` of channel word `word` at pixel (y, x)."""
    tiles_h, tiles_w = -(-height // config.tile_h), -(-width // config.tile_w)
    tile = (y // config.tile_h) * tiles_w + x // config.tile_w
    lane = (y % config.tile_h) * config.tile_w + x % config.tile_w
    word_bytes = -(-config.tile_h * config.tile_w * 4 * 8 // config.axi_data_w) * config.axi_data_w // 8
    return (word * tiles_h * tiles_w + tile) * word_bytes + lane * 4 + byte


def tensor_of(seed: int, shape: tuple[int, int, int]) -> NDArray[np.int8]:
    return np.random.default_rng(seed).integers(-128, 128, shape).astype(np.int8)


tiles = st.sampled_from([3, 5, 7, 13])
shapes = st.tuples(st.integers(1, 9), st.integers(1, 30), st.integers(1, 30))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_a_frame_is_the_bytes_of_the_image(channels: int) -> None:
    image = tensor_of(0, (channels, 5, 7))
    written = np.frombuffer(layout.frame(image), np.int8)
    side_by_side = channels == 3
    assert layout.is_interleaved(channels) == side_by_side
    for c, y, x in np.ndindex(image.shape):
        assert written[(y * 7 + x) * 3 + c if side_by_side else (c * 5 + y) * 7 + x] == image[c, y, x]
    assert layout.frame_bytes(channels, 5, 7, config_of(5, 5, 128)) == -(-channels * 35 // 16) * 16


def test_prepared_images_lie_as_a_frame_does() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (6, 8, 3)).astype(np.uint8)
    assert layout.frame(to_integers(pixels)) == (pixels ^ 128).tobytes()


@settings(max_examples=60)
@given(tiles, tiles, st.sampled_from([64, 128, 512]), shapes, st.integers(0, 99))
def test_unpack(tile_h: int, tile_w: int, axi_data_w: int, shape: tuple[int, int, int], seed: int) -> None:
    """Channels lie anywhere in more words than they need, among bytes that belong to nobody."""
    config, tensor = config_of(tile_h, tile_w, axi_data_w), tensor_of(seed, shape)
    rng = np.random.default_rng(seed)
    channels, height, width = shape
    words = -(-channels // 4) + 2
    places = [(int(place) // 4, int(place) % 4) for place in rng.permutation(words * 4)[:channels]]
    store = StoreRegion(
        layer="x",
        dram_offset=0,
        words=words,
        tiles_h=-(-height // tile_h),
        tiles_w=-(-width // tile_w),
        height=height,
        width=width,
        split=False,
        channels=tuple(places),
    )
    memory = bytearray(rng.bytes(layout.region_bytes(store, config)))
    for c, y, x in np.ndindex(shape):
        memory[address(config, width, height, y, x, *places[c])] = int(tensor[c, y, x]) & 0xFF
    assert np.array_equal(layout.unpack(bytes(memory), store, config), tensor)


@settings(max_examples=30)
@given(tiles, tiles, shapes, st.integers(0, 99))
def test_unpack_joins_phases(tile_h: int, tile_w: int, shape: tuple[int, int, int], seed: int) -> None:
    """Phase p of a map that is split holds pixels (2y + p div 2, 2x + p mod 2), phase after phase in each word."""
    config, (channels, height, width) = config_of(tile_h, tile_w, 64), shape
    tensor = tensor_of(seed, (channels, 2 * height, 2 * width))
    tiles_h, tiles_w = -(-height // tile_h), -(-width // tile_w)
    words = -(-channels // 4)
    memory = np.zeros((words, 4, tiles_h * tiles_w * config.word_bytes), np.int8)
    for c, y, x in np.ndindex(channels, height, width):
        for p in range(4):
            place = address(config, width, height, y, x, 0, c % 4)
            memory[c // 4, p, place] = tensor[c, 2 * y + p // 2, 2 * x + p % 2]
    store = StoreRegion(
        layer="x",
        dram_offset=0,
        words=words,
        tiles_h=4 * tiles_h,
        tiles_w=tiles_w,
        height=2 * height,
        width=2 * width,
        split=True,
        channels=tuple((c // 4, c % 4) for c in range(channels)),
    )
    assert np.array_equal(layout.unpack(memory.tobytes(), store, config), tensor)


@pytest.mark.parametrize(("tile", "axi_data_w", "size"), [(5, 64, 104), (5, 128, 112), (13, 512, 704)])
def test_word_bytes(tile: int, axi_data_w: int, size: int) -> None:
    assert config_of(tile, tile, axi_data_w).word_bytes == size
