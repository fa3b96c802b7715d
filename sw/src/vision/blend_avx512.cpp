// SPDX-License-Identifier: Apache-2.0
// Resizing with AVX-512.
#include <immintrin.h>

#include "vision/blend_impl.h"

namespace sterna {
namespace {

struct Avx512 {
  static constexpr int lanes = 16;
  using Sums = __m512i;

  static Sums all(int value) { return _mm512_set1_epi32(value); }
  static void add(const std::uint8_t* from, std::int32_t weight, Sums& sums) {
    const Sums bytes = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from)));
    sums = _mm512_add_epi32(sums, _mm512_mullo_epi32(bytes, _mm512_set1_epi32(weight)));
  }
  static void store(Sums sums, std::uint8_t flip, std::uint8_t* made) {
    const __m128i bytes = _mm512_cvtusepi32_epi8(_mm512_srli_epi32(sums, kWeightBits));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(made), _mm_xor_si128(bytes, _mm_set1_epi8(static_cast<char>(flip))));
  }
};

}  // namespace

void blend_avx512(const Blend& blend, std::uint8_t* made, std::ptrdiff_t made_step) {
  blend_groups<Avx512>(blend, made, made_step);
}

}  // namespace sterna
