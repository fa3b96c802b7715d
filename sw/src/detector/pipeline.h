// SPDX-License-Identifier: Apache-2.0
// Images to boxes, several at a time: host work in threads beside the device.
//
// A worker makes a frame an input of the network, one thread gives it to the device, another waits for the device, and
// a worker finds the boxes. Frames pass the device, and come out, in their order; one that failed goes the same way.
#pragma once

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include "device/device.h"
#include "vision/boxes.h"
#include "vision/decoder.h"
#include "vision/image.h"
#include "vision/jpeg.h"
#include "vision/resize.h"

namespace sterna {

/// Where the time goes. Workers do all but the device's part.
enum class Part { decode, resize, device, boxes };
constexpr int kParts = 4;

/// What is looked at: pixels, or a JPEG file.
struct Picture {
  Image image;
  std::span<const std::uint8_t> jpeg = {};
};

struct PipelineOptions {
  static constexpr int kMostThreads = 256, kMostFrames = 1024;

  BoxLimits limits;
  int threads = 1;  ///< Workers, 1 .. kMostThreads.
  int frames = 4;   ///< In flight, 1 .. kMostFrames.
};

/// What came of a frame: its boxes, or else why it failed.
struct Found {
  std::uint64_t ticket = 0;
  std::vector<Box> boxes;
  std::exception_ptr error;
};

class Pipeline {
 public:
  /// Throws `Error` for options out of range.
  Pipeline(std::unique_ptr<Device> device, Decoder decoder, const PipelineOptions& options);
  /// Frames in flight are given up.
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  const Decoder& decoder() const { return decoder_; }
  const PipelineOptions& options() const { return options_; }

  /// Takes a frame, whose bytes stay as they are until it has come out of `wait`. Gives its ticket, counted from 0; none
  /// if `options().frames` are in flight, so that one has to be waited for.
  std::optional<std::uint64_t> submit(const Picture& picture);
  /// Waits for the oldest frame that nobody waits for yet; none if there is none.
  std::optional<Found> wait();
  /// The boxes of one image; none if frames are in flight that nobody waits for yet. Throws why it failed.
  std::optional<std::vector<Box>> run(const Picture& picture);

  /// Seconds that each part has taken in all, by `Part`. Parts overlap.
  std::array<double, kParts> seconds() const;

 private:
  enum class Stage { free, submitted, prepared, fed, computed, done };

  struct Frame {
    Stage stage = Stage::free;
    Picture picture;
    int height = 0, width = 0;
    std::vector<std::int8_t> input, head;
    std::vector<std::vector<std::int8_t>> others;  ///< Maps of other layers, which nobody reads.
    std::vector<std::int8_t*> maps;
    std::vector<Box> boxes;
    std::exception_ptr error;  ///< Why nothing more is done with it.
  };

  std::uint64_t put(const Picture& picture);
  Found get(std::unique_lock<std::mutex>& lock, std::uint64_t ticket);
  Frame& frame(std::uint64_t ticket) { return frames_[ticket % frames_.size()]; }
  void end();
  void work();
  void prepare(std::unique_lock<std::mutex>& lock, Frame& frame, JpegReader& reader, Resizer& resizer);
  void feed();
  void take();
  template <typename Work>
  void advance(std::unique_lock<std::mutex>& lock, Frame& frame, Part part, Stage next, Work work);

  std::unique_ptr<Device> device_;
  Decoder decoder_;
  PipelineOptions options_;

  mutable std::mutex mutex_;
  std::condition_variable work_, feed_, take_, done_, free_;
  std::vector<Frame> frames_;
  /// Tickets of the next frame to be submitted, prepared, given to the device, taken from it, and waited for.
  std::uint64_t submitted_ = 0, prepared_ = 0, fed_ = 0, taken_ = 0, waited_ = 0;
  /// Frames whose boxes are to be found.
  std::deque<std::uint64_t> computed_;
  int with_device_ = 0;
  bool is_over_ = false;
  std::array<double, kParts> seconds_{};
  std::vector<std::thread> threads_;
};

}  // namespace sterna
