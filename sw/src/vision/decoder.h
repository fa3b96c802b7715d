// SPDX-License-Identifier: Apache-2.0
// What a detector's package says of images and boxes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "package/package.h"
#include "vision/boxes.h"
#include "vision/fit.h"

namespace sterna {

/// Which boxes are found.
struct BoxLimits {
  float threshold = 0.3f;  ///< Least score, 0 .. 1.
  float overlap = 0.45f;   ///< Largest intersection over union of two boxes of a class, 0 .. 1.
};

class Decoder {
 public:
  /// For images that lie in the input as `aspect` says, or else as the package does. Throws `Error` if the package is no
  /// detector, or its head, anchors or aspect do not fit.
  explicit Decoder(const Package& package, std::optional<Aspect> aspect = {});

  const std::vector<std::string>& classes() const { return classes_; }
  /// The number of the layer whose map is the head.
  std::size_t output() const { return output_; }
  /// Bytes of a frame.
  std::size_t frame_bytes() const;

  /// Writes `image` as a frame of the input.
  void frame(const Image& image, Resizer& resizer, FrameLayout layout, std::int8_t* frame) const;
  /// Boxes in pixels of an image of `height` x `width`, best first, from the head for it. At most kMostBoxes.
  std::vector<Box> boxes(const std::int8_t* head, int height, int width, const BoxLimits& limits) const;

 private:
  Fit fit(int height, int width) const { return {height, width, input_height_, input_width_, aspect_}; }

  std::vector<std::string> classes_;
  std::size_t output_ = 0;
  Head head_;
  float scale_ = 1;
  int zero_point_ = 0;
  int input_height_ = 0, input_width_ = 0;
  Aspect aspect_ = Aspect::stretch;
};

}  // namespace sterna
