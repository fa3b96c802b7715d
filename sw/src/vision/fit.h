// SPDX-License-Identifier: Apache-2.0
// How an image of another size and aspect lies in the input of a network, and how boxes come back from there.
#pragma once

#include <cstdint>
#include <vector>

#include "device/device.h"
#include "vision/boxes.h"
#include "vision/image.h"
#include "vision/resize.h"

namespace sterna {

/// What becomes of an image of another aspect: it is stretched, or whole in the middle of grey.
enum class Aspect { stretch, letterbox };

/// An image in an input, both of a height and a width.
struct Fit {
  int image_height, image_width, input_height, input_width;
  Aspect aspect;

  /// The rectangle of the image within the input, in whole pixels.
  struct Inner {
    int left, top, width, height;
  };
  Inner inner() const;

  /// Writes `image`, of this size, as a frame of the input: bilinear, less 128, and 0 for what it does not cover.
  void frame(const Image& image, Resizer& resizer, FrameLayout layout, std::int8_t* frame) const;

  /// `boxes`, in 0 .. 1 of the input, in pixels of the image; what lies outside the image is gone.
  std::vector<Box> in_pixels(const std::vector<Box>& boxes) const;
};

}  // namespace sterna
