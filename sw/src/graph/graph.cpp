// SPDX-License-Identifier: Apache-2.0
#include "graph/graph.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>
#include <utility>

#include "error.h"
#include "graph/csd.h"

namespace sterna {
namespace {

constexpr int kLevels = 256, kMaxSize = 65535, kMaxKernel = 7, kMaxPadding = 7, kMaxStride = 2, kMaxShift = 32;
constexpr std::int64_t kMaxMultiplier = (std::int64_t{1} << 18) - 1, kMaxBias = (std::int64_t{1} << 45) - 1;

std::string quoted(const Layer& layer) { return "layer '" + layer.name + "'"; }

/// Refuses a number outside low .. high.
void check_range(const std::string& where, const std::string& attribute, std::int64_t value, std::int64_t low,
                 std::int64_t high) {
  if (value < low || value > high) {
    refuse({where, "is out of range", attribute + " = " + std::to_string(value),
            std::to_string(low) + " .. " + std::to_string(high), "export the graph again"});
  }
}

void check_size(const Layer& layer, const std::string& attribute, std::size_t found, std::size_t expected) {
  if (found != expected) {
    refuse({quoted(layer), "has an array of the wrong size", attribute + " = " + std::to_string(found),
            std::to_string(expected), "export the graph again"});
  }
}

void check_zero_point(const Layer& layer, int zero_point, int act_bits) {
  const int most = (1 << (act_bits - 1)) - 1;
  check_range(quoted(layer), "zero_point", zero_point, -most - 1, most);
}

void check_requant(const Layer& layer, const Requant& requant, int filters, int act_bits) {
  check_size(layer, "requant.multiplier", requant.multiplier.size(), filters);
  check_size(layer, "requant.bias", requant.bias.size(), filters);
  for (int filter = 0; filter < filters; ++filter) {
    check_range(quoted(layer), "requant.multiplier", requant.multiplier[filter], 0, kMaxMultiplier);
    check_range(quoted(layer), "requant.bias", requant.bias[filter], -kMaxBias, kMaxBias);
  }
  check_range(quoted(layer), "requant.shift", requant.shift, 0, kMaxShift);
  check_range(quoted(layer), "requant.activation", static_cast<int>(requant.activation), 0, 2);
  const int most = (1 << (act_bits - 1)) - 1;
  const auto [low, high] = requant.limits(-most - 1, most);
  check_range(quoted(layer), "requant.clamp[0]", low, -most - 1, most - 1);
  check_range(quoted(layer), "requant.clamp[1]", high, low + 1, most);
}

void check_scale(const Layer& layer, double scale) {
  if (!std::isfinite(scale) || scale <= 0) {
    refuse({quoted(layer), "has an invalid scale", "scale = " + std::to_string(scale), "positive finite numbers",
            "export the graph again"});
  }
}

/// Refuses an accumulator that could leave `acc_bits` signed bits, on the way or at the end. peaks: of its weights.
void check_accumulator(const Layer& layer, int filter, std::int64_t peaks, int act_bits, int acc_bits) {
  const std::int64_t limit = (std::int64_t{1} << (acc_bits - 1)) - 1, magnitude = peaks << (act_bits - 1);
  if (magnitude <= limit) return;
  refuse({quoted(layer) + ", filter " + std::to_string(filter), "the accumulator may overflow",
          "largest magnitude = " + std::to_string(magnitude),
          "0 .. " + std::to_string(limit) + " (acc_bits = " + std::to_string(acc_bits) + ")",
          "make the filter sparser or its weights smaller, or use wider accumulators"});
}

void check_accumulators(const Layer& layer, const Conv& conv, int act_bits, int acc_bits) {
  const std::size_t taps = conv.weights.size() / conv.filters;
  for (int filter = 0; filter < conv.filters; ++filter) {
    std::int64_t peaks = 0;
    for (std::size_t tap = filter * taps; tap < (filter + 1) * taps; ++tap) peaks += peak_of(conv.weights[tap]);
    check_accumulator(layer, filter, peaks, act_bits, acc_bits);
  }
}

void check_inputs(const Layer& layer, std::size_t least, std::size_t most) {
  if (layer.inputs.size() < least || layer.inputs.size() > most) {
    refuse({quoted(layer), "has a wrong number of inputs", "inputs = " + std::to_string(layer.inputs.size()),
            std::to_string(least) + (least == most ? "" : " or more"), "export the graph again"});
  }
}

/// What a layer makes of the tensors that it reads, one overload per operation.
struct Inference {
  const Layer& layer;
  const std::vector<TensorInfo>& sources;
  int act_bits, acc_bits;

