// SPDX-License-Identifier: Apache-2.0
#include "emulator/scaling.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace sterna {
namespace {

/// The activation of sum `s`, with every step rounded to `Real` as the kernels round it.
template <typename Real>
Real activation(std::int32_t s, const Scaling& scaling) {
  const Real t = std::fma(static_cast<Real>(s), static_cast<Real>(scaling.multiplier), static_cast<Real>(scaling.bias));
  const Real made = std::floor(std::max(t, t * static_cast<Real>(scaling.slope)) + static_cast<Real>(scaling.half));
  return std::clamp(made, static_cast<Real>(scaling.act_min), static_cast<Real>(scaling.act_max));
}

bool agree(std::int32_t s, const Scaling& scaling) {
  return activation<float>(s, scaling) == static_cast<float>(activation<double>(s, scaling));
}

/// Whether single precision gives every activation that double precision gives.
///
/// Both never fall as the sum rises, so they are equal for all sums if they are equal at the ends and on both sides of
/// every sum at which the exact activation rises.
bool is_exact_in_single(const Scaling& scaling) {
  constexpr double least = std::numeric_limits<std::int32_t>::min(), most = std::numeric_limits<std::int32_t>::max();
  if (!agree(static_cast<std::int32_t>(least), scaling) || !agree(static_cast<std::int32_t>(most), scaling)) return false;
  if (scaling.multiplier == 0) return true;
  for (int level = scaling.act_min + 1; level <= scaling.act_max; ++level) {
    const double made = level - scaling.half;
    if (made < 0 && scaling.slope == 0) continue;
    const double t = made < 0 ? made / scaling.slope : made;
    // The division may be out by a last digit: the sum of the rise is this one, the one before or the next.
    const double rise = std::ceil((t - scaling.bias) / scaling.multiplier);
    for (int offset = -2; offset <= 1; ++offset) {
      if (!agree(static_cast<std::int32_t>(std::clamp(rise + offset, least, most)), scaling)) return false;
    }
  }
  return true;
}

}  // namespace

Scaling scaling_of(const Requant& requant, int filter, int act_min, int act_max) {
  constexpr double slopes[] = {1, 0, 0.125};
  Scaling made{std::ldexp(static_cast<double>(requant.multiplier[filter]), -requant.shift),
               std::ldexp(static_cast<double>(requant.bias[filter]), -requant.shift),
               slopes[static_cast<int>(requant.activation)], requant.shift ? 0.5 : 0.0, act_min, act_max, false};
  made.is_single = is_exact_in_single(made);
  return made;
}

}  // namespace sterna
