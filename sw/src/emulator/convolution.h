// SPDX-License-Identifier: Apache-2.0
// One convolution by the kernels of an instruction set: how it is cut into tiles of rows and blocks of channels, and its
// weights in the order in which the kernels take them.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "emulator/aligned.h"
#include "emulator/kernels.h"
#include "emulator/threads.h"
#include "graph/graph.h"

namespace sterna {

/// A convolution of stride 1. One of stride 2 is made into it: its input is split into four channels per channel, of
/// the pixels of even and odd rows and columns.
struct Flat {
  int channels, height, width;  ///< Of the input.
  int group_channels;           ///< Those that a filter reads.
  int kernel;
  int top, left, right;         ///< Padding.
  int made_height, made_width;  ///< Of the sums.
  std::vector<std::int8_t> weights;  ///< [filters, group_channels, kernel, kernel].
};

/// What a thread works in. Convolutions that run one after another share it, so that it stays in the cache.
struct Scratch {
  AlignedVector<std::uint8_t> window;
  AlignedVector<std::int32_t> sums;
  AlignedVector<std::int8_t> flat;
};

class Convolution {
 public:
  /// The layer number `layer` of `graph`. is_pooled: the maximum of each 2x2 sums is made before they are requantised,
  /// which gives what pooling of stride 2 makes of the layer's map, as requantisation never falls. scratch: of each
  /// thread; made as large as this convolution needs, and used by `run`.
  Convolution(const Graph& graph, std::size_t layer, bool is_pooled, const Kernels& kernels,
              std::vector<Scratch>& scratch);

  /// in: the input's map, made: the place for the result, both without gaps and followed by kSlack bytes.
  void run(const std::int8_t* in, std::int8_t* made, Threads& threads);

 private:
  struct Block {
    int first, count;  ///< Channels.
    std::vector<std::uint16_t> offsets;  ///< Of all filters.
    std::vector<Taps> taps;              ///< By filter.
    std::vector<std::uint32_t> word_offsets;
    std::vector<std::int32_t> weights, corrections;
    std::vector<Words> words;            ///< By `kDenseFilters` filters.

    int end() const { return first + count; }
  };

  /// The blocks, from the first to the last, of which a step reads.
  struct Reach {
    int first, last;
  };

  void choose_tiles();
  double cost(int rows) const;
  int most_channels(int rows) const;
  int channel_bytes(int rows) const;
  int vectors_of(int rows) const;
  int zero_bytes(int rows) const;
  int tile_step() const { return is_pooled_ ? 2 : 1; }
  void make_blocks();
  void find_reach();
  bool is_mostly_nonzero() const;
  bool take_channel(int channel, std::vector<int>& plus, std::vector<int>& minus) const;
  void make_taps(Block& block) const;
  void make_words(Block& block) const;
  void add_words_of(Block& block, int filter, int begin, int past, std::int32_t* made) const;
  void choose_chunks(int threads);
  void enlarge_scratch();
  void split_phases(const std::int8_t* in, int channel);
  void run_part(const std::int8_t* in, std::int8_t* made, int tile, int chunk, Scratch& scratch) const;
  void stage(const std::int8_t* in, const Block& block, int first_row, int rows, std::uint8_t* window) const;
  void finish(int filter, int first_row, int rows, Scratch& scratch, const std::int32_t* sums, std::int8_t* made) const;
  /// Filters that are computed together: a step.
  int step_filters() const { return is_dense_ ? kDenseFilters : 1; }
  /// The last filter of the step that begins with `filter`.
  int last_of_step(int filter) const { return std::min(filter + step_filters(), conv_.filters) - 1; }
  /// The channels, from the first to before the end, that a filter reads.
  int first_of(int filter) const { return filter / (conv_.filters / conv_.groups) * flat_.group_channels; }
  int end_of(int filter) const { return first_of(filter) + flat_.group_channels; }
  /// channel: one that the filter reads.
  const std::int8_t* weights_of(int filter, int channel) const {
    const std::size_t place = static_cast<std::size_t>(filter) * flat_.group_channels + channel - first_of(filter);
    return &flat_.weights[place * flat_.kernel * flat_.kernel];
  }

  const Conv& conv_;
  const Kernels& kernels_;
  TensorInfo input_;
  Flat flat_;
  std::size_t nonzeros_;
  bool is_pooled_, is_dense_ = false;
  int pitch_, rows_ = 0, chunk_filters_ = 0, tiles_ = 0, chunks_ = 0;
  std::vector<Block> blocks_;
  std::vector<Reach> reach_;  ///< By step.
  std::vector<Scaling> scalings_;
  std::vector<std::int8_t> phases_;
  std::vector<Scratch>& scratch_;
};

}  // namespace sterna
