// SPDX-License-Identifier: Apache-2.0
// Package files: nothing in them runs code, and a damaged one throws `Error` with the file's name.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "graph/graph.h"
#include "package/metadata.h"
#include "package/plan_records.h"

namespace sterna {

struct Package {
  std::shared_ptr<const Graph> graph;
  Metadata metadata;
  /// For engines: `make_program` makes the tape of it.
  std::shared_ptr<const PlanRecords> plan = nullptr;
};

/// The package `data`; `where` names its origin in errors.
Package read_package(std::span<const std::uint8_t> data, const std::string& where);

/// The package file `path`.
Package load_package(const std::string& path);

/// The same of a package that must be signed with the key that belongs to `public_key`: see signature.h. The signature
/// is the file of the same name with kSignatureSuffix.
Package load_signed_package(const std::string& path, const std::string& public_key);

}  // namespace sterna
