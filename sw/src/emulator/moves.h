// SPDX-License-Identifier: Apache-2.0
// The layers without weights, by the kernels of an instruction set where that matters.
#pragma once

#include <cstdint>
#include <span>

#include "emulator/kernels.h"
#include "graph/graph.h"

namespace sterna::moves {

/// As `scalar::compute`, for every layer but a Conv.
void compute(const Graph& graph, const Kernels& kernels, std::size_t layer, int channel,
             std::span<const std::int8_t* const> sources, std::int8_t* made);

}  // namespace sterna::moves
