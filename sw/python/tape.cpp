// SPDX-License-Identifier: Apache-2.0
// Tapes: built from lowered graphs and plans, made of packages, and the encoder alone.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/array.h>
#include <nanobind/stl/function.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <span>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "arrays.h"
#include "compile/build.h"
#include "package/package.h"
#include "package/plan_records.h"
#include "tape/encoder.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace sterna {
namespace {

using Integers = Array<std::int64_t, 1>;
using Names = std::vector<std::string>;

template <typename Value>
std::span<const Value> span_of(const Array<Value, 1>& array) {
  return {array.data(), array.size()};
}

std::span<const std::uint8_t> span_of(const nb::bytes& data) {
  return {static_cast<const std::uint8_t*>(data.data()), data.size()};
}

nb::bytes bytes_of(std::span<const std::uint8_t> data) { return nb::bytes(data.data(), data.size()); }

/// Nonzero weights as Python has them, arrays of one length.
struct Weights {
  Array<std::int32_t, 1> filter;
  Array<std::int8_t, 1> phase;
  Array<std::int32_t, 1> channel;
  Array<std::int16_t, 1> row, col;
  Array<std::int8_t, 1> value;

  std::vector<Nonzero> nonzeros() const {
    std::vector<Nonzero> made(filter.size());
    for (std::size_t at = 0; at < made.size(); ++at) {
      made[at] = {filter.data()[at], channel.data()[at], row.data()[at], col.data()[at], phase.data()[at], value.data()[at]};
    }
    return made;
  }
};

Weights make_weights(Array<std::int32_t, 1> filter, Array<std::int8_t, 1> phase, Array<std::int32_t, 1> channel,
                     Array<std::int16_t, 1> row, Array<std::int16_t, 1> col, Array<std::int8_t, 1> value) {
  const std::size_t count = filter.size();
  if (phase.size() != count || channel.size() != count || row.size() != count || col.size() != count || value.size() != count) {
    refuse({"weights", "are arrays of several lengths", "", "", "give a value for each nonzero"});
  }
  return {std::move(filter), std::move(phase), std::move(channel), std::move(row), std::move(col), std::move(value)};
}

/// An `EngineOperation` whose layers are still names.
struct NamedOperation {
  Names layers, sources;
  std::string output;
  EngineOperation operation;
};

/// activation: its code on the tape, which the library need not know.
NamedOperation make_operation(Names layers, std::string output, Names sources, const Weights& weights, int filters,
                              int pool, int gather_stride, int pad_value, const Integers& multiplier, const Integers& bias,
                              int shift, int activation, std::optional<std::array<int, 2>> clamp, bool half_even) {
  if (layers.empty() || sources.empty()) refuse({"operation", "is of no layer, or reads none", "", "", "name them"});
  const auto copied = [](const Integers& array) { return std::vector(array.data(), array.data() + array.size()); };
  EngineOperation operation{{}, {}, static_cast<sterna_pool>(pool), filters, gather_stride, pad_value,
                            {copied(multiplier), copied(bias), shift, static_cast<Activation>(activation), clamp, half_even},
                            [weights] { return weights.nonzeros(); }};
  return {std::move(layers), std::move(sources), std::move(output), std::move(operation)};
}

using Sizes = std::vector<std::tuple<std::string, int, int>>;

Lowered make_lowered(const Sizes& layers, const Sizes& inner, const std::string& input, Input image,
                     int act_bits, const Names& outputs, const std::vector<NamedOperation>& operations,
                     const std::vector<std::tuple<std::string, Names, bool>>& views, const Names& split) {
  Lowered lowered;
  for (const Sizes& maps : {layers, inner}) {
    for (const auto& [name, height, width] : maps) lowered.layers.push_back({name, height, width});
  }
  const auto found = [&](const Names& names) {
    std::vector<std::size_t> numbers;
    for (const std::string& name : names) numbers.push_back(lowered.find(name));
    return numbers;
  };
  lowered.input = lowered.find(input);
  lowered.image = std::move(image);
  lowered.act_bits = act_bits;
  lowered.outputs = found(outputs);
  for (const NamedOperation& each : operations) {
    EngineOperation& operation = lowered.operations.emplace_back(each.operation);
    operation.layers = found(each.layers);
    operation.sources = found(each.sources);
    if (each.output != each.layers.back()) operation.inner = lowered.find(each.output);
  }
  for (const auto& [name, maps, is_reorg] : views) lowered.views[lowered.find(name)] = {found(maps), is_reorg};
  for (std::size_t map : found(split)) lowered.split.insert(map);
  return lowered;
}

/// A number for each round.
auto of_rounds(std::vector<std::uint8_t>& numbers) {
  const std::size_t rounds = numbers.size();
  return moved<std::uint8_t, 1>(std::move(numbers), {rounds});
}

auto records_of(EncodedPart& part) {
  const std::size_t records = part.records.size() / 2;
  return moved<std::int64_t, 2>(std::move(part.records), {records, 2});
}

nb::object streamed_part(std::optional<StreamedPart> streamed) {
  if (!streamed) return nb::none();
  EncodedPart& part = streamed->encoded;
  const std::size_t fetches = streamed->after.size();
  return nb::make_tuple(of_rounds(part.rounds), records_of(part), moved<std::int64_t, 1>(std::move(streamed->after), {fetches}),
                        of_rounds(part.operations));
}

nb::tuple built_tape(const Lowered& lowered, const nb::bytes& config, std::uint32_t config_hash, const nb::bytes& plan,
                     const nb::bytes& filters, bool keep_streamed, const std::function<void(std::size_t, std::string)>& show) {
  Built built;
  const auto show_name = [&](std::size_t index, std::size_t layer) {
    const nb::gil_scoped_acquire acquired;
    show(index, lowered.layers[layer].name);
  };
  {
    const std::span<const std::uint8_t> config_json = span_of(config), plan_json = span_of(plan), listed = span_of(filters);
    const nb::gil_scoped_release released;
    const EngineConfig engine = read_config(config_json, config_hash);
    const Plan decided = read_plan(plan_json, listed, engine, lowered);
    built = build(lowered, engine, decided, keep_streamed, show ? ShowOperation(show_name) : ShowOperation());
  }
  nb::list steps, stores;
  for (BuiltStep& step : built.steps) {
    Names layers;
    for (std::size_t layer : step.layers) layers.push_back(lowered.layers[layer].name);
    steps.append(nb::make_tuple(layers, bytes_of(step.fields.bytes()), step.part, step.additions, step.lane_work,
                                streamed_part(std::move(step.streamed))));
  }
  for (const Store& store : built.stores) {
    stores.append(nb::make_tuple(store.layer, store.offset, store.words, store.tiles_h, store.tiles_w, store.height,
                                 store.width, store.is_split, store.channels));
  }
  return nb::make_tuple(bytes_of(built.tape), steps, stores, built.frame_bytes, built.result_bytes, built.scratch_bytes);
}

/// The tape that is made of a package.
nb::bytes package_tape(const nb::bytes& data, const std::string& where) {
  std::vector<std::uint8_t> tape;
  {
    const std::span<const std::uint8_t> bytes = span_of(data);
    const nb::gil_scoped_release released;
    const Package package = read_package(bytes, where);
    tape = make_program(*package.graph, *package.plan)->tape;
  }
  return bytes_of(tape);
}

/// The value, or the largest one of its type, which nothing of a part is.
template <typename Value>
Value checked(std::int64_t value) {
  return std::in_range<Value>(value) ? static_cast<Value>(value) : std::numeric_limits<Value>::max();
}

using Rows = Array<std::int64_t, 2>;

/// Calls `add` with each row of an array, which has so many columns.
template <std::size_t columns, typename Add>
void each_row(const char* name, const Rows& rows, Add add) {
  if (rows.shape(1) != columns) {
    refuse({"part of a tape", "has rows of another length", std::string(name) + " = " + std::to_string(rows.shape(1)),
            std::to_string(columns), "give the work of a part"});
  }
  for (std::size_t row = 0; row < rows.shape(0); ++row) add(rows.data() + row * columns);
}

nb::tuple encoded(const EncoderConfig& config, std::size_t streams, int tiles_at_once, const Rows& fetches, const Rows& used,
                  const Rows& additions) {
  PartWork work{streams, tiles_at_once, {}, {}, {}};
  each_row<4>("fetches", fetches, [&](const std::int64_t* row) { work.fetches.push_back({row[0], row[1], row[2], row[3]}); });
  each_row<2>("used", used, [&](const std::int64_t* row) {
    work.used.push_back({checked<std::int32_t>(row[0]), checked<std::uint8_t>(row[1])});
  });
  each_row<6>("additions", additions, [&](const std::int64_t* row) {
    work.additions.push_back({checked<std::int32_t>(row[0]), checked<std::int32_t>(row[1]), checked<std::uint8_t>(row[2]),
                              checked<std::uint8_t>(row[3]), checked<std::uint8_t>(row[4]), checked<std::uint8_t>(row[5])});
  });
  EncodedPart part;
  {
    const nb::gil_scoped_release released;
    part = encode_part(config, work);
  }
  return nb::make_tuple(bytes_of(part.payload), of_rounds(part.rounds), records_of(part), of_rounds(part.operations));
}

}  // namespace

