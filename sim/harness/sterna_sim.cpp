#include "sterna_sim.h"

#include <chrono>
#include <exception>
#include <memory>
#include <string>

#include "engine_model.h"

// A simulated engine, or why there is none any more.
struct sterna_sim {
  std::unique_ptr<sterna::EngineModel> model;
  std::string error;
  uint64_t cycles = 0;
};

namespace {

// Cycles between two looks at the clock on the wall.
constexpr uint64_t kLook = 64;

// Run `action`; its exception is the end of the simulation.
template <typename Action>
int guarded(sterna_sim* sim, Action action) {
  if (!sim->error.empty()) return STERNA_SIM_FAILED;
  int result = STERNA_SIM_FAILED;
  try {
    result = action();
  } catch (const std::exception& error) {
    sim->error = error.what();
  }
  if (sim->model) sim->cycles = sim->model->cycles();
  return result;
}

int run(sterna::EngineModel& model, uint64_t cycles, uint32_t milliseconds) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::milliseconds(milliseconds);
  for (uint64_t cycle = 0; cycle < cycles; ++cycle) {
    model.tick();
    if (model.irq()) {
      model.check_quiet();
      return STERNA_SIM_IRQ;
    }
    if (cycle % kLook == kLook - 1 && Clock::now() >= end) return STERNA_SIM_TIME;
  }
  return STERNA_SIM_CYCLES;
}

}  // namespace

sterna_sim* sterna_sim_open(uint64_t seed) {
  auto* sim = new sterna_sim;
  guarded(sim, [&] {
    sim->model = std::make_unique<sterna::EngineModel>(seed);
    return 0;
  });
  return sim;
}

void sterna_sim_close(sterna_sim* sim) { delete sim; }

int sterna_sim_reset(sterna_sim* sim) {
  return guarded(sim, [&] {
    sim->model->reset();
    return 0;
  });
}

const char* sterna_sim_error(const sterna_sim* sim) { return sim->error.c_str(); }

int sterna_sim_write32(sterna_sim* sim, uint32_t address, uint32_t value) {
  return guarded(sim, [&] {
    sim->model->write32(address, value);
    return 0;
  });
}

int sterna_sim_read32(sterna_sim* sim, uint32_t address, uint32_t* value) {
  return guarded(sim, [&] {
    *value = sim->model->read32(address);
    return 0;
  });
}

int sterna_sim_write_memory(sterna_sim* sim, uint64_t address, const uint8_t* data, uint64_t size) {
  return guarded(sim, [&] {
    sim->model->axi().memory().write(address, data, size);
    return 0;
  });
}

int sterna_sim_read_memory(sterna_sim* sim, uint64_t address, uint8_t* data, uint64_t size) {
  return guarded(sim, [&] {
    sim->model->axi().memory().read(address, data, size);
    return 0;
  });
}

int sterna_sim_set_timing(sterna_sim* sim, uint32_t first, uint32_t last, uint32_t stall_permille, uint64_t seed) {
  return guarded(sim, [&] {
    sim->model->axi().set_timing({first, last, stall_permille, seed});
    return 0;
  });
}

int sterna_sim_set_pauses(sterna_sim* sim, uint32_t refresh_every, uint32_t refresh_cycles, uint32_t gap_every,
                          uint32_t gap_cycles) {
  return guarded(sim, [&] {
    sim->model->axi().set_pauses({refresh_every, refresh_cycles}, {gap_every, gap_cycles});
    return 0;
  });
}

int sterna_sim_set_fault(sterna_sim* sim, uint64_t base, uint64_t size) {
  return guarded(sim, [&] {
    sim->model->axi().set_fault(base, size);
    return 0;
  });
}

int sterna_sim_run(sterna_sim* sim, uint64_t cycles, uint32_t milliseconds) {
  return guarded(sim, [&] { return run(*sim->model, cycles, milliseconds); });
}

uint64_t sterna_sim_cycles(const sterna_sim* sim) { return sim->cycles; }
