// SPDX-License-Identifier: Apache-2.0
#include "compile/maps.h"

#include <algorithm>

namespace sterna {
namespace {

constexpr std::int64_t kPhaseCount = static_cast<std::int64_t>(kPhases.size());

std::int64_t ceil_div(std::int64_t size, std::int64_t part) { return (size + part - 1) / part; }

}  // namespace

std::int64_t FeatureMap::words() const {
  std::int64_t words = 0;
  for (const Region& region : regions) words += region.words;
  return words;
}

std::vector<std::pair<std::size_t, std::size_t>> FeatureMap::stored_channels() const {
  std::vector<std::pair<std::size_t, std::size_t>> stored;
  for (const ChannelPlace& channel : channels) {
    std::int64_t before = 0;
    for (const Region& region : regions) {
      if (channel.plane >= region.base && channel.plane < region.end()) {
        stored.push_back({static_cast<std::size_t>((before + channel.plane - region.base) / plane_words),
                          static_cast<std::size_t>(channel.byte)});
        break;
      }
      before += region.words;
    }
  }
  return stored;
}

std::pair<std::int64_t, std::int64_t> tile_counts(const Lowered& lowered, const EngineConfig& config, std::size_t layer) {
  const auto& [name, height, width] = lowered.layers[layer];
  if (!lowered.split.contains(layer)) return {ceil_div(height, config.tile_h), ceil_div(width, config.tile_w)};
  return {kPhaseCount * ceil_div(height / 2, config.tile_h), ceil_div(width / 2, config.tile_w)};
}

std::vector<std::int64_t> made_words(const EngineOperation& operation, std::int64_t tiles, std::int64_t words) {
  const std::int64_t last = words * tiles;
  return operation.pool == STERNA_POOL_KEEP ? std::vector{last * kPhaseCount, last} : std::vector{last};
}

std::map<std::size_t, std::int64_t> map_words(const Lowered& lowered, const EngineConfig& config,
                                              const std::vector<Spread>& spreads) {
  const auto tiles = [&](std::size_t layer) {
    const auto [down, across] = tile_counts(lowered, config, layer);
    return down * across;
  };
  std::map<std::size_t, std::int64_t> words;
  words[lowered.input] = ceil_div(lowered.image.channels, STERNA_WORD_CHANNELS) * tiles(lowered.input);
  for (std::size_t index = 0; index < lowered.operations.size(); ++index) {
    const EngineOperation& operation = lowered.operations[index];
    std::int64_t made = 0;
    for (const OperationPart& part : spreads[index].parts) made += static_cast<std::int64_t>(part.words());
    const std::vector<std::int64_t> sizes = made_words(operation, tiles(operation.output()), made);
    const std::vector<std::size_t> outputs = operation.outputs();
    for (std::size_t place = 0; place < outputs.size(); ++place) words[outputs[place]] = sizes[place];
  }
  return words;
}

FeatureMap image_map(const Input& image, const EngineConfig& config, Region region) {
  FeatureMap map{image.height, image.width, ceil_div(image.height, config.tile_h), ceil_div(image.width, config.tile_w), {}, {region},
                 ceil_div(image.width, config.tile_w)};
  map.plane_words = map.tiles();
  for (int channel = 0; channel < image.channels; ++channel) {
    map.channels.push_back({region.base + channel / STERNA_WORD_CHANNELS * map.tiles(), channel % STERNA_WORD_CHANNELS});
  }
  return map;
}

FeatureMap phase_view(const FeatureMap& split, std::int64_t height, std::int64_t width) {
  FeatureMap view{height, width, split.tiles_h / kPhaseCount, split.tiles_w, {}, split.regions, split.row_words, split.plane_words / kPhaseCount};
  for (std::int64_t phase = 0; phase < kPhaseCount; ++phase) {
    for (ChannelPlace channel : split.channels) {
      channel.plane += phase * view.plane_words;
      view.channels.push_back(channel);
    }
  }
  return view;
}

FeatureMap join_maps(const std::vector<FeatureMap>& maps) {
  FeatureMap joined = maps.front();
  for (auto map = maps.begin() + 1; map != maps.end(); ++map) {
    joined.channels.insert(joined.channels.end(), map->channels.begin(), map->channels.end());
    for (const Region& region : map->regions) {
      if (std::ranges::find(joined.regions, region) == joined.regions.end()) joined.regions.push_back(region);
    }
  }
  return joined;
}

}  // namespace sterna
