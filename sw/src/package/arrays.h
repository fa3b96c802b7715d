// SPDX-License-Identifier: Apache-2.0
// A graph's arrays, from the sections of a package: `sterna.package.arrays` of the Python package explains them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "package/container.h"

namespace sterna {

/// What the graph says of an array.
struct ArrayRecord {
  enum class Type { ternary, int8, int64 };

  Type type = Type::ternary;
  std::vector<std::size_t> shape;
};

/// The sequence of all ternary weights, unpacked as layers take from it.
class TernaryWeights {
 public:
  TernaryWeights(const Section& gaps, const Section& signs);

  std::vector<std::int8_t> take(std::size_t size);
  void finish();

 private:
  bool find_next();
  bool next_gap(std::uint8_t& gap);
  std::int8_t next_sign();

  Unpacker gaps_;
  std::vector<std::uint8_t> signs_;
  std::vector<std::uint8_t> block_;  ///< Gaps that were unpacked.
  std::size_t at_ = 0;               ///< The next of them.
  std::uint64_t taken_ = 0;          ///< Weights that layers took.
  std::uint64_t end_ = 0;            ///< The place after the last gap.
  std::uint64_t next_ = 0;           ///< The place of a nonzero that is found and not taken, if there is one.
  bool found_ = false;
  std::uint64_t nonzeros_ = 0;
};

/// Gives the arrays one by one, in the order in which layers have them. What does not fit throws `Error`.
class ArrayReader {
 public:
  explicit ArrayReader(const Container& container);

  /// Weights, or what else fits a byte. place: the attribute, for errors.
  std::vector<std::int8_t> bytes(const ArrayRecord& record, const std::string& place);
  std::vector<std::int64_t> integers(const ArrayRecord& record, const std::string& place);
  /// Refuses what is left over.
  void finish();

 private:
  std::size_t size_of(const ArrayRecord& record, const std::string& place);

  TernaryWeights ternary_;
  Unpacker values_;
  std::vector<std::uint8_t> integers_;
  std::size_t integers_taken_ = 0;
  std::size_t room_;
};

}  // namespace sterna
