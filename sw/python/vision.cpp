// SPDX-License-Identifier: Apache-2.0
// The vision of libsterna for Python: resizing, boxes, and how they lie in each other.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.h"
#include "error.h"
#include "vision.h"
#include "vision/boxes.h"
#include "vision/fit.h"
#include "vision/jpeg.h"
#include "vision/resize.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace sterna {

Image image_of(const Pixels& pixels) {
  const auto fits = [](std::size_t side) { return side >= 1 && side <= Image::kMostSide; };
  if (!fits(pixels.shape(0)) || !fits(pixels.shape(1)) || pixels.stride(1) != Image::kChannels || pixels.stride(2) != 1) {
    refuse({"pixels", "cannot be resized", std::to_string(pixels.shape(0)) + " x " + std::to_string(pixels.shape(1)),
            "1 .. " + std::to_string(Image::kMostSide) + " a side, pixels side by side", "scale or copy the image"});
  }
  return {pixels.data(), static_cast<int>(pixels.shape(0)), static_cast<int>(pixels.shape(1)), pixels.stride(0)};
}

nb::tuple arrays_of(const std::vector<Box>& boxes) {
  std::vector<float> sides, scores;
  std::vector<std::int64_t> kinds;
  for (const Box& box : boxes) {
    sides.insert(sides.end(), box.sides.begin(), box.sides.end());
    scores.push_back(box.score);
    kinds.push_back(box.kind);
  }
  return nb::make_tuple(moved<float, 2>(std::move(sides), {boxes.size(), 4}),
                        moved<float, 1>(std::move(scores), {boxes.size()}),
                        moved<std::int64_t, 1>(std::move(kinds), {boxes.size()}));
}

