// SPDX-License-Identifier: Apache-2.0
// The board's serial port as a pseudo-terminal, whose path is the first line of output. It ends when its standard input
// does. On it come accesses to the SDRAM that take no cycles: a letter, r or w, byte address and size, 32 bits each and
// lowest byte first, and what is written; what is read goes to standard output, and so does a byte when all is written.
#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "Vulx3s_sim.h"
#include "Vulx3s_sim___024root.h"
#include "verilated.h"

namespace {

// Cycles between two looks at host and standard input.
constexpr std::uint64_t kLook = 256;
// Cycles until the memory may be used.
constexpr std::uint64_t kStart = 20'000;

// A bit on the line takes so many cycles.
constexpr int kBitCycles = BIT_CYCLES;

class Sender {
 public:
  bool idle() const { return left_ == 0; }
  void send(std::uint8_t byte) { bits_ = 0x200U | byte << 1, left_ = 10, cycles_ = kBitCycles; }
  bool line() {
    const bool bit = idle() || bits_ & 1;
    if (!idle() && --cycles_ == 0) bits_ >>= 1, --left_, cycles_ = kBitCycles;
    return bit;
  }

 private:
  unsigned bits_ = 0;
  int left_ = 0, cycles_ = 0;
};

class Receiver {
 public:
  // Whether a byte has come.
  bool take(bool line) {
    if (left_ == 0) {
      if (!line) left_ = 10, cycles_ = kBitCycles / 2;
      return false;
    }
    if (--cycles_) return false;
    cycles_ = kBitCycles;
    bits_ = bits_ >> 1 | (line ? 0x200U : 0U);
    return --left_ == 0;
  }
  std::uint8_t byte() const { return bits_ >> 1 & 0xFF; }

 private:
  unsigned bits_ = 0;
  int left_ = 0, cycles_ = 0;
};

int open_terminal() {
  const int terminal = posix_openpt(O_RDWR | O_NOCTTY | O_NONBLOCK);
  if (terminal < 0 || grantpt(terminal) || unlockpt(terminal)) return -1;
  // Nobody echoes what is written before the host opens it.
  const int other = open(ptsname(terminal), O_RDWR | O_NOCTTY);
  termios settings{};
  tcgetattr(other, &settings);
  cfmakeraw(&settings);
  tcsetattr(other, TCSANOW, &settings);
  std::printf("%s\n", ptsname(terminal));
  std::fflush(stdout);
  return terminal;
}

// The byte of the SDRAM at an address of the board, after it is set to `value` if there is one. The row is above bank and
// column.
std::uint8_t access(const Vulx3s_sim& board, std::uint32_t address, const std::uint8_t* value) {
  const std::uint32_t word = address >> 3;
  const std::uint32_t at = (word >> 7 & 3) << 22 | word >> 9 << 9 | (word & 0x7F) << 2 | (address >> 1 & 3);
  auto& pair = board.rootp->ulx3s_sim__DOT__u_sdram__DOT__memory[at];
  const int shift = 8 * (address & 1);
  if (value) pair = (pair & ~(0xFF << shift)) | *value << shift;
  return pair >> shift & 0xFF;
}

bool take(void* to, std::size_t size) {
  return fread(to, 1, size, stdin) == size;
}

// What standard input asks for of the memory; whether it has not ended.
bool serve(const Vulx3s_sim& board) {
  pollfd input{STDIN_FILENO, POLLIN, 0};
  while (poll(&input, 1, 0) > 0) {
    char command;
    std::uint32_t address, size;
    if (!take(&command, 1) || !take(&address, 4) || !take(&size, 4)) return false;
    std::vector<std::uint8_t> bytes(size);
    if (command == 'w') {
      if (!take(bytes.data(), size)) return false;
      for (std::uint32_t i = 0; i < size; ++i) access(board, address + i, &bytes[i]);
      bytes = {command};
    } else {
      for (std::uint32_t i = 0; i < size; ++i) bytes[i] = access(board, address + i, nullptr);
    }
    fwrite(bytes.data(), 1, bytes.size(), stdout);
    std::fflush(stdout);
  }
  return true;
}

}  // namespace

int main() {
  // What comes is taken as it comes: `poll` does not see what a buffer holds.
  std::setvbuf(stdin, nullptr, _IONBF, 0);
  const int terminal = open_terminal();
  if (terminal < 0) return 1;
  VerilatedContext context;
  Vulx3s_sim board(&context);
  Sender sender;
  Receiver receiver;
  std::array<std::uint8_t, 4096> waiting;
  ssize_t have = 0, sent = 0;
  std::uint64_t cycle = 0;
  board.btn_i = 1;
  for (;; ++cycle) {
    if (cycle == 8) board.btn_i = 0;
    if (cycle % kLook == 0 && !serve(board)) break;
    if (cycle >= kStart && sender.idle()) {
      if (sent == have && cycle % kLook == 0) sent = 0, have = std::max<ssize_t>(0, read(terminal, waiting.data(), waiting.size()));
      if (sent < have) sender.send(waiting[sent++]);
    }
    board.rx_i = sender.line();
    board.clk_i = 1;
    board.eval();
    board.clk_i = 0;
    board.eval();
    if (cycle >= kStart && receiver.take(board.tx_o)) {
      const std::uint8_t byte = receiver.byte();
      while (write(terminal, &byte, 1) != 1) usleep(100);
    }
  }
  board.final();
}
