// The checksums of a tape (sw/include/sterna/tape.h), looked at as the engine does.
#pragma once

#include <cstdint>

#include "memory.h"

namespace sterna {

// Whether the checksums of the tape of `bytes` bytes at `address` are right, header by header and payload by payload.
bool checksums_right(Memory& memory, uint64_t address, uint64_t bytes);

}  // namespace sterna
