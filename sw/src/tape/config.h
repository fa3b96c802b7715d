// SPDX-License-Identifier: Apache-2.0
// The parameters of an engine that its tape depends on (`sterna.spec.config` of the Python package explains them).
#pragma once

#include <sterna/tape.h>

#include <cstdint>
#include <string>

#include "tape/encoder.h"

namespace sterna {

struct EngineConfig {
  std::string name;
  std::uint32_t hash = 0;
  int tile_h = 0, tile_w = 0;
  int clusters = 0, drains = 0, pes = 0, accumulators = 0;
  int act_w = 0, acc_w = 0, mul_w = 0;
  int axi_data_w = 0;
  std::int64_t fm_words = 0;
  bool input_table = false, general_requant = false, first_layer = false;

  int drain_clusters() const { return clusters / drains; }
  int beat_bytes() const { return axi_data_w / 8; }
  /// `bytes` rounded up to whole bus beats.
  std::int64_t in_beats(std::int64_t bytes) const { return (bytes + beat_bytes() - 1) / beat_bytes() * beat_bytes(); }
  /// Bytes of a feature memory word of all lanes, whole beats.
  std::int64_t word_bytes() const { return in_beats(std::int64_t{tile_h} * tile_w * STERNA_WORD_CHANNELS); }
  EncoderConfig encoder() const { return {tile_h, tile_w, accumulators, beat_bytes()}; }
};

}  // namespace sterna
