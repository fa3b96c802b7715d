// SPDX-License-Identifier: Apache-2.0
// The program of an engine, made of what the compiler decided.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "device/program.h"
#include "graph/graph.h"
#include "package/container.h"

namespace sterna {

/// The sections of a package that only engines need, unpacked and not yet looked at.
struct PlanRecords {
  std::vector<std::uint8_t> config, schedule, filters;
  std::vector<std::uint8_t> cycles;  ///< Empty if the compiler did not tell them.
};

PlanRecords unpack_plan(const Container& container);

/// The program of a graph: its tape is made anew. Throws `Error` for records that are not whole or do not fit the graph,
/// and if the tape is not the one that was compiled.
std::shared_ptr<const Program> make_program(const Graph& graph, const PlanRecords& records);

}  // namespace sterna
