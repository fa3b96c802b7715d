// SPDX-License-Identifier: Apache-2.0
// Numbers as bytes, the lowest first, and their checksum.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sterna {

/// Writes the lowest `size` bytes of `value` to `at`.
inline void put_number(std::uint8_t* at, std::uint64_t value, std::size_t size) {
  for (std::size_t byte = 0; byte < size; ++byte) at[byte] = static_cast<std::uint8_t>(value >> (8 * byte));
}

/// The same at the end of `bytes`.
inline void append_number(std::vector<std::uint8_t>& bytes, std::uint64_t value, std::size_t size) {
  bytes.resize(bytes.size() + size);
  put_number(bytes.data() + bytes.size() - size, value, size);
}

inline std::uint32_t crc_of(std::span<const std::uint8_t> bytes) {
  return static_cast<std::uint32_t>(crc32_z(0, bytes.data(), bytes.size()));
}

}  // namespace sterna
