// SPDX-License-Identifier: Apache-2.0
#include "package/graph_records.h"

#include <yyjson.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <limits>
#include <map>
#include <memory>
#include <string_view>
#include <utility>

#include "error.h"
#include "package/record.h"

namespace sterna {
namespace {

constexpr char kFormat[] = "sterna-graph", kAgain[] = "export the graph again";
constexpr int kOldest = 1, kVersion = 2;
constexpr std::size_t kMostLayers = 1024, kLongestName = 128, kLongestShape = 4, kMaxSize = 65535, kLevels = 256;

ArrayRecord array_record(Record& owner, const char* key) {
  static const std::map<std::string, ArrayRecord::Type> kTypes{
      {"ternary", ArrayRecord::Type::ternary}, {"int8", ArrayRecord::Type::int8}, {"int64", ArrayRecord::Type::int64}};
  Record holder = owner.record(key);
  Record record = holder.record("array");
  const auto type = kTypes.find(record.text("type"));
  if (type == kTypes.end()) refuse({"", record.place() + " is of an unknown type", "", "ternary, int8, int64", kAgain});
  ArrayRecord made{type->second, {}};
  for (yyjson_val* length : record.list("shape", 0, kLongestShape)) {
    if (!yyjson_is_uint(length) || yyjson_get_uint(length) > kMaxSize) {
      refuse({"", record.place() + " has an invalid shape", "", "0 .. " + std::to_string(kMaxSize), kAgain});
    }
    made.shape.push_back(yyjson_get_uint(length));
  }
  record.finish();
  holder.finish();
  return made;
}

/// Makes the layers one after the other, as their arrays lie.
class LayerReader {
 public:
  LayerReader(ArrayReader& arrays, int version) : arrays_(arrays), version_(version) {}

  Layer read(Record record) {
    const std::string kind = record.text("kind");
    const auto make = kMakers.find(kind);
    if (make == kMakers.end()) {
      refuse({"", record.place() + " is of an unknown kind", "kind = '" + kind + "'", "",
              "load it with the version of Sterna that wrote it"});
    }
    Layer layer;
    layer.name = name(record);
    layer.operation = (this->*make->second)(record, layer);
    record.finish();
    return layer;
  }

 private:
  using Maker = Operation (LayerReader::*)(Record&, Layer&);
  static const std::map<std::string, Maker> kMakers;

  static std::string name(Record& record) {
    std::string name = record.text("name");
    const bool fits = !name.empty() && name.size() <= kLongestName && std::all_of(name.begin(), name.end(), [](char c) {
      return std::isalnum(static_cast<unsigned char>(c)) || std::string_view("_./-").find(c) != std::string_view::npos;
    });
    if (!fits) refuse({"", record.place() + " has an invalid name", "", "1 .. 128 of A-Z a-z 0-9 _ . / -", kAgain});
    return name;
  }

  static void one_input(Record& record, Layer& layer) { layer.inputs = {record.text("input")}; }

  static void many_inputs(Record& record, Layer& layer) {
    for (yyjson_val* each : record.list("inputs", 2, kMaxSize)) layer.inputs.push_back(record.text(each, "inputs"));
  }

  Requant requant(Record& owner) {
    static const std::map<std::string, Activation> kActivations{
        {"linear", Activation::linear}, {"relu", Activation::relu}, {"leaky", Activation::leaky}};
    Record record = owner.record("requant");
    Requant made;
    made.multiplier = integers(record, "multiplier");
    made.bias = integers(record, "bias");
    made.shift = record.integer("shift");
    const auto activation = kActivations.find(record.text("activation"));
    if (activation == kActivations.end()) {
      refuse({"", record.place() + " has an unknown activation", "", "linear, relu, leaky", kAgain});
    }
    made.activation = activation->second;
    if (record.has("clamp")) {
      const std::vector<yyjson_val*> ends = record.list("clamp", 2, 2);
      made.clamp = {record.integer(ends[0], "clamp"), record.integer(ends[1], "clamp")};
    }
    if (record.has("half_even")) made.half_even = record.flag("half_even");
    record.finish();
    return made;
  }

  std::vector<std::int64_t> integers(Record& record, const char* key) {
    const ArrayRecord array = array_record(record, key);
    if (array.shape.size() != 1) refuse({"", record.place() + " has an array of the wrong shape", key, "", kAgain});
    return arrays_.integers(array, record.place());
  }

  template <std::size_t count>
  static void read_integers(Record& record, const char* key, std::array<int, count>& made) {
    const std::vector<yyjson_val*> values = record.list(key, count, count);
    for (std::size_t place = 0; place < count; ++place) made[place] = record.integer(values[place], key);
  }

  Operation input(Record& record, Layer&) {
    Input made{record.integer("channels"), record.integer("height"), record.integer("width"), record.real("scale"),
               record.integer("zero_point")};
    if (record.has("table")) {
      const ArrayRecord table = array_record(record, "table");
      if (table.shape != std::vector{static_cast<std::size_t>(made.channels), kLevels}) {
        refuse({"", record.place() + " has a table of the wrong shape", "", "[channels, 256]", kAgain});
      }
      made.table = arrays_.bytes(table, record.place());
    }
    return made;
  }

