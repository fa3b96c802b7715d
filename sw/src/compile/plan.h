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

/// Layers are named by their numbers in the graph.
struct Plan {
  std::vector<std::size_t> stored;            ///< Layers that the engine stores to result memory.
  std::map<std::size_t, std::int64_t> bases;  ///< First feature memory word of each map.
  std::optional<std::size_t> load_after;      ///< The operation after which the next image may be loaded.
  std::vector<Spread> spreads;                ///< Of each operation.
};

}  // namespace sterna
