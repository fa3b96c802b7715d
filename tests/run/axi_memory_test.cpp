// A scripted AXI4 master against the memory of the simulation harness. `axi_memory_test CASE` prints the rule that the
// memory says is broken, or what differs from a plain array; nothing when all is well.
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "axi_memory.h"

namespace {

using sterna::AxiAddress;
using sterna::AxiData;
using sterna::AxiMasterSignals;
using sterna::AxiMemory;
using sterna::AxiMemorySignals;
using sterna::Response;

constexpr unsigned kBytes = 8;
constexpr uint64_t kBase = 0x180000000;
constexpr unsigned kPages = 8;
constexpr uint64_t kSize = kPages * sterna::Memory::kPageBytes;
constexpr unsigned kPatience = 100000;

struct Read {
  std::vector<uint8_t> data;
  bool okay = true;
};

// Drives one burst at a time; what it does wrong is chosen by the case.
class Master {
 public:
  AxiMemory memory{kBytes, kBase, 2 * kSize, -1};
  std::vector<uint8_t> expected = std::vector<uint8_t>(kSize);
  uint64_t cycles = 0;

  Master() {
    for (size_t i = 0; i < expected.size(); ++i) expected[i] = static_cast<uint8_t>(i * 37 + i / 256);
    memory.memory().write(kBase, expected.data(), expected.size());
  }

  static AxiAddress burst(uint64_t offset, unsigned beats) {
    return {kBase + offset, 0, static_cast<uint8_t>(beats - 1), 3, 1};
  }

  // One cycle with `signals`; what the memory drove.
  AxiMemorySignals cycle(const AxiMasterSignals& signals) {
    const AxiMemorySignals answer = memory.drive();
    memory.clock(signals);
    ++cycles;
    return answer;
  }

  Read read(const AxiAddress& request) {
    AxiMasterSignals out;
    out.ar = request;
    out.arvalid = out.rready = true;
    Read result;
    for (unsigned patience = 0; patience < kPatience; ++patience) {
      const AxiMemorySignals answer = cycle(out);
      if (answer.arready) out.arvalid = false;
      if (!answer.rvalid) continue;
      result.data.insert(result.data.end(), answer.rdata, answer.rdata + kBytes);
      result.okay = result.okay && answer.rresp == Response::kOkay;
      if (answer.rlast) return result;
    }
    std::puts("no read data");
    return result;
  }

  // Writes bytes that count up from `first`; the last beat is marked `last_at`.
  bool write(const AxiAddress& request, uint8_t first, uint64_t strobes, unsigned last_at) {
    AxiMasterSignals out;
    out.aw = request;
    out.awvalid = out.bready = out.wvalid = true;
    unsigned beat = 0;
    for (unsigned patience = 0; patience < kPatience; ++patience) {
      out.w = data(first, beat, strobes, beat == last_at);
      const AxiMemorySignals answer = cycle(out);
      if (answer.awready) out.awvalid = false;
      if (out.wvalid && answer.wready && ++beat > request.length) out.wvalid = false;
      if (answer.bvalid) return answer.bresp == Response::kOkay;
    }
    std::puts("no write response");
    return false;
  }

  void expect_write(uint64_t offset, unsigned beats, uint8_t first, uint64_t strobes) {
    for (unsigned i = 0; i < beats * kBytes; ++i) {
      if (strobes >> (i % kBytes) & 1) expected[offset + i] = static_cast<uint8_t>(first + i);
    }
  }

  void check_memory() {
    std::vector<uint8_t> found(kSize);
    memory.memory().read(kBase, found.data(), found.size());
    if (found != expected) std::puts("the memory differs");
  }

