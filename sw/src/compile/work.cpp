// SPDX-License-Identifier: Apache-2.0
#include "compile/work.h"

#include <algorithm>
#include <map>
#include <utility>

#include "graph/csd.h"

namespace sterna {
namespace {

/// A nonzero of the part, with its stream and accumulator.
struct Placed {
  Nonzero nonzero;
  std::int64_t stream, acc_index;
};

std::vector<Placed> placed(const EngineConfig& config, const EngineOperation& operation, const std::vector<Nonzero>& all,
                           const OperationPart& part) {
  struct Home {
    std::int64_t pe = -1, acc_index = 0;
  };
  const int row = row_channels(config, operation.pool);
  std::vector<Home> homes(operation.filters);
  for (std::size_t place = 0; place < part.filters.size(); ++place) {
    if (part.filters[place] == OperationPart::kAbsent) continue;
    const auto group = static_cast<std::int64_t>(place / part.channels), index = static_cast<std::int64_t>(place % part.channels);
    homes[part.filters[place]] = {group * config.pes + index % row, index / row};
  }
  std::vector<Placed> found;
  for (const Nonzero& each : all) {
    const Home& home = homes[each.filter];
    if (home.pe >= 0) found.push_back({each, home.pe + row * each.phase, home.acc_index});
  }
  return found;
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

/// Numbers all vectors that the nonzeros may need: by place of the channel word, row and column of the window, byte.
class VectorKeys {
 public:
  VectorKeys(const FeatureMap& source, const ReadyWords& words, const std::vector<Placed>& placed)
      : source_(source), words_(words) {
    for (const Placed& each : placed) {
      first_row_ = std::min<int>(first_row_, each.nonzero.row);
      last_row_ = std::max<int>(last_row_, each.nonzero.row);
      first_col_ = std::min<int>(first_col_, each.nonzero.col);
      last_col_ = std::max<int>(last_col_, each.nonzero.col);
    }
  }

  std::size_t size() const { return words_.size() * rows() * cols() * STERNA_WORD_CHANNELS; }

  std::size_t key(const Nonzero& nonzero) const {
    const std::size_t window = (words_.place(nonzero.channel) * rows() + (nonzero.row - first_row_)) * cols() +
                               (nonzero.col - first_col_);
    return window * STERNA_WORD_CHANNELS + source_.channels[nonzero.channel].byte;
  }

  std::size_t place(std::size_t key) const { return key / STERNA_WORD_CHANNELS / cols() / rows(); }
  std::int64_t row(std::size_t key) const { return first_row_ + static_cast<int>(key / STERNA_WORD_CHANNELS / cols() % rows()); }
  std::int64_t col(std::size_t key) const { return first_col_ + static_cast<int>(key / STERNA_WORD_CHANNELS % cols()); }
  /// That of the first byte of the first word, at no offset.
  std::size_t first() const {
    return ((-first_row_) * cols() + (-first_col_)) * STERNA_WORD_CHANNELS;
  }

 private:
  std::size_t rows() const { return last_row_ - first_row_ + 1; }
  std::size_t cols() const { return last_col_ - first_col_ + 1; }

  const FeatureMap& source_;
  const ReadyWords& words_;
  int first_row_ = 0, last_row_ = 0, first_col_ = 0, last_col_ = 0;
};

class WorkMaker {
 public:
  WorkMaker(const FeatureMap& source, std::vector<Placed> placed, std::int64_t step)
      : placed_(std::move(placed)), words_(source), keys_(source, words_, placed_), step_(step), number_(keys_.size()) {}

  PartWork make() {
    std::vector<int> used;
    for (int plane = kMaxDigits - 1; plane >= 0; --plane) {
      const auto has_digit = [&](const Placed& each) { return digits_of(each.nonzero.value)[plane] != 0; };
      if (std::ranges::any_of(placed_, has_digit)) used.push_back(plane);
    }
    if (used.empty()) {
      // A part that needs no vector gets one all the same.
      add_fetches({keys_.first()});
      work_.planes.push_back({0, 0, 0});
    }
    for (std::size_t index = 0; index < used.size(); ++index) {
      add_plane(used[index], index + 1 < used.size() ? used[index + 1] : 0);
    }
    return std::move(work_);
  }

 private:
  void add_plane(int plane, int following) {
    constexpr std::int64_t kNone = -1;
    std::ranges::fill(number_, kNone);
    for (const Placed& each : placed_) {
      if (digits_of(each.nonzero.value)[plane]) number_[keys_.key(each.nonzero)] = 0;
    }
    std::vector<std::size_t> mine;
    for (std::size_t key = 0; key < number_.size(); ++key) {
      if (number_[key] == kNone) continue;
      number_[key] = vectors_ + static_cast<std::int64_t>(mine.size());
      mine.push_back(key);
    }
    for (const Placed& each : placed_) {
      const int digit = digits_of(each.nonzero.value)[plane];
      if (!digit) continue;
      work_.stream.push_back(each.stream);
      work_.vector.push_back(number_[keys_.key(each.nonzero)]);
      work_.acc_index.push_back(each.acc_index);
      work_.subtract.push_back(digit < 0);
      work_.digit.push_back(plane);
    }
    vectors_ += static_cast<std::int64_t>(mine.size());
    add_fetches(mine);
    work_.planes.push_back({plane, vectors_ - 1, plane - following});
  }

  /// A fetch word for the vectors of each channel word and offset.
  void add_fetches(const std::vector<std::size_t>& keys) {
    std::size_t before = static_cast<std::size_t>(-1);
    for (std::size_t key : keys) {
      const std::size_t fetch = key / STERNA_WORD_CHANNELS;
      if (fetch != before) {
        const ReadyWords::Word& word = words_.word(keys_.place(key));
        const bool just_made = step_ > 0 && word.step == step_ - 1;
        work_.plane.push_back(word.plane);
        work_.row.push_back(keys_.row(key));
        work_.col.push_back(keys_.col(key));
        work_.mask.push_back(0);
        work_.after.push_back(just_made ? word.written : 0);
      }
      work_.mask.back() |= std::int64_t{1} << key % STERNA_WORD_CHANNELS;
      before = fetch;
    }
  }

  std::vector<Placed> placed_;
  ReadyWords words_;
  VectorKeys keys_;
  std::int64_t step_;
  std::vector<std::int64_t> number_;  ///< Of the vector of each key in the digit plane at hand.
  std::int64_t vectors_ = 0;
  PartWork work_;
};

}  // namespace

int row_channels(const EngineConfig& config, sterna_pool pool) {
  return pool == STERNA_POOL_NONE ? config.pes : config.pes / static_cast<int>(kPhases.size());
}

std::int64_t drained_words(const EngineConfig& config, sterna_pool pool, std::int64_t channels, std::int64_t cluster,
                           std::int64_t channel) {
  const auto in_words = [](std::int64_t count) { return (count + STERNA_WORD_CHANNELS - 1) / STERNA_WORD_CHANNELS; };
  const std::int64_t row_size = row_channels(config, pool), row = channel / row_size, index = channel % row_size;
  const std::int64_t in_row = in_words(std::min(channels - row * row_size, row_size));
  const std::int64_t before = row * config.drain_clusters() * in_words(row_size);
  return before + cluster * in_row + index / STERNA_WORD_CHANNELS + 1;
}

PartWork part_work(const EngineConfig& config, const EngineOperation& operation, const std::vector<Nonzero>& all,
                   const FeatureMap& source, const OperationPart& part, std::int64_t step) {
  return WorkMaker(source, placed(config, operation, all, part), step).make();
}

}  // namespace sterna
