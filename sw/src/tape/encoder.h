// SPDX-License-Identifier: Apache-2.0
// The WEIGHTS payload of a part: entries, chunks, rounds and fetch words (docs/reference/tape.md).
//
// This is the one encoder of the tape: the same work gives the same bytes, always.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sterna {

/// What the encoder needs to know of an engine config.
struct EncoderConfig {
  int tile_h = 0, tile_w = 0;
  int buffer_vectors = 0;  ///< Vectors that the ring of a PE holds.
  int acc_index_w = 0;     ///< Bits of an accumulator's index.
  int chunk_bytes = 0;
  int beat_bytes = 0;

  int entry_bits() const { return acc_index_w + 3; }
  int chunk_entries() const { return chunk_bytes * 8 / entry_bits(); }
};

/// The fetch words of a part, arrays of one length: plane of the channel word, window offset, channels that become
/// vectors, wait.
struct Fetches {
  std::span<const std::int64_t> plane, row, col, mask, after;
};

/// All additions of a part, arrays of one length.
struct Additions {
  std::span<const std::int64_t> stream, vector, acc_index;
  std::span<const std::uint8_t> subtract;
  std::span<const std::int64_t> plane;
};

/// A digit plane, its last vector, and the doublings after it.
struct DigitPlane {
  std::int64_t plane = 0, last_vector = 0, doublings = 0;
};

/// A part as the engine streams it.
struct EncodedPart {
  std::vector<std::uint8_t> payload;  ///< Padded to the tape's alignment.
  std::vector<std::uint8_t> codes;    ///< The entries [round][stream][entry] of all chunks.
  std::size_t rounds = 0, streams = 0;
  std::vector<std::int64_t> records;  ///< Kind and count of each record, in order.
};

/// Encodes a part for `streams` PE streams. planes: highest first. Throws `Error` for what `check_part` refuses.
EncodedPart encode_part(const EncoderConfig& config, std::size_t streams, const Fetches& fetches,
                        const Additions& additions, std::span<const DigitPlane> planes);

}  // namespace sterna
