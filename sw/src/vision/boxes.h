// SPDX-License-Identifier: Apache-2.0
// Boxes from the raw head of a YOLOv2: decoding and non-maximum suppression, to the same bits on every machine.
//
// Redmon and Farhadi, "YOLO9000: Better, Faster, Stronger" (2017), section 2, "Direct location prediction".
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sterna {

/// What a head says of a box before its classes: x, y, w, h and objectness.
constexpr int kBoxFields = 5;
/// Boxes of an image at most.
constexpr std::size_t kMostBoxes = 100;

struct Box {
  std::array<float, 4> sides;  ///< Left, top, right, bottom; in 0 .. 1 of the input, or in pixels of an image.
  float score;                 ///< 0 .. 1, objectness times the probability of the class.
  std::int32_t kind;           ///< The number of the class.
};

/// Width and height in cells.
using Anchor = std::array<float, 2>;

/// The form of a head: [anchors * (kBoxFields + classes), height, width].
struct Head {
  std::vector<Anchor> anchors;
  int classes, height, width;

  std::size_t cells() const { return static_cast<std::size_t>(height) * width; }
  std::size_t fields() const { return kBoxFields + static_cast<std::size_t>(classes); }
};

/// All boxes whose score reaches `threshold`, in 0 .. 1 of the input, best first, of raw values `head`.
std::vector<Box> decode(const Head& form, const float* head, float threshold);
/// The same of integers, which stand for `scale * (integer - zero_point)`.
std::vector<Box> decode(const Head& form, const std::int8_t* head, float scale, int zero_point, float threshold);

/// Intersection over union of two boxes; 0 for empty ones.
float iou(const std::array<float, 4>& a, const std::array<float, 4>& b);

/// Greedy non-maximum suppression within each class: positions in `boxes` of at most `limit` of them, best first. One
/// is dropped if its `iou` with a better one of its class exceeds `overlap`.
std::vector<std::size_t> suppress(std::span<const Box> boxes, float overlap, std::size_t limit);

}  // namespace sterna
