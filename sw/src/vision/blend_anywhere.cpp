// SPDX-License-Identifier: Apache-2.0
// Resizing without instructions of any set, but in loops of which compilers make vectors.
#include <algorithm>
#include <array>

#include "vision/blend_impl.h"

namespace sterna {
namespace {

struct Anywhere {
  static constexpr int lanes = kBlendBytes;
  using Sums = std::array<std::int32_t, lanes>;

  static Sums all(int value) {
    Sums sums;
    sums.fill(value);
    return sums;
  }
  static void add(const std::uint8_t* from, std::int32_t weight, Sums& sums) {
    for (int lane = 0; lane < lanes; ++lane) sums[lane] += from[lane] * weight;
  }
  static void store(const Sums& sums, std::uint8_t flip, std::uint8_t* made) {
    for (int lane = 0; lane < lanes; ++lane) {
      made[lane] = static_cast<std::uint8_t>(std::min(sums[lane] >> kWeightBits, 255)) ^ flip;
    }
  }
};

}  // namespace

void blend_anywhere(const Blend& blend, std::uint8_t* made, std::ptrdiff_t made_step) {
  blend_groups<Anywhere>(blend, made, made_step);
}

}  // namespace sterna
