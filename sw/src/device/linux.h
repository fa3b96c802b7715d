// SPDX-License-Identifier: Apache-2.0
// Files, mappings and waiting, as the transports to boards need them. All functions throw `Error`, which names `where`.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "device/descriptor.h"

namespace sterna {

/// Ends itself.
class Mapping {
 public:
  Mapping() = default;
  /// `bytes` bytes of `file` from `offset` on, shared with others; of no file, for -1: new memory, in huge pages if
  /// there are some.
  Mapping(const std::string& where, int file, std::uint64_t offset, std::size_t bytes);
  Mapping(Mapping&& other) noexcept;
  Mapping& operator=(Mapping&& other) noexcept;
  ~Mapping();

  std::uint8_t* data() const { return data_; }
  std::size_t bytes() const { return bytes_; }

 private:
  std::uint8_t* data_ = nullptr;
  std::size_t bytes_ = 0;
};

/// Registers in a mapping: each access is one of 32 bits, in order.
std::uint32_t read_register(const Mapping& mapping, std::uint64_t offset);
void write_register(const Mapping& mapping, std::uint64_t offset, std::uint32_t value);

/// A device file, for reading and writing; as long as it is open no other process can open it alone.
Descriptor open_alone(const std::string& path);

/// The number in a file of sysfs, decimal or with 0x.
std::uint64_t read_number(const std::string& path);
void write_text(const std::string& path, const std::string& text);
/// The last part of what a link points to; empty if it is none.
std::string link_name(const std::string& path);

/// Waits until one of `files` can be read, or a time has passed; the position of the first that can, or -1. Throws if
/// what is at the other end of one is gone.
int wait_for(const std::string& where, const std::vector<int>& files, std::chrono::nanoseconds time);

/// The time of clock cycles.
std::chrono::nanoseconds time_of(std::uint64_t cycles, double mhz);

[[noreturn]] void refuse_errno(const std::string& where, const std::string& what, const std::string& remedy);

}  // namespace sterna
