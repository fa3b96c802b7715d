// SPDX-License-Identifier: Apache-2.0
// Packages taken apart and put together again, with lengths and checksums that fit.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace sterna::fuzz {

using Bytes = std::vector<std::uint8_t>;

/// A section as it lies in the file.
struct RawSection {
  Bytes header, packed;
};

struct RawPackage {
  Bytes header;
  std::vector<RawSection> sections;
};

/// The parts of a package whose headers lead to its end; nothing if they do not.
std::optional<RawPackage> parted(std::span<const std::uint8_t> data);

/// The file of the parts. Says how many sections and bytes there are, and writes all checksums.
Bytes joined(RawPackage package);

/// What a section unpacks to, `most` bytes at most; nothing if it is damaged or larger.
std::optional<Bytes> unpacked(const RawSection& section, std::size_t most);

/// Gives a section another payload, which it holds without compression, so that a change of a byte is one of a byte.
void set_payload(RawSection& section, std::span<const std::uint8_t> payload);

}  // namespace sterna::fuzz