  TensorInfo operator()(const Input& input) const {
    check_inputs(layer, 0, 0);
    check_scale(layer, input.scale);
    check_zero_point(layer, input.zero_point, act_bits);
    if (!input.table.empty()) check_size(layer, "table", input.table.size(), std::size_t{kLevels} * input.channels);
    const int act_min = -(1 << (act_bits - 1));
    for (int value : input.table) check_range(quoted(layer), "table", value, act_min, -act_min - 1);
    return {input.channels, input.height, input.width, input.scale, input.zero_point};
  }

  TensorInfo operator()(const Conv& conv) const {
    check_inputs(layer, 1, 1);
    check_range(quoted(layer), "filters", conv.filters, 1, kMaxSize);
    check_groups(conv);
    check_range(quoted(layer), "kernel", conv.kernel, 1, kMaxKernel);
    check_range(quoted(layer), "stride", conv.stride, 1, kMaxStride);
    for (int side : conv.padding) check_range(quoted(layer), "padding", side, 0, kMaxPadding);
    check_size(layer, "weights", conv.weights.size(),
               std::size_t{1} * conv.filters * conv.channels * conv.kernel * conv.kernel);
    check_requant(layer, conv.requant, conv.filters, act_bits);
    check_scale(layer, conv.scale);
    check_zero_point(layer, conv.zero_point, act_bits);
    check_accumulators(layer, conv, act_bits, acc_bits);
    const auto [height, width] = windows(conv);
    return {conv.filters, height, width, conv.scale, conv.zero_point};
  }

  TensorInfo operator()(const MaxPool& pool) const {
    check_inputs(layer, 1, 1);
    check_range(quoted(layer), "stride", pool.stride, 1, kMaxStride);
    check_range(quoted(layer), "kernel", pool.kernel, 2, kMaxKernel);
    for (int side : pool.padding) check_range(quoted(layer), "padding", side, 0, pool.kernel - 1);
    TensorInfo made = sources[0];
    std::tie(made.height, made.width) = windows(pool);
    return made;
  }

  TensorInfo operator()(const Reorg&) const {
    check_inputs(layer, 1, 1);
    TensorInfo made = sources[0];
    if (made.height % 2 || made.width % 2) {
      refuse({quoted(layer), "cannot halve an odd size", "height, width = " + std::to_string(made.height) + ", " +
              std::to_string(made.width), "even numbers", "choose another image size"});
    }
    made.channels *= 4;
    made.height /= 2;
    made.width /= 2;
    return made;
  }

  TensorInfo operator()(const Concat&) const {
    check_inputs(layer, 2, kMaxSize);
    TensorInfo made = sources[0];
    made.channels = 0;
    for (const TensorInfo& source : sources) {
      check_alike(source);
      made.channels = std::min(made.channels + source.channels, kMaxSize + 1);
    }
    return made;
  }

  TensorInfo operator()(const Add& add) const {
    check_inputs(layer, 2, 2);
    check_weights(add);
    check_size_alike(sources[1]);
    check_range(quoted(layer), "channels", sources[1].channels, sources[0].channels, sources[0].channels);
    check_requant(layer, add.requant, sources[0].channels, act_bits);
    check_scale(layer, add.scale);
    check_zero_point(layer, add.zero_point, act_bits);
    TensorInfo made = sources[0];
    made.scale = add.scale;
    made.zero_point = add.zero_point;
    return made;
  }

  TensorInfo operator()(const Output&) const {
    check_inputs(layer, 1, 1);
    return sources[0];
  }

  /// How many windows there are, downwards and across.
  template <typename Windowed>
  std::pair<int, int> windows(const Windowed& of) const {
    const auto [top, left, bottom, right] = of.padding;
    const int rows = sources[0].height + top + bottom - of.kernel, columns = sources[0].width + left + right - of.kernel;
    if (rows < 0 || columns < 0) {
      refuse({quoted(layer), "has an output that is empty", "kernel = " + std::to_string(of.kernel), "",
              "use a larger image or a smaller kernel"});
    }
    return {rows / of.stride + 1, columns / of.stride + 1};
  }

