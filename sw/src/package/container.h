// SPDX-License-Identifier: Apache-2.0
// The container of a package: sections of a name and a payload (docs/reference/package.md).
//
// What a section may unpack to is limited before it is unpacked, and every byte is checked.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace sterna {

/// A section: its payload, still packed, and the bytes that it unpacks to.
struct Section {
  std::string name;
  std::span<const std::uint8_t> payload;
  std::uint64_t size = 0;
};

class Container {
 public:
  /// The sections of the package `data`, which has to outlive it, that this version knows. Throws `Error` for what is
  /// no package, damaged, of another format, too large when it is unpacked, or holds a mandatory section that this
  /// version does not know.
  explicit Container(std::span<const std::uint8_t> data);

  /// A mandatory section, by the number of its name (STERNA_PACKAGE_SECTION_...).
  const Section& section(std::uint64_t name) const { return sections_.at(name); }
  /// Whether it has a section that it may lack.
  bool has(std::uint64_t name) const { return sections_.contains(name); }

 private:
  std::map<std::uint64_t, Section> sections_;
};

/// The payload of a section, unpacked as it is read, and never more than its header says.
class Unpacker {
 public:
  explicit Unpacker(const Section& section);
  ~Unpacker();

  /// Bytes that are still to be read.
  std::size_t left() const { return left_; }
  /// The next bytes, as many as `bytes` has. Throws `Error` if there are fewer or they are damaged.
  void read(std::span<std::uint8_t> bytes);
  /// Throws `Error` unless all has been read and nothing comes after it.
  void finish();

 private:
  struct Inflate;

  std::size_t fill(std::span<std::uint8_t> bytes);
  [[noreturn]] void broken(const std::string& reason) const;

  const Section& section_;
  std::size_t left_;
  std::unique_ptr<Inflate> inflate_;
};

/// The whole payload of a section.
std::vector<std::uint8_t> unpack(const Section& section);

}  // namespace sterna
