// SPDX-License-Identifier: Apache-2.0
// Executes an integer graph on a CPU, exactly.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace sterna {

class Emulator {
 public:
  /// kept: numbers of the layers whose maps `run` gives. What leads to none of them is not computed.
  Emulator(std::shared_ptr<const Graph> graph, std::vector<std::size_t> kept);
  ~Emulator();

  /// Runs one image, int8 [C, H, W] (rgb - 128), and writes the map of each kept layer, int8 [C, H, W], to the place
  /// of the same position in `maps`. Not to be called by two threads at a time.
  void run(const std::int8_t* image, std::span<std::int8_t* const> maps);

  const Graph& graph() const { return *graph_; }
  const std::vector<std::size_t>& kept() const { return kept_; }

 private:
  std::shared_ptr<const Graph> graph_;
  std::vector<std::size_t> kept_;
  std::vector<bool> needed_;
  std::vector<std::vector<std::int8_t>> maps_;
};

}  // namespace sterna
