// SPDX-License-Identifier: Apache-2.0
#include "compile/build.h"

#include <sterna/tape.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "bytes.h"
#include "compile/check.h"
#include "compile/lower.h"
#include "compile/maps.h"

namespace sterna {
namespace {

constexpr int kLevels = 256;

/// REQUANT payload of a TABLE step: a word for each byte value; without a table values are shifted.
std::vector<std::uint8_t> input_table_payload(const Input& image, int act_bits) {
  std::vector<std::uint8_t> payload;
  for (int level = 0; level < kLevels; ++level) {
    std::uint64_t word = 0;
    for (int channel = 0; channel < STERNA_INPUT_TABLES; ++channel) {
      const bool is_listed = !image.table.empty() && channel < image.channels;
      const int value = is_listed ? image.table[channel * kLevels + level] : (level - kLevels / 2) >> (8 - act_bits);
      word |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(value)) << (8 * channel);
    }
    append_number(payload, word, STERNA_INPUT_WORD_SIZE);
  }
  return payload;
}

/// REQUANT payload of a part: a word for each drained channel; absent filters drain as zero.
std::vector<std::uint8_t> requant_payload(const Requant& requant, const OperationPart& part) {
  std::vector<std::uint8_t> payload;
  for (int filter : part.filters) {
    std::uint64_t word = 0;
    if (filter != OperationPart::kAbsent) {
      word = static_cast<std::uint64_t>(requant.bias[filter]) << STERNA_REQUANT_WORD_BIAS_SHIFT |
             static_cast<std::uint64_t>(requant.multiplier[filter]) << STERNA_REQUANT_WORD_MULTIPLIER_SHIFT;
    }
    append_number(payload, word, STERNA_REQUANT_WORD_SIZE);
  }
  return payload;
}

/// What the STORE steps read that may still go on, in order: they end in the order of the tape.
class OpenStores {
 public:
  void add(const Region& region) { regions_.push_back(region); }

  /// How many may go on when a step begins that writes `written`: those after the last one that reads of it.
  std::size_t beside(const std::vector<Region>& written) {
    const auto reads = [&](const Region& region) {
      return std::ranges::any_of(written, [&](const Region& each) { return region.overlaps(each); });
    };
    const auto after = std::find_if(regions_.rbegin(), regions_.rend(), reads);
    const auto going = static_cast<std::size_t>(after - regions_.rbegin());
    const std::size_t count = std::min<std::size_t>(going, STERNA_MOST_BESIDE_STORES);
    regions_.erase(regions_.begin(), regions_.end() - static_cast<std::ptrdiff_t>(count));
    return count;
  }

 private:
  std::vector<Region> regions_;
};

class Builder {
 public:
  Builder(const Lowered& lowered, const EngineConfig& config, const Plan& plan, bool keep_streamed)
      : lowered_(lowered), config_(config), plan_(plan), keep_streamed_(keep_streamed), tape_(config.hash) {
    check_plan(lowered, config, plan);
    for (const auto& [layer, words] : map_words(lowered, config, plan.spreads)) {
      regions_[layer] = {plan.bases.at(layer), words};
    }
  }

  Built run(const ShowOperation& show) {
    const Input& image = lowered_.image;
    built_.frame_bytes = config_.in_beats(std::int64_t{image.channels} * image.height * image.width);
    if (config_.input_table) fill_tables();
    maps_[lowered_.input] = image_map(image, config_, regions_[lowered_.input]);
    load_image(false);
    store_complete({lowered_.input});
    for (std::size_t index = 0; index < lowered_.operations.size(); ++index) {
      const EngineOperation& operation = lowered_.operations[index];
      if (show) show(index, operation.layers.back());
      compute(operation, plan_.spreads[index]);
      store_complete(operation.outputs());
      if (plan_.load_after == index) load_image(true);
    }
    built_.tape = tape_.finish();
    return std::move(built_);
  }

 private:
  const std::string& name(std::size_t layer) const { return lowered_.layers[layer].name; }

