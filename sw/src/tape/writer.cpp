// SPDX-License-Identifier: Apache-2.0
#include "tape/writer.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include "bytes.h"
#include "error.h"

namespace sterna {
namespace {

void pad(std::vector<std::uint8_t>& payload) {
  payload.resize((payload.size() + STERNA_TAPE_ALIGN - 1) / STERNA_TAPE_ALIGN * STERNA_TAPE_ALIGN);
}

}  // namespace

void StepFields::set(const Field& field, std::int64_t value, const std::string& step) {
  const std::int64_t bits = 8 * static_cast<std::int64_t>(field.bytes), most = (std::int64_t{1} << bits) - 1;
  if (value < -(std::int64_t{1} << (bits - 1)) || value > most) {
    std::string name = field.name;
    std::ranges::transform(name, name.begin(), [](unsigned char letter) { return std::tolower(letter); });
    refuse({"layer " + step, "does not fit the tape format", name + " = " + std::to_string(value),
            std::to_string(bits) + " bits", "use a smaller layer or input"});
  }
  put_number(bytes_.data() + field.offset, static_cast<std::uint64_t>(value), field.bytes);
}

TapeWriter::TapeWriter(std::uint32_t config_hash) : config_hash_(config_hash), tape_(STERNA_TAPE_HEADER_SIZE) {}

void TapeWriter::number(std::size_t at, std::uint64_t value, std::size_t bytes) {
  put_number(tape_.data() + at, value, bytes);
}

void TapeWriter::header(std::size_t at, std::size_t crc_offset) {
  number(at + crc_offset, crc_of({tape_.data() + at, crc_offset}), sizeof(std::uint32_t));
}

void TapeWriter::step(const StepFields& fields) {
  ++steps_;
  segment(STERNA_SEGMENT_KIND_STEP, {fields.bytes().begin(), fields.bytes().end()});
}

void TapeWriter::segment(sterna_segment_kind kind, std::vector<std::uint8_t> payload) {
  pad(payload);
  const std::size_t at = tape_.size();
  tape_.resize(at + STERNA_SEGMENT_HEADER_SIZE);
  number(at + STERNA_SEGMENT_HEADER_KIND_OFFSET, kind, STERNA_SEGMENT_HEADER_KIND_SIZE);
  number(at + STERNA_SEGMENT_HEADER_INDEX_OFFSET, segments_++, STERNA_SEGMENT_HEADER_INDEX_SIZE);
  number(at + STERNA_SEGMENT_HEADER_BYTES_OFFSET, payload.size(), STERNA_SEGMENT_HEADER_BYTES_SIZE);
  number(at + STERNA_SEGMENT_HEADER_PAYLOAD_CRC_OFFSET, crc_of(payload),
         STERNA_SEGMENT_HEADER_PAYLOAD_CRC_SIZE);
  header(at, STERNA_SEGMENT_HEADER_CRC_OFFSET);
  tape_.insert(tape_.end(), payload.begin(), payload.end());
}

std::vector<std::uint8_t> TapeWriter::finish() {
  number(STERNA_TAPE_HEADER_MAGIC_OFFSET, STERNA_TAPE_MAGIC, STERNA_TAPE_HEADER_MAGIC_SIZE);
  number(STERNA_TAPE_HEADER_VERSION_OFFSET, STERNA_TAPE_VERSION, STERNA_TAPE_HEADER_VERSION_SIZE);
  number(STERNA_TAPE_HEADER_CONFIG_HASH_OFFSET, config_hash_, STERNA_TAPE_HEADER_CONFIG_HASH_SIZE);
  number(STERNA_TAPE_HEADER_BYTES_OFFSET, tape_.size(), STERNA_TAPE_HEADER_BYTES_SIZE);
  number(STERNA_TAPE_HEADER_SEGMENTS_OFFSET, segments_, STERNA_TAPE_HEADER_SEGMENTS_SIZE);
  number(STERNA_TAPE_HEADER_STEPS_OFFSET, steps_, STERNA_TAPE_HEADER_STEPS_SIZE);
  header(0, STERNA_TAPE_HEADER_CRC_OFFSET);
  return std::move(tape_);
}

}  // namespace sterna
