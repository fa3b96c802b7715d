// SPDX-License-Identifier: Apache-2.0
// The pixels of an image, wherever they lie.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sterna {

/// Red, green and blue (or the reverse) pixel by pixel, or a plane of each, one after the other.
enum class PixelOrder { rgb, bgr, planes };

/// 8-bit pixels that belong to somebody else.
struct Image {
  /// Largest width or height.
  static constexpr int kMostSide = 65535;
  static constexpr int kChannels = 3;

  const std::uint8_t* pixels = nullptr;
  int height = 0, width = 0;
  /// From row to row, of a plane if there are planes, in bytes.
  std::ptrdiff_t stride = 0;
  PixelOrder order = PixelOrder::rgb;

  /// Bytes of a row without what may lie between rows.
  std::ptrdiff_t row_bytes() const { return std::ptrdiff_t{width} * (order == PixelOrder::planes ? 1 : kChannels); }
};

}  // namespace sterna
