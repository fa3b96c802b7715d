// SPDX-License-Identifier: Apache-2.0
#include "tape/encoder.h"

#include <sterna/tape.h>

#include <algorithm>
#include <bit>
#include <limits>

#include "bytes.h"
#include "tape/check.h"

namespace sterna {
namespace {

using Count = std::int64_t;

// The items of all streams are sorted by one number: stream, vector, kind, order. The lowest bits of the order are an
// entry's payload, those above only order.
constexpr int kPayloadBits = 8, kOrderBits = 16, kKindBits = 2, kVectorBits = 24;
constexpr int kVectorShift = kOrderBits + kKindBits, kStreamShift = kVectorShift + kVectorBits;

enum Kind : Count { kAddition = 0, kDouble = 1, kEnd = 2 };

/// Vectors that hardware keeps between the slowest PE and the last vector written.
constexpr Count kRingMargin = 16;
/// Turns of looking for additions to swap.
constexpr int kReorderTurns = 6;
/// Fetch words that come together, and vectors that they run ahead of the rounds, as a share of the ring.
constexpr Count kFetchGroup = 32, kFetchAhead = 2;

struct Item {
  Count stream, vector, kind, payload;
  Count pointer = -1;  ///< The vector pointer of its PE after it.
};

/// An entry, and the vector pointer of its PE after it.
struct Entry {
  std::uint8_t code;
  Count pointer;
};

Count key(Count stream, Count vector, Kind kind, Count order) {
  return (((((stream << kVectorBits) + vector) << kKindBits) + kind) << kOrderBits) + order;
}

/// Vectors that the fetch words give, added up.
std::vector<Count> last_vectors(const Fetches& fetches) {
  std::vector<Count> last;
  Count vectors = 0;
  for (Count mask : fetches.mask) last.push_back((vectors += std::popcount(static_cast<std::uint64_t>(mask))) - 1);
  return last;
}

/// Doublings after the last vector of a digit plane, of every accumulator that was touched until then.
void add_doublings(std::vector<Count>& keys, const Additions& additions, const DigitPlane& plane) {
  std::vector<Count> accumulators;
  for (std::size_t index = 0; plane.doublings && index < additions.stream.size(); ++index) {
    if (additions.plane[index] < plane.plane) continue;
    accumulators.push_back((additions.stream[index] << kPayloadBits) + additions.acc_index[index]);
  }
  std::sort(accumulators.begin(), accumulators.end());
  accumulators.erase(std::unique(accumulators.begin(), accumulators.end()), accumulators.end());
  for (Count turn = 0; turn < plane.doublings; ++turn) {
    for (Count each : accumulators) {
      const Count acc_index = each & ((1 << kPayloadBits) - 1);
      keys.push_back(key(each >> kPayloadBits, plane.last_vector, kDouble, (turn << kPayloadBits) + acc_index));
    }
  }
}

/// All items, stream after stream, in the order in which PEs take them.
std::vector<Item> sorted_items(std::size_t streams, Count vectors, const Additions& additions,
                               std::span<const DigitPlane> planes) {
  std::vector<Count> keys;
  for (std::size_t index = 0; index < additions.stream.size(); ++index) {
    const Count payload = (additions.acc_index[index] << 1) + additions.subtract[index];
    keys.push_back(key(additions.stream[index], additions.vector[index], kAddition, payload));
  }
  for (const DigitPlane& plane : planes) add_doublings(keys, additions, plane);
  for (std::size_t stream = 0; stream < streams; ++stream) keys.push_back(key(stream, vectors - 1, kEnd, 0));
  std::sort(keys.begin(), keys.end());
  std::vector<Item> items;
  items.reserve(keys.size());
  for (Count each : keys) {
    items.push_back({each >> kStreamShift, (each >> kVectorShift) & ((1 << kVectorBits) - 1),
                     (each >> kOrderBits) & ((1 << kKindBits) - 1), each & ((1 << kPayloadBits) - 1)});
  }
  return items;
}

/// A doubling does not move the pointer; what else there is moves it to its vector.
void set_pointers(std::vector<Item>& items) {
  for (std::size_t index = 0; index < items.size(); ++index) {
    Item& item = items[index];
    const bool is_first = !index || items[index - 1].stream != item.stream;
    const Count before = is_first ? -1 : items[index - 1].pointer;
    item.pointer = item.kind == kDouble ? before : std::max(before, item.vector);
  }
}

/// Reorders the additions of a vector so that no two neighbours touch one accumulator, which would cost a cycle.
///
/// Such a pair is the last addition of a vector and the first of the next; its second changes places with the one
/// after it, or its first with the one before. That can make a new pair at the other end, so it is done a few times.
void separate_repeats(std::vector<Item>& items) {
  const auto together = [&](std::size_t at) {
    const Item &one = items[at], &two = items[at + 1];
    return one.kind == kAddition && two.kind == kAddition && one.stream == two.stream;
  };
  const Count pairs = static_cast<Count>(items.size()) - 1;
  for (int turn = 0; turn < kReorderTurns; ++turn) {
    std::vector<Count> swapped;
    for (Count at = 0; at < pairs; ++at) {
      if (!together(at) || items[at].payload >> 1 != items[at + 1].payload >> 1) continue;
      const Count other = turn % 2 ? at - 1 : at + 1;
      const bool fits = other >= 0 && other < pairs && together(other);
      if (fits && items[other].pointer == items[other + 1].pointer) swapped.push_back(other);
    }
    Count before = -2;
    for (Count other : swapped) {
      if (other - before > 1) std::swap(items[other].payload, items[other + 1].payload);
      before = other;
    }
  }
}

class Encoder {
 public:
  Encoder(const EncoderConfig& config, std::size_t streams) : config_(config), streams_(streams) {}

