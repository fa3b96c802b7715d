// The Verilated engine with its clock, its memory and a master for its registers.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "axi_memory.h"

class VerilatedContext;
class Vsterna_top;

namespace sterna {

// Methods throw std::runtime_error when the simulation fails.
class EngineModel {
 public:
  // The arguments after the seed are those of Memory.
  EngineModel(uint64_t seed, uint64_t base, uint64_t bytes, int file);
  ~EngineModel();

  AxiMemory& axi() { return axi_; }
  uint64_t cycles() const { return cycles_; }
  bool irq() const;
  void write32(uint32_t address, uint32_t value);
  uint32_t read32(uint32_t address);
  // One clock cycle.
  void tick();
  // Reset, with what is under way on the bus forgotten.
  void reset();
  // The interrupt is high: unless the next frame runs, nothing may be under way on the bus that still moves.
  void check_quiet();

 private:
  // A channel of the register port: a beat is held back, offered or over.
  enum class Channel : uint8_t { kOver, kHeld, kOffered };

  void settle();
  void rise();
  void judge(const std::string& failure);
  uint64_t tape_address();
  void drive_bus();
  void sample_bus();
  void drive_registers();
  void sample_registers();
  void offer(Channel& channel);
  void finish_access(const char* what, uint32_t address);

  std::unique_ptr<VerilatedContext> context_;
  std::unique_ptr<Vsterna_top> top_;
  AxiMemory axi_;
  AxiMasterSignals master_;
  uint64_t cycles_ = 0;
  // Cycles since something was last taken on the bus.
  uint64_t still_cycles_ = 0;
  // The most of them since a frame was started; what the memory does just after the engine has given up is no matter.
  uint64_t longest_still_ = 0;
  // A frame was started since the last reset.
  bool has_tape_ = false;
  // What was last written to each register.
  std::unordered_map<uint32_t, uint32_t> registers_;
  Channel aw_ = Channel::kOver, w_ = Channel::kOver, b_ = Channel::kOver;
  Channel ar_ = Channel::kOver, r_ = Channel::kOver;
  uint32_t read_data_ = 0;
  uint8_t register_response_ = 0;
};

}  // namespace sterna
