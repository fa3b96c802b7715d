// SPDX-License-Identifier: Apache-2.0
#include "tape/check.h"

#include <sterna/tape.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <string>

#include "error.h"

namespace sterna {
namespace {

using Count = std::int64_t;

/// More than any engine has, and what the encoder's sorting keys have room for.
constexpr Count kMostStreams = 1 << 16, kMostVectors = 1 << 24, kMostDoublings = 255, kMostOffset = 1 << 11;
/// A smaller ring leaves PEs no room to advance.
constexpr Count kLeastRing = 32;
/// Bits of an accumulator's index for which every command fits an entry, and an entry a byte.
constexpr Count kLeastIndexBits = 4, kMostIndexBits = 5;

void check_range(const std::string& attribute, Count value, Count low, Count high) {
  if (value < low || value > high) {
    refuse({"part of a tape", "is out of range", attribute + " = " + std::to_string(value),
            std::to_string(low) + " .. " + std::to_string(high), "give the work of a part and the config of its engine"});
  }
}

void check_all(const std::string& attribute, std::span<const Count> values, Count low, Count high) {
  for (const Count value : values) check_range(attribute, value, low, high);
}

void check_config(const EncoderConfig& config) {
  check_range("tile_h", config.tile_h, 1, 1 << STERNA_FETCH_ROW_WIDTH);
  check_range("tile_w", config.tile_w, 1, 1 << STERNA_FETCH_COL_WIDTH);
  check_range("buffer_vectors", config.buffer_vectors, kLeastRing, kMostVectors);
  check_range("acc_index_w", config.acc_index_w, kLeastIndexBits, kMostIndexBits);
  check_range("chunk_bytes", config.chunk_bytes, 1, sizeof(std::uint64_t));
  check_range("beat_bytes", config.beat_bytes, 1, STERNA_TAPE_ALIGN);
}

/// The vectors of the part.
Count check_fetches(const Fetches& fetches) {
  for (const auto& each : {fetches.plane, fetches.row, fetches.col, fetches.after}) {
    check_range("values of fetch words", static_cast<Count>(each.size()), fetches.mask.size(), fetches.mask.size());
  }
  check_all("mask", fetches.mask, 0, (1 << STERNA_FETCH_MASK_WIDTH) - 1);
  check_all("plane", fetches.plane, 0, (1 << STERNA_FETCH_PLANE_WIDTH) - 1);
  check_all("row", fetches.row, -kMostOffset, kMostOffset);
  check_all("col", fetches.col, -kMostOffset, kMostOffset);
  check_all("after", fetches.after, 0, (1 << STERNA_FETCH_AFTER_WIDTH) - 1);
  Count vectors = 0;
  for (const Count mask : fetches.mask) vectors += std::popcount(static_cast<std::uint64_t>(mask));
  check_range("vectors", vectors, 1, kMostVectors);
  return vectors;
}

void check_additions(const Additions& additions, Count streams, Count vectors, Count accumulators) {
  const auto size = static_cast<Count>(additions.subtract.size());
  for (const auto& each : {additions.stream, additions.vector, additions.acc_index, additions.plane}) {
    check_range("values of additions", static_cast<Count>(each.size()), size, size);
  }
  check_all("stream", additions.stream, 0, streams - 1);
  check_all("vector", additions.vector, 0, vectors - 1);
  check_all("acc_index", additions.acc_index, 0, accumulators - 1);
  for (const std::uint8_t subtract : additions.subtract) check_range("subtract", subtract, 0, 1);
}

}  // namespace

void check_part(const EncoderConfig& config, std::size_t streams, const Fetches& fetches, const Additions& additions,
                std::span<const DigitPlane> planes) {
  check_config(config);
  check_range("streams", static_cast<Count>(streams), 1, kMostStreams);
  const Count vectors = check_fetches(fetches);
  check_additions(additions, static_cast<Count>(streams), vectors, Count{1} << config.acc_index_w);
  for (const DigitPlane& plane : planes) {
    check_range("last_vector", plane.last_vector, 0, vectors - 1);
    check_range("doublings", plane.doublings, 0, kMostDoublings);
  }
}

}  // namespace sterna
