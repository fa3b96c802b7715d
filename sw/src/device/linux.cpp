// SPDX-License-Identifier: Apache-2.0
#include "device/linux.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>

#include "error.h"

namespace sterna {
namespace {

void* new_memory(std::size_t bytes) {
  constexpr int kKind = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
  void* huge = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, kKind | MAP_HUGETLB, -1, 0);
  return huge != MAP_FAILED ? huge : mmap(nullptr, bytes, PROT_READ | PROT_WRITE, kKind, -1, 0);
}

}  // namespace

Mapping::Mapping(const std::string& where, int file, std::uint64_t offset, std::size_t bytes) : bytes_(bytes) {
  void* data = file < 0 ? new_memory(bytes)
                        : mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file, static_cast<off_t>(offset));
  if (data == MAP_FAILED) refuse_errno(where, "cannot be mapped", "check the driver and the sizes that it names");
  data_ = static_cast<std::uint8_t*>(data);
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

Mapping& Mapping::operator=(Mapping&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Mapping::~Mapping() {
  if (data_) munmap(data_, bytes_);
}

std::uint32_t read_register(const Mapping& mapping, std::uint64_t offset) {
  return *reinterpret_cast<const volatile std::uint32_t*>(mapping.data() + offset);
}

void write_register(const Mapping& mapping, std::uint64_t offset, std::uint32_t value) {
  *reinterpret_cast<volatile std::uint32_t*>(mapping.data() + offset) = value;
}

Descriptor open_alone(const std::string& path) {
  Descriptor file(open(path.c_str(), O_RDWR | O_CLOEXEC));
  const int failed = file ? 0 : errno;
  if (failed == EBUSY || (file && flock(file.get(), LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK)) {
    refuse({path, "is in use by another process", "", "", "end that process, or use another device"});
  }
  errno = failed;
  if (!file) refuse_errno(path, "cannot be opened", "check that its driver is loaded, and your permissions");
  return file;
}

std::uint64_t read_number(const std::string& path) {
  std::ifstream file(path);
  std::string text;
  file >> text;
  char* end = nullptr;
  errno = 0;
  const std::uint64_t number = std::strtoull(text.c_str(), &end, 0);
  if (text.empty() || *end || errno || text[0] == '-') {
    refuse({path, "holds no number", "", "", "check the driver and its version"});
  }
  return number;
}

void write_text(const std::string& path, const std::string& text) {
  const Descriptor file(open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file || write(file.get(), text.data(), text.size()) != static_cast<ssize_t>(text.size())) {
    refuse_errno(path, "cannot be written", "check your permissions");
  }
}

std::string link_name(const std::string& path) {
  std::error_code failed;
  const std::filesystem::path target = std::filesystem::read_symlink(path, failed);
  return failed ? "" : target.filename().string();
}

int wait_for(const std::string& where, const std::vector<int>& files, std::chrono::nanoseconds time) {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point end = Clock::now() + time;
  std::vector<pollfd> polled;
  for (int file : files) polled.push_back({file, POLLIN, 0});
  while (true) {
    const auto left = std::max<std::chrono::nanoseconds>(end - Clock::now(), std::chrono::nanoseconds(0));
    const timespec limit{left.count() / 1'000'000'000, left.count() % 1'000'000'000};
    const int ready = ppoll(polled.data(), polled.size(), &limit, nullptr);
    if (ready == 0) return -1;
    if (ready < 0 && errno != EINTR) refuse_errno(where, "cannot be waited for", "open it again");
    if (ready < 0) continue;
    for (std::size_t at = 0; at < polled.size(); ++at) {
      if (polled[at].revents & POLLIN) return static_cast<int>(at);
    }
    refuse({where, "the device is gone: it signals no interrupts any more", "", "", "check it, and open it again"});
  }
}

std::chrono::nanoseconds time_of(std::uint64_t cycles, double mhz) {
  constexpr double kMost = 1e18;
  return std::chrono::nanoseconds(static_cast<std::int64_t>(std::min(kMost, static_cast<double>(cycles) * 1e3 / mhz)));
}

void refuse_errno(const std::string& where, const std::string& what, const std::string& remedy) {
  refuse({where, what + " (" + std::strerror(errno) + ")", "", "", remedy});
}

}  // namespace sterna
