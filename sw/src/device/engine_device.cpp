// SPDX-License-Identifier: Apache-2.0
#include "device/engine_device.h"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "error.h"

namespace sterna {
namespace {

/// The region that holds an Output, which may be stored under its input's name.
const Store& store_of(const Program& program, const Layer& output) {
  for (const std::string& name : {output.name, output.inputs[0]}) {
    const auto found = std::ranges::find(program.stores, name, &Store::layer);
    if (found != program.stores.end()) return *found;
  }
  refuse({"layer '" + output.name + "'", "is not stored by the tape", "", "", "compile the graph again"});
}

}  // namespace

EngineDevice::EngineDevice(std::shared_ptr<const Graph> graph, std::shared_ptr<const Program> program,
                           std::shared_ptr<Transport> transport, const Limits& limits)
    : graph_(std::move(graph)), program_(std::move(program)), engine_(std::move(transport), limits) {
  for (std::size_t layer = 0; layer < graph_->layers().size(); ++layer) {
    if (!std::holds_alternative<Output>(graph_->layers()[layer].operation)) continue;
    const Store& store = store_of(*program_, graph_->layers()[layer]);
    if (store.map_size() != graph_->tensor(layer).size()) {
      refuse({"layer '" + store.layer + "'", "is of another size in the tape", "", "", "compile the graph again"});
    }
    kept_.push_back(layer);
    stores_.push_back(&store);
  }
  const std::size_t image = graph_->tensor(graph_->input()).size();
  if (program_->image_offset > program_->frame_bytes || image > program_->frame_bytes - program_->image_offset) {
    refuse({"image", "is of another size in the tape", "", "", "compile the graph again"});
  }
  result_.resize(program_->result_bytes);
  engine_.load(program_);
  engine_.begin();
}

FrameLayout EngineDevice::layout() const {
  return program_->is_interleaved ? FrameLayout::interleaved : FrameLayout::planar;
}

void EngineDevice::submit(std::span<const std::int8_t> frame) {
  if (frame.size() != graph_->tensor(graph_->input()).size()) throw std::invalid_argument("frame of another size");
  const std::lock_guard lock(mutex_);
  check_usable();
  engine_.start({reinterpret_cast<const std::uint8_t*>(frame.data()), frame.size()});
}

void EngineDevice::wait(std::span<std::int8_t* const> maps) {
  try {
    wait_for_frame();
  } catch (...) {
    drop_failed();
    throw;
  }
  {
    const std::lock_guard lock(mutex_);
    engine_.read_result(result_);
    engine_.take();
  }
  const auto* result = reinterpret_cast<const std::int8_t*>(result_.data());
  for (std::size_t at = 0; at < maps.size(); ++at) {
    unpack(result + stores_[at]->offset, *stores_[at], program_->word, maps[at]);
  }
}

/// Others submit while it waits for the interrupt.
void EngineDevice::wait_for_frame() {
  while (true) {
    {
      const std::lock_guard lock(mutex_);
      if (!engine_.held()) throw std::logic_error("no frame to wait for");
      check_usable();
      if (engine_.has_ended()) return;
    }
    const bool is_interrupted = engine_.pause();
    const std::lock_guard lock(mutex_);
    engine_.judge(is_interrupted);
  }
}

void EngineDevice::drop_failed() {
  const std::lock_guard lock(mutex_);
  if (!engine_.held()) return;
  try {
    engine_.drop_failed();
  } catch (const Error& error) {
    broken_ = error.what();
  }
}

void EngineDevice::check_usable() const {
  if (is_stopped_) refuse({"engine", "was stopped", "", "", "open it again"});
  if (!broken_.empty()) throw Error(broken_);
}

}  // namespace sterna
