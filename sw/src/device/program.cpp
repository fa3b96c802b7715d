// SPDX-License-Identifier: Apache-2.0
#include "device/program.h"

#include <algorithm>
#include <array>
#include <limits>
#include <string>

#include "error.h"

namespace sterna {
namespace {

constexpr const char* kAgain = "compile the graph again";
/// Bytes of a memory, and values along a side of a map, at most: so no product of them overflows.
constexpr std::uint64_t kMostBytes = std::uint64_t{1} << 30;

void expect(bool holds, const std::string& where, const std::string& what) {
  if (!holds) refuse({where, what, "", "", kAgain});
}

std::size_t tiles(std::size_t size, int tile) { return (size + tile - 1) / tile; }

void check_store(const Program& program, const Store& store) {
  const std::string where = "stored layer '" + store.layer + "'";
  const MemoryWord& word = program.word;
  std::uint64_t bytes = word.bytes;
  for (std::size_t side : {store.words, store.tiles_h, store.tiles_w, store.height, store.width}) {
    expect(side >= 1 && side <= kMostBytes, where, "has an impossible size");
  }
  for (std::size_t side : {store.words, store.tiles_h, store.tiles_w}) {
    bytes *= side;
    expect(bytes <= kMostBytes, where, "has an impossible size");
  }
  const std::size_t phases = store.is_split ? 2 : 1;
  const bool fits = phases * phases * tiles(store.height / phases, word.tile_h) == store.tiles_h &&
                    tiles(store.width / phases, word.tile_w) == store.tiles_w && store.height % phases == 0 &&
                    store.width % phases == 0;
  expect(fits, where, "does not fit its tiles");
  expect(store.offset <= program.result_bytes && bytes <= program.result_bytes - store.offset, where,
         "lies outside the result memory");
  const auto is_inside = [&](const auto& channel) {
    return channel.first < store.words && channel.second < STERNA_WORD_CHANNELS;
  };
  expect(!store.channels.empty() && std::ranges::all_of(store.channels, is_inside), where, "has impossible channels");
}

}  // namespace

void check(const Program& program) {
  const MemoryWord& word = program.word;
  const auto is_side = [](int side) { return side >= 1 && side <= 1024; };
  expect(is_side(word.tile_h) && is_side(word.tile_w), "engine config", "has an impossible tile");
  const std::size_t lanes = std::size_t{1} * word.tile_h * word.tile_w;
  expect(word.bytes >= lanes * STERNA_WORD_CHANNELS && word.bytes <= kMostBytes, "engine config",
         "has an impossible word");
  for (std::uint64_t bytes : {program.frame_bytes, program.result_bytes, program.scratch_bytes}) {
    expect(bytes <= kMostBytes, "package", "has an impossible size");
  }
  expect(program.tape.size() <= std::numeric_limits<std::uint32_t>::max(), "tape", "is too long");
  const std::array ops = {"LOAD", "CONV", "STORE", "TABLE", "FIRST"};
  for (const Step& step : program.steps) {
    expect(std::ranges::count(ops, step.op) == 1, "step of the tape", "has an unknown operation");
  }
  for (const Store& store : program.stores) check_store(program, store);
}

}  // namespace sterna
