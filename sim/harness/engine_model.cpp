#include "engine_model.h"

#include <algorithm>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <sterna/registers.h>
#include <stdexcept>
#include <utility>

#include "Vsterna_top.h"
#include "tape.h"
#include "verilated.h"

namespace {

constexpr unsigned kResetCycles = 8;
constexpr unsigned kAnswerCycles = 10000;
// What reset leaves undefined starts random.
constexpr int kRandomReset = 2;

// What the run-time printed and the first thing that stopped it. A thread runs one model at a time.
thread_local std::string printed;
thread_local std::string stopped;

std::string at(const char* file, int line) {
  return file && *file ? std::string(file) + ":" + std::to_string(line) : "the model";
}

// The text that $error printed, without time, label and line ends; empty if it printed nothing.
std::string take_printed() {
  std::string text = std::exchange(printed, {});
  const std::string label = "%Error: ";
  const size_t start = text.find(label);
  if (start != std::string::npos) text.erase(0, start + label.size());
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text;
}

}  // namespace

// The run-time's user functions: assertions become errors of the call, never the end of the process.
int sterna_print(const char* format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  const int length = std::vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  printed = text;
  return length;
}

void vl_stop(const char* file, int line, const char*) {
  const std::string text = take_printed();
  if (stopped.empty()) stopped = text.empty() ? "the RTL stopped at " + at(file, line) : text;
}

void vl_finish(const char* file, int line, const char* scope) { vl_stop(file, line, scope); }

void vl_warn(const char*, int, const char*, const char*) {}

void vl_fatal(const char* file, int line, const char*, const char* message) {
  throw std::runtime_error("the simulation failed at " + at(file, line) + ": " + message);
}