  Operation conv(Record& record, Layer& layer) {
    one_input(record, layer);
    const ArrayRecord weights = array_record(record, "weights");
    const auto& shape = weights.shape;
    if (shape.size() != 4 || shape[2] != shape[3]) {
      refuse({"", record.place() + " has weights of the wrong shape", "", "[filters, channels, K, K]", kAgain});
    }
    Conv made{static_cast<int>(shape[0]), static_cast<int>(shape[1]), static_cast<int>(shape[2]), {}, 1, {}, {}, 1};
    made.weights = arrays_.bytes(weights, record.place());
    made.requant = requant(record);
    made.stride = record.integer("stride");
    read_integers(record, "padding", made.padding);
    made.scale = record.real("scale");
    made.zero_point = zero_point(record);
    if (record.has("groups")) made.groups = record.integer("groups");
    return made;
  }

  static int zero_point(Record& record) { return record.has("zero_point") ? record.integer("zero_point") : 0; }

  Operation max_pool(Record& record, Layer& layer) {
    one_input(record, layer);
    MaxPool made{record.integer("stride")};
    // Once a pool of stride 1 kept the size.
    if (version_ == 1 && made.stride == 1) made.padding = {0, 0, 1, 1};
    if (record.has("kernel")) made.kernel = record.integer("kernel");
    if (record.has("padding")) read_integers(record, "padding", made.padding);
    return made;
  }

  Operation reorg(Record& record, Layer& layer) {
    one_input(record, layer);
    return Reorg{};
  }

  Operation concat(Record& record, Layer& layer) {
    many_inputs(record, layer);
    return Concat{};
  }

  Operation add(Record& record, Layer& layer) {
    many_inputs(record, layer);
    Add made{requant(record), record.real("scale"), zero_point(record)};
    if (record.has("weights")) read_integers(record, "weights", made.weights);
    return made;
  }

  Operation output(Record& record, Layer& layer) {
    one_input(record, layer);
    return Output{};
  }

  ArrayReader& arrays_;
  int version_;
};

const std::map<std::string, LayerReader::Maker> LayerReader::kMakers{
    {"input", &LayerReader::input},   {"conv", &LayerReader::conv},     {"maxpool", &LayerReader::max_pool},
    {"reorg", &LayerReader::reorg},   {"concat", &LayerReader::concat}, {"add", &LayerReader::add},
    {"output", &LayerReader::output},
};

std::string text_of(yyjson_val* value) {
  return yyjson_is_str(value) ? std::string(yyjson_get_str(value), yyjson_get_len(value)) : std::string();
}

/// What a detector's metadata holds; empty where it is of another form.
Metadata metadata_of(yyjson_val* record) {
  Metadata made;
  made.kind = text_of(yyjson_obj_get(record, "kind"));
  if (yyjson_val* aspect = yyjson_obj_get(record, "aspect")) made.aspect = text_of(aspect);
  const std::vector<yyjson_val*> classes = values_of(yyjson_obj_get(record, "classes"));
  if (std::ranges::all_of(classes, yyjson_is_str)) std::ranges::transform(classes, std::back_inserter(made.classes), text_of);
  for (yyjson_val* anchor : values_of(yyjson_obj_get(record, "anchors"))) {
    const std::vector<yyjson_val*> sides = values_of(anchor);
    const bool is_size = sides.size() == 2 && std::ranges::all_of(sides, [](yyjson_val* side) {
      return yyjson_is_num(side) && yyjson_get_num(side) > 0;
    });
    if (!is_size) {
      made.anchors.clear();
      break;
    }
    made.anchors.push_back({yyjson_get_num(sides[0]), yyjson_get_num(sides[1])});
  }
  return made;
}

}  // namespace

Package read_graph(std::span<const std::uint8_t> json, ArrayReader& arrays) {
  const Document document = parse(json, "a graph", kAgain);
  Record index(yyjson_doc_get_root(document.get()), "graph", kAgain);
  if (index.text("format") != kFormat) refuse({"", "is not a graph", "", std::string("format ") + kFormat, kAgain});
  const int version = index.integer("version");
  if (version < kOldest || version > kVersion) {
    refuse({"", "is a graph of another version", "version = " + std::to_string(version),
            std::to_string(kOldest) + " .. " + std::to_string(kVersion), kAgain});
  }
  const int act_bits = index.integer("act_bits"), acc_bits = index.integer("acc_bits");
  yyjson_val* const metadata = index.value("metadata");
  if (!yyjson_is_obj(metadata)) refuse({"", "graph.metadata is no record", "", "", kAgain});
  const std::vector<yyjson_val*> records = index.list("layers", 0, kMostLayers);
  index.finish();
  LayerReader reader(arrays, version);
  std::vector<Layer> layers;
  for (yyjson_val* each : records) {
    layers.push_back(reader.read({each, "layers[" + std::to_string(layers.size()) + "]", kAgain}));
  }
  arrays.finish();
  return {std::make_shared<const Graph>(std::move(layers), act_bits, acc_bits), metadata_of(metadata), nullptr};
}

}  // namespace sterna
