// SPDX-License-Identifier: Apache-2.0
// The kernels for NEON, which every 64-bit ARM processor has.
#include <arm_neon.h>

#include "emulator/kernels_impl.h"

namespace sterna {
namespace {

struct Neon : ChannelPairs {
  using Bytes = uint8x16_t;
  using Words32 = int32x4_t;
  static constexpr int pixels = 16, tap_vectors = 4;

  static uint16x8_t as16(Bytes a) { return vreinterpretq_u16_u8(a); }
  static Bytes of16(uint16x8_t a) { return vreinterpretq_u8_u16(a); }

  static Bytes zero() { return vdupq_n_u8(0); }
  static Bytes bytes(int value) { return vdupq_n_u8(static_cast<std::uint8_t>(value)); }
  static Bytes words(int value) { return of16(vdupq_n_u16(static_cast<std::uint16_t>(value))); }
  static Bytes load(const void* at) { return vld1q_u8(static_cast<const std::uint8_t*>(at)); }
  static Bytes load_once(const void* at) {
    Bytes value = load(at);
    asm("" : "+w"(value));
    return value;
  }
  static void store(void* at, Bytes value) { vst1q_u8(static_cast<std::uint8_t*>(at), value); }
  static Bytes add8(Bytes a, Bytes b) { return vaddq_u8(a, b); }
  static Bytes sub8(Bytes a, Bytes b) { return vsubq_u8(a, b); }
  static Bytes mean8(Bytes a, Bytes b) { return vrhaddq_u8(a, b); }
  static Bytes xor8(Bytes a, Bytes b) { return veorq_u8(a, b); }
  static Bytes add16(Bytes a, Bytes b) { return of16(vaddq_u16(as16(a), as16(b))); }
  static Bytes sub16(Bytes a, Bytes b) { return of16(vsubq_u16(as16(a), as16(b))); }
  static Bytes low8(Bytes a) { return of16(vandq_u16(as16(a), vdupq_n_u16(0xff))); }
  static Bytes high8(Bytes a) { return of16(vshrq_n_u16(as16(a), 8)); }
  static Bytes shift_left8(Bytes a) { return of16(vshlq_n_u16(as16(a), 8)); }
  static Bytes times8(Bytes a) { return of16(vshlq_n_u16(as16(a), 3)); }

  static void add32(int16x4_t words, bool first, std::int32_t* sums) {
    vst1q_s32(sums, first ? vmovl_s16(words) : vaddw_s16(vld1q_s32(sums), words));
  }
  static void add32(Bytes words, bool first, std::int32_t* sums) {
    const int16x8_t signed_words = vreinterpretq_s16_u8(words);
    add32(vget_low_s16(signed_words), first, sums);
    add32(vget_high_s16(signed_words), first, sums + 4);
  }

  static Words32 words32(std::int32_t value) { return vdupq_n_s32(value); }
  static Words32 load32(const void* at) { return vreinterpretq_s32_u8(load(at)); }
  static Words32 dot(Words32 sum, Words32 values, Words32 weights) {
    const int16x8_t a = vreinterpretq_s16_s32(values), b = vreinterpretq_s16_s32(weights);
    const int32x4_t low = vmull_s16(vget_low_s16(a), vget_low_s16(b)), high = vmull_high_s16(a, b);
    return vaddq_s32(sum, vpaddq_s32(low, high));
  }
  static void add_split(Words32 low, Words32 high, bool first, std::int32_t* even, std::int32_t* odd) {
    Words32 sum_even = vuzp1q_s32(low, high), sum_odd = vuzp2q_s32(low, high);
    if (!first) {
      sum_even = vaddq_s32(sum_even, vld1q_s32(even));
      sum_odd = vaddq_s32(sum_odd, vld1q_s32(odd));
    }
    vst1q_s32(even, sum_even);
    vst1q_s32(odd, sum_odd);
  }

  static float64x2_t all(double value) { return vdupq_n_f64(value); }
  static float32x4_t all(float value) { return vdupq_n_f32(value); }
  template <bool even>
  static int32x2_t activations2(int32x2_t sums, const Scale<Neon, double, even>& scale) {
    float64x2_t t = vfmaq_f64(scale.bias, vcvtq_f64_s64(vmovl_s32(sums)), scale.multiplier);
    t = vaddq_f64(vmaxq_f64(t, vmulq_f64(t, scale.slope)), scale.half);
    t = vminq_f64(t, scale.act_max);
    return vqmovn_s64(even ? vcvtnq_s64_f64(t) : vcvtmq_s64_f64(t));
  }
  template <bool even>
  static int32x4_t activations4(int32x4_t sums, const Scale<Neon, double, even>& scale) {
    return vcombine_s32(activations2(vget_low_s32(sums), scale), activations2(vget_high_s32(sums), scale));
  }
  template <bool even>
  static int32x4_t activations4(int32x4_t sums, const Scale<Neon, float, even>& scale) {
    float32x4_t t = vfmaq_f32(scale.bias, vcvtq_f32_s32(sums), scale.multiplier);
    t = vaddq_f32(vmaxq_f32(t, vmulq_f32(t, scale.slope)), scale.half);
    t = vminq_f32(t, scale.act_max);
    return even ? vcvtnq_s32_f32(t) : vcvtmq_s32_f32(t);
  }
  template <typename Real, bool even>
  static Bytes activations(const std::int32_t* sums, const Scale<Neon, Real, even>& scale) {
    const int16x4_t low = vqmovn_s32(activations4(vld1q_s32(sums), scale));
    const int16x4_t high = vqmovn_s32(activations4(vld1q_s32(sums + 4), scale));
    return vreinterpretq_u8_s16(vmaxq_s16(vcombine_s16(low, high), vreinterpretq_s16_u8(scale.act_min)));
  }
  static Bytes interleaved(Bytes evens, Bytes odds) { return vorrq_u8(low8(evens), shift_left8(odds)); }
  static void store_half(void* at, Bytes words) { vst1_u8(static_cast<std::uint8_t*>(at), vmovn_u16(as16(words))); }
  static void copy(std::int8_t* to, const std::int8_t* from, int count) {
    __builtin_memcpy(to, from, static_cast<unsigned long>(count));
  }
};

constexpr Kernels kKernels = kernels_of<Neon>();

}  // namespace

const Kernels* neon_kernels() { return &kKernels; }

}  // namespace sterna
