// SPDX-License-Identifier: Apache-2.0
#include "package/arrays.h"

#include <sterna/package.h>

#include <algorithm>

#include "error.h"
#include "package/again.h"

namespace sterna {
namespace {

constexpr std::size_t kBlock = 1 << 14, kBits = 8, kIntegerBytes = 8;

}  // namespace

TernaryWeights::TernaryWeights(const Section& gaps, const Section& signs) : gaps_(gaps), signs_(unpack(signs)) {}

std::vector<std::int8_t> TernaryWeights::take(std::size_t size) {
  std::vector<std::int8_t> weights(size);
  const std::uint64_t start = taken_;
  taken_ += size;
  while (find_next() && next_ < taken_) {
    weights[next_ - start] = next_sign();
    found_ = false;
  }
  return weights;
}

/// Goes on to the next nonzero, unless it is found; false if there is none.
bool TernaryWeights::find_next() {
  std::uint8_t gap = 0;
  while (!found_ && next_gap(gap)) {
    end_ += gap;
    if (gap == STERNA_PACKAGE_RUN) continue;
    next_ = end_++;
    found_ = true;
  }
  return found_;
}

bool TernaryWeights::next_gap(std::uint8_t& gap) {
  if (at_ == block_.size()) {
    block_.resize(std::min(gaps_.left(), kBlock));
    gaps_.read(block_);
    at_ = 0;
    if (block_.empty()) return false;
  }
  gap = block_[at_++];
  return true;
}

std::int8_t TernaryWeights::next_sign() {
  const std::uint64_t byte = nonzeros_ / kBits, bit = nonzeros_ % kBits;
  if (byte >= signs_.size()) {
    refuse({"", "lacks signs of weights", "signs = " + std::to_string(kBits * signs_.size()), "", kAgain});
  }
  ++nonzeros_;
  return signs_[byte] >> bit & 1 ? 1 : -1;
}

void TernaryWeights::finish() {
  if (find_next() || end_ > taken_ || (nonzeros_ + kBits - 1) / kBits != signs_.size()) {
    refuse({"", "holds weights that no layer uses", "weights = " + std::to_string(end_), "", kAgain});
  }
  gaps_.finish();
}

ArrayReader::ArrayReader(const Container& container)
    : ternary_(container.section(STERNA_PACKAGE_SECTION_GAPS), container.section(STERNA_PACKAGE_SECTION_SIGNS)),
      values_(container.section(STERNA_PACKAGE_SECTION_VALUES)),
      integers_(unpack(container.section(STERNA_PACKAGE_SECTION_INTEGERS))),
      room_(STERNA_PACKAGE_MOST_WEIGHTS) {
  if (integers_.size() % kIntegerBytes) refuse({"", "holds a part of an integer", "", "", kAgain});
}

/// The number of values, which is limited for all arrays together.
std::size_t ArrayReader::size_of(const ArrayRecord& record, const std::string& place) {
  std::size_t size = 1;
  for (std::size_t length : record.shape) {
    if (length && size > room_ / length) {
      refuse({"", "is too large", place, std::to_string(STERNA_PACKAGE_MOST_WEIGHTS) + " weights in all", kAgain});
    }
    size *= length;
  }
  room_ -= size;
  return size;
}

std::vector<std::int8_t> ArrayReader::bytes(const ArrayRecord& record, const std::string& place) {
  const std::size_t size = size_of(record, place);
  if (record.type == ArrayRecord::Type::ternary) return ternary_.take(size);
  if (record.type != ArrayRecord::Type::int8 || size > values_.left()) {
    refuse({"", "has an array of the wrong type or size", place, "ternary or int8", kAgain});
  }
  std::vector<std::int8_t> values(size);
  values_.read({reinterpret_cast<std::uint8_t*>(values.data()), size});
  return values;
}

std::vector<std::int64_t> ArrayReader::integers(const ArrayRecord& record, const std::string& place) {
  const std::size_t size = size_of(record, place), all = integers_.size() / kIntegerBytes;
  if (record.type != ArrayRecord::Type::int64 || size > all - integers_taken_) {
    refuse({"", "has an array of the wrong type or size", place, "int64", kAgain});
  }
  std::vector<std::int64_t> values(size);
  for (std::size_t index = 0; index < size; ++index) {
    std::uint64_t value = 0;
    for (std::size_t byte = kIntegerBytes; byte-- > 0;) {
      value = value << kBits | integers_[byte * all + integers_taken_ + index];
    }
    values[index] = static_cast<std::int64_t>(value);
  }
  integers_taken_ += size;
  return values;
}

void ArrayReader::finish() {
  ternary_.finish();
  values_.finish();
  if (integers_taken_ * kIntegerBytes != integers_.size()) {
    refuse({"", "holds integers that no layer uses", "", "", kAgain});
  }
}

}  // namespace sterna
