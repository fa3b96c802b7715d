// SPDX-License-Identifier: Apache-2.0
#include "vision/boxes.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "vision/exponential.h"

namespace sterna {
namespace {

/// e^8 cells are wider than any image.
constexpr float kLargestLogSize = 8;
constexpr int kObjectness = kBoxFields - 1;

/// A head of real numbers.
struct Reals {
  using Value = float;

  static float logistic(float value) { return static_cast<float>(sterna::logistic(value)); }
  static float size(float value) {
    return static_cast<float>(exponential(value < kLargestLogSize ? value : kLargestLogSize));
  }
  static double likelihood(float value, float best) { return exponential(static_cast<double>(value) - best); }
};

/// A head of integers: every function of one is a table.
class Integers {
 public:
  using Value = std::int8_t;

  Integers(float scale, int zero_point) {
    for (int value = kLeast; value < kLeast + kLevels; ++value) {
      const float raw = static_cast<float>(value - zero_point) * scale;
      logistic_[value - kLeast] = Reals::logistic(raw);
      size_[value - kLeast] = Reals::size(raw);
      likelihood_[value - kLeast] = exponential(-(value - kLeast) * static_cast<double>(scale));
    }
  }

  float logistic(std::int8_t value) const { return logistic_[value - kLeast]; }
  float size(std::int8_t value) const { return size_[value - kLeast]; }
  double likelihood(std::int8_t value, std::int8_t best) const { return likelihood_[best - value]; }

 private:
  static constexpr int kLevels = 256, kLeast = -128;

  std::array<float, kLevels> logistic_, size_;
  std::array<double, kLevels> likelihood_;
};

/// The boxes of one anchor, `fields` raw values per cell, each a map of its own.
template <typename Raw>
class AnchorReader {
 public:
  AnchorReader(const Head& form, const Raw& raw, std::size_t anchor, const typename Raw::Value* head)
      : form_(form), raw_(raw), anchor_(form.anchors[anchor]), maps_(head + anchor * form.fields() * form.cells()) {}

  void read(float threshold, std::vector<Box>& found) const {
    for (std::size_t cell = 0; cell < form_.cells(); ++cell) {
      const float objectness = raw_.logistic(value(kObjectness, cell));
      // No class makes it more.
      if (!(objectness >= threshold)) continue;
      Box box = best_class(cell, objectness);
      if (!(box.score >= threshold)) continue;
      place(cell, box);
      found.push_back(box);
    }
  }

 private:
  typename Raw::Value value(int field, std::size_t cell) const { return maps_[field * form_.cells() + cell]; }

  Box best_class(std::size_t cell, float objectness) const {
    int best = 0;
    for (int kind = 1; kind < form_.classes; ++kind) {
      if (value(kBoxFields + kind, cell) > value(kBoxFields + best, cell)) best = kind;
    }
    double sum = 0;
    for (int kind = 0; kind < form_.classes; ++kind) {
      sum += raw_.likelihood(value(kBoxFields + kind, cell), value(kBoxFields + best, cell));
    }
    return {{}, objectness * static_cast<float>(1 / sum), best};
  }

  void place(std::size_t cell, Box& box) const {
    const std::size_t places[] = {cell % form_.width, cell / form_.width};
    const float grid[] = {static_cast<float>(form_.width), static_cast<float>(form_.height)};
    for (int axis = 0; axis < 2; ++axis) {
      const float centre = raw_.logistic(value(axis, cell)) + static_cast<float>(places[axis]);
      const float size = anchor_[axis] * raw_.size(value(2 + axis, cell));
      const float begin = centre - size / 2;
      box.sides[axis] = std::clamp(begin / grid[axis], 0.0f, 1.0f);
      box.sides[axis + 2] = std::clamp((begin + size) / grid[axis], 0.0f, 1.0f);
    }
  }

  const Head& form_;
  const Raw& raw_;
  Anchor anchor_;
  const typename Raw::Value* maps_;
};

/// Positions of `boxes`, best first; those without a number as score are last.
std::vector<std::size_t> best_first(std::span<const Box> boxes) {
  const auto rank = [&](std::size_t box) {
    return std::isnan(boxes[box].score) ? -std::numeric_limits<float>::infinity() : boxes[box].score;
  };
  std::vector<std::size_t> order(boxes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return rank(a) > rank(b); });
  return order;
}

template <typename Raw>
std::vector<Box> decode_all(const Head& form, const Raw& raw, const typename Raw::Value* head, float threshold) {
  std::vector<Box> found, sorted;
  for (std::size_t anchor = 0; anchor < form.anchors.size(); ++anchor) {
    AnchorReader(form, raw, anchor, head).read(threshold, found);
  }
  sorted.reserve(found.size());
  for (std::size_t box : best_first(found)) sorted.push_back(found[box]);
  return sorted;
}

}  // namespace

std::vector<Box> decode(const Head& form, const float* head, float threshold) {
  return decode_all(form, Reals{}, head, threshold);
}

std::vector<Box> decode(const Head& form, const std::int8_t* head, float scale, int zero_point, float threshold) {
  return decode_all(form, Integers(scale, zero_point), head, threshold);
}

float iou(const std::array<float, 4>& a, const std::array<float, 4>& b) {
  float shared = 1, area_a = 1, area_b = 1;
  for (int axis = 0; axis < 2; ++axis) {
    shared *= std::max(std::min(a[axis + 2], b[axis + 2]) - std::max(a[axis], b[axis]), 0.0f);
    area_a *= a[axis + 2] - a[axis];
    area_b *= b[axis + 2] - b[axis];
  }
  return shared / std::max(area_a + area_b - shared, std::numeric_limits<float>::min());
}

std::vector<std::size_t> suppress(std::span<const Box> boxes, float overlap, std::size_t limit) {
  std::vector<std::size_t> kept;
  for (std::size_t box : best_first(boxes)) {
    if (kept.size() >= limit) break;
    const bool is_hidden = std::ranges::any_of(kept, [&](std::size_t better) {
      return boxes[better].kind == boxes[box].kind && iou(boxes[better].sides, boxes[box].sides) > overlap;
    });
    if (!is_hidden) kept.push_back(box);
  }
  return kept;
}

}  // namespace sterna
