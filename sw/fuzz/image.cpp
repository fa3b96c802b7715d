// SPDX-License-Identifier: Apache-2.0
// Makes any bytes an image, which is resized into an input, and the head of a network, whose boxes are found. Every
// instruction set of this processor must give the same frame.
#include <fuzzer/FuzzedDataProvider.h>

#include <algorithm>
#include <cstdint>
#include <vector>

#include "vision/boxes.h"
#include "vision/fit.h"
#include "vision/resize.h"

namespace {

using namespace sterna;

/// Most often short; sometimes as long as images of cameras.
int length(FuzzedDataProvider& from) {
  return from.ConsumeIntegralInRange(1, from.ConsumeIntegral<std::uint8_t>() > 250 ? 4000 : 40);
}

void resize(FuzzedDataProvider& from) {
  const Fit fit{length(from), std::min(length(from), 400), from.ConsumeIntegralInRange(1, 48),
                from.ConsumeIntegralInRange(1, 48), from.PickValueInArray({Aspect::stretch, Aspect::letterbox})};
  Image image{nullptr, fit.image_height, fit.image_width, 0,
              from.PickValueInArray({PixelOrder::rgb, PixelOrder::bgr, PixelOrder::planes})};
  image.stride = image.row_bytes() + from.ConsumeIntegralInRange(0, 9);
  const std::ptrdiff_t rows = image.height * (image.order == PixelOrder::planes ? Image::kChannels : 1);
  std::vector<std::uint8_t> pixels((rows - 1) * image.stride + image.row_bytes(), from.ConsumeIntegral<std::uint8_t>());
  const auto some = from.ConsumeBytes<std::uint8_t>(std::min<std::size_t>(pixels.size(), 200));
  std::copy(some.begin(), some.end(), pixels.begin());
  image.pixels = pixels.data();
  const FrameLayout layout = from.PickValueInArray({FrameLayout::planar, FrameLayout::interleaved});
  std::vector<std::vector<std::int8_t>> frames;
  for (const Simd simd : available_simd()) {
    Resizer resizer(simd);
    frames.emplace_back(std::size_t{3} * fit.input_height * fit.input_width);
    fit.frame(image, resizer, layout, frames.back().data());
    if (frames.back() != frames.front()) __builtin_trap();
  }
}

void find(FuzzedDataProvider& from) {
  Head head{{}, from.ConsumeIntegralInRange(1, 4), from.ConsumeIntegralInRange(1, 5), from.ConsumeIntegralInRange(1, 5)};
  for (int anchor = from.ConsumeIntegralInRange(1, 3); anchor > 0; --anchor) {
    head.anchors.push_back({from.ConsumeFloatingPointInRange(0.01f, 20.0f), from.ConsumeFloatingPointInRange(0.01f, 20.0f)});
  }
  const std::size_t size = head.anchors.size() * head.fields() * head.cells();
  const float threshold = from.ConsumeProbability<float>(), overlap = from.ConsumeProbability<float>();
  std::vector<Box> boxes;
  if (from.ConsumeBool()) {
    const float scale = from.ConsumeFloatingPointInRange(0.001f, 2.0f);
    std::vector<std::int8_t> values = from.ConsumeBytes<std::int8_t>(size);
    values.resize(size);
    boxes = decode(head, values.data(), scale, from.ConsumeIntegralInRange(-128, 127), threshold);
  } else {
    std::vector<float> values(size);
    for (float& value : values) value = from.ConsumeFloatingPointInRange(-1e4f, 1e4f);
    boxes = decode(head, values.data(), threshold);
  }
  std::vector<Box> kept;
  for (const std::size_t at : suppress(boxes, overlap, kMostBoxes)) kept.push_back(boxes.at(at));
  const Fit fit{length(from), length(from), length(from), length(from),
                from.PickValueInArray({Aspect::stretch, Aspect::letterbox})};
  for (const Box& box : fit.in_pixels(kept)) {
    const auto [left, top, right, bottom] = box.sides;
    const bool is_inside = left >= 0 && top >= 0 && right <= fit.image_width && bottom <= fit.image_height;
    if (!is_inside || left > right || top > bottom) __builtin_trap();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider from(data, size);
  from.ConsumeBool() ? resize(from) : find(from);
  return 0;
}
