// SPDX-License-Identifier: Apache-2.0
// A graph and its metadata from its JSON records (`sterna.graph.records` of the Python package) and its arrays.
#pragma once

#include <span>

#include "package/arrays.h"
#include "package/package.h"

namespace sterna {

/// The graph of the records `json`, with its arrays, and its metadata. Throws `Error` for what is no whole, legal graph.
Package read_graph(std::span<const std::uint8_t> json, ArrayReader& arrays);

}  // namespace sterna
