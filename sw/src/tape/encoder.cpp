// SPDX-License-Identifier: Apache-2.0
#include "tape/encoder.h"

#include <sterna/tape.h>

#include <algorithm>
#include <span>
#include <utility>

#include "bytes.h"
#include "tape/check.h"
#include "tape/rounds.h"

namespace sterna {
namespace {

using Count = std::int64_t;

/// FETCH and ROUNDS records: each group of fetch words comes before the round that takes the word FETCH_AHEAD before its
/// first, the first group before all rounds.
std::vector<Count> make_records(const std::vector<bool>& takes_word, Count words) {
  std::vector<Count> records;
  Count taken = 0, fetched = 0;
  for (const bool takes : takes_word) {
    if (!fetched || (takes && fetched < words && taken + STERNA_FETCH_AHEAD >= fetched)) {
      const Count group = std::min<Count>(STERNA_FETCH_GROUP, words - fetched);
      records.insert(records.end(), {STERNA_RECORD_KIND_FETCH, group, STERNA_RECORD_KIND_ROUNDS, 0});
      fetched += group;
    }
    ++records.back();
    taken += takes;
  }
  return records;
}

class PayloadWriter {
 public:
  explicit PayloadWriter(const EncoderConfig& config) : config_(config) {}

  void number(std::uint64_t value, int bytes) { append_number(payload, value, bytes); }

  void pad(std::size_t multiple) { payload.resize((payload.size() + multiple - 1) / multiple * multiple); }

  void header(Count kind, Count count) {
    number(static_cast<std::uint64_t>(count) << STERNA_RECORD_HEADER_COUNT_SHIFT | kind, STERNA_RECORD_HEADER_SIZE);
    pad(config_.beat_bytes);
  }

  void fetch_word(const Fetch& fetch, bool is_last) {
    const auto part = [](Count value, int width, int shift) {
      return (static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << width) - 1)) << shift;
    };
    const Tile row = tile(fetch.row, config_.tile_h), col = tile(fetch.col, config_.tile_w);
    std::uint64_t word = 0;
    word |= part(fetch.plane, STERNA_FETCH_PLANE_WIDTH, STERNA_FETCH_PLANE_SHIFT);
    word |= part(row.tile, STERNA_FETCH_TILE_ROW_WIDTH, STERNA_FETCH_TILE_ROW_SHIFT);
    word |= part(row.within, STERNA_FETCH_ROW_WIDTH, STERNA_FETCH_ROW_SHIFT);
    word |= part(col.tile, STERNA_FETCH_TILE_COL_WIDTH, STERNA_FETCH_TILE_COL_SHIFT);
    word |= part(col.within, STERNA_FETCH_COL_WIDTH, STERNA_FETCH_COL_SHIFT);
    word |= part(is_last, STERNA_FETCH_LAST_IN_PASS_WIDTH, STERNA_FETCH_LAST_IN_PASS_SHIFT);
    word |= part(fetch.after, STERNA_FETCH_AFTER_WIDTH, STERNA_FETCH_AFTER_SHIFT);
    number(word, STERNA_FETCH_SIZE);
  }

  std::vector<std::uint8_t> payload;

 private:
  struct Tile {
    Count tile, within;
  };

  /// Offsets may be negative; tiles count down from 0 then.
  static Tile tile(Count offset, Count size) {
    const Count within = (offset % size + size) % size;
    return {(offset - within) / size, within};
  }

  const EncoderConfig& config_;
};

std::vector<std::uint8_t> make_payload(const EncoderConfig& config, const PartWork& work, const Rounds& rounds,
                                       std::span<const Count> records) {
  PayloadWriter writer(config);
  std::size_t word = 0, entry = 0;
  for (std::size_t record = 0; record < records.size(); record += 2) {
    const Count kind = records[record], count = records[record + 1];
    writer.header(kind, count);
    if (kind == STERNA_RECORD_KIND_FETCH) {
      for (const std::size_t end = word + count; word < end; ++word) {
        writer.fetch_word(work.fetches[word], word + 1 == work.fetches.size());
      }
    } else {
      for (const std::size_t end = entry + count * work.streams; entry < end; ++entry) {
        writer.number(rounds.entries[entry], STERNA_ENTRY_SIZE);
      }
    }
    writer.pad(config.beat_bytes);
  }
  writer.pad(STERNA_TAPE_ALIGN);
  return std::move(writer.payload);
}

}  // namespace

EncodedPart encode_part(const EncoderConfig& config, const PartWork& work) {
  check_part(config, work);
  Rounds rounds = make_rounds(work);
  EncodedPart part;
  part.operations = std::move(rounds.operations);
  constexpr std::uint32_t kControl = std::uint32_t{1} << STERNA_ENTRY_CONTROL_SHIFT;
  for (std::size_t round = 0; round < rounds.takes_word.size(); ++round) {
    const bool takes = rounds.takes_word[round], ends = round + 1 == rounds.takes_word.size();
    std::uint32_t* entries = rounds.entries.data() + round * work.streams;
    if (takes) entries[STERNA_WORD_STREAM] |= kControl;
    if (ends) entries[STERNA_END_STREAM] |= kControl;
    part.rounds.push_back(static_cast<std::uint8_t>((takes ? EncodedPart::kTakesWord : 0) | (ends ? EncodedPart::kEnds : 0)));
  }
  part.records = make_records(rounds.takes_word, static_cast<Count>(work.fetches.size()));
  part.payload = make_payload(config, work, rounds, part.records);
  return part;
}

}  // namespace sterna
