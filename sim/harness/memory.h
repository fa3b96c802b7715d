// Byte memory at a range of addresses. Only pages that were written exist.
#pragma once

#include <sys/mman.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <system_error>

namespace sterna {

class Memory {
 public:
  static constexpr uint64_t kPageBytes = 4096;

  // Bytes of a file that holds `bytes` bytes of memory: they, then a byte a page, which is 1 if the page exists.
  static constexpr uint64_t file_bytes(uint64_t bytes) { return bytes + bytes / kPageBytes; }

  // `bytes` bytes from `base` on, both multiples of a page: those in `file`, which others may map too; -1: its own.
  Memory(uint64_t base, uint64_t bytes, int file) : base_(base), bytes_(bytes) {
    const int kind = file < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
    void* data = mmap(nullptr, file_bytes(bytes), PROT_READ | PROT_WRITE, kind | MAP_NORESERVE, file, 0);
    if (data == MAP_FAILED) throw std::system_error(errno, std::generic_category(), "the memory cannot be mapped");
    data_ = static_cast<uint8_t*>(data);
  }
  ~Memory() { munmap(data_, file_bytes(bytes_)); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  uint64_t base() const { return base_; }
  uint64_t bytes() const { return bytes_; }

  // The page that holds `address`, or null if there is none or nothing was ever written to it.
  uint8_t* page(uint64_t address) {
    const uint64_t offset = address - base_;
    if (offset >= bytes_ || !data_[bytes_ + offset / kPageBytes]) return nullptr;
    return data_ + offset / kPageBytes * kPageBytes;
  }

  // Whether all of `size` bytes at `address` are inside.
  bool holds(uint64_t address, uint64_t size) const {
    return address >= base_ && size <= bytes_ && address - base_ <= bytes_ - size;
  }

  // Write `size` bytes, which it holds, and make their pages.
  void write(uint64_t address, const uint8_t* data, uint64_t size) {
    if (!size) return;
    const uint64_t offset = address - base_;
    std::memcpy(data_ + offset, data, size);
    const uint64_t first = offset / kPageBytes, last = (offset + size - 1) / kPageBytes;
    std::memset(data_ + bytes_ + first, 1, last - first + 1);
  }

  // Read `size` bytes, which it holds; bytes of pages that do not exist are 0.
  void read(uint64_t address, uint8_t* data, uint64_t size) const {
    if (size) std::memcpy(data, data_ + (address - base_), size);
  }

 private:
  uint64_t base_, bytes_;
  uint8_t* data_;
};

}  // namespace sterna