  /// The entries of all streams, and where each stream's start.
  void make_entries(const std::vector<Item>& items) {
    Count previous = -1;
    for (std::size_t index = 0; index < items.size(); ++index) {
      const Item& item = items[index];
      if (!index || items[index - 1].stream != item.stream) {
        starts_.resize(item.stream + 1, entries_.size());
        previous = -1;
      }
      const Count advance = item.pointer - previous, own = own_advance(item.kind, advance);
      add_skips(previous, advance - own);
      entries_.push_back({code(item, own), item.pointer});
      previous = item.pointer;
    }
    starts_.resize(streams_ + 1, entries_.size());
  }

  /// Where each stream ends after each round. A round takes a chunk of each stream, but no entry that would lead its
  /// PE too far ahead of the slowest.
  void make_rounds() {
    const Count margin = config_.buffer_vectors - kRingMargin;
    std::vector<std::size_t> at(starts_.begin(), starts_.end() - 1);
    while (!std::equal(at.begin(), at.end(), starts_.begin() + 1)) {
      Count slowest = std::numeric_limits<Count>::max();
      for (std::size_t stream = 0; stream < streams_; ++stream) slowest = std::min(slowest, pointer(stream, at[stream]));
      const Count horizon = slowest + margin;
      for (std::size_t stream = 0; stream < streams_; ++stream) {
        at[stream] = std::min(at[stream] + config_.chunk_entries(), starts_[stream + 1]);
        if (pointer(stream, at[stream]) <= horizon) continue;
        const auto first = entries_.begin() + starts_[stream], last = entries_.begin() + starts_[stream + 1];
        const auto far = std::partition_point(first, last, [&](const Entry& each) { return each.pointer <= horizon; });
        at[stream] = far - entries_.begin();
      }
      ends_.insert(ends_.end(), at.begin(), at.end());
    }
  }

  std::size_t rounds() const { return ends_.size() / streams_; }

  /// Fetch words that come before each round: what it needs, and as much ahead as ring and loader hold.
  std::vector<Count> fetched(const std::vector<Count>& last) const {
    const Count ring = config_.buffer_vectors, all = last.size();
    const auto up_to = [&](Count vector) { return std::lower_bound(last.begin(), last.end(), vector) - last.begin() + 1; };
    std::vector<Count> fetched;
    Count needed = -1, slowest = -1, wanted = 0, done = 0;
    for (std::size_t round = 0; round < rounds(); ++round) {
      Count least = std::numeric_limits<Count>::max();
      for (std::size_t stream = 0; stream < streams_; ++stream) {
        const Count found = pointer(stream, ends_[round * streams_ + stream]);
        needed = std::max(needed, found);
        least = std::min(least, found);
      }
      const Count required = up_to(needed), ahead = up_to(needed + ring / kFetchAhead);
      const Count room =
          std::upper_bound(last.begin(), last.end(), slowest + 2 * ring - kRingMargin) - last.begin();
      const Count group = kFetchGroup * static_cast<Count>(round + 1);
      wanted = std::max({wanted, std::min({ahead, room, group}), required});
      const Count most = std::min(wanted, all);
      const Count grouped = most == all ? most : most / kFetchGroup * kFetchGroup;
      done = std::max({done, grouped, std::min(required, all)});
      fetched.push_back(done);
      slowest = least;
    }
    return fetched;
  }

