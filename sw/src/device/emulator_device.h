// SPDX-License-Identifier: Apache-2.0
// The emulator as a device.
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "device/device.h"
#include "emulator/emulator.h"

namespace sterna {

/// Computes a frame while it is waited for, and holds one more.
class EmulatorDevice : public Device {
 public:
  /// As those of `Emulator`; kept: an Output that is missing is added.
  EmulatorDevice(std::shared_ptr<const Graph> graph, std::vector<std::size_t> kept, int threads, Simd simd);
  /// One that others may use as well; it keeps each Output, or what that reads.
  explicit EmulatorDevice(std::shared_ptr<Emulator> emulator);

  const Graph& graph() const override { return emulator_->graph(); }
  const std::vector<std::size_t>& kept() const override { return emulator_->kept(); }
  FrameLayout layout() const override { return FrameLayout::planar; }
  int capacity() const override { return 2; }
  void submit(std::span<const std::int8_t> frame) override;
  void wait(std::span<std::int8_t* const> maps) override;
  void stop() noexcept override;

 private:
  using Frame = std::vector<std::int8_t>;

  std::shared_ptr<Emulator> emulator_;
  std::mutex mutex_;
  std::deque<Frame> frames_;
  bool is_stopped_ = false;
};

}  // namespace sterna
