// SPDX-License-Identifier: Apache-2.0
#include "emulator/emulator.h"

#include <algorithm>
#include <functional>
#include <string>
#include <utility>

#include "emulator/convolution.h"
#include "emulator/moves.h"
#include "emulator/scalar.h"
#include "emulator/threads.h"
#include "error.h"

namespace sterna {

/// The layers that are needed, in order, and their maps.
class Emulator::Program {
 public:
  Program(const Graph& graph, const std::vector<std::size_t>& kept, int threads, const Kernels* kernels)
      : graph_(graph), kernels_(kernels), threads_(threads), scratch_(threads), is_kept_(graph.layers().size()),
        maps_(is_kept_.size()) {
    for (std::size_t layer : kept) is_kept_[layer] = true;
    std::vector<bool> is_needed = is_kept_;
    for (std::size_t layer = is_needed.size(); layer-- > 0;) {
      if (!is_needed[layer]) continue;
      for (std::size_t source : graph.sources(layer)) is_needed[source] = true;
    }
    for (std::size_t layer = 0; layer < is_needed.size(); ++layer) {
      if (is_needed[layer]) add(layer);
    }
  }

  void run(const std::int8_t* image) {
    image_ = image;
    for (const std::function<void()>& step : steps_) step();
  }

  const std::int8_t* map(std::size_t layer) const { return maps_[layer].data(); }

 private:
  void add(std::size_t layer) {
    const bool is_conv = std::holds_alternative<Conv>(graph_.layers()[layer].operation);
    if (is_conv && kernels_ && is_pooled(layer)) return;
    maps_[layer].resize(graph_.tensor(layer).size() + kSlack);
    if (!kernels_) {
      steps_.emplace_back([this, layer] { by_channels(layer, [&](int channel, auto sources) {
        scalar::compute(graph_, layer, channel, sources, maps_[layer].data());
      }); });
    } else if (is_conv) {
      add_convolution(layer, layer);
    } else if (const std::size_t source = layer == graph_.input() ? layer : graph_.sources(layer)[0];
               maps_[source].empty()) {
      add_convolution(source, layer);
    } else {
      steps_.emplace_back([this, layer] { by_channels(layer, [&](int channel, auto sources) {
        moves::compute(graph_, *kernels_, layer, channel, sources, maps_[layer].data());
      }); });
    }
  }

  /// Whether nothing but one pooling of 2x2 pixels and stride 2 reads the map of a convolution: the two are computed as one.
  bool is_pooled(std::size_t layer) const {
    const std::vector<std::size_t>& users = graph_.users(layer);
    if (is_kept_[layer] || users.size() != 1) return false;
    const auto* pool = std::get_if<MaxPool>(&graph_.layers()[users[0]].operation);
    return pool && pool->halves();
  }

  /// made: the layer whose map it writes, its own or that of the pooling which alone reads it.
  void add_convolution(std::size_t layer, std::size_t made) {
    auto convolution = std::make_shared<Convolution>(graph_, layer, layer != made, *kernels_, scratch_);
    steps_.emplace_back([this, convolution, source = graph_.sources(layer)[0], made] {
      convolution->run(map(source), maps_[made].data(), threads_);
    });
  }

  template <typename Compute>
  void by_channels(std::size_t layer, Compute compute) {
    std::vector<const std::int8_t*> sources;
    for (std::size_t source : graph_.sources(layer)) sources.push_back(map(source));
    if (sources.empty()) sources.push_back(image_);
    threads_.run_each(graph_.tensor(layer).channels,
                      [&](std::size_t channel) { compute(static_cast<int>(channel), std::span(sources)); });
  }

  const Graph& graph_;
  const Kernels* kernels_;
  Threads threads_;
  std::vector<Scratch> scratch_;
  std::vector<bool> is_kept_;
  std::vector<std::vector<std::int8_t>> maps_;
  std::vector<std::function<void()>> steps_;
  const std::int8_t* image_ = nullptr;
};

Emulator::Emulator(std::shared_ptr<const Graph> graph, std::vector<std::size_t> kept, int threads, Simd simd)
    : graph_(std::move(graph)), kept_(std::move(kept)) {
  if (threads < 1 || threads > kMostThreads) {
    refuse({"emulator", "cannot have so many threads", "threads = " + std::to_string(threads),
            "1 .. " + std::to_string(kMostThreads), "choose a number in that range"});
  }
  if (std::ranges::count(available_simd(), simd) == 0) {
    refuse({"emulator", "this processor lacks the instruction set", "", "those that available_simd names",
            "choose one of them"});
  }
  program_ = std::make_unique<Program>(*graph_, kept_, threads, kernels(simd));
}

Emulator::~Emulator() = default;

void Emulator::run(const std::int8_t* image, std::span<std::int8_t* const> maps) {
  const std::lock_guard lock(running_);
  program_->run(image);
  for (std::size_t place = 0; place < kept_.size(); ++place) {
    std::copy_n(program_->map(kept_[place]), graph_->tensor(kept_[place]).size(), maps[place]);
  }
}

}  // namespace sterna
