// SPDX-License-Identifier: Apache-2.0
// The kernels for AVX2 and FMA.
#include <immintrin.h>

#include "emulator/kernels_impl.h"

namespace sterna {
namespace {

template <bool even>
constexpr int kRounding = (even ? _MM_FROUND_TO_NEAREST_INT : _MM_FROUND_TO_NEG_INF) | _MM_FROUND_NO_EXC;

struct Avx2 : ChannelPairs {
  using Bytes = __m256i;
  using Words32 = __m256i;
  static constexpr int pixels = 32, tap_vectors = 2;

  static Bytes zero() { return _mm256_setzero_si256(); }
  static Bytes bytes(int value) { return _mm256_set1_epi8(static_cast<char>(value)); }
  static Bytes words(int value) { return _mm256_set1_epi16(static_cast<short>(value)); }
  static Bytes load(const void* at) { return _mm256_loadu_si256(static_cast<const __m256i*>(at)); }
  static Bytes load_once(const void* at) {
    Bytes value = load(at);
    asm("" : "+x"(value));
    return value;
  }
  static void store(void* at, Bytes value) { _mm256_storeu_si256(static_cast<__m256i*>(at), value); }
  static Bytes add8(Bytes a, Bytes b) { return _mm256_add_epi8(a, b); }
  static Bytes sub8(Bytes a, Bytes b) { return _mm256_sub_epi8(a, b); }
  static Bytes mean8(Bytes a, Bytes b) { return _mm256_avg_epu8(a, b); }
  static Bytes xor8(Bytes a, Bytes b) { return _mm256_xor_si256(a, b); }
  static Bytes add16(Bytes a, Bytes b) { return _mm256_add_epi16(a, b); }
  static Bytes sub16(Bytes a, Bytes b) { return _mm256_sub_epi16(a, b); }
  static Bytes low8(Bytes a) { return _mm256_and_si256(a, _mm256_set1_epi16(0xff)); }
  static Bytes high8(Bytes a) { return _mm256_srli_epi16(a, 8); }
  static Bytes shift_left8(Bytes a) { return _mm256_slli_epi16(a, 8); }
  static Bytes times8(Bytes a) { return _mm256_slli_epi16(a, 3); }

  static void add32(__m128i words, bool first, std::int32_t* sums) {
    Bytes wide = _mm256_cvtepi16_epi32(words);
    if (!first) wide = _mm256_add_epi32(wide, load(sums));
    store(sums, wide);
  }
  static void add32(Bytes words, bool first, std::int32_t* sums) {
    add32(_mm256_castsi256_si128(words), first, sums);
    add32(_mm256_extracti128_si256(words, 1), first, sums + 8);
  }

  static Words32 words32(std::int32_t value) { return _mm256_set1_epi32(value); }
  static Words32 load32(const void* at) { return load(at); }
  static Words32 dot(Words32 sum, Words32 values, Words32 weights) {
    return _mm256_add_epi32(sum, _mm256_madd_epi16(values, weights));
  }
  static void add_split(Words32 low, Words32 high, bool first, std::int32_t* even, std::int32_t* odd) {
    // Of the four quarters that a shuffle within halves makes, the middle two change places.
    const auto of = [&](int which) {
      const __m256 a = _mm256_castsi256_ps(low), b = _mm256_castsi256_ps(high);
      const __m256 mixed = which ? _mm256_shuffle_ps(a, b, 0xdd) : _mm256_shuffle_ps(a, b, 0x88);
      return _mm256_permute4x64_epi64(_mm256_castps_si256(mixed), 0xd8);
    };
    Words32 sum_even = of(0), sum_odd = of(1);
    if (!first) {
      sum_even = _mm256_add_epi32(sum_even, load(even));
      sum_odd = _mm256_add_epi32(sum_odd, load(odd));
    }
    store(even, sum_even);
    store(odd, sum_odd);
  }

  static __m256d all(double value) { return _mm256_set1_pd(value); }
  static __m256 all(float value) { return _mm256_set1_ps(value); }
  template <bool even>
  static __m128i activations4(const std::int32_t* sums, const Scale<Avx2, double, even>& scale) {
    const __m256d s = _mm256_cvtepi32_pd(_mm_loadu_si128(reinterpret_cast<const __m128i*>(sums)));
    __m256d t = _mm256_fmadd_pd(s, scale.multiplier, scale.bias);
    t = _mm256_add_pd(_mm256_max_pd(t, _mm256_mul_pd(t, scale.slope)), scale.half);
    return _mm256_cvtpd_epi32(_mm256_round_pd(_mm256_min_pd(t, scale.act_max), kRounding<even>));
  }
  template <bool even>
  static __m128i activations8(const std::int32_t* sums, const Scale<Avx2, double, even>& scale) {
    return _mm_packs_epi32(activations4(sums, scale), activations4(sums + 4, scale));
  }
  template <bool even>
  static __m128i activations8(const std::int32_t* sums, const Scale<Avx2, float, even>& scale) {
    __m256 t = _mm256_fmadd_ps(_mm256_cvtepi32_ps(load(sums)), scale.multiplier, scale.bias);
    t = _mm256_add_ps(_mm256_max_ps(t, _mm256_mul_ps(t, scale.slope)), scale.half);
    const __m256i made = _mm256_cvtps_epi32(_mm256_round_ps(_mm256_min_ps(t, scale.act_max), kRounding<even>));
    return _mm_packs_epi32(_mm256_castsi256_si128(made), _mm256_extracti128_si256(made, 1));
  }
  template <typename Real, bool even>
  static Bytes activations(const std::int32_t* sums, const Scale<Avx2, Real, even>& scale) {
    return _mm256_max_epi16(_mm256_set_m128i(activations8(sums + 8, scale), activations8(sums, scale)), scale.act_min);
  }
  static Bytes interleaved(Bytes evens, Bytes odds) { return _mm256_or_si256(low8(evens), shift_left8(odds)); }
  static void store_half(void* at, Bytes words) {
    const __m128i packed = _mm_packs_epi16(_mm256_castsi256_si128(words), _mm256_extracti128_si256(words, 1));
    _mm_storeu_si128(static_cast<__m128i*>(at), packed);
  }
  static void copy(std::int8_t* to, const std::int8_t* from, int count) {
    __builtin_memcpy(to, from, static_cast<unsigned long>(count));
  }
};

constexpr Kernels kKernels = kernels_of<Avx2>();

}  // namespace

const Kernels* avx2_kernels() { return &kKernels; }

}  // namespace sterna
