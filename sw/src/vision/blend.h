// SPDX-License-Identifier: Apache-2.0
// The inner loop of resizing, compiled for each instruction set.
//
// Only plain types are in this interface: see emulator/kernels.h.
#pragma once

#include <cstddef>
#include <cstdint>

namespace sterna {

/// Bytes that are blended together.
constexpr int kBlendBytes = 16;
/// Fraction bits of weights.
constexpr int kWeightBits = 22;

/// Blends of groups of kBlendBytes bytes: each byte is the sum over taps of weight * byte, rounded, at most 255.
struct Blend {
  const std::uint8_t* from;      ///< Of the first tap of the first group.
  std::ptrdiff_t tap_step;       ///< From tap to tap.
  std::ptrdiff_t from_step;      ///< From group to group.
  const std::int32_t* weights;   ///< One per tap, 0 .. 2^kWeightBits; together about 2^kWeightBits.
  int taps;
  int groups;
  std::uint8_t flip;             ///< Bits that are inverted in the end.
};

/// Writes the groups of `blend` to `made`, `made_step` apart.
using BlendFunction = void (*)(const Blend& blend, std::uint8_t* made, std::ptrdiff_t made_step);

void blend_anywhere(const Blend& blend, std::uint8_t* made, std::ptrdiff_t made_step);
void blend_avx2(const Blend& blend, std::uint8_t* made, std::ptrdiff_t made_step);
void blend_avx512(const Blend& blend, std::uint8_t* made, std::ptrdiff_t made_step);

}  // namespace sterna
