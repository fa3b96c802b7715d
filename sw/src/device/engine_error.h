// SPDX-License-Identifier: Apache-2.0
// What an engine's error registers say, in words: code, meaning, place on the tape, remedy.
#pragma once

#include <cstdint>

#include "device/program.h"

namespace sterna {

/// What the registers hold after a frame that failed.
struct Failure {
  std::uint32_t status, code, segment;
};

[[noreturn]] void refuse_failure(const Program& program, const Failure& failure);

/// For a stall, if the memory answers only after the watchdog's cycles.
[[noreturn]] void refuse_short_watchdog(std::uint32_t watchdog, std::uint64_t latency);

/// For a frame that did not end within `limit` cycles; is_stopped: it could be aborted.
[[noreturn]] void refuse_time_out(const Program& program, std::uint32_t steps, std::uint64_t limit, bool is_stopped);

}  // namespace sterna
