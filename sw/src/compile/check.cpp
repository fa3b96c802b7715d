// SPDX-License-Identifier: Apache-2.0
#include "compile/check.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "compile/bands.h"
#include "compile/first.h"
#include "compile/maps.h"
#include "compile/work.h"
#include "error.h"
#include "graph/csd.h"

namespace sterna {
namespace {

/// Of a window, either way.
constexpr int kMostOffset = 128;
/// Channels of a pixel that lie side by side in a frame.
constexpr int kInterleaved = 3;
constexpr char kAgain[] = "compile the graph again";

[[noreturn]] void contradict(const std::string& attribute, const std::string& value, const std::string& allowed) {
  refuse({"", "its parts contradict each other", attribute + " = " + value, allowed, kAgain});
}

void check_parameter(const char* name, std::int64_t value, std::int64_t low, std::int64_t high) {
  if (value >= low && value <= high) return;
  refuse({"engine config", "has a parameter that is out of range", std::string(name) + " = " + std::to_string(value),
          std::to_string(low) + " .. " + std::to_string(high), kAgain});
}

void check_requant(const Graph& graph, const Layer& layer, const EngineConfig& config) {
  const Conv* conv = std::get_if<Conv>(&layer.operation);
  const Add* add = std::get_if<Add>(&layer.operation);
  if (!conv && !add) return;
  const Requant requant = least_requant(graph, conv ? conv->requant : add->requant);
  for (std::int64_t multiplier : requant.multiplier) {
    if (multiplier >> config.mul_w == 0) continue;
    contradict("mul_w", std::to_string(config.mul_w), "bits that hold the multipliers of layer " + layer.name);
  }
  if (!config.general_requant && (requant.clamp || requant.half_even)) {
    contradict("general_requant", std::to_string(config.general_requant),
               "an engine with the clamp and the rounding of layer " + layer.name);
  }
}

void check_spread(const EngineConfig& config, const EngineOperation& operation, const std::string& name,
                  const Spread& spread, bool in_load) {
  const std::string where = "spread of " + name;
  const auto most = static_cast<std::size_t>(most_channels(config, operation.pool));
  std::vector<int> filters;
  for (const OperationPart& part : spread.parts) {
    if (part.channels > most && !in_load) {
      contradict(where, std::to_string(part.channels) + " channels", "at most " + std::to_string(most));
    }
    std::ranges::copy_if(part.filters, std::back_inserter(filters), [](int filter) { return filter != OperationPart::kAbsent; });
  }
  std::ranges::sort(filters);
  bool is_each_once = filters.size() == static_cast<std::size_t>(operation.filters);
  for (std::size_t place = 0; place < filters.size(); ++place) is_each_once &= filters[place] == static_cast<int>(place);
  if (!is_each_once) contradict(where, "its filters", "each of " + std::to_string(operation.filters) + " once");
}

void check_bases(const Lowered& lowered, const EngineConfig& config, const Plan& plan,
                 const std::map<std::size_t, std::int64_t>& words) {
  for (const auto& [layer, base] : plan.bases) {
    if (!words.contains(layer)) contradict("bases", lowered.layers[layer].name, "the maps of the graph");
    const std::int64_t most = config.fm_words - words.at(layer);
    if (base < 0 || base > most) {
      contradict("base of " + lowered.layers[layer].name, std::to_string(base), "0 .. " + std::to_string(most));
    }
  }
}

void check_stored(const Lowered& lowered, const Plan& plan) {
  const std::set<std::size_t> stored(plan.stored.begin(), plan.stored.end());
  const bool shows_all = std::ranges::all_of(lowered.outputs, [&](std::size_t output) {
    return stored.contains(lowered.views.at(output).maps[0]) && !stored.contains(output);
  });
  const bool has_inner = std::ranges::any_of(lowered.operations, [&](const EngineOperation& operation) {
    return operation.inner && stored.contains(*operation.inner);
  });
  if (!shows_all || has_inner || stored.size() != plan.stored.size()) contradict("stored", "its layers", "layers of the graph, each once, with what every output shows");
}

/// Whether all of `maps` spill, which have no base; either all of them do, or none.
bool all_spill(const Lowered& lowered, const Plan& plan, const std::vector<std::size_t>& maps) {
  const auto spills = [&](std::size_t map) { return !plan.bases.contains(map); };
  const auto count = std::ranges::count_if(maps, spills);
  if (count && count != std::ssize(maps)) {
    contradict("base of " + lowered.layers[maps.front()].name, "one", "one for each or no map that is read or made with it");
  }
  return count > 0;
}

/// An image that spills is loaded by rows of its pixels, which must follow each other in the frame.
void check_image(const Lowered& lowered, const Plan& plan) {
  if (plan.bases.contains(lowered.input) || plan.first_layer) return;
  const bool has_rows = lowered.image.channels == 1 || lowered.image.channels == kInterleaved;
  const bool is_alone = std::ranges::none_of(lowered.operations, [&](const EngineOperation& operation) {
    const std::vector<std::size_t> sources = computed_sources(lowered, operation);
    return sources.size() > 1 && std::ranges::count(sources, lowered.input);
  });
  if (!has_rows || !is_alone || plan.load_after) {
    contradict("bases", "none of " + lowered.layers[lowered.input].name, "one");
  }
}

/// An operation runs by bands if it reads or makes what spills.
void check_bands(const Lowered& lowered, const EngineConfig& config, const Plan& plan, std::size_t index) {
  const EngineOperation& operation = lowered.operations[index];
  const bool reads = all_spill(lowered, plan, computed_sources(lowered, operation));
  const bool makes = all_spill(lowered, plan, operation.outputs());
  const auto found = plan.bands.find(index);
  const std::string where = "bands of " + lowered.layers[operation.output()].name;
  if (found == plan.bands.end()) {
    if (reads || makes) contradict(where, "none", "some, as its maps have no base");
    return;
  }
  const Bands& bands = found->second;
  const std::int64_t rows = map_rows(lowered, config, operation.output(), 0).count;
  const bool fits = (bands.input_rows > 0) == reads && bands.outputs.empty() != makes && (reads || makes) &&
                    bands.rows >= (makes ? 1 : rows) && bands.rows <= rows;
  if (!fits) contradict(where, std::to_string(bands.rows) + " rows", "buffers of what has no base, for up to " + std::to_string(rows));
  // Those that make all of a map read its phases one after the other.
  if (!makes && is_of_phases(lowered, operation)) contradict(where, "no outputs", "some, as the map is split by phase");
}

/// What is stored may spill, unless it is put together of several maps.
void check_shown(const Lowered& lowered, const Plan& plan) {
  for (std::size_t layer : plan.stored) {
    for (std::size_t map : lowered.shown(layer)) {
      const bool may_spill = map == layer && map != lowered.input;
      if (!may_spill && !plan.bases.contains(map)) contradict("bases", "none of " + lowered.layers[map].name, "one");
    }
  }
}

/// The largest magnitude that a weight's digits may add to a sum on the way, highest first, doubling in between: an activation
/// of `act_bits` times those that are positive, and its inverse times those that are negative.
std::int64_t largest_addition(std::int8_t weight, int act_bits) {
  const std::int64_t most = (std::int64_t{1} << (act_bits - 1)) - 1;
  std::int64_t added = 0, subtracted = 0, largest = 0;
  const auto meet = [&] {
    largest = std::max({largest, (most + 1) * added - most * subtracted, (most + 1) * subtracted - most * added});
  };
  for (int digit = kMaxDigits - 1; digit >= 0; --digit) {
    added *= 2;
    subtracted *= 2;
    meet();
    const int value = digits_of(weight)[digit];
    added += value > 0;
    subtracted += value < 0;
    meet();
  }
  return largest;
}

/// No order of the additions of a digit makes a sum overflow.
void check_sums(const std::string& where, const EngineConfig& config, const EngineOperation& operation,
                const std::vector<Nonzero>& nonzeros) {
  std::array<std::int64_t, 256> largest;
  for (std::size_t byte = 0; byte < largest.size(); ++byte) {
    largest[byte] = largest_addition(static_cast<std::int8_t>(byte), config.act_w);
  }
  const auto phases = static_cast<std::size_t>(filter_phases(operation.pool));
  std::vector<std::int64_t> bounds(operation.filters * phases);
  for (const Nonzero& each : nonzeros) {
    bounds[each.filter * phases + each.phase] += largest[static_cast<std::uint8_t>(each.value)];
  }
  const std::int64_t most = (std::int64_t{1} << (config.acc_w - 1)) - 1;
  const auto over = std::ranges::find_if(bounds, [&](std::int64_t bound) { return bound > most; });
  if (over == bounds.end()) return;
  refuse({where + ", filter " + std::to_string((over - bounds.begin()) / phases), "the accumulator may overflow",
          "largest magnitude = " + std::to_string(*over),
          "0 .. " + std::to_string(most) + " (acc_w = " + std::to_string(config.acc_w) + ")",
          "make the filter sparser or its weights smaller, or choose a config with a larger acc_w"});
}

/// Biases have room for what sums lack, which is the same in all phases.
void check_biases(const std::string& where, const EngineOperation& operation, const std::vector<Nonzero>& nonzeros) {
  const std::vector<std::int64_t> ones = lacking(operation, nonzeros, 0);
  for (int phase = 1; phase < filter_phases(operation.pool); ++phase) {
    if (lacking(operation, nonzeros, phase) == ones) continue;
    refuse({where, "is lowered to phases that subtract unequal weights", "phase = " + std::to_string(phase), "",
            "correct how the layer is lowered"});
  }
  constexpr std::int64_t kMost = (std::int64_t{1} << (STERNA_REQUANT_BIAS_W - 1)) - 1;
  for (std::size_t filter = 0; filter < ones.size(); ++filter) {
    const std::int64_t bias = operation.requant.bias[filter] + operation.requant.multiplier[filter] * ones[filter];
    if (bias <= kMost) continue;
    refuse({where + ", filter " + std::to_string(filter), "its bias is too large, with what subtracted activations add to it",
            "bias = " + std::to_string(bias), "up to " + std::to_string(kMost), "lower bias, multiplier and shift"});
  }
}

/// LOAD computes the first operation if the engine can, and nothing else needs the image.
void check_first(const Lowered& lowered, const EngineConfig& config, const Plan& plan) {
  const auto reads_image = [&](const EngineOperation& operation) {
    return std::ranges::count(computed_sources(lowered, operation), lowered.input) > 0;
  };
  const std::vector<EngineOperation>& operations = lowered.operations;
  const bool fits = config.first_layer && !operations.empty() && fits_load(lowered, operations.front()) &&
                    std::none_of(operations.begin() + 1, operations.end(), reads_image) && plan.bands.empty() &&
                    !plan.bases.contains(lowered.input) && plan.bases.contains(operations.front().output());
  const auto in_order = [&](const Spread& spread) {
    return spread.tiles_at_once == config.clusters && spread.parts.size() == 1 && spread.parts[0].groups == 1 &&
           std::ranges::is_sorted(spread.parts[0].filters) &&
           std::ssize(spread.parts[0].filters) == operations.front().filters;
  };
  if (!fits || !in_order(plan.spreads.front())) {
    contradict("first_layer", "true", "false, as LOAD cannot compute the first layer of this graph");
  }
}

}  // namespace

void check_buffers(const Lowered& lowered, const EngineConfig& config, const EngineOperation& operation, const Bands& bands,
                   std::int64_t least_rows, std::int64_t row_words, std::int64_t output_words) {
  const std::string& name = lowered.layers[operation.output()].name;
  const auto check_base = [&](std::int64_t base, std::int64_t words) {
    if (base >= 0 && base <= config.fm_words - words) return;
    contradict("buffer of " + name, std::to_string(base), "0 .. " + std::to_string(config.fm_words - words));
  };
  for (std::int64_t base : bands.outputs) check_base(base, output_words);
  if (!bands.input_rows) return;
  check_base(bands.input_base, bands.input_rows * row_words);
  if (bands.input_rows < least_rows) {
    contradict("input_rows of " + name, std::to_string(bands.input_rows), std::to_string(least_rows) + " or more");
  }
}

void check_config(const Graph& graph, const EngineConfig& config) {
  check_parameter("tile_h", config.tile_h, 3, 15);
  check_parameter("tile_w", config.tile_w, 3, 15);
  check_parameter("clusters", config.clusters, 1, 4);
  check_parameter("drains", config.drains, 1, config.clusters);
  check_parameter("pes", config.pes, 4, 32);
  check_parameter("accumulators", config.accumulators, 4, 16);
  check_parameter("axi_data_w", config.axi_data_w, 64, 512);
  check_parameter("fm_words", config.fm_words, 64, 65536);
  check_parameter("act_w", config.act_w, graph.act_bits(), graph.act_bits());
  check_parameter("acc_w", config.acc_w, graph.acc_bits(), 32);
  check_parameter("mul_w", config.mul_w, 8, 18);
  for (const Layer& layer : graph.layers()) check_requant(graph, layer, config);
  const Input& image = std::get<Input>(graph.layers()[graph.input()].operation);
  if (!image.table.empty() && (!config.input_table || image.channels > STERNA_INPUT_TABLES)) {
    contradict("input_table", std::to_string(config.input_table), "an engine with tables for the channels of the image");
  }
}

void check_plan(const Lowered& lowered, const EngineConfig& config, const Plan& plan) {
  const std::size_t operations = lowered.operations.size();
  if (plan.spreads.size() != operations) {
    contradict("spreads", std::to_string(plan.spreads.size()), std::to_string(operations));
  }
  for (std::size_t index = 0; index < operations; ++index) {
    const EngineOperation& operation = lowered.operations[index];
    check_spread(config, operation, lowered.layers[operation.output()].name, plan.spreads[index],
                 plan.first_layer && index == 0);
  }
  if (plan.first_layer) check_first(lowered, config, plan);
  check_bases(lowered, config, plan, map_words(lowered, config, plan.spreads));
  check_stored(lowered, plan);
  check_image(lowered, plan);
  check_shown(lowered, plan);
  for (std::size_t index = plan.first_layer ? 1 : 0; index < operations; ++index) check_bands(lowered, config, plan, index);
  if (!plan.bands.empty() && plan.bands.rbegin()->first >= operations) {
    contradict("bands", std::to_string(plan.bands.rbegin()->first), "below " + std::to_string(operations));
  }
  if (plan.load_after && *plan.load_after >= operations) {
    contradict("load_after", std::to_string(*plan.load_after), "below " + std::to_string(operations));
  }
}

void check_operation(const Lowered& lowered, const EngineConfig& config, const EngineOperation& operation,
                     std::size_t channels, const std::vector<Nonzero>& nonzeros) {
  const std::string& name = lowered.layers[operation.output()].name;
  const auto filters = static_cast<std::size_t>(operation.filters);
  const std::size_t phases = operation.pool == STERNA_POOL_NONE ? 1 : kPhases.size();
  const auto is_offset = [](int offset) { return -kMostOffset <= offset && offset < kMostOffset; };
  const auto is_inside = [&](const Nonzero& each) {
    return static_cast<std::size_t>(each.filter) < filters && static_cast<std::size_t>(each.channel) < channels &&
           static_cast<std::size_t>(each.phase) < phases && is_offset(each.row) && is_offset(each.col);
  };
  const Requant& requant = operation.requant;
  const bool fits = requant.multiplier.size() == filters && requant.bias.size() == filters;
  if (!fits || !std::ranges::all_of(nonzeros, is_inside)) {
    refuse({"layer " + name, "is lowered to weights or a requantisation that are not of its filters and channels",
            "filters = " + std::to_string(filters), "", "correct how the layer is lowered"});
  }
  check_sums("layer " + name, config, operation, nonzeros);
  check_biases("layer " + name, operation, nonzeros);
}

}  // namespace sterna
