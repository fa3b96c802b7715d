#include "tape.h"

#include <array>
#include <cstring>
#include <sterna/tape.h>
#include <vector>

namespace sterna {
namespace {

std::array<uint32_t, 256> make_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < table.size(); ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? STERNA_CRC_POLYNOMIAL : 0);
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

// A header's own CRC lies at `place`, after all that it is of.
bool header_right(const uint8_t* header, uint64_t place) {
  return crc32(header, place) == number<uint32_t>(header + place);
}

}  // namespace

bool checksums_right(Memory& memory, uint64_t address, uint64_t bytes) {
  if (!memory.holds(address, bytes)) return false;
  std::vector<uint8_t> tape(bytes);
  memory.read(address, tape.data(), bytes);
  if (bytes < STERNA_TAPE_HEADER_SIZE || !header_right(tape.data(), STERNA_TAPE_HEADER_CRC_OFFSET)) return false;
  uint64_t at = STERNA_TAPE_HEADER_SIZE;
  for (uint32_t left = number<uint32_t>(&tape[STERNA_TAPE_HEADER_SEGMENTS_OFFSET]); left; --left) {
    if (bytes - at < STERNA_SEGMENT_HEADER_SIZE || !header_right(&tape[at], STERNA_SEGMENT_HEADER_CRC_OFFSET)) {
      return false;
    }
    const uint64_t payload = number<uint64_t>(&tape[at + STERNA_SEGMENT_HEADER_BYTES_OFFSET]);
    const uint32_t crc = number<uint32_t>(&tape[at + STERNA_SEGMENT_HEADER_PAYLOAD_CRC_OFFSET]);
    at += STERNA_SEGMENT_HEADER_SIZE;
    if (bytes - at < payload || crc32(tape.data() + at, payload) != crc) return false;
    at += payload;
  }
  return at == bytes;
}

}  // namespace sterna
