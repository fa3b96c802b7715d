// SPDX-License-Identifier: Apache-2.0
#include "compile/first.h"

#include <sterna/tape.h>

#include <algorithm>
#include <cstddef>
#include <optional>

#include "bytes.h"

namespace sterna {
namespace {

constexpr int kTaps = STERNA_FIRST_CHANNELS * STERNA_FIRST_KERNEL * STERNA_FIRST_KERNEL;
constexpr int kWordWeights = 8;

/// A weight for each filter, channel, row and column.
using Weights = std::vector<std::int8_t>;

/// The weights of each phase of an operation, as those of a kernel around its pixel; none if there are others.
std::optional<std::vector<Weights>> windows(const EngineOperation& operation) {
  const std::size_t phases = operation.pool == STERNA_POOL_MAX ? kPhases.size() : 1;
  std::vector<Weights> dense(phases, Weights(static_cast<std::size_t>(operation.filters) * kTaps));
  const auto is_inside = [](int place) { return place >= 0 && place < STERNA_FIRST_KERNEL; };
  for (const Nonzero& each : operation.nonzeros()) {
    const auto phase = static_cast<std::size_t>(each.phase);
    const bool is_known = phase < phases && each.filter >= 0 && each.filter < operation.filters && each.channel >= 0 &&
                          each.channel < STERNA_FIRST_CHANNELS;
    if (!is_known) return {};
    const int row = each.row - kPhases[phase][0] + STERNA_FIRST_KERNEL / 2;
    const int col = each.col - kPhases[phase][1] + STERNA_FIRST_KERNEL / 2;
    if (!is_inside(row) || !is_inside(col)) return {};
    const int tap = (each.channel * STERNA_FIRST_KERNEL + row) * STERNA_FIRST_KERNEL + col;
    dense[phase][static_cast<std::size_t>(each.filter * kTaps + tap)] = each.value;
  }
  return dense;
}

}  // namespace

bool fits_load(const Lowered& lowered, const EngineOperation& operation) {
  const Input& image = lowered.image;
  const bool pools = operation.pool == STERNA_POOL_MAX;
  const int step = pools ? 2 : 1;
  const auto& [name, height, width] = lowered.layers[operation.output()];
  const bool fits = (pools || operation.pool == STERNA_POOL_NONE) && operation.sources == std::vector{lowered.input} &&
                    operation.gather_stride == step && height == image.height / step && width == image.width / step &&
                    operation.filters <= STERNA_FIRST_FILTERS && image.channels == STERNA_FIRST_CHANNELS &&
                    image.width <= STERNA_FIRST_WIDTH;
  if (!fits) return false;
  const auto dense = windows(operation);
  return dense && std::ranges::all_of(*dense, [&](const Weights& each) { return each == dense->front(); });
}

std::vector<std::uint8_t> first_payload(const EngineOperation& operation) {
  const Weights weights = windows(operation)->front();
  std::vector<std::uint8_t> payload;
  for (int filter = 0; filter < STERNA_FIRST_FILTERS; ++filter) {
    const bool is_there = filter < operation.filters;
    const std::uint64_t word =
        !is_there ? 0
                  : static_cast<std::uint64_t>(operation.requant.bias[filter]) << STERNA_REQUANT_WORD_BIAS_SHIFT |
                        static_cast<std::uint64_t>(operation.requant.multiplier[filter])
                            << STERNA_REQUANT_WORD_MULTIPLIER_SHIFT;
    append_number(payload, word, STERNA_REQUANT_WORD_SIZE);
    for (int tap = 0; tap < (STERNA_FIRST_WORDS - 1) * kWordWeights; ++tap) {
      const bool is_weight = is_there && tap < kTaps;
      payload.push_back(is_weight ? static_cast<std::uint8_t>(weights[static_cast<std::size_t>(filter * kTaps + tap)]) : 0);
    }
  }
  return payload;
}

}  // namespace sterna
