// SPDX-License-Identifier: Apache-2.0
// The maps of an image, for the tests and the fuzz programs.
#pragma once

#include <cstdint>
#include <vector>

#include "emulator/emulator.h"

namespace sterna {

using Maps = std::vector<std::vector<std::int8_t>>;

/// Those of the layers `kept`, which `emulator` gives.
inline Maps maps_of(Emulator& emulator, const Graph& graph, const std::vector<std::size_t>& kept,
                    const std::vector<std::int8_t>& image) {
  Maps maps;
  std::vector<std::int8_t*> places;
  for (std::size_t layer : kept) maps.emplace_back(graph.tensor(layer).size());
  for (std::vector<std::int8_t>& map : maps) places.push_back(map.data());
  emulator.run(image.data(), places);
  return maps;
}

}  // namespace sterna
