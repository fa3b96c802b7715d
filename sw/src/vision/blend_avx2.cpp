// SPDX-License-Identifier: Apache-2.0
// Resizing with AVX2.
#include <immintrin.h>

#include "vision/blend_impl.h"

namespace sterna {
namespace {

struct Avx2 {
  static constexpr int lanes = 8;
  using Sums = __m256i;

  static Sums all(int value) { return _mm256_set1_epi32(value); }
  static void add(const std::uint8_t* from, std::int32_t weight, Sums& sums) {
    const Sums bytes = _mm256_cvtepu8_epi32(_mm_loadl_epi64(reinterpret_cast<const __m128i*>(from)));
    sums = _mm256_add_epi32(sums, _mm256_mullo_epi32(bytes, _mm256_set1_epi32(weight)));
  }
  static void store(Sums sums, std::uint8_t flip, std::uint8_t* made) {
    sums = _mm256_srli_epi32(sums, kWeightBits);
    const __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    const __m128i bytes = _mm_xor_si128(_mm_packus_epi16(words, words), _mm_set1_epi8(static_cast<char>(flip)));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(made), bytes);
  }
};

}  // namespace

void blend_avx2(const Blend& blend, std::uint8_t* made, std::ptrdiff_t made_step) {
  blend_groups<Avx2>(blend, made, made_step);
}

}  // namespace sterna
