// SPDX-License-Identifier: Apache-2.0
// A simulated engine as a transport, in a process of its own: if that crashes or hangs, there is an error and nothing
// more.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>

#include "device/descriptor.h"
#include "device/transport.h"
#include "memory.h"
#include "protocol.h"

namespace sterna {

/// How the simulated memory answers, in cycles: first and last of the latency of a burst, a share of cycles, in
/// thousandths, in which it stalls besides; refresh and other gaps. `seed` is that of its timing and of what reset
/// leaves undefined.
struct SimulatedTiming {
  std::uint32_t latency_first = 0, latency_last = 0, stall_permille = 0;
  std::uint64_t seed = 1;
  std::uint32_t refresh_every = 1, refresh_cycles = 0, gap_every = 1, gap_cycles = 0;
};

class Simulation : public Transport {
 public:
  /// Above 4 GB, so that all address bits matter.
  static constexpr std::uint64_t kMemoryBase = 0x1'2340'0000, kMemoryBytes = std::uint64_t{1} << 32;
  static constexpr std::chrono::milliseconds kPatience{60'000};

  /// program: what a generated engine was built into. patience: after so much time without an answer the process counts
  /// as hung, and is ended. base, bytes: of the engine's memory.
  explicit Simulation(std::string program, const SimulatedTiming& timing = {},
                      std::chrono::milliseconds patience = kPatience, std::uint64_t base = kMemoryBase,
                      std::uint64_t bytes = kMemoryBytes);
  ~Simulation() override;

  void open() override;
  void close() override;
  std::uint32_t read32(std::uint32_t address) override;
  void write32(std::uint32_t address, std::uint32_t value) override;
  void write_memory(std::uint64_t address, std::span<const std::uint8_t> data) override;
  void read_memory(std::uint64_t address, std::span<std::uint8_t> data) override;
  bool wait(std::uint64_t cycles) override;

  /// Resets the engine in the middle of whatever it does; the memory keeps its contents.
  void reset();
  /// Lets the memory refuse (SLVERR) what touches `size` bytes at `address`; size 0 ends that.
  void set_fault(std::uint64_t address, std::uint64_t size);
  /// Clock cycles since it was opened.
  std::uint64_t cycles() const { return cycles_; }
  /// The number of its process; 0 if there is none.
  pid_t process() const { return process_; }

  /// What `open` starts, and with which timing.
  std::string program;
  SimulatedTiming timing;

 private:
  void start();
  std::uint32_t call(CallKind kind, std::uint64_t first = 0, std::uint64_t second = 0, std::uint64_t third = 0,
                     std::uint64_t fourth = 0);
  std::uint32_t receive();
  void require_open() const;
  void check_range(std::uint64_t address, std::uint64_t size) const;
  [[noreturn]] void refuse_ended();
  [[noreturn]] void refuse_hung();

  const std::chrono::milliseconds patience_;
  std::unique_ptr<Memory> memory_;
  Descriptor socket_, output_;
  pid_t process_ = 0;
  /// How the process ended, once it is known.
  int end_ = 0;
  std::atomic<std::uint64_t> cycles_ = 0;
  /// One call at a time; those that are about to call are counted, as whoever waits lets them go first.
  std::mutex mutex_;
  std::atomic<int> callers_ = 0;
};

}  // namespace sterna
