// SPDX-License-Identifier: Apache-2.0
#include "compile/work.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "graph/csd.h"

namespace sterna {
namespace {

/// A nonzero of the part, with its stream and accumulator.
struct Placed {
  Nonzero nonzero;
  AccumulatorPlace place;
};

/// The accumulator of a filter's first phase, by filter; those of the others follow it. Filters of other parts have none.
std::vector<std::optional<AccumulatorPlace>> homes(const EngineConfig& config, const EngineOperation& operation,
                                                   const OperationPart& part) {
  std::vector<std::optional<AccumulatorPlace>> found(operation.filters);
  for (std::size_t at = 0; at < part.filters.size(); ++at) {
    if (part.filters[at] == OperationPart::kAbsent) continue;
    const auto group = static_cast<int>(at / part.channels), channel = static_cast<int>(at % part.channels);
    const int row = channel / config.pes, phases = filter_phases(operation.pool);
    found[part.filters[at]] = {group * config.pes + channel % config.pes, static_cast<std::uint8_t>(row * phases)};
  }
  return found;
}

AccumulatorPlace at_phase(AccumulatorPlace home, int phase) {
  home.acc_index = static_cast<std::uint8_t>(home.acc_index + phase);
  return home;
}

/// The channel words of a map in the order in which they are ready.
class ReadyWords {
 public:
  struct Word {
    std::int64_t step, written, plane;

    auto operator<=>(const Word&) const = default;
  };

  explicit ReadyWords(const FeatureMap& source) {
    std::map<std::int64_t, Word> by_plane;
    for (const ChannelPlace& channel : source.channels) {
      Word& word = by_plane.try_emplace(channel.plane, Word{channel.step, 0, channel.plane}).first->second;
      word.written = std::max(word.written, channel.written);
    }
    for (const auto& [plane, word] : by_plane) words_.push_back(word);
    std::ranges::sort(words_);
    std::map<std::int64_t, std::size_t> place_of;
    for (std::size_t place = 0; place < words_.size(); ++place) place_of[words_[place].plane] = place;
    for (const ChannelPlace& channel : source.channels) places_.push_back(place_of[channel.plane]);
  }

  const Word& word(std::size_t place) const { return words_[place]; }
  std::size_t size() const { return words_.size(); }
  /// The place of a channel's word.
  std::size_t place(std::size_t channel) const { return places_[channel]; }

 private:
  std::vector<Word> words_;
  std::vector<std::size_t> places_;
};

/// Numbers all words that the nonzeros may need: by place of the channel word, row and column of the window.
class WordKeys {
 public:
  WordKeys(const ReadyWords& words, const std::vector<Placed>& placed) : words_(words) {
    for (const Placed& each : placed) {
      first_row_ = std::min<int>(first_row_, each.nonzero.row);
      last_row_ = std::max<int>(last_row_, each.nonzero.row);
      first_col_ = std::min<int>(first_col_, each.nonzero.col);
      last_col_ = std::max<int>(last_col_, each.nonzero.col);
    }
  }

  std::size_t size() const { return words_.size() * rows() * cols(); }

  std::size_t key(const Nonzero& nonzero) const {
    return (words_.place(nonzero.channel) * rows() + (nonzero.row - first_row_)) * cols() + (nonzero.col - first_col_);
  }

  std::size_t place(std::size_t key) const { return key / cols() / rows(); }
  std::int64_t row(std::size_t key) const { return first_row_ + static_cast<int>(key / cols() % rows()); }
  std::int64_t col(std::size_t key) const { return first_col_ + static_cast<int>(key % cols()); }
  /// That of the first word, at no offset.
  std::size_t first() const { return (-first_row_) * cols() + (-first_col_); }

 private:
  std::size_t rows() const { return last_row_ - first_row_ + 1; }
  std::size_t cols() const { return last_col_ - first_col_ + 1; }

  const ReadyWords& words_;
  int first_row_ = 0, last_row_ = 0, first_col_ = 0, last_col_ = 0;
};

/// Adds what the PEs do to `work`, digit plane after digit plane from the highest down.
class WorkMaker {
 public:
  WorkMaker(const FeatureMap& source, std::vector<Placed> placed, std::int64_t step)
      : source_(source), placed_(std::move(placed)), words_(source), keys_(words_, placed_), step_(step), number_(keys_.size()) {}

