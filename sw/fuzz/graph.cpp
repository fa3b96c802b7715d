// SPDX-License-Identifier: Apache-2.0
// Makes any bytes a graph, legal or not. One that is accepted and small is executed: every instruction set of this
// processor must give the maps of the scalar kernels.
#include "graph/graph.h"

#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "emulator/emulator.h"
#include "error.h"
#include "maps.h"

namespace {

using namespace sterna;

/// Multiplications of a graph that is executed.
constexpr std::size_t kMostWork = 1 << 17;

class Builder {
 public:
  explicit Builder(FuzzedDataProvider& from) : from_(from), noise_(from.ConsumeIntegral<unsigned>()) {}

  std::shared_ptr<const Graph> graph() {
    const int act_bits = number(4, 8), acc_bits = number(12, 32);
    least_ = -(1 << (std::clamp(act_bits, 1, 8) - 1));
    layers_.push_back({"0", {}, input()});
    for (int count = from_.ConsumeIntegralInRange(1, 7); count > 0; --count) {
      Layer layer = next();
      layer.name = std::to_string(is_odd() ? 0 : layers_.size());
      layers_.push_back(std::move(layer));
    }
    if (!is_odd()) layers_.push_back({"out", {layers_.back().name}, Output{}});
    return std::make_shared<Graph>(std::move(layers_), act_bits, acc_bits);
  }

 private:
  /// Whether something is to be as it should not.
  bool is_odd() { return from_.ConsumeIntegral<std::uint8_t>() == 255; }

  /// Most often one of low .. high.
  int number(int low, int high) {
    return is_odd() ? from_.ConsumeIntegral<int>() : from_.ConsumeIntegralInRange(low, high);
  }

  double scale() { return is_odd() ? from_.ConsumeFloatingPoint<double>() : 0.5; }

  std::vector<std::int8_t> weights(std::size_t size) {
    const int most = from_.PickValueInArray({1, 1, 1, 3, 127}), share = from_.ConsumeIntegralInRange(0, 100);
    std::vector<std::int8_t> made(size);
    for (std::int8_t& each : made) {
      if (noise(0, 99) < share) each = static_cast<std::int8_t>(noise(-most, most));
    }
    return made;
  }

  int noise(int low, int high) { return std::uniform_int_distribution(low, high)(noise_); }

  Requant requant(int filters) {
    Requant made{{}, {}, number(0, 32), static_cast<Activation>(number(0, 2))};
    made.half_even = from_.ConsumeBool();
    if (from_.ConsumeBool()) made.clamp = {number(least_, -least_ - 1), number(least_, -least_ - 1)};
    const int multiplier_bits = std::clamp(number(0, 18), 0, 31), bias_bits = std::clamp(number(0, 45), 0, 63);
    if (is_odd()) ++filters;
    for (int filter = 0; filter < filters; ++filter) {
      const auto random = static_cast<std::int64_t>(noise_()) << 32 | noise_();
      made.multiplier.push_back((random & 0x7fffffff) >> (31 - multiplier_bits));
      made.bias.push_back(random >> (63 - bias_bits));
    }
    return made;
  }

  int zero_point() { return number(least_, -least_ - 1); }

  Input input() {
    Input made{number(1, 9), number(1, 40), number(1, 90), scale(), zero_point()};
    if (from_.ConsumeBool() && made.channels > 0 && made.channels < 10) {
      for (int value = 0; value < 256 * made.channels; ++value) {
        made.table.push_back(static_cast<std::int8_t>(noise(least_, -least_ - 1)));
      }
    }
    channels_.push_back(clamped(made.channels));
    return made;
  }

  /// Channels of a map that may be executed; any others are refused.
  static int clamped(int channels) { return std::clamp(channels, 0, 999); }

  std::string source(int& channels) {
    const auto at = from_.ConsumeIntegralInRange<std::size_t>(0, layers_.size() - 1);
    channels = channels_[at];
    return layers_[at].name;
  }

  Layer next() {
    int channels = 0, others = 0;
    std::string one = source(channels);
    Layer made{"", {one}, Output{}};
    switch (from_.ConsumeIntegralInRange(0, 7)) {
      case 0: made.operation = pool(); break;
      case 1:
        made.operation = Reorg{};
        channels *= 4;
        break;
      case 2:
        made.inputs.push_back(source(others));
        made.operation = Concat{};
        channels += others;
        break;
      case 3:
        made.inputs.push_back(source(others));
        made.operation = Add{requant(clamped(channels)), scale(), zero_point(), {number(-128, 127), number(-128, 127)}};
        break;
      default: made.operation = conv(channels);
    }
    if (is_odd()) made.inputs.push_back(from_.ConsumeRandomLengthString(2));
    channels_.push_back(clamped(channels));
    return made;
  }

  MaxPool pool() {
    MaxPool made{number(1, 2), number(2, 7)};
    for (int& side : made.padding) side = number(0, std::clamp(made.kernel, 1, 7) - 1);
    return made;
  }

  /// channels: of the input, then those of the map.
  Conv conv(int& channels) {
    const int filters = number(1, 40), kernel = number(1, 7);
    const int groups = from_.ConsumeBool() ? number(1, 8) : 1, own = groups > 0 ? channels / groups : channels;
    Conv made{filters, own, kernel, {}, number(1, 2), {}, requant(clamped(filters)), scale(), zero_point(), groups};
    for (int& side : made.padding) side = number(0, 7);
    const bool is_small = filters > 0 && filters < 100 && kernel > 0 && kernel < 9;
    if (is_small) made.weights = weights(std::size_t{1} * filters * own * kernel * kernel + is_odd());
    channels = filters;
    return made;
  }

  FuzzedDataProvider& from_;
  std::mt19937 noise_;
  std::vector<Layer> layers_;
  std::vector<int> channels_;
  int least_ = 0;
};

std::size_t work(const Graph& graph) {
  std::size_t all = 0;
  for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
    const auto* conv = std::get_if<Conv>(&graph.layers()[layer].operation);
    const TensorInfo& made = graph.tensor(layer);
    all += made.size() + (conv ? conv->weights.size() / conv->filters * made.size() : 0);
  }
  return all;
}

Maps run(const std::shared_ptr<const Graph>& graph, const std::vector<std::size_t>& kept,
         const std::vector<std::int8_t>& image, int threads, Simd simd) {
  Emulator emulator(graph, kept, threads, simd);
  return maps_of(emulator, *graph, kept, image);
}

/// Ends the program if an instruction set gives other maps than the scalar kernels.
void compare(const std::shared_ptr<const Graph>& graph, FuzzedDataProvider& from) {
  std::vector<std::int8_t> image = from.ConsumeBytes<std::int8_t>(graph->tensor(graph->input()).size());
  image.resize(graph->tensor(graph->input()).size(), from.ConsumeIntegral<std::int8_t>());
  if (from.ConsumeBool()) graph->find(from.ConsumeRandomLengthString(3));
  std::vector<std::size_t> kept{graph->layers().size() - 1};
  for (std::size_t layer = 0; layer + 1 < graph->layers().size(); ++layer) {
    if (from.ConsumeBool()) kept.push_back(layer);
  }
  const Maps expected = run(graph, kept, image, 1, Simd::scalar);
  for (const Simd simd : available_simd()) {
    if (run(graph, kept, image, from.ConsumeIntegralInRange(1, 2), simd) != expected) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider from(data, size);
  try {
    const std::shared_ptr<const Graph> graph = Builder(from).graph();
    if (work(*graph) < kMostWork) compare(graph, from);
  } catch (const Error&) {
  }
  return 0;
}
