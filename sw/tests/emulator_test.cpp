// SPDX-License-Identifier: Apache-2.0
// Every instruction set of this processor, with one thread and with two, gives the maps of the scalar kernels.
#include "emulator/emulator.h"

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "check.h"

namespace {

using namespace sterna;

class Builder {
 public:
  explicit Builder(unsigned seed) : random_(seed) {}

  int number(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }

  std::shared_ptr<const Graph> graph() {
    act_bits_ = number(4, 8);
    const int channels = number(1, 9);
    layers_.push_back({"image", {}, Input{channels, number(6, 24), number(6, 90), 1.0, number(0, 1) ? 0 : -8}});
    std::string last = add_conv("conv0", "image", channels, number(0, 1));
    layers_.push_back({"pool1", {last}, MaxPool{1}});
    layers_.push_back({"concat", {last, "pool1"}, Concat{}});
    last = add_conv("conv1", "concat", 2 * filters_, true);
    layers_.push_back({"add", {last, last}, Add{requant(filters_), 1.0}});
    last = add_conv("conv2", "add", filters_, true);
    layers_.push_back({"pool2", {last}, MaxPool{2}});
    layers_.push_back({"out", {"pool2"}, Output{}});
    return std::make_shared<Graph>(std::move(layers_), act_bits_, 32);
  }

 private:
  Requant requant(int filters) {
    Requant made{{}, {}, number(10, 20), static_cast<Activation>(number(0, 2))};
    for (int filter = 0; filter < filters; ++filter) {
      made.multiplier.push_back(number(0, (1 << 18) - 1));
      made.bias.push_back(number(-(1 << 28), 1 << 28));
    }
    return made;
  }

  std::string add_conv(const std::string& name, const std::string& input, int channels, bool is_ternary) {
    filters_ = number(1, 40);
    const int kernel = number(1, 4), most = is_ternary ? 1 : 40, share = number(0, 100);
    std::vector<std::int8_t> weights(static_cast<std::size_t>(filters_) * channels * kernel * kernel);
    for (std::int8_t& weight : weights) {
      if (number(0, 99) < share) weight = static_cast<std::int8_t>(number(-most, most));
    }
    layers_.push_back({name, {input}, Conv{filters_, channels, kernel, weights, number(1, 4) == 1 ? 2 : 1,
                                           {number(0, 3), number(0, 3), number(2, 4), number(2, 4)}, requant(filters_), 1.0}});
    return name;
  }

  std::mt19937 random_;
  std::vector<Layer> layers_;
  int act_bits_ = 8, filters_ = 0;
};

using Maps = std::vector<std::vector<std::int8_t>>;

Maps run(const std::shared_ptr<const Graph>& graph, const std::vector<std::size_t>& kept,
         const std::vector<std::int8_t>& image, int threads, Simd simd) {
  Maps maps;
  std::vector<std::int8_t*> places;
  for (std::size_t layer : kept) maps.emplace_back(graph->tensor(layer).size());
  for (std::vector<std::int8_t>& map : maps) places.push_back(map.data());
  Emulator emulator(graph, kept, threads, simd);
  emulator.run(image.data(), places);
  emulator.run(image.data(), places);
  return maps;
}

void equals_scalar(unsigned seed) {
  Builder builder(seed);
  const std::shared_ptr<const Graph> graph = builder.graph();
  std::vector<std::int8_t> image(graph->tensor(0).size());
  for (std::int8_t& value : image) value = static_cast<std::int8_t>(builder.number(-128, 127));
  std::vector<std::size_t> all(graph->layers().size());
  for (std::size_t layer = 0; layer < all.size(); ++layer) all[layer] = layer;
  const Maps expected = run(graph, all, image, 1, Simd::scalar);
  for (const Simd simd : available_simd()) {
    for (const int threads : {1, 2}) {
      CHECK(run(graph, all, image, threads, simd) == expected);
      CHECK(run(graph, {all.back()}, image, threads, simd)[0] == expected.back());
    }
  }
}

void refuses() {
  const std::shared_ptr<const Graph> graph = Builder(0).graph();
  CHECK(refusal([&] { Emulator(graph, {0}, 0, Simd::scalar); }).find("threads = 0") != std::string::npos);
  CHECK(refusal([&] { Emulator(graph, {0}, 1, static_cast<Simd>(9)); }).find("instruction set") != std::string::npos);
}

}  // namespace

int main() {
  for (unsigned seed = 0; seed < 8; ++seed) equals_scalar(seed);
  refuses();
}
