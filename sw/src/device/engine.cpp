// SPDX-License-Identifier: Apache-2.0
#include "device/engine.h"

#include <sterna/registers.h>

#include <algorithm>
#include <cstdio>
#include <stdexcept>
#include <string>
#include <utility>

#include "device/engine_error.h"
#include "error.h"

namespace sterna {
namespace {

constexpr std::uint64_t kPage = 4096;
/// Clock cycles between two looks at a running frame.
constexpr std::uint64_t kLook = 20'000;
constexpr std::uint32_t kAllOnes = ~std::uint32_t{0};

std::string hex(std::uint32_t value, const char* format) {
  char text[16];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

}  // namespace

std::uint64_t page_up(std::uint64_t address) { return (address + kPage - 1) / kPage * kPage; }

std::uint64_t cycle_limit(std::uint64_t most_cycles, std::uint32_t watchdog) {
  return 20 * most_cycles + 4 * std::uint64_t{watchdog};
}

Engine::Engine(std::shared_ptr<Transport> transport, const Limits& limits)
    : transport_(std::move(transport)), limits_(limits) {
  transport_->open();
  try {
    check_identity();
    stop_what_runs();
  } catch (...) {
    transport_->close();
    throw;
  }
}

Engine::~Engine() {
  try {
    close();
  } catch (...) {  // nobody is there to hear of it
  }
}

/// Once: another engine may have opened the transport since.
void Engine::close() {
  if (!is_closed_) transport_->close();
  is_closed_ = true;
}

void Engine::check_identity() {
  const auto check = [&](std::uint32_t address, const char* name, std::uint32_t expected) {
    const std::uint32_t found = transport_->read32(address);
    if (found == expected) return;
    refuse({"engine", "the driver does not know this engine", std::string(name) + " = " + hex(found, "0x%08x"),
            hex(expected, "0x%08x"), "generate the engine with this version"});
  };
  check(STERNA_REGISTER_IDENTITY, "IDENTITY", STERNA_ENGINE_IDENTITY);
  check(STERNA_REGISTER_VERSION, "VERSION", STERNA_ENGINE_VERSION);
}

/// A program before this one may have left a frame.
void Engine::stop_what_runs() {
  if (!(read32(STERNA_REGISTER_STATUS) & STERNA_STATUS_BUSY) || abort()) return;
  refuse({"engine", "is at work on a frame of an earlier program, and cannot be aborted", "", "", "reset the engine"});
}

void Engine::check_config(const Program& program) {
  const std::uint32_t found = read32(STERNA_REGISTER_CONFIG_HASH);
  if (found == program.config_hash) return;
  refuse({"engine", "the engine has another config", "config hash = " + hex(found, "%08x"),
          hex(program.config_hash, "%08x") + " ('" + program.config_name + "', of the package)",
          "generate the engine for the package's config, or compile the graph for this engine"});
}

void Engine::load(std::shared_ptr<const Program> program) {
  check_config(*program);
  program_ = std::move(program);
  place();
  transport_->write_memory(tape_, program_->tape);
  const std::vector<std::uint8_t> zeros(std::max(program_->result_bytes, program_->scratch_bytes));
  for (const Place& place : places_) {
    transport_->write_memory(place.result, {zeros.data(), program_->result_bytes});
    transport_->write_memory(place.scratch, {zeros.data(), program_->scratch_bytes});
  }
  write64(STERNA_REGISTER_TAPE_ADDR_LO, tape_);
  transport_->write32(STERNA_REGISTER_TAPE_BYTES, static_cast<std::uint32_t>(program_->tape.size()));
  transport_->write32(STERNA_REGISTER_WATCHDOG, limits_.watchdog);
  transport_->write32(STERNA_REGISTER_FRAME_LAYOUT, program_->is_interleaved ? STERNA_FRAME_LAYOUT_INTERLEAVED : 0);
}

void Engine::place() {
  tape_ = transport_->memory_base;
  std::uint64_t end = page_up(tape_ + program_->tape.size());
  for (Place& place : places_) {
    place.frame = end;
    place.result = page_up(place.frame + program_->frame_bytes);
    place.scratch = page_up(place.result + program_->result_bytes);
    end = page_up(place.scratch + program_->scratch_bytes);
  }
  const std::uint64_t used = end - tape_;
  if (used <= transport_->memory_bytes) return;
  refuse({"engine", "the package does not fit the engine's memory", "bytes = " + std::to_string(used),
          "0 .. " + std::to_string(transport_->memory_bytes), "store fewer layers or use a smaller model"});
}

void Engine::begin() {
  started_ = taken_ = 0;
  clear();
}

/// No frame runs, and those that are held are started anew.
void Engine::clear() {
  transport_->write32(STERNA_REGISTER_STATUS, STERNA_STATUS_DONE | STERNA_STATUS_ERROR | STERNA_STATUS_IRQ);
  before_ = read32(STERNA_REGISTER_FRAMES);
  counted_from_ = taken_;
  left_ = program_ ? limit() : 0;
}

void Engine::start(std::span<const std::uint8_t> image) {
  if (held() == kCapacity) throw std::logic_error("more frames than the engine holds");
  transport_->write_memory(places_[started_ % kCapacity].frame + program_->image_offset, image);
  command_start(started_);
  ++started_;
}

void Engine::command_start(std::size_t number) {
  const Place& place = places_[number % kCapacity];
  write64(STERNA_REGISTER_FRAME_ADDR_LO, place.frame);
  write64(STERNA_REGISTER_RESULT_ADDR_LO, place.result);
  write64(STERNA_REGISTER_SCRATCH_ADDR_LO, place.scratch);
  transport_->write32(STERNA_REGISTER_CONTROL, STERNA_CONTROL_START | STERNA_CONTROL_IRQ_ENABLE);
}

bool Engine::look() {
  while (!has_ended()) {
    const bool is_interrupted = pause();
    judge(is_interrupted);
    if (!is_interrupted) return false;
  }
  return true;
}

bool Engine::has_ended() { return read32(STERNA_REGISTER_FRAMES) - before_ > taken_ - counted_from_; }

bool Engine::pause() { return transport_->wait(std::min(left_, kLook)); }

void Engine::judge(bool is_interrupted) {
  if (is_interrupted) {
    // First cleared, then looked at: what comes later raises it again.
    transport_->write32(STERNA_REGISTER_STATUS, STERNA_STATUS_IRQ);
    const std::uint32_t status = read32(STERNA_REGISTER_STATUS);
    if (status & STERNA_STATUS_ERROR || !(status & (STERNA_STATUS_DONE | STERNA_STATUS_BUSY))) refuse_status(status);
  } else if (left_ > kLook) {
    left_ -= kLook;
  } else {
    const std::uint32_t steps = steps_now();
    refuse_time_out(*program_, steps, limit(), abort());
  }
}

void Engine::refuse_status(std::uint32_t status) {
  const std::uint32_t code = read32(STERNA_REGISTER_ERROR_CODE);
  const std::uint32_t segment = read32(STERNA_REGISTER_ERROR_SEGMENT);
  const bool is_stall = status & STERNA_STATUS_ERROR && code == STERNA_ERROR_CODE_STALL;
  if (is_stall && limits_.watchdog < transport_->memory_latency) {
    refuse_short_watchdog(limits_.watchdog, transport_->memory_latency);
  }
  refuse_failure(*program_, {status, code, segment});
}

void Engine::read_result(std::span<std::uint8_t> result) {
  transport_->read_memory(places_[taken_ % kCapacity].result, result);
}

void Engine::take() {
  ++taken_;
  left_ = limit();
}

void Engine::drop_failed() {
  ++taken_;
  if (read32(STERNA_REGISTER_STATUS) & STERNA_STATUS_BUSY) {
    refuse({"engine", "is still at work on a frame that failed", "", "", "reset the engine"});
  }
  clear();
  for (std::size_t number = taken_; number < started_; ++number) command_start(number);
}

std::uint64_t Engine::limit() const {
  return limits_.timeout.value_or(cycle_limit(program_->most_cycles, limits_.watchdog));
}

std::uint32_t Engine::steps_now() { return read32(STERNA_REGISTER_STEPS_NOW); }

bool Engine::abort() {
  transport_->write32(STERNA_REGISTER_CONTROL, STERNA_CONTROL_ABORT | STERNA_CONTROL_IRQ_ENABLE);
  const std::uint64_t patience = limits_.watchdog ? limits_.watchdog : STERNA_WATCHDOG_CYCLES;
  // The first interrupt may be that of a frame that ended by itself.
  for (int interrupts = 0; interrupts < 2; ++interrupts) {
    if (!transport_->wait(patience)) return false;
    transport_->write32(STERNA_REGISTER_STATUS, STERNA_STATUS_IRQ);
    if (!(read32(STERNA_REGISTER_STATUS) & STERNA_STATUS_BUSY)) return true;
  }
  return false;
}

Counters Engine::counters() {
  Counters found{read64(STERNA_REGISTER_CYCLES_LO),       read64(STERNA_REGISTER_BUSY_LO),
                 read64(STERNA_REGISTER_WAIT_VECTORS_LO), read64(STERNA_REGISTER_WAIT_WEIGHTS_LO),
                 read64(STERNA_REGISTER_WAIT_DRAIN_LO),   read64(STERNA_REGISTER_BEATS_READ_LO),
                 read64(STERNA_REGISTER_BEATS_WRITTEN_LO), {}};
  const std::uint32_t kept = std::min<std::uint32_t>(read32(STERNA_REGISTER_STEPS), STERNA_PROFILE_STEPS);
  for (std::uint32_t step = 0; step < kept; ++step) {
    transport_->write32(STERNA_REGISTER_PROFILE_INDEX, step);
    found.steps.push_back({read32(STERNA_REGISTER_PROFILE_CYCLES), read32(STERNA_REGISTER_PROFILE_BUSY),
                           read32(STERNA_REGISTER_PROFILE_WAIT_VECTORS), read32(STERNA_REGISTER_PROFILE_WAIT_WEIGHTS),
                           read32(STERNA_REGISTER_PROFILE_WAIT_DRAIN)});
  }
  return found;
}

/// What is gone reads as all ones, its identity too.
std::uint32_t Engine::read32(std::uint32_t address) {
  const std::uint32_t value = transport_->read32(address);
  if (value == kAllOnes && transport_->read32(STERNA_REGISTER_IDENTITY) == kAllOnes) {
    refuse({"engine", "the device is gone: its registers read as all ones", "", "", "check it, and open it again"});
  }
  return value;
}

std::uint64_t Engine::read64(std::uint32_t low) {
  const std::uint64_t lower = read32(low);
  return lower | std::uint64_t{read32(low + 4)} << 32;
}

void Engine::write64(std::uint32_t low, std::uint64_t value) {
  transport_->write32(low, static_cast<std::uint32_t>(value));
  transport_->write32(low + 4, static_cast<std::uint32_t>(value >> 32));
}

}  // namespace sterna
