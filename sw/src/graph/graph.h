// SPDX-License-Identifier: Apache-2.0
// The integer graph as plain values: layers in topological order, checked when a `Graph` is made of them.
//
// The same model as `sterna.graph` of the Python package, which is the specification. Activations are signed integers
// of `act_bits`; a tensor's integers stand for `scale * (integer - zero_point)`.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "error.h"

namespace sterna {

/// Of negative values: kept, made 0, or divided by 8 and rounded down. The numbers are the codes on the tape.
enum class Activation : std::uint8_t { linear = 0, relu = 1, leaky = 2 };

/// How the sum `s` of filter `f` becomes an activation: `t = s * multiplier[f] + bias[f]`, the activation of `t`,
/// then `clamp((t + ((1 << shift) >> 1)) >> shift)` to its limits: rounds half up, and with `half_even` a tie to the even
/// result.
struct Requant {
  std::vector<std::int64_t> multiplier;  ///< 0 .. 2^18 - 1, one per filter.
  std::vector<std::int64_t> bias;        ///< Magnitude below 2^45, one per filter.
  int shift = 0;                         ///< 0 .. 32.
  Activation activation = Activation::linear;
  std::optional<std::array<int, 2>> clamp{};  ///< Least and largest result; none: the graph's activations.
  bool half_even = false;  ///< Where the shift, and the slope before it, leave exactly 1/2.

  /// Least and largest result, in a graph whose activations are act_min .. act_max.
  std::array<int, 2> limits(int act_min, int act_max) const { return clamp.value_or(std::array{act_min, act_max}); }
};

/// The image: 8-bit values (rgb - 128), shifted right to the graph's activation width or looked up in a table.
struct Input {
  int channels = 0, height = 0, width = 0;
  double scale = 1;
  int zero_point = 0;
  std::vector<std::int8_t> table{};  ///< [channels, 256], the activation for each value of rgb; empty: no table.
};

/// Convolution (cross-correlation) with requantisation; outside the tensor the input is its zero point.
struct Conv {
  int filters = 0, channels = 0, kernel = 0;  ///< Channels: of the input, of a group.
  std::vector<std::int8_t> weights;   ///< [filters, channels, kernel, kernel].
  int stride = 1;                     ///< 1 or 2.
  std::array<int, 4> padding{};       ///< Top, left, bottom, right; 0 .. 7 each.
  Requant requant;
  double scale = 1;
  int zero_point = 0;                 ///< Of the result.
  int groups = 1;                     ///< Into so many filters and the input's channels are cut, in order.

  /// The first of the input's channels that a filter reads.
  int first_channel(int filter) const { return filter / (filters / groups) * channels; }
};

/// Maximum of kernel x kernel pixels; those outside do not count.
struct MaxPool {
  int stride = 2;                ///< 1 or 2.
  int kernel = 2;                ///< 2 .. 7.
  std::array<int, 4> padding{};  ///< Top, left, bottom, right; each below the kernel.

  /// Whether it takes each 2x2 pixels, and drops an odd last row or column.
  bool halves() const { return stride == 2 && kernel == 2 && padding == std::array<int, 4>{}; }
};

/// Space to depth: `out[p * C + c, y, x] = in[c, 2 * y + p / 2, 2 * x + p % 2]` for p 0 .. 3.
struct Reorg {};

/// The channels of all inputs, one after the other.
struct Concat {};

/// `s = weights[0] * a + weights[1] * b`, requantised per channel.
struct Add {
  Requant requant;
  double scale = 1;
  int zero_point = 0;                 ///< Of the result.
  std::array<int, 2> weights{1, 1};  ///< -128 .. 127 each, and not 0.
};

/// Marks a tensor as a result.
struct Output {};

using Operation = std::variant<Input, Conv, MaxPool, Reorg, Concat, Add, Output>;

struct Layer {
  std::string name;                 ///< Unique in the graph.
  std::vector<std::string> inputs;  ///< Names of the layers whose tensors it reads, in order.
  Operation operation;
};

/// A layer's tensor, before it is computed: int8 [channels, height, width].
struct TensorInfo {
  int channels = 0, height = 0, width = 0;
  double scale = 1;
  int zero_point = 0;

  std::size_t pixels() const { return static_cast<std::size_t>(height) * width; }
  std::size_t size() const { return channels * pixels(); }
};

/// The number of the layer called `name` among those of a graph; throws `Error` if there is none.
template <typename Layers>
std::size_t find_layer(const Layers& layers, const std::string& name) {
  for (std::size_t number = 0; number < layers.size(); ++number) {
    if (layers[number].name == name) return number;
  }
  refuse({"graph", "has no such layer", "layer = '" + name + "'", "", "name one of its layers"});
}

class Graph {
 public:
  /// Throws `Error` for whatever would make a result depend on what computes it: dangling names, shapes that do not
  /// meet, numbers out of range, accumulators that could overflow. act_bits: 4 .. 8; acc_bits: 12 .. 32.
  Graph(std::vector<Layer> layers, int act_bits, int acc_bits);

  const std::vector<Layer>& layers() const { return layers_; }
  /// What layer number `layer` makes.
  const TensorInfo& tensor(std::size_t layer) const { return tensors_[layer]; }
  /// Numbers of the layers whose tensors layer number `layer` reads.
  const std::vector<std::size_t>& sources(std::size_t layer) const { return sources_[layer]; }
  /// Numbers of the layers that read the tensor of layer number `layer`.
  const std::vector<std::size_t>& users(std::size_t layer) const { return users_[layer]; }
  /// The number of the layer called `name`; throws `Error` if there is none.
  std::size_t find(const std::string& name) const { return find_layer(layers_, name); }
  std::size_t input() const { return input_; }

  int act_bits() const { return act_bits_; }
  int acc_bits() const { return acc_bits_; }
  int act_min() const { return -(1 << (act_bits_ - 1)); }
  int act_max() const { return (1 << (act_bits_ - 1)) - 1; }

 private:
  void connect();
  void infer(std::size_t layer);
  void check_ends();

  std::vector<Layer> layers_;
  int act_bits_, acc_bits_;
  std::vector<TensorInfo> tensors_;
  std::vector<std::vector<std::size_t>> sources_, users_;
  std::size_t input_ = 0;
};

}  // namespace sterna
