// SPDX-License-Identifier: Apache-2.0
// Executes an integer graph on a CPU, exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "emulator/simd.h"
#include "graph/graph.h"

namespace sterna {

class Emulator {
 public:
  static constexpr int kMostThreads = 1024;

  /// kept: numbers of the layers whose maps `run` gives. What leads to none of them is not computed. threads: 1 ..
  /// kMostThreads; simd: one of `available_simd()`. Neither changes a bit of what is computed.
  Emulator(std::shared_ptr<const Graph> graph, std::vector<std::size_t> kept, int threads, Simd simd);
  ~Emulator();

  /// Runs one image, int8 [C, H, W] (rgb - 128), and writes the map of each kept layer, int8 [C, H, W], to the place
  /// of the same position in `maps`. Calls from several threads wait for each other.
  void run(const std::int8_t* image, std::span<std::int8_t* const> maps);

  const Graph& graph() const { return *graph_; }
  const std::vector<std::size_t>& kept() const { return kept_; }

 private:
  class Program;

  std::shared_ptr<const Graph> graph_;
  std::vector<std::size_t> kept_;
  std::unique_ptr<Program> program_;
  std::mutex running_;
};

}  // namespace sterna
