// SPDX-License-Identifier: Apache-2.0
#include "package/program_records.h"

#include <string>
#include <utility>

#include "package/again.h"
#include "package/record.h"

namespace sterna {
namespace {

constexpr std::size_t kMostSteps = 65536, kMostStores = 1024, kMostChannels = 65536;

Step read_step(Record record) {
  Step step{record.text("op"), record.integer("part"), record.text("layers")};
  record.finish();
  return step;
}

Store read_store(Record record) {
  Store store;
  store.layer = record.text("layer");
  store.offset = record.count("offset");
  store.words = record.count("words");
  store.tiles_h = record.count("tiles_h");
  store.tiles_w = record.count("tiles_w");
  store.height = record.count("height");
  store.width = record.count("width");
  store.is_split = record.integer("split") != 0;
  const std::vector<yyjson_val*> numbers = record.list("channels", 2, 2 * kMostChannels);
  for (std::size_t at = 0; at + 1 < numbers.size(); at += 2) {
    const int word = record.integer(numbers[at], "channels"), byte = record.integer(numbers[at + 1], "channels");
    if (word < 0 || byte < 0) refuse({"", record.place() + " has impossible channels", "", "", kAgain});
    store.channels.push_back({word, byte});
  }
  record.finish();
  return store;
}

std::string numbered(const char* list, std::size_t index) { return std::string(list) + "[" + std::to_string(index) + "]"; }

}  // namespace

std::shared_ptr<const Program> read_program(std::span<const std::uint8_t> json, std::vector<std::uint8_t> tape) {
  const Document document = parse(json, "places", kAgain);
  Record record(yyjson_doc_get_root(document.get()), "places", kAgain);
  auto program = std::make_shared<Program>();
  program->tape = std::move(tape);
  Record config = record.record("config");
  program->config_name = config.text("name");
  program->config_hash = static_cast<std::uint32_t>(config.count("hash"));
  program->word = {config.integer("tile_h"), config.integer("tile_w"), config.count("word_bytes")};
  config.finish();
  program->frame_bytes = record.count("frame_bytes");
  program->result_bytes = record.count("result_bytes");
  program->scratch_bytes = record.count("scratch_bytes");
  program->image_offset = record.count("image_offset");
  program->is_interleaved = record.integer("interleaved") != 0;
  program->most_cycles = record.count("most_cycles");
  for (yyjson_val* step : record.list("steps", 0, kMostSteps)) {
    program->steps.push_back(read_step({step, numbered("steps", program->steps.size()), kAgain}));
  }
  for (yyjson_val* store : record.list("stores", 1, kMostStores)) {
    program->stores.push_back(read_store({store, numbered("stores", program->stores.size()), kAgain}));
  }
  record.finish();
  check(*program);
  return program;
}

}  // namespace sterna
