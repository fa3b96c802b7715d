// Sparse byte memory over a 64-bit address space. Only pages that were written exist.
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <unordered_map>

namespace sterna {

class Memory {
 public:
  static constexpr uint64_t kPageBytes = 4096;

  // The page that holds `address`, or null if nothing was ever written to it.
  uint8_t* page(uint64_t address) {
    const uint64_t number = address / kPageBytes;
    if (number != last_number_ || last_ == nullptr) {
      const auto found = pages_.find(number);
      last_number_ = number;
      last_ = found == pages_.end() ? nullptr : found->second->data();
    }
    return last_;
  }

  // Write `size` bytes, making pages as needed.
  void write(uint64_t address, const uint8_t* data, uint64_t size) {
    for_each_page(address, size, [&](uint64_t at, uint64_t done, uint64_t count) {
      auto& page = pages_[at / kPageBytes];
      if (!page) page = std::make_unique<Page>();
      std::memcpy(page->data() + at % kPageBytes, data + done, count);
    });
    last_ = nullptr;
  }

  // Read `size` bytes; bytes of pages that do not exist are 0.
  void read(uint64_t address, uint8_t* data, uint64_t size) {
    for_each_page(address, size, [&](uint64_t at, uint64_t done, uint64_t count) {
      const uint8_t* source = page(at);
      if (source) {
        std::memcpy(data + done, source + at % kPageBytes, count);
      } else {
        std::memset(data + done, 0, count);
      }
    });
  }

 private:
  using Page = std::array<uint8_t, kPageBytes>;

  template <typename Action>
  static void for_each_page(uint64_t address, uint64_t size, Action action) {
    for (uint64_t done = 0; done < size;) {
      const uint64_t at = address + done;
      const uint64_t room = kPageBytes - at % kPageBytes;
      const uint64_t count = room < size - done ? room : size - done;
      action(at, done, count);
      done += count;
    }
  }

  std::unordered_map<uint64_t, std::unique_ptr<Page>> pages_;
  uint64_t last_number_ = 0;
  uint8_t* last_ = nullptr;
};

}  // namespace sterna
