#include "axi_memory.h"

#include <algorithm>
#include <cstdio>

namespace sterna {
namespace {

// Bursts the memory has under way in each direction, and write beats it takes before their address.
constexpr size_t kOutstanding = 16;
constexpr size_t kEarlyBeats = 16;
constexpr uint8_t kIncrementing = 1;
constexpr uint8_t kPoison = 0xDB;

std::string hex(uint64_t value) {
  char text[19];
  std::snprintf(text, sizeof text, "0x%llx", static_cast<unsigned long long>(value));
  return text;
}

}  // namespace

void AxiMemory::set_timing(const AxiTiming& timing) {
  timing_ = timing;
  random_ = Random(timing.seed);
}

void AxiMemory::set_pauses(const AxiPause& refresh, const AxiPause& gap) {
  refresh_ = refresh;
  gap_ = gap;
}

void AxiMemory::set_fault(uint64_t base, uint64_t size) {
  fault_base_ = base;
  fault_size_ = size;
}

void AxiMemory::reset() {
  reads_.clear();
  writes_.clear();
  responses_.clear();
  data_.clear();
  signals_ = {};
  last_ = {};
}

const AxiMemorySignals& AxiMemory::drive() {
  signals_.arready = reads_.size() < kOutstanding && !stall();
  signals_.awready = writes_.size() < kOutstanding && !stall();
  const bool moves = !pauses();
  signals_.wready = data_.size() < kEarlyBeats && moves && !stall();
  const bool has_beat = !signals_.rvalid && !reads_.empty() && reads_.front().ready_cycle <= cycle_;
  if (has_beat && moves && !stall()) offer_read_beat();
  if (!signals_.bvalid && !responses_.empty() && responses_.front().ready_cycle <= cycle_ && !stall()) {
    signals_.bvalid = true;
    signals_.bid = responses_.front().request.id;
    signals_.bresp = responses_.front().response;
  }
  return signals_;
}

void AxiMemory::clock(const AxiMasterSignals& master) {
  check_stable(master);
  moved_ = (signals_.rvalid && master.rready) || (signals_.bvalid && master.bready) ||
           (master.arvalid && signals_.arready) || (master.awvalid && signals_.awready) ||
           (master.wvalid && signals_.wready);
  if (signals_.rvalid && master.rready) {
    signals_.rvalid = false;
    if (++reads_.front().beat > reads_.front().request.length) reads_.pop_front();
  }
  if (signals_.bvalid && master.bready) {
    signals_.bvalid = false;
    responses_.pop_front();
  }
  if (master.arvalid && signals_.arready) {
    check_burst("AR", master.ar);
    reads_.push_back({master.ar, cycle_ + latency()});
    if (master.ar.address == frame_start_) first_cycle_ = cycle_ + 1;
  }
  if (master.awvalid && signals_.awready) {
    check_burst("AW", master.aw);
    writes_.push_back({master.aw, 0});
  }
  if (master.wvalid && signals_.wready) data_.push_back(master.w);
  write_beats();
  last_ = master;
  ++cycle_;
}

bool AxiMemory::pauses() const {
  const uint64_t cycle = cycle_ - first_cycle_;
  return cycle % refresh_.every < refresh_.cycles || cycle % gap_.every < gap_.cycles;
}

uint64_t AxiMemory::latency() {
  return 1 + timing_.latency_first + random_.below(timing_.latency_last - timing_.latency_first + 1);
}

Response AxiMemory::response(uint64_t address, bool page_exists) const {
  if (address + beat_bytes_ > fault_base_ && address < fault_base_ + fault_size_) return Response::kSlaveError;
  return page_exists ? Response::kOkay : Response::kDecodeError;
}

void AxiMemory::offer_read_beat() {
  const Burst& burst = reads_.front();
  const uint64_t address = burst.request.address + uint64_t{burst.beat} * beat_bytes_;
  const uint8_t* page = memory_.page(address);
  signals_.rvalid = true;
  signals_.rid = burst.request.id;
  signals_.rlast = burst.beat == burst.request.length;
  signals_.rresp = response(address, page != nullptr);
  if (signals_.rresp == Response::kOkay) {
    std::memcpy(signals_.rdata, page + address % Memory::kPageBytes, beat_bytes_);
  } else {
    std::memset(signals_.rdata, kPoison, beat_bytes_);
  }
}

void AxiMemory::write_beats() {
  while (!writes_.empty() && !data_.empty()) {
    Burst& burst = writes_.front();
    const AxiData& beat = data_.front();
    const uint64_t address = burst.request.address + uint64_t{burst.beat} * beat_bytes_;
    check_data(burst, beat);
    uint8_t* page = memory_.page(address);
    const Response answer = response(address, page != nullptr);
    if (answer == Response::kOkay) {
      write_beat(address, page, beat);
    } else {
      burst.response = answer;
    }
    data_.pop_front();
    if (++burst.beat > burst.request.length) {
      burst.ready_cycle = cycle_ + latency();
      responses_.push_back(burst);
      writes_.pop_front();
    }
  }
}

void AxiMemory::write_beat(uint64_t address, uint8_t* page, const AxiData& beat) {
  uint8_t* target = page + address % Memory::kPageBytes;
  for (unsigned lane = 0; lane < beat_bytes_; ++lane) {
    if (beat.strobes[lane / 8] >> (lane % 8) & 1) target[lane] = beat.bytes[lane];
  }
}

void AxiMemory::check_stable(const AxiMasterSignals& master) {
  if (last_.awvalid && !last_aw_taken_ && !(master.awvalid && master.aw == last_.aw)) {
    broken("AW changed while waiting for AWREADY");
  }
  if (last_.arvalid && !last_ar_taken_ && !(master.arvalid && master.ar == last_.ar)) {
    broken("AR changed while waiting for ARREADY");
  }
  if (last_.wvalid && !last_w_taken_ && !(master.wvalid && master.w == last_.w)) {
    broken("W changed while waiting for WREADY");
  }
  last_aw_taken_ = signals_.awready;
  last_ar_taken_ = signals_.arready;
  last_w_taken_ = signals_.wready;
}

void AxiMemory::check_burst(const char* channel, const AxiAddress& request) {
  const std::string what = std::string(channel) + " burst at " + hex(request.address);
  const uint64_t bytes = (uint64_t{request.length} + 1) * beat_bytes_;
  if (request.burst != kIncrementing) broken(what + " is not of type INCR");
  if (1U << request.size != beat_bytes_) broken(what + " is narrower or wider than the bus");
  if (request.address % beat_bytes_) broken(what + " is not aligned to the bus");
  if (request.address % Memory::kPageBytes + bytes > Memory::kPageBytes) broken(what + " crosses a 4 KB boundary");
}

void AxiMemory::check_data(const Burst& burst, const AxiData& beat) {
  const bool last = burst.beat == burst.request.length;
  if (beat.last == last) return;
  broken("WLAST is " + std::string(beat.last ? "early" : "missing") + " in the burst at " + hex(burst.request.address));
}

void AxiMemory::broken(const std::string& rule) {
  if (violation_.empty()) violation_ = "AXI rule broken: " + rule;
}

}  // namespace sterna
