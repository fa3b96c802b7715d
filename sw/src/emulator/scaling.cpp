// SPDX-License-Identifier: Apache-2.0
#include "emulator/scaling.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

namespace sterna {
namespace {

/// The activation of `t`, which is the sum times the multiplier plus the bias.
template <typename Real>
Real activation(Real t, const Scaling& scaling) {
  const Real sloped = std::max(t, t * static_cast<Real>(scaling.slope));
  const Real made = scaling.is_even ? std::nearbyint(sloped) : std::floor(sloped + static_cast<Real>(scaling.half));
  return std::clamp(made, static_cast<Real>(scaling.act_min), static_cast<Real>(scaling.act_max));
}

/// That of sum `s`.
double exact(std::int32_t s, const Scaling& scaling) {
  return activation(s * scaling.multiplier + scaling.bias, scaling);
}

/// What single precision makes of sum `s`, with every step rounded as the kernels round it.
float single(std::int32_t s, const Scaling& scaling) {
  return activation(std::fma(static_cast<float>(s), static_cast<float>(scaling.multiplier),
                             static_cast<float>(scaling.bias)), scaling);
}

bool agree(std::int32_t s, const Scaling& scaling) {
  return static_cast<double>(single(s, scaling)) == exact(s, scaling);
}

/// Whether single precision gives every activation that double precision gives.
///
/// Both never fall as the sum rises, so they are equal for all sums if they are equal at the ends and on both sides of
/// every sum at which the exact activation rises.
bool is_exact_in_single(const Scaling& scaling) {
  constexpr std::int32_t least = std::numeric_limits<std::int32_t>::min(), most = std::numeric_limits<std::int32_t>::max();
  if (!agree(least, scaling) || !agree(most, scaling)) return false;
  const auto first = static_cast<int>(exact(least, scaling)), last = static_cast<int>(exact(most, scaling));
  for (int level = first + 1; level <= last; ++level) {
    const double made = level - (scaling.is_even ? 0.5 : scaling.half), t = made < 0 ? made / scaling.slope : made;
    const double rise = std::ceil((t - scaling.bias) / scaling.multiplier);
    auto s = static_cast<std::int32_t>(std::clamp<double>(rise, least + 1.0, most));
    if (scaling.is_even && exact(s, scaling) < level && s < most) ++s;  // a tie that goes down
    // The division may be out by a last digit. Then double precision, which is always right, has to do.
    if (exact(s - 1, scaling) >= level || exact(s, scaling) < level) return false;
    if (!agree(s - 1, scaling) || !agree(s, scaling)) return false;
  }
  return true;
}

}  // namespace

Scaling scaling_of(const Requant& requant, int filter, int act_min, int act_max) {
  constexpr double slopes[] = {1, 0, 0.125};
  const auto [low, high] = requant.limits(act_min, act_max);
  const bool is_even = requant.half_even && requant.shift;
  Scaling made{std::ldexp(static_cast<double>(requant.multiplier[filter]), -requant.shift),
               std::ldexp(static_cast<double>(requant.bias[filter]), -requant.shift),
               slopes[static_cast<int>(requant.activation)], requant.shift && !is_even ? 0.5 : 0.0, low, high, is_even,
               false};
  made.is_single = is_exact_in_single(made);
  return made;
}

}  // namespace sterna