  void check_groups(const Conv& conv) const {
    check_range(quoted(layer), "groups", conv.groups, 1, kMaxSize);
    check_range(quoted(layer), "channels of all groups", std::int64_t{conv.channels} * conv.groups, sources[0].channels,
                sources[0].channels);
    check_range(quoted(layer), "filters that no group has", conv.filters % conv.groups, 0, 0);
  }

  void check_weights(const Add& add) const {
    const auto [first, second] = add.weights;
    for (int weight : add.weights) {
      check_range(quoted(layer), "weights", weight, -128, 127);
      if (weight == 0) refuse({quoted(layer), "has an input that adds nothing", "weights = 0", "", "export the graph again"});
    }
    const auto peak = [](int weight) { return peak_of(static_cast<std::int8_t>(weight)); };
    check_accumulator(layer, 0, peak(first) + peak(second), act_bits, acc_bits);
    if (first == second) check_alike(sources[1]);
  }

  void check_size_alike(const TensorInfo& source) const {
    if (source.height != sources[0].height || source.width != sources[0].width) differ("inputs of one size");
  }

  void check_alike(const TensorInfo& source) const {
    check_size_alike(source);
    if (source.scale != sources[0].scale || source.zero_point != sources[0].zero_point) {
      differ("inputs of one size, scale and zero point");
    }
  }

  [[noreturn]] void differ(const std::string& allowed) const {
    refuse({quoted(layer), "has inputs that do not match", "", allowed, "export the graph again"});
  }
};

}  // namespace

Graph::Graph(std::vector<Layer> layers, int act_bits, int acc_bits)
    : layers_(std::move(layers)), act_bits_(act_bits), acc_bits_(acc_bits) {
  check_range("graph", "act_bits", act_bits, 4, 8);
  check_range("graph", "acc_bits", acc_bits, 12, 32);
  connect();
  for (std::size_t layer = 0; layer < layers_.size(); ++layer) infer(layer);
  check_ends();
}

void Graph::connect() {
  std::map<std::string, std::size_t> known;
  sources_.resize(layers_.size());
  users_.resize(layers_.size());
  for (std::size_t number = 0; number < layers_.size(); ++number) {
    const Layer& layer = layers_[number];
    for (const std::string& name : layer.inputs) {
      const auto found = known.find(name);
      if (found == known.end() || std::holds_alternative<Output>(layers_[found->second].operation)) {
        refuse({quoted(layer), "reads a tensor that no earlier layer provides", "input = '" + name + "'", "",
                "correct the name or the order of the layers"});
      }
      sources_[number].push_back(found->second);
      if (users_[found->second].empty() || users_[found->second].back() != number) {
        users_[found->second].push_back(number);
      }
    }
    if (!known.emplace(layer.name, number).second) {
      refuse({quoted(layer), "appears twice", "", "", "rename one of the layers"});
    }
  }
}

void Graph::infer(std::size_t number) {
  const Layer& layer = layers_[number];
  std::vector<TensorInfo> sources;
  for (std::size_t source : sources_[number]) sources.push_back(tensors_[source]);
  const TensorInfo made = std::visit(Inference{layer, sources, act_bits_, acc_bits_}, layer.operation);
  check_range(quoted(layer), "channels", made.channels, 1, kMaxSize);
  check_range(quoted(layer), "height", made.height, 1, kMaxSize);
  check_range(quoted(layer), "width", made.width, 1, kMaxSize);
  tensors_.push_back(made);
}

void Graph::check_ends() {
  std::size_t inputs = 0, outputs = 0;
  for (std::size_t number = 0; number < layers_.size(); ++number) {
    if (std::holds_alternative<Input>(layers_[number].operation)) {
      input_ = number;
      ++inputs;
    }
    outputs += std::holds_alternative<Output>(layers_[number].operation);
  }
  if (inputs != 1 || outputs == 0) {
    refuse({"graph", "needs exactly one Input and at least one Output",
            "Input, Output layers = " + std::to_string(inputs) + ", " + std::to_string(outputs), "",
            "add or remove Input and Output layers"});
  }
}

}  // namespace sterna
