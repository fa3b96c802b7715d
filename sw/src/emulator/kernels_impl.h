// SPDX-License-Identifier: Apache-2.0
// The kernels, written once for any instruction set. A source file that is compiled for one includes this file, and
// gives `kernels_of` a class with its vectors and what they can do.
//
// Sums of taps. A tap adds a byte to the sum of each of its pixels, and sums need 16 bits. Widening every byte costs
// more than the addition, so the sum of the taps of a sign is found from two cheaper ones: modulo 256, by additions of
// bytes; and about, from means of eight taps. Seven rounding means of two bytes make the mean `T` of a group; rounded up
// three times, `8 T` exceeds the group's sum by 0 .. 12. Over at most 21 groups the excess is below 256, so that the sum
// modulo 256 tells it. A group of four, whose mean is halved once more, exceeds by 0 .. 8.
#pragma once

#include "emulator/kernels.h"

namespace sterna {
namespace {

/// Sums of the values under taps of one sign. All loops are unrolled: only what has a constant index stays in registers.
template <typename I, int vectors>
struct TapSums {
  using Bytes = typename I::Bytes;

  Bytes modulo[vectors];  ///< Sums modulo 256.
  Bytes means[vectors];   ///< Sums of groups' means as words: of even pixels, plus 256 times those of odd ones.
  Bytes odds[vectors];    ///< Sums of the means of odd pixels.

  TapSums() {
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) modulo[v] = means[v] = odds[v] = I::zero();
  }

  /// Adds the values at `window`, which are `count` vectors later for each vector, of a group of 4 or 8 taps.
  template <int taps>
  void add_group(const std::uint8_t* window, const std::uint16_t* offsets) {
    std::uint64_t at[taps];
    // Four offsets per load: loads are what there are most of, and those of values cross lines of the cache.
#pragma GCC unroll 2
    for (int tap = 0; tap < taps; tap += 4) {
      std::uint64_t four;
      __builtin_memcpy(&four, offsets + tap, 8);
      asm("" : "+r"(four));
#pragma GCC unroll 4
      for (int each = 0; each < 4; ++each) at[tap + each] = static_cast<std::uint16_t>(four >> (16 * each));
    }
#pragma GCC unroll 8
    for (int v = 0; v < vectors; ++v) {
      Bytes mean[taps], sum[taps / 2];
#pragma GCC unroll 8
      for (int tap = 0; tap < taps; ++tap) mean[tap] = I::load_once(window + at[tap] + v * I::pixels);
#pragma GCC unroll 4
      for (int tap = 0; tap < taps / 2; ++tap) sum[tap] = I::add8(mean[2 * tap], mean[2 * tap + 1]);
#pragma GCC unroll 2
      for (int half = taps / 4; half > 0; half /= 2) {
#pragma GCC unroll 2
        for (int tap = 0; tap < half; ++tap) sum[tap] = I::add8(sum[tap], sum[tap + half]);
      }
      modulo[v] = I::add8(modulo[v], sum[0]);
#pragma GCC unroll 4
      for (int half = taps / 2; half > 0; half /= 2) {
#pragma GCC unroll 4
        for (int tap = 0; tap < half; ++tap) mean[tap] = I::mean8(mean[tap], mean[tap + half]);
      }
      if (taps == 4) mean[0] = I::mean8(mean[0], I::zero());
      means[v] = I::add16(means[v], mean[0]);
      odds[v] = I::add16(odds[v], I::high8(mean[0]));
    }
  }

  const std::uint16_t* add_groups(const std::uint8_t* window, const std::uint16_t* offsets, int eights, int fours) {
    for (int group = 0; group < eights; ++group, offsets += 8) add_group<8>(window, offsets);
    for (int group = 0; group < fours; ++group, offsets += 4) add_group<4>(window, offsets);
    return offsets;
  }

