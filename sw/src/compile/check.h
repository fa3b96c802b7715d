// SPDX-License-Identifier: Apache-2.0
// Which plans fit a graph and an engine.
#pragma once

#include "compile/lower.h"
#include "compile/plan.h"

namespace sterna {

/// Throws `Error` for a config that no engine has, or that does not fit the graph.
void check_config(const Graph& graph, const EngineConfig& config);

/// Throws `Error` for a plan that does not fit the graph and the config.
void check_plan(const Graph& graph, const Lowered& lowered, const EngineConfig& config, const Plan& plan);

}  // namespace sterna