  /// The entries of the chunks; what is left over is PAD.
  std::vector<std::uint8_t> codes() const {
    const std::size_t size = config_.chunk_entries();
    std::vector<std::uint8_t> codes(ends_.size() * size, static_cast<std::uint8_t>(control() | STERNA_COMMAND_PAD));
    for (std::size_t place = 0; place < ends_.size(); ++place) {
      const std::size_t begin = place < streams_ ? starts_[place] : ends_[place - streams_];
      for (std::size_t at = begin; at < ends_[place]; ++at) codes[place * size + at - begin] = entries_[at].code;
    }
    return codes;
  }

 private:
  Count control() const { return Count{STERNA_ENTRY_CONTROL} << (config_.acc_index_w + 1); }

  /// The largest exponent of a SKIP: a quarter of the ring at most, so that no PE runs away.
  int longest_skip() const {
    return std::min(7, static_cast<int>(std::bit_width(static_cast<unsigned>(config_.buffer_vectors))) - 3);
  }

  Count skip_count(Count distance) const {
    const int longest = longest_skip();
    const auto below = static_cast<std::uint64_t>(distance & ((Count{1} << longest) - 1));
    return std::popcount(below) + (distance >> longest);
  }

  /// What an entry advances by itself, so that the fewest SKIPs come before it.
  Count own_advance(Count kind, Count advance) const {
    const Count most = kind == kAddition ? STERNA_ENTRY_MAX_SKIP : kind == kEnd ? STERNA_END_PASS_MAX_SKIP : 0;
    Count own = 0, best = std::numeric_limits<Count>::max();
    for (Count take = 0; take <= std::min(most, advance); ++take) {
      // An addition after a SKIP goes to another vector itself.
      if (!take && advance && kind != kEnd) continue;
      if (const Count cost = skip_count(advance - take); cost < best) {
        best = cost;
        own = take;
      }
    }
    return own;
  }

  /// SKIPs over `distance` vectors from `pointer` on, longest first.
  void add_skips(Count pointer, Count distance) {
    for (int exponent = longest_skip(); exponent >= 0; --exponent) {
      for (; distance >> exponent; distance -= Count{1} << exponent) {
        pointer += Count{1} << exponent;
        entries_.push_back({static_cast<std::uint8_t>(control() + STERNA_COMMAND_SKIP + exponent), pointer});
      }
    }
  }

  std::uint8_t code(const Item& item, Count own) const {
    switch (item.kind) {
      case kAddition: return static_cast<std::uint8_t>((own << (config_.acc_index_w + 1)) + item.payload);
      case kDouble: return static_cast<std::uint8_t>(control() + (Count{1} << config_.acc_index_w) + item.payload);
      default: return static_cast<std::uint8_t>(control() + STERNA_COMMAND_END_PASS + own);
    }
  }

  /// The vector pointer of a stream's PE after the entries up to `at`.
  Count pointer(std::size_t stream, std::size_t at) const {
    return at > starts_[stream] ? entries_[at - 1].pointer : -1;
  }

  const EncoderConfig& config_;
  std::size_t streams_;
  std::vector<Entry> entries_;
  std::vector<std::size_t> starts_;  ///< [stream]; one more for the end.
  std::vector<std::size_t> ends_;    ///< [round][stream].
};

/// FETCH and ROUNDS records in the order of `fetched`, the fetch words that come before each round.
std::vector<Count> make_records(const std::vector<Count>& fetched) {
  std::vector<Count> records;
  Count words = 0;
  for (Count next : fetched) {
    if (next > words) records.insert(records.end(), {STERNA_RECORD_KIND_FETCH, next - words, STERNA_RECORD_KIND_ROUNDS, 0});
    ++records.back();
    words = next;
  }
  return records;
}

class PayloadWriter {
 public:
  explicit PayloadWriter(const EncoderConfig& config) : config_(config) {}

