// SPDX-License-Identifier: Apache-2.0
// The graph accepts what the kernels can run and refuses the rest, and says why.
#include "graph/graph.h"

#include <algorithm>
#include <array>
#include <functional>
#include <string>
#include <vector>

#include "check.h"

namespace {

using namespace sterna;

Requant requant(int filters) {
  return {std::vector<std::int64_t>(filters, 1), std::vector<std::int64_t>(filters, 0), 0, Activation::leaky};
}

/// image [3, 8, 6] -> conv [4, 8, 6] -> pool [4, 4, 3] -> out.
std::vector<Layer> layers() {
  const std::vector<std::int8_t> weights(4 * 3 * 3 * 3, 1);
  return {{"image", {}, Input{3, 8, 6, 1.0, -128}},
          {"conv", {"image"}, Conv{4, 3, 3, weights, 1, {1, 1, 1, 1}, requant(4), 0.5}},
          {"pool", {"conv"}, MaxPool{2}},
          {"out", {"pool"}, Output{}}};
}

Conv& conv(std::vector<Layer>& all) { return std::get<Conv>(all[1].operation); }

/// Adds the convolution to itself with other weights, in the place of the pool.
void add(std::vector<Layer>& all, std::array<int, 2> weights) {
  all[2] = {"other", {"image"}, all[1].operation};
  all[3] = {"add", {"conv", "other"}, Add{requant(4), 0.5, 0, weights}};
  all.push_back({"out", {"add"}, Output{}});
}

void accepts() {
  const Graph graph(layers(), 8, 20);
  CHECK(graph.tensor(2).channels == 4 && graph.tensor(2).height == 4 && graph.tensor(2).width == 3);
  CHECK(graph.tensor(1).zero_point == 0 && graph.tensor(0).zero_point == -128 && graph.tensor(3).scale == 0.5);
  CHECK(graph.find("pool") == 2 && graph.sources(2)[0] == 1 && graph.users(1) == std::vector<std::size_t>{2});
}

/// Says of a change to the layers what the refusal must name.
struct Case {
  std::string said;
  std::function<void(std::vector<Layer>&)> change;
};

void refuses() {
  const std::vector<Case> cases = {
      {"layer 'conv': is out of range; stride = 3", [](auto& all) { conv(all).stride = 3; }},
      {"padding = 8; allowed: 0 .. 7", [](auto& all) { conv(all).padding[2] = 8; }},
      {"filters that no group has = 1; allowed: 0 .. 0", [](auto& all) { conv(all).groups = 3, conv(all).channels = 1; }},
      {"channels of all groups = 6; allowed: 3 .. 3", [](auto& all) { conv(all).groups = 2; }},
      {"kernel = 8; allowed: 2 .. 7", [](auto& all) { std::get<MaxPool>(all[2].operation).kernel = 8; }},
      {"padding = 2; allowed: 0 .. 1", [](auto& all) { std::get<MaxPool>(all[2].operation).padding[3] = 2; }},
      {"groups = 0", [](auto& all) { conv(all).groups = 0; }},
      {"channels of all groups = 2; allowed: 3 .. 3", [](auto& all) { conv(all).channels = 2; }},
      {"weights = 107; allowed: 108", [](auto& all) { conv(all).weights.pop_back(); }},
      {"filters = 0", [](auto& all) { conv(all).filters = 0; }},
      {"kernel = 8", [](auto& all) { conv(all).kernel = 8; }},
      {"an output that is empty", [](auto& all) {
         conv(all) = {1, 3, 7, std::vector<std::int8_t>(3 * 49, 0), 1, {0, 0, 0, 0}, requant(1), 1.0};
       }},
      {"requant.multiplier = 3", [](auto& all) { conv(all).requant.multiplier.pop_back(); }},
      {"requant.multiplier = -1", [](auto& all) { conv(all).requant.multiplier[1] = -1; }},
      {"requant.bias = 35184372088832", [](auto& all) { conv(all).requant.bias[3] = std::int64_t{1} << 45; }},
      {"requant.shift = 33", [](auto& all) { conv(all).requant.shift = 33; }},
      {"requant.activation = 3", [](auto& all) { conv(all).requant.activation = static_cast<Activation>(3); }},
      {"zero_point = -129; allowed: -128 .. 127", [](auto& all) { conv(all).zero_point = -129; }},
      {"requant.clamp[0] = -129", [](auto& all) { conv(all).requant.clamp = {-129, 0}; }},
      {"requant.clamp[1] = 128; allowed: 1 .. 127", [](auto& all) { conv(all).requant.clamp = {0, 128}; }},
      {"requant.clamp[1] = 5; allowed: 6 .. 127", [](auto& all) { conv(all).requant.clamp = {5, 5}; }},
      {"scale", [](auto& all) { conv(all).scale = 0; }},
      {"input = 'nothing'", [](auto& all) { all[2].inputs = {"nothing"}; }},
      {"input = 'pool'", [](auto& all) { all[1].inputs = {"pool"}; }},
      {"layer 'conv': appears twice", [](auto& all) { all[2].name = "conv"; }},
      {"inputs = 2", [](auto& all) { all[2].inputs = {"conv", "conv"}; }},
      {"odd size", [](auto& all) { all[2].operation = Reorg{}; std::get<Input>(all[0].operation).width = 7; }},
      {"do not match", [](auto& all) { all[2].operation = Concat{}; all[2].inputs = {"image", "conv"}; }},
      {"inputs of one size, scale and zero point", [](auto& all) {
         add(all, {3, 3});
         std::get<Conv>(all[2].operation).scale = 0.25;
       }},
      {"inputs of one size", [](auto& all) {
         add(all, {3, 2});
         std::get<Conv>(all[2].operation).padding = {};
       }},
      {"weights = 128; allowed: -128 .. 127", [](auto& all) { add(all, {1, 128}); }},
      {"adds nothing; weights = 0", [](auto& all) { add(all, {0, 1}); }},
      {"zero_point = 128", [](auto& all) { std::get<Input>(all[0].operation).zero_point = 128; }},
      {"width = 0", [](auto& all) { std::get<Input>(all[0].operation).width = 0; }},
      {"Input, Output layers = 1, 0", [](auto& all) { all.pop_back(); }},
  };
  for (const Case& each : cases) {
    std::vector<Layer> changed = layers();
    each.change(changed);
    const std::string said = refusal([&] { Graph(changed, 8, 20); });
    if (said.find(each.said) == std::string::npos) {
      std::cerr << "expected '" << each.said << "', got '" << said << "'\n";
      std::exit(1);
    }
  }
  std::vector<Layer> large = layers();
  conv(large).weights[80] = -128;
  CHECK(refusal([&] { Graph(large, 8, 15); }).find("filter 2: the accumulator may overflow; largest magnitude = 19712") != std::string::npos);
  std::vector<Layer> sum = layers();
  std::ranges::fill(conv(sum).weights, 0);
  add(sum, {-9, 8});
  CHECK(refusal([&] { Graph(sum, 8, 12); }).find("layer 'add', filter 0: the accumulator may overflow; largest magnitude = 2176") != std::string::npos);
  CHECK(refusal([] { Graph(layers(), 9, 20); }).find("act_bits = 9") != std::string::npos);
  CHECK(refusal([] { Graph(layers(), 8, 11); }).find("acc_bits = 11") != std::string::npos);
  CHECK(refusal([] { Graph(layers(), 8, 20).find("none"); }).find("layer = 'none'") != std::string::npos);
}

}  // namespace

int main() {
  accepts();
  refuses();
}
