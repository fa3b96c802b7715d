// SPDX-License-Identifier: Apache-2.0
// Package files: nothing in them runs code, and a damaged one throws `Error` with the file's name.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "graph/graph.h"

namespace sterna {

/// The graph of the package `data`; `where` names its origin in errors.
std::shared_ptr<const Graph> read_package(std::span<const std::uint8_t> data, const std::string& where);

/// The graph of the package file `path`.
std::shared_ptr<const Graph> load_package(const std::string& path);

}  // namespace sterna
