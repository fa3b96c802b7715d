// SPDX-License-Identifier: Apache-2.0
// What transports to boards have in common: mapped registers, memory that board and host share, a clock.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "device/linux.h"
#include "device/transport.h"

namespace sterna {

struct BoardOptions {
  /// The lowest clock of the engine that is expected, which turns cycles into time-outs.
  double mhz = 50;
  /// What comes before /sys and /dev.
  std::string root;
};

class Board : public Transport {
 public:
  void close() override;
  std::uint32_t read32(std::uint32_t address) override;
  void write32(std::uint32_t address, std::uint32_t value) override;
  void write_memory(std::uint64_t address, std::span<const std::uint8_t> data) override;
  void read_memory(std::uint64_t address, std::span<std::uint8_t> data) override;

 protected:
  /// name: of the device, in errors.
  Board(std::string name, BoardOptions options);

  /// Makes what was written to so many bytes of the memory visible to the engine, and the reverse; nothing where the
  /// hardware does so.
  virtual void sync_for_device(std::uint64_t offset, std::uint64_t bytes) = 0;
  virtual void sync_for_cpu(std::uint64_t offset, std::uint64_t bytes) = 0;

  std::string path(const std::string& absolute) const { return options_.root + absolute; }
  /// Waits for the interrupt by reading STATUS, for boards that have none.
  bool poll_status(std::uint64_t cycles);
  void require_open() const;

  const std::string name_;
  const BoardOptions options_;
  Mapping registers_, memory_;
  /// Where the engine's registers begin in the mapping.
  std::uint64_t first_register_ = 0;

 private:
  std::uint64_t checked_offset(std::uint64_t address, std::uint64_t bytes) const;
};

}  // namespace sterna
