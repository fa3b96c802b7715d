// SPDX-License-Identifier: Apache-2.0
#include "package/container.h"

#include <sterna/package.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <new>
#include <optional>

#include "bytes.h"
#include "error.h"
#include "package/again.h"

namespace sterna {
namespace {

using Bytes = std::span<const std::uint8_t>;

/// The sections that this version knows.
struct Known {
  std::uint64_t name;
  std::uint64_t most;  ///< Bytes that it may unpack to.
  bool mandatory;
};

constexpr std::array kKnown{
    Known{STERNA_PACKAGE_SECTION_GRAPH, STERNA_PACKAGE_MOST_GRAPH, true},
    Known{STERNA_PACKAGE_SECTION_GAPS, STERNA_PACKAGE_MOST_GAPS, true},
    Known{STERNA_PACKAGE_SECTION_SIGNS, STERNA_PACKAGE_MOST_SIGNS, true},
    Known{STERNA_PACKAGE_SECTION_VALUES, STERNA_PACKAGE_MOST_VALUES, true},
    Known{STERNA_PACKAGE_SECTION_INTEGERS, STERNA_PACKAGE_MOST_INTEGERS, true},
    Known{STERNA_PACKAGE_SECTION_CONFIG, STERNA_PACKAGE_MOST_CONFIG, true},
    Known{STERNA_PACKAGE_SECTION_SCHEDULE, STERNA_PACKAGE_MOST_SCHEDULE, true},
    Known{STERNA_PACKAGE_SECTION_FILTERS, STERNA_PACKAGE_MOST_FILTERS, true},
    Known{STERNA_PACKAGE_SECTION_CYCLES, STERNA_PACKAGE_MOST_CYCLES, false},
};

constexpr std::size_t kCrcBytes = STERNA_PACKAGE_HEADER_CRC_SIZE;

/// A little-endian number of `size` bytes.
std::uint64_t number(Bytes bytes, std::size_t offset, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t at = size; at-- > 0;) value = value << 8 | bytes[offset + at];
  return value;
}

/// Takes `size` bytes off the front of `rest`.
Bytes take(Bytes& rest, std::size_t size) {
  const Bytes taken = rest.first(size);
  rest = rest.subspan(size);
  return taken;
}

/// Takes a header, whose last bytes are the CRC-32 of those before.
Bytes take_header(Bytes& rest, std::size_t size, const std::string& what) {
  if (rest.size() < size) refuse({"", "is truncated", "", "", kAgain});
  const Bytes header = take(rest, size);
  if (crc_of(header.first(size - kCrcBytes)) != number(header, size - kCrcBytes, kCrcBytes)) {
    refuse({"", "is damaged (" + what + ")", "", "", kAgain});
  }
  return header;
}

std::string letters(std::uint64_t name) {
  std::string text;
  for (; name; name >>= 8) {
    const char letter = static_cast<char>(name);
    text += letter > ' ' && letter <= '~' ? letter : '?';
  }
  return text;
}

void check_limit(const std::string& what, std::uint64_t value, std::uint64_t most) {
  if (value > most) {
    refuse({"", "is too large", what + " = " + std::to_string(value), "at most " + std::to_string(most), kAgain});
  }
}

void check_format(std::uint64_t format) {
  if (format != STERNA_PACKAGE_FORMAT) {
    refuse({"", "is a package of another version", "format = " + std::to_string(format),
            std::to_string(STERNA_PACKAGE_FORMAT),
            format > STERNA_PACKAGE_FORMAT ? "install the later version of Sterna that wrote it, or compile the graph "
                                             "again with this one"
                                           : "compile the graph again with this version of Sterna"});
  }
}

/// What is known of a section; nothing of one that may be skipped.
std::optional<Known> known(Bytes header, const std::string& name) {
  const std::uint64_t found = number(header, STERNA_SECTION_HEADER_NAME_OFFSET, STERNA_SECTION_HEADER_NAME_SIZE);
  for (const Known& each : kKnown) {
    if (each.name == found) return each;
  }
  if (header[STERNA_SECTION_HEADER_MANDATORY_OFFSET]) {
    refuse({"", "needs a later version of Sterna", "section = " + name, "",
            "install the version of Sterna that wrote it, or compile the graph again with this one"});
  }
  return {};
}

}  // namespace

