// SPDX-License-Identifier: Apache-2.0
#include "device/engine_error.h"

#include <sterna/registers.h>
#include <sterna/tape.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "error.h"

namespace sterna {
namespace {

const std::map<std::string, std::vector<std::string>> kSegmentsOfStep = {
    {"LOAD", {"STEP"}},
    {"CONV", {"STEP", "REQUANT", "WEIGHTS"}},
    {"STORE", {"STEP"}},
    {"TABLE", {"STEP", "REQUANT"}},
    {"FIRST", {"STEP", "REQUANT"}},
};

/// Whether it is about the header of the tape, and no segment.
bool is_of_the_tape(const Failure& failure) {
  switch (failure.code) {
    case STERNA_ERROR_CODE_BAD_MAGIC:
    case STERNA_ERROR_CODE_BAD_VERSION:
    case STERNA_ERROR_CODE_BAD_CONFIG:
    case STERNA_ERROR_CODE_HEADER_CRC: return true;
    // While the header is read the engine names segment 0, whose own length is the same in every tape.
    case STERNA_ERROR_CODE_BAD_LENGTH: return failure.segment == 0;
    default: return false;
  }
}

/// What a segment of the tape is: its kind, step, part and layers.
std::string described_segment(const Program& program, std::uint32_t index) {
  const std::string segment = "segment " + std::to_string(index);
  std::size_t first = 0;
  for (std::size_t number = 0; number < program.steps.size(); ++number) {
    const Step& step = program.steps[number];
    const std::vector<std::string>& kinds = kSegmentsOfStep.at(step.op);
    if (index < first + kinds.size()) {
      return segment + " (" + kinds[index - first] + " of step " + std::to_string(number) + ", " + step.op + " part " +
             std::to_string(step.part) + " of " + step.layers + ")";
    }
    first += kinds.size();
  }
  return segment;
}

/// 12345 as "12,345".
std::string with_commas(std::uint64_t number) {
  std::string text = std::to_string(number);
  for (std::size_t at = text.size(); at > 3;) text.insert(at -= 3, 1, ',');
  return text;
}

}  // namespace

void refuse_failure(const Program& program, const Failure& failure) {
  const auto [status, code, segment] = failure;
  const bool is_known = code > STERNA_ERROR_CODE_NONE && code <= STERNA_ERROR_CODE_BAD_LAYOUT;
  if (!(status & STERNA_STATUS_ERROR) || !is_known) {
    refuse({"engine", "the engine ended the frame in an unknown state",
            "STATUS, ERROR_CODE = " + std::to_string(status) + ", " + std::to_string(code), "", "reset the engine"});
  }
  refuse({is_of_the_tape(failure) ? "tape header" : described_segment(program, segment),
          std::string("the engine stopped: ") + sterna_error_code_text(code),
          "error = " + std::to_string(code) + " " + sterna_error_code_name(code), "", sterna_error_code_remedy(code)});
}

void refuse_short_watchdog(std::uint32_t watchdog, std::uint64_t latency) {
  const std::string least = with_commas(latency);
  refuse({"engine", "the watchdog ended the frame before the memory answered",
          "watchdog = " + with_commas(watchdog) + " cycles",
          "0 for none, or " + least + " or more, as the memory takes up to " + least + " cycles to answer",
          "raise the watchdog"});
}

void refuse_time_out(const Program& program, std::uint32_t steps, std::uint64_t limit, bool is_stopped) {
  const std::string layers = steps < program.steps.size() ? program.steps[steps].layers : "none";
  refuse({"engine, step " + std::to_string(steps) + " of " + std::to_string(program.steps.size()) + " (layer " + layers + ")",
          std::string("the engine did not finish the frame in time") + (is_stopped ? "" : ", and cannot be aborted"),
          "cycles = " + std::to_string(limit), "",
          "raise the time-out if the memory is slow; otherwise reset the engine"});
}

}  // namespace sterna
