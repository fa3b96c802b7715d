// SPDX-License-Identifier: Apache-2.0
#include "compile/build.h"

#include <sterna/tape.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "bytes.h"
#include "compile/bands.h"
#include "compile/check.h"
#include "compile/first.h"
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

/// REQUANT payload of a part: a word for each drained channel; absent filters drain as zero. The bias makes up for what
/// sums lack.
std::vector<std::uint8_t> requant_payload(const Requant& requant, const std::vector<std::int64_t>& lacking,
                                          const OperationPart& part) {
  std::vector<std::uint8_t> payload;
  for (int filter : part.filters) {
    std::uint64_t word = 0;
    if (filter != OperationPart::kAbsent) {
      const std::int64_t bias = requant.bias[filter] + requant.multiplier[filter] * lacking[filter];
      word = static_cast<std::uint64_t>(bias) << STERNA_REQUANT_WORD_BIAS_SHIFT |
             static_cast<std::uint64_t>(requant.multiplier[filter]) << STERNA_REQUANT_WORD_MULTIPLIER_SHIFT;
    }
    append_number(payload, word, STERNA_REQUANT_WORD_SIZE);
  }
  return payload;
}

/// Bytes of scratch memory.
struct Bytes {
  std::int64_t first = 0, count = 0;

  bool overlaps(const Bytes& other) const { return first < other.first + other.count && other.first < first + count; }
};

/// What the STORE steps read that may still go on, and write to scratch memory, in order: they end in the order of the tape.
class OpenStores {
 public:
  void add(const Region& region, Bytes stored = {}) { stores_.push_back({region, stored}); }

  /// How many may go on when a step begins that writes `written` and reads the bytes `loaded`: those after the last one
  /// that reads of the former, or writes of the latter.
  std::size_t beside(const std::vector<Region>& written, Bytes loaded = {}) {
    const auto meets = [&](const Store& store) {
      return store.stored.overlaps(loaded) ||
             std::ranges::any_of(written, [&](const Region& each) { return store.region.overlaps(each); });
    };
    const auto after = std::find_if(stores_.rbegin(), stores_.rend(), meets);
    const auto going = static_cast<std::size_t>(after - stores_.rbegin());
    const std::size_t count = std::min<std::size_t>(going, STERNA_MOST_BESIDE_STORES);
    stores_.erase(stores_.begin(), stores_.end() - static_cast<std::ptrdiff_t>(count));
    return count;
  }

 private:
  struct Store {
    Region region;
    Bytes stored;
  };

  std::vector<Store> stores_;
};

/// What the LOAD writes that may still go on: there is one at most, as each waits for the one before.
class OpenLoad {
 public:
  void begin(const Region& region) { region_ = region; }
  void end() { region_.reset(); }

  /// The bit of `beside` of a step that touches `touched`: it need not wait for the LOAD. If it has to, the LOAD has ended.
  std::size_t beside(const std::vector<Region>& touched) {
    const auto meets = [&](const Region& each) { return region_->overlaps(each); };
    if (region_ && std::ranges::any_of(touched, meets)) end();
    return region_ ? STERNA_BESIDE_LOADS : 0;
  }

 private:
  std::optional<Region> region_;
};

/// Where CONV steps write: first words and regions of the maps that they make, the tiles that they compute, and how many
/// pixels of these exist.
struct Target {
  std::vector<std::int64_t> bases;
  std::vector<Region> regions;
  std::int64_t tiles_h = 0, tiles_w = 0, pixels = 0;

  std::int64_t tiles() const { return tiles_h * tiles_w; }
};

class Builder {
 public:
  Builder(const Lowered& lowered, const EngineConfig& config, const Plan& plan, bool keep_streamed)
      : lowered_(lowered), config_(config), plan_(plan), keep_streamed_(keep_streamed), tape_(config.hash) {
    check_plan(lowered, config, plan);
    for (const auto& [layer, words] : map_words(lowered, config, plan.spreads)) {
      if (const auto base = plan.bases.find(layer); base != plan.bases.end()) regions_[layer] = {base->second, words};
      rows_[layer] = map_rows(lowered, config, layer, words);
    }
    for (const EngineOperation& operation : lowered.operations) {
      for (std::size_t source : computed_sources(lowered, operation)) read_.insert(source);
    }
  }

