// SPDX-License-Identifier: Apache-2.0
// The bytes of a tape: its header, segments and steps (docs/reference/tape.md).
#pragma once

#include <sterna/tape.h>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace sterna {

/// The payload of a STEP segment, all of its fields 0 until they are set.
class StepFields {
 public:
  struct Field {
    const char* name;
    std::size_t offset, bytes;
  };

  /// step: what the step is for, for errors. Throws `Error` for a value that the field cannot hold.
  void set(const Field& field, std::int64_t value, const std::string& step);
  const std::array<std::uint8_t, STERNA_STEP_SIZE>& bytes() const { return bytes_; }

 private:
  std::array<std::uint8_t, STERNA_STEP_SIZE> bytes_{};
};

/// The field of `StepFields` that tape.h calls STERNA_STEP_NAME.
#define STERNA_STEP_FIELD(NAME) ::sterna::StepFields::Field{#NAME, STERNA_STEP_##NAME##_OFFSET, STERNA_STEP_##NAME##_SIZE}

/// Writes segment after segment.
class TapeWriter {
 public:
  explicit TapeWriter(std::uint32_t config_hash);

  void step(const StepFields& fields);
  /// A payload of another kind, padded to the tape's alignment.
  void segment(sterna_segment_kind kind, std::vector<std::uint8_t> payload);
  /// The whole tape; nothing may be written after it.
  std::vector<std::uint8_t> finish();

 private:
  void header(std::size_t at, std::size_t crc_offset);
  void number(std::size_t at, std::uint64_t value, std::size_t bytes);

  std::uint32_t config_hash_, segments_ = 0, steps_ = 0;
  std::vector<std::uint8_t> tape_;
};

}  // namespace sterna
