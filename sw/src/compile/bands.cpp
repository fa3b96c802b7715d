// SPDX-License-Identifier: Apache-2.0
#include "compile/bands.h"

#include <algorithm>
#include <numeric>

namespace sterna {
namespace {

constexpr auto kPhaseCount = static_cast<std::int64_t>(kPhases.size());

}  // namespace

RowNeeds::RowNeeds(const EngineConfig& config, const EngineOperation& operation, const std::vector<Nonzero>& nonzeros,
                   std::int64_t sources, std::int64_t map, std::int64_t align)
    : tile_h_(config.tile_h), stride_(operation.gather_stride), sources_(sources), map_(map), align_(align) {
  int highest = 0, lowest = 0;
  for (const Nonzero& each : nonzeros) {
    highest = std::min<int>(highest, each.row);
    lowest = std::max<int>(lowest, each.row);
  }
  above_ = (-highest + tile_h_ - 1) / tile_h_;
  below_ = lowest;
}

std::int64_t RowNeeds::top(std::int64_t row) const {
  return std::clamp(row * stride_ - above_, std::int64_t{0}, sources_ - 1);
}

RowRange RowNeeds::needed(RowRange band) const {
  const std::int64_t end = band.first + band.count, first = top(band.first) / align_ * align_;
  const std::int64_t last = std::min(sources_ - 1, ((end * tile_h_ - 1) * stride_ + below_) / tile_h_);
  return {first, std::max(last, top(end - 1)) - first + 1};
}

std::int64_t RowNeeds::most(std::int64_t rows) const {
  std::int64_t most = 0;
  for (std::int64_t number = 0; number < bands(rows); ++number) most = std::max(most, needed(band(number, rows)).count);
  return most;
}

BufferRows RowNeeds::in_buffer(RowRange band, std::int64_t room, const BufferRows* before) const {
  const RowRange rows = needed(band);
  if (before && rows.first >= before->rows.first && rows.first <= before->end() && before->end() % align_ == 0) {
    const std::int64_t place = before->place + rows.first - before->rows.first;
    const std::int64_t loads = std::max<std::int64_t>(rows.first + rows.count - before->end(), 0);
    if (place + rows.count <= room) return {rows, place, loads};
  }
  return {rows, 0, rows.count};
}

RowRange RowNeeds::band(std::int64_t number, std::int64_t rows) const {
  return {number * rows, std::min(rows, map_ - number * rows)};
}

bool is_of_phases(const Lowered& lowered, const EngineOperation& operation) {
  return lowered.split.contains(operation.output());
}

std::vector<std::size_t> computed_sources(const Lowered& lowered, const EngineOperation& operation) {
  std::vector<std::size_t> found;
  for (std::size_t source : operation.sources) {
    for (std::size_t map : lowered.shown(source)) {
      if (std::ranges::find(found, map) == found.end()) found.push_back(map);
    }
  }
  return found;
}

MapRows map_rows(const Lowered& lowered, const EngineConfig& config, std::size_t layer, std::int64_t words) {
  const std::int64_t down = tile_counts(lowered, config, layer).first;
  const std::int64_t rows = lowered.split.contains(layer) ? down / kPhaseCount : down;
  return {rows, words / rows};
}

std::int64_t row_align(const Lowered& lowered, const EngineConfig& config, const std::vector<std::size_t>& sources) {
  if (sources != std::vector{lowered.input}) return 1;
  const std::int64_t row_bytes = std::int64_t{config.tile_h} * lowered.image.width * lowered.image.channels;
  return config.beat_bytes() / std::gcd(row_bytes, std::int64_t{config.beat_bytes()});
}

FeatureMap in_buffer(const FeatureMap& map, Region region, std::int64_t first, std::int64_t row_words, std::int64_t offset) {
  FeatureMap found = map;
  for (ChannelPlace& channel : found.channels) channel.plane += region.base + offset - first * row_words;
  found.regions = {region};
  found.row_words = row_words;
  return found;
}

FeatureMap below(const FeatureMap& map, std::int64_t top, int tile_h, bool is_of_phases) {
  FeatureMap found = map;
  for (ChannelPlace& channel : found.channels) channel.plane += top * map.row_words;
  if (is_of_phases) {
    // The phases of the row count as rows.
    found.tiles_h = kPhaseCount;
    found.height = kPhaseCount * tile_h;
    found.row_words = map.plane_words / kPhaseCount;
  } else {
    found.tiles_h -= top;
    found.height -= top * tile_h;
  }
  return found;
}

}  // namespace sterna
