// SPDX-License-Identifier: Apache-2.0
#include "emulator/scalar.h"

#include <algorithm>

namespace sterna::scalar {
namespace {

/// A map with the sizes of its tensor.
struct View {
  const std::int8_t* map;
  const TensorInfo& tensor;

  int at(int channel, int y, int x) const {
    return map[(static_cast<std::size_t>(channel) * tensor.height + y) * tensor.width + x];
  }
};

/// The value of layer number `layer` at row y, column x of channel `channel`, one overload per operation.
struct Value {
  const Graph& graph;
  std::size_t layer;
  std::span<const std::int8_t* const> sources;
  int channel, y, x;

  View source(std::size_t number) const { return {sources[number], graph.tensor(graph.sources(layer)[number])}; }

  int activation(std::int64_t s, const Requant& requant) const {
    return requantised(s, requant, channel, graph.act_min(), graph.act_max());
  }

  int operator()(const Input& input) const {
    const int level = View{sources[0], graph.tensor(layer)}.at(channel, y, x);
    return input.table.empty() ? level >> (8 - graph.act_bits()) : input.table[256 * channel + level + 128];
  }

  int operator()(const Conv& conv) const {
    const View in = source(0);
    const int top = conv.stride * y - conv.padding[0], left = conv.stride * x - conv.padding[1];
    const std::int8_t* weight = &conv.weights[std::size_t{1} * channel * conv.channels * conv.kernel * conv.kernel];
    const int first = conv.first_channel(channel);
    std::int64_t s = 0;
    for (int c = 0; c < conv.channels; ++c) {
      for (int row = top; row < top + conv.kernel; ++row) {
        for (int column = left; column < left + conv.kernel; ++column) {
          const bool is_inside = row >= 0 && row < in.tensor.height && column >= 0 && column < in.tensor.width;
          s += *weight++ * (is_inside ? in.at(first + c, row, column) : in.tensor.zero_point);
        }
      }
    }
    return activation(s, conv.requant);
  }

  int operator()(const MaxPool& pool) const {
    const View in = source(0);
    const int top = pool.stride * y - pool.padding[0], left = pool.stride * x - pool.padding[1];
    int most = graph.act_min();
    for (int row = std::max(top, 0); row < std::min(top + pool.kernel, in.tensor.height); ++row) {
      for (int column = std::max(left, 0); column < std::min(left + pool.kernel, in.tensor.width); ++column) {
        most = std::max(most, in.at(channel, row, column));
      }
    }
    return most;
  }

  int operator()(const Reorg&) const {
    const View in = source(0);
    const int phase = channel / in.tensor.channels;
    return in.at(channel % in.tensor.channels, 2 * y + phase / 2, 2 * x + phase % 2);
  }

  int operator()(const Concat&) const {
    int first = 0;
    std::size_t number = 0;
    while (channel >= first + source(number).tensor.channels) first += source(number++).tensor.channels;
    return source(number).at(channel - first, y, x);
  }

  int operator()(const Add& add) const {
    const auto [first, second] = add.weights;
    return activation(first * source(0).at(channel, y, x) + second * source(1).at(channel, y, x), add.requant);
  }

  int operator()(const Output&) const { return source(0).at(channel, y, x); }
};

/// Eight times the activation of `t`.
std::int64_t eighths(std::int64_t t, Activation activation) {
  if (t >= 0 || activation == Activation::linear) return 8 * t;
  return activation == Activation::leaky ? t : 0;
}

std::int64_t rounded(std::int64_t eighths, const Requant& requant) {
  const std::int64_t one = std::int64_t{8} << requant.shift, half = requant.shift ? one / 2 : 0;
  const std::int64_t up = (eighths + half) >> (requant.shift + 3);
  const bool is_tie = requant.shift && ((eighths + half) & (one - 1)) == 0;
  return requant.half_even && is_tie ? up & ~std::int64_t{1} : up;
}

}  // namespace

std::int8_t requantised(std::int64_t s, const Requant& requant, int filter, int act_min, int act_max) {
  const std::int64_t t = s * requant.multiplier[filter] + requant.bias[filter];
  const auto [low, high] = requant.limits(act_min, act_max);
  return static_cast<std::int8_t>(std::clamp<std::int64_t>(rounded(eighths(t, requant.activation), requant), low, high));
}

void compute(const Graph& graph, std::size_t layer, int channel, std::span<const std::int8_t* const> sources,
             std::int8_t* made) {
  const TensorInfo& tensor = graph.tensor(layer);
  made += channel * tensor.pixels();
  for (int y = 0; y < tensor.height; ++y) {
    for (int x = 0; x < tensor.width; ++x) {
      const int value = std::visit(Value{graph, layer, sources, channel, y, x}, graph.layers()[layer].operation);
      *made++ = static_cast<std::int8_t>(value);
    }
  }
}

}  // namespace sterna::scalar
