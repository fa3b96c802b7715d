// SPDX-License-Identifier: Apache-2.0
#include "sections.h"

#include <sterna/package.h>
#include <zlib.h>

#include <algorithm>

namespace sterna::fuzz {
namespace {

constexpr std::size_t kLongestStored = 65535;

std::uint64_t number(const Bytes& header, std::size_t offset, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t at = size; at-- > 0;) value = value << 8 | header[offset + at];
  return value;
}

void write(Bytes& header, std::size_t offset, std::size_t size, std::uint64_t value) {
  for (std::size_t at = 0; at < size; ++at) header[offset + at] = static_cast<std::uint8_t>(value >> (8 * at));
}

std::uint64_t crc_of(std::span<const std::uint8_t> bytes) { return crc32_z(0, bytes.data(), bytes.size()); }

/// Both headers end with their checksum.
void write_crc(Bytes& header) {
  constexpr std::size_t size = STERNA_PACKAGE_HEADER_CRC_SIZE;
  write(header, header.size() - size, size, crc_of(std::span(header).first(header.size() - size)));
}

}  // namespace

std::optional<RawPackage> parted(std::span<const std::uint8_t> data) {
  const auto take = [&](std::size_t size) {
    const Bytes taken(data.begin(), data.begin() + size);
    data = data.subspan(size);
    return taken;
  };
  if (data.size() < STERNA_PACKAGE_HEADER_SIZE) return {};
  RawPackage package{take(STERNA_PACKAGE_HEADER_SIZE), {}};
  while (!data.empty()) {
    if (data.size() < STERNA_SECTION_HEADER_SIZE) return {};
    RawSection section{take(STERNA_SECTION_HEADER_SIZE), {}};
    const std::uint64_t size = number(section.header, STERNA_SECTION_HEADER_PACKED_BYTES_OFFSET,
                                      STERNA_SECTION_HEADER_PACKED_BYTES_SIZE);
    if (size > data.size()) return {};
    section.packed = take(size);
    package.sections.push_back(std::move(section));
  }
  return package;
}

Bytes joined(RawPackage package) {
  Bytes body;
  for (RawSection& section : package.sections) {
    write(section.header, STERNA_SECTION_HEADER_PACKED_BYTES_OFFSET, STERNA_SECTION_HEADER_PACKED_BYTES_SIZE,
          section.packed.size());
    write(section.header, STERNA_SECTION_HEADER_PAYLOAD_CRC_OFFSET, STERNA_SECTION_HEADER_PAYLOAD_CRC_SIZE,
          crc_of(section.packed));
    write_crc(section.header);
    body.insert(body.end(), section.header.begin(), section.header.end());
    body.insert(body.end(), section.packed.begin(), section.packed.end());
  }
  write(package.header, STERNA_PACKAGE_HEADER_SECTIONS_OFFSET, STERNA_PACKAGE_HEADER_SECTIONS_SIZE,
        package.sections.size());
  write(package.header, STERNA_PACKAGE_HEADER_BYTES_OFFSET, STERNA_PACKAGE_HEADER_BYTES_SIZE,
        package.header.size() + body.size());
  write_crc(package.header);
  body.insert(body.begin(), package.header.begin(), package.header.end());
  return body;
}

std::optional<Bytes> unpacked(const RawSection& section, std::size_t most) {
  Bytes payload(most);
  z_stream stream{};
  stream.next_in = const_cast<Bytef*>(section.packed.data());
  stream.avail_in = static_cast<uInt>(section.packed.size());
  stream.next_out = payload.data();
  stream.avail_out = static_cast<uInt>(payload.size());
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) return {};
  const bool is_whole = inflate(&stream, Z_FINISH) == Z_STREAM_END;
  payload.resize(stream.total_out);
  inflateEnd(&stream);
  return is_whole ? std::optional(payload) : std::nullopt;
}

void set_payload(RawSection& section, std::span<const std::uint8_t> payload) {
  section.packed.clear();
  write(section.header, STERNA_SECTION_HEADER_BYTES_OFFSET, STERNA_SECTION_HEADER_BYTES_SIZE, payload.size());
  do {
    const std::span<const std::uint8_t> block = payload.first(std::min(payload.size(), kLongestStored));
    payload = payload.subspan(block.size());
    const auto size = static_cast<std::uint16_t>(block.size());
    for (const int byte : {int{payload.empty()}, size & 255, size >> 8, ~size & 255, ~size >> 8 & 255}) {
      section.packed.push_back(static_cast<std::uint8_t>(byte));
    }
    section.packed.insert(section.packed.end(), block.begin(), block.end());
  } while (!payload.empty());
}

}  // namespace sterna::fuzz