  /// A step whose fields are set by `fill`.
  template <typename Fill>
  BuiltStep& add_step(std::vector<std::size_t> layers, sterna_op op, Fill fill) {
    BuiltStep step{std::move(layers), op, 0, 0, 0, {}, {}};
    const auto set = [&](const StepFields::Field& field, std::int64_t value) {
      step.fields.set(field, value, name(step.layers.back()));
    };
    set(STERNA_STEP_FIELD(OP), op);
    fill(set);
    tape_.step(step.fields);
    return built_.steps.emplace_back(std::move(step));
  }

  void fill_tables() {
    std::vector<std::uint8_t> payload = input_table_payload(lowered_.image, lowered_.act_bits);
    add_step({lowered_.input}, STERNA_OP_TABLE,
             [&](const auto& set) { set(STERNA_STEP_FIELD(REQUANT_BYTES), payload.size()); });
    tape_.segment(STERNA_SEGMENT_KIND_REQUANT, std::move(payload));
  }

  /// Loads the image, or the next one in the background.
  void load_image(bool is_next) {
    const Input& image = lowered_.image;
    const Region& region = regions_[lowered_.input];
    add_step({lowered_.input}, STERNA_OP_LOAD, [&](const auto& set) {
      set_size(set, image.height, image.width);
      set(STERNA_STEP_FIELD(NEXT), is_next);
      set(STERNA_STEP_FIELD(FILTERS), image.channels);
      set(STERNA_STEP_FIELD(DRAM_BYTES), built_.frame_bytes);
      set(STERNA_STEP_FIELD(FM_BASE), region.base);
      set(STERNA_STEP_FIELD(FM_WORDS), region.words);
      set(STERNA_STEP_FIELD(BESIDE), open_stores_.beside({region}));
    });
  }

  template <typename Set>
  void set_size(const Set& set, std::int64_t height, std::int64_t width) const {
    set(STERNA_STEP_FIELD(IN_FULL_ROWS), height / config_.tile_h);
    set(STERNA_STEP_FIELD(IN_EXTRA_ROWS), height % config_.tile_h);
    set(STERNA_STEP_FIELD(IN_FULL_COLS), width / config_.tile_w);
    set(STERNA_STEP_FIELD(IN_EXTRA_COLS), width % config_.tile_w);
  }

  /// Stores what can be stored now that the maps `made` are complete.
  void store_complete(const std::vector<std::size_t>& made) {
    for (std::size_t layer : plan_.stored) {
      const std::vector<std::size_t> parts = lowered_.shown(layer);
      const bool is_new = std::ranges::any_of(parts, [&](std::size_t part) { return std::ranges::count(made, part); });
      const bool is_whole = std::ranges::all_of(parts, [&](std::size_t part) { return maps_.contains(part); });
      if (is_new && is_whole) store(layer, map_of(layer));
    }
  }

  /// The map of a layer, computed or a view.
  FeatureMap map_of(std::size_t layer) const {
    if (const auto found = maps_.find(layer); found != maps_.end()) return found->second;
    const View& view = lowered_.views.at(layer);
    std::vector<FeatureMap> shown;
    for (std::size_t source : view.maps) shown.push_back(map_of(source));
    if (!view.is_reorg) return join_maps(shown);
    return phase_view(shown.front(), lowered_.layers[layer].height, lowered_.layers[layer].width);
  }

  void store(std::size_t layer, const FeatureMap& map) {
    const auto& [name, height, width] = lowered_.layers[layer];
    const std::uint64_t offset = built_.result_bytes;
    for (const Region& region : map.regions) {
      const std::int64_t bytes = region.words * config_.word_bytes();
      add_step({layer}, STERNA_OP_STORE, [&](const auto& set) {
        set(STERNA_STEP_FIELD(FM_BASE), region.base);
        set(STERNA_STEP_FIELD(FM_WORDS), region.words);
        set(STERNA_STEP_FIELD(DRAM_OFFSET), built_.result_bytes);
        set(STERNA_STEP_FIELD(DRAM_BYTES), bytes);
      });
      open_stores_.add(region);
      built_.result_bytes += bytes;
    }
    const bool is_split = map.height != height || map.width != width;
    const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
    built_.stores.push_back({name, offset, size(map.words() / map.tiles()), size(map.tiles_h), size(map.tiles_w),
                             size(height), size(width), is_split, map.stored_channels()});
  }