  void make(PartWork& work) {
    for (int digit = kMaxDigits - 1; digit >= 0; --digit) add_plane(digit, work);
    // A part that needs no word gets one all the same.
    if (work.fetches.empty()) add_fetch(keys_.first(), work);
  }

 private:
  void add_plane(int digit, PartWork& work) {
    constexpr std::int32_t kNone = -1;
    std::ranges::fill(number_, kNone);
    for (const Placed& each : placed_) {
      if (digits_of(each.nonzero.value)[digit]) number_[keys_.key(each.nonzero)] = 0;
    }
    for (std::size_t key = 0; key < number_.size(); ++key) {
      if (number_[key] == kNone) continue;
      number_[key] = static_cast<std::int32_t>(work.fetches.size());
      add_fetch(key, work);
    }
    for (const auto& [nonzero, place] : placed_) {
      const int value = digits_of(nonzero.value)[digit];
      if (!value) continue;
      const auto channel = static_cast<std::uint8_t>(source_.channels[nonzero.channel].byte);
      work.additions.push_back({place.stream, number_[keys_.key(nonzero)], channel, place.acc_index,
                                static_cast<std::uint8_t>(digit), static_cast<std::uint8_t>(value < 0)});
    }
  }

  void add_fetch(std::size_t key, PartWork& work) const {
    const ReadyWords::Word& word = words_.word(keys_.place(key));
    const bool just_made = step_ > 0 && word.step == step_ - 1;
    work.fetches.push_back({word.plane, keys_.row(key), keys_.col(key), just_made ? word.written : 0});
  }

  const FeatureMap& source_;
  std::vector<Placed> placed_;
  ReadyWords words_;
  WordKeys keys_;
  std::int64_t step_;
  std::vector<std::int32_t> number_;  ///< Of the fetch word of each key in the digit plane at hand.
};

}  // namespace

int filter_phases(sterna_pool pool) { return pool == STERNA_POOL_NONE ? 1 : static_cast<int>(kPhases.size()); }

std::int64_t most_channels(const EngineConfig& config, sterna_pool pool) {
  return std::int64_t{config.pes} * (config.accumulators / filter_phases(pool));
}

std::int64_t drained_words(const EngineConfig& config, std::int64_t channels, std::int64_t cluster, std::int64_t channel) {
  const auto in_words = [](std::int64_t count) { return (count + STERNA_WORD_CHANNELS - 1) / STERNA_WORD_CHANNELS; };
  const std::int64_t pes = config.pes, row = channel / pes, index = channel % pes;
  const std::int64_t in_row = in_words(std::min(channels - row * pes, pes));
  const std::int64_t before = row * config.drain_clusters() * in_words(pes);
  return before + cluster * in_row + index / STERNA_WORD_CHANNELS + 1;
}

std::vector<std::int64_t> lacking(const EngineOperation& operation, const std::vector<Nonzero>& all, int phase) {
  std::vector<std::int64_t> ones(operation.filters);
  for (const Nonzero& each : all) {
    if (each.phase != phase) continue;
    const Digits& digits = digits_of(each.value);
    for (int digit = 0; digit < kMaxDigits; ++digit) ones[each.filter] += digits[digit] < 0 ? std::int64_t{1} << digit : 0;
  }
  return ones;
}

PartWork part_work(const EngineConfig& config, const EngineOperation& operation, const std::vector<Nonzero>& all,
                   const FeatureMap& source, const Spread& spread, const OperationPart& part, std::int64_t step) {
  PartWork work;
  work.streams = part.groups * config.pes;
  work.tiles_at_once = spread.tiles_at_once;
  const auto home_of = homes(config, operation, part);
  for (const auto& home : home_of) {
    for (int phase = 0; home && phase < filter_phases(operation.pool); ++phase) work.used.push_back(at_phase(*home, phase));
  }
  std::vector<Placed> placed;
  for (const Nonzero& each : all) {
    if (const auto& home = home_of[each.filter]) placed.push_back({each, at_phase(*home, each.phase)});
  }
  WorkMaker(source, std::move(placed), step).make(work);
  return work;
}

}  // namespace sterna
