// The process that holds a simulated engine, and does what its host asks for (protocol.h).
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>

#include "engine_model.h"
#include "protocol.h"

namespace sterna {
namespace {

// Cycles between two looks at the clock on the wall.
constexpr uint64_t kLook = 64;
// Milliseconds between two looks whether the host is still there.
constexpr int kLookMilliseconds = 1000;

// A simulated engine, or why there is none any more.
class Simulator {
 public:
  Simulator(uint64_t seed, uint64_t base, uint64_t bytes) {
    guard([&] {
      model_ = std::make_unique<EngineModel>(seed, base, bytes, kMemoryFile);
      return 0U;
    });
  }

  void run(const Call& call) {
    if (error_.empty()) guard([&] { return value_of(call); });
  }

  Answer answer() const {
    Answer answer{value_, static_cast<uint32_t>(std::min<size_t>(error_.size(), kMostText)), cycles_, {}};
    std::memcpy(answer.text, error_.data(), answer.text_bytes);
    return answer;
  }

 private:
  // Run `action`; its exception is the end of the simulation.
  template <typename Action>
  void guard(Action action) {
    try {
      value_ = action();
    } catch (const std::exception& error) {
      error_ = error.what();
    }
    if (model_) cycles_ = model_->cycles();
  }

  uint32_t value_of(const Call& call) {
    const uint64_t* given = call.arguments;
    const auto word = [&](unsigned index) { return static_cast<uint32_t>(given[index]); };
    switch (call.kind) {
      case CallKind::kReset: model_->reset(); return 0;
      case CallKind::kWrite32: model_->write32(word(0), word(1)); return 0;
      case CallKind::kRead32: return model_->read32(word(0));
      case CallKind::kSetTiming: model_->axi().set_timing({word(0), word(1), word(2), given[3]}); return 0;
      case CallKind::kSetPauses: model_->axi().set_pauses({word(0), word(1)}, {word(2), word(3)}); return 0;
      case CallKind::kSetFault: model_->axi().set_fault(given[0], given[1]); return 0;
      case CallKind::kRun: return clock(given[0], word(1));
    }
    return 0;
  }

  RunEnd clock(uint64_t cycles, uint32_t milliseconds) {
    using Clock = std::chrono::steady_clock;
    const auto end = Clock::now() + std::chrono::milliseconds(milliseconds);
    for (uint64_t cycle = 0; cycle < cycles; ++cycle) {
      model_->tick();
      if (model_->irq()) {
        model_->check_quiet();
        return kInterrupt;
      }
      if (cycle % kLook == kLook - 1 && Clock::now() >= end) return kTime;
    }
    return kCycles;
  }

  std::unique_ptr<EngineModel> model_;
  std::string error_;
  uint32_t value_ = 0;
  uint64_t cycles_ = 0;
};

// Whether there is a next call; none comes if the host has closed its end of the socket or is no more.
bool next(Call& call, pid_t host) {
  pollfd socket{kCallSocket, POLLIN, 0};
  while (poll(&socket, 1, kLookMilliseconds) == 0) {
    if (getppid() != host) return false;  // who was forked from it may hold its end of the socket
  }
  return recv(kCallSocket, &call, sizeof call, 0) == sizeof call;
}

bool send(const Answer& answer) {
  return ::send(kCallSocket, &answer, offsetof(Answer, text) + answer.text_bytes, MSG_NOSIGNAL) >= 0;
}

}  // namespace
}  // namespace sterna

int main(int count, char** arguments) {
  using namespace sterna;
  if (count != 5) return 2;
  const auto number = [&](int index) { return std::strtoull(arguments[index], nullptr, 10); };
  Simulator simulator(number(2), number(3), number(4));
  Call call;
  while (send(simulator.answer()) && next(call, static_cast<pid_t>(number(1)))) simulator.run(call);
}
