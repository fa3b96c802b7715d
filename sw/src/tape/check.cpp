// SPDX-License-Identifier: Apache-2.0
#include "tape/check.h"

#include <sterna/tape.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <string>

#include "error.h"
#include "graph/csd.h"

namespace sterna {
namespace {

using Count = std::int64_t;

/// More than any engine has, and what the keys have room for by which additions are sorted.
constexpr Count kMostStreams = 1 << 16, kMostTiles = 1 << 6, kMostWords = 1 << 24, kMostOffset = 1 << 11;
/// Of the widest bus.
constexpr Count kMostBeatBytes = 128;
/// Each of the two control bits of a round is in a stream of its own.
constexpr Count kLeastStreams = std::max(STERNA_WORD_STREAM, STERNA_END_STREAM) + 1;

void check_range(const char* attribute, Count value, Count low, Count high) {
  if (value < low || value > high) {
    refuse({"part of a tape", "is out of range", std::string(attribute) + " = " + std::to_string(value),
            std::to_string(low) + " .. " + std::to_string(high), "give the work of a part and the config of its engine"});
  }
}

void check_config(const EncoderConfig& config) {
  check_range("tile_h", config.tile_h, 1, 1 << STERNA_FETCH_ROW_WIDTH);
  check_range("tile_w", config.tile_w, 1, 1 << STERNA_FETCH_COL_WIDTH);
  check_range("accumulators", config.accumulators, 1, 1 << STERNA_ENTRY_ACC_INDEX_WIDTH);
  check_range("beat_bytes", config.beat_bytes, STERNA_RECORD_HEADER_SIZE, kMostBeatBytes);
}

void check_fetches(const std::vector<Fetch>& fetches) {
  check_range("words", std::ssize(fetches), 1, kMostWords);
  for (const Fetch& each : fetches) {
    check_range("plane", each.plane, 0, (1 << STERNA_FETCH_PLANE_WIDTH) - 1);
    check_range("row", each.row, -kMostOffset, kMostOffset);
    check_range("col", each.col, -kMostOffset, kMostOffset);
    check_range("after", each.after, 0, (1 << STERNA_FETCH_AFTER_WIDTH) - 1);
  }
}

/// Each accumulator once; returns whether each of each stream is used.
std::vector<bool> check_used(const EncoderConfig& config, const PartWork& work) {
  std::vector<bool> is_used(work.streams * config.accumulators);
  for (const AccumulatorPlace& each : work.used) {
    check_range("stream", each.stream, 0, static_cast<Count>(work.streams) - 1);
    check_range("acc_index", each.acc_index, 0, config.accumulators - 1);
    const auto place = is_used.begin() + each.stream * config.accumulators + each.acc_index;
    check_range("accumulators of one place", 1 + *place, 1, 1);
    *place = true;
  }
  return is_used;
}

void check_additions(const EncoderConfig& config, const PartWork& work) {
  const std::vector<bool> is_used = check_used(config, work);
  // Words of each digit, which have to lie apart, or doublings would wait for words that wait for them.
  std::array<Count, kMaxDigits> first, last;
  first.fill(kMostWords);
  last.fill(-1);
  for (const Addition& each : work.additions) {
    check_range("stream", each.stream, 0, static_cast<Count>(work.streams) - 1);
    check_range("acc_index", each.acc_index, 0, config.accumulators - 1);
    check_range("additions to an accumulator that is not used", !is_used[each.stream * config.accumulators + each.acc_index], 0, 0);
    check_range("word", each.word, 0, std::ssize(work.fetches) - 1);
    check_range("channel", each.channel, 0, STERNA_WORD_CHANNELS - 1);
    check_range("digit", each.digit, 0, kMaxDigits - 1);
    check_range("subtract", each.subtract, 0, 1);
    first[each.digit] = std::min<Count>(first[each.digit], each.word);
    last[each.digit] = std::max<Count>(last[each.digit], each.word);
  }
  Count lower = kMostWords;
  for (int digit = 0; digit < kMaxDigits; ++digit) {
    check_range("last word of a digit", last[digit], -1, lower - 1);
    lower = std::min(lower, first[digit]);
  }
}

}  // namespace

void check_part(const EncoderConfig& config, const PartWork& work) {
  check_config(config);
  check_range("streams", static_cast<Count>(work.streams), kLeastStreams, kMostStreams);
  check_range("tiles_at_once", work.tiles_at_once, 1, kMostTiles);
  check_fetches(work.fetches);
  check_additions(config, work);
}

}  // namespace sterna
