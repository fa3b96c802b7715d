// SPDX-License-Identifier: Apache-2.0
// A graph from its JSON records (`sterna.graph.records` of the Python package) and its arrays.
#pragma once

#include <span>

#include "graph/graph.h"
#include "package/arrays.h"

namespace sterna {

/// The graph of the records `json`, with its arrays. Throws `Error` for what is no whole, legal graph.
Graph read_graph(std::span<const std::uint8_t> json, ArrayReader& arrays);

}  // namespace sterna
