// SPDX-License-Identifier: Apache-2.0
// The program of an engine, made of what the compiler decided.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "compile/lower.h"
#include "compile/plan.h"
#include "device/program.h"
#include "graph/graph.h"
#include "package/container.h"
#include "tape/config.h"

namespace sterna {

/// The sections of a package that only engines need, unpacked and not yet looked at.
struct PlanRecords {
  std::vector<std::uint8_t> config, schedule, filters;
  std::vector<std::uint8_t> cycles;  ///< Empty if the compiler did not tell them.
};

PlanRecords unpack_plan(const Container& container);

/// The config in a package's section; hash: of all of its parameters. Throws `Error` for one that is not whole.
EngineConfig read_config(std::span<const std::uint8_t> json, std::uint32_t hash);

/// The plan in a package's schedule, and its section of filters. Throws `Error` for one that is not whole.
Plan read_plan(std::span<const std::uint8_t> json, std::span<const std::uint8_t> filters, const EngineConfig& config,
               const Lowered& lowered);

/// The program of a graph: its tape is made anew. Throws `Error` for records that are not whole or do not fit the graph,
/// and if the tape is not the one that was compiled.
std::shared_ptr<const Program> make_program(const Graph& graph, const PlanRecords& records);

}  // namespace sterna
