// SPDX-License-Identifier: Apache-2.0
#include "device/layout.h"

namespace sterna {

// A map that is split holds pixel (2r + p, 2c + q) at row r and column c of phase 2p + q.

std::vector<std::size_t> column_places(const Store& store, const MemoryWord& word) {
  const std::size_t tile_w = word.tile_w;
  const std::size_t phase = store.is_split ? store.tiles_h / 4 * store.tiles_w * word.bytes : 0;
  std::vector<std::size_t> places(store.width);
  for (std::size_t column = 0; column < store.width; ++column) {
    const std::size_t x = store.is_split ? column / 2 : column;
    places[column] = x / tile_w * word.bytes + x % tile_w * STERNA_WORD_CHANNELS + column % 2 * phase;
  }
  return places;
}

std::size_t row_place(std::size_t row, const Store& store, const MemoryWord& word) {
  const std::size_t tile_h = word.tile_h;
  const std::size_t tiles_up = store.is_split ? row % 2 * (store.tiles_h / 2) : 0;
  const std::size_t y = store.is_split ? row / 2 : row;
  return (tiles_up + y / tile_h) * store.tiles_w * word.bytes + y % tile_h * word.tile_w * STERNA_WORD_CHANNELS;
}

}  // namespace sterna
