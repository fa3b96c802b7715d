// SPDX-License-Identifier: Apache-2.0
#include "vision/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <utility>

namespace sterna {
namespace {

constexpr int kChannels = Image::kChannels;
/// Rows whose width changes together: each is one lane of the vectors that are blended.
constexpr int kRows = kBlendBytes;

typedef std::uint8_t Lanes __attribute__((vector_size(kRows)));

std::ptrdiff_t padded(std::ptrdiff_t bytes) { return (bytes + kBlendBytes - 1) / kBlendBytes * kBlendBytes; }

Lanes low(Lanes a, Lanes b) {
  return __builtin_shufflevector(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

Lanes high(Lanes a, Lanes b) {
  return __builtin_shufflevector(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/// Writes the bytes of a square, whose rows are `from`, column by column; the columns lie `step` apart.
void transpose(const std::array<const std::uint8_t*, kRows>& from, std::ptrdiff_t offset, std::uint8_t* to,
               std::ptrdiff_t step) {
  std::array<Lanes, kRows> lanes, next;
  for (int row = 0; row < kRows; ++row) std::memcpy(&lanes[row], from[row] + offset, sizeof(Lanes));
  // Each round puts the rows half a square apart side by side; after four, rows have become columns.
  for (int round = 0; round < 4; ++round) {
    for (int row = 0; row < kRows / 2; ++row) {
      next[2 * row] = low(lanes[row], lanes[row + kRows / 2]);
      next[2 * row + 1] = high(lanes[row], lanes[row + kRows / 2]);
    }
    std::swap(lanes, next);
  }
  for (int column = 0; column < kRows; ++column) std::memcpy(to + column * step, &lanes[column], sizeof(Lanes));
}

/// The columns of kRows rows of `bytes` bytes, one after the other. `to` has room for whole squares.
void to_columns(const std::array<const std::uint8_t*, kRows>& rows, std::ptrdiff_t bytes, std::uint8_t* to) {
  const std::ptrdiff_t whole = bytes / kRows * kRows;
  for (std::ptrdiff_t byte = 0; byte < whole; byte += kRows) transpose(rows, byte, to + byte * kRows, kRows);
  if (whole == bytes) return;
  std::array<std::array<std::uint8_t, kRows>, kRows> ends{};
  std::array<const std::uint8_t*, kRows> places;
  for (int row = 0; row < kRows; ++row) {
    std::memcpy(ends[row].data(), rows[row] + whole, bytes - whole);
    places[row] = ends[row].data();
  }
  transpose(places, 0, to + whole * kRows, kRows);
}

BlendFunction blend_of(Simd simd) {
#if defined(__x86_64__)
  if (simd == Simd::avx2) return blend_avx2;
  if (simd == Simd::avx512) return blend_avx512;
#endif
  static_cast<void>(simd);
  return blend_anywhere;
}

}  // namespace

Axis::Axis(int length, int wanted) : length_(length), wanted_(wanted), first_(wanted), taps_(wanted) {
  const double scale = static_cast<double>(length) / wanted;
  const double support = std::max(scale, 1.0), sharpness = 1.0 / support;
  most_taps_ = static_cast<int>(std::ceil(support)) * 2 + 1;
  weights_.resize(static_cast<std::size_t>(wanted) * most_taps_);
  std::vector<double> triangle(most_taps_);
  for (int place = 0; place < wanted; ++place) {
    const double centre = (place + 0.5) * scale;
    const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int taps = std::min(static_cast<int>(centre + support + 0.5), length) - first;
    double sum = 0;
    for (int tap = 0; tap < taps; ++tap) {
      triangle[tap] = std::max(0.0, 1.0 - std::abs((tap + first - centre + 0.5) * sharpness));
      sum += triangle[tap];
    }
    first_[place] = first;
    taps_[place] = taps;
    for (int tap = 0; tap < taps; ++tap) {
      const double share = sum == 0 ? triangle[tap] : triangle[tap] / sum;
      weights_[static_cast<std::size_t>(place) * most_taps_ + tap] =
          static_cast<std::int32_t>(0.5 + share * (1 << kWeightBits));
    }
  }
}

Resizer::Resizer(Simd simd) : blend_(blend_of(simd)) {}

void Resizer::run(const Image& image, int height, int width, const Place& place, std::uint8_t flip) {
  const bool is_planar = place.pixel == 1;
  const bool is_height_first = height < image.height && 2 * (image.width - width) < image.height - height;
  if (!of_width_.is(image.width, width)) of_width_ = Axis(image.width, width);
  widths(is_height_first ? heights(image, height) : image, width, is_planar);
  const int rows = is_height_first ? height : image.height;
  if (!of_height_.is(rows, height)) of_height_ = Axis(rows, height);
  const std::ptrdiff_t bytes = std::ptrdiff_t{width} * (is_planar ? 1 : kChannels);
  for (int row = 0; row < height; ++row) {
    for (int channel = 0; channel < (is_planar ? kChannels : 1); ++channel) {
      blend_row(rows_.data() + channel * bytes, stride_, bytes, of_height_, row, flip,
                place.pixels + row * place.row + channel * place.channel);
    }
  }
}

/// `image` with another height, which is there until the next one.
Image Resizer::heights(const Image& image, int height) {
  if (!low_height_.is(image.height, height)) low_height_ = Axis(image.height, height);
  const std::ptrdiff_t bytes = image.row_bytes();
  const int planes = image.order == PixelOrder::planes ? kChannels : 1;
  low_.resize(bytes * height * planes);
  for (int row = 0; row < height * planes; ++row) {
    const std::uint8_t* plane = image.pixels + row / height * image.stride * image.height;
    blend_row(plane, image.stride, bytes, low_height_, row % height, 0, low_.data() + row * bytes);
  }
  return {low_.data(), height, image.width, bytes, image.order};
}

/// Fills `rows_` with the rows of `image`, `width` pixels each: pixel after pixel, or if `planar` one channel after the
/// other. Works on the columns of kRows rows, so that what is blended together lies side by side.
void Resizer::widths(const Image& image, int width, bool planar) {
  const bool has_planes = image.order == PixelOrder::planes;
  const std::ptrdiff_t plane = padded(image.row_bytes()) * kRows;
  const std::ptrdiff_t pixel = has_planes ? kRows : kChannels * kRows, channel = has_planes ? plane : kRows;
  const std::ptrdiff_t made_pixel = planar ? kRows : kChannels * kRows;
  const std::ptrdiff_t made_channel = planar ? std::ptrdiff_t{kRows} * width : kRows;
  stride_ = padded(std::ptrdiff_t{width} * kChannels);
  columns_.resize(plane * (has_planes ? kChannels : 1));
  made_columns_.resize(stride_ * kRows);
  rows_.resize(stride_ * padded(image.height));
  const bool is_reversed = image.order == PixelOrder::bgr;
  std::uint8_t* const red = made_columns_.data() + (is_reversed ? (kChannels - 1) * made_channel : 0);
  for (int top = 0; top < image.height; top += kRows) {
    std::array<const std::uint8_t*, kRows> rows;
    for (int of = 0; of < (has_planes ? kChannels : 1); ++of) {
      const std::uint8_t* first = image.pixels + of * image.stride * image.height;
      for (int row = 0; row < kRows; ++row) rows[row] = first + std::min(top + row, image.height - 1) * image.stride;
      to_columns(rows, image.row_bytes(), columns_.data() + of * plane);
    }
    for (int place = 0; place < width; ++place) {
      blend_({columns_.data() + of_width_.first(place) * pixel, pixel, channel, of_width_.weights(place),
              of_width_.taps(place), kChannels, 0},
             red + place * made_pixel, is_reversed ? -made_channel : made_channel);
    }
    for (int row = 0; row < kRows; ++row) rows[row] = made_columns_.data() + row * kRows;
    for (std::ptrdiff_t byte = 0; byte < stride_; byte += kRows) {
      transpose(rows, byte * kRows, rows_.data() + top * stride_ + byte, stride_);
    }
  }
}

/// Writes number `row` of the rows that `axis` makes of `rows`. Reads and writes nothing past the end of a row.
void Resizer::blend_row(const std::uint8_t* rows, std::ptrdiff_t stride, std::ptrdiff_t bytes, const Axis& axis,
                        int row, std::uint8_t flip, std::uint8_t* made) {
  const std::ptrdiff_t whole = bytes / kBlendBytes * kBlendBytes;
  const std::uint8_t* first = rows + axis.first(row) * stride;
  const int taps = axis.taps(row);
  blend_({first, stride, kBlendBytes, axis.weights(row), taps, static_cast<int>(whole / kBlendBytes), flip}, made,
         kBlendBytes);
  if (whole == bytes) return;
  ends_.resize(std::size_t{kBlendBytes} * (taps + 1));
  for (int tap = 0; tap < taps; ++tap) {
    std::memcpy(&ends_[tap * kBlendBytes], first + tap * stride + whole, bytes - whole);
  }
  std::uint8_t* const end = &ends_[taps * kBlendBytes];
  blend_({ends_.data(), kBlendBytes, 0, axis.weights(row), taps, 1, flip}, end, kBlendBytes);
  std::memcpy(made + whole, end, bytes - whole);
}

}  // namespace sterna
