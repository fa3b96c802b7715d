// SPDX-License-Identifier: Apache-2.0
// Resizing is the same with every instruction set and however pixels lie; the exponential function is what it should
// be; boxes of integers are those of the real numbers that they stand for.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "check.h"
#include "vision/boxes.h"
#include "vision/exponential.h"
#include "vision/fit.h"
#include "vision/resize.h"

namespace {

using namespace sterna;

using Bytes = std::vector<std::uint8_t>;
using Frame = std::vector<std::int8_t>;

/// `pixels`, red, green and blue pixel by pixel, in another order and with `gap` bytes between rows.
Bytes laid(const Bytes& pixels, int height, int width, PixelOrder order, int gap) {
  const bool has_planes = order == PixelOrder::planes;
  const std::ptrdiff_t stride = width * (has_planes ? 1 : 3) + gap;
  // What lies between rows is never looked at, and nothing lies after the last one.
  Bytes made(stride * (height * (has_planes ? 3 : 1) - 1) + stride - gap, 0xee);
  for (int row = 0; row < height; ++row) {
    for (int column = 0; column < width; ++column) {
      for (int channel = 0; channel < 3; ++channel) {
        const int place = order == PixelOrder::bgr ? 2 - channel : channel;
        const std::ptrdiff_t at =
            has_planes ? (channel * height + row) * stride + column : row * stride + 3 * column + place;
        made[at] = pixels[(row * width + column) * 3 + channel];
      }
    }
  }
  return made;
}

Frame planar(const Frame& interleaved, int pixels) {
  Frame made;
  for (int channel = 0; channel < 3; ++channel) {
    for (int pixel = 0; pixel < pixels; ++pixel) made.push_back(interleaved[3 * pixel + channel]);
  }
  return made;
}

void resizes_alike(int height, int width, const Fit& fit, std::mt19937& random) {
  Bytes pixels(height * width * 3);
  for (std::uint8_t& value : pixels) value = static_cast<std::uint8_t>(random());
  const int size = fit.input_height * fit.input_width;
  Frame expected(size * 3);
  Resizer plain(Simd::scalar);
  fit.frame({pixels.data(), height, width, 3 * width}, plain, FrameLayout::interleaved, expected.data());
  for (const Simd simd : available_simd()) {
    Resizer resizer(simd);
    for (const PixelOrder order : {PixelOrder::rgb, PixelOrder::bgr, PixelOrder::planes}) {
      for (const int gap : {0, 5}) {
        const Bytes held = laid(pixels, height, width, order, gap);
        const std::ptrdiff_t stride = width * (order == PixelOrder::planes ? 1 : 3) + gap;
        const Image image{held.data(), height, width, stride, order};
        Frame frame(size * 3, 77);
        fit.frame(image, resizer, FrameLayout::interleaved, frame.data());
        CHECK(frame == expected);
        fit.frame(image, resizer, FrameLayout::planar, frame.data());
        CHECK(frame == planar(expected, size));
      }
    }
  }
}

void resizes_alike() {
  std::mt19937 random(3);
  const int sizes[][4] = {{20, 33, 16, 16}, {45, 10, 24, 40}, {1, 1, 3, 5}, {17, 64, 17, 64}, {90, 50, 11, 49}};
  for (const auto& [height, width, input_height, input_width] : sizes) {
    for (const Aspect aspect : {Aspect::stretch, Aspect::letterbox}) {
      resizes_alike(height, width, {height, width, input_height, input_width, aspect}, random);
    }
  }
}

void resizes_by_the_rule() {
  // 4 columns to 2: each is a mean under a triangle of 4 columns, of which the border cuts one.
  const Bytes pixels = {0, 0, 0, 70, 70, 70, 140, 140, 140, 210, 210, 210};
  Frame frame(6);
  Resizer resizer(Simd::scalar);
  Fit{1, 4, 1, 2, Aspect::stretch}.frame({pixels.data(), 1, 4, 12}, resizer, FrameLayout::interleaved, frame.data());
  // (3 * 0 + 3 * 70 + 1 * 140) / 7 = 50 and (1 * 70 + 3 * 140 + 3 * 210) / 7 = 160.
  CHECK(frame == Frame({50 - 128, 50 - 128, 50 - 128, 160 - 128, 160 - 128, 160 - 128}));
}

void is_exponential() {
  for (double x = -690; x < 690; x += 0.37) CHECK(std::abs(exponential(x) / std::exp(x) - 1) < 1e-15);
  CHECK(exponential(0) == 1 && logistic(0) == 0.5);
  CHECK(exponential(1e9) == exponential(700) && exponential(-1e9) == exponential(-700) && exponential(-700) > 0);
  CHECK(std::isnan(exponential(std::nan(""))));
}

void integers_are_reals() {
  std::mt19937 random(5);
  const Head form{{{1, 2}, {3.5, 0.5}}, 4, 5, 7};
  const std::size_t size = form.anchors.size() * form.fields() * form.cells();
  Frame integers(size);
  std::vector<float> reals(size);
  for (std::size_t at = 0; at < size; ++at) {
    integers[at] = static_cast<std::int8_t>(random());
    reals[at] = static_cast<float>(integers[at] + 100) * 0.03f;
  }
  const std::vector<Box> a = decode(form, integers.data(), 0.03f, -100, 0.2f), b = decode(form, reals.data(), 0.2f);
  CHECK(a.size() == b.size() && a.size() > 10 && a.size() < form.cells() * 2);
  for (std::size_t box = 0; box < a.size(); ++box) {
    CHECK(a[box].sides == b[box].sides && a[box].kind == b[box].kind);
    CHECK(std::abs(a[box].score - b[box].score) < 1e-6f);
  }
  CHECK(std::ranges::is_sorted(a, std::ranges::greater(), &Box::score));
}

}  // namespace

int main() {
  resizes_alike();
  resizes_by_the_rule();
  is_exponential();
  integers_are_reals();
}