  void number(std::uint64_t value, int bytes) {
    append_number(payload, value, bytes);
  }

  void pad(std::size_t multiple) { payload.resize((payload.size() + multiple - 1) / multiple * multiple); }

  void header(Count kind, Count count) {
    number(static_cast<std::uint64_t>(count) << STERNA_RECORD_HEADER_COUNT_SHIFT | kind, STERNA_RECORD_HEADER_SIZE);
    pad(config_.beat_bytes);
  }

  void chunk(const std::uint8_t* codes) {
    std::uint64_t word = 0;
    for (int entry = 0; entry < config_.chunk_entries(); ++entry) {
      word |= std::uint64_t{codes[entry]} << (entry * config_.entry_bits());
    }
    number(word, config_.chunk_bytes);
  }

  void fetch_word(const Fetches& fetches, std::size_t at) {
    const auto part = [](Count value, int width, int shift) {
      return (static_cast<std::uint64_t>(value) & ((std::uint64_t{1} << width) - 1)) << shift;
    };
    const Tile row = tile(fetches.row[at], config_.tile_h), col = tile(fetches.col[at], config_.tile_w);
    std::uint64_t word = 0;
    word |= part(fetches.plane[at], STERNA_FETCH_PLANE_WIDTH, STERNA_FETCH_PLANE_SHIFT);
    word |= part(row.tile, STERNA_FETCH_TILE_ROW_WIDTH, STERNA_FETCH_TILE_ROW_SHIFT);
    word |= part(row.within, STERNA_FETCH_ROW_WIDTH, STERNA_FETCH_ROW_SHIFT);
    word |= part(col.tile, STERNA_FETCH_TILE_COL_WIDTH, STERNA_FETCH_TILE_COL_SHIFT);
    word |= part(col.within, STERNA_FETCH_COL_WIDTH, STERNA_FETCH_COL_SHIFT);
    word |= part(fetches.mask[at], STERNA_FETCH_MASK_WIDTH, STERNA_FETCH_MASK_SHIFT);
    word |= part(at + 1 == fetches.mask.size(), STERNA_FETCH_LAST_IN_PASS_WIDTH,
                 STERNA_FETCH_LAST_IN_PASS_SHIFT);
    word |= part(fetches.after[at], STERNA_FETCH_AFTER_WIDTH, STERNA_FETCH_AFTER_SHIFT);
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

}  // namespace

EncodedPart encode_part(const EncoderConfig& config, std::size_t streams, const Fetches& fetches,
                        const Additions& additions, std::span<const DigitPlane> planes) {
  check_part(config, streams, fetches, additions, planes);
  const std::vector<Count> last = last_vectors(fetches);
  std::vector<Item> items = sorted_items(streams, last.back() + 1, additions, planes);
  set_pointers(items);
  separate_repeats(items);
  Encoder encoder(config, streams);
  encoder.make_entries(items);
  encoder.make_rounds();
  EncodedPart part;
  part.codes = encoder.codes();
  part.rounds = encoder.rounds();
  part.streams = streams;
  part.records = make_records(encoder.fetched(last));
  PayloadWriter writer(config);
  std::size_t word = 0, chunk = 0;
  for (std::size_t record = 0; record < part.records.size(); record += 2) {
    const Count kind = part.records[record], count = part.records[record + 1];
    writer.header(kind, count);
    if (kind == STERNA_RECORD_KIND_FETCH) {
      for (const std::size_t end = word + count; word < end; ++word) writer.fetch_word(fetches, word);
      writer.pad(config.beat_bytes);
    } else {
      for (const std::size_t end = chunk + count * streams; chunk < end; ++chunk) {
        writer.chunk(part.codes.data() + chunk * config.chunk_entries());
      }
    }
  }
  writer.pad(STERNA_TAPE_ALIGN);
  part.payload = std::move(writer.payload);
  return part;
}

}  // namespace sterna
