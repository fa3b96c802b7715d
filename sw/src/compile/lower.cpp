// SPDX-License-Identifier: Apache-2.0
#include "compile/lower.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string>
#include <utility>

namespace sterna {
namespace {

template <typename Kind>
const Kind* as(const Graph& graph, std::size_t layer) {
  return std::get_if<Kind>(&graph.layers()[layer].operation);
}

bool is_half_pool(const Graph& graph, std::size_t layer) {
  const MaxPool* pool = as<MaxPool>(graph, layer);
  return pool && pool->halves();
}

bool is_pointwise(const Conv& conv) {
  return conv.kernel == 1 && conv.stride == 1 && conv.padding == std::array<int, 4>{};
}

/// Whether the layer is a convolution that a pool or a reorg can be fused into.
bool takes_follower(const Graph& graph, std::size_t layer) {
  const Conv* conv = as<Conv>(graph, layer);
  return conv && conv->stride == 1;
}

/// The pool that can be fused into a conv which others read as well.
std::optional<std::size_t> kept_pool(const Graph& graph, std::size_t layer) {
  const std::vector<std::size_t>& users = graph.users(layer);
  const auto is_pool = [&](std::size_t user) { return is_half_pool(graph, user); };
  if (!takes_follower(graph, layer) || users.size() < 2 || std::ranges::count_if(users, is_pool) != 1) return {};
  return *std::ranges::find_if(users, is_pool);
}

/// The pool or reorg that alone reads a conv, so that nobody needs the conv's own map.
std::optional<std::size_t> fusible(const Graph& graph, std::size_t layer) {
  const std::vector<std::size_t>& users = graph.users(layer);
  if (!takes_follower(graph, layer) || users.size() != 1) return {};
  if (!as<Reorg>(graph, users[0]) && !is_half_pool(graph, users[0])) return {};
  return users[0];
}

/// Whether a layer can read a map that is split by phase, and all that read its own map can too.
bool reads_split(const Graph& graph, std::size_t layer) {
  if (const Conv* conv = as<Conv>(graph, layer); conv && is_pointwise(*conv)) {
    return std::ranges::all_of(graph.users(layer), [&](std::size_t user) { return reads_split(graph, user); });
  }
  return as<Reorg>(graph, layer) || as<Output>(graph, layer);
}

bool is_even(const Graph& graph, std::size_t layer) {
  return graph.tensor(layer).height % 2 == 0 && graph.tensor(layer).width % 2 == 0;
}

/// Convs that are computed split by phase: those that a pool and others read, and the 1x1 convs after them.
std::set<std::size_t> split_maps(const Graph& graph) {
  std::set<std::size_t> split;
  for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
    const std::optional<std::size_t> pool = kept_pool(graph, layer);
    const Conv* conv = as<Conv>(graph, layer);
    if (pool && is_even(graph, layer)) {
      const bool all_read = std::ranges::all_of(
          graph.users(layer), [&](std::size_t user) { return user == *pool || reads_split(graph, user); });
      if (all_read) split.insert(layer);
    } else if (conv && split.contains(graph.sources(layer)[0]) && is_pointwise(*conv)) {
      split.insert(layer);
    }
  }
  return split;
}

/// One copy of the nonzeros for each phase: as phases of a filter (step 0), or as filters of their own. distance: of the
/// pixels of a window.
std::vector<Nonzero> over_phases(const std::vector<Nonzero>& nonzeros, int filter_step, int distance = 1) {
  std::vector<Nonzero> copies;
  copies.reserve(nonzeros.size() * kPhases.size());
  for (int phase = 0; phase < static_cast<int>(kPhases.size()); ++phase) {
    for (Nonzero each : nonzeros) {
      each.filter += filter_step * phase;
      each.phase = static_cast<std::int8_t>(filter_step ? 0 : phase);
      each.row = static_cast<std::int16_t>(each.row + distance * kPhases[phase][0]);
      each.col = static_cast<std::int16_t>(each.col + distance * kPhases[phase][1]);
      copies.push_back(each);
    }
  }
  return copies;
}

std::vector<Nonzero> of_weights(const Conv& conv) {
  std::vector<Nonzero> found;
  const std::int8_t* weight = conv.weights.data();
  for (int filter = 0; filter < conv.filters; ++filter) {
    const int first = conv.first_channel(filter);
    for (int channel = first; channel < first + conv.channels; ++channel) {
      for (int row = 0; row < conv.kernel; ++row) {
        for (int col = 0; col < conv.kernel; ++col, ++weight) {
          if (!*weight) continue;
          found.push_back({filter, channel, static_cast<std::int16_t>(row - conv.padding[0]),
                           static_cast<std::int16_t>(col - conv.padding[1]), 0, *weight});
        }
      }
    }
  }
  return found;
}

/// The weight of each input from each of its channels to the filter of the same number.
std::vector<Nonzero> of_channels(int channels, std::span<const int> weights) {
  std::vector<Nonzero> made;
  int from = 0;
  for (int weight : weights) {
    for (int channel = 0; channel < channels; ++channel, ++from) {
      made.push_back({channel, from, 0, 0, 0, static_cast<std::int8_t>(weight)});
    }
  }
  return made;
}

std::vector<Nonzero> ones(int channels) { return of_channels(channels, std::array{1}); }

/// The requantisation of `filters` filters, which takes that of a layer in turns.
Requant repeated(Requant requant, int filters) {
  const auto all = static_cast<std::size_t>(filters), own = requant.multiplier.size();
  for (std::size_t filter = own; filter < all; ++filter) {
    requant.multiplier.push_back(requant.multiplier[filter - own]);
    requant.bias.push_back(requant.bias[filter - own]);
  }
  return requant;
}

Requant identity(int filters) {
  const auto all = static_cast<std::size_t>(filters);
  return {std::vector<std::int64_t>(all, 1), std::vector<std::int64_t>(all, 0), 0, Activation::linear};
}

EngineOperation of_conv(const Graph& graph, std::size_t layer, std::optional<std::size_t> follower, bool keep) {
  const Conv& conv = *as<Conv>(graph, layer);
  EngineOperation made{{layer}, graph.sources(layer)};
  if (follower) made.layers.push_back(*follower);
  const bool has_phases = follower.has_value(), is_pooled = has_phases && as<MaxPool>(graph, *follower);
  made.filters = has_phases && !is_pooled ? conv.filters * static_cast<int>(kPhases.size()) : conv.filters;
  made.gather_stride = has_phases ? 2 : conv.stride;
  made.pad_value = graph.tensor(graph.sources(layer)[0]).zero_point;
  if (is_pooled) made.pool = keep ? STERNA_POOL_KEEP : STERNA_POOL_MAX;
  made.requant = repeated(least_requant(graph, conv.requant), made.filters);
  made.nonzeros = [&conv, is_pooled, has_phases] {
    return has_phases ? over_phases(of_weights(conv), is_pooled ? 0 : conv.filters) : of_weights(conv);
  };
  return made;
}

/// Distances of the pixels of each 2x2 maximum, one after the other, that make a window of `kernel` pixels.
std::vector<int> pool_distances(int kernel) {
  std::vector<int> distances;
  for (int reached = 1; reached < kernel; reached += distances.back()) {
    distances.push_back(std::min(reached, kernel - reached));
  }
  return distances;
}

/// Adds maxima of 2x2 pixels, each of those before; the padding is the first one's, the stride the last one's.
void add_pools(const Graph& graph, std::size_t layer, const MaxPool& pool, Lowered& lowered) {
  const TensorInfo& tensor = graph.tensor(layer);
  std::size_t source = graph.sources(layer)[0];
  auto [top, left, bottom, right] = pool.padding;
  int missing = pool.kernel - 1, number = 0;  // pixels of a window beside those that a maximum holds
  for (int distance : pool_distances(pool.kernel)) {
    missing -= distance;
    EngineOperation made{{layer}, {source}, STERNA_POOL_MAX, tensor.channels, missing ? 1 : pool.stride, graph.act_min(),
                         identity(tensor.channels)};
    made.nonzeros = [channels = tensor.channels, row = -top, col = -left, distance] {
      std::vector<Nonzero> corner = ones(channels);
      for (Nonzero& each : corner) {
        each.row = static_cast<std::int16_t>(row);
        each.col = static_cast<std::int16_t>(col);
      }
      return over_phases(corner, 0, distance);
    };
    if (missing) {
      const auto size = [&](int made_size) { return pool.stride * (made_size - 1) + missing + 1; };
      made.inner = lowered.layers.size();
      lowered.layers.push_back({graph.layers()[layer].name + "#" + std::to_string(++number), size(tensor.height), size(tensor.width)});
    }
    source = made.output();
    lowered.operations.push_back(std::move(made));
    top = left = 0;
  }
}

EngineOperation of_reorg(const Graph& graph, std::size_t layer) {
  const int channels = graph.tensor(graph.sources(layer)[0]).channels, filters = graph.tensor(layer).channels;
  EngineOperation made{{layer}, graph.sources(layer), STERNA_POOL_NONE, filters, 2, 0, identity(filters)};
  made.nonzeros = [channels] { return over_phases(ones(channels), channels); };
  return made;
}

EngineOperation of_add(const Graph& graph, std::size_t layer, const Add& add) {
  const int channels = graph.tensor(layer).channels;
  EngineOperation made{{layer}, graph.sources(layer), STERNA_POOL_NONE, channels, 1, 0,
                       least_requant(graph, add.requant)};
  made.nonzeros = [channels, weights = add.weights] { return of_channels(channels, weights); };
  return made;
}

EngineOperation of_layer(const Graph& graph, std::size_t layer, std::optional<std::size_t> follower, bool keep) {
  if (as<Conv>(graph, layer)) return of_conv(graph, layer, follower, keep);
  if (const Add* add = as<Add>(graph, layer)) return of_add(graph, layer, *add);
  return of_reorg(graph, layer);
}

}  // namespace

