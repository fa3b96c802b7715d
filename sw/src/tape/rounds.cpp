// SPDX-License-Identifier: Apache-2.0
#include "tape/rounds.h"

#include <sterna/tape.h>

#include <algorithm>
#include <array>
#include <limits>
#include <span>
#include <utility>

namespace sterna {
namespace {

using Word = std::uint32_t;
using Round = std::int64_t;

constexpr int kBanks = STERNA_WORD_CHANNELS;
constexpr Word kNone = std::numeric_limits<Word>::max();
constexpr Word kWindow = STERNA_WINDOW_WORDS;
/// A PE turns to its oldest words when so few more may come before they stop the window.
constexpr Word kMargin = 4;
static_assert(STERNA_WINDOW_GUARD > 0 && STERNA_REPEAT_DISTANCE > 0);

/// The additions are sorted by one number: stream, accumulator, digit from the highest down, channel, word, sign.
constexpr int kSignBits = 1, kWordBits = 24, kChannelBits = 2, kDigitBits = 3, kIndexBits = STERNA_ENTRY_ACC_INDEX_WIDTH;
constexpr int kWordShift = kSignBits, kChannelShift = kWordShift + kWordBits, kDigitShift = kChannelShift + kChannelBits,
              kIndexShift = kDigitShift + kDigitBits, kStreamShift = kIndexShift + kIndexBits;
constexpr std::uint64_t kMostDigit = (1 << kDigitBits) - 1;

std::uint64_t place_key(std::int32_t stream, std::uint8_t acc_index) {
  return std::uint64_t(stream) << kStreamShift | std::uint64_t{acc_index} << kIndexShift;
}

constexpr std::uint32_t no_operands() {
  std::uint32_t operands = 0;
  for (int bank = 0; bank < kBanks; ++bank) operands |= STERNA_ABSENT_SLOT << (bank * STERNA_ENTRY_OPERANDS_WIDTH / kBanks);
  return operands;
}

/// The additions of an accumulator in a digit plane: those of each channel lie from `at` on, before `end`.
struct DigitPlane {
  std::array<std::uint32_t, kBanks> at{}, end{};
  int digit = 0;
};

/// An accumulator of a PE, and what is left to do for it.
struct Accumulator {
  std::array<Word, kBanks> next{kNone, kNone, kNone, kNone};  ///< Of each channel the next word to add, or kNone.
  Round last = -STERNA_REPEAT_DISTANCE;                       ///< Of its last operation.
  int doublings = 0;                                          ///< That come before the next addition.
  bool is_set = false;
  std::uint8_t acc_index = 0;
  std::uint32_t plane = 0, end_plane = 0;

  bool has_additions() const { return *std::ranges::min_element(next) != kNone; }
  bool is_done() const { return is_set && !doublings && !has_additions(); }
};

class Scheduler {
 public:
  explicit Scheduler(const PartWork& work)
      : words_(work.fetches.size()), distance_(work.tiles_at_once), streams_(work.streams),
        last_read_(words_, -STERNA_WINDOW_GUARD) {
    std::vector<std::uint64_t> places, keys;
    for (const AccumulatorPlace& each : work.used) places.push_back(place_key(each.stream, each.acc_index));
    std::ranges::sort(places);
    keys.reserve(work.additions.size());
    for (const Addition& each : work.additions) {
      keys.push_back(place_key(each.stream, each.acc_index) | (kMostDigit - each.digit) << kDigitShift |
                     std::uint64_t{each.channel} << kChannelShift | std::uint64_t(each.word) << kWordShift | each.subtract);
    }
    std::ranges::sort(keys);
    auto key = keys.begin();
    for (const std::uint64_t place : places) {
      const auto end = std::find_if(key, keys.end(), [&](std::uint64_t each) { return each >> kIndexShift != place >> kIndexShift; });
      add_accumulator(place, {key, end});
      key = end;
    }
  }

  Rounds run() {
    while (live_ || taken_ < words_) {
      const bool takes = may_take();
      rounds_.takes_word.push_back(takes);
      if (takes) {
        ++taken_;
        last_take_ = round_;
      }
      oldest_ = kNone;
      rounds_.operations.push_back(0);
      for (std::vector<Accumulator>& stream : streams_) rounds_.entries.push_back(entry(stream));
      ++round_;
    }
    return std::move(rounds_);
  }

 private:
  void add_accumulator(std::uint64_t place, std::span<const std::uint64_t> keys) {
    Accumulator made;
    made.acc_index = static_cast<std::uint8_t>(place >> kIndexShift & ((1 << kIndexBits) - 1));
    made.plane = made.end_plane = static_cast<std::uint32_t>(planes_.size());
    for (const std::uint64_t key : keys) {
      const int digit = static_cast<int>(kMostDigit - (key >> kDigitShift & kMostDigit));
      const auto channel = key >> kChannelShift & (kBanks - 1);
      const auto at = static_cast<std::uint32_t>(operands_.size());
      if (made.plane == planes_.size() || planes_.back().digit != digit) {
        planes_.push_back({{at, at, at, at}, {at, at, at, at}, digit});
      }
      DigitPlane& plane = planes_.back();
      for (auto after = channel + 1; after < kBanks; ++after) plane.at[after] = plane.end[after] = at + 1;
      plane.end[channel] = at + 1;
      operands_.push_back(static_cast<std::uint32_t>(key & ((std::uint64_t{1} << kChannelShift) - 1)));
    }
    made.end_plane = static_cast<std::uint32_t>(planes_.size());
    if (made.plane < made.end_plane) show_next(made);
    streams_[place >> kStreamShift].push_back(made);
    ++live_;
  }

