// SPDX-License-Identifier: Apache-2.0
// What the PEs do in a part of an operation: its words and additions.
#pragma once

#include <cstdint>
#include <vector>

#include "compile/lower.h"
#include "compile/maps.h"
#include "compile/plan.h"
#include "tape/encoder.h"

namespace sterna {

/// Accumulators that a filter takes, all of one PE.
int filter_phases(sterna_pool pool);

/// Channels of a cluster that one pass computes, at most.
std::int64_t most_channels(const EngineConfig& config, sterna_pool pool);

/// Words that a drain has written of a part of so many `channels` when `channel` is written, for each cluster of the
/// drain, which takes row after row of channels, one of each PE, in each row cluster after cluster
/// (docs/explanation/engine/time.md). Not for KEEP.
std::int64_t drained_words(const EngineConfig& config, std::int64_t channels, std::int64_t cluster, std::int64_t channel);

/// What the sums of each filter's `phase` lack: a PE adds the bitwise inverse of a vector, -x - 1, where it subtracts. Phases
/// lack the same (`check_operation`).
std::vector<std::int64_t> lacking(const EngineOperation& operation, const std::vector<Nonzero>& all, int phase = 0);

/// The work of one part, which is CONV step `step`. The words come from `source`, the joined maps that the channels of
/// `all`, the nonzeros of the operation, count over; those of maps that are ready first come first.
PartWork part_work(const EngineConfig& config, const EngineOperation& operation, const std::vector<Nonzero>& all,
                   const FeatureMap& source, const Spread& spread, const OperationPart& part, std::int64_t step);

}  // namespace sterna