  static AxiData data(uint8_t first, unsigned beat, uint64_t strobes, bool last) {
    AxiData result;
    std::memcpy(result.strobes, &strobes, sizeof strobes);
    result.last = last;
    for (unsigned i = 0; i < kBytes; ++i) result.bytes[i] = static_cast<uint8_t>(first + beat * kBytes + i);
    return result;
  }
};

// Random bursts, one after the other, under `timing`.
void traffic(Master& master, const sterna::AxiTiming& timing) {
  sterna::Random random(timing.seed + 7);
  master.memory.set_timing(timing);
  for (int count = 0; count < 400; ++count) {
    const unsigned beats = 1 + random.below(64);
    const uint64_t page = random.below(kPages) * sterna::Memory::kPageBytes;
    const uint64_t offset = page + random.below(sterna::Memory::kPageBytes / kBytes - beats + 1) * kBytes;
    if (random.below(2)) {
      const uint64_t strobes = random.below(256);
      const auto first = static_cast<uint8_t>(random.below(256));
      if (!master.write(Master::burst(offset, beats), first, strobes, beats - 1)) std::puts("write refused");
      master.expect_write(offset, beats, first, strobes);
    } else {
      const Read result = master.read(Master::burst(offset, beats));
      if (!result.okay || result.data.size() != beats * kBytes ||
          std::memcmp(result.data.data(), &master.expected[offset], result.data.size()) != 0) {
        std::puts("read data differs");
      }
    }
  }
  master.check_memory();
  if (!master.memory.idle()) std::puts("not idle");
}

// Keeps AR, AW and W waiting and changes them meanwhile.
void change_while_waiting(Master& master, const std::function<void(AxiMasterSignals&)>& change) {
  master.memory.set_timing({0, 0, 900, 5});
  AxiMasterSignals out;
  out.ar = out.aw = Master::burst(0, 1);
  out.w = Master::data(0, 0, 0xFF, true);
  out.arvalid = out.awvalid = out.wvalid = true;
  for (int count = 0; count < 100; ++count) {
    const AxiMemorySignals answer = master.cycle(out);
    const bool all_wait = !answer.arready && !answer.awready && !answer.wready;
    if (all_wait) {
      change(out);
      master.cycle(out);
      return;
    }
    if (answer.arready) out.arvalid = false;
    if (answer.awready) out.awvalid = false;
    if (answer.wready) out.wvalid = false;
    if (!out.arvalid && !out.awvalid && !out.wvalid) out.arvalid = out.awvalid = out.wvalid = true;
  }
}

// Reads 8 beats of a memory with a refresh of 2 in 10 cycles and a gap of 1 in 4, whose address is taken in cycle 7.
// `moved`: the cycles after that one in which they come, if the frame starts at `frame_start`.
void expect_beats(Master& master, uint64_t frame_start, const std::vector<uint64_t>& moved) {
  master.memory.set_pauses({10, 2}, {4, 1});
  master.memory.set_frame_start(frame_start);
  for (int count = 0; count < 7; ++count) master.cycle({});
  AxiMasterSignals out;
  out.ar = Master::burst(0, 8);
  out.arvalid = out.rready = true;
  master.cycle(out);
  out.arvalid = false;
  std::vector<uint64_t> found;
  for (uint64_t cycle = 0; found.size() < 8; ++cycle) {
    if (master.cycle(out).rvalid) found.push_back(cycle);
  }
  if (found == moved) return;
  for (const uint64_t cycle : found) std::printf("%llu ", static_cast<unsigned long long>(cycle));
}

const std::map<std::string, std::function<void(Master&)>> kCases = {
    {"traffic", [](Master& m) { traffic(m, {0, 0, 0, 1}); }},
    {"traffic_slow", [](Master& m) { traffic(m, {3, 80, 0, 2}); }},
    {"traffic_stalling", [](Master& m) { traffic(m, {0, 20, 600, 3}); }},
    {"whole_page", [](Master& m) { m.read(Master::burst(4096, 256)); }},
    {"crossing", [](Master& m) { m.read(Master::burst(4096 - 8, 2)); }},
    {"crossing_write", [](Master& m) { m.write(Master::burst(4096 - 8, 2), 0, 0xFF, 1); }},
    {"unaligned", [](Master& m) { m.read(Master::burst(4, 1)); }},
    {"narrow",
     [](Master& m) {
       AxiAddress request = Master::burst(0, 1);
       request.size = 2;
       m.read(request);
     }},
    {"fixed",
     [](Master& m) {
       AxiAddress request = Master::burst(0, 2);
       request.burst = 0;
       m.read(request);
     }},
    {"early_last", [](Master& m) { m.write(Master::burst(0, 4), 0, 0xFF, 2); }},
    {"missing_last", [](Master& m) { m.write(Master::burst(0, 4), 0, 0xFF, 9); }},
    {"ar_changes", [](Master& m) { change_while_waiting(m, [](auto& out) { out.ar.address += 8; }); }},
    {"ar_withdrawn", [](Master& m) { change_while_waiting(m, [](auto& out) { out.arvalid = false; }); }},
    {"aw_changes", [](Master& m) { change_while_waiting(m, [](auto& out) { out.aw.length = 3; }); }},
    {"w_changes", [](Master& m) { change_while_waiting(m, [](auto& out) { out.w.bytes[3] ^= 1; }); }},
    {"nothing_changes", [](Master& m) { change_while_waiting(m, [](auto&) {}); }},
    {"read_fault",
     [](Master& m) {
       m.memory.set_fault(kBase + 64, 1);
       if (m.read(Master::burst(0, 9)).okay) std::puts("read accepted");
       if (!m.read(Master::burst(72, 4)).okay) std::puts("read refused");
     }},
    {"write_fault",
     [](Master& m) {
       m.memory.set_fault(kBase + 64, 8);
       if (m.write(Master::burst(64, 1), 1, 0xFF, 0)) std::puts("write accepted");
       m.check_memory();
       m.memory.set_fault(0, 0);
       if (!m.write(Master::burst(64, 1), 1, 0, 0)) std::puts("write refused");
       m.check_memory();
     }},
    {"nowhere",
     [](Master& m) {
       for (const uint64_t offset : {kSize, 2 * kSize, uint64_t{0} - 4096}) {
         if (m.read(Master::burst(offset, 1)).okay) std::puts("read accepted");
         if (m.write(Master::burst(offset, 1), 1, 0xFF, 0)) std::puts("write accepted");
       }
     }},
    {"latency",
     [](Master& m) {
       m.memory.set_timing({50, 50, 0, 1});
       m.read(Master::burst(0, 4));
       if (m.cycles != 50 + 1 + 4) std::printf("%llu cycles\n", static_cast<unsigned long long>(m.cycles));
     }},
    {"pauses", [](Master& m) { expect_beats(m, kBase, {2, 3, 5, 6, 7, 9, 13, 14}); }},
    {"pauses_of_another_frame", [](Master& m) { expect_beats(m, kBase + 4096, {1, 5, 6, 7, 9, 10, 11, 14}); }},
};

}  // namespace

int main(int, char** arguments) {
  Master master;
  kCases.at(arguments[1])(master);
  if (!master.memory.violation().empty()) std::puts(master.memory.violation().c_str());
}