  /// The next words of the digit plane at hand.
  void show_next(Accumulator& accumulator) const {
    const DigitPlane& plane = planes_[accumulator.plane];
    for (int bank = 0; bank < kBanks; ++bank) {
      accumulator.next[bank] = plane.at[bank] < plane.end[bank] ? operands_[plane.at[bank]] >> kSignBits : kNone;
    }
  }

  /// Whether this round may take the next word. `oldest_` is that of the round before, which is enough, as what a word
  /// overwrites was read WINDOW_GUARD rounds ago.
  bool may_take() const {
    if (taken_ == words_ || round_ - last_take_ < distance_) return false;
    if (taken_ < kWindow) return true;
    const Word overwritten = static_cast<Word>(taken_ - kWindow);
    return oldest_ > overwritten && round_ - last_read_[overwritten] >= STERNA_WINDOW_GUARD;
  }

  /// How good it is to go on with an accumulator now; 0 if that is not possible. As many additions as possible, and of
  /// equals the oldest word; but first of all what soon stops the window.
  Word score(const Accumulator& accumulator, Word oldest) const {
    Word ready = 0;
    for (const Word next : accumulator.next) ready += next < taken_;
    const Word age = oldest < taken_ ? static_cast<Word>(taken_) - oldest : 0;
    if (accumulator.doublings) ready = kBanks;
    if (!ready) return !accumulator.is_set && oldest == kNone;
    return age + kMargin >= kWindow ? kUrgent + age * kBanks + ready : ready * kWindow + age + 1;
  }

  static constexpr Word kUrgent = 1 << 16;

  std::uint32_t entry(std::vector<Accumulator>& stream) {
    Accumulator* best = nullptr;
    Word most = 0;
    for (Accumulator& each : stream) {
      const Word oldest = *std::ranges::min_element(each.next);
      oldest_ = std::min(oldest_, oldest);
      if (round_ - each.last < STERNA_REPEAT_DISTANCE) continue;
      if (const Word found = score(each, oldest); found > most) {
        most = found;
        best = &each;
      }
    }
    if (!best) return no_operands();
    const std::uint32_t made = operation(*best) | static_cast<std::uint32_t>(best->acc_index) << STERNA_ENTRY_ACC_INDEX_SHIFT;
    best->last = round_;
    ++rounds_.operations.back();
    if (best->is_done()) {
      stream.erase(stream.begin() + (best - stream.data()));
      --live_;
    }
    return made;
  }

  /// Kind and operands of the next operation of an accumulator.
  std::uint32_t operation(Accumulator& accumulator) {
    if (accumulator.doublings) {
      --accumulator.doublings;
      return no_operands() | STERNA_ENTRY_KIND_DOUBLE << STERNA_ENTRY_KIND_SHIFT;
    }
    const std::uint32_t kind = accumulator.is_set ? STERNA_ENTRY_KIND_ADD : STERNA_ENTRY_KIND_SET;
    accumulator.is_set = true;
    return operands(accumulator) | kind << STERNA_ENTRY_KIND_SHIFT;
  }

  std::uint32_t operands(Accumulator& accumulator) {
    if (!accumulator.has_additions()) return no_operands();
    DigitPlane& plane = planes_[accumulator.plane];
    std::uint32_t made = 0;
    for (int bank = 0; bank < kBanks; ++bank) {
      std::uint32_t operand = STERNA_ABSENT_SLOT;
      if (const Word word = accumulator.next[bank]; word < taken_) {
        last_read_[word] = round_;
        operand = word % kWindow | (operands_[plane.at[bank]++] & 1) << STERNA_OPERAND_SUBTRACT_SHIFT;
      }
      made |= operand << (bank * STERNA_ENTRY_OPERANDS_WIDTH / kBanks);
    }
    show_next(accumulator);
    if (!accumulator.has_additions()) end_plane(accumulator);
    return made;
  }

  /// Goes on to the next digit plane that the accumulator has, or to plane 0.
  void end_plane(Accumulator& accumulator) const {
    accumulator.doublings = planes_[accumulator.plane++].digit;
    if (accumulator.plane == accumulator.end_plane) return;
    accumulator.doublings -= planes_[accumulator.plane].digit;
    show_next(accumulator);
  }

  std::size_t words_;
  Round distance_;  ///< Rounds from a word to the next, at least.
  std::vector<std::vector<Accumulator>> streams_;  ///< Those that are not done.
  std::vector<DigitPlane> planes_;
  std::vector<std::uint32_t> operands_;  ///< Word and sign of each addition.
  std::vector<Round> last_read_;         ///< Of each word.
  std::size_t live_ = 0, taken_ = 0;     ///< Accumulators that are not done, and words that were taken.
  Round round_ = 0, last_take_ = std::numeric_limits<std::int32_t>::min();
  Word oldest_ = 0;  ///< The oldest word that is still to be added.
  Rounds rounds_;
};

}  // namespace

Rounds make_rounds(const PartWork& work) { return Scheduler(work).run(); }

}  // namespace sterna
