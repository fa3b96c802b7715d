// SPDX-License-Identifier: Apache-2.0
#include "device/simulation.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "error.h"

extern char** environ;

namespace sterna {
namespace {

constexpr const char* kWhere = "simulated engine";
/// Milliseconds of real time that a call clocks the engine for; others can call between two.
constexpr std::uint64_t kSlice = 200;

[[noreturn]] void refuse_system(const char* what) {
  refuse({kWhere, std::string(what) + " (" + std::strerror(errno) + ")", "", "", "close other programs"});
}

Descriptor checked(int number, const char* what) {
  if (number < 0) refuse_system(what);
  return Descriptor(number);
}

Descriptor memory_file(std::uint64_t bytes) {
  Descriptor file = checked(memfd_create("sterna-memory", MFD_CLOEXEC), "there is no memory");
  if (ftruncate(file.get(), static_cast<off_t>(Memory::file_bytes(bytes))) < 0) refuse_system("there is no memory");
  return file;
}

/// What a process is started with.
class Spawn {
 public:
  Spawn() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~Spawn() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  Spawn(const Spawn&) = delete;
  Spawn& operator=(const Spawn&) = delete;

  void give(const Descriptor& file, int as) { posix_spawn_file_actions_adddup2(&actions_, file.get(), as); }
  void give_nothing(int as) { posix_spawn_file_actions_addopen(&actions_, as, "/dev/null", O_RDONLY, 0); }

  /// Signals that end a host are its own business: its simulator ends with it.
  void keep_from(std::initializer_list<int> signals) {
    sigset_t kept;
    sigemptyset(&kept);
    for (int signal : signals) sigaddset(&kept, signal);
    posix_spawnattr_setsigmask(&attributes_, &kept);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK);
  }

  /// Its number; 0 and errno if it cannot be started.
  pid_t run(const std::vector<std::string>& words) {
    std::vector<char*> arguments;
    for (const std::string& word : words) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    pid_t process = 0;
    errno = posix_spawn(&process, arguments[0], &actions_, &attributes_, arguments.data(), environ);
    return errno ? 0 : process;
  }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

/// A copy at a number that no descriptor of the process gets, as `dup2` onto itself would leave it close on exec.
Descriptor away(Descriptor file) {
  constexpr int kFirst = 16;
  return checked(fcntl(file.get(), F_DUPFD_CLOEXEC, kFirst), "there are no more files");
}

std::string signal_name(int number) {
  switch (number) {
    case SIGSEGV: return "SIGSEGV";
    case SIGABRT: return "SIGABRT";
    case SIGBUS: return "SIGBUS";
    case SIGILL: return "SIGILL";
    case SIGFPE: return "SIGFPE";
    case SIGKILL: return "SIGKILL";
    default: return "signal " + std::to_string(number);
  }
}

/// The last line of what a process has said, in brackets, with a space before it; empty if it has said nothing.
std::string last_words(int file) {
  std::array<char, 1000> tail;
  const off_t size = lseek(file, 0, SEEK_END);
  const ssize_t count = pread(file, tail.data(), tail.size(), std::max<off_t>(0, size - off_t{tail.size()}));
  std::string text(tail.data(), static_cast<std::size_t>(std::max<ssize_t>(0, count)));
  const char* blank = " \t\r\n";
  const std::size_t end = text.find_last_not_of(blank);
  if (end == std::string::npos) return "";
  text.resize(end + 1);
  const std::size_t line = text.find_last_of('\n');
  text.erase(0, line == std::string::npos ? 0 : line + 1);
  return " (" + text.substr(text.find_first_not_of(blank)) + ")";
}

}  // namespace

Simulation::Simulation(std::string program, const SimulatedTiming& timing, std::chrono::milliseconds patience,
                       std::uint64_t base, std::uint64_t bytes)
    : program(std::move(program)), timing(timing), patience_(patience) {
  memory_base = base;
  memory_bytes = bytes;
}

Simulation::~Simulation() { Simulation::close(); }

void Simulation::open() {
  close();
  memory_latency = std::uint64_t{timing.latency_last} + timing.refresh_cycles + timing.gap_cycles;
  try {
    start();
    receive();
    call(CallKind::kSetTiming, timing.latency_first, timing.latency_last, timing.stall_permille, timing.seed);
    call(CallKind::kSetPauses, timing.refresh_every, timing.refresh_cycles, timing.gap_every, timing.gap_cycles);
  } catch (...) {
    close();
    throw;
  }
}

void Simulation::start() {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0) refuse_system("there are no more sockets");
  socket_ = Descriptor(sockets[0]);
  const Descriptor its_socket = away(Descriptor(sockets[1]));
  output_ = away(checked(memfd_create("sterna-simulator-output", MFD_CLOEXEC), "there is no memory"));
  const Descriptor memory = away(memory_file(memory_bytes));
  memory_ = std::make_unique<Memory>(memory_base, memory_bytes, memory.get());
  Spawn spawn;
  spawn.give_nothing(STDIN_FILENO);
  spawn.give(output_, STDOUT_FILENO);
  spawn.give(output_, STDERR_FILENO);
  spawn.give(its_socket, kCallSocket);
  spawn.give(memory, kMemoryFile);
  spawn.keep_from({SIGINT, SIGTERM, SIGHUP});
  const auto number = [](std::uint64_t value) { return std::to_string(value); };
  process_ = spawn.run({program, number(getpid()), number(timing.seed), number(memory_base), number(memory_bytes)});
  cycles_ = 0;
  end_ = 0;
  if (process_) return;
  refuse({program, std::string("the built simulator cannot be started (") + std::strerror(errno) + ")", "", "",
          "delete it"});
}

