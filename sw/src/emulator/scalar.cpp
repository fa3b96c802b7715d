// SPDX-License-Identifier: Apache-2.0
#include "emulator/scalar.h"

#include <algorithm>

namespace sterna::scalar {
namespace {

/// A map with the sizes of its tensor.
struct View {
  const Map& map;
  const TensorInfo& tensor;

  std::int8_t at(int channel, int y, int x) const {
    return map[(static_cast<std::size_t>(channel) * tensor.height + y) * tensor.width + x];
  }
};

struct Computing {
  const Graph& graph;
  std::size_t layer;
  std::span<const Map* const> sources;

  const TensorInfo& made() const { return graph.tensor(layer); }
  View source(std::size_t number) const { return {*sources[number], graph.tensor(graph.sources(layer)[number])}; }

  /// The map whose values `value(channel, y, x)` gives.
  template <typename Value>
  Map filled(Value value) const {
    Map map;
    map.reserve(made().size());
    for (int channel = 0; channel < made().channels; ++channel) {
      for (int y = 0; y < made().height; ++y) {
        for (int x = 0; x < made().width; ++x) map.push_back(value(channel, y, x));
      }
    }
    return map;
  }

  Map operator()(const Input&) const { return {}; }

  Map operator()(const Conv& conv) const {
    const View in = source(0);
    return filled([&](int filter, int y, int x) {
      const std::int64_t s = sum(conv, in, filter, conv.stride * y - conv.padding[0], conv.stride * x - conv.padding[1]);
      return requantised(s, conv.requant, filter, graph.act_min(), graph.act_max());
    });
  }

  /// The sum of a filter whose first tap is at row `top`, column `left` of the input.
  static std::int64_t sum(const Conv& conv, const View& in, int filter, int top, int left) {
    std::int64_t s = 0;
    const std::int8_t* weight = &conv.weights[std::size_t{1} * filter * conv.channels * conv.kernel * conv.kernel];
    for (int channel = 0; channel < conv.channels; ++channel) {
      for (int y = top; y < top + conv.kernel; ++y) {
        for (int x = left; x < left + conv.kernel; ++x) {
          const bool inside = y >= 0 && y < in.tensor.height && x >= 0 && x < in.tensor.width;
          s += *weight++ * (inside ? in.at(channel, y, x) : in.tensor.zero_point);
        }
      }
    }
    return s;
  }

  Map operator()(const MaxPool& pool) const {
    const View in = source(0);
    return filled([&](int channel, int y, int x) {
      const int top = pool.stride * y, left = pool.stride * x;
      const int bottom = std::min(top + 1, in.tensor.height - 1), right = std::min(left + 1, in.tensor.width - 1);
      return std::max({in.at(channel, top, left), in.at(channel, top, right), in.at(channel, bottom, left),
                       in.at(channel, bottom, right)});
    });
  }

  Map operator()(const Reorg&) const {
    const View in = source(0);
    return filled([&](int channel, int y, int x) {
      const int phase = channel / in.tensor.channels;
      return in.at(channel % in.tensor.channels, 2 * y + phase / 2, 2 * x + phase % 2);
    });
  }

  Map operator()(const Concat&) const {
    Map map;
    for (const Map* each : sources) map.insert(map.end(), each->begin(), each->end());
    return map;
  }

  Map operator()(const Add& add) const {
    const View a = source(0), b = source(1);
    return filled([&](int channel, int y, int x) {
      const std::int64_t s = a.at(channel, y, x) + b.at(channel, y, x);
      return requantised(s, add.requant, channel, graph.act_min(), graph.act_max());
    });
  }

  Map operator()(const Output&) const { return *sources[0]; }
};

}  // namespace

std::int8_t requantised(std::int64_t s, const Requant& requant, int filter, int act_min, int act_max) {
  std::int64_t t = s * requant.multiplier[filter] + requant.bias[filter];
  if (t < 0 && requant.activation == Activation::relu) t = 0;
  if (t < 0 && requant.activation == Activation::leaky) t >>= 3;
  t += (std::int64_t{1} << requant.shift) >> 1;
  return static_cast<std::int8_t>(std::clamp<std::int64_t>(t >> requant.shift, act_min, act_max));
}

Map compute(const Graph& graph, std::size_t layer, std::span<const Map* const> sources) {
  return std::visit(Computing{graph, layer, sources}, graph.layers()[layer].operation);
}

Map input(const Graph& graph, const std::int8_t* image) {
  const TensorInfo& tensor = graph.tensor(graph.input());
  const std::vector<std::int8_t>& table = std::get<Input>(graph.layers()[graph.input()].operation).table;
  Map map(image, image + tensor.size());
  for (std::size_t at = 0; at < map.size(); ++at) {
    const std::int8_t value = map[at];
    map[at] = table.empty() ? static_cast<std::int8_t>(value >> (8 - graph.act_bits()))
                            : table[at / tensor.pixels() * 256 + static_cast<std::size_t>(value + 128)];
  }
  return map;
}

}  // namespace sterna::scalar
