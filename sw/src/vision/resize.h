// SPDX-License-Identifier: Apache-2.0
// Bilinear resizing, as the BILINEAR of Pillow 13: to the same bits on every machine.
//
// Each pixel of the result is a mean of the pixels under a triangle, as wide as two pixels of the result but no narrower
// than two of the image. Width and height change one after the other, with 8 bits in between: the width first, unless
// more than twice as many rows as columns go away. Weights are made in double precision and rounded to integers, in
// which all the rest is done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "emulator/simd.h"
#include "vision/blend.h"
#include "vision/image.h"

namespace sterna {

/// Where the pixels of a result go: channel c of pixel (y, x) to `pixels[c * channel + y * row + x * pixel]`. Either
/// `channel` is 1 and `pixel` 3, or `pixel` is 1.
struct Place {
  std::uint8_t* pixels;
  std::ptrdiff_t channel, row, pixel;
};

/// The weights of one axis.
class Axis {
 public:
  Axis() = default;
  Axis(int length, int wanted);

  bool is(int length, int wanted) const { return length == length_ && wanted == wanted_; }
  int first(int place) const { return first_[place]; }
  int taps(int place) const { return taps_[place]; }
  const std::int32_t* weights(int place) const { return &weights_[static_cast<std::size_t>(place) * most_taps_]; }

 private:
  int length_ = 0, wanted_ = 0, most_taps_ = 0;
  std::vector<int> first_, taps_;
  std::vector<std::int32_t> weights_;
};

/// Resizes images, one at a time; keeps what the next one of the same size needs.
class Resizer {
 public:
  explicit Resizer(Simd simd);

  /// Writes `image` as `height` x `width` pixels in the order red, green, blue, with the bits of `flip` inverted.
  void run(const Image& image, int height, int width, const Place& place, std::uint8_t flip);

 private:
  void widths(const Image& image, int width, bool planar);
  Image heights(const Image& image, int height);
  void blend_row(const std::uint8_t* rows, std::ptrdiff_t stride, std::ptrdiff_t bytes, const Axis& axis, int row,
                 std::uint8_t flip, std::uint8_t* made);

  BlendFunction blend_;
  Axis of_width_, of_height_, low_height_;
  std::vector<std::uint8_t> low_, columns_, made_columns_, rows_, ends_;
  std::ptrdiff_t stride_ = 0;
};

}  // namespace sterna