void Simulation::close() {
  const std::lock_guard lock(mutex_);
  socket_.reset();
  output_.reset();
  memory_.reset();
  if (process_ && !end_) {
    kill(process_, SIGKILL);
    waitpid(process_, nullptr, 0);
  }
  process_ = 0;
}

std::uint32_t Simulation::read32(std::uint32_t address) { return call(CallKind::kRead32, address); }

void Simulation::write32(std::uint32_t address, std::uint32_t value) { call(CallKind::kWrite32, address, value); }

void Simulation::write_memory(std::uint64_t address, std::span<const std::uint8_t> data) {
  require_open();
  check_range(address, data.size());
  memory_->write(address, data.data(), data.size());
}

void Simulation::read_memory(std::uint64_t address, std::span<std::uint8_t> data) {
  require_open();
  check_range(address, data.size());
  memory_->read(address, data.data(), data.size());
}

bool Simulation::wait(std::uint64_t cycles) {
  const std::uint64_t end = cycles_ + cycles;
  while (cycles_ < end) {
    while (callers_) std::this_thread::yield();
    if (call(CallKind::kRun, end - cycles_, kSlice) == kInterrupt) return true;
  }
  return false;
}

void Simulation::reset() { call(CallKind::kReset); }

void Simulation::set_fault(std::uint64_t address, std::uint64_t size) { call(CallKind::kSetFault, address, size); }

std::uint32_t Simulation::call(CallKind kind, std::uint64_t first, std::uint64_t second, std::uint64_t third,
                               std::uint64_t fourth) {
  const bool is_waiting = kind == CallKind::kRun;
  if (!is_waiting) ++callers_;
  const std::lock_guard lock(mutex_);
  if (!is_waiting) --callers_;
  require_open();
  const Call message{kind, 0, {first, second, third, fourth}};
  if (send(socket_.get(), &message, sizeof message, MSG_NOSIGNAL) < 0) refuse_ended();
  return receive();
}

std::uint32_t Simulation::receive() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + patience_;
  pollfd socket{socket_.get(), POLLIN, 0};
  for (int ready = 0; ready <= 0;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now()).count();
    if (left <= 0) refuse_hung();
    ready = poll(&socket, 1, static_cast<int>(left));
    if (ready < 0 && errno != EINTR) refuse_system("the simulator cannot be heard");
  }
  Answer answer;
  if (recv(socket_.get(), &answer, sizeof answer, 0) < static_cast<ssize_t>(offsetof(Answer, text))) refuse_ended();
  cycles_ = answer.cycles;
  if (!answer.text_bytes) return answer.value;
  refuse({std::string(kWhere) + ", cycle " + std::to_string(cycles_),
          "the simulation failed: " + std::string(answer.text, std::min(answer.text_bytes, kMostText)), "", "",
          "open the backend again; if the error returns, the engine's sources or the compiler are at fault"});
}

void Simulation::require_open() const {
  if (!socket_) refuse({kWhere, "the simulation is not open", "", "", "open it first"});
}

void Simulation::check_range(std::uint64_t address, std::uint64_t size) const {
  if (!memory_->holds(address, size)) {
    refuse({kWhere, "has no memory there", "address = " + std::to_string(address), "", "use the memory from its base on"});
  }
}

void Simulation::refuse_ended() {
  int status = end_;
  if (!status) kill(process_, SIGKILL);  // it may have closed its socket and go on; one that ends has its reason already
  if (!status && waitpid(process_, &status, 0) == process_) end_ = status ? status : -1;
  const bool by_signal = end_ > 0 && WIFSIGNALED(end_);
  const int signal = by_signal ? WTERMSIG(end_) : 0;
  const int code = by_signal || end_ < 0 ? 0 : WEXITSTATUS(end_);
  std::string remedy = "open the backend again";
  const auto crashes = {SIGSEGV, SIGABRT, SIGBUS, SIGILL, SIGFPE};
  if (!by_signal || std::ranges::count(crashes, signal)) {
    const std::string folder = std::filesystem::path(program).parent_path();
    remedy += "; if the error returns, delete " + folder + ", which rebuilds the simulator";
  } else if (signal == SIGKILL) {
    remedy = "if the machine ran out of memory, close other programs; then open the backend again";
  }
  refuse({std::string(kWhere) + ", after cycle " + std::to_string(cycles_),
          "the simulator's process " +
              (by_signal ? "was ended by " + signal_name(signal) : "ended with exit code " + std::to_string(code)) +
              last_words(output_.get()),
          "", "", remedy});
}

void Simulation::refuse_hung() {
  kill(process_, SIGKILL);
  refuse({std::string(kWhere) + ", after cycle " + std::to_string(cycles_), "the simulator's process does not answer",
          "", "", "open the backend again"});
}

}  // namespace sterna
