// SPDX-License-Identifier: Apache-2.0
#include "device/board.h"

#include <sterna/registers.h>

#include <chrono>
#include <cstring>
#include <thread>
#include <utility>

#include "error.h"

namespace sterna {
namespace {

constexpr double kLeastMhz = 0.001, kMostMhz = 10'000;
/// Between two looks at STATUS.
constexpr std::chrono::microseconds kLook{50};

}  // namespace

Board::Board(std::string name, BoardOptions options) : name_(std::move(name)), options_(std::move(options)) {
  if (options_.mhz >= kLeastMhz && options_.mhz <= kMostMhz) return;
  refuse({name_, "bad clock", "mhz = " + std::to_string(options_.mhz), "0.001 .. 10000", "choose one in that range"});
}

void Board::close() {
  registers_ = Mapping();
  memory_ = Mapping();
}

std::uint32_t Board::read32(std::uint32_t address) {
  require_open();
  return read_register(registers_, first_register_ + address);
}

void Board::write32(std::uint32_t address, std::uint32_t value) {
  require_open();
  // What was written to memory before is there before the engine is told to read it. ThreadSanitizer knows no other fence.
  __sync_synchronize();
  write_register(registers_, first_register_ + address, value);
}

void Board::write_memory(std::uint64_t address, std::span<const std::uint8_t> data) {
  const std::uint64_t offset = checked_offset(address, data.size());
  if (data.empty()) return;
  std::memcpy(memory_.data() + offset, data.data(), data.size());
  sync_for_device(offset, data.size());
}

void Board::read_memory(std::uint64_t address, std::span<std::uint8_t> data) {
  const std::uint64_t offset = checked_offset(address, data.size());
  if (data.empty()) return;
  sync_for_cpu(offset, data.size());
  std::memcpy(data.data(), memory_.data() + offset, data.size());
}

bool Board::poll_status(std::uint64_t cycles) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + time_of(cycles, options_.mhz);
  while (!(read32(STERNA_REGISTER_STATUS) & STERNA_STATUS_IRQ)) {
    if (Clock::now() >= end) return false;
    std::this_thread::sleep_for(kLook);
  }
  return true;
}

void Board::require_open() const {
  if (!registers_.data()) refuse({name_, "the device is not open", "", "", "open it first"});
}

std::uint64_t Board::checked_offset(std::uint64_t address, std::uint64_t bytes) const {
  require_open();
  const std::uint64_t offset = address - memory_base;
  if (address < memory_base || bytes > memory_bytes || offset > memory_bytes - bytes) {
    refuse({name_, "has no memory there", "address = " + std::to_string(address), "",
            "use the memory from its base on"});
  }
  return offset;
}

}  // namespace sterna
