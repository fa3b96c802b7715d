// SPDX-License-Identifier: Apache-2.0
// An engine as a device.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "device/device.h"
#include "device/engine.h"
#include "graph/graph.h"

namespace sterna {

/// Gives frames to the engine that `transport` reaches; one runs, the next one is queued.
class EngineDevice : public Device {
 public:
  /// program: that of the graph. Its Outputs are kept.
  EngineDevice(std::shared_ptr<const Graph> graph, std::shared_ptr<const Program> program,
               std::shared_ptr<Transport> transport, const Limits& limits);

  const Graph& graph() const override { return *graph_; }
  const std::vector<std::size_t>& kept() const override { return kept_; }
  FrameLayout layout() const override;
  int capacity() const override { return Engine::kCapacity; }
  void submit(std::span<const std::int8_t> frame) override;
  void wait(std::span<std::int8_t* const> maps) override;
  void stop() noexcept override { is_stopped_ = true; }

 private:
  void check_usable() const;
  void wait_for_frame();
  void drop_failed();

  std::shared_ptr<const Graph> graph_;
  std::shared_ptr<const Program> program_;
  std::vector<std::size_t> kept_;
  /// The region of each kept layer.
  std::vector<const Store*> stores_;
  /// All of the engine but its waiting.
  std::mutex mutex_;
  Engine engine_;
  std::vector<std::uint8_t> result_;
  /// Why the engine cannot be used any more; empty if it can.
  std::string broken_;
  std::atomic<bool> is_stopped_ = false;
};

}  // namespace sterna