  /// The exact sum as words, of eight times the means and the sum modulo 256.
  static Bytes exact(Bytes eightfold, Bytes modulo_of) { return I::sub16(eightfold, I::low8(I::sub16(eightfold, modulo_of))); }
  Bytes even(int v) const {
    return exact(I::times8(I::sub16(means[v], I::shift_left8(odds[v]))), modulo[v]);
  }
  Bytes odd(int v) const { return exact(I::times8(odds[v]), I::high8(modulo[v])); }
};

template <typename I, int vectors>
void add_taps_of(const std::uint8_t* window, const Taps& taps, bool first, std::int32_t* even, std::int32_t* odd) {
  typename I::Bytes evens[vectors], odds[vectors];
  TapSums<I, vectors> plus;
  const std::uint16_t* offsets = plus.add_groups(window, taps.offsets, taps.plus_eights, taps.plus_fours);
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    evens[v] = I::add16(plus.even(v), I::words(taps.correction));
    odds[v] = I::add16(plus.odd(v), I::words(taps.correction));
  }
  TapSums<I, vectors> minus;
  minus.add_groups(window, offsets, taps.minus_eights, taps.minus_fours);
#pragma GCC unroll 8
  for (int v = 0; v < vectors; ++v) {
    I::add32(I::sub16(evens[v], minus.even(v)), first, even + v * I::pixels / 2);
    I::add32(I::sub16(odds[v], minus.odd(v)), first, odd + v * I::pixels / 2);
  }
}

/// As many vectors at a time as the registers hold.
template <typename I>
void add_taps(const std::uint8_t* window, const Taps& taps, int vectors, bool first, std::int32_t* even,
              std::int32_t* odd) {
  int rounds = (vectors + I::tap_vectors - 1) / I::tap_vectors;
  for (int now; vectors > 0; vectors -= now, --rounds) {
    now = (vectors + rounds - 1) / rounds;
    switch (now) {
      case 1: add_taps_of<I, 1>(window, taps, first, even, odd); break;
      case 2: add_taps_of<I, 2>(window, taps, first, even, odd); break;
      case 3: if constexpr (I::tap_vectors >= 3) add_taps_of<I, 3>(window, taps, first, even, odd); break;
      default: if constexpr (I::tap_vectors >= 4) add_taps_of<I, 4>(window, taps, first, even, odd); break;
    }
    window += now * I::pixels;
    even += now * I::pixels / 2;
    odd += now * I::pixels / 2;
  }
}

/// Two vectors of 32-bit sums of kDenseFilters filters at a time.
template <typename I>
void add_words(const std::uint8_t* window, const Words& words, int vectors, bool first, std::int32_t* even,
               std::int32_t* odd, std::int64_t stride) {
  using Words32 = typename I::Words32;
  constexpr int bytes = sizeof(Words32), pixels = bytes / 4;
  for (int done = 0; done < vectors * I::pixels; done += 2 * pixels) {
    Words32 sums[kDenseFilters][2];
#pragma GCC unroll 8
    for (int filter = 0; filter < kDenseFilters; ++filter) {
      sums[filter][0] = sums[filter][1] = I::words32(words.corrections[filter]);
    }
    const std::uint8_t* at = window + 4 * done;
    for (int tap = 0; tap < words.count; ++tap) {
      const Words32 low = I::load32(at + words.offsets[tap]), high = I::load32(at + words.offsets[tap] + bytes);
      const std::int32_t* weights = words.weights + tap * kDenseFilters;
#pragma GCC unroll 8
      for (int filter = 0; filter < kDenseFilters; ++filter) {
        const Words32 weight = I::words32(weights[filter]);
        sums[filter][0] = I::dot(sums[filter][0], low, weight);
        sums[filter][1] = I::dot(sums[filter][1], high, weight);
      }
    }
#pragma GCC unroll 8
    for (int filter = 0; filter < kDenseFilters; ++filter) {
      I::add_split(sums[filter][0], sums[filter][1], first, even + filter * stride + done / 2,
                   odd + filter * stride + done / 2);
    }
  }
}

