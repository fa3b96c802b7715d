// SPDX-License-Identifier: Apache-2.0
// Where scaling_of allows single precision, it gives the integers' activation for every sum near a rise and for others.
#include "emulator/scaling.h"

#include <algorithm>
#include <cmath>
#include <random>

#include "check.h"
#include "emulator/scalar.h"

namespace {

using namespace sterna;

constexpr int kActMin = -128, kActMax = 127;

int in_single(std::int32_t s, const Scaling& scaling) {
  const float t = std::fma(static_cast<float>(s), static_cast<float>(scaling.multiplier),
                           static_cast<float>(scaling.bias));
  const float sloped = std::max(t, t * static_cast<float>(scaling.slope));
  const float made = scaling.is_even ? std::nearbyint(sloped) : std::floor(sloped + static_cast<float>(scaling.half));
  return static_cast<int>(std::clamp(made, static_cast<float>(scaling.act_min), static_cast<float>(scaling.act_max)));
}

bool is_equal(std::int32_t s, const Requant& requant, const Scaling& scaling) {
  return in_single(s, scaling) == scalar::requantised(s, requant, 0, kActMin, kActMax);
}

/// Every sum of a range that holds most rises, and some far off.
bool is_equal_everywhere(const Requant& requant, const Scaling& scaling) {
  for (std::int32_t s = -100000; s <= 100000; ++s) {
    if (!is_equal(s, requant, scaling)) return false;
  }
  for (std::int64_t s = INT32_MIN; s <= INT32_MAX; s += 1 << 20) {
    if (!is_equal(static_cast<std::int32_t>(s), requant, scaling)) return false;
  }
  return true;
}

}  // namespace

int main() {
  std::mt19937 random(5);
  const auto number = [&](int low, int high) { return std::uniform_int_distribution(low, high)(random); };
  int allowed = 0, refused = 0, differing = 0;
  for (int run = 0; run < 900; ++run) {
    const int shift = number(12, 24);
    Requant requant{{number(0, (1 << 18) - 1)}, {number(-(1 << 30), 1 << 30)}, shift,
                    static_cast<Activation>(number(0, 2))};
    if (run % 3 == 1) requant.clamp = {number(-20, 0), number(1, 20)};
    if (run % 2) {
      requant.half_even = true;
    }
    if (run % 4 == 3) {  // of few bits, so that there are ties
      for (auto* each : {&requant.multiplier[0], &requant.bias[0]}) *each = *each >> (shift - 3) << (shift - 3);
    }
    const Scaling scaling = scaling_of(requant, 0, kActMin, kActMax);
    scaling.is_single ? ++allowed : ++refused;
    const bool is_right = is_equal_everywhere(requant, scaling);
    CHECK(is_right || !scaling.is_single);
    differing += !is_right;
  }
  // Neither answer is the only one, and most refusals have a sum in reach that shows them.
  CHECK(allowed > 50 && refused > 20 && 2 * differing > refused);
  return 0;
}
