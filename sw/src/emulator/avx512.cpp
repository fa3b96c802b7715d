// SPDX-License-Identifier: Apache-2.0
// The kernels for AVX-512 with its byte and word operations (BW, VL, DQ) and dot products of bytes (VNNI).
#include <immintrin.h>

#include "emulator/kernels_impl.h"

namespace sterna {
namespace {

template <bool even>
constexpr int kRounding = (even ? _MM_FROUND_TO_NEAREST_INT : _MM_FROUND_TO_NEG_INF) | _MM_FROUND_NO_EXC;

struct Avx512 {
  using Bytes = __m512i;
  using Words32 = __m512i;
  using Pixel = std::uint32_t;  ///< Biased bytes of four channels.
  static constexpr int pixels = 64, dense_channels = 4, dense_bias = 128, tap_vectors = 4;

  static Bytes zero() { return _mm512_setzero_si512(); }
  static Bytes bytes(int value) { return _mm512_set1_epi8(static_cast<char>(value)); }
  static Bytes words(int value) { return _mm512_set1_epi16(static_cast<short>(value)); }
  static Bytes load(const void* at) { return _mm512_loadu_si512(at); }
  /// A value that is used twice and must not be loaded twice, which compilers hold to be cheap.
  static Bytes load_once(const void* at) {
    Bytes value = load(at);
    asm("" : "+v"(value));
    return value;
  }
  static void store(void* at, Bytes value) { _mm512_storeu_si512(at, value); }
  static Bytes add8(Bytes a, Bytes b) { return _mm512_add_epi8(a, b); }
  static Bytes sub8(Bytes a, Bytes b) { return _mm512_sub_epi8(a, b); }
  static Bytes mean8(Bytes a, Bytes b) { return _mm512_avg_epu8(a, b); }
  static Bytes xor8(Bytes a, Bytes b) { return _mm512_xor_si512(a, b); }
  static Bytes add16(Bytes a, Bytes b) { return _mm512_add_epi16(a, b); }
  static Bytes sub16(Bytes a, Bytes b) { return _mm512_sub_epi16(a, b); }
  static Bytes low8(Bytes a) { return _mm512_and_si512(a, _mm512_set1_epi16(0xff)); }
  static Bytes high8(Bytes a) { return _mm512_srli_epi16(a, 8); }
  static Bytes shift_left8(Bytes a) { return _mm512_slli_epi16(a, 8); }
  static Bytes times8(Bytes a) { return _mm512_slli_epi16(a, 3); }

  static void add32(__m256i words, bool first, std::int32_t* sums) {
    __m512i wide = _mm512_cvtepi16_epi32(words);
    if (!first) wide = _mm512_add_epi32(wide, _mm512_loadu_si512(sums));
    _mm512_storeu_si512(sums, wide);
  }
  static void add32(Bytes words, bool first, std::int32_t* sums) {
    add32(_mm512_castsi512_si256(words), first, sums);
    add32(_mm512_extracti64x4_epi64(words, 1), first, sums + 16);
  }

  static Words32 words32(std::int32_t value) { return _mm512_set1_epi32(value); }
  static Words32 load32(const void* at) { return _mm512_loadu_si512(at); }
  static Words32 dot(Words32 sum, Words32 values, Words32 weights) {
    return _mm512_dpbusd_epi32(sum, values, weights);
  }
  static void add_split(Words32 low, Words32 high, bool first, std::int32_t* even, std::int32_t* odd) {
    const __m512i evens = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
    const __m512i odds = _mm512_setr_epi32(1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
    __m512i sum_even = _mm512_permutex2var_epi32(low, evens, high), sum_odd = _mm512_permutex2var_epi32(low, odds, high);
    if (!first) {
      sum_even = _mm512_add_epi32(sum_even, _mm512_loadu_si512(even));
      sum_odd = _mm512_add_epi32(sum_odd, _mm512_loadu_si512(odd));
    }
    _mm512_storeu_si512(even, sum_even);
    _mm512_storeu_si512(odd, sum_odd);
  }

  static Pixel pixel(std::int8_t value) { return 0x01010101u * static_cast<std::uint8_t>(value ^ -128); }
  static void stage_pixels(const std::int8_t* row, int channels, std::int64_t plane, int width, Pixel* made) {
    const std::int8_t* rows[4];
    for (int channel = 0; channel < 4; ++channel) rows[channel] = row + (channel < channels ? channel * plane : 0);
    for (int x = 0; x < width; x += 16) {
      __m512i packed = _mm512_setzero_si512();
      for (int channel = 0; channel < 4; ++channel) {
        const __m128i values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[channel] + x));
        packed = _mm512_or_si512(packed, _mm512_slli_epi32(_mm512_cvtepu8_epi32(values), 8 * channel));
      }
      _mm512_storeu_si512(made + x, _mm512_xor_si512(packed, _mm512_set1_epi32(static_cast<int>(0x80808080u))));
    }
  }

  static __m512d all(double value) { return _mm512_set1_pd(value); }
  static __m512 all(float value) { return _mm512_set1_ps(value); }
  template <bool even>
  static __m256i activations8(const std::int32_t* sums, const Scale<Avx512, double, even>& scale) {
    const __m512d s = _mm512_cvtepi32_pd(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(sums)));
    __m512d t = _mm512_fmadd_pd(s, scale.multiplier, scale.bias);
    t = _mm512_add_pd(_mm512_max_pd(t, _mm512_mul_pd(t, scale.slope)), scale.half);
    return _mm512_cvt_roundpd_epi32(_mm512_min_pd(t, scale.act_max), kRounding<even>);
  }
  template <bool even>
  static __m512i activations16(const std::int32_t* sums, const Scale<Avx512, double, even>& scale) {
    return _mm512_inserti64x4(_mm512_castsi256_si512(activations8(sums, scale)), activations8(sums + 8, scale), 1);
  }
  template <bool even>
  static __m512i activations16(const std::int32_t* sums, const Scale<Avx512, float, even>& scale) {
    __m512 t = _mm512_fmadd_ps(_mm512_cvtepi32_ps(load(sums)), scale.multiplier, scale.bias);
    t = _mm512_add_ps(_mm512_max_ps(t, _mm512_mul_ps(t, scale.slope)), scale.half);
    return _mm512_cvt_roundps_epi32(_mm512_min_ps(t, scale.act_max), kRounding<even>);
  }
  template <typename Real, bool even>
  static Bytes activations(const std::int32_t* sums, const Scale<Avx512, Real, even>& scale) {
    const __m256i low = _mm512_cvtsepi32_epi16(activations16(sums, scale));
    const __m256i high = _mm512_cvtsepi32_epi16(activations16(sums + 16, scale));
    return _mm512_max_epi16(_mm512_inserti64x4(_mm512_castsi256_si512(low), high, 1), scale.act_min);
  }
  static Bytes interleaved(Bytes evens, Bytes odds) {
    return _mm512_or_si512(low8(evens), shift_left8(odds));
  }
  static void store_half(void* at, Bytes words) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(at), _mm512_cvtepi16_epi8(words));
  }
  static void copy(std::int8_t* to, const std::int8_t* from, int count) {
    for (; count > 64; count -= 64, to += 64, from += 64) store(to, load(from));
    const __mmask64 mask = ~std::uint64_t{0} >> (64 - count);
    _mm512_mask_storeu_epi8(to, mask, _mm512_maskz_loadu_epi8(mask, from));
  }
};

constexpr Kernels kKernels = kernels_of<Avx512>();

}  // namespace

const Kernels* avx512_kernels() { return &kKernels; }

}  // namespace sterna
