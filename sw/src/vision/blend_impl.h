// SPDX-License-Identifier: Apache-2.0
// The inner loop of resizing over the vectors of an instruction set: `V::lanes` sums, and what is done with them.
#pragma once

#include "vision/blend.h"

namespace sterna {
namespace {

template <typename V>
void blend_groups(const Blend& blend, std::uint8_t* made, std::ptrdiff_t made_step) {
  for (int group = 0; group < blend.groups; ++group) {
    for (int lane = 0; lane < kBlendBytes; lane += V::lanes) {
      const std::uint8_t* from = blend.from + group * blend.from_step + lane;
      typename V::Sums sums = V::all(1 << (kWeightBits - 1));
      for (int tap = 0; tap < blend.taps; ++tap, from += blend.tap_step) V::add(from, blend.weights[tap], sums);
      V::store(sums, blend.flip, made + group * made_step + lane);
    }
  }
}

}  // namespace
}  // namespace sterna
