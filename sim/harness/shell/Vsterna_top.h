// A shell (hw/boards/rtl) in the place of the engine alone: `clk_i` is the clock of its ports, and the engine has another
// one, slower or faster by an odd ratio that follows from the seed.
#pragma once

#include <cstdint>

#include "Vsterna_shell.h"

class Vsterna_top : public Vsterna_shell {
 public:
  explicit Vsterna_top(VerilatedContext* context)
      : Vsterna_shell(context), port_period_(kFastest + static_cast<uint32_t>(context->randSeed()) * kSpread % kRange) {}

  CData clk_i = 0;

  void eval() {
    memory_clk_i = registers_clk_i = clk_i;
    Vsterna_shell::eval();
    if (clk_i) run_engine();
  }

 private:
  // Periods in ps.
  static constexpr uint64_t kEnginePeriod = 10000, kFastest = 7001, kRange = 6500;
  // Neighbouring seeds give periods far apart (Knuth, The Art of Computer Programming, 6.4).
  static constexpr uint64_t kSpread = 2654435761;

  // The engine's edges up to the next one of the ports. No port depends on the engine within a cycle.
  void run_engine() {
    for (next_port_edge_ += port_period_; engine_edge_ < next_port_edge_; engine_edge_ += kEnginePeriod) {
      for (const CData level : {0, 1}) {
        Vsterna_shell::clk_i = level;
        Vsterna_shell::eval();
      }
    }
  }

  const uint64_t port_period_;
  uint64_t next_port_edge_ = 0, engine_edge_ = 0;
};
