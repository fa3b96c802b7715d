// SPDX-License-Identifier: Apache-2.0
// Canonical signed digits: how a weight of several bits becomes a sum of shifted -1, 0, +1.
//
// The same form as in `sterna.graph.csd` of the Python package, which tells its source.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace sterna {

/// Digits that any int8 needs.
inline constexpr int kMaxDigits = 8;

/// The digits of a weight, least significant first.
using Digits = std::array<std::int8_t, kMaxDigits>;

constexpr Digits recoded(int weight) {
  Digits digits{};
  int count = 0;
  while (weight) {
    const int digit = weight % 2 ? 2 - ((weight % 4) + 4) % 4 : 0;
    digits[count++] = static_cast<std::int8_t>(digit);
    weight = (weight - digit) / 2;
  }
  // At the top 1 0 -1 is written 1 1: as few nonzeros, and one digit less.
  if (count >= 3 && !digits[count - 2] && digits[count - 3] == -digits[count - 1]) {
    digits[count - 3] = digits[count - 2] = digits[count - 1];
    digits[count - 1] = 0;
  }
  return digits;
}

/// The largest magnitude that is met when digits are applied from the highest down, doubling in between.
constexpr int horner_peak(const Digits& digits) {
  int value = 0, peak = 0;
  for (int place = kMaxDigits - 1; place >= 0; --place) {
    const int doubled = 2 * value;
    value = doubled + digits[place];
    peak = std::max({peak, doubled, -doubled, value, -value});
  }
  return peak;
}

struct CsdTables {
  std::array<Digits, 256> digits{};
  std::array<std::uint8_t, 256> peaks{};
};

/// By the weight's byte.
inline constexpr CsdTables kCsd = [] {
  CsdTables tables;
  for (int weight = -128; weight < 128; ++weight) {
    const auto byte = static_cast<std::uint8_t>(weight);
    tables.digits[byte] = recoded(weight);
    tables.peaks[byte] = static_cast<std::uint8_t>(horner_peak(tables.digits[byte]));
  }
  return tables;
}();

constexpr const Digits& digits_of(std::int8_t weight) { return kCsd.digits[static_cast<std::uint8_t>(weight)]; }

/// The largest magnitude that is met on the way to a weight.
constexpr int peak_of(std::int8_t weight) { return kCsd.peaks[static_cast<std::uint8_t>(weight)]; }

}  // namespace sterna
