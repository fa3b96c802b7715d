// SPDX-License-Identifier: Apache-2.0
// What the driver of an engine knows of a package, from its JSON (`sterna.package.places` of the Python package).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "device/program.h"

namespace sterna {

/// The program of the record `json` and the tape. Throws `Error` for what is no whole, legal record.
std::shared_ptr<const Program> read_program(std::span<const std::uint8_t> json, std::vector<std::uint8_t> tape);

}  // namespace sterna
