// SPDX-License-Identifier: Apache-2.0
// How the driver reaches an engine: a board, a simulation.
#pragma once

#include <cstdint>
#include <span>

namespace sterna {

/// Registers, memory and interrupt of one engine. Every method throws `Error` if the engine cannot be reached, and ends
/// in bounded time. One thread may wait while another uses the other methods.
class Transport {
 public:
  virtual ~Transport() = default;

  /// Reaches the engine.
  virtual void open() = 0;
  /// Releases the engine. May be called twice; `open` may follow.
  virtual void close() = 0;

  /// The register at byte address `address`.
  virtual std::uint32_t read32(std::uint32_t address) = 0;
  virtual void write32(std::uint32_t address, std::uint32_t value) = 0;

  /// Copies bytes to and from the memory at bus address `address`. What was written is there for the engine after the
  /// call, and what the engine wrote before the call is read, whatever caches are between.
  virtual void write_memory(std::uint64_t address, std::span<const std::uint8_t> data) = 0;
  virtual void read_memory(std::uint64_t address, std::span<std::uint8_t> data) = 0;

  /// Waits for the engine's interrupt for at most about `cycles` of its clock; whether it is raised.
  virtual bool wait(std::uint64_t cycles) = 0;

  /// Bus address of the memory that the driver may use, a multiple of 4096, and its size; right once it is open.
  std::uint64_t memory_base = 0;
  std::uint64_t memory_bytes = 0;
  /// Maximum cycles until that memory answers; 0 if unknown.
  std::uint64_t memory_latency = 0;
};

}  // namespace sterna
