// SPDX-License-Identifier: Apache-2.0
// Operations that run by bands of rows of tiles, as their maps lie in scratch memory (docs/explanation/engine/memory.md).
#pragma once

#include <cstddef>
#include <cstdint>
#include <set>
#include <vector>

#include "compile/lower.h"
#include "compile/maps.h"
#include "compile/plan.h"

namespace sterna {

/// A map as rows of tiles: how many there are, and words of one in scratch memory and in buffers.
struct MapRows {
  std::int64_t count = 0, words = 0;
};

/// Rows of tiles from `first` on.
struct RowRange {
  std::int64_t first = 0, count = 0;
};

/// Rows of tiles in a buffer, from its row `place` on; of these, the last `loads` are loaded for the band that needs them.
struct BufferRows {
  RowRange rows;
  std::int64_t place = 0, loads = 0;

  std::int64_t end() const { return rows.first + rows.count; }
  /// Whether what is loaded for `next` does not lie where these are.
  bool stay_beside(const BufferRows& next) const {
    const std::int64_t first = next.place + next.rows.count - next.loads;
    return first >= place + rows.count || first + next.loads <= place;
  }
};

/// Which rows of tiles of its sources an operation needs.
class RowNeeds {
 public:
  /// sources: of how many rows; map: of the operation; align: bands of the sources begin at a multiple of so many rows.
  RowNeeds(const EngineConfig& config, const EngineOperation& operation, const std::vector<Nonzero>& nonzeros,
           std::int64_t sources, std::int64_t map, std::int64_t align);

  /// The first one that row `row` of the map needs.
  std::int64_t top(std::int64_t row) const;
  /// Those of `band`.
  RowRange needed(RowRange band) const;
  /// The most that a band of `rows` needs.
  std::int64_t most(std::int64_t rows) const;
  /// Where `band` finds what it needs in a buffer of `room` rows, in which lies what the band before, if any, needed: behind
  /// that, of which it uses what it can, or from the beginning on.
  BufferRows in_buffer(RowRange band, std::int64_t room, const BufferRows* before) const;
  /// Pixel rows from the first one of row `top(row)` to where the windows of row `row` are counted from.
  std::int64_t offset(std::int64_t row) const { return (row * stride_ - top(row)) * tile_h_; }
  /// Band number `band` of those of `rows`; and how many there are.
  RowRange band(std::int64_t number, std::int64_t rows) const;
  std::int64_t bands(std::int64_t rows) const { return (map_ + rows - 1) / rows; }

 private:
  std::int64_t tile_h_, stride_, sources_, map_, align_;
  std::int64_t above_ = 0, below_ = 0;  ///< Rows of tiles above a window's own, and pixel rows of the lowest tap.
};

/// Whether an operation reads the phases of a map that is split by phase, and makes them.
bool is_of_phases(const Lowered& lowered, const EngineOperation& operation);

/// The computed maps that an operation reads, each once.
std::vector<std::size_t> computed_sources(const Lowered& lowered, const EngineOperation& operation);

/// Rows of tiles of a map that has `words` feature memory words.
MapRows map_rows(const Lowered& lowered, const EngineConfig& config, std::size_t layer, std::int64_t words);

/// Rows of tiles of which bands of the sources begin at a multiple, so that they begin at a beat: of the image alone.
std::int64_t row_align(const Lowered& lowered, const EngineConfig& config, const std::vector<std::size_t>& sources);

/// A map that lies by rows, in a buffer `region` that holds the rows from `first` on, `row_words` apart, its own ones
/// `offset` words after their beginning.
FeatureMap in_buffer(const FeatureMap& map, Region region, std::int64_t first, std::int64_t row_words, std::int64_t offset);

/// What is at and below row `top` of a map; of the phases of a split one, that row.
FeatureMap below(const FeatureMap& map, std::int64_t top, int tile_h, bool is_of_phases);

}  // namespace sterna