namespace {

using Sides = nb::ndarray<const float, nb::shape<-1, 4>, nb::c_contig, nb::device::cpu>;
using Scores = Array<float, 1>;
using Kinds = Array<std::int64_t, 1>;
using Anchors = nb::ndarray<const float, nb::shape<-1, 2>, nb::c_contig, nb::device::cpu>;
using Size = std::pair<int, int>;

Fit fit_of(const Size& image, const Size& input, bool letterbox) {
  return {image.first, image.second, input.first, input.second, letterbox ? Aspect::letterbox : Aspect::stretch};
}

auto frame(const Pixels& pixels, const Size& input, bool letterbox) {
  const Image image = image_of(pixels);
  const std::array shape{static_cast<std::size_t>(input.first), static_cast<std::size_t>(input.second),
                         std::size_t{Image::kChannels}};
  std::vector<std::int8_t> made(shape[0] * shape[1] * shape[2]);
  {
    const nb::gil_scoped_release released;
    thread_local Resizer resizer(available_simd().back());
    fit_of({image.height, image.width}, input, letterbox).frame(image, resizer, FrameLayout::interleaved, made.data());
  }
  return moved<std::int8_t, 3>(std::move(made), shape);
}

auto read_jpeg(const nb::bytes& data) {
  const std::span bytes(static_cast<const std::uint8_t*>(data.data()), data.size());
  std::vector<std::uint8_t> made;
  std::array<std::size_t, 3> shape{0, 0, Image::kChannels};
  {
    const nb::gil_scoped_release released;
    JpegReader reader;
    const Image image = reader.read(bytes);
    made.assign(image.pixels, image.pixels + image.stride * image.height);
    shape[0] = image.height;
    shape[1] = image.width;
  }
  return moved<std::uint8_t, 3>(std::move(made), shape);
}

std::vector<Box> boxes_of(const Sides& sides, const Scores& scores, const Kinds& kinds) {
  if (scores.size() != sides.shape(0) || kinds.size() != sides.shape(0)) {
    refuse({"boxes", "have arrays of different lengths", "", "", ""});
  }
  std::vector<Box> boxes(sides.shape(0));
  for (std::size_t box = 0; box < boxes.size(); ++box) {
    std::copy_n(sides.data() + 4 * box, 4, boxes[box].sides.begin());
    boxes[box].score = scores.data()[box];
    boxes[box].kind = static_cast<std::int32_t>(kinds.data()[box]);
  }
  return boxes;
}

template <typename Value>
Head head_of(const Array<Value, 3>& head, const Anchors& anchors) {
  Head form{{}, 0, static_cast<int>(head.shape(1)), static_cast<int>(head.shape(2))};
  for (std::size_t anchor = 0; anchor < anchors.shape(0); ++anchor) {
    form.anchors.push_back({anchors(anchor, 0), anchors(anchor, 1)});
  }
  form.classes = form.anchors.empty() ? 0 : static_cast<int>(head.shape(0) / form.anchors.size()) - kBoxFields;
  if (form.classes < 1 || form.anchors.size() * form.fields() != head.shape(0)) {
    refuse({"boxes", "the head's channels do not fit " + std::to_string(form.anchors.size()) + " anchors",
            "channels = " + std::to_string(head.shape(0)),
            std::to_string(form.anchors.size()) + " * (5 + classes), at least one class",
            "use the anchors with which the network was trained"});
  }
  return form;
}

nb::tuple decode_integers(const Array<std::int8_t, 3>& head, const Anchors& anchors, float scale, int zero_point,
                          float threshold) {
  return arrays_of(decode(head_of(head, anchors), head.data(), scale, zero_point, threshold));
}

nb::tuple decode_reals(const Array<float, 3>& head, const Anchors& anchors, float threshold) {
  return arrays_of(decode(head_of(head, anchors), head.data(), threshold));
}

auto suppressed(const Sides& sides, const Scores& scores, const Kinds& kinds, float overlap, std::size_t limit) {
  const std::vector<std::size_t> kept = suppress(boxes_of(sides, scores, kinds), overlap, limit);
  return moved<std::int64_t, 1>({kept.begin(), kept.end()}, {kept.size()});
}

auto overlaps(const Sides& a, const Sides& b) {
  const auto box = [](const Sides& sides, std::size_t number) {
    return std::array{sides(number, 0), sides(number, 1), sides(number, 2), sides(number, 3)};
  };
  std::vector<float> made;
  for (std::size_t row = 0; row < a.shape(0); ++row) {
    for (std::size_t column = 0; column < b.shape(0); ++column) made.push_back(iou(box(a, row), box(b, column)));
  }
  return moved<float, 2>(std::move(made), {a.shape(0), b.shape(0)});
}

}  // namespace

void add_vision(nb::module_& module) {
  module.attr("MOST_BOXES") = kMostBoxes;
  module.def("inner", [](const Size& image, const Size& input, bool letterbox) {
    const Fit::Inner inner = fit_of(image, input, letterbox).inner();
    return std::tuple(inner.left, inner.top, inner.width, inner.height);
  }, "image"_a, "input"_a, "letterbox"_a);
  module.def("frame", &frame, "image"_a.noconvert(), "input"_a, "letterbox"_a);
  module.def("read_jpeg", &read_jpeg, "data"_a);
  module.def("in_pixels", [](const Sides& sides, const Scores& scores, const Kinds& kinds, const Size& image,
                             const Size& input, bool letterbox) {
    return arrays_of(fit_of(image, input, letterbox).in_pixels(boxes_of(sides, scores, kinds)));
  }, "boxes"_a, "scores"_a, "classes"_a, "image"_a, "input"_a, "letterbox"_a);
  module.def("decode_integers", &decode_integers, "head"_a.noconvert(), "anchors"_a, "scale"_a, "zero_point"_a,
             "threshold"_a);
  module.def("decode_reals", &decode_reals, "head"_a.noconvert(), "anchors"_a, "threshold"_a);
  module.def("suppress", &suppressed, "boxes"_a, "scores"_a, "classes"_a, "overlap"_a, "limit"_a);
  module.def("iou", &overlaps, "a"_a, "b"_a);
}

}  // namespace sterna
