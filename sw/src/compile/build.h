// SPDX-License-Identifier: Apache-2.0
// A lowered graph, an engine config and a plan to the tape: the one builder, which always makes the same bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "compile/lower.h"
#include "compile/plan.h"
#include "compile/work.h"
#include "device/layout.h"
#include "tape/writer.h"

namespace sterna {

/// What a CONV step streams, as the cycle model takes it.
struct StreamedPart {
  std::vector<std::int64_t> after;  ///< Of its fetch words.
  EncodedPart encoded;
};

/// A step of the tape.
struct BuiltStep {
  std::vector<std::size_t> layers;
  sterna_op op;
  int part = 0;  ///< Which part of the layers.
  std::int64_t additions = 0;  ///< Over all tiles.
  std::int64_t lane_work = 0;  ///< The additions that lanes with a pixel of the map make.
  StepFields fields;
  std::optional<StreamedPart> streamed;  ///< Of a CONV, if it was asked for.
};

/// A tape, its steps, and where the driver finds what they store.
struct Built {
  std::vector<std::uint8_t> tape;
  std::vector<BuiltStep> steps;
  std::vector<Store> stores;
  std::uint64_t frame_bytes = 0, result_bytes = 0, scratch_bytes = 0;
};

/// Called before each operation with its number and the layer whose map it makes.
using ShowOperation = std::function<void(std::size_t, std::size_t)>;

/// The config has to fit the graph (`check_config`). Throws `Error` for a plan that does not fit them, and, naming the
/// layer, for a value that does not fit the tape. keep_streamed: keep what each CONV step streams.
Built build(const Lowered& lowered, const EngineConfig& config, const Plan& plan, bool keep_streamed = false,
            const ShowOperation& show = {});

}  // namespace sterna
