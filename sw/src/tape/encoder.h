// SPDX-License-Identifier: Apache-2.0
// The WEIGHTS payload of a part: rounds of entries, and fetch words (docs/reference/tape.md).
//
// This is the one encoder of the tape: the same work gives the same bytes, always.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace sterna {

/// What the encoder needs to know of an engine config.
struct EncoderConfig {
  int tile_h = 0, tile_w = 0;
  int accumulators = 0;
  int beat_bytes = 0;
};

/// A fetch word: plane of the channel word, window offset, wait.
struct Fetch {
  std::int64_t plane = 0, row = 0, col = 0, after = 0;
};

/// A vector that a PE adds to an accumulator, times 2^digit.
struct Addition {
  std::int32_t stream = 0;
  std::int32_t word = 0;  ///< The fetch word, counted from 0.
  std::uint8_t channel = 0;  ///< Of the word.
  std::uint8_t acc_index = 0, digit = 0, subtract = 0;
};

/// An accumulator of a PE stream.
struct AccumulatorPlace {
  std::int32_t stream = 0;
  std::uint8_t acc_index = 0;
};

/// What the PEs do in a part. The fetch words of a digit plane come before those of lower planes.
struct PartWork {
  std::size_t streams = 0;
  int tiles_at_once = 1;
  std::vector<Fetch> fetches;
  std::vector<Addition> additions;
  std::vector<AccumulatorPlace> used;  ///< The accumulators of all filters, those without additions too.
};

/// A part as the engine streams it.
struct EncodedPart {
  static constexpr std::uint8_t kTakesWord = 1, kEnds = 2;

  std::vector<std::uint8_t> payload;  ///< Padded to the tape's alignment.
  std::vector<std::uint8_t> rounds;   ///< Of each round: kTakesWord, kEnds.
  std::vector<std::int64_t> records;  ///< Kind and count of each record, in order.
  std::vector<std::uint8_t> operations;  ///< Of each round: entries that do something.
};

/// Throws `Error` for what `check_part` refuses.
EncodedPart encode_part(const EncoderConfig& config, const PartWork& work);

}  // namespace sterna