  void compute(const EngineOperation& operation, const Spread& spread) {
    std::vector<FeatureMap> sources;
    for (std::size_t layer : operation.sources) sources.push_back(map_of(layer));
    const FeatureMap source = join_maps(sources);
    const std::vector<Nonzero> nonzeros = operation.nonzeros();
    check_operation(lowered_, operation, source.channels.size(), nonzeros);
    std::vector<std::int64_t> bases;
    for (std::size_t layer : operation.outputs()) {
      bases.push_back(regions_[layer].base);
      maps_[layer] = output_map(layer, operation, spread);
    }
    const std::int64_t tiles = maps_[operation.output()].tiles();
    for (std::size_t number = 0; number < spread.parts.size(); ++number) {
      const OperationPart& part = spread.parts[number];
      convolve(operation, source, spread, part, bases, nonzeros);
      built_.steps.back().part = static_cast<int>(number);
      const auto words = made_words(operation, tiles, static_cast<std::int64_t>(part.words()));
      for (std::size_t place = 0; place < bases.size(); ++place) bases[place] += words[place];
    }
  }

  /// A map that the operation makes. Drained channel i of group s of a part lies in byte i mod 4 of the group's word
  /// i div 4; split maps have a word for each phase.
  FeatureMap output_map(std::size_t layer, const EngineOperation& operation, const Spread& spread) const {
    const auto [tiles_h, tiles_w] = tile_counts(lowered_, config_, layer);
    const auto& [name, height, width] = lowered_.layers[layer];
    const bool is_split = lowered_.split.contains(layer);
    FeatureMap map{is_split ? tiles_h * config_.tile_h : height, is_split ? tiles_w * config_.tile_w : width,
                   tiles_h, tiles_w, std::vector<ChannelPlace>(operation.filters), {regions_.at(layer)}};
    std::int64_t before = 0;
    for (std::size_t number = 0; number < spread.parts.size(); ++number) {
      const OperationPart& part = spread.parts[number];
      for (std::size_t place = 0; place < part.filters.size(); ++place) {
        if (part.filters[place] == OperationPart::kAbsent) continue;
        const std::size_t group = place / part.channels, channel = place % part.channels;
        const auto word = before + static_cast<std::int64_t>(group * part.group_words() + channel / STERNA_WORD_CHANNELS);
        map.channels[part.filters[place]] = {regions_.at(layer).base + word * map.tiles(),
                                             static_cast<int>(channel % STERNA_WORD_CHANNELS),
                                             convs_ + static_cast<std::int64_t>(number),
                                             written(operation, spread, part, group, channel)};
      }
      before += static_cast<std::int64_t>(part.words());
    }
    return map;
  }

  /// Words of its last tile group that each drain has written when all of a channel is.
  std::int64_t written(const EngineOperation& operation, const Spread& spread, const OperationPart& part, std::size_t group,
                       std::size_t channel) const {
    constexpr std::int64_t kAll = STERNA_AFTER_ALL;
    if (operation.pool == STERNA_POOL_KEEP) return kAll;
    // The last cluster of its filter group in the drain, as windows may reach into all tiles, and the last channel of its
    // word, absent or not: block RAM gives nothing of a word that is being written.
    const auto cluster = static_cast<std::int64_t>((group + 1) * spread.tiles_at_once - 1) % config_.drain_clusters();
    const std::size_t last = std::min(channel | (STERNA_WORD_CHANNELS - 1), part.channels - 1);
    return std::min(kAll, drained_words(config_, operation.pool, static_cast<std::int64_t>(part.channels), cluster,
                                        static_cast<std::int64_t>(last)));
  }

