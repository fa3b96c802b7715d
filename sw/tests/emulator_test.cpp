// SPDX-License-Identifier: Apache-2.0
// Every instruction set of this processor, with one thread and with two, gives the maps of the scalar kernels.
#include "emulator/emulator.h"

#include <memory>
#include <string>
#include <vector>

#include "check.h"
#include "maps.h"
#include "random_graph.h"

namespace {

using namespace sterna;

/// Twice, as what the first run leaves must not matter.
Maps run(const std::shared_ptr<const Graph>& graph, const std::vector<std::size_t>& kept,
         const std::vector<std::int8_t>& image, int threads, Simd simd) {
  Emulator emulator(graph, kept, threads, simd);
  maps_of(emulator, *graph, kept, image);
  return maps_of(emulator, *graph, kept, image);
}

void equals_scalar(unsigned seed) {
  RandomGraph random(seed);
  const std::shared_ptr<const Graph> graph = random.graph();
  const std::vector<std::int8_t> image = random.image();
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
  const std::shared_ptr<const Graph> graph = RandomGraph(0).graph();
  CHECK(refusal([&] { Emulator(graph, {0}, 0, Simd::scalar); }).find("threads = 0") != std::string::npos);
  CHECK(refusal([&] { Emulator(graph, {0}, 1, static_cast<Simd>(9)); }).find("instruction set") != std::string::npos);
}

}  // namespace

int main() {
  for (unsigned seed = 0; seed < 8; ++seed) equals_scalar(seed);
  refuses();
}
