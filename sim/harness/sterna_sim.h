/* C interface of a simulated engine: registers, memory, clock. One handle is one engine with a memory of its own.
 *
 * Functions that return int return 0, or -1 when the simulation has failed: an assertion in the RTL, a broken bus rule,
 * an unanswered register access. sterna_sim_error() says why, and the handle can then only be closed. Assertions do not
 * count in a frame with a tape whose checksums are wrong: the engine ends it with an error code. */
#pragma once

#include <stdint.h>

#define STERNA_SIM_API __attribute__((visibility("default")))

#ifdef __cplusplus
extern "C" {
#endif

typedef struct sterna_sim sterna_sim;

/* Why sterna_sim_run returned. */
enum { STERNA_SIM_IRQ = 0, STERNA_SIM_CYCLES = 1, STERNA_SIM_TIME = 2, STERNA_SIM_FAILED = -1 };

/* An engine after reset; `seed` fills what reset leaves undefined. Never null: ask sterna_sim_error. */
STERNA_SIM_API sterna_sim* sterna_sim_open(uint64_t seed);
STERNA_SIM_API void sterna_sim_close(sterna_sim* sim);
/* Reset in the middle of whatever goes on; the memory keeps its contents. */
STERNA_SIM_API int sterna_sim_reset(sterna_sim* sim);
/* Why the simulation failed; "" if it did not. Valid until the next call. */
STERNA_SIM_API const char* sterna_sim_error(const sterna_sim* sim);

/* Registers, through AXI4-Lite. */
STERNA_SIM_API int sterna_sim_write32(sterna_sim* sim, uint32_t address, uint32_t value);
STERNA_SIM_API int sterna_sim_read32(sterna_sim* sim, uint32_t address, uint32_t* value);

/* Memory, past the bus. Pages of 4 KB exist once written; the engine's access to any other is answered with DECERR. */
STERNA_SIM_API int sterna_sim_write_memory(sterna_sim* sim, uint64_t address, const uint8_t* data, uint64_t size);
STERNA_SIM_API int sterna_sim_read_memory(sterna_sim* sim, uint64_t address, uint8_t* data, uint64_t size);

/* Memory latency drawn from first..last cycles for each burst; share of cycles, in thousandths, that stall. */
STERNA_SIM_API int sterna_sim_set_timing(sterna_sim* sim, uint32_t first, uint32_t last, uint32_t stall_permille,
                                         uint64_t seed);
/* No beat moves in the first `refresh_cycles` of every `refresh_every` cycles, nor in those of a gap; both are counted
 * from the start of each frame. */
STERNA_SIM_API int sterna_sim_set_pauses(sterna_sim* sim, uint32_t refresh_every, uint32_t refresh_cycles,
                                         uint32_t gap_every, uint32_t gap_cycles);
/* Answer bus accesses to `size` bytes at `base` with SLVERR; size 0 ends that. */
STERNA_SIM_API int sterna_sim_set_fault(sterna_sim* sim, uint64_t base, uint64_t size);

/* Clock the engine until its interrupt is high, or `cycles` or `milliseconds` of real time have passed. */
STERNA_SIM_API int sterna_sim_run(sterna_sim* sim, uint64_t cycles, uint32_t milliseconds);
/* Clock cycles since the handle was opened; once the simulation has failed, up to the one in which it did. */
STERNA_SIM_API uint64_t sterna_sim_cycles(const sterna_sim* sim);

#ifdef __cplusplus
}
#endif
