// SPDX-License-Identifier: Apache-2.0
// Graph layers to what an engine computes: sums of shifted maps, requantised (docs/explanation/engine/layers.md).
//
// The same rules as `sterna.compile.lower` of the Python package, which is the specification.
#pragma once

#include <sterna/tape.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "graph/graph.h"

namespace sterna {

/// Row and column of the four phases of a 2x2 window, in the order of accumulators and of reorg's channel groups.
inline constexpr std::array<std::array<int, 2>, 4> kPhases{{{0, 0}, {0, 1}, {1, 0}, {1, 1}}};

/// A nonzero weight. `channel` counts over the concatenated sources; `row` and `col` are offsets of the input pixel from
/// `gather_stride` times the output pixel; `phase` is 0 unless the operation pools.
struct Nonzero {
  std::int32_t filter, channel;
  std::int16_t row, col;
  std::int8_t phase, value;
};

/// What one CONV step, or several, will do: a layer and the pool or reorg that is fused into it.
struct EngineOperation {
  std::size_t layer = 0;
  std::optional<std::size_t> follower;
  sterna_pool pool = STERNA_POOL_NONE;
  int filters = 0, gather_stride = 1, pad_value = 0;

  /// The map that it makes, and all that it makes: with KEEP that of its layer too, split by phase.
  std::size_t output() const { return follower.value_or(layer); }
  std::vector<std::size_t> outputs() const;
};

/// Operations in order, and what else there is to know of maps. Layers are named by their numbers in the graph.
struct Lowered {
  std::vector<EngineOperation> operations;
  /// For each map that is not computed, the maps whose channels it shows.
  std::map<std::size_t, std::vector<std::size_t>> views;
  /// The computed maps that lie in memory split by phase; a reorg of such a map is a view.
  std::set<std::size_t> split;

  /// The computed (or input) maps that a map shows.
  std::vector<std::size_t> sources(std::size_t map) const;
};

Lowered lower(const Graph& graph);

/// The nonzero weights of an operation, and its requantisation with an entry for each filter.
std::vector<Nonzero> nonzeros(const Graph& graph, const EngineOperation& operation);
Requant requant(const Graph& graph, const EngineOperation& operation);
/// The same results, without a clamp or a rounding that change none of them.
Requant least_requant(const Graph& graph, Requant requant);

}  // namespace sterna
