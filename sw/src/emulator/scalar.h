// SPDX-License-Identifier: Apache-2.0
// What each layer computes, written for clarity: the second specification, which every faster kernel must equal.
//
// A map is int8 [channels, height, width] without gaps.
#pragma once

#include <cstdint>
#include <span>

#include "graph/graph.h"

namespace sterna::scalar {

using Map = std::vector<std::int8_t>;

/// The activation of the sum `s`, as `Requant` says, within act_min .. act_max.
std::int8_t requantised(std::int64_t s, const Requant& requant, int filter, int act_min, int act_max);

/// The map of layer number `layer` of `graph` from those that it reads, in order; not for an Input.
Map compute(const Graph& graph, std::size_t layer, std::span<const Map* const> sources);

/// The Input's map of an image of 8-bit values.
Map input(const Graph& graph, const std::int8_t* image);

}  // namespace sterna::scalar