  Built run(const ShowOperation& show) {
    const Input& image = lowered_.image;
    built_.frame_bytes = config_.in_beats(std::int64_t{image.channels} * image.height * image.width);
    if (config_.input_table) fill_tables();
    if (!plan_.first_layer) {
      maps_[lowered_.input] = loaded_image();
      if (!spills(lowered_.input)) load_image(false);
      store_complete({lowered_.input});
    }
    for (std::size_t index = 0; index < lowered_.operations.size(); ++index) {
      const EngineOperation& operation = lowered_.operations[index];
      if (show) show(index, operation.layers.back());
      if (plan_.first_layer && index == 0) {
        begin_first(operation, plan_.spreads[index]);
      } else {
        compute(index, operation, plan_.spreads[index]);
      }
      store_complete(operation.outputs());
      if (plan_.load_after == index) load_image(true);
    }
    built_.tape = tape_.finish();
    return std::move(built_);
  }

 private:
  const std::string& name(std::size_t layer) const { return lowered_.layers[layer].name; }
  /// Whether a map lies in scratch memory, or the image in the frame's.
  bool spills(std::size_t layer) const { return !regions_.contains(layer); }

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
    if (plan_.first_layer) {
      load_first(is_next, lowered_.operations.front());
    } else {
      load_frame(is_next, {0, rows_[lowered_.input].count}, regions_[lowered_.input]);
    }
  }

  /// Gives the engine the numbers of the first operation, which LOAD computes, and loads its map.
  void begin_first(const EngineOperation& operation, const Spread& spread) {
    FeatureMap& map = maps_[operation.output()] = output_map(operation.output(), operation, spread);
    // It is loaded.
    for (ChannelPlace& channel : map.channels) channel = {channel.plane, channel.byte};
    std::vector<std::uint8_t> payload = first_payload(operation);
    add_step(operation.layers, STERNA_OP_FIRST, [&](const auto& set) {
      set_requant(set, operation.requant);
      set(STERNA_STEP_FIELD(PAD_VALUE), operation.pad_value);
      set(STERNA_STEP_FIELD(REQUANT_BYTES), payload.size());
    });
    tape_.segment(STERNA_SEGMENT_KIND_REQUANT, std::move(payload));
    load_image(false);
  }

  /// Loads the map of the first operation, or the next frame's.
  void load_first(bool is_next, const EngineOperation& operation) {
    const Input& image = lowered_.image;
    const FeatureMap& map = maps_.at(operation.output());
    const Region& region = regions_.at(operation.output());
    open_load_.end();
    add_step({lowered_.input}, STERNA_OP_LOAD, [&](const auto& set) {
      set_size(set, image.height, image.width);
      set(STERNA_STEP_FIELD(NEXT), is_next);
      set(STERNA_STEP_FIELD(POOL), operation.pool);
      set(STERNA_STEP_FIELD(OUT_TILES_H), map.tiles_h);
      set(STERNA_STEP_FIELD(OUT_TILES_W), map.tiles_w);
      set(STERNA_STEP_FIELD(OUT_PLANE), map.tiles());
      set(STERNA_STEP_FIELD(FILTERS), image.channels);
      set(STERNA_STEP_FIELD(GROUP_WORDS), region.words / map.tiles());
      set(STERNA_STEP_FIELD(DRAM_BYTES), built_.frame_bytes);
      set(STERNA_STEP_FIELD(FM_BASE), region.base);
      set(STERNA_STEP_FIELD(FM_WORDS), region.words);
      set(STERNA_STEP_FIELD(BESIDE), open_stores_.beside({region}));
    });
    if (!is_next) open_load_.begin(region);
  }

  template <typename Set>
  void set_requant(const Set& set, const Requant& requant) const {
    const int act_max = (1 << (lowered_.act_bits - 1)) - 1;
    const std::array<int, 2> limits = requant.limits(-act_max - 1, act_max);
    set(STERNA_STEP_FIELD(ACTIVATION), static_cast<int>(requant.activation));
    set(STERNA_STEP_FIELD(SHIFT), requant.shift);
    set(STERNA_STEP_FIELD(CLAMP_LOW), limits[0]);
    set(STERNA_STEP_FIELD(CLAMP_HIGH), limits[1]);
    set(STERNA_STEP_FIELD(HALF_EVEN), requant.half_even);
  }

  /// Loads rows of tiles of the image into `region`.
  void load_frame(bool is_next, RowRange rows, const Region& region) {
    const Input& image = lowered_.image;
    const std::int64_t top = rows.first * config_.tile_h;
    const std::int64_t height = std::min(rows.count * config_.tile_h, image.height - top);
    const std::int64_t row_bytes = std::int64_t{image.width} * image.channels;
    open_load_.end();
    add_step({lowered_.input}, STERNA_OP_LOAD, [&](const auto& set) {
      set_size(set, height, image.width);
      set(STERNA_STEP_FIELD(NEXT), is_next);
      set(STERNA_STEP_FIELD(FILTERS), image.channels);
      set(STERNA_STEP_FIELD(DRAM_OFFSET), top * row_bytes);
      set(STERNA_STEP_FIELD(DRAM_BYTES), config_.in_beats(height * row_bytes));
      set(STERNA_STEP_FIELD(FM_BASE), region.base);
      set(STERNA_STEP_FIELD(FM_WORDS), region.words);
      set(STERNA_STEP_FIELD(BESIDE), open_stores_.beside({region}));
    });
    if (!is_next) open_load_.begin(region);
  }

  template <typename Set>
  void set_size(const Set& set, std::int64_t height, std::int64_t width) const {
    set(STERNA_STEP_FIELD(IN_FULL_ROWS), height / config_.tile_h);
    set(STERNA_STEP_FIELD(IN_EXTRA_ROWS), height % config_.tile_h);
    set(STERNA_STEP_FIELD(IN_FULL_COLS), width / config_.tile_w);
    set(STERNA_STEP_FIELD(IN_EXTRA_COLS), width % config_.tile_w);
  }

  FeatureMap loaded_image() const {
    if (!spills(lowered_.input)) return image_map(lowered_.image, config_, regions_.at(lowered_.input));
    // It has one channel word, so that its rows of tiles follow each other.
    return image_map(lowered_.image, config_, {});
  }

  /// Stores what can be stored now that the maps `made` are complete.
  void store_complete(const std::vector<std::size_t>& made) {
    for (std::size_t layer : plan_.stored) {
      if (lowered_.shown(layer) == std::vector{layer} && spills(layer)) continue;
      const std::vector<std::size_t> parts = lowered_.shown(layer);
      const bool is_new = std::ranges::any_of(parts, [&](std::size_t part) { return std::ranges::count(made, part); });
      const bool is_whole = std::ranges::all_of(parts, [&](std::size_t part) { return maps_.contains(part); });
      if (is_new && is_whole) store(layer, map_of(layer));
    }
  }

  /// The map of a layer, computed or a view.
  FeatureMap map_of(std::size_t layer) const { return map_of(layer, maps_); }

  FeatureMap map_of(std::size_t layer, const std::map<std::size_t, FeatureMap>& maps) const {
    if (const auto found = maps.find(layer); found != maps.end()) return found->second;
    const View& view = lowered_.views.at(layer);
    std::vector<FeatureMap> shown;
    for (std::size_t source : view.maps) shown.push_back(map_of(source, maps));
    if (!view.is_reorg) return join_maps(shown);
    return phase_view(shown.front(), lowered_.layers[layer].height, lowered_.layers[layer].width);
  }

  void store(std::size_t layer, const FeatureMap& map) {
    const std::uint64_t offset = built_.result_bytes;
    for (const Region& region : map.regions) {
      const std::int64_t bytes = region.words * config_.word_bytes();
      add_step({layer}, STERNA_OP_STORE, [&](const auto& set) {
        set(STERNA_STEP_FIELD(FM_BASE), region.base);
        set(STERNA_STEP_FIELD(FM_WORDS), region.words);
        set(STERNA_STEP_FIELD(DRAM_OFFSET), built_.result_bytes);
        set(STERNA_STEP_FIELD(DRAM_BYTES), bytes);
      });
      open_load_.end();
      open_stores_.add(region);
      built_.result_bytes += bytes;
    }
    note_store(layer, offset, map);
  }

  /// Tells the driver where it finds a map.
  void note_store(std::size_t layer, std::uint64_t offset, const FeatureMap& map) {
    const auto& [name, height, width] = lowered_.layers[layer];
    const bool is_split = map.height != height || map.width != width;
    const auto size = [](std::int64_t value) { return static_cast<std::size_t>(value); };
    built_.stores.push_back({name, offset, size(map.words() / map.tiles()), size(map.tiles_h), size(map.tiles_w),
                             size(height), size(width), is_split, map.stored_channels()});
  }

  void compute(std::size_t index, const EngineOperation& operation, const Spread& spread) {
    const std::vector<Nonzero> nonzeros = operation.nonzeros();
    if (const auto bands = plan_.bands.find(index); bands != plan_.bands.end()) {
      compute_bands(operation, spread, bands->second, nonzeros);
    } else {
      compute_whole(operation, spread, source_of(operation, maps_), nonzeros);
    }
  }

  /// What an operation reads, of `maps`.
  FeatureMap source_of(const EngineOperation& operation, const std::map<std::size_t, FeatureMap>& maps) const {
    std::vector<FeatureMap> sources;
    for (std::size_t layer : operation.sources) sources.push_back(map_of(layer, maps));
    return join_maps(sources);
  }

  /// Computes maps that stay in the feature memory.
  void compute_whole(const EngineOperation& operation, const Spread& spread, const FeatureMap& source,
                     const std::vector<Nonzero>& nonzeros) {
    check_operation(lowered_, config_, operation, source.channels.size(), nonzeros);
    Target target;
    for (std::size_t layer : operation.outputs()) {
      target.bases.push_back(regions_[layer].base);
      target.regions.push_back(regions_[layer]);
      maps_[layer] = output_map(layer, operation, spread);
    }
    const auto& [name, height, width] = lowered_.layers[operation.output()];
    const FeatureMap& made = maps_[operation.output()];
    target.tiles_h = made.tiles_h;
    target.tiles_w = made.tiles_w;
    target.pixels = std::int64_t{height} * width;
    convolve_parts(operation, source, spread, target, nonzeros);
  }

  void convolve_parts(const EngineOperation& operation, const FeatureMap& source, const Spread& spread, Target target,
                      const std::vector<Nonzero>& nonzeros) {
    for (std::size_t number = 0; number < spread.parts.size(); ++number) {
      const OperationPart& part = spread.parts[number];
      convolve(operation, source, spread, part, target, nonzeros);
      built_.steps.back().part = static_cast<int>(number);
      const auto words = made_words(operation, target.tiles(), static_cast<std::int64_t>(part.words()));
      for (std::size_t place = 0; place < words.size(); ++place) target.bases[place] += words[place];
    }
  }

  /// Computes band after band of rows of tiles: loads what it needs into a buffer, or reads what is in the feature memory,
  /// and stores what it makes, or leaves it there.
  void compute_bands(const EngineOperation& operation, const Spread& spread, const Bands& bands,
                     const std::vector<Nonzero>& nonzeros) {
    const std::vector<std::size_t> sources = computed_sources(lowered_, operation);
    const RowNeeds needs(config_, operation, nonzeros, source_rows(operation), rows_[operation.output()].count,
                         bands.input_rows ? row_align(lowered_, config_, sources) : 1);
    check_buffers(lowered_, config_, operation, bands, needs.most(bands.rows), words_of_row(sources),
                  bands.rows * words_of_row(operation.outputs()));
    if (!bands.outputs.empty()) place_outputs(operation, spread);
    const std::int64_t count = needs.bands(bands.rows);
    const auto rows_of = [&](std::int64_t number, const BufferRows* before) {
      return needs.in_buffer(needs.band(number, bands.rows), bands.input_rows, before);
    };
    BufferRows rows = rows_of(0, nullptr);
    load_rows(sources, rows, bands);
    for (std::int64_t number = 0; number < count; ++number) {
      // The next band is loaded while this one is computed, if there is room beside it.
      const bool has_next = number + 1 < count;
      const BufferRows next = has_next ? rows_of(number + 1, &rows) : BufferRows{};
      const bool is_ahead = has_next && rows.stay_beside(next);
      if (is_ahead) load_rows(sources, next, bands);
      const FeatureMap source = band_source(operation, sources, bands, rows);
      if (bands.outputs.empty()) {
        compute_whole(operation, spread, source, nonzeros);
      } else {
        const std::int64_t base = bands.outputs[static_cast<std::size_t>(number) % bands.outputs.size()];
        compute_rows(operation, spread, source, needs, needs.band(number, bands.rows), base, bands.rows, nonzeros);
      }
      if (has_next && !is_ahead) load_rows(sources, next, bands);
      rows = next;
    }
  }

  /// Rows of tiles of what an operation reads.
  std::int64_t source_rows(const EngineOperation& operation) const {
    const FeatureMap source = source_of(operation, maps_);
    return is_of_phases(lowered_, operation) ? source.tiles_h / static_cast<std::int64_t>(kPhases.size()) : source.tiles_h;
  }

  std::int64_t words_of_row(const std::vector<std::size_t>& maps) const {
    std::int64_t words = 0;
    for (std::size_t map : maps) words += rows_.at(map).words;
    return words;
  }

  /// Gives the maps that an operation makes places in scratch memory, if something reads them, and in the result.
  void place_outputs(const EngineOperation& operation, const Spread& spread) {
    for (std::size_t layer : operation.outputs()) {
      const MapRows& rows = rows_.at(layer);
      const std::int64_t bytes = rows.count * rows.words * config_.word_bytes();
      maps_[layer] = output_map(layer, operation, spread);
      if (read_.contains(layer)) {
        spilled_[layer] = static_cast<std::int64_t>(built_.scratch_bytes);
        built_.scratch_bytes += static_cast<std::uint64_t>(bytes);
      }
      if (std::ranges::count(plan_.stored, layer)) {
        results_[layer] = static_cast<std::int64_t>(built_.result_bytes);
        note_store(layer, built_.result_bytes, maps_[layer]);
        built_.result_bytes += static_cast<std::uint64_t>(bytes);
      }
    }
  }

  /// Loads what is to be loaded for a band, row after row of tiles, in each map after map.
  void load_rows(const std::vector<std::size_t>& maps, const BufferRows& rows, const Bands& bands) {
    if (!bands.input_rows || !rows.loads) return;
    std::int64_t base = bands.input_base + (rows.place + rows.rows.count - rows.loads) * words_of_row(maps);
    const std::int64_t first = rows.end() - rows.loads;
    if (maps.size() == 1) {
      load_part(maps.front(), {first, rows.loads}, base);
      return;
    }
    for (std::int64_t row = first; row < rows.end(); ++row) {
      for (std::size_t map : maps) {
        load_part(map, {row, 1}, base);
        base += rows_.at(map).words;
      }
    }
  }

  void load_part(std::size_t layer, RowRange rows, std::int64_t base) {
    const Region region{base, rows.count * rows_.at(layer).words};
    if (layer == lowered_.input) {
      load_frame(false, rows, region);
      return;
    }
    const std::int64_t row_bytes = rows_.at(layer).words * config_.word_bytes();
    const Bytes bytes{spilled_.at(layer) + rows.first * row_bytes, rows.count * row_bytes};
    open_load_.end();
    add_step({layer}, STERNA_OP_LOAD, [&](const auto& set) {
      set(STERNA_STEP_FIELD(SCRATCH), 1);
      // Words are rows of one tile.
      set(STERNA_STEP_FIELD(FILTERS), 1);
      set(STERNA_STEP_FIELD(IN_FULL_ROWS), region.words);
      set(STERNA_STEP_FIELD(IN_FULL_COLS), 1);
      set(STERNA_STEP_FIELD(DRAM_OFFSET), bytes.first);
      set(STERNA_STEP_FIELD(DRAM_BYTES), bytes.count);
      set(STERNA_STEP_FIELD(FM_BASE), region.base);
      set(STERNA_STEP_FIELD(FM_WORDS), region.words);
      set(STERNA_STEP_FIELD(BESIDE), open_stores_.beside({region}, bytes));
    });
    open_load_.begin(region);
  }

  /// What an operation reads: `rows` of the buffer, or of the feature memory.
  FeatureMap band_source(const EngineOperation& operation, const std::vector<std::size_t>& sources, const Bands& bands,
                         const BufferRows& rows) const {
    if (!bands.input_rows) return source_of(operation, maps_);
    const std::int64_t row_words = words_of_row(sources);
    const Region region{bands.input_base + rows.place * row_words, rows.rows.count * row_words};
    std::map<std::size_t, FeatureMap> loaded;
    std::int64_t offset = 0;
    for (std::size_t map : sources) {
      loaded[map] = in_buffer(maps_.at(map), region, rows.rows.first, row_words, offset);
      offset += rows_.at(map).words;
    }
    return source_of(operation, loaded);
  }

  /// Computes the rows of tiles of a band in the buffer at `base`, which has room for `room` of them, and stores them.
  void compute_rows(const EngineOperation& operation, const Spread& spread, const FeatureMap& source, const RowNeeds& needs,
                    RowRange band, std::int64_t base, std::int64_t room, const std::vector<Nonzero>& nonzeros) {
    check_operation(lowered_, config_, operation, source.channels.size(), nonzeros);
    const std::vector<std::size_t> outputs = operation.outputs();
    const bool of_phases = is_of_phases(lowered_, operation);
    const auto& [name, height, width] = lowered_.layers[operation.output()];
    Target target;
    for (std::size_t layer : outputs) {
      target.regions.push_back({base, band.count * rows_.at(layer).words});
      base += room * rows_.at(layer).words;
    }
    target.tiles_h = static_cast<std::int64_t>(of_phases ? kPhases.size() : 1);
    target.tiles_w = maps_.at(operation.output()).tiles_w;
    for (std::int64_t row = 0; row < band.count; ++row) {
      const std::int64_t number = band.first + row, pixel_rows = height / (of_phases ? 2 : 1);
      target.pixels = std::min<std::int64_t>(config_.tile_h, pixel_rows - number * config_.tile_h) * width * (of_phases ? 2 : 1);
      target.bases.clear();
      for (std::size_t place = 0; place < outputs.size(); ++place) {
        target.bases.push_back(target.regions[place].base + row * rows_.at(outputs[place]).words);
      }
      const std::int64_t offset = needs.offset(number);
      std::vector<Nonzero> moved = nonzeros;
      for (Nonzero& each : moved) each.row = static_cast<std::int16_t>(each.row + offset);
      convolve_parts(operation, below(source, needs.top(number), config_.tile_h, of_phases), spread, target, moved);
    }
    for (std::size_t place = 0; place < outputs.size(); ++place) store_rows(outputs[place], band, target.regions[place]);
  }

  /// Stores rows of tiles of a map, where they will be loaded from, and where the driver finds them.
  void store_rows(std::size_t layer, RowRange rows, const Region& region) {
    const std::int64_t row_words = rows_.at(layer).words;
    if (const auto scratch = spilled_.find(layer); scratch != spilled_.end()) {
      store_part(layer, region, scratch->second + rows.first * row_words * config_.word_bytes(), true);
    }
    const auto result = results_.find(layer);
    if (result == results_.end()) return;
    // A result lies channel word after channel word.
    const std::int64_t tiles_w = maps_.at(layer).tiles_w, count = rows_.at(layer).count;
    for (std::int64_t row = 0; row < rows.count; ++row) {
      for (std::int64_t plane = 0; plane < row_words / tiles_w; ++plane) {
        const std::int64_t word = (plane * count + rows.first + row) * tiles_w;
        store_part(layer, {region.base + row * row_words + plane * tiles_w, tiles_w},
                   result->second + word * config_.word_bytes(), false);
      }
    }
  }

  void store_part(std::size_t layer, const Region& region, std::int64_t offset, bool is_scratch) {
    const Bytes bytes{offset, region.words * config_.word_bytes()};
    open_load_.end();
    add_step({layer}, STERNA_OP_STORE, [&](const auto& set) {
      set(STERNA_STEP_FIELD(SCRATCH), is_scratch);
      set(STERNA_STEP_FIELD(FM_BASE), region.base);
      set(STERNA_STEP_FIELD(FM_WORDS), region.words);
      set(STERNA_STEP_FIELD(DRAM_OFFSET), bytes.first);
      set(STERNA_STEP_FIELD(DRAM_BYTES), bytes.count);
    });
    open_stores_.add(region, is_scratch ? bytes : Bytes{});
  }

  /// A map that the operation makes. Drained channel i of group s of a part lies in byte i mod 4 of the group's word
  /// i div 4; split maps have a word for each phase.
  FeatureMap output_map(std::size_t layer, const EngineOperation& operation, const Spread& spread) const {
    const auto [tiles_h, tiles_w] = tile_counts(lowered_, config_, layer);
    const auto& [name, height, width] = lowered_.layers[layer];
    const bool is_split = lowered_.split.contains(layer);
    // A map that spills counts from the first word of a row.
    const Region region = spills(layer) ? Region{0, rows_.at(layer).count * rows_.at(layer).words} : regions_.at(layer);
    FeatureMap map{is_split ? tiles_h * config_.tile_h : height, is_split ? tiles_w * config_.tile_w : width,
                   tiles_h, tiles_w, std::vector<ChannelPlace>(operation.filters), {region}, tiles_w};
    map.plane_words = map.tiles();
    if (spills(layer)) {
      map.row_words = rows_.at(layer).words;
      map.plane_words /= rows_.at(layer).count;
    }
    std::int64_t before = 0;
    for (std::size_t number = 0; number < spread.parts.size(); ++number) {
      const OperationPart& part = spread.parts[number];
      for (std::size_t place = 0; place < part.filters.size(); ++place) {
        if (part.filters[place] == OperationPart::kAbsent) continue;
        const std::size_t group = place / part.channels, channel = place % part.channels;
        const auto word = before + static_cast<std::int64_t>(group * part.group_words() + channel / STERNA_WORD_CHANNELS);
        ChannelPlace& found = map.channels[part.filters[place]];
        found.plane = region.base + word * map.plane_words;
        found.byte = static_cast<int>(channel % STERNA_WORD_CHANNELS);
        // What spills is loaded.
        if (spills(layer)) continue;
        found.step = convs_ + static_cast<std::int64_t>(number);
        found.written = written(operation, spread, part, group, channel);
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
    return std::min(kAll, drained_words(config_, static_cast<std::int64_t>(part.channels), cluster,
                                        static_cast<std::int64_t>(last)));
  }

  void convolve(const EngineOperation& operation, const FeatureMap& source, const Spread& spread, const OperationPart& part,
                const Target& target, const std::vector<Nonzero>& nonzeros) {
    const PartWork work = part_work(config_, operation, nonzeros, source, spread, part, convs_++);
    EncodedPart encoded = encode_part(config_.encoder(), work);
    std::vector<std::uint8_t> table = requant_payload(operation.requant, lacking(operation, nonzeros), part);
    std::vector<Region> touched = target.regions;
    touched.insert(touched.end(), source.regions.begin(), source.regions.end());
    BuiltStep& step = add_step(operation.layers, STERNA_OP_CONV, [&](const auto& set) {
      set_size(set, source.height, source.width);
      set(STERNA_STEP_FIELD(POOL), operation.pool);
      set(STERNA_STEP_FIELD(GATHER_STRIDE), operation.gather_stride);
      set_requant(set, operation.requant);
      set(STERNA_STEP_FIELD(PAD_VALUE), operation.pad_value);
      set(STERNA_STEP_FIELD(TILES_AT_ONCE), spread.tiles_at_once);
      set(STERNA_STEP_FIELD(FM_BASE), target.bases.back());
      set(STERNA_STEP_FIELD(KEEP_BASE), operation.pool == STERNA_POOL_KEEP ? target.bases.front() : 0);
      set(STERNA_STEP_FIELD(IN_TILES_W), source.row_words);
      set(STERNA_STEP_FIELD(OUT_TILES_H), target.tiles_h);
      set(STERNA_STEP_FIELD(OUT_TILES_W), target.tiles_w);
      set(STERNA_STEP_FIELD(OUT_PLANE), target.tiles());
      set(STERNA_STEP_FIELD(TILE_GROUPS), (target.tiles() + spread.tiles_at_once - 1) / spread.tiles_at_once);
      set(STERNA_STEP_FIELD(FILTERS), part.channels);
      set(STERNA_STEP_FIELD(GROUP_WORDS), part.group_words());
      set(STERNA_STEP_FIELD(REQUANT_BYTES), (table.size() + STERNA_TAPE_ALIGN - 1) / STERNA_TAPE_ALIGN * STERNA_TAPE_ALIGN);
      set(STERNA_STEP_FIELD(WEIGHTS_BYTES), encoded.payload.size());
      set(STERNA_STEP_FIELD(BESIDE), open_stores_.beside(target.regions) | open_load_.beside(touched));
    });
    const auto additions = static_cast<std::int64_t>(work.additions.size());
    step.additions = additions * target.tiles();
    step.lane_work = additions * target.pixels;
    tape_.segment(STERNA_SEGMENT_KIND_REQUANT, std::move(table));
    tape_.segment(STERNA_SEGMENT_KIND_WEIGHTS, std::move(encoded.payload));
    if (!keep_streamed_) return;
    step.streamed = {{}, std::move(encoded)};
    for (const Fetch& fetch : work.fetches) step.streamed->after.push_back(fetch.after);
  }

  const Lowered& lowered_;
  const EngineConfig& config_;
  const Plan& plan_;
  bool keep_streamed_;
  TapeWriter tape_;
  std::map<std::size_t, Region> regions_;  ///< Of the maps that lie in the feature memory as a whole.
  std::map<std::size_t, MapRows> rows_;    ///< Of all maps.
  std::set<std::size_t> read_;             ///< The maps that an operation reads.
  /// Where maps that spill lie in scratch memory and in the result.
  std::map<std::size_t, std::int64_t> spilled_, results_;
  std::map<std::size_t, FeatureMap> maps_;
  OpenStores open_stores_;
  OpenLoad open_load_;
  std::int64_t convs_ = 0;
  Built built_;
};

}  // namespace

Built build(const Lowered& lowered, const EngineConfig& config, const Plan& plan, bool keep_streamed,
            const ShowOperation& show) {
  return Builder(lowered, config, plan, keep_streamed).run(show);
}

}  // namespace sterna