Container::Container(Bytes data) {
  Bytes rest = data;
  const Bytes header = take_header(rest, STERNA_PACKAGE_HEADER_SIZE, "its header");
  const auto field = [&](std::size_t offset, std::size_t size) { return number(header, offset, size); };
  if (field(STERNA_PACKAGE_HEADER_MAGIC_OFFSET, STERNA_PACKAGE_HEADER_MAGIC_SIZE) != STERNA_PACKAGE_MAGIC) {
    refuse({"", "is not a Sterna package", "", "", "give a file made by sterna compile"});
  }
  check_format(field(STERNA_PACKAGE_HEADER_FORMAT_OFFSET, STERNA_PACKAGE_HEADER_FORMAT_SIZE));
  const std::uint64_t total = field(STERNA_PACKAGE_HEADER_BYTES_OFFSET, STERNA_PACKAGE_HEADER_BYTES_SIZE);
  if (total != data.size()) {
    refuse({"", "is truncated or has extra bytes", "bytes = " + std::to_string(data.size()), std::to_string(total),
            kAgain});
  }
  const std::uint64_t count = field(STERNA_PACKAGE_HEADER_SECTIONS_OFFSET, STERNA_PACKAGE_HEADER_SECTIONS_SIZE);
  check_limit("sections", count, STERNA_PACKAGE_MOST_SECTIONS);
  for (std::uint64_t index = 0; index < count; ++index) {
    const Bytes head =
        take_header(rest, STERNA_SECTION_HEADER_SIZE, "the header of section " + std::to_string(index));
    const auto part = [&](std::size_t offset, std::size_t size) { return number(head, offset, size); };
    const std::string name = letters(part(STERNA_SECTION_HEADER_NAME_OFFSET, STERNA_SECTION_HEADER_NAME_SIZE));
    const std::uint64_t packed =
        part(STERNA_SECTION_HEADER_PACKED_BYTES_OFFSET, STERNA_SECTION_HEADER_PACKED_BYTES_SIZE);
    const std::uint64_t crc = part(STERNA_SECTION_HEADER_PAYLOAD_CRC_OFFSET, STERNA_SECTION_HEADER_PAYLOAD_CRC_SIZE);
    if (packed > rest.size() || crc_of(rest.first(packed)) != crc) {
      refuse({"", "is damaged (section " + name + ")", "", "", kAgain});
    }
    const Bytes payload = take(rest, packed);
    const std::optional<Known> section = known(head, name);
    if (!section) continue;
    const std::uint64_t size = part(STERNA_SECTION_HEADER_BYTES_OFFSET, STERNA_SECTION_HEADER_BYTES_SIZE);
    check_limit("unpacked bytes of " + name, size, section->most);
    if (!sections_.emplace(section->name, Section{name, payload, size}).second) {
      refuse({"", "holds two sections " + name, "", "", kAgain});
    }
  }
  if (!rest.empty()) refuse({"", "is damaged (bytes follow the last section)", "", "", kAgain});
  for (const Known& each : kKnown) {
    if (each.mandatory && !sections_.contains(each.name)) {
      refuse({"", "lacks sections", "sections = " + letters(each.name), "", kAgain});
    }
  }
}

struct Unpacker::Inflate {
  z_stream stream{};
  bool ended = false;
};

Unpacker::Unpacker(const Section& section)
    : section_(section), left_(section.size), inflate_(std::make_unique<Inflate>()) {
  z_stream& stream = inflate_->stream;
  stream.next_in = const_cast<Bytef*>(section.payload.data());
  stream.avail_in = static_cast<uInt>(section.payload.size());
  if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) throw std::bad_alloc();
}

Unpacker::~Unpacker() { inflateEnd(&inflate_->stream); }

void Unpacker::broken(const std::string& reason) const {
  refuse({"", "is damaged (section " + section_.name + ": " + reason + ")", "", "", kAgain});
}

/// Fills `bytes` as far as there are any; how many.
std::size_t Unpacker::fill(std::span<std::uint8_t> bytes) {
  z_stream& stream = inflate_->stream;
  stream.next_out = bytes.data();
  stream.avail_out = static_cast<uInt>(bytes.size());
  while (!inflate_->ended && stream.avail_out) {
    const int result = ::inflate(&stream, Z_NO_FLUSH);
    inflate_->ended = result == Z_STREAM_END;
    if (result == Z_BUF_ERROR) break;
    if (result != Z_OK && result != Z_STREAM_END) broken(stream.msg ? stream.msg : "it cannot be unpacked");
  }
  return bytes.size() - stream.avail_out;
}

void Unpacker::read(std::span<std::uint8_t> bytes) {
  if (bytes.size() > left_) {
    broken(std::to_string(bytes.size()) + " bytes are wanted and " + std::to_string(left_) + " are left");
  }
  const std::size_t found = fill(bytes);
  if (found < bytes.size()) broken("it unpacks to " + std::to_string(section_.size - left_ + found) + " bytes");
  left_ -= bytes.size();
}

void Unpacker::finish() {
  if (left_) broken(std::to_string(left_) + " bytes of it are not used");
  std::array<std::uint8_t, 1> more;
  if (fill(more) || !inflate_->ended || inflate_->stream.avail_in) {
    broken("it does not end after " + std::to_string(section_.size) + " bytes");
  }
}

std::vector<std::uint8_t> unpack(const Section& section) {
  constexpr std::size_t kAtOnce = 1 << 14;
  Unpacker unpacker(section);
  std::vector<std::uint8_t> bytes;
  while (unpacker.left()) {  // what a header claims is taken only as it is found
    const std::size_t before = bytes.size(), more = std::min(unpacker.left(), kAtOnce);
    bytes.resize(before + more);
    unpacker.read(std::span(bytes).subspan(before));
  }
  unpacker.finish();
  return bytes;
}

}  // namespace sterna
