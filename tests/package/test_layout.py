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
from support.packages import small_images, small_package

NANO = load_config("nano")


def config_of(tile_h: int, tile_w: int, axi_data_w: int) -> EngineConfig:
    update = {"tile_h": tile_h, "tile_w": tile_w, "axi_data_w": axi_data_w, "pes": 16, "chunk_bytes": 4}
    return NANO.model_copy(update=update)


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


@settings(max_examples=60)
@given(tiles, tiles, st.sampled_from([64, 128, 512]), shapes, st.integers(0, 99))
def test_pack(tile_h: int, tile_w: int, axi_data_w: int, shape: tuple[int, int, int], seed: int) -> None:
    config, tensor = config_of(tile_h, tile_w, axi_data_w), tensor_of(seed, shape)
    memory = layout.pack(tensor, config).tobytes()
    channels, height, width = shape
    expected = bytearray(len(memory))
    for c, y, x in np.ndindex(shape):
        expected[address(config, width, height, y, x, c // 4, c % 4)] = int(tensor[c, y, x]) & 0xFF
    assert memory == bytes(expected)
    assert len(memory) == -(-channels // 4) * -(-height // tile_h) * -(-width // tile_w) * config.word_bytes


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
    phases = [layout.pack(tensor[:, p // 2 :: 2, p % 2 :: 2], config) for p in range(4)]
    memory = np.stack(phases, axis=1)
    store = StoreRegion(
        layer="x",
        dram_offset=0,
        words=len(memory),
        tiles_h=4 * -(-height // tile_h),
        tiles_w=-(-width // tile_w),
        height=2 * height,
        width=2 * width,
        split=True,
        channels=tuple((c // 4, c % 4) for c in range(channels)),
    )
    assert np.array_equal(layout.unpack(memory.tobytes(), store, config), tensor)


@pytest.mark.parametrize(("tile", "axi_data_w", "size"), [(5, 64, 104), (5, 128, 112), (13, 512, 704)])
def test_word_bytes(tile: int, axi_data_w: int, size: int) -> None:
    assert config_of(tile, tile, axi_data_w).word_bytes == size


@pytest.mark.parametrize("act_w", [4, 8])
def test_an_image_has_as_many_bits_as_the_activations(act_w: int) -> None:
    config, image = NANO.model_copy(update={"act_w": act_w}), small_images(1)[0]
    packed = layout.pack_image(image, small_package(config))
    assert packed == layout.pack(image // 2 ** (8 - act_w), config).tobytes()
