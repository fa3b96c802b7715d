// SPDX-License-Identifier: Apache-2.0
// The first layer in LOAD: whether an engine can compute an operation while it loads the image, and the numbers for it.
#pragma once

#include <cstdint>
#include <vector>

#include "compile/lower.h"

namespace sterna {

/// Whether LOAD can compute an operation that reads the image.
bool fits_load(const Lowered& lowered, const EngineOperation& operation);

/// REQUANT payload of a FIRST step, of an operation that LOAD can compute; absent filters give zero.
std::vector<std::uint8_t> first_payload(const EngineOperation& operation);

}  // namespace sterna
