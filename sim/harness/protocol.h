// What a simulator's process and its host say to each other: a call, then its answer, each a message on a socket. The
// engine's memory is a file that both map.
#pragma once

#include <cstdint>

namespace sterna {

// Descriptors that the process is started with. Its arguments are the host's process, a seed for what reset leaves
// undefined, and first address and bytes of the memory.
constexpr int kCallSocket = 3, kMemoryFile = 4;

enum class CallKind : uint32_t {
  // Reset in the middle of whatever goes on; the memory keeps its contents.
  kReset,
  // Register, value.
  kWrite32,
  // Register. Its value is the answer's.
  kRead32,
  // As AxiTiming: first and last cycle of the latency, stalls, seed.
  kSetTiming,
  // Two of AxiPause: refresh, gap.
  kSetPauses,
  // First address and bytes to which accesses are answered with SLVERR; 0 bytes end that.
  kSetFault,
  // Clock the engine until its interrupt is high, or so many cycles or milliseconds of real time have passed. The
  // answer's value is a RunEnd.
  kRun,
};

enum RunEnd : uint32_t { kInterrupt, kCycles, kTime };

struct Call {
  CallKind kind;
  uint32_t unused;
  uint64_t arguments[4];
};

constexpr uint32_t kMostText = 4096;

// The first one comes by itself, when the engine is ready. When a simulation has failed (an assertion in the RTL, a
// broken bus rule, a register that does not answer) every answer says so again.
struct Answer {
  uint32_t value;
  // Bytes of `text`; not 0 if the simulation has failed. Then it says why, and the message ends after it.
  uint32_t text_bytes;
  // Clock cycles of the engine, up to the one in which it failed.
  uint64_t cycles;
  char text[kMostText];
};

}  // namespace sterna
