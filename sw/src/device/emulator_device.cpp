// SPDX-License-Identifier: Apache-2.0
#include "device/emulator_device.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "error.h"

namespace sterna {
namespace {

std::vector<std::size_t> with_outputs(const Graph& graph, std::vector<std::size_t> kept) {
  for (std::size_t layer = 0; layer < graph.layers().size(); ++layer) {
    const bool is_output = std::holds_alternative<Output>(graph.layers()[layer].operation);
    if (is_output && std::ranges::count(kept, layer) == 0) kept.push_back(layer);
  }
  return kept;
}

[[noreturn]] void refuse_stopped() { refuse({"emulator", "was stopped", "", "", "open it again"}); }

}  // namespace

EmulatorDevice::EmulatorDevice(std::shared_ptr<const Graph> graph, std::vector<std::size_t> kept, int threads,
                               Simd simd)
    : emulator_(std::make_shared<Emulator>(graph, with_outputs(*graph, std::move(kept)), threads, simd)) {}

EmulatorDevice::EmulatorDevice(std::shared_ptr<Emulator> emulator) : emulator_(std::move(emulator)) {}

void EmulatorDevice::submit(std::span<const std::int8_t> frame) {
  if (frame.size() != graph().tensor(graph().input()).size()) throw std::invalid_argument("frame of another size");
  Frame taken(frame.begin(), frame.end());
  const std::lock_guard lock(mutex_);
  if (is_stopped_) refuse_stopped();
  if (frames_.size() >= static_cast<std::size_t>(capacity())) throw std::logic_error("more frames than it holds");
  frames_.push_back(std::move(taken));
}

void EmulatorDevice::wait(std::span<std::int8_t* const> maps) {
  Frame frame;
  {
    const std::lock_guard lock(mutex_);
    if (frames_.empty()) throw std::logic_error("no frame to wait for");
    frame = std::move(frames_.front());
    frames_.pop_front();
    if (is_stopped_) refuse_stopped();
  }
  emulator_->run(frame.data(), maps);
}

void EmulatorDevice::stop() noexcept {
  const std::lock_guard lock(mutex_);
  is_stopped_ = true;
}

}  // namespace sterna
