// SPDX-License-Identifier: Apache-2.0
// Which plans fit a graph and an engine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "compile/lower.h"
#include "compile/plan.h"

namespace sterna {

/// Throws `Error` for a config that no engine has, or that does not fit the graph.
void check_config(const Graph& graph, const EngineConfig& config);

/// Throws `Error` for a plan that does not fit the graph and the config.
void check_plan(const Lowered& lowered, const EngineConfig& config, const Plan& plan);

/// Throws `Error` for bands whose buffers do not fit the feature memory, or do not hold the `least_rows` of `row_words` that
/// a band needs.
void check_buffers(const Lowered& lowered, const EngineConfig& config, const EngineOperation& operation, const Bands& bands,
                   std::int64_t least_rows, std::int64_t row_words, std::int64_t output_words);

/// Throws `Error` for an operation that is none, whose sources have so many `channels` together, and for one whose sums do
/// not fit the engine.
void check_operation(const Lowered& lowered, const EngineConfig& config, const EngineOperation& operation,
                     std::size_t channels, const std::vector<Nonzero>& nonzeros);

}  // namespace sterna
