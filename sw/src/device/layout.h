// SPDX-License-Identifier: Apache-2.0
// How maps lie in the result memory of an engine.
//
// A feature memory word holds four channels of one tile, lane after lane, and is padded to whole bus beats. Words lie
// channel word after channel word, in each tile after tile by rows.
#pragma once

#include <sterna/tape.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sterna {

/// A word of the feature memory, as the engine's config gives it.
struct MemoryWord {
  int tile_h, tile_w;
  /// With what pads it.
  std::size_t bytes;
};

/// The region that holds a layer.
struct Store {
  std::string layer;
  /// Its first byte in the result memory.
  std::uint64_t offset;
  std::size_t words, tiles_h, tiles_w, height, width;
  /// The map lies split by phase, a quarter of the tile rows for each.
  bool is_split;
  /// Channel word, and byte in it, of each channel of the layer.
  std::vector<std::pair<std::size_t, std::size_t>> channels;

  std::size_t bytes(const MemoryWord& word) const { return words * tiles_h * tiles_w * word.bytes; }
  std::size_t map_size() const { return channels.size() * height * width; }
};

/// Where each column of a map, or of a phase of one, lies after the start of its row of lanes; `row` likewise.
std::vector<std::size_t> column_places(const Store& store, const MemoryWord& word);
std::size_t row_place(std::size_t row, const Store& store, const MemoryWord& word);

/// Writes the layer in `region`, which has an element for each byte of the store's region, to `map` [C, H, W].
template <typename Element>
void unpack(const Element* region, const Store& store, const MemoryWord& word, Element* map) {
  const std::vector<std::size_t> columns = column_places(store, word);
  const std::size_t tiles = store.tiles_h * store.tiles_w;
  std::vector<std::size_t> rows(store.height);
  for (std::size_t row = 0; row < store.height; ++row) rows[row] = row_place(row, store, word);
  for (const auto& [channel_word, byte] : store.channels) {
    const Element* channel = region + channel_word * tiles * word.bytes + byte;
    for (std::size_t row = 0; row < store.height; ++row) {
      for (std::size_t column = 0; column < store.width; ++column) *map++ = channel[rows[row] + columns[column]];
    }
  }
}

}  // namespace sterna
