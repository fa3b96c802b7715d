#include "tape.h"

#include <array>
#include <cstring>
#include <vector>

namespace sterna {
namespace {

// Of every header: its size and where its own CRC lies. Of the tape's: the number of segments. Of a segment's: the
// bytes of the payload and their CRC.
constexpr uint64_t kHeaderBytes = 64, kCrc = 60;
constexpr uint64_t kSegments = 24;
constexpr uint64_t kPayloadBytes = 8, kPayloadCrc = 16;
// CRC-32 as zlib has it, least significant bit first.
constexpr uint32_t kPolynomial = 0xEDB88320;

std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? kPolynomial : 0);
    table[byte] = crc;
  }
  return table;
}

uint32_t crc32(const uint8_t* data, uint64_t size) {
  static const std::array<uint32_t, 256> table = make_table();
  uint32_t crc = ~0U;
  for (uint64_t i = 0; i < size; ++i) crc = crc >> 8 ^ table[(crc ^ data[i]) & 0xFF];
  return ~crc;
}

template <typename Number>
Number number(const uint8_t* data) {
  Number value;
  std::memcpy(&value, data, sizeof value);
  return value;
}

bool header_right(const uint8_t* header) { return crc32(header, kCrc) == number<uint32_t>(header + kCrc); }

}  // namespace

bool checksums_right(Memory& memory, uint64_t address, uint64_t bytes) {
  std::vector<uint8_t> tape(bytes);
  memory.read(address, tape.data(), bytes);
  if (bytes < kHeaderBytes || !header_right(tape.data())) return false;
  uint64_t at = kHeaderBytes;
  for (uint32_t left = number<uint32_t>(tape.data() + kSegments); left; --left) {
    if (bytes - at < kHeaderBytes || !header_right(&tape[at])) return false;
    const uint64_t payload = number<uint64_t>(&tape[at + kPayloadBytes]);
    const uint32_t crc = number<uint32_t>(&tape[at + kPayloadCrc]);
    at += kHeaderBytes;
    if (bytes - at < payload || crc32(tape.data() + at, payload) != crc) return false;
    at += payload;
  }
  return at == bytes;
}

}  // namespace sterna