void add_tape(nb::module_& module) {
  nb::class_<Weights>(module, "Weights")
      .def(nb::new_(&make_weights), "filter"_a, "phase"_a, "channel"_a, "row"_a, "col"_a, "value"_a);
  nb::class_<NamedOperation>(module, "EngineOperation")
      .def(nb::new_(&make_operation), "layers"_a, "output"_a, "sources"_a, "weights"_a, "filters"_a, "pool"_a,
           "gather_stride"_a, "pad_value"_a, "multiplier"_a, "bias"_a, "shift"_a, "activation"_a, "clamp"_a.none(),
           "half_even"_a);
  nb::class_<Lowered>(module, "Lowered")
      .def(nb::new_(&make_lowered), "layers"_a, "inner"_a, "input"_a, "image"_a, "act_bits"_a, "outputs"_a,
           "operations"_a, "views"_a, "split"_a);
  module.def("build_tape", &built_tape, "lowered"_a, "config"_a, "config_hash"_a, "plan"_a, "filters"_a, "keep_streamed"_a,
             "show"_a.none());
  module.def("package_tape", &package_tape, "data"_a, "where"_a);
  nb::class_<EncoderConfig>(module, "EncoderConfig")
      .def(nb::init<int, int, int, int>(), "tile_h"_a, "tile_w"_a, "accumulators"_a, "beat_bytes"_a);
  module.def("encode_part", &encoded, "config"_a, "streams"_a, "tiles_at_once"_a, "fetches"_a, "used"_a, "additions"_a);
}

}  // namespace sterna
