// SPDX-License-Identifier: Apache-2.0
// Images from JPEG files, with the pixels of libjpeg-turbo, which Pillow uses as well.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "vision/image.h"

namespace sterna {

/// Decodes files, one at a time.
class JpegReader {
 public:
  /// Pixels of an image at most, checked before it is decoded.
  static constexpr std::size_t kMostPixels = 89'478'485;
  /// Scans of a progressive file at most.
  static constexpr int kMostScans = 100;

  /// The pixels of the file `data` as they are stored, which are there until the next call. Throws `Error` for what is
  /// no JPEG of grey or colours, is cut off, or has too many pixels or scans.
  Image read(std::span<const std::uint8_t> data);

 private:
  std::vector<std::uint8_t> pixels_;
};

}  // namespace sterna
