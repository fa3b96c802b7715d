// An AXI4 memory: answers a master's bursts from a Memory, as late and as haltingly as it is asked to, and checks
// that the master keeps the protocol's rules.
#pragma once

#include <cstdint>
#include <cstring>
#include <deque>
#include <string>

#include "memory.h"

namespace sterna {

constexpr unsigned kMaxBeatBytes = 128;

enum class Response : uint8_t { kOkay = 0, kSlaveError = 2, kDecodeError = 3 };

// An address beat.
struct AxiAddress {
  uint64_t address = 0;
  uint8_t id = 0, length = 0, size = 0, burst = 0;
  bool operator==(const AxiAddress& other) const {
    return address == other.address && id == other.id && length == other.length && size == other.size &&
           burst == other.burst;
  }
};

// A write data beat.
struct AxiData {
  uint8_t strobes[kMaxBeatBytes / 8] = {};  // a bit for each byte, the lowest first
  uint8_t bytes[kMaxBeatBytes] = {};
  bool last = false;
  bool operator==(const AxiData& other) const {
    return !std::memcmp(strobes, other.strobes, sizeof strobes) && last == other.last &&
           !std::memcmp(bytes, other.bytes, sizeof bytes);
  }
};

// What the master drives.
struct AxiMasterSignals {
  AxiAddress aw, ar;
  AxiData w;
  bool awvalid = false, wvalid = false, bready = false, arvalid = false, rready = false;
};

// What the memory drives.
struct AxiMemorySignals {
  bool awready = false, wready = false, arready = false;
  bool bvalid = false, rvalid = false, rlast = false;
  uint8_t bid = 0, rid = 0;
  Response bresp = Response::kOkay, rresp = Response::kOkay;
  uint8_t rdata[kMaxBeatBytes] = {};
};

// Cycles from an accepted burst to its first beat or write response, drawn from first .. last; share of cycles, in
// thousandths, in which a ready or a new valid is held back.
struct AxiTiming {
  uint32_t latency_first = 0, latency_last = 0;
  uint32_t stall_permille = 0;
  uint64_t seed = 1;
};

// In the first `cycles` of every `every` cycles no beat moves.
struct AxiPause {
  uint32_t every = 1, cycles = 0;
};

// xorshift64* (Vigna, "An experimental exploration of Marsaglia's xorshift generators, scrambled", 2016).
class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 2 + 1) {}
  uint32_t below(uint32_t limit) {
    state_ ^= state_ >> 12;
    state_ ^= state_ << 25;
    state_ ^= state_ >> 27;
    return static_cast<uint32_t>(((state_ * 0x2545F4914F6CDD1DULL) >> 32) * limit >> 32);
  }

 private:
  uint64_t state_;
};

class AxiMemory {
 public:
  // The arguments after the first are those of Memory.
  AxiMemory(unsigned beat_bytes, uint64_t base, uint64_t bytes, int file)
      : beat_bytes_(beat_bytes), memory_(base, bytes, file) {}

  Memory& memory() { return memory_; }
  void set_timing(const AxiTiming& timing);
  // Refresh, and the gaps for all else; both begin anew when a burst at `frame_start` is asked for.
  void set_pauses(const AxiPause& refresh, const AxiPause& gap);
  void set_frame_start(uint64_t address) { frame_start_ = address; }
  // Answer bursts that touch `size` bytes at `base` with SLVERR; a size of 0 ends that.
  void set_fault(uint64_t base, uint64_t size);

  // Forget all bursts, as the master does in its reset.
  void reset();

  // Start of a cycle: what the memory drives in it.
  const AxiMemorySignals& drive();
  // End of the cycle: what the master drove in it.
  void clock(const AxiMasterSignals& master);

  bool idle() const { return reads_.empty() && writes_.empty() && data_.empty() && responses_.empty(); }
  // Whether an address, a beat or a response was taken in the last cycle.
  bool moved() const { return moved_; }
  // The first broken rule, or empty.
  const std::string& violation() const { return violation_; }
  // Wait in a random cycle: also for others that are to be as halting as this memory.
  bool stall() { return timing_.stall_permille && random_.below(1000) < timing_.stall_permille; }

 private:
  struct Burst {
    AxiAddress request;
    uint64_t ready_cycle;
    unsigned beat = 0;
    Response response = Response::kOkay;
  };

  uint64_t latency();
  bool pauses() const;
  Response response(uint64_t address, bool page_exists) const;
  void offer_read_beat();
  void write_beats();
  void write_beat(uint64_t address, uint8_t* page, const AxiData& beat);
  void check_stable(const AxiMasterSignals& master);
  void check_burst(const char* channel, const AxiAddress& request);
  void check_data(const Burst& burst, const AxiData& beat);
  void broken(const std::string& rule);

  const unsigned beat_bytes_;
  Memory memory_;
  AxiTiming timing_;
  Random random_{1};
  AxiPause refresh_, gap_;
  uint64_t frame_start_ = 0;
  uint64_t fault_base_ = 0, fault_size_ = 0;
  uint64_t cycle_ = 0;
  // The cycle from which on refresh and gaps are counted.
  uint64_t first_cycle_ = 0;
  std::deque<Burst> reads_, writes_, responses_;
  std::deque<AxiData> data_;
  AxiMemorySignals signals_;
  // The master's last cycle, and which of its channels were ready in it.
  AxiMasterSignals last_;
  bool last_aw_taken_ = false, last_ar_taken_ = false, last_w_taken_ = false;
  bool moved_ = false;
  std::string violation_;
};

}  // namespace sterna
