// SPDX-License-Identifier: Apache-2.0
// The inner loops that each instruction set brings, as a table of functions.
//
// They work on a window: the rows of some input channels that a tile of output rows needs, padded, in a form in which
// the values under a tap for all pixels of the tile follow each other. The rows of the tile lie one `pitch` apart, so a
// tile of R rows is a run of `(R - 1) * pitch + width` flat pixels; those between `width` and `pitch` mean nothing.
//
// Sums are kept apart for even and odd flat pixels, as the widening of bytes to words leaves them.
//
// Only plain types are in these interfaces: their implementations are compiled for one instruction set each, and
// nothing that is inline elsewhere may be compiled with them.
#pragma once

#include <cstdint>

namespace sterna {

/// Bytes that loads may read, and stores may write, past the end of what they are for.
constexpr int kSlack = 64;

/// What one call of `add_taps` takes: groups of taps of one sign, so that the excess of their means stays below 256; and
/// taps that are not zeros, so that 16 bits hold the sums.
constexpr int kMaxGroups = 21;
constexpr int kMaxTaps = 255;

/// The nonzero weights of a ternary filter in a block of channels: offsets of their values in a window.
///
/// They are taken in groups of eight, the rest in one of four or, if it is more than four, of eight, filled up with
/// offsets of zeros; first those of +1, then those of -1.
struct Taps {
  const std::uint16_t* offsets;
  std::uint8_t plus_eights, plus_fours;
  std::uint8_t minus_eights, minus_fours;
  /// To be added to sums of biased bytes: -128 per tap of +1, 128 per tap of -1.
  std::int32_t correction;
};

/// Weights of any size of some filters in a block of channels. A window holds one word of 32 bits per pixel: the values
/// of `dense_channels` channels.
struct Words {
  const std::uint32_t* offsets;  ///< Of the pixels' words in the window, one per tap and group of channels.
  const std::int32_t* weights;   ///< [taps, kDenseFilters], each the weights of a group of channels.
  const std::int32_t* corrections;  ///< [kDenseFilters], to be added to the sums.
  int count;                     ///< Of offsets.
};

/// Filters that `add_words` computes together.
constexpr int kDenseFilters = 8;

/// Requantisation of a filter in floating point, which is exact: see docs/explanation/emulator.md.
struct Scaling {
  double multiplier, bias;  ///< Those of `Requant`, divided by 2^shift.
  double slope;             ///< Of negative values.
  double half;              ///< What rounding adds: 0 for a shift of 0, which only the slope gives fractions.
  int act_min, act_max;     ///< The least and the largest result.
  bool is_even;             ///< Ties go to the even result, and rounding adds nothing.
  bool is_single;           ///< Single precision gives the same activations.
};

/// How the rows of one channel become rows of a window.
struct Rows {
  int height, width;        ///< Of the map.
  int first;                ///< The map's row that is the window's first; negative in the padding.
  int count;                ///< Rows of the window.
  int left;                 ///< Columns of padding at the left.
  int pitch;                ///< Pixels from row to row of the window.
  std::int8_t padding;      ///< What the input is outside the map.
};

/// Of a pool: its pixels, the step from one to the next, and rows and columns of padding before the map.
struct Window {
  int kernel, stride, top, left;
};

struct Kernels {
  int vector_pixels;   ///< Pixels of a vector of bytes; windows and sums are made of whole vectors.
  int dense_channels;  ///< Channels of a group in a window of words.
  int dense_bias;      ///< What the values in a window of words are too large by.

  /// Writes a channel, int8 [height, width], as rows of biased bytes. Bytes past the last row are the first of a next.
  void (*stage_bytes)(const std::int8_t* map, const Rows& rows, std::uint8_t* window);
  /// Writes `channels` channels, `plane` bytes apart, at most dense_channels, as rows of words.
  void (*stage_words)(const std::int8_t* map, int channels, std::int64_t plane, const Rows& rows, std::uint8_t* window);

  /// Sums of a filter for `vectors` vectors of pixels, into even and odd, each [vectors * vector_pixels / 2]: added to
  /// what is there, or written if `first`.
  void (*add_taps)(const std::uint8_t* window, const Taps& taps, int vectors, bool first, std::int32_t* even,
                   std::int32_t* odd);
  /// The same for kDenseFilters filters, whose sums are `stride` apart.
  void (*add_words)(const std::uint8_t* window, const Words& words, int vectors, bool first, std::int32_t* even,
                    std::int32_t* odd, std::int64_t stride);

  /// Activations of the sums of `vectors` vectors of pixels, in the order of pixels.
  void (*requantise)(const std::int32_t* even, const std::int32_t* odd, int vectors, const Scaling& scaling,
                     std::int8_t* flat);
  /// Activations of the maxima of 2x2 pixels: of the two rows that begin at `even`, `odd` and `pitch` pixels, an even
  /// number, later. Writes `width` activations, and at most kSlack bytes of nothing after them.
  void (*pool_requantise)(const std::int32_t* even, const std::int32_t* odd, int pitch, int width,
                          const Scaling& scaling, std::int8_t* row);
  /// Copies `count` rows of `width` bytes, `pitch` apart, to rows without gaps. Writes nothing else.
  void (*copy_rows)(const std::int8_t* flat, int pitch, int count, int width, std::int8_t* map);

  /// Maxima of the pixels in each window of a channel, int8 [height, width], as int8 [rows, columns].
  void (*max_pool)(const std::int8_t* map, int height, int width, const Window& window, int rows, int columns,
                   std::int8_t* made);
};

/// Those of the instruction sets that this build has.
const Kernels* avx2_kernels();
const Kernels* avx512_kernels();
const Kernels* neon_kernels();

}  // namespace sterna
