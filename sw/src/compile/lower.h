// SPDX-License-Identifier: Apache-2.0
// Graph layers to what an engine computes: sums of shifted maps, requantised (docs/explanation/engine/layers.md).
//
// A program that compiles may lower a graph itself, as the Python package does in `sterna.compile.lower`: it may have
// kinds of layers that the library does not know. `lower` has the same rules, for packages that the library reads.
#pragma once

#include <sterna/tape.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
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

/// A map to compute: what one CONV step, or several, will do.
struct EngineOperation {
  std::vector<std::size_t> layers;   ///< Those that it covers; the last one names the map, unless it is an inner one.
  std::vector<std::size_t> sources;  ///< Maps whose channels the nonzeros count over.
  sterna_pool pool = STERNA_POOL_NONE;
  int filters = 0, gather_stride = 1, pad_value = 0;
  Requant requant{};  ///< With an entry for each filter.
  /// Makes the nonzeros: all those of a network take much memory.
  std::function<std::vector<Nonzero>()> nonzeros{};
  /// The map that it makes, if it is on the way to that of its layer.
  std::optional<std::size_t> inner{};

  /// The map that it makes, and all that it makes: with KEEP that of its first layer too, split by phase.
  std::size_t output() const { return inner.value_or(layers.back()); }
  std::vector<std::size_t> outputs() const { return pool == STERNA_POOL_KEEP ? layers : std::vector{output()}; }
};

/// A map that is not computed: it shows channels of others, one after the other, or the reorg of one.
struct View {
  std::vector<std::size_t> maps;
  bool is_reorg = false;
};

/// A layer of the graph, or a map on the way to that of a layer, such as LAYER#1; and the size of the map.
struct LoweredLayer {
  std::string name;
  int height = 0, width = 0;
};

/// Operations in order, and what else the tape depends on. Layers are named by their numbers in the graph.
struct Lowered {
  std::vector<LoweredLayer> layers;  ///< Those of the graph, then inner maps.
  std::size_t input = 0;
  Input image;
  int act_bits = 0;
  std::vector<std::size_t> outputs;
  std::vector<EngineOperation> operations;
  std::map<std::size_t, View> views;
  /// The computed maps that lie in memory split by phase; a reorg of such a map is a view.
  std::set<std::size_t> split;

  /// The computed (or input) maps that a map shows.
  std::vector<std::size_t> shown(std::size_t map) const;
  /// The number of the layer called `name`; throws `Error` if there is none.
  std::size_t find(const std::string& name) const { return find_layer(layers, name); }
};

/// The graph has to live as long as what is made of it.
Lowered lower(const Graph& graph);

/// The same results, without a clamp or a rounding that change none of them.
Requant least_requant(const Graph& graph, Requant requant);

}  // namespace sterna