  void convolve(const EngineOperation& operation, const FeatureMap& source, const Spread& spread, const OperationPart& part,
                const std::vector<std::int64_t>& bases, const std::vector<Nonzero>& nonzeros) {
    const FeatureMap& target = maps_[operation.output()];
    const std::size_t streams = part.groups * config_.pes;
    PartWork work = part_work(config_, operation, nonzeros, source, part, convs_++);
    EncodedPart encoded = encode_part(config_.encoder(), streams, work.fetches(), work.additions(), work.planes);
    std::vector<std::uint8_t> table = requant_payload(operation.requant, part);
    const int act_max = (1 << (lowered_.act_bits - 1)) - 1;
    const std::array<int, 2> limits = operation.requant.limits(-act_max - 1, act_max);
    std::vector<Region> written;
    for (std::size_t layer : operation.outputs()) written.push_back(regions_[layer]);
    BuiltStep& step = add_step(operation.layers, STERNA_OP_CONV, [&](const auto& set) {
      set_size(set, source.height, source.width);
      set(STERNA_STEP_FIELD(POOL), operation.pool);
      set(STERNA_STEP_FIELD(GATHER_STRIDE), operation.gather_stride);
      set(STERNA_STEP_FIELD(ACTIVATION), static_cast<int>(operation.requant.activation));
      set(STERNA_STEP_FIELD(SHIFT), operation.requant.shift);
      set(STERNA_STEP_FIELD(CLAMP_LOW), limits[0]);
      set(STERNA_STEP_FIELD(CLAMP_HIGH), limits[1]);
      set(STERNA_STEP_FIELD(HALF_EVEN), operation.requant.half_even);
      set(STERNA_STEP_FIELD(PAD_VALUE), operation.pad_value);
      set(STERNA_STEP_FIELD(TILES_AT_ONCE), spread.tiles_at_once);
      set(STERNA_STEP_FIELD(FM_BASE), bases.back());
      set(STERNA_STEP_FIELD(KEEP_BASE), operation.pool == STERNA_POOL_KEEP ? bases.front() : 0);
      set(STERNA_STEP_FIELD(IN_TILES_W), source.tiles_w);
      set(STERNA_STEP_FIELD(OUT_TILES_H), target.tiles_h);
      set(STERNA_STEP_FIELD(OUT_TILES_W), target.tiles_w);
      set(STERNA_STEP_FIELD(OUT_PLANE), target.tiles());
      set(STERNA_STEP_FIELD(TILE_GROUPS), (target.tiles() + spread.tiles_at_once - 1) / spread.tiles_at_once);
      set(STERNA_STEP_FIELD(FILTERS), part.channels);
      set(STERNA_STEP_FIELD(GROUP_WORDS), part.group_words());
      set(STERNA_STEP_FIELD(REQUANT_BYTES), (table.size() + STERNA_TAPE_ALIGN - 1) / STERNA_TAPE_ALIGN * STERNA_TAPE_ALIGN);
      set(STERNA_STEP_FIELD(WEIGHTS_BYTES), encoded.payload.size());
      set(STERNA_STEP_FIELD(BESIDE), open_stores_.beside(written));
    });
    const auto additions = static_cast<std::int64_t>(work.vector.size());
    step.additions = additions * target.tiles();
    const auto& [name, height, width] = lowered_.layers[operation.output()];
    step.lane_work = additions * height * width;
    tape_.segment(STERNA_SEGMENT_KIND_REQUANT, std::move(table));
    tape_.segment(STERNA_SEGMENT_KIND_WEIGHTS, std::move(encoded.payload));
    if (keep_streamed_) step.streamed = {std::move(work.mask), std::move(work.after), std::move(encoded)};
  }

  const Lowered& lowered_;
  const EngineConfig& config_;
  const Plan& plan_;
  bool keep_streamed_;
  TapeWriter tape_;
  std::map<std::size_t, Region> regions_;
  std::map<std::size_t, FeatureMap> maps_;
  OpenStores open_stores_;
  std::int64_t convs_ = 0;
  Built built_;
};

}  // namespace

Built build(const Lowered& lowered, const EngineConfig& config, const Plan& plan, bool keep_streamed,
            const ShowOperation& show) {
  return Builder(lowered, config, plan, keep_streamed).run(show);
}

}  // namespace sterna
