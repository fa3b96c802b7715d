// SPDX-License-Identifier: Apache-2.0
// The driver of an engine: its registers, its memory, its frames, over any transport.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "device/program.h"
#include "device/transport.h"

namespace sterna {

/// `address` or the next multiple of a page after it.
std::uint64_t page_up(std::uint64_t address);

/// Clock cycles that a frame may take, on a slow memory too.
std::uint64_t cycle_limit(std::uint64_t most_cycles, std::uint32_t watchdog);

struct Limits {
  static constexpr std::uint32_t kWatchdog = 100'000;

  /// Clock cycles without progress after which the engine gives up a frame; 0: none.
  std::uint32_t watchdog = kWatchdog;
  /// Clock cycles that a frame may take; none: what `cycle_limit` says.
  std::optional<std::uint64_t> timeout;
};

/// Clock cycles of a step; the last four are sums over all PEs.
struct StepCounters {
  std::uint32_t cycles, busy, wait_vectors, wait_weights, wait_drain;
};

/// What a frame cost. `steps`: for as many as the engine records.
struct Counters {
  std::uint64_t cycles, busy, wait_vectors, wait_weights, wait_drain, beats_read, beats_written;
  std::vector<StepCounters> steps;
};

/// Runs the frames of a program in order: one runs, the next one is queued. All methods throw `Error`.
///
/// One thread at a time uses it, but for `pause`, which may run beside any other method but `close`.
class Engine {
 public:
  /// Frames that it holds.
  static constexpr std::size_t kCapacity = 2;

  /// Opens the transport, and checks that an engine of this version is there.
  Engine(std::shared_ptr<Transport> transport, const Limits& limits);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Closes the transport. May be called twice.
  void close();

  /// Refuses a program for another config.
  void check_config(const Program& program);
  /// Writes the tape to the engine's memory.
  void load(std::shared_ptr<const Program> program);

  /// Forgets all frames; none runs.
  void begin();
  /// Frames that were started and not taken.
  std::size_t held() const { return started_ - taken_; }
  /// Starts a frame, or queues it after the one that runs; `image` lies as the program says. It holds fewer than
  /// `kCapacity` before.
  void start(std::span<const std::uint8_t> image);

  /// Waits for the oldest frame for a while; whether it has ended. Then its result can be read, until it is taken.
  bool look();
  /// What `look` consists of: whether it has ended; waiting for the interrupt, and whether it came; and what follows.
  bool has_ended();
  bool pause();
  void judge(bool is_interrupted);

  /// The result memory of the oldest frame.
  void read_result(std::span<std::uint8_t> result);
  void take();
  /// After a failure: the oldest frame is over, and those after it start anew. Throws if the engine is still at work.
  void drop_failed();

  /// Steps of the running frame that have ended.
  std::uint32_t steps_now();
  /// Those of the frame that ended last.
  Counters counters();
  /// Ends the frame, and the one that is queued; whether the engine obeyed.
  bool abort();

  const Program& program() const { return *program_; }

 private:
  /// Where the memories of a frame lie.
  struct Place {
    std::uint64_t frame, result, scratch;
  };

  void check_identity();
  void stop_what_runs();
  void place();
  void command_start(std::size_t number);
  void clear();
  std::uint64_t limit() const;
  std::uint32_t read32(std::uint32_t address);
  std::uint64_t read64(std::uint32_t low);
  void write64(std::uint32_t low, std::uint64_t value);
  [[noreturn]] void refuse_status(std::uint32_t status);

  std::shared_ptr<Transport> transport_;
  const Limits limits_;
  std::shared_ptr<const Program> program_;
  bool is_closed_ = false;
  std::uint64_t tape_ = 0;
  Place places_[kCapacity] = {};
  /// FRAMES before the first frame that it counts.
  std::uint32_t before_ = 0;
  std::size_t started_ = 0, taken_ = 0;
  /// Frames that were started when FRAMES was `before_`.
  std::size_t counted_from_ = 0;
  /// Cycles that the oldest frame may still take.
  std::uint64_t left_ = 0;
};

}  // namespace sterna
