// SPDX-License-Identifier: Apache-2.0
// What the driver knows of a package: its tape, and where images and maps lie in an engine's memory.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "device/layout.h"

namespace sterna {

/// What one step of the tape is for.
struct Step {
  /// LOAD, CONV, STORE or TABLE.
  std::string op;
  /// Which part of the layers, from 0.
  int part;
  /// Their names, with commas between them.
  std::string layers;
};

struct Program {
  std::string config_name;
  std::uint32_t config_hash;
  std::vector<std::uint8_t> tape;
  /// Bytes of the memories of a frame.
  std::uint64_t frame_bytes, result_bytes, scratch_bytes;
  /// Where the image lies in the frame, and whether the channels of a pixel lie side by side.
  std::uint64_t image_offset;
  bool is_interleaved;
  /// Clock cycles that a frame takes with a fast memory, at most.
  std::uint64_t most_cycles;
  std::vector<Step> steps;
  MemoryWord word;
  std::vector<Store> stores;
};

/// Refuses a program whose parts contradict each other.
void check(const Program& program);

}  // namespace sterna
