// SPDX-License-Identifier: Apache-2.0
#include "emulator/moves.h"

#include <algorithm>
#include <cmath>

#include "emulator/scalar.h"

namespace sterna::moves {
namespace {

/// Computes channel `channel` of layer number `layer` into `made`, the channel's place; one overload per operation.
struct Computing {
  const Graph& graph;
  const Kernels& kernels;
  std::size_t layer;
  int channel;
  std::span<const std::int8_t* const> sources;
  std::int8_t* made;

  const TensorInfo& tensor() const { return graph.tensor(layer); }
  const TensorInfo& source(std::size_t number = 0) const { return graph.tensor(graph.sources(layer)[number]); }
  const std::int8_t* plane(std::size_t number, int of) const { return sources[number] + of * source(number).pixels(); }

  void operator()(const Input& input) const {
    const std::int8_t* image = sources[0] + channel * tensor().pixels();
    const int shift = 8 - graph.act_bits();
    if (input.table.empty()) {
      std::transform(image, image + tensor().pixels(), made,
                     [&](std::int8_t level) { return static_cast<std::int8_t>(level >> shift); });
    } else {
      const std::int8_t* table = &input.table[256 * channel + 128];
      std::transform(image, image + tensor().pixels(), made, [&](std::int8_t level) { return table[level]; });
    }
  }

  void operator()(const Conv&) const {}

  void operator()(const MaxPool& pool) const {
    const Window window{pool.kernel, pool.stride, pool.padding[0], pool.padding[1]};
    kernels.max_pool(plane(0, channel), source().height, source().width, window, tensor().height, tensor().width, made);
  }

  void operator()(const Reorg&) const {
    const int phase = channel / source().channels;
    const std::int8_t* from = plane(0, channel % source().channels) + phase / 2 * source().width + phase % 2;
    std::int8_t* to = made;
    for (int y = 0; y < tensor().height; ++y, from += 2 * source().width) {
      for (int x = 0; x < tensor().width; ++x) *to++ = from[2 * x];
    }
  }

  void operator()(const Concat&) const {
    int of = channel;
    std::size_t number = 0;
    while (of >= source(number).channels) of -= source(number++).channels;
    std::copy_n(plane(number, of), tensor().pixels(), made);
  }

  void operator()(const Add& add) const {
    const std::int8_t *a = plane(0, channel), *b = plane(1, channel);
    const auto [first, second] = add.weights;
    for (std::size_t pixel = 0; pixel < tensor().pixels(); ++pixel) {
      made[pixel] = scalar::requantised(first * a[pixel] + second * b[pixel], add.requant, channel, graph.act_min(), graph.act_max());
    }
  }

  void operator()(const Output&) const { std::copy_n(plane(0, channel), tensor().pixels(), made); }
};

}  // namespace

void compute(const Graph& graph, const Kernels& kernels, std::size_t layer, int channel,
             std::span<const std::int8_t* const> sources, std::int8_t* made) {
  std::visit(Computing{graph, kernels, layer, channel, sources, made + channel * graph.tensor(layer).pixels()},
             graph.layers()[layer].operation);
}

}  // namespace sterna::moves
