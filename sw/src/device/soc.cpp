// SPDX-License-Identifier: Apache-2.0
#include "device/soc.h"

#include <fcntl.h>
#include <sterna/registers.h>
#include <unistd.h>

#include <cerrno>
#include <filesystem>
#include <utility>

#include "error.h"

namespace sterna {
namespace {

// u-dma-buf's sync_direction, as the kernel's enum dma_data_direction.
constexpr int kToDevice = 1, kFromDevice = 2;

std::string base_name(const std::string& path) { return std::filesystem::path(path).filename().string(); }

}  // namespace

SocTransport::SocTransport(std::string device, std::string memory, BoardOptions options)
    : Board(std::move(device), std::move(options)), memory_name_(std::move(memory)) {}

void SocTransport::open() {
  close();
  try {
    device_file_ = open_alone(path(name_));
    const std::string map = path("/sys/class/uio/" + base_name(name_) + "/maps/map0/");
    const std::uint64_t bytes = read_number(map + "size");
    first_register_ = read_number(map + "offset");
    constexpr std::uint64_t kRegisters = std::uint64_t{1} << STERNA_REGISTER_ADDR_W;
    if (bytes < kRegisters || first_register_ > bytes - kRegisters) {
      refuse({name_, "its first map is too small for the engine's registers", "bytes = " + std::to_string(bytes),
              "at least " + std::to_string(kRegisters), "correct the reg property in the device tree"});
    }
    registers_ = Mapping(name_, device_file_.get(), 0, bytes);
    interrupts_ = Descriptor(open_interrupts());
    // Cached where its sync_mode allows that; sync tells the kernel of each transfer, in every mode.
    memory_file_ = open_alone(path(memory_name_));
    const std::string buffer = path("/sys/class/u-dma-buf/" + base_name(memory_name_) + "/");
    memory_base = read_number(buffer + "phys_addr");
    memory_bytes = read_number(buffer + "size");
    memory_ = Mapping(memory_name_, memory_file_.get(), 0, memory_bytes);
  } catch (...) {
    close();
    throw;
  }
}

void SocTransport::close() {
  Board::close();
  device_file_.reset();
  interrupts_.reset();
  memory_file_.reset();
}

int SocTransport::open_interrupts() {
  const int file = fcntl(device_file_.get(), F_DUPFD_CLOEXEC, 0);
  if (file < 0) refuse_errno(name_, "cannot be opened", "close other programs");
  return file;
}

bool SocTransport::wait(std::uint64_t cycles) {
  require_open();
  if (!enable_interrupt()) return poll_status(cycles);
  if (wait_for(name_, {interrupts_.get()}, time_of(cycles, options_.mhz)) < 0) return false;
  std::uint32_t count = 0;
  if (read(interrupts_.get(), &count, sizeof count) == sizeof count) return true;
  refuse({name_, "the device is gone: it signals no interrupts any more", "", "", "check it, and open it again"});
}

/// The kernel masks an interrupt when it comes. Whether the device has one.
bool SocTransport::enable_interrupt() {
  const std::uint32_t one = 1;
  if (write(interrupts_.get(), &one, sizeof one) == sizeof one) return true;
  if (errno == EIO || errno == ENOSYS) return false;
  refuse({name_, "the device is gone: its interrupt cannot be enabled", "", "", "check it, and open it again"});
}

void SocTransport::sync_for_device(std::uint64_t offset, std::uint64_t bytes) {
  sync("sync_for_device", kToDevice, offset, bytes);
}

void SocTransport::sync_for_cpu(std::uint64_t offset, std::uint64_t bytes) {
  sync("sync_for_cpu", kFromDevice, offset, bytes);
}

void SocTransport::sync(const char* for_whom, int direction, std::uint64_t offset, std::uint64_t bytes) {
  tell("sync_offset", std::to_string(offset));
  tell("sync_size", std::to_string(bytes));
  tell("sync_direction", std::to_string(direction));
  tell(for_whom, "1");
}

void SocTransport::tell(const std::string& attribute, const std::string& value) {
  write_text(path("/sys/class/u-dma-buf/" + base_name(memory_name_) + "/" + attribute), value);
}

}  // namespace sterna