/// How a filter is requantised, in vectors of `Real`, double or float, with the same value in all lanes. even: ties go to
/// the even result.
template <typename I, typename Real, bool even>
struct Scale {
  using Reals = decltype(I::all(Real{}));

  Reals multiplier, bias, slope, half, act_max;
  /// Applied to words: what is below it, even by far, saturates below it.
  typename I::Bytes act_min;

  explicit Scale(const Scaling& scaling)
      : multiplier(all(scaling.multiplier)), bias(all(scaling.bias)), slope(all(scaling.slope)),
        half(all(scaling.half)), act_max(all(scaling.act_max)), act_min(I::words(scaling.act_min)) {}

  static Reals all(double value) { return I::all(static_cast<Real>(value)); }
};

/// Not inlined: four of them in one function keep their scales in memory.
template <typename I, typename Real, bool even_ties>
[[gnu::noinline]] void requantise_by(const std::int32_t* even, const std::int32_t* odd, int vectors,
                                     const Scaling& scaling, std::int8_t* flat) {
  const Scale<I, Real, even_ties> scale(scaling);
  for (int done = 0; done < vectors * I::pixels; done += I::pixels) {
    const typename I::Bytes evens = I::activations(even + done / 2, scale), odds = I::activations(odd + done / 2, scale);
    I::store(flat + done, I::interleaved(evens, odds));
  }
}

template <typename I>
void requantise(const std::int32_t* even, const std::int32_t* odd, int vectors, const Scaling& scaling,
                std::int8_t* flat) {
  const auto by = scaling.is_single ? scaling.is_even ? &requantise_by<I, float, true> : &requantise_by<I, float, false>
                  : scaling.is_even ? &requantise_by<I, double, true> : &requantise_by<I, double, false>;
  by(even, odd, vectors, scaling, flat);
}

template <typename I, typename Real, bool even_ties>
[[gnu::noinline]] void pool_requantise_by(const std::int32_t* even, const std::int32_t* odd, int pitch, int width,
                                          const Scaling& scaling, std::int8_t* row) {
  const Scale<I, Real, even_ties> scale(scaling);
  const int below = pitch / 2;
  alignas(64) std::int32_t most[I::pixels / 2];
  for (int done = 0; done < width; done += I::pixels / 2) {
    for (int i = 0; i < I::pixels / 2; ++i) {
      const int at = done + i;
      const std::int32_t above = even[at] > odd[at] ? even[at] : odd[at];
      const std::int32_t under = even[below + at] > odd[below + at] ? even[below + at] : odd[below + at];
      most[i] = above > under ? above : under;
    }
    I::store_half(row + done, I::activations(most, scale));
  }
}

template <typename I>
void pool_requantise(const std::int32_t* even, const std::int32_t* odd, int pitch, int width, const Scaling& scaling,
                     std::int8_t* row) {
  const auto by =
      scaling.is_single ? scaling.is_even ? &pool_requantise_by<I, float, true> : &pool_requantise_by<I, float, false>
      : scaling.is_even ? &pool_requantise_by<I, double, true> : &pool_requantise_by<I, double, false>;
  by(even, odd, pitch, width, scaling, row);
}

template <typename I>
void copy_rows(const std::int8_t* flat, int pitch, int count, int width, std::int8_t* map) {
  for (int row = 0; row < count; ++row) I::copy(map + static_cast<std::int64_t>(row) * width, flat + row * pitch, width);
}

/// Rows are written from the first to the last, each over what the one before it left too many.
template <typename I>
void stage_bytes(const std::int8_t* map, const Rows& rows, std::uint8_t* window) {
  const typename I::Bytes bias = I::bytes(-128), padding = I::xor8(I::bytes(rows.padding), bias);
  for (int number = 0; number <= rows.count; ++number, window += rows.pitch) {
    const int y = rows.first + number;
    if (y < 0 || y >= rows.height || number == rows.count) {
      const int end = number == rows.count ? rows.left : rows.pitch;
      for (int x = 0; x < end; x += I::pixels) I::store(window + x, padding);
      continue;
    }
    const std::int8_t* row = map + static_cast<std::int64_t>(y) * rows.width;
    for (int x = 0; x < rows.left; x += I::pixels) I::store(window + x, padding);
    for (int x = 0; x < rows.width; x += I::pixels) {
      I::store(window + rows.left + x, I::xor8(I::load(row + x), bias));
    }
    for (int x = rows.left + rows.width; x < rows.pitch; x += I::pixels) I::store(window + x, padding);
  }
}

