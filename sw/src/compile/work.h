// SPDX-License-Identifier: Apache-2.0
// What the PEs do in a part of an operation: its vectors and additions.
#pragma once

#include <cstdint>
#include <vector>

#include "compile/lower.h"
#include "compile/maps.h"
#include "compile/plan.h"
#include "tape/encoder.h"

namespace sterna {

/// The arrays of `Fetches` and `Additions`, owned.
struct PartWork {
  std::vector<std::int64_t> plane, row, col, mask, after;
  std::vector<std::int64_t> stream, vector, acc_index, digit;
  std::vector<std::uint8_t> subtract;
  std::vector<DigitPlane> planes;  ///< Highest first.

  Fetches fetches() const { return {plane, row, col, mask, after}; }
  Additions additions() const { return {stream, vector, acc_index, subtract, digit}; }
};

/// Channels that a row of accumulators, one of each PE of a cluster, holds.
int row_channels(const EngineConfig& config, sterna_pool pool);

/// Words that a drain has written of a part of so many `channels` when `channel` is written, for each cluster of the
/// drain, which takes row after row of channels, in each row cluster after cluster (docs/explanation/engine/time.md).
/// Not for KEEP.
std::int64_t drained_words(const EngineConfig& config, sterna_pool pool, std::int64_t channels, std::int64_t cluster,
                           std::int64_t channel);

/// The work of one part, which is CONV step `step`. The vectors come from `source`, the joined maps that the channels of
/// `all`, the nonzeros of the operation, count over; those of maps that are ready first come first.
PartWork part_work(const EngineConfig& config, const EngineOperation& operation, const std::vector<Nonzero>& all,
                   const FeatureMap& source, const OperationPart& part, std::int64_t step);

}  // namespace sterna