namespace sterna {

EngineModel::EngineModel(uint64_t seed, uint64_t base, uint64_t bytes, int file)
    : context_(std::make_unique<VerilatedContext>()),
      axi_(sizeof(Vsterna_top::m_axi_rdata), base, bytes, file) {
  printed.clear();
  stopped.clear();
  context_->randReset(kRandomReset);
  context_->randSeed(static_cast<int>(seed & 0x7FFFFFFF) + 1);
  top_ = std::make_unique<Vsterna_top>(context_.get());
  reset();
}

EngineModel::~EngineModel() { top_->final(); }

bool EngineModel::irq() const { return top_->irq_o; }

void EngineModel::reset() {
  axi_.reset();
  has_tape_ = false;
  aw_ = w_ = b_ = ar_ = r_ = Channel::kOver;
  top_->rst_ni = 0;
  top_->s_axil_awvalid = top_->s_axil_wvalid = top_->s_axil_arvalid = 0;
  top_->s_axil_bready = top_->s_axil_rready = 0;
  top_->m_axi_awready = top_->m_axi_wready = top_->m_axi_arready = 0;
  top_->m_axi_bvalid = top_->m_axi_rvalid = 0;
  for (unsigned cycle = 0; cycle < kResetCycles; ++cycle) {
    settle();
    rise();
  }
  if (top_->m_axi_awvalid || top_->m_axi_wvalid || top_->m_axi_arvalid) {
    throw std::runtime_error("AXI rule broken: a valid is high in reset");
  }
  top_->rst_ni = 1;
}

void EngineModel::tick() {
  drive_bus();
  drive_registers();
  settle();
  sample_bus();
  sample_registers();
  rise();
  if (!axi_.violation().empty()) throw std::runtime_error(axi_.violation());
}

// Inputs reach the outputs that depend on them in the same cycle.
void EngineModel::settle() {
  top_->clk_i = 0;
  top_->eval();
}

void EngineModel::rise() {
  top_->clk_i = 1;
  top_->eval();
  context_->timeInc(1);
  ++cycles_;
  if (!stopped.empty()) judge(std::exchange(stopped, {}));
}

// The engine works on weights before it knows their checksum. So of a damaged tape assertions say nothing, until the
// next frame: the engine has to find the damage by itself.
void EngineModel::judge(const std::string& failure) {
  const bool right = checksums_right(axi_.memory(), tape_address(), registers_[STERNA_REGISTER_TAPE_BYTES]);
  if (right || !has_tape_) throw std::runtime_error(failure);
  context_->assertOn(false);
}

uint64_t EngineModel::tape_address() {
  return uint64_t{registers_[STERNA_REGISTER_TAPE_ADDR_HI]} << 32 | registers_[STERNA_REGISTER_TAPE_ADDR_LO];
}

void EngineModel::drive_bus() {
  const AxiMemorySignals& memory = axi_.drive();
  top_->m_axi_awready = memory.awready;
  top_->m_axi_wready = memory.wready;
  top_->m_axi_arready = memory.arready;
  top_->m_axi_bvalid = memory.bvalid;
  top_->m_axi_bid = memory.bid;
  top_->m_axi_bresp = static_cast<uint8_t>(memory.bresp);
  top_->m_axi_rvalid = memory.rvalid;
  top_->m_axi_rid = memory.rid;
  top_->m_axi_rresp = static_cast<uint8_t>(memory.rresp);
  top_->m_axi_rlast = memory.rlast;
  std::memcpy(&top_->m_axi_rdata, memory.rdata, sizeof top_->m_axi_rdata);
}

void EngineModel::sample_bus() {
  master_.awvalid = top_->m_axi_awvalid;
  master_.wvalid = top_->m_axi_wvalid;
  master_.bready = top_->m_axi_bready;
  master_.arvalid = top_->m_axi_arvalid;
  master_.rready = top_->m_axi_rready;
  if (master_.awvalid) {
    master_.aw = {top_->m_axi_awaddr, top_->m_axi_awid, top_->m_axi_awlen, top_->m_axi_awsize, top_->m_axi_awburst};
  }
  if (master_.arvalid) {
    master_.ar = {top_->m_axi_araddr, top_->m_axi_arid, top_->m_axi_arlen, top_->m_axi_arsize, top_->m_axi_arburst};
  }
  if (master_.wvalid) {
    std::memcpy(master_.w.strobes, &top_->m_axi_wstrb, sizeof top_->m_axi_wstrb);
    master_.w.last = top_->m_axi_wlast;
    std::memcpy(master_.w.bytes, &top_->m_axi_wdata, sizeof top_->m_axi_wdata);
  }
  axi_.clock(master_);
  still_cycles_ = axi_.moved() ? 0 : still_cycles_ + 1;
  longest_still_ = std::max(longest_still_, still_cycles_);
}

void EngineModel::check_quiet() {
  const uint32_t watchdog = registers_[STERNA_REGISTER_WATCHDOG];
  const bool given_up = watchdog && longest_still_ >= watchdog;
  if (axi_.idle() || given_up || read32(STERNA_REGISTER_STATUS) & STERNA_STATUS_BUSY) return;
  throw std::runtime_error("the interrupt is high while bursts are under way on the bus");
}

void EngineModel::write32(uint32_t address, uint32_t value) {
  registers_[address] = value;
  if (address == STERNA_REGISTER_CONTROL) {
    context_->assertOn(true);
    has_tape_ = has_tape_ || value & STERNA_CONTROL_START;
    if (value & STERNA_CONTROL_START) longest_still_ = 0;
    axi_.set_frame_start(tape_address());
  }
  top_->s_axil_awaddr = address;
  top_->s_axil_wdata = value;
  top_->s_axil_wstrb = 0xF;
  aw_ = w_ = b_ = Channel::kHeld;
  finish_access("write", address);
}

uint32_t EngineModel::read32(uint32_t address) {
  top_->s_axil_araddr = address;
  ar_ = r_ = Channel::kHeld;
  finish_access("read", address);
  return read_data_;
}

void EngineModel::offer(Channel& channel) {
  if (channel == Channel::kHeld && !axi_.stall()) channel = Channel::kOffered;
}

void EngineModel::drive_registers() {
  for (Channel* channel : {&aw_, &w_, &b_, &ar_, &r_}) offer(*channel);
  top_->s_axil_awvalid = aw_ == Channel::kOffered;
  top_->s_axil_wvalid = w_ == Channel::kOffered;
  top_->s_axil_bready = b_ == Channel::kOffered;
  top_->s_axil_arvalid = ar_ == Channel::kOffered;
  top_->s_axil_rready = r_ == Channel::kOffered;
}

void EngineModel::sample_registers() {
  if (top_->s_axil_awvalid && top_->s_axil_awready) aw_ = Channel::kOver;
  if (top_->s_axil_wvalid && top_->s_axil_wready) w_ = Channel::kOver;
  if (top_->s_axil_arvalid && top_->s_axil_arready) ar_ = Channel::kOver;
  if (top_->s_axil_bvalid && top_->s_axil_bready) {
    b_ = Channel::kOver;
    register_response_ = top_->s_axil_bresp;
  }
  if (top_->s_axil_rvalid && top_->s_axil_rready) {
    r_ = Channel::kOver;
    register_response_ = top_->s_axil_rresp;
    read_data_ = top_->s_axil_rdata;
  }
}

void EngineModel::finish_access(const char* what, uint32_t address) {
  char text[96];
  for (unsigned cycle = 0; cycle < kAnswerCycles && (b_ != Channel::kOver || r_ != Channel::kOver); ++cycle) tick();
  if (b_ != Channel::kOver || r_ != Channel::kOver) {
    std::snprintf(text, sizeof text, "the %s of register 0x%03x is not answered", what, address);
    throw std::runtime_error(text);
  }
  if (register_response_ != static_cast<uint8_t>(Response::kOkay) || aw_ != Channel::kOver || w_ != Channel::kOver ||
      ar_ != Channel::kOver) {
    std::snprintf(text, sizeof text, "the %s of register 0x%03x is answered with response %u", what, address,
                  unsigned{register_response_});
    throw std::runtime_error(text);
  }
}

}  // namespace sterna
