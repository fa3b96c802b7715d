// SPDX-License-Identifier: Apache-2.0
#include "emulator/emulator.h"

#include <algorithm>
#include <utility>

#include "emulator/scalar.h"

namespace sterna {

Emulator::Emulator(std::shared_ptr<const Graph> graph, std::vector<std::size_t> kept)
    : graph_(std::move(graph)), kept_(std::move(kept)), needed_(graph_->layers().size()), maps_(needed_.size()) {
  for (std::size_t layer : kept_) needed_[layer] = true;
  for (std::size_t layer = needed_.size(); layer-- > 0;) {
    if (!needed_[layer]) continue;
    for (std::size_t source : graph_->sources(layer)) needed_[source] = true;
  }
}

Emulator::~Emulator() = default;

void Emulator::run(const std::int8_t* image, std::span<std::int8_t* const> maps) {
  for (std::size_t layer = 0; layer < needed_.size(); ++layer) {
    if (!needed_[layer]) continue;
    if (layer == graph_->input()) {
      maps_[layer] = scalar::input(*graph_, image);
      continue;
    }
    std::vector<const scalar::Map*> sources;
    for (std::size_t source : graph_->sources(layer)) sources.push_back(&maps_[source]);
    maps_[layer] = scalar::compute(*graph_, layer, sources);
  }
  for (std::size_t place = 0; place < kept_.size(); ++place) std::ranges::copy(maps_[kept_[place]], maps[place]);
}

}  // namespace sterna
