// SPDX-License-Identifier: Apache-2.0
// What the compiler decided for a graph on an engine; graph, config and this give the tape, always the same bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "tape/config.h"

namespace sterna {

/// The filters that one CONV step computes.
struct OperationPart {
  static constexpr int kAbsent = -1;

  std::size_t groups = 0, channels = 0;
  std::vector<int> filters;  ///< [groups][channels]: the filter of each drained channel, or kAbsent.

  /// Channel words of a filter group, and of the part.
  std::size_t group_words() const { return (channels + STERNA_WORD_CHANNELS - 1) / STERNA_WORD_CHANNELS; }
  std::size_t words() const { return groups * group_words(); }
};

/// An operation's parts and the number of tiles that the clusters work on at once.
struct Spread {
  int tiles_at_once = 0;
  std::vector<OperationPart> parts;
};

/// How an operation runs that reads scratch memory, or makes maps for it: band after band of rows of tiles of its map.
struct Bands {
  std::int64_t rows = 0;  ///< Rows of tiles of a band.
  /// First word of the buffer into which rows of the sources are loaded, and how many it holds; 0 if the sources are in the
  /// feature memory.
  std::int64_t input_base = 0, input_rows = 0;
  /// First words of those that bands are made in, in turn; none if what it makes stays in the feature memory.
  std::vector<std::int64_t> outputs;
};

/// Layers are named by their numbers in the graph.
struct Plan {
  std::vector<std::size_t> stored;            ///< Layers that the engine stores to result memory.
  std::map<std::size_t, std::int64_t> bases;  ///< First feature memory word of each map that is in it as a whole.
  std::optional<std::size_t> load_after;      ///< The operation after which the next image may be loaded.
  std::vector<Spread> spreads;                ///< Of each operation.
  std::map<std::size_t, Bands> bands;         ///< Of the operations that run by bands; their maps that have no base spill.
  bool first_layer = false;                   ///< LOAD computes the first operation, in the place of the image.
};

}  // namespace sterna