template <typename I>
void stage_words(const std::int8_t* map, int channels, std::int64_t plane, const Rows& rows, std::uint8_t* window) {
  for (int number = 0; number <= rows.count; ++number, window += 4 * rows.pitch) {
    const int y = rows.first + number;
    const bool inside = y >= 0 && y < rows.height && number < rows.count;
    const std::int8_t* row = map + static_cast<std::int64_t>(inside ? y : 0) * rows.width;
    typename I::Pixel* pixels = reinterpret_cast<typename I::Pixel*>(window);
    const int end = number < rows.count ? rows.pitch : rows.left;
    const int from = inside ? rows.left : end, to = inside ? rows.left + rows.width : end;
    if (inside) I::stage_pixels(row, channels, plane, rows.width, pixels + from);
    for (int x = 0; x < from; ++x) pixels[x] = I::pixel(rows.padding);
    for (int x = to; x < end; ++x) pixels[x] = I::pixel(rows.padding);
  }
}

/// Raises the pixels of a row to those, `stride` apart, of a row of the map that begins `shift` later.
template <int stride>
void raise_row(const std::int8_t* row, int width, int shift, int columns, std::int8_t* made) {
  const int first = shift < 0 ? (stride - 1 - shift) / stride : 0;
  const int past = shift < width ? (width - 1 - shift) / stride + 1 : 0, end = past < columns ? past : columns;
  for (int x = first; x < end; ++x) {
    const std::int8_t found = row[stride * x + shift];
    made[x] = found > made[x] ? found : made[x];
  }
}

template <typename I>
void max_pool(const std::int8_t* map, int height, int width, const Window& window, int rows, int columns,
              std::int8_t* made) {
  constexpr std::int8_t least = -128;
  for (int y = 0; y < rows; ++y, made += columns) {
    for (int x = 0; x < columns; ++x) made[x] = least;
    const int top = window.stride * y - window.top, bottom = top + window.kernel < height ? top + window.kernel : height;
    for (int row = top > 0 ? top : 0; row < bottom; ++row) {
      const std::int8_t* from = map + static_cast<std::int64_t>(row) * width;
      for (int column = 0; column < window.kernel; ++column) {
        const auto raise = window.stride == 1 ? &raise_row<1> : &raise_row<2>;
        raise(from, width, column - window.left, columns, made);
      }
    }
  }
}

/// The words of a window for instruction sets that multiply pairs of 16 bits: the values of two channels.
struct ChannelPairs {
  using Pixel = std::uint32_t;
  static constexpr int dense_channels = 2, dense_bias = 0;

  static Pixel joined(std::int8_t low, std::int8_t high) {
    return static_cast<std::uint16_t>(low) | static_cast<std::uint32_t>(static_cast<std::uint16_t>(high)) << 16;
  }
  static Pixel pixel(std::int8_t value) { return joined(value, value); }
  static void stage_pixels(const std::int8_t* row, int channels, std::int64_t plane, int width, Pixel* made) {
    const std::int8_t* other = channels > 1 ? row + plane : row;
    for (int x = 0; x < width; ++x) made[x] = joined(row[x], other[x]);
  }
};

template <typename I>
constexpr Kernels kernels_of() {
  return {I::pixels,     I::dense_channels,   I::dense_bias,    &stage_bytes<I>,
          &stage_words<I>, &add_taps<I>,      &add_words<I>,    &requantise<I>,
          &pool_requantise<I>, &copy_rows<I>, &max_pool<I>};
}

}  // namespace
}  // namespace sterna
