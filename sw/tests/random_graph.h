// SPDX-License-Identifier: Apache-2.0
// Random graphs for the tests.
#pragma once

#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "graph/graph.h"

namespace sterna {

/// A graph of all kinds of layers, and images for it; the same for the same seed.
class RandomGraph {
 public:
  explicit RandomGraph(unsigned seed) : random_(seed), graph_(make()) {}

  const std::shared_ptr<const Graph>& graph() const { return graph_; }

  std::vector<std::int8_t> image() {
    std::vector<std::int8_t> image(graph_->tensor(0).size());
    for (std::int8_t& value : image) value = static_cast<std::int8_t>(number(-128, 127));
    return image;
  }

 private:
  int number(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }

  std::shared_ptr<const Graph> make() {
    act_bits_ = number(4, 8);
    const int channels = number(1, 9);
    layers_.push_back({"image", {}, Input{channels, number(6, 24), number(6, 90), 1.0, number(0, 1) ? 0 : -8}});
    std::string last = add_conv("conv0", "image", channels, number(0, 1), channels);
    layers_.push_back({"pool1", {last}, MaxPool{1, 2, {0, 0, 1, 1}}});
    layers_.push_back({"concat", {last, "pool1"}, Concat{}});
    last = add_conv("conv1", "concat", 2 * filters_, true);
    layers_.push_back({"add", {last, last}, Add{requant(filters_), 1.0, number(-8, 7), {number(1, 127), -number(1, 128)}}});
    last = add_conv("conv2", "add", filters_, true);
    layers_.push_back({"pool2", {last}, MaxPool{2}});
    const int window = number(2, 7);
    const auto side = [&] { return number(0, window - 1); };
    layers_.push_back({"window", {"pool2"}, MaxPool{number(1, 2), window, {window - 1, side(), side(), window - 1}}});
    layers_.push_back({"out", {"window"}, Output{}});
    return std::make_shared<Graph>(std::move(layers_), act_bits_, 32);
  }

  Requant requant(int filters) {
    Requant made{{}, {}, number(10, 20), static_cast<Activation>(number(0, 2))};
    made.half_even = number(0, 1);
    if (number(0, 1)) made.clamp = {number(-8, 0), number(1, 7)};
    for (int filter = 0; filter < filters; ++filter) {
      made.multiplier.push_back(number(0, (1 << 18) - 1));
      made.bias.push_back(number(-(1 << 28), 1 << 28));
    }
    return made;
  }

  std::string add_conv(const std::string& name, const std::string& input, int channels, bool is_ternary, int groups = 1) {
    filters_ = groups * number(1, groups > 1 ? 5 : 40);
    channels /= groups;
    const int kernel = number(1, 4), most = is_ternary ? 1 : 40, share = number(0, 100);
    std::vector<std::int8_t> weights(static_cast<std::size_t>(filters_) * channels * kernel * kernel);
    for (std::int8_t& weight : weights) {
      if (number(0, 99) < share) weight = static_cast<std::int8_t>(number(-most, most));
    }
    layers_.push_back({name, {input}, Conv{filters_, channels, kernel, weights, number(1, 4) == 1 ? 2 : 1,
                                           {number(0, 3), number(0, 3), number(2, 4), number(2, 4)}, requant(filters_), 1.0, number(-8, 7), groups}});
    return name;
  }

  std::mt19937 random_;
  std::vector<Layer> layers_;
  int act_bits_ = 8, filters_ = 0;
  std::shared_ptr<const Graph> graph_;
};

}  // namespace sterna
