// SPDX-License-Identifier: Apache-2.0
// The exponential function, to the same bits on every machine: those of C libraries differ.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>

namespace sterna {

/// e^x with a relative error below 1e-15; x beyond +-700 counts as that.
inline double exponential(double x) {
  if (std::isnan(x)) return x;
  constexpr double kMost = 700, kLog2e = 1.4426950408889634, kLn2 = 0.6931471805599453;
  // kLn2 is kLn2High, of few enough bits that its multiples are exact, and kLn2Low, and a remainder too small to matter.
  constexpr double kLn2High = 0.693147180369123816490, kLn2Low = 1.90821492927058770002e-10;
  static_assert(kLn2High + kLn2Low == kLn2);
  const double limited = x < -kMost ? -kMost : x > kMost ? kMost : x;
  const double power = std::floor(limited * kLog2e + 0.5);
  const double rest = (limited - power * kLn2High) - power * kLn2Low;
  // Taylor's series around 0 for |rest| <= ln(2) / 2: the first term that is left out is below 1e-17.
  constexpr double kInverse[] = {1, 1.0 / 2, 1.0 / 3, 1.0 / 4, 1.0 / 5, 1.0 / 6, 1.0 / 7,
                                 1.0 / 8, 1.0 / 9, 1.0 / 10, 1.0 / 11, 1.0 / 12, 1.0 / 13};
  double sum = 1;
  for (int term = 13; term > 0; --term) sum = 1 + sum * (rest * kInverse[term - 1]);
  return sum * std::bit_cast<double>(static_cast<std::uint64_t>(static_cast<std::int64_t>(power) + 1023) << 52);
}

/// 1 / (1 + e^-x).
inline double logistic(double x) { return 1 / (1 + exponential(-x)); }

}  // namespace sterna