std::vector<std::size_t> Lowered::shown(std::size_t map) const {
  const auto found = views.find(map);
  if (found == views.end()) return {map};
  std::vector<std::size_t> all;
  for (std::size_t part : found->second.maps) {
    const std::vector<std::size_t> more = shown(part);
    all.insert(all.end(), more.begin(), more.end());
  }
  return all;
}

Lowered lower(const Graph& graph) {
  Lowered lowered{{}, graph.input(), *as<Input>(graph, graph.input()), graph.act_bits(), {}, {}, {}, split_maps(graph)};
  for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
    lowered.layers.push_back({graph.layers()[layer].name, graph.tensor(layer).height, graph.tensor(layer).width});
  }
  std::set<std::size_t> fused;
  for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
    if (as<Output>(graph, layer)) lowered.outputs.push_back(layer);
    if (fused.contains(layer) || as<Input>(graph, layer)) continue;
    const bool shows_split = as<Reorg>(graph, layer) && lowered.split.contains(graph.sources(layer)[0]);
    if (as<Concat>(graph, layer) || as<Output>(graph, layer) || shows_split) {
      lowered.views[layer] = {graph.sources(layer), shows_split};
      continue;
    }
    if (const MaxPool* pool = as<MaxPool>(graph, layer)) {
      add_pools(graph, layer, *pool, lowered);
      continue;
    }
    const bool keep = lowered.split.contains(layer);
    const std::optional<std::size_t> follower = keep ? kept_pool(graph, layer) : fusible(graph, layer);
    if (follower) fused.insert(*follower);
    lowered.operations.push_back(of_layer(graph, layer, follower, keep));
  }
  return lowered;
}

Requant least_requant(const Graph& graph, Requant requant) {
  const auto [low, high] = requant.limits(graph.act_min(), graph.act_max());
  const bool is_least = low == graph.act_min() || (low <= 0 && requant.activation == Activation::relu);
  if (is_least && high == graph.act_max()) requant.clamp = {};
  requant.half_even = requant.half_even && requant.shift > 0;
  return requant;
}

}  // namespace sterna
