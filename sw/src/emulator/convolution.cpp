// SPDX-License-Identifier: Apache-2.0
#include "emulator/convolution.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "emulator/scaling.h"

namespace sterna {
namespace {

/// Of a window: what offsets of 16 bits reach. Part of it is in the second level of the cache, whose delay is hidden; each
/// block more costs all sums once more.
constexpr int kWindowBytes = 62 << 10;
/// What offsets of 16 bits reach; a wider map is computed as a dense one, whose offsets are longer.
constexpr int kAddressable = 1 << 16;
/// Of the sums of a chunk of filters: so much stays in the second level.
constexpr int kSumBytes = 400 << 10;
/// A ternary layer that is denser than this is faster as a dense one.
constexpr double kMostSparse = 0.5;
/// What a block costs per filter and vector besides its taps, in taps.
constexpr double kBlockCost = 12;
/// What a row of a channel costs to stage, in taps of a vector.
constexpr double kRowCost = 6;
/// What the taps' addresses cost per round of vectors, in vectors, and the vectors of a round.
constexpr double kRoundCost = 0.6;
constexpr int kRoundVectors = 4;
constexpr int kMaxRows = 64;
/// So many parts per thread keep all busy although they end one by one.
constexpr int kManyParts = 4;

int rounded_up(int value, int multiple) { return (value + multiple - 1) / multiple * multiple; }

Flat stride_one(const Conv& conv, const TensorInfo& in, const TensorInfo& made) {
  const auto [top, left, bottom, right] = conv.padding;
  return {in.channels, in.height,   in.width,   conv.channels, conv.kernel, top, left,
          right,       made.height, made.width, conv.weights};
}

/// Phase `2 * a + b` of a channel holds rows 2 y + a and columns 2 x + b of the padded input.
Flat stride_two(const Conv& conv, const TensorInfo& in, const TensorInfo& made) {
  const int kernel = (conv.kernel + 1) / 2;
  Flat flat{4 * in.channels, made.height + kernel - 1, made.width + kernel - 1, 4 * conv.channels, kernel, 0, 0, 0,
            made.height,     made.width,               {}};
  flat.weights.resize(static_cast<std::size_t>(conv.filters) * flat.group_channels * kernel * kernel);
  const std::int8_t* weight = conv.weights.data();
  for (int filter_channel = 0; filter_channel < conv.filters * conv.channels; ++filter_channel) {
    for (int y = 0; y < conv.kernel; ++y) {
      for (int x = 0; x < conv.kernel; ++x) {
        const std::size_t channel = 4 * static_cast<std::size_t>(filter_channel) + 2 * (y % 2) + x % 2;
        flat.weights[(channel * kernel + y / 2) * kernel + x / 2] = *weight++;
      }
    }
  }
  return flat;
}

bool is_ternary(const std::vector<std::int8_t>& weights) {
  return std::ranges::all_of(weights, [](std::int8_t weight) { return weight >= -1 && weight <= 1; });
}

template <typename Vector>
void enlarge(Vector& vector, std::size_t size) {
  if (vector.size() < size) vector.resize(size);
}

}  // namespace

Convolution::Convolution(const Graph& graph, std::size_t layer, bool is_pooled, const Kernels& kernels,
                         std::vector<Scratch>& scratch)
    : conv_(std::get<Conv>(graph.layers()[layer].operation)),
      kernels_(kernels),
      input_(graph.tensor(graph.sources(layer)[0])),
      flat_(conv_.stride == 1 ? stride_one(conv_, input_, graph.tensor(layer))
                              : stride_two(conv_, input_, graph.tensor(layer))),
      nonzeros_(conv_.weights.size() - std::ranges::count(conv_.weights, 0)),
      is_pooled_(is_pooled),
      scratch_(scratch) {
  // The padding at the right of a row is that at the left of the next.
  pitch_ = flat_.made_width + flat_.kernel - 1 - std::min(flat_.left, flat_.right);
  if (is_pooled_) pitch_ = rounded_up(pitch_, 2);
  const int least_window = channel_bytes(tile_step()) + zero_bytes(tile_step());
  is_dense_ = !is_ternary(conv_.weights) || is_mostly_nonzero() || least_window > kAddressable;
  choose_tiles();
  make_blocks();
  find_reach();
  for (int filter = 0; filter < conv_.filters; ++filter) {
    scalings_.push_back(scaling_of(conv_.requant, filter, graph.act_min(), graph.act_max()));
  }
  choose_chunks(static_cast<int>(scratch.size()));
  enlarge_scratch();
  flat_.weights = {};
}

/// Of the weights that a dense layer multiplies by: those of all channels that any filter of a step reads.
bool Convolution::is_mostly_nonzero() const {
  const int group_filters = conv_.filters / conv_.groups;
  const int groups = std::min(conv_.groups, (kDenseFilters + group_filters - 1) / group_filters);
  return nonzeros_ > kMostSparse * conv_.weights.size() * groups;
}

int Convolution::channel_bytes(int rows) const {
  return ((rows + flat_.kernel - 1) * pitch_ + flat_.left) * (is_dense_ ? 4 : 1);
}

int Convolution::vectors_of(int rows) const {
  return rounded_up((rows - 1) * pitch_ + flat_.made_width, kernels_.vector_pixels) / kernels_.vector_pixels;
}

int Convolution::zero_bytes(int rows) const { return vectors_of(rows) * kernels_.vector_pixels; }

int Convolution::most_channels(int rows) const {
  return std::max(1, (kWindowBytes - zero_bytes(rows)) / channel_bytes(rows));
}

/// Per pixel of a filter, in taps.
double Convolution::cost(int rows) const {
  const int units = is_dense_ ? (flat_.channels + kernels_.dense_channels - 1) / kernels_.dense_channels : flat_.channels;
  const double taps = 1.0 * nonzeros_ / conv_.filters;
  const double blocks = std::max(std::ceil(1.0 * units / most_channels(rows)), is_dense_ ? 1 : taps / kMaxTaps);
  const double staging = kRowCost * units * (rows + flat_.kernel - 1) * ((pitch_ - 1) / kernels_.vector_pixels + 1);
  const double vectors = vectors_of(rows) + kRoundCost * ((vectors_of(rows) + kRoundVectors - 1) / kRoundVectors);
  return (vectors * (taps + kBlockCost * blocks) + staging / conv_.filters) / (rows * flat_.made_width);
}

void Convolution::choose_tiles() {
  const int step = tile_step();
  double least = std::numeric_limits<double>::max();
  for (int rows = step; rows <= std::min(kMaxRows, rounded_up(flat_.made_height, step)); rows += step) {
    if (rows > step && channel_bytes(rows) + zero_bytes(rows) > kWindowBytes) break;
    if (const double found = cost(rows); found < least) {
      least = found;
      rows_ = rows;
    }
  }
  tiles_ = (flat_.made_height + rows_ - 1) / rows_;
}

void Convolution::make_blocks() {
  const int most = is_dense_ ? most_channels(rows_) * kernels_.dense_channels : most_channels(rows_);
  const int least_blocks = (flat_.channels + most - 1) / most;
  const int even_share = rounded_up((flat_.channels + least_blocks - 1) / least_blocks,
                                    is_dense_ ? kernels_.dense_channels : 1);
  for (int first = 0; first < flat_.channels; first += blocks_.back().count) {
    Block block{first, 0, {}, {}, {}, {}, {}, {}};
    std::vector<int> plus(conv_.filters), minus(conv_.filters);
    while (block.count < even_share && first + block.count < flat_.channels) {
      if (!is_dense_ && !take_channel(first + block.count, plus, minus) && block.count) break;
      ++block.count;
    }
    blocks_.push_back(std::move(block));
    is_dense_ ? make_words(blocks_.back()) : make_taps(blocks_.back());
  }
}

void Convolution::find_reach() {
  for (int filter = 0; filter < conv_.filters; filter += step_filters()) {
    const int first = first_of(filter), end = end_of(last_of_step(filter));
    const auto before = [&](const Block& block) { return block.end() <= first; };
    const auto within = [&](const Block& block) { return block.first < end; };
    const auto begin = std::ranges::partition_point(blocks_, before), past = std::ranges::partition_point(blocks_, within);
    reach_.push_back({static_cast<int>(begin - blocks_.begin()), static_cast<int>(past - blocks_.begin()) - 1});
  }
}

/// Counts the weights of +1 and of -1 in a channel of each filter that reads it, and tells whether a block may have as
/// many.
bool Convolution::take_channel(int channel, std::vector<int>& plus, std::vector<int>& minus) const {
  const int places = flat_.kernel * flat_.kernel, group_filters = conv_.filters / conv_.groups;
  const int group = channel / flat_.group_channels;
  bool is_taken = true;
  for (int filter = group * group_filters; filter < (group + 1) * group_filters; ++filter) {
    const std::int8_t* weights = weights_of(filter, channel);
    int nonzeros = 0, sum = 0;
    for (int place = 0; place < places; ++place) {
      nonzeros += weights[place] != 0;
      sum += weights[place];
    }
    plus[filter] += (nonzeros + sum) / 2;
    minus[filter] += (nonzeros - sum) / 2;
    is_taken &= std::max(plus[filter], minus[filter]) <= 8 * kMaxGroups && plus[filter] + minus[filter] <= kMaxTaps;
  }
  return is_taken;
}

/// Offsets of zeros are 0: a window begins with them.
void Convolution::make_taps(Block& block) const {
  const int zeros = zero_bytes(rows_), bytes = channel_bytes(rows_);
  std::vector<std::size_t> starts;
  for (int filter = 0; filter < conv_.filters; ++filter) {
    starts.push_back(block.offsets.size());
    Taps taps{};
    for (const int sign : {1, -1}) {
      const std::size_t start = block.offsets.size();
      const int end = std::min(block.end(), end_of(filter));
      for (int channel = std::max(block.first, first_of(filter)); channel < end; ++channel) {
        const std::int8_t* weight = weights_of(filter, channel);
        for (int place = 0; place < flat_.kernel * flat_.kernel; ++place) {
          if (weight[place] != sign) continue;
          const int y = place / flat_.kernel, x = place % flat_.kernel;
          block.offsets.push_back(
              static_cast<std::uint16_t>(zeros + (channel - block.first) * bytes + y * pitch_ + x));
        }
      }
      const auto count = static_cast<int>(block.offsets.size() - start);
      const int rest = count % 8, fours = rest > 0 && rest <= 4, eights = count / 8 + (rest > 4);
      block.offsets.resize(start + 8 * eights + 4 * fours);
      (sign > 0 ? taps.plus_eights : taps.minus_eights) = static_cast<std::uint8_t>(eights);
      (sign > 0 ? taps.plus_fours : taps.minus_fours) = static_cast<std::uint8_t>(fours);
      taps.correction -= 128 * sign * count;
    }
    block.taps.push_back(taps);
  }
  for (int filter = 0; filter < conv_.filters; ++filter) block.taps[filter].offsets = block.offsets.data() + starts[filter];
}

void Convolution::make_words(Block& block) const {
  const int group = kernels_.dense_channels, groups = (block.count + group - 1) / group, bytes = channel_bytes(rows_);
  const int places = flat_.kernel * flat_.kernel;
  for (int tap = 0; tap < groups * places; ++tap) {
    const int place = tap % places;
    const int pixel = place / flat_.kernel * pitch_ + place % flat_.kernel;
    block.word_offsets.push_back(static_cast<std::uint32_t>(tap / places * bytes + 4 * pixel));
  }
  block.corrections.resize(static_cast<std::size_t>(rounded_up(conv_.filters, kDenseFilters)));
  std::vector<std::size_t> starts;
  for (int filter = 0; filter < conv_.filters; filter += kDenseFilters) {
    // Of the groups of channels, those that the filters read.
    const int first = std::max(block.first, first_of(filter)), end = std::min(block.end(), end_of(last_of_step(filter)));
    const int begin = (first - block.first) / group, past = std::max(begin, (end - block.first + group - 1) / group);
    starts.push_back(block.weights.size());
    block.weights.resize(starts.back() + static_cast<std::size_t>(past - begin) * places * kDenseFilters);
    for (int each = filter; each <= last_of_step(filter); ++each) {
      add_words_of(block, each, begin, past, &block.weights[starts.back()] + each % kDenseFilters);
    }
    block.words.push_back({block.word_offsets.data() + begin * places, nullptr, &block.corrections[filter],
                           (past - begin) * places});
  }
  for (std::size_t step = 0; step < starts.size(); ++step) block.words[step].weights = &block.weights[starts[step]];
}

/// Writes the words of a filter for groups of channels, one every kDenseFilters words from `made` on.
void Convolution::add_words_of(Block& block, int filter, int begin, int past, std::int32_t* made) const {
  const int group = kernels_.dense_channels, places = flat_.kernel * flat_.kernel, bits = 32 / group;
  const int first = std::max(block.first, first_of(filter)), end = std::min(block.end(), end_of(filter));
  for (int tap = begin * places; tap < past * places; ++tap, made += kDenseFilters) {
    std::uint32_t word = 0;
    for (int part = 0; part < group; ++part) {
      const int channel = block.first + tap / places * group + part;
      if (channel < first || channel >= end) continue;
      const int weight = weights_of(filter, channel)[tap % places];
      block.corrections[filter] -= kernels_.dense_bias * weight;
      word |= (static_cast<std::uint32_t>(weight) & ((1u << bits) - 1)) << (bits * part);
    }
    *made = static_cast<std::int32_t>(word);
  }
}

/// Chunks of filters whose sums stay in the cache, and as many parts for each thread. Not more: each chunk stages the
/// windows once more.
void Convolution::choose_chunks(int threads) {
  const int pixels = vectors_of(rows_) * kernels_.vector_pixels;
  int chunks = blocks_.size() == 1 ? 1 : static_cast<int>((4ll * pixels * conv_.filters + kSumBytes - 1) / kSumBytes);
  if (tiles_ * chunks < kManyParts * threads) chunks = rounded_up(chunks, threads / std::gcd(tiles_, threads));
  chunk_filters_ = rounded_up((conv_.filters + chunks - 1) / chunks, kDenseFilters);
  chunks_ = (conv_.filters + chunk_filters_ - 1) / chunk_filters_;
}

void Convolution::enlarge_scratch() {
  const int pixels = vectors_of(rows_) * kernels_.vector_pixels;
  int most = 0;
  for (const Block& block : blocks_) most = std::max(most, block.count);
  const int units = is_dense_ ? (most + kernels_.dense_channels - 1) / kernels_.dense_channels : most;
  const int lanes = pixels * (is_dense_ ? 4 : 1);
  const int kept_filters = blocks_.size() == 1 ? kDenseFilters : chunk_filters_;
  for (Scratch& scratch : scratch_) {
    // Zeros, the channels, and what loads past the last pixel of the tile read.
    enlarge(scratch.window, lanes + units * channel_bytes(rows_) + lanes + 4 * flat_.kernel * pitch_ + 2 * kSlack);
    enlarge(scratch.sums, static_cast<std::size_t>(kept_filters) * pixels + pitch_ + 4 * kSlack);
    enlarge(scratch.flat, 2 * pixels + rows_ * kSlack + kSlack);
  }
  if (conv_.stride == 2) phases_.resize(static_cast<std::size_t>(flat_.channels) * flat_.height * flat_.width + kSlack);
}

void Convolution::split_phases(const std::int8_t* in, int channel) {
  const std::int8_t* map = in + channel * input_.pixels();
  std::int8_t* made = &phases_[4 * static_cast<std::size_t>(channel) * flat_.height * flat_.width];
  for (int phase = 0; phase < 4; ++phase) {
    for (int row = 0; row < flat_.height; ++row) {
      for (int column = 0; column < flat_.width; ++column) {
        const int y = 2 * row + phase / 2 - conv_.padding[0], x = 2 * column + phase % 2 - conv_.padding[1];
        const bool is_inside = y >= 0 && y < input_.height && x >= 0 && x < input_.width;
        *made++ = is_inside ? map[y * input_.width + x] : static_cast<std::int8_t>(input_.zero_point);
      }
    }
  }
}

void Convolution::run(const std::int8_t* in, std::int8_t* made, Threads& threads) {
  if (conv_.stride == 2) {
    threads.run_each(input_.channels, [&](std::size_t channel) { split_phases(in, static_cast<int>(channel)); });
    in = phases_.data();
  }
  threads.run(static_cast<std::size_t>(tiles_) * chunks_, [&](std::size_t part, int thread) {
    run_part(in, made, static_cast<int>(part) / chunks_, static_cast<int>(part) % chunks_, scratch_[thread]);
  });
}

void Convolution::run_part(const std::int8_t* in, std::int8_t* made, int tile, int chunk, Scratch& scratch) const {
  const int first_row = tile * rows_, rows = std::min(rows_, flat_.made_height - first_row);
  const int vectors = vectors_of(rows), pixels = vectors_of(rows_) * kernels_.vector_pixels;
  const int first = chunk * chunk_filters_, end = std::min(conv_.filters, first + chunk_filters_);
  const int step = step_filters();
  for (int number = reach_[first / step].first; number <= reach_[(end - 1) / step].last; ++number) {
    const Block& block = blocks_[number];
    stage(in, block, first_row, rows, scratch.window.data());
    for (int filter = first; filter < end; filter += step) {
      const auto [first_block, last_block] = reach_[filter / step];
      if (number < first_block || number > last_block) continue;
      const bool is_first = number == first_block, is_last = number == last_block;
      std::int32_t* even = &scratch.sums[blocks_.size() == 1 ? 0 : static_cast<std::size_t>(filter - first) * pixels];
      std::int32_t* odd = even + pixels / 2;
      if (is_dense_) {
        kernels_.add_words(scratch.window.data(), block.words[filter / kDenseFilters], vectors, is_first, even, odd, pixels);
      } else {
        kernels_.add_taps(scratch.window.data(), block.taps[filter], vectors, is_first, even, odd);
      }
      if (!is_last) continue;
      for (int each = filter; each < std::min(end, filter + step); ++each) {
        finish(each, first_row, rows, scratch, even + static_cast<std::size_t>(each - filter) * pixels, made);
      }
    }
  }
}

void Convolution::stage(const std::int8_t* in, const Block& block, int first_row, int rows, std::uint8_t* window) const {
  const Rows of{flat_.height, flat_.width, first_row - flat_.top, rows + flat_.kernel - 1, flat_.left, pitch_,
                static_cast<std::int8_t>(input_.zero_point)};
  const auto plane = static_cast<std::int64_t>(flat_.height) * flat_.width;
  const std::int8_t* map = in + block.first * plane;
  const int bytes = channel_bytes(rows_);
  if (is_dense_) {
    for (int channel = 0; channel < block.count; channel += kernels_.dense_channels) {
      kernels_.stage_words(map + channel * plane, std::min(kernels_.dense_channels, block.count - channel), plane, of,
                           window + channel / kernels_.dense_channels * bytes);
    }
    return;
  }
  const int zeros = zero_bytes(rows_);
  std::fill(window, window + zeros, 0);
  for (int channel = 0; channel < block.count; ++channel) {
    kernels_.stage_bytes(map + channel * plane, of, window + zeros + channel * bytes);
  }
}

void Convolution::finish(int filter, int first_row, int rows, Scratch& scratch, const std::int32_t* sums,
                         std::int8_t* made) const {
  const int vectors = vectors_of(rows), half = vectors_of(rows_) * kernels_.vector_pixels / 2;
  std::int8_t* flat = scratch.flat.data();
  if (!is_pooled_) {
    kernels_.requantise(sums, sums + half, vectors, scalings_[filter], flat);
    std::int8_t* map = made + (static_cast<std::size_t>(filter) * flat_.made_height + first_row) * flat_.made_width;
    kernels_.copy_rows(flat, pitch_, rows, flat_.made_width, map);
    return;
  }
  const int width = flat_.made_width / 2, height = flat_.made_height / 2;
  const int pitch = rounded_up(width, kernels_.vector_pixels / 2);
  for (int row = 0; row < rows / 2; ++row) {
    kernels_.pool_requantise(sums + row * pitch_, sums + half + row * pitch_, pitch_, width, scalings_[filter],
                             flat + row * pitch);
  }
  kernels_.copy_rows(flat, pitch, rows / 2, width,
                     made + (static_cast<std::size_t>(filter) * height + first_row / 2) * width);
}

}  // namespace sterna
