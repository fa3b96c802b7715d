// SPDX-License-Identifier: Apache-2.0
// Where maps lie in the feature memory (docs/explanation/engine/memory.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "compile/lower.h"
#include "compile/plan.h"
#include "tape/config.h"

namespace sterna {

/// Consecutive feature memory words.
struct Region {
  std::int64_t base = 0, words = 0;

  std::int64_t end() const { return base + words; }
  bool overlaps(const Region& other) const { return base < other.end() && other.base < end(); }
  bool operator==(const Region&) const = default;
};

/// Where a channel lies: in byte `byte` of the words from `plane` on, one word per tile.
struct ChannelPlace {
  std::int64_t plane = 0;
  int byte = 0;
  /// CONV step that wrote it (-1: loaded), and how many words of its last tile group each drain had written when all of
  /// the channel was.
  std::int64_t step = -1, written = -1;
};

/// A map in feature memory: channel word after channel word, or, as in scratch memory, row of tiles after row of tiles, and
/// in each of them channel word after channel word. One that is split by phase has four times the tile rows of one phase and
/// counts as so high: of a channel word, its phases follow each other.
struct FeatureMap {
  std::int64_t height = 0, width = 0, tiles_h = 0, tiles_w = 0;
  std::vector<ChannelPlace> channels;
  std::vector<Region> regions;  ///< Its memory: one for a computed map, several for a concat.
  std::int64_t row_words = 0;    ///< From a row of tiles to the next, of a phase.
  std::int64_t plane_words = 0;  ///< From a channel word to the next.

  std::int64_t tiles() const { return tiles_h * tiles_w; }
  std::int64_t words() const;
  /// Channel word and byte of each channel, counting channel words through the regions one after the other.
  std::vector<std::pair<std::size_t, std::size_t>> stored_channels() const;
};

/// Tiles of a layer's map, downwards and across.
std::pair<std::int64_t, std::int64_t> tile_counts(const Lowered& lowered, const EngineConfig& config, std::size_t layer);
/// Feature memory words of the image and of each map, by its layer.
std::map<std::size_t, std::int64_t> map_words(const Lowered& lowered, const EngineConfig& config,
                                              const std::vector<Spread>& spreads);
/// Feature memory words that `words` channel words of the operation take in each map that it makes.
std::vector<std::int64_t> made_words(const EngineOperation& operation, std::int64_t tiles, std::int64_t words);

/// The loaded image, its channels in order.
FeatureMap image_map(const Input& image, const EngineConfig& config, Region region);
/// The reorg, height x width, of a map that is split by phase: phase p of channel c is channel p*C + c.
FeatureMap phase_view(const FeatureMap& split, std::int64_t height, std::int64_t width);
/// The concatenation of maps of one size; nothing moves.
FeatureMap join_maps(const std::vector<FeatureMap>& maps);

}  // namespace sterna
