// SPDX-License-Identifier: Apache-2.0
// What executes a package's graph on frames: the emulator, or an engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "graph/graph.h"

namespace sterna {

/// How the bytes of a frame lie, each value of 0 .. 255 less 128: channel after channel, [C, H, W], or pixel after
/// pixel, [H, W, C].
enum class FrameLayout { planar, interleaved };

/// Takes frames and gives their maps in the same order. It is made ready for one graph and may hold several frames.
///
/// At most one thread calls `submit`, and at most one other `wait`, at a time; each may run while the other does. Both
/// throw `Error` for what fails, and end in bounded time whatever the hardware does.
class Device {
 public:
  virtual ~Device() = default;

  virtual const Graph& graph() const = 0;
  /// Numbers of the layers whose maps `wait` gives: among them each Output of the graph, or the layer that it reads,
  /// whose map is the same.
  virtual const std::vector<std::size_t>& kept() const = 0;
  /// How frames have to lie.
  virtual FrameLayout layout() const = 0;
  /// Frames that it holds at most, those that were submitted and not waited for; at least 1.
  virtual int capacity() const = 0;

  /// Takes the next frame, as many bytes as the graph's Input has values; they are read during the call. It holds fewer
  /// than `capacity()` before. If it throws, the frame was not taken.
  virtual void submit(std::span<const std::int8_t> frame) = 0;
  /// Waits for the oldest frame that it holds, and writes the map of each kept layer, int8 [C, H, W], to the place of
  /// the same position in `maps`. If it throws, that frame is over as well; the ones after it are waited for in turn.
  virtual void wait(std::span<std::int8_t* const> maps) = 0;

  /// Makes a `submit` or `wait` that runs, and all later ones, throw soon. Any thread may call it, more than once.
  virtual void stop() noexcept = 0;
};

}  // namespace sterna
