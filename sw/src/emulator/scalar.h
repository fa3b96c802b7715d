// SPDX-License-Identifier: Apache-2.0
// What each layer computes, written for clarity: the second specification, which every faster kernel must equal.
//
// A map is int8 [channels, height, width] without gaps.
#pragma once

#include <cstdint>
#include <span>

#include "graph/graph.h"

namespace sterna::scalar {

/// The activation of the sum `s` of filter `filter`, as `Requant` says, within act_min .. act_max.
std::int8_t requantised(std::int64_t s, const Requant& requant, int filter, int act_min, int act_max);

/// Computes channel `channel` of the map `made` of layer number `layer` from the maps that it reads, in order. An Input
/// reads the image of 8-bit values.
void compute(const Graph& graph, std::size_t layer, int channel, std::span<const std::int8_t* const> sources,
             std::int8_t* made);

}  // namespace sterna::scalar
