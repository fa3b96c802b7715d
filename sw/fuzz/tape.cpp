// SPDX-License-Identifier: Apache-2.0
// Makes any bytes the work of a part, legal or not. The entries of one that is encoded must hold each addition once.
#include "tape/encoder.h"

#include <fuzzer/FuzzedDataProvider.h>
#include <sterna/tape.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "error.h"

namespace {

using namespace sterna;
/// Stream, word, channel, accumulator, and whether it is subtracted.
using Added = std::array<std::int64_t, 5>;

class Builder {
 public:
  explicit Builder(FuzzedDataProvider& from) : from_(from), is_any_(from.ConsumeIntegral<std::uint8_t>() == 255) {}

  EncoderConfig config() { return {value(3, 15), value(3, 15), 16, 1 << std::clamp(value(3, 6), 0, 30)}; }

  PartWork work() {
    PartWork made;
    made.streams = static_cast<std::size_t>(value(2, 16));
    made.tiles_at_once = value(1, 4);
    const int digits = from_.ConsumeIntegralInRange(1, 4), words = from_.ConsumeIntegralInRange(1, 30);
    for (int word = 0; word < digits * words; ++word) {
      made.fetches.push_back({value(0, 1 << 20), value(-7, 40), value(-7, 40), value(0, 1023)});
    }
    std::vector<std::pair<int, int>> used;
    for (int count = from_.ConsumeIntegralInRange(0, 200); count > 0; --count) {
      const int digit = value(0, digits - 1), stream = value(0, static_cast<int>(made.streams) - 1), acc_index = value(0, 15);
      const int word = (digits - 1 - digit) * words + value(0, words - 1);
      made.additions.push_back({stream, word, byte(0, STERNA_WORD_CHANNELS - 1), static_cast<std::uint8_t>(acc_index),
                                static_cast<std::uint8_t>(digit), byte(0, 1)});
      used.emplace_back(stream, static_cast<std::uint8_t>(acc_index));
    }
    if (!is_any_) std::ranges::sort(used);
    used.erase(std::unique(used.begin(), used.end()), used.end());
    for (const auto& [stream, acc_index] : used) made.used.push_back({stream, static_cast<std::uint8_t>(acc_index)});
    return made;
  }

 private:
  /// One of low .. high; of some inputs, any number at times.
  int value(int low, int high) {
    if (is_any_ && from_.ConsumeIntegralInRange(0, 15) == 0) return from_.ConsumeIntegral<std::int16_t>();
    return from_.ConsumeIntegralInRange(std::min(low, high), std::max(low, high));
  }

  std::uint8_t byte(int low, int high) { return static_cast<std::uint8_t>(value(low, high)); }

  FuzzedDataProvider& from_;
  bool is_any_;
};

/// The number of a few bits of `word`.
std::uint32_t bits(std::uint64_t word, int shift, int width) {
  return static_cast<std::uint32_t>(word >> shift & ((std::uint64_t{1} << width) - 1));
}

/// Reads the payload of a part as an engine does, as far as its entries go.
class Reader {
 public:
  Reader(const EncoderConfig& config, const PartWork& work, const EncodedPart& part)
      : config_(config), streams_(work.streams), part_(part) {}

  std::vector<Added> added() {
    for (std::size_t record = 0; record < part_.records.size(); record += 2) {
      at_ += static_cast<std::size_t>(config_.beat_bytes);
      const std::int64_t count = part_.records[record + 1];
      const bool is_fetch = part_.records[record] == STERNA_RECORD_KIND_FETCH;
      const std::size_t end = at_ + count * (is_fetch ? STERNA_FETCH_SIZE : streams_ * STERNA_ENTRY_SIZE);
      for (std::int64_t round = 0; !is_fetch && round < count; ++round) read_round();
      at_ = (end + config_.beat_bytes - 1) / config_.beat_bytes * config_.beat_bytes;
    }
    return std::move(found_);
  }

 private:
  std::uint32_t entry() {
    std::uint32_t word = 0;
    for (int byte = 0; byte < STERNA_ENTRY_SIZE; ++byte) word |= std::uint32_t{part_.payload[at_++]} << (8 * byte);
    return word;
  }

  void read_round() {
    for (std::size_t stream = 0; stream < streams_; ++stream) {
      const std::uint32_t word = entry();
      if (stream == STERNA_WORD_STREAM) taken_ += bits(word, STERNA_ENTRY_CONTROL_SHIFT, STERNA_ENTRY_CONTROL_WIDTH);
      constexpr int kWidth = STERNA_ENTRY_OPERANDS_WIDTH / STERNA_WORD_CHANNELS;
      for (int channel = 0; channel < STERNA_WORD_CHANNELS; ++channel) {
        const std::uint32_t operand = bits(word, STERNA_ENTRY_OPERANDS_SHIFT + channel * kWidth, kWidth);
        const std::int64_t slot = bits(operand, STERNA_OPERAND_SLOT_SHIFT, STERNA_OPERAND_SLOT_WIDTH);
        if (slot == STERNA_ABSENT_SLOT) continue;
        // The last word that was taken into the slot.
        const std::int64_t age = (taken_ - 1 - slot + STERNA_WINDOW_WORDS) % STERNA_WINDOW_WORDS;
        found_.push_back({static_cast<std::int64_t>(stream), taken_ - 1 - age, channel,
                          bits(word, STERNA_ENTRY_ACC_INDEX_SHIFT, STERNA_ENTRY_ACC_INDEX_WIDTH),
                          bits(operand, STERNA_OPERAND_SUBTRACT_SHIFT, STERNA_OPERAND_SUBTRACT_WIDTH)});
      }
    }
  }

  const EncoderConfig& config_;
  std::size_t streams_;
  const EncodedPart& part_;
  std::int64_t taken_ = 0;
  std::size_t at_ = 0;
  std::vector<Added> found_;
};

/// Ends the program unless the part holds just the additions of the work.
void compare(const EncoderConfig& config, const PartWork& work) {
  const EncodedPart part = encode_part(config, work);
  std::vector<Added> given;
  for (const Addition& each : work.additions) {
    given.push_back({each.stream, each.word, each.channel, each.acc_index, each.subtract});
  }
  std::vector<Added> found = Reader(config, work, part).added();
  std::ranges::sort(given);
  std::ranges::sort(found);
  if (given != found || part.payload.size() % STERNA_TAPE_ALIGN) __builtin_trap();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  FuzzedDataProvider from(data, size);
  Builder builder(from);
  const EncoderConfig config = builder.config();
  const PartWork work = builder.work();
  try {
    compare(config, work);
  } catch (const Error&) {
  }
  return 0;
}
