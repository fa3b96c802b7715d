// SPDX-License-Identifier: Apache-2.0
#include "package/plan_records.h"

#include <sterna/package.h>
#include <zlib.h>

#include <array>
#include <limits>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "compile/build.h"
#include "compile/check.h"
#include "package/again.h"
#include "package/record.h"

namespace sterna {
namespace {

constexpr std::size_t kMostLayers = 1024, kMostOperations = 3 * kMostLayers, kMostSteps = 65536;
constexpr int kMostParts = 65535;
/// One is loaded or stored while the other is computed with.
constexpr std::size_t kMostBuffers = 2;
/// Channels of a pixel that lie side by side in a frame; others lie plane after plane.
constexpr int kInterleaved = 3;
/// The version of a tape of which the package says nothing.
constexpr std::uint64_t kUnsaidTape = 3;

using Bytes = std::vector<std::uint8_t>;

/// A section of JSON.
struct Json {
  Json(std::span<const std::uint8_t> text, const std::string& name)
      : document(parse(text, "a " + name, kAgain)), record(yyjson_doc_get_root(document.get()), name, kAgain) {}

  Document document;
  Record record;
};

/// The filters of parts, as the section `filters` lists them.
class FilterReader {
 public:
  explicit FilterReader(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  OperationPart take(std::size_t groups, std::size_t channels) {
    OperationPart part{groups, channels, {}};
    if (groups * channels > (bytes_.size() - at_) / 2) contradict();
    for (std::size_t place = 0; place < groups * channels; ++place, at_ += 2) {
      const int filter = bytes_[at_] | bytes_[at_ + 1] << 8;
      part.filters.push_back(filter == STERNA_PACKAGE_ABSENT ? OperationPart::kAbsent : filter);
    }
    return part;
  }

  void finish() const {
    if (at_ != bytes_.size()) contradict();
  }

 private:
  [[noreturn]] static void contradict() { refuse({"", "its parts contradict each other", "filters", "", kAgain}); }

  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

Spread read_spread(Record record, const EngineConfig& config, FilterReader& filters) {
  Spread spread;
  spread.tiles_at_once = record.integer("tiles_at_once");
  const int parts = record.integer("parts"), channels = record.integer("channels");
  record.finish();
  const auto is_positive = [](int value) { return value >= 1 && value <= kMostParts; };
  const bool fits = is_positive(spread.tiles_at_once) && is_positive(parts) && is_positive(channels) &&
                    config.clusters % spread.tiles_at_once == 0;
  if (!fits) refuse({"", record.place() + " is impossible", "", "", kAgain});
  for (int part = 0; part < parts; ++part) {
    spread.parts.push_back(filters.take(config.clusters / spread.tiles_at_once, channels));
  }
  return spread;
}

std::vector<std::int64_t> read_bases(Record& record, const char* name) {
  std::vector<std::int64_t> bases;
  for (yyjson_val* base : record.list(name, 0, kMostBuffers)) bases.push_back(record.integer(base, name));
  return bases;
}

/// Those of each operation that runs by bands.
std::map<std::size_t, Bands> read_bands(Record& plan) {
  std::map<std::size_t, Bands> bands;
  for (yyjson_val* each : plan.list("bands", 1, kMostOperations)) {
    Record record(each, "schedule.plan.bands[" + std::to_string(bands.size()) + "]", kAgain);
    const int operation = record.integer("operation"), rows = record.integer("rows");
    const int input_base = record.integer("input_base"), input_rows = record.integer("input_rows");
    const bool fits = operation >= 0 && rows >= 1 && input_rows >= 0 && !bands.contains(static_cast<std::size_t>(operation));
    if (!fits) refuse({"", record.place() + " is impossible", "", "", kAgain});
    bands[static_cast<std::size_t>(operation)] = {rows, input_base, input_rows, read_bases(record, "outputs")};
    record.finish();
  }
  return bands;
}

/// A JSON object whose keys are layers.
std::map<std::size_t, std::int64_t> read_bases(yyjson_val* object, const Lowered& lowered) {
  if (!yyjson_is_obj(object)) refuse({"", "schedule.plan.bases is no record", "", "", kAgain});
  std::map<std::size_t, std::int64_t> bases;
  yyjson_obj_iter iterator = yyjson_obj_iter_with(object);
  while (yyjson_val* key = yyjson_obj_iter_next(&iterator)) {
    yyjson_val* value = yyjson_obj_iter_get_val(key);
    if (!yyjson_is_uint(value) || yyjson_get_uint(value) > std::numeric_limits<std::int32_t>::max()) {
      refuse({"", "schedule.plan.bases has a value that is no count", "", "", kAgain});
    }
    bases[lowered.find({yyjson_get_str(key), yyjson_get_len(key)})] = static_cast<std::int64_t>(yyjson_get_uint(value));
  }
  return bases;
}

Plan read_decisions(Record record, const EngineConfig& config, FilterReader filters, const Lowered& lowered) {
  Plan plan;
  for (yyjson_val* layer : record.list("stored", 1, kMostLayers)) {
    plan.stored.push_back(lowered.find(record.text(layer, "stored")));
  }
  plan.bases = read_bases(record.value("bases"), lowered);
  yyjson_val* load_after = record.value("load_after");
  if (!yyjson_is_null(load_after)) {
    const int operation = record.integer(load_after, "load_after");
    if (operation < 0) refuse({"", record.place() + " has a value that is no count", "load_after", "", kAgain});
    plan.load_after = static_cast<std::size_t>(operation);
  }
  for (yyjson_val* spread : record.list("spreads", 0, kMostOperations)) {
    const std::string place = "schedule.plan.spreads[" + std::to_string(plan.spreads.size()) + "]";
    plan.spreads.push_back(read_spread({spread, place, kAgain}, config, filters));
  }
  plan.first_layer = record.has("first_layer") && record.flag("first_layer");
  // Plans by which nothing spills say nothing of it.
  if (record.has("bands")) plan.bands = read_bands(record);
  record.finish();
  filters.finish();
  return plan;
}

/// What was compiled, and the length and the Adler-32 of its tape.
struct Compiled {
  EngineConfig config;
  Plan plan;
  std::uint64_t tape_bytes = 0, tape_adler = 0;
};

/// The decisions are for engines whose tapes have this version.
void check_tape_version(std::uint64_t version) {
  if (version == STERNA_TAPE_VERSION) return;
  const bool is_later = version > STERNA_TAPE_VERSION;
  refuse({"", is_later ? "is for a later engine" : "is a package for an earlier engine",
          "tape version = " + std::to_string(version), std::to_string(STERNA_TAPE_VERSION),
          is_later ? "install the later version" : "write it anew: sterna compile FILE --config NAME -o NEW"});
}

Compiled read_compiled(const PlanRecords& records, const Graph& graph, const Lowered& lowered) {
  Compiled compiled;
  Json json(records.schedule, "schedule");
  Record digest = json.record.record("tape");
  compiled.tape_bytes = digest.count("length");
  compiled.tape_adler = digest.count("adler");
  check_tape_version(digest.has("version") ? digest.count("version") : kUnsaidTape);
  compiled.config = read_config(records.config, static_cast<std::uint32_t>(digest.count("config_hash")));
  digest.finish();
  check_config(graph, compiled.config);
  compiled.plan = read_decisions(json.record.record("plan"), compiled.config, FilterReader(records.filters), lowered);
  json.record.finish();
  return compiled;
}

/// The cycles of all steps of a frame alone.
std::uint64_t read_cycles(const Bytes& text) {
  Json json(text, "cycles");
  json.record.count("queued");
  std::uint64_t cycles = 0;
  for (yyjson_val* step : json.record.list("steps", 0, kMostSteps)) {
    yyjson_val* first = yyjson_arr_get_first(step);
    if (!yyjson_is_uint(first)) refuse({"", "cycles.steps has a value that is no count", "", "", kAgain});
    cycles += yyjson_get_uint(first);
  }
  json.record.finish();
  return cycles;
}

const char* text_of(sterna_op op) {
  constexpr std::array kTexts{"LOAD", "CONV", "STORE", "TABLE", "FIRST"};
  return kTexts[op - STERNA_OP_LOAD];
}

/// What is loaded of scratch memory, at most, as a multiple of it: rows that several bands need are loaded again.
constexpr std::uint64_t kMostLoads = 8;

/// Untimed, a frame takes at most a cycle for each addition, as if there were one PE, and for each byte that moves.
std::uint64_t most_cycles(const Built& built) {
  std::uint64_t most = built.tape.size() + built.frame_bytes + built.result_bytes + kMostLoads * built.scratch_bytes;
  for (const BuiltStep& step : built.steps) most += static_cast<std::uint64_t>(step.additions);
  return most;
}

Step described(const Lowered& lowered, const BuiltStep& step) {
  std::string layers;
  for (std::size_t layer : step.layers) layers += (layers.empty() ? "" : ", ") + lowered.layers[layer].name;
  return {text_of(step.op), step.part, std::move(layers)};
}

}  // namespace

PlanRecords unpack_plan(const Container& container) {
  const bool has_cycles = container.has(STERNA_PACKAGE_SECTION_CYCLES);
  return {unpack(container.section(STERNA_PACKAGE_SECTION_CONFIG)),
          unpack(container.section(STERNA_PACKAGE_SECTION_SCHEDULE)),
          unpack(container.section(STERNA_PACKAGE_SECTION_FILTERS)),
          has_cycles ? unpack(container.section(STERNA_PACKAGE_SECTION_CYCLES)) : Bytes{}};
}

EngineConfig read_config(std::span<const std::uint8_t> text, std::uint32_t hash) {
  Json json(text, "config");
  Record& record = json.record;
  EngineConfig config;
  config.hash = hash;
  config.name = record.text("name");
  config.tile_h = record.integer("tile_h");
  config.tile_w = record.integer("tile_w");
  config.clusters = record.integer("clusters");
  config.drains = record.integer("drains");
  config.pes = record.integer("pes");
  config.accumulators = record.integer("accumulators");
  config.act_w = record.integer("act_w");
  config.acc_w = record.integer("acc_w");
  config.mul_w = record.integer("mul_w");
  config.fm_words = record.integer("fm_words");
  config.axi_data_w = record.integer("axi_data_w");
  config.input_table = record.flag("input_table");
  // Packages from before there was such a parameter lack it.
  config.general_requant = record.has("general_requant") && record.flag("general_requant");
  config.first_layer = record.has("first_layer") && record.flag("first_layer");
  // The tape does not depend on what else there is.
  return config;
}

Plan read_plan(std::span<const std::uint8_t> json, std::span<const std::uint8_t> filters, const EngineConfig& config,
               const Lowered& lowered) {
  Json plan(json, "plan");
  return read_decisions(std::move(plan.record), config, FilterReader(filters), lowered);
}

std::shared_ptr<const Program> make_program(const Graph& graph, const PlanRecords& records) {
  const Lowered lowered = lower(graph);
  const Compiled compiled = read_compiled(records, graph, lowered);
  Built built = build(lowered, compiled.config, compiled.plan);
  const uLong adler = adler32_z(adler32_z(0, nullptr, 0), built.tape.data(), built.tape.size());
  if (built.tape.size() != compiled.tape_bytes || adler != compiled.tape_adler) {
    refuse({"", "its parts contradict each other", "tape = " + std::to_string(built.tape.size()) + " bytes",
            "the tape that was compiled", "compile the graph again"});
  }
  auto program = std::make_shared<Program>();
  program->config_name = compiled.config.name;
  program->config_hash = compiled.config.hash;
  program->frame_bytes = built.frame_bytes;
  program->result_bytes = built.result_bytes;
  program->scratch_bytes = built.scratch_bytes;
  program->image_offset = 0;
  program->is_interleaved = graph.tensor(graph.input()).channels == kInterleaved;
  program->most_cycles = records.cycles.empty() ? most_cycles(built) : read_cycles(records.cycles);
  for (const BuiltStep& step : built.steps) program->steps.push_back(described(lowered, step));
  program->word = {compiled.config.tile_h, compiled.config.tile_w, static_cast<std::size_t>(compiled.config.word_bytes())};
  program->tape = std::move(built.tape);
  program->stores = std::move(built.stores);
  check(*program);
  return program;
}

}  // namespace sterna
