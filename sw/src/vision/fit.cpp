// SPDX-License-Identifier: Apache-2.0
#include "vision/fit.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

namespace sterna {

Fit::Inner Fit::inner() const {
  if (aspect == Aspect::stretch) return {0, 0, input_width, input_height};
  const double factor = std::min(static_cast<double>(input_width) / image_width,
                                 static_cast<double>(input_height) / image_height);
  const int width = std::max(1, static_cast<int>(std::nearbyint(image_width * factor)));
  const int height = std::max(1, static_cast<int>(std::nearbyint(image_height * factor)));
  return {(input_width - width) / 2, (input_height - height) / 2, width, height};
}

void Fit::frame(const Image& image, Resizer& resizer, FrameLayout layout, std::int8_t* frame) const {
  constexpr std::uint8_t kSign = 0x80;  // Inverted, it makes 0 .. 255 the two's complement of itself less 128.
  const std::ptrdiff_t pixels = std::ptrdiff_t{input_height} * input_width;
  const auto [left, top, width, height] = inner();
  if (width != input_width || height != input_height) std::fill_n(frame, pixels * Image::kChannels, std::int8_t{0});
  Place place{reinterpret_cast<std::uint8_t*>(frame), 1, std::ptrdiff_t{input_width} * Image::kChannels,
              Image::kChannels};
  if (layout == FrameLayout::planar) place = {place.pixels, pixels, input_width, 1};
  place.pixels += top * place.row + left * place.pixel;
  resizer.run(image, height, width, place, kSign);
}

std::vector<Box> Fit::in_pixels(const std::vector<Box>& boxes) const {
  const float image_sides[] = {static_cast<float>(image_width), static_cast<float>(image_height)};
  const float input_sides[] = {static_cast<float>(input_width), static_cast<float>(input_height)};
  const Inner in = inner();
  const float offsets[] = {static_cast<float>(in.left), static_cast<float>(in.top)};
  const float factors[] = {static_cast<float>(static_cast<double>(image_width) / in.width),
                           static_cast<float>(static_cast<double>(image_height) / in.height)};
  std::vector<Box> found;
  for (Box box : boxes) {
    bool is_inside = true;
    for (int axis = 0; axis < 2; ++axis) {
      for (float* side : {&box.sides[axis], &box.sides[axis + 2]}) {
        if (aspect == Aspect::stretch) {
          *side *= image_sides[axis];
        } else {
          *side = std::clamp((*side * input_sides[axis] - offsets[axis]) * factors[axis], 0.0f, image_sides[axis]);
        }
      }
      is_inside = is_inside && (aspect == Aspect::stretch || box.sides[axis + 2] > box.sides[axis]);
    }
    if (is_inside) found.push_back(box);
  }
  return found;
}

}  // namespace sterna
